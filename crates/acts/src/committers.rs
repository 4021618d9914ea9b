//! Who made the commits that a change brings, from what pushes told: a target's commit, the commit behind its artifact and
//! those with an equal tree, and from each the pushes before it, back to what ran in the target's place already.

use std::collections::{BTreeMap, BTreeSet};

use model::change::{Change, Target};
use model::committers::{Committer, Committers, Pushed, resolve};
use model::directory::Connection;
use model::ids::{ChangeId, EnvironmentKey, PersonId, RecordId, ServiceKey};
use model::outside::Provenance;
use model::running::told_outcome;
use model::signal::{PullRequest, Push};
use model::words::{Outcome, State};
use store::record::{self, Filter};

use crate::error::Result;
use crate::room::Room;
use crate::settle_open::settle_one;

/// The most people that one push names; with more it counts as not told whole.
const MOST_PEOPLE: usize = 64;

/// How many pushes back are looked at. A way that is longer blocks, as nobody can be kept apart from who is not known.
const MOST_PUSHES: usize = 1_000;

/// The most that is known of one commit: its pushes, and what was built of it.
const MOST_ROWS: i64 = 1_000;

/// Who made the commits of a change.
///
/// # Errors
/// The store's.
pub(crate) fn of_change(room: &mut Room<'_, '_>, change: &Change) -> Result<Committers> {
    let way = go_back(room, change, &mut Known::default())?;
    if way.pushed.is_empty() {
        return Ok(Committers::default());
    }
    Ok(resolve(&*room.directory()?, way.pushed))
}

/// The way back from what a change brings.
#[derive(Default)]
struct Way {
    /// Whom the pushes along it name.
    pushed: Pushed,
    /// The commits that were looked up: what is told of any other changes nothing here.
    looked_up: BTreeSet<String>,
}

/// Goes back from what each target of a change brings.
fn go_back(room: &mut Room<'_, '_>, change: &Change, known: &mut Known) -> Result<Way> {
    let mut way = Way::default();
    let mut heads: Vec<(Option<String>, Option<String>, Vec<String>)> = Vec::new();
    for target in &change.content.targets {
        if target.artifact.is_none() && target.commit.is_none() {
            continue;
        }
        // Targets of one change bring the same commits as a rule.
        let of_both =
            |it: &&(Option<String>, Option<String>, Vec<String>)| it.0 == target.artifact && it.1 == target.commit;
        let commits = match heads.iter().find(of_both) {
            Some((_, _, commits)) => commits.clone(),
            None => {
                let mut commits =
                    crate::kin::commits_behind(room, target.artifact.as_deref(), target.commit.as_deref())?;
                commits.extend(target.commit.clone());
                heads.push((target.artifact.clone(), target.commit.clone(), commits.clone()));
                commits
            }
        };
        walk(room, (change, target), commits, (&mut *known, &mut way))?;
    }
    Ok(way)
}

/// What is known of commits, read once for all targets of a change, and of all changes that a push may concern.
#[derive(Default)]
struct Known {
    rows: BTreeMap<String, Vec<Provenance>>,
    /// Changes that brought a commit to a place, and succeeded.
    brought: BTreeMap<(ServiceKey, EnvironmentKey, String), BTreeSet<ChangeId>>,
}

impl Known {
    fn of(&mut self, room: &mut Room<'_, '_>, commit: &str) -> Result<&[Provenance]> {
        if !self.rows.contains_key(commit) {
            let filter = Filter::new()
                .equals("commit_sha", commit)
                .order_by("id")
                .limit(MOST_ROWS);
            let rows = record::find::<Provenance>(room.tx, &filter)?;
            let rows = rows.into_iter().map(|stored| stored.record).collect();
            self.rows.insert(commit.to_owned(), rows);
        }
        Ok(self.rows.get(commit).map_or(&[], Vec::as_slice))
    }

    /// Whether an earlier change brought a commit to a target's place: what it holds was decided then.
    fn has_run(&mut self, room: &mut Room<'_, '_>, (change, target): (&Change, &Target), commit: &str) -> Result<bool> {
        let place = (target.service.clone(), target.environment.clone(), commit.to_owned());
        if !self.brought.contains_key(&place) {
            let built = self.of(room, commit)?.iter();
            let built: BTreeSet<String> = built.filter_map(|row| row.artifact.clone()).collect();
            let found = brought(room, target, commit, &built)?;
            self.brought.insert(place.clone(), found);
        }
        let ids = self.brought.get(&place);
        Ok(ids.is_some_and(|ids| ids.iter().any(|id| *id != change.id)))
    }
}

/// Goes from commits back through the pushes that brought them, and through the pull requests that they merged.
fn walk(
    room: &mut Room<'_, '_>,
    (change, target): (&Change, &Target),
    from: Vec<String>,
    (known, way): (&mut Known, &mut Way),
) -> Result<()> {
    let mut ahead = from;
    let mut seen: BTreeSet<String> = BTreeSet::new();
    while let Some(commit) = ahead.pop() {
        if seen.contains(&commit) {
            continue;
        }
        if seen.len() == MOST_PUSHES {
            // Where the way is cut, whether a push is known before the cut does not matter: it was not looked for.
            way.pushed.too_far.insert(commit);
            return Ok(());
        }
        seen.insert(commit.clone());
        way.looked_up.insert(commit.clone());
        for earlier in of_commit(known.of(room, &commit)?, &commit, &mut way.pushed) {
            if seen.contains(&earlier) {
                continue;
            }
            way.looked_up.insert(earlier.clone());
            if !known.has_run(room, (change, target), &earlier)? {
                ahead.push(earlier);
            }
        }
    }
    Ok(())
}

/// Notes whom the pushes of one commit name; answers the commits that lie before it.
fn of_commit(rows: &[Provenance], commit: &str, pushed: &mut Pushed) -> BTreeSet<String> {
    let is_cut = |row: &Provenance| row.committers.is_some() && row.is_partial;
    let is_whole = |row: &Provenance| row.committers.as_ref().is_some_and(|it| !it.is_empty()) && !row.is_partial;
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count >= MOST_ROWS);
    if is_full || rows.iter().any(is_cut) && !rows.iter().any(is_whole) {
        pushed.not_told.insert(commit.to_owned());
    }
    let mut earlier = BTreeSet::new();
    for row in rows {
        let Some(people) = &row.committers else { continue };
        pushed.told.extend(people.iter().cloned());
        earlier.extend(row.before.iter().chain(&row.merged).cloned());
    }
    earlier
}

/// The changes that brought a commit, or what was built of it, to a target's place and succeeded.
fn brought(
    room: &mut Room<'_, '_>,
    target: &Target,
    commit: &str,
    built: &BTreeSet<String>,
) -> Result<BTreeSet<ChangeId>> {
    let (service, environment) = (target.service.as_str(), target.environment.as_str());
    let mut rows = store::changes::targets_for(room.tx, service, environment, None, Some(commit))?;
    for artifact in built {
        let more = store::changes::targets_for(room.tx, service, environment, Some(artifact), None)?;
        rows.extend(more.into_iter().filter(|row| row.artifact.as_ref() == Some(artifact)));
    }
    let mut found = BTreeSet::new();
    for row in rows {
        let Some(other) = record::load::<Change>(room.tx, &row.change_id)? else {
            continue;
        };
        let other = other.record;
        let Some(its) = other.content.targets.iter().find(|it| it.id.0 == row.target_id) else {
            continue;
        };
        if matches!(
            told_outcome(&other, its),
            Some(Outcome::Succeeded | Outcome::SucceededWithIssues)
        ) {
            found.insert(other.id);
        }
    }
    Ok(found)
}

/// Keeps who made the commits of a push to a repository that is mapped here.
///
/// # Errors
/// The store's.
pub(crate) fn take_push(room: &mut Room<'_, '_>, connection: &str, it: &Push) -> Result<String> {
    let noted = format!("noted: push to {}", it.ref_name);
    let connection = crate::set_connection::connection(room, connection)?;
    if is_nothing(&it.after) || !maps(&connection, &it.repository) {
        return Ok(noted);
    }
    let engine = |one: &Committer| with_engine(&connection.kind, one);
    let mut people: BTreeSet<Committer> = it
        .commits
        .iter()
        .flat_map(|commit| commit.authors.iter().chain(&commit.committer))
        .map(engine)
        .collect();
    // Whoever names themselves otherwise in git still pushes with their own account. Who only moves a branch to a commit
    // that was there has made none.
    let rows = crate::kin::find(room, "commit_sha", &it.after)?;
    let was_there = rows.iter().any(|row| row.committers.is_some());
    if let Some(pusher) = it.pusher.as_ref().filter(|_| !was_there) {
        let pusher = Committer {
            login: Some(pusher.clone()),
            email: None,
            name: None,
        };
        let pusher = engine(&pusher);
        if !people.iter().any(|known| known.login == pusher.login) {
            people.insert(pusher);
        }
    }
    if people.is_empty() {
        return Ok(noted);
    }
    let is_partial = it.is_partial || people.len() > MOST_PEOPLE;
    let told = Provenance {
        committers: Some(people.into_iter().take(MOST_PEOPLE).collect()),
        is_partial,
        before: Some(it.before.clone()).filter(|before| !is_nothing(before)),
        ..bare(room, &connection, &it.repository, &it.after)
    };
    keep(room, &connection, told)?;
    Ok(noted)
}

/// Keeps which head a pull request was merged from, so that the commits of its branch count as those of the merge.
///
/// # Errors
/// The store's.
pub(crate) fn take_merge(room: &mut Room<'_, '_>, connection: &str, it: &PullRequest) -> Result<String> {
    let noted = format!("noted: pull request {} {}", it.number, it.action);
    let connection = crate::set_connection::connection(room, connection)?;
    let merge = it.merge_commit.as_ref().filter(|commit| **commit != it.head_commit);
    let Some(merge) = merge.filter(|_| it.merged && maps(&connection, &it.repository)) else {
        return Ok(noted);
    };
    let told = Provenance {
        committers: Some(BTreeSet::new()),
        merged: Some(it.head_commit.clone()),
        ..bare(room, &connection, &it.repository, merge)
    };
    keep(room, &connection, told)?;
    Ok(noted)
}

/// Keeps a row, and judges those open changes of the repository's services again whose commits lead to it: a late word may
/// bar who has approved. Most pushes bring what no change names yet, and judging is dear.
fn keep(room: &mut Room<'_, '_>, connection: &Connection, told: Provenance) -> Result<()> {
    let (repository, commit) = (told.repository.clone(), told.commit.clone());
    if !crate::kin::keep(room, told)? {
        return Ok(());
    }
    let of_it = |row: &&model::directory::Mapping| row.repository.eq_ignore_ascii_case(&repository);
    let services: BTreeSet<_> = connection
        .map
        .iter()
        .filter(of_it)
        .map(|row| row.service.clone())
        .collect();
    let mut open = BTreeSet::new();
    for service in &services {
        open.extend(store::changes::open_in(room.tx, service.as_str())?);
    }
    let mut known = Known::default();
    for id in open {
        let Some(change) = record::load::<Change>(room.tx, &id)? else {
            continue;
        };
        if go_back(room, &change.record, &mut known)?.looked_up.contains(&commit) {
            settle_one(room, &id)?;
        }
    }
    Ok(())
}

/// Judges the open changes again whose commits a person made, or made before their accounts moved.
///
/// # Errors
/// The store's.
pub(crate) fn settle_of(room: &mut Room<'_, '_>, person: &PersonId) -> Result<()> {
    let open = State::ALL
        .iter()
        .filter(|state| state.is_open())
        .map(|state| state.as_str());
    let filter = Filter::new().one_of("state", open).order_by("number");
    for stored in record::find::<Change>(room.tx, &filter)? {
        let change = stored.record;
        if !has_code(&change) {
            continue;
        }
        let found = of_change(room, &change)?;
        if found.people.contains(person) || !found.unknown.is_empty() {
            settle_one(room, change.id.as_str())?;
        }
    }
    Ok(())
}

/// Whether a change names what was made of commits.
fn has_code(change: &Change) -> bool {
    let names = |target: &Target| target.artifact.is_some() || target.commit.is_some();
    change.content.targets.iter().any(names)
}

fn bare(room: &Room<'_, '_>, connection: &Connection, repository: &str, commit: &str) -> Provenance {
    Provenance {
        id: RecordId(String::new()),
        version: 0,
        repository: repository.to_lowercase(),
        commit: commit.to_owned(),
        tree: None,
        artifact: None,
        files: None,
        before: None,
        committers: None,
        is_partial: false,
        merged: None,
        source: connection.id.0.clone(),
        at: room.now,
    }
}

fn maps(connection: &Connection, repository: &str) -> bool {
    let is_it = |row: &model::directory::Mapping| row.repository.eq_ignore_ascii_case(repository);
    connection.map.iter().any(is_it)
}

/// How engines write that there is no commit: a new branch, or a deleted one.
fn is_nothing(commit: &str) -> bool {
    commit.bytes().all(|byte| byte == b'0')
}

/// A committer with the engine before the account. Who hides their address has the account in it.
fn with_engine(kind: &str, one: &Committer) -> Committer {
    let hidden = one.email.as_deref().and_then(hidden_account);
    let login = one.login.as_deref().or(hidden);
    Committer {
        login: login.map(|login| format!("{kind}:{login}").to_lowercase()),
        ..one.clone()
    }
}

/// The account in an address such as `583231+octocat@users.noreply.github.com` or `51-ada@users.noreply.gitlab.com`.
fn hidden_account(mail: &str) -> Option<&str> {
    let (local, host) = mail.split_once('@')?;
    if !host.starts_with("users.noreply.") {
        return None;
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match local.split_once(['+', '-']) {
        Some((number, account)) if is_number(number) && !account.is_empty() => Some(account),
        _ => Some(local).filter(|local| !local.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_address_names_its_account() {
        for (mail, account) in [
            ("583231+octocat@users.noreply.github.com", Some("octocat")),
            ("51-ada-b@users.noreply.gitlab.com", Some("ada-b")),
            ("octo-cat@users.noreply.github.com", Some("octo-cat")),
            ("ada@halden.example", None),
        ] {
            assert_eq!(hidden_account(mail), account, "{mail}");
        }
    }
}
