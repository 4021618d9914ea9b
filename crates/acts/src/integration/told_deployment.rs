//! A deployment's report in one shape, and the rollback that it may be.

use jiff::Timestamp;
use model::change::around::planned_undo;
use model::change::change_file::Case;
use model::change::duties::undo;
use model::change::ready_spans::SKEW;
use model::change::record::Change;
use model::change::related_records::Deployment;
use model::change::work;
use model::core::enums::{Outcome, Purpose, State};
use model::core::ids::{EnvironmentKey, PersonId, TargetId};
use model::core::parse::later;
use model::directory::snapshot::{Connection, Mapping};
use model::gate::closing::was_closed;
use model::gate::rollback;
use model::integration::occurrence::Phase;
use model::integration::signal::{self, Progress};

use crate::core::connections::person_of;
use crate::core::context::Context;
use crate::core::error::Result;

/// The content of a deployment or of one of its statuses, in one shape.
#[derive(Clone, Copy)]
pub(crate) struct ReportedStatus<'a> {
    pub deployment_id: &'a str,
    pub repository: &'a str,
    pub environment: &'a str,
    pub commit: &'a str,
    pub artifact: Option<&'a str>,
    /// Other artifacts and commits of the same deployment.
    pub others: (&'a [String], &'a [String]),
    pub sender: Option<&'a str>,
    pub status: Option<(&'a str, &'a Progress)>,
    pub at: Timestamp,
}

impl<'a> From<&'a signal::Deployment> for ReportedStatus<'a> {
    fn from(it: &'a signal::Deployment) -> Self {
        Self {
            deployment_id: &it.deployment_id,
            repository: &it.repository,
            environment: &it.environment,
            commit: &it.commit,
            artifact: it.artifact.as_deref(),
            others: (&[], &[]),
            sender: it.requester.as_deref(),
            status: None,
            at: it.occurred_at,
        }
    }
}

impl<'a> From<&'a signal::DeploymentStatus> for ReportedStatus<'a> {
    fn from(it: &'a signal::DeploymentStatus) -> Self {
        Self {
            deployment_id: &it.deployment_id,
            repository: &it.repository,
            environment: &it.environment,
            commit: &it.commit,
            artifact: it.artifact.as_deref(),
            others: (&it.other_commits, &it.artifacts),
            sender: it.actor.as_deref(),
            status: Some((&it.status_id, &it.status)),
            at: it.occurred_at,
        }
    }
}

impl<'a> ReportedStatus<'a> {
    /// The commit, when one was reported.
    pub fn commit(&self) -> Option<&'a str> {
        Some(self.commit).filter(|commit| !commit.is_empty())
    }
}

/// A report, with the place that the connection's map gives it.
#[derive(Clone, Copy)]
pub(crate) struct Here<'a> {
    pub connection: &'a Connection,
    pub mapping: &'a Mapping,
    pub environment: &'a EnvironmentKey,
    pub told: &'a ReportedStatus<'a>,
}

/// A deployment completed by one more report: with its new values, and the earliest time.
pub(crate) fn completed(row: &Deployment, told: &ReportedStatus<'_>) -> Deployment {
    let mut row = row.clone();
    if row.commit.is_empty() {
        told.commit.clone_into(&mut row.commit);
    }
    if row.artifact.is_none() {
        row.artifact = told.artifact.map(str::to_owned);
    }
    row.at = row.at.min(told.at);
    row
}

/// The outcome that a status name means, of a deployment that has begun.
pub(crate) fn outcome_of(word: &str) -> Option<Outcome> {
    match Phase::of(word) {
        Phase::Succeeded => Some(Outcome::Succeeded),
        Phase::Failed | Phase::Stopped => Some(Outcome::Failed),
        Phase::RolledBack => Some(Outcome::RolledBack),
        Phase::Asked | Phase::Began | Phase::Other => None,
    }
}

/// The person behind the sender's account, if one is mapped and active.
///
/// # Errors
/// The store's.
pub(crate) fn sender(cx: &mut Context<'_, '_>, here: &Here<'_>) -> Result<Option<PersonId>> {
    let Some(login) = here.told.sender else {
        return Ok(None);
    };
    person_of(cx, &here.connection.kind, login)
}

/// A report on a target: its meaning, time and author, and the earlier reports of the same deployment.
pub(crate) struct TargetReport {
    pub phase: Phase,
    pub is_start: bool,
    /// Whether the report has to be a start: a deployment that ended by another report is not begun by this one.
    pub must_begin: bool,
    pub outcome: Option<Outcome>,
    pub at: Timestamp,
    pub who: Option<PersonId>,
    pub told_before: Option<Outcome>,
    /// Whether an earlier report of this deployment had an effect.
    pub has_begun: bool,
    pub made_the_change: bool,
}

/// Whether work on a target had begun at a time, as far as it is under way or in review. A deployment before that is no
/// rollback of it.
pub(crate) fn has_begun(change: &Change, target: &TargetId, at: Timestamp) -> bool {
    let record = change.target_record(target);
    let began = record.and_then(|it| it.actual_start).or(change.actual_start);
    let is_under_way = matches!(change.state, State::Implementing | State::Reviewing);
    is_under_way && began.is_none_or(|began| began <= later(at, SKEW))
}

/// The rollback was done: its target is rolled back, or its rollback failed, unless it ended otherwise after that.
pub(crate) fn go_back(case: &mut Case<'_>, target: &TargetId, word: &TargetReport) -> bool {
    if !has_begun(case.change(), target, word.at) || !is_open_back(case.change(), target) {
        return false;
    }
    if was_closed(case.change(), target, Purpose::Rollback, word.at) {
        return false;
    }
    let record = case.change().target_record(target);
    let ended_at = record.filter(|it| it.outcome.is_some()).and_then(|it| it.actual_end);
    let outcome = match word.outcome {
        Some(Outcome::Succeeded) => Outcome::RolledBack,
        // An end without a beginning is no failure.
        Some(Outcome::Failed) if word.has_begun => Outcome::RollbackFailed,
        _ => return true,
    };
    if outcome == Outcome::RolledBack && undo::is_expected(case.change(), target, word.at) {
        planned_undo::note_signal(case, word.at);
        return true;
    }
    let stood = record.and_then(|it| it.outcome);
    let is_back = stood == Some(Outcome::RolledBack) || stood == Some(outcome);
    if !is_back && ended_at.is_none_or(|end| end <= word.at) {
        work::complete_by_signal(case, target, outcome, word.at);
    } else if is_back {
        work::observe(case, target, outcome);
    }
    true
}

/// Whether the rollback of a target is open: bound to the former version or to evidence, and with something to undo.
pub(crate) fn is_open_back(change: &Change, target: &TargetId) -> bool {
    let target = change.content.targets.iter().find(|it| &it.id == target);
    target.is_some_and(|target| rollback::against(change, target).is_none())
}
