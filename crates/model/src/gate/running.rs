//! The record of running artifacts: one row per place and artifact, updated by the outcomes of targets. Kubernetes admission
//! accepts recorded artifacts, so that a restart or a scale-out waits for nobody.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::record::{Change, Target};
use crate::core::card::Derived;
use crate::core::enums::{EvidenceKind, Outcome, State};
use crate::core::ids::{ChangeId, EnvironmentKey, RecordId, ServiceKey, TargetId};
use crate::gate::build::are_one;
use crate::gate::rollback;

/// A build runs until it is replaced or taken back.
const ACTIVE: &[Derived] = &[("active", |it| it["until"].is_null().into())];

/// An artifact that an outcome brought into a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "running", derived = ACTIVE)]
pub struct Running {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The service.
    #[card(column)]
    pub service: ServiceKey,
    /// The environment.
    #[card(column)]
    pub environment: EnvironmentKey,
    /// Config items of the target that deployed it; a target for another of these items does not replace it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config_items: Vec<String>,
    /// The artifact.
    #[card(column)]
    pub artifact: String,
    /// The change that brought it.
    #[card(column = "change_id")]
    pub change: ChangeId,
    /// Its key.
    pub change_key: String,
    /// Its target.
    #[card(object)]
    pub target: TargetId,
    /// Since when.
    pub since: Timestamp,
    /// When it was replaced or taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The change that replaced it or took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub ended_by: Option<ChangeId>,
    /// And its target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub ended_target: Option<TargetId>,
}

impl Running {
    /// Whether it runs still.
    pub fn is_on(&self) -> bool {
        self.until.is_none()
    }

    fn go_on(&mut self) {
        (self.until, self.ended_by, self.ended_target) = (None, None, None);
    }
}

/// The outcome of a target, as far as it shows what runs. Work without a lawful decision counts only once its change is closed;
/// otherwise reporting it afterwards would bypass the approvals.
pub fn running_outcome(change: &Change, target: &Target) -> Option<Outcome> {
    let doubtful = change.retrospective.is_some() || change.unauthorized;
    if doubtful && change.state != State::Closed {
        return None;
    }
    change.target_record(&target.id)?.outcome
}

/// The running rows at the places of a change's targets, with their facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Present {
    /// The rows that run there.
    pub rows: Vec<Running>,
    /// The security reports of these builds, from the changes that brought them.
    pub reports: Vec<Report>,
}

/// The findings of a build in one kind of report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The build.
    pub artifact: String,
    /// The kind of report.
    pub kind: EvidenceKind,
    /// The listed findings.
    pub findings: Vec<String>,
}

/// Whether an outcome has more evidence than a person's statement: a connected system or a pipeline's token reported it, or its
/// approver confirmed work that was reported afterwards.
pub fn is_observed(change: &Change, target: &Target) -> bool {
    let is_told = change
        .target_record(&target.id)
        .is_some_and(|record| record.is_observed);
    let confirmation = change.retrospective.as_ref().and_then(|it| it.confirmation.as_ref());
    is_told || confirmation.is_some_and(|it| it.confirmed)
}

/// Moves the rows of a place by a target's outcome. `rows` are all rows of the target's service and environment that run, or
/// that this change ended. The function returns the changed rows and the new ones. `new_id` makes the id of a new row.
///
/// An outcome that a person entered makes nothing run. If it reports a rollback, a failure or no work, it only ends the rows of
/// this target.
pub fn turn(
    change: &Change,
    target: &Target,
    outcome: Outcome,
    rows: &[Running],
    now: Timestamp,
    new_id: impl FnMut() -> RecordId,
) -> Vec<Running> {
    let mut turn = Turn {
        change,
        target,
        now,
        rows: rows.to_vec(),
        new_id,
    };
    match (outcome, is_observed(change, target)) {
        (Outcome::Succeeded | Outcome::SucceededWithIssues, true) => turn.replace(),
        (Outcome::PartiallyImplemented, true) => {
            if let Some(artifact) = &target.artifact {
                turn.bring(artifact);
            }
        }
        (Outcome::RolledBack | Outcome::Failed | Outcome::NotImplemented, true) => turn.take_back(outcome),
        (Outcome::RolledBack | Outcome::Failed | Outcome::NotImplemented, false) => turn.end_own(),
        // After a failed rollback, the running version is unknown.
        (Outcome::RollbackFailed, _) => {}
        (Outcome::Succeeded | Outcome::SucceededWithIssues | Outcome::PartiallyImplemented, false) => {}
    }
    turn.rows.retain(|row| !rows.contains(row));
    turn.rows
}

/// The rows of a place while a target's outcome moves them.
struct Turn<'a, F> {
    change: &'a Change,
    target: &'a Target,
    now: Timestamp,
    rows: Vec<Running>,
    new_id: F,
}

impl<F: FnMut() -> RecordId> Turn<'_, F> {
    fn replace(&mut self) {
        let Some(artifact) = &self.target.artifact else {
            return;
        };
        let replaced = replaced(self.change, self.target, &self.rows);
        self.end(|row| replaced.contains(&row.id));
        self.bring(artifact);
    }

    fn take_back(&mut self, outcome: Outcome) {
        let (change, target) = (self.change, self.target);
        self.rows
            .iter_mut()
            .filter(|row| row.ended_by.as_ref() == Some(&change.id) && row.ended_target.as_ref() == Some(&target.id))
            .for_each(Running::go_on);
        self.end_own();
        let before = target.rollback_to.as_deref().filter(|_| outcome == Outcome::RolledBack);
        if let Some(before) = before.filter(|_| rollback::against(change, target).is_none()) {
            self.bring(before);
        }
    }

    fn end_own(&mut self) {
        let (change, target) = (self.change, self.target);
        self.end(|row| row.change == change.id && row.target == target.id);
    }

    fn end(&mut self, which: impl Fn(&Running) -> bool) {
        for row in self.rows.iter_mut().filter(|row| row.is_on() && which(row)) {
            row.until = Some(self.now);
            row.ended_by = Some(self.change.id.clone());
            row.ended_target = Some(self.target.id.clone());
        }
    }

    fn bring(&mut self, artifact: &str) {
        if let Some(known) = self.rows.iter_mut().find(|row| are_one(&row.artifact, artifact)) {
            known.go_on();
            return;
        }
        let (change, target) = (self.change, self.target);
        self.rows.push(Running {
            id: (self.new_id)(),
            version: 0,
            service: target.service.clone(),
            environment: target.environment.clone(),
            config_items: target.config_items.clone(),
            artifact: artifact.to_owned(),
            change: change.id.clone(),
            change_key: change.key.clone(),
            target: target.id.clone(),
            since: self.now,
            until: None,
            ended_by: None,
            ended_target: None,
        });
    }
}

/// The rows that a successful target replaces: the row that it names for rollback; without that, the rows of the same config
/// items. Rows from other targets of the same change stay.
pub(crate) fn replaced(change: &Change, target: &Target, rows: &[Running]) -> Vec<RecordId> {
    let is = |row: &Running, build: Option<&String>| build.is_some_and(|build| are_one(&row.artifact, build));
    let is_here = |row: &Running| row.service == target.service && row.environment == target.environment;
    let others = rows
        .iter()
        .filter(|row| is_here(row) && row.is_on() && row.change != change.id && !is(row, target.artifact.as_ref()));
    let (named, rest): (Vec<&Running>, Vec<&Running>) = others.partition(|row| is(row, target.rollback_to.as_ref()));
    let same_items = |row: &Running| {
        if row.config_items.is_empty() || target.config_items.is_empty() {
            return true;
        }
        row.config_items.iter().any(|item| target.config_items.contains(item))
    };
    let chosen = if named.is_empty() {
        rest.into_iter().filter(|row| same_items(row)).collect()
    } else {
        named
    };
    chosen.into_iter().map(|row| row.id.clone()).collect()
}
