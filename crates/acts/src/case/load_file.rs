//! Loads a change with all its records and with the facts that other changes contribute, evaluated by the current
//! policies.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use model::approval::one_hand;
use model::approval::separation_of_duties::{is_of_interest, of_interest};
use model::change::change_file::{ChangeFile, KnownOutcomes, Linked, RejectedElsewhere};
use model::change::record::{Change, Target};
use model::change::related_records::{
    Approval, ChangeTask, ChecklistItem, Condition, Evidence, Link, PeerReview, Permit,
};
use model::change::success::succeeded;
use model::change::waiting_on;
use model::core::enums::{LinkKind, Role, State};
use model::core::ids::{ChangeId, EnvironmentKey, PersonId, ServiceKey};
use model::directory::snapshot::Directory;
use model::gate::build::is_same_build;
use model::risk::cause_move::CauseMove;
use model::risk::complexity::is_unknown;
use store::change::changes::{self, TargetRow};
use store::record::{self, Filter, Record};

use crate::case::commit_equivalence::commits_behind;
use crate::case::committers::of_change;
use crate::case::judge::{judge, lets};
use crate::case::present::present_of;
use crate::core::context::Context;
use crate::core::error::{Error, Result};

impl Context<'_, '_> {
    /// The records around changes, by the id of the change; all records are read at once.
    fn around<R: Record>(
        &mut self,
        column: &str,
        ids: &[String],
        of: fn(&R) -> &ChangeId,
    ) -> Result<HashMap<String, Vec<R>>> {
        let filter = match ids {
            [only] => Filter::new().equals(column, only.as_str()),
            _ => Filter::new().one_of(column, ids.iter().map(String::as_str)),
        };
        let mut found: HashMap<String, Vec<R>> = HashMap::new();
        for stored in record::find::<R>(self.tx, &filter.order_by("id"))? {
            let change = of(&stored.record).0.clone();
            found.entry(change).or_default().push(stored.record);
        }
        Ok(found)
    }

    /// The permits of changes. A change of many members may have one permit for each: expired permits decide nothing
    /// any more, and are not read.
    fn permits_of(&mut self, changes: &[Change]) -> Result<HashMap<String, Vec<Permit>>> {
        let (wide, usual): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(|it| it.wave_run.is_some());
        let usual: Vec<String> = usual.into_iter().map(|change| change.id.0.clone()).collect();
        let mut found = match usual.is_empty() {
            true => HashMap::new(),
            false => self.around("change_id", &usual, |it: &Permit| &it.change)?,
        };
        for change in wide {
            let alive = Filter::new()
                .equals("change_id", change.id.as_str())
                .at_least("expires_at", self.now)
                .order_by("id");
            let mut permits = record::bodies::<Permit>(self.tx, &alive)?;
            // A revocation is lifted by the permit that was revoked, even after it expired.
            for closed in &change.closed_targets {
                if permits.iter().all(|permit| permit.id != closed.permit) {
                    permits.extend(record::load::<Permit>(self.tx, closed.permit.as_str())?.map(|it| it.record));
                }
            }
            found.insert(change.id.0.clone(), permits);
        }
        Ok(found)
    }

    /// How reviewed failures moved the forecasts of changes; nothing is read for changes without a forecast.
    fn moves_of(&mut self, changes: &[Change]) -> Result<HashMap<String, Vec<CauseMove>>> {
        let has_figure = |it: &&Change| {
            let forecast = it.forecast.as_ref();
            forecast.is_some_and(|it| it.probability_ppm.is_some())
        };
        let ids: Vec<&str> = changes
            .iter()
            .filter(has_figure)
            .map(|change| change.id.as_str())
            .collect();
        let mut found: HashMap<String, Vec<CauseMove>> = HashMap::new();
        if ids.is_empty() {
            return Ok(found);
        }
        let filter = Filter::new().one_of("change_id", ids).order_by("id");
        for row in record::bodies::<CauseMove>(self.tx, &filter)? {
            found.entry(row.change.clone()).or_default().push(row);
        }
        Ok(found)
    }

    /// The whole file of a change, evaluated by the current policies.
    ///
    /// # Errors
    /// [`model::core::refusal::Refusal::NotFound`], or the store's.
    pub fn file(&mut self, key: &str) -> Result<ChangeFile> {
        let change = self.change(key)?;
        let files = self.files(vec![change])?;
        let file = files.into_iter().next();
        file.ok_or_else(|| Error::Fault(format!("the file of {key} was not made")))
    }

    /// The whole files of the changes with these keys, in the order of the keys, all read at once. Changes outside of the acting
    /// person's scope are left out.
    ///
    /// # Errors
    /// The store's.
    pub fn files_of(&mut self, keys: &[&str]) -> Result<Vec<ChangeFile>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let filter = Filter::new().one_of("key", keys.iter().copied()).order_by("number");
        let mut changes = record::bodies::<Change>(self.tx, &filter)?;
        let scope = self.scope()?;
        changes.retain(|change| scope.as_ref().is_none_or(|scope| scope.sees(change)));
        changes.sort_by_key(|change| keys.iter().position(|key| *key == change.key));
        self.files(changes)
    }

    /// The whole files of the changes with these ids, all read at once, for an act of the system that relies on them.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn files_of_ids(&mut self, ids: &[String]) -> Result<Vec<ChangeFile>> {
        let filter = Filter::new()
            .one_of("id", ids.iter().map(String::as_str))
            .order_by("number");
        let changes = record::bodies::<Change>(self.tx, &filter)?;
        for change in &changes {
            self.note_read(change);
        }
        self.files(changes)
    }

    /// The whole files of changes, in their order, each evaluated by the current policies.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn files(&mut self, changes: Vec<Change>) -> Result<Vec<ChangeFile>> {
        let ids: Vec<String> = changes.iter().map(|change| change.id.0.clone()).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut approvals = self.around("change_id", &ids, |it: &Approval| &it.change)?;
        let mut conditions = self.around("change_id", &ids, |it: &Condition| &it.change)?;
        let mut peer_reviews = self.around("change_id", &ids, |it: &PeerReview| &it.change)?;
        let mut evidence = self.around("change_id", &ids, |it: &Evidence| &it.change)?;
        let mut tasks = self.around("change_id", &ids, |it: &ChangeTask| &it.change)?;
        let mut checklist = self.around("change_id", &ids, |it: &ChecklistItem| &it.change)?;
        let mut permits = self.permits_of(&changes)?;
        let mut links = self.around("from_change", &ids, |it: &Link| &it.change)?;
        let mut moves = self.moves_of(&changes)?;
        let mut places = KnownPlaces::default();
        let mut files = Vec::with_capacity(changes.len());
        for (change, id) in changes.into_iter().zip(&ids) {
            let mut file = ChangeFile::new(change);
            file.approvals = approvals.remove(id).unwrap_or_default();
            file.conditions = conditions.remove(id).unwrap_or_default();
            file.peer_reviews = peer_reviews.remove(id).unwrap_or_default();
            file.evidence = evidence.remove(id).unwrap_or_default();
            file.tasks = tasks.remove(id).unwrap_or_default();
            file.checklist = checklist.remove(id).unwrap_or_default();
            file.permits = permits.remove(id).unwrap_or_default();
            file.links = links.remove(id).unwrap_or_default();
            file.cause_moves = moves.remove(id).unwrap_or_default();
            file.links.retain(|link| link.removed_at.is_none());
            files.push(self.judged(file, &mut places)?);
        }
        Ok(files)
    }

    /// A file with the facts from other changes and pushes, evaluated.
    fn judged(&mut self, mut file: ChangeFile, places: &mut KnownPlaces) -> Result<ChangeFile> {
        file.depends_on = self.depends_on(&file)?;
        file.rejected_elsewhere = self.rejected_among(&file.change, places)?;
        file.known_outcomes = self.known_among(&file.change, places)?;
        file.committers = of_change(self, &file.change)?;
        file.present = present_of(self, &file)?;
        let directory = self.directory()?;
        file.meetings = directory.meetings_about(&file);
        file.hands = one_hand::behind(&file, &directory, self.now);
        let policies = self.policies()?;
        file.requirements = judge(policies.as_ref(), &self.tenant(), (&directory, self.now), &file);
        file.lets = lets(&policies, &self.tenant());
        self.hide_others(&mut file)?;
        Ok(file)
    }

    /// Removes the names of changes that the acting person may not see, and for readers the links to these changes as
    /// well. The evaluated facts stay.
    fn hide_others(&mut self, file: &mut ChangeFile) -> Result<()> {
        if self.scope()?.is_none() {
            return Ok(());
        }
        if !self.writes {
            let mut seen = Vec::new();
            for link in std::mem::take(&mut file.links) {
                let is_seen = match &link.to_change {
                    Some(other) => self.sees(other.as_str())?,
                    None => true,
                };
                seen.extend(is_seen.then_some(link));
            }
            file.links = seen;
        }
        for linked in &mut file.depends_on {
            linked.key = self.shown_key(&linked.key)?;
        }
        if let Some(rejected) = &mut file.rejected_elsewhere {
            rejected.key = self.shown_key(&rejected.key)?;
        }
        Ok(())
    }

    fn shown_key(&mut self, key: &str) -> Result<String> {
        Ok(if self.sees_key(key)? {
            key.to_owned()
        } else {
            "another change".to_owned()
        })
    }

    fn depends_on(&mut self, file: &ChangeFile) -> Result<Vec<Linked>> {
        let mut found = Vec::new();
        for link in file.links.iter().filter(|link| link.kind == LinkKind::DependsOn) {
            let Some(id) = &link.to_change else { continue };
            if let Some(other) = self.load_change(id.as_str())? {
                let has_succeeded = succeeded(&other) == Some(true);
                found.push(Linked {
                    key: other.key,
                    state: other.state,
                    has_succeeded,
                    owner: Some(other.content.owner),
                });
            }
        }
        Ok(found)
    }

    /// Another change for the same artifact, service and environment that was rejected and not overruled.
    pub(crate) fn rejected_elsewhere(&mut self, change: &Change) -> Result<Option<RejectedElsewhere>> {
        self.rejected_among(change, &mut KnownPlaces::default())
    }

    fn rejected_among(&mut self, change: &Change, places: &mut KnownPlaces) -> Result<Option<RejectedElsewhere>> {
        for target in &change.content.targets {
            for row in places.rejected(self, target)?.iter() {
                if row.change_id == change.id.0 || !self.is_one_build(target, row)? {
                    continue;
                }
                let Some(other) = self.load_change(&row.change_id)? else {
                    continue;
                };
                if stops(&other, change) {
                    return Ok(Some(RejectedElsewhere {
                        of_interest_to: of_interest_to(&*self.directory()?, [&other, change], self.now),
                        key: other.key,
                        requester: other.requester,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// The places without an outcome in the failure model for which an outcome is known nevertheless. Places that count
    /// as new, or that the model knows, are not looked up.
    pub(crate) fn known_outcomes(&mut self, change: &Change) -> Result<Option<KnownOutcomes>> {
        self.known_among(change, &mut KnownPlaces::default())
    }

    fn known_among(&mut self, change: &Change, places: &mut KnownPlaces) -> Result<Option<KnownOutcomes>> {
        let mut known = KnownOutcomes::new();
        if !change.state.is_before_start() {
            return Ok(Some(known));
        }
        let directory = self.directory()?;
        for target in &change.content.targets {
            let place = (target.service.clone(), target.environment.clone());
            let is_settled = change.new_services.contains(&target.service) || known.contains_key(&place);
            if is_settled || !is_unknown(target, &directory) {
                continue;
            }
            let is_known = places.has_outcome(self, target)?;
            known.insert(place, is_known);
        }
        Ok(Some(known))
    }

    /// Whether a target and another change's target are the same build, even if one names the artifact and the other
    /// its commit.
    fn is_one_build(&mut self, target: &Target, row: &TargetRow) -> Result<bool> {
        let theirs: Vec<String> = row.artifact.iter().chain(&row.commit).cloned().collect();
        let mut ours: Vec<String> = target.artifact.iter().chain(&target.commit).cloned().collect();
        if are_one(&ours, &theirs) {
            return Ok(true);
        }
        let (artifact, commit) = (target.artifact.as_deref(), target.commit.as_deref());
        ours.extend(commits_behind(self, artifact, commit)?);
        if are_one(&ours, &theirs) {
            return Ok(true);
        }
        let behind = commits_behind(self, row.artifact.as_deref(), row.commit.as_deref())?;
        Ok(are_one(&ours, &behind))
    }

    /// The ids of the other open changes with a target in the same place and the same build, under any of its names.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn of_the_same_build(&mut self, change: &Change) -> Result<Vec<String>> {
        let mut found: Vec<String> = Vec::new();
        for target in &change.content.targets {
            let ids = changes::open_in(self.tx, target.service.as_str())?;
            let others: Vec<&str> = ids
                .iter()
                .map(String::as_str)
                .filter(|id| *id != change.id.as_str())
                .collect();
            let rows = changes::targets_of_all(self.tx, &others)?.into_values().flatten();
            for row in rows.filter(|row| is_in_place(target, row)) {
                if !found.contains(&row.change_id) && self.is_one_build(target, &row)? {
                    found.push(row.change_id);
                }
            }
        }
        Ok(found)
    }

    /// The unmet conditions ahead of a change.
    ///
    /// # Errors
    /// [`model::core::refusal::Refusal::NotFound`], or the store's.
    pub fn ahead(&mut self, key: &str) -> Result<Vec<waiting_on::Ahead>> {
        let file = self.file(key)?;
        let directory = self.directory()?;
        Ok(waiting_on::ahead(&file, &directory, self.now))
    }
}

/// What was looked up about services and environments for files that are read at once: most of them are about few places.
#[derive(Default)]
struct KnownPlaces {
    rejected: HashMap<(ServiceKey, EnvironmentKey), Arc<Vec<TargetRow>>>,
    outcomes: HashMap<(ServiceKey, EnvironmentKey), bool>,
}

impl KnownPlaces {
    /// The targets of rejected changes in the place of a target.
    fn rejected(&mut self, cx: &mut Context<'_, '_>, target: &Target) -> Result<Arc<Vec<TargetRow>>> {
        let place = (target.service.clone(), target.environment.clone());
        if let Some(known) = self.rejected.get(&place) {
            return Ok(Arc::clone(known));
        }
        let found = changes::rejected_in(cx.tx, target.service.as_str(), target.environment.as_str())?;
        let found = Arc::new(found);
        self.rejected.insert(place, Arc::clone(&found));
        Ok(found)
    }

    /// Whether the outcome of a closed change is known in the place of a target.
    fn has_outcome(&mut self, cx: &mut Context<'_, '_>, target: &Target) -> Result<bool> {
        let place = (target.service.clone(), target.environment.clone());
        if let Some(known) = self.outcomes.get(&place) {
            return Ok(*known);
        }
        let found = changes::has_outcome(cx.tx, target.service.as_str(), target.environment.as_str())?;
        self.outcomes.insert(place, found);
        Ok(found)
    }
}

/// Whether other changes with the same artifact, service and environment may not start because of this one.
pub(crate) fn stops_others(change: &Change) -> bool {
    let rejection = change.rejection.as_ref().filter(|_| change.state == State::Rejected);
    rejection.is_some_and(|rejection| rejection.overruled.is_none())
}

/// Whether a rejected change stops another one with the same build. It does until a person without a part in the other
/// change overrules the rejection.
fn stops(rejected: &Change, other: &Change) -> bool {
    let rejection = rejected
        .rejection
        .as_ref()
        .filter(|_| rejected.state == State::Rejected);
    rejection.is_some_and(|rejection| {
        let by = rejection.overruled.as_ref().map(|said| &said.by);
        by.is_none_or(|by| is_of_interest(other, by))
    })
}

/// The people with a part in the first change, and the managers who count as one with anybody who has a part in both.
fn of_interest_to(directory: &Directory, changes: [&Change; 2], now: Timestamp) -> Vec<PersonId> {
    let managers = directory.with_role(Role::ChangeManager).into_iter().filter(|manager| {
        let mut parts = changes.into_iter().flat_map(of_interest);
        parts.any(|part| one_hand::are_one(directory, (manager, part), now))
    });
    of_interest(changes[0]).cloned().chain(managers).collect()
}

fn is_in_place(target: &Target, row: &TargetRow) -> bool {
    row.service == target.service.as_str() && row.environment == target.environment.as_str()
}

fn are_one(one: &[String], other: &[String]) -> bool {
    is_same_build(one.iter().map(String::as_str), other.iter().map(String::as_str))
}
