//! Finds the committers of a change from recorded pushes. The search starts at a target's commit, the commit behind its
//! artifact and those with an equal tree, and follows the earlier pushes back to the build that already runs in the
//! target's place.

use std::collections::{BTreeMap, BTreeSet};

use model::change::record::{Change, Target};
use model::change::success::was_rolled_back;
use model::core::enums::Outcome;
use model::core::ids::{ChangeId, EnvironmentKey, ServiceKey};
use model::gate::committers::{Committers, Pushed, resolve};
use model::gate::provenance::Provenance;
use model::gate::running::running_outcome;
use store::change::changes;
use store::record::{self, Filter};

use crate::case::commit_equivalence;
use crate::core::context::Context;
use crate::core::error::Result;

/// The most earlier pushes that are followed. A longer path blocks, because unknown committers cannot be excluded.
const MOST_PUSHES: usize = 1_000;

/// The most records about one commit: its pushes, and its builds.
const MOST_ROWS: i64 = 1_000;

/// The committers of a change.
///
/// # Errors
/// The store's.
pub(crate) fn of_change(cx: &mut Context<'_, '_>, change: &Change) -> Result<Committers> {
    let way = go_back(cx, change, &mut CommitFacts::default())?;
    if way.pushed.is_empty() {
        return Ok(Committers::default());
    }
    Ok(resolve(&*cx.directory()?, way.pushed))
}

/// The path back from a change's builds.
#[derive(Default)]
pub(crate) struct Way {
    /// The people named by the pushes on the path.
    pushed: Pushed,
    /// The commits that were looked up: records about any other commit change nothing here.
    pub(crate) looked_up: BTreeSet<String>,
}

/// Follows the pushes back from each target of a change.
pub(crate) fn go_back(cx: &mut Context<'_, '_>, change: &Change, known: &mut CommitFacts) -> Result<Way> {
    let mut way = Way::default();
    let mut heads: Vec<(Option<String>, Option<String>, Vec<String>)> = Vec::new();
    for target in &change.content.targets {
        if target.artifact.is_none() && target.commit.is_none() {
            continue;
        }
        // Targets of one change usually have the same commits.
        let of_both =
            |it: &&(Option<String>, Option<String>, Vec<String>)| it.0 == target.artifact && it.1 == target.commit;
        let commits = match heads.iter().find(of_both) {
            Some((_, _, commits)) => commits.clone(),
            None => {
                let mut commits =
                    commit_equivalence::commits_behind(cx, target.artifact.as_deref(), target.commit.as_deref())?;
                commits.extend(target.commit.clone());
                heads.push((target.artifact.clone(), target.commit.clone(), commits.clone()));
                commits
            }
        };
        walk(cx, (change, target), commits, (&mut *known, &mut way))?;
    }
    Ok(way)
}

/// The known facts about commits, read once for all targets of a change, and for all changes that a push may concern.
#[derive(Default)]
pub(crate) struct CommitFacts {
    rows: BTreeMap<String, Vec<Provenance>>,
    /// Changes that brought a commit to a place, and succeeded.
    brought: BTreeMap<(ServiceKey, EnvironmentKey, String), BTreeSet<ChangeId>>,
}

impl CommitFacts {
    fn of(&mut self, cx: &mut Context<'_, '_>, commit: &str) -> Result<&[Provenance]> {
        if !self.rows.contains_key(commit) {
            let filter = Filter::new()
                .equals("commit_sha", commit)
                .order_by("id")
                .limit(MOST_ROWS);
            let rows = record::find::<Provenance>(cx.tx, &filter)?;
            let rows = rows.into_iter().map(|stored| stored.record).collect();
            self.rows.insert(commit.to_owned(), rows);
        }
        Ok(self.rows.get(commit).map_or(&[], Vec::as_slice))
    }

    /// Whether an earlier change brought a commit to a target's place: the commit's contents were decided then.
    fn has_run(
        &mut self,
        cx: &mut Context<'_, '_>,
        (change, target): (&Change, &Target),
        commit: &str,
    ) -> Result<bool> {
        let place = (target.service.clone(), target.environment.clone(), commit.to_owned());
        if !self.brought.contains_key(&place) {
            let built = self.of(cx, commit)?.iter();
            let built: BTreeSet<String> = built.filter_map(|row| row.artifact.clone()).collect();
            let found = brought(cx, target, commit, &built)?;
            self.brought.insert(place.clone(), found);
        }
        let ids = self.brought.get(&place);
        Ok(ids.is_some_and(|ids| ids.iter().any(|id| *id != change.id)))
    }
}

/// Follows the pushes back from commits, and the pull requests that they merged.
fn walk(
    cx: &mut Context<'_, '_>,
    (change, target): (&Change, &Target),
    from: Vec<String>,
    (known, way): (&mut CommitFacts, &mut Way),
) -> Result<()> {
    let mut ahead = from;
    let mut seen: BTreeSet<String> = BTreeSet::new();
    while let Some(commit) = ahead.pop() {
        if seen.contains(&commit) {
            continue;
        }
        if seen.len() == MOST_PUSHES {
            // A push before the cut does not matter, even if it is known: it was not looked up.
            way.pushed.too_far.insert(commit);
            return Ok(());
        }
        seen.insert(commit.clone());
        way.looked_up.insert(commit.clone());
        for earlier in of_commit(known.of(cx, &commit)?, &commit, &mut way.pushed) {
            if seen.contains(&earlier) {
                continue;
            }
            way.looked_up.insert(earlier.clone());
            if !known.has_run(cx, (change, target), &earlier)? {
                ahead.push(earlier);
            }
        }
    }
    Ok(())
}

/// Notes the people that the pushes of one commit name; returns the commits before it.
fn of_commit(rows: &[Provenance], commit: &str, pushed: &mut Pushed) -> BTreeSet<String> {
    let is_cut = |row: &Provenance| row.committers.is_some() && row.is_partial;
    let is_whole = |row: &Provenance| row.committers.as_ref().is_some_and(|it| !it.is_empty()) && !row.is_partial;
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count >= MOST_ROWS);
    if is_full || rows.iter().any(is_cut) && !rows.iter().any(is_whole) {
        pushed.not_told.insert(commit.to_owned());
    }
    let mut earlier = BTreeSet::new();
    for row in rows {
        pushed.note_files(row.files.iter().flatten());
        let Some(people) = &row.committers else { continue };
        pushed.told.extend(people.iter().cloned());
        earlier.extend(row.before.iter().chain(&row.merged).cloned());
    }
    earlier
}

/// The changes that brought a commit, or its builds, to a target's place and succeeded.
fn brought(
    cx: &mut Context<'_, '_>,
    target: &Target,
    commit: &str,
    built: &BTreeSet<String>,
) -> Result<BTreeSet<ChangeId>> {
    let (service, environment) = (target.service.as_str(), target.environment.as_str());
    let mut rows = changes::targets_for(cx.tx, service, environment, None, Some(commit))?;
    for artifact in built {
        let more = changes::targets_for(cx.tx, service, environment, Some(artifact), None)?;
        rows.extend(more.into_iter().filter(|row| row.artifact.as_ref() == Some(artifact)));
    }
    let mut found = BTreeSet::new();
    for row in rows {
        let Some(other) = record::load::<Change>(cx.tx, &row.change_id)? else {
            continue;
        };
        let other = other.record;
        let Some(its) = other.content.targets.iter().find(|it| it.id.0 == row.target_id) else {
            continue;
        };
        if matches!(
            running_outcome(&other, its),
            Some(Outcome::Succeeded | Outcome::SucceededWithIssues)
        ) && !was_rolled_back(&other)
        {
            found.insert(other.id);
        }
    }
    Ok(found)
}
