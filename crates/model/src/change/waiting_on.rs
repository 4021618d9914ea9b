//! The people for whom a change waits now: the same on every page, in every list and in every file.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::change_file::ChangeFile;
use crate::change::closure::before_closure;
use crate::change::named::named;
use crate::change::record::Change;
use crate::change::requirement::{
    against_submission, before_approvals, before_approved, before_scheduled, before_start,
};
use crate::change::{eligible, lifecycle};
use crate::core::enums::{Kind, State};
use crate::core::unmet::{Unmet, is_before_all, unmet};
use crate::directory::snapshot::{Directory, logins};
use crate::emergency::budget;

/// The steps ahead of a change, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// draft → assessing.
    Submission,
    /// assessing → authorizing.
    Assessment,
    /// authorizing → approved.
    Approval,
    /// approved → scheduled.
    Scheduling,
    /// scheduled → implementing.
    Implementation,
    /// reviewing → closed.
    Closure,
}

/// An unmet condition with the step that it holds up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    /// The step.
    pub step: Step,
    /// The condition.
    #[serde(flatten)]
    pub unmet: Unmet,
}

/// Finds what is unmet before one step.
type Find = fn(&ChangeFile, &Directory, Timestamp) -> Vec<Unmet>;

/// The rows that are due now: before the work has ended nobody validates or reviews it.
pub fn due_now(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Ahead> {
    let mut rows = ahead(file, directory, now);
    if file.change.state == State::Implementing {
        rows.retain(|row| matches!(row.unmet.code.as_str(), "outcome_missing" | "cosignature_missing"));
    }
    rows
}

/// The people for whom it waits, by login or as `group:KEY`: everybody with a missing part of the next step, because of three
/// approvals each may come first. Where nothing is missing, the people who do the next act.
pub fn awaited(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<String> {
    let rows = due_now(file, directory, now);
    let Some(first) = first_awaited(&rows) else {
        return who_goes_on(file, directory, now);
    };
    let is_alone = is_before_all(&first.unmet.code);
    let same = rows
        .iter()
        .filter(|row| row.step == first.step && (!is_alone || row.unmet.code == first.unmet.code));
    let mut people: Vec<String> = Vec::new();
    for who in same.flat_map(|row| &row.unmet.waiting_on) {
        if !people.contains(who) {
            people.push(who.clone());
        }
    }
    people
}

fn who_goes_on(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<String> {
    let change: &Change = &file.change;
    let people = match change.state {
        State::Draft | State::Assessing => eligible::writers(change, directory),
        State::Scheduled | State::Implementing => eligible::implementers(file, directory, now),
        State::Reviewing => eligible::reviewers(file, directory, now),
        _ => Vec::new(),
    };
    logins(directory, &people)
}

/// Everything unmet ahead of a change, step by step.
pub fn ahead(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Ahead> {
    let state = file.change.state;
    let steps: [(Step, State, Find); 6] = [
        (Step::Submission, State::Draft, against_submission),
        (Step::Assessment, State::Assessing, |file, directory, now| {
            let rows = before_approvals(file, directory, now);
            not_submitted(&file.change, directory).into_iter().chain(rows).collect()
        }),
        (Step::Approval, State::Authorizing, |file, directory, now| {
            let rows = before_approved(file, directory, now);
            not_assessed(&file.change, directory).into_iter().chain(rows).collect()
        }),
        (Step::Scheduling, State::Scheduled, before_scheduled),
        (Step::Implementation, State::Scheduled, |file, directory, now| {
            let glass = budget::cosignature_unmet(file, directory, now);
            glass.into_iter().chain(before_start(file, directory, now)).collect()
        }),
        (Step::Closure, State::Reviewing, before_closure),
    ];
    if !state.is_open() {
        return Vec::new();
    }
    let mut held = lifecycle::hold_unmet(&file.change, directory);
    steps
        .into_iter()
        .filter(|(_, last, _)| state <= *last)
        .flat_map(|(step, _, find)| {
            // A hold comes before every other step.
            let rows = held.take().into_iter().chain(find(file, directory, now)).collect();
            let rows = named(rows, file, directory, now).into_iter();
            rows.map(move |unmet| Ahead { step, unmet }).collect::<Vec<_>>()
        })
        .collect()
}

/// The row before all others: the co-signature of a break-glass, which precedes every step; else the first.
pub fn first_awaited(rows: &[Ahead]) -> Option<&Ahead> {
    let glass = rows.iter().find(|row| row.unmet.code == "cosignature_missing");
    glass.or_else(|| rows.first())
}

/// A draft first waits for the person who submits it.
fn not_submitted(change: &Change, directory: &Directory) -> Option<Unmet> {
    (change.state == State::Draft).then(|| {
        unmet(
            "not_submitted",
            "The change has not been submitted.",
            "Submit the change (POST …/submission).",
            logins(directory, &eligible::writers(change, directory)),
        )
    })
}

/// Approvals are requested after an assessment; a standard change has its template for that.
fn not_assessed(change: &Change, directory: &Directory) -> Option<Unmet> {
    let is_due = matches!(change.state, State::Draft | State::Assessing) && change.content.kind != Kind::Standard;
    is_due.then(|| {
        unmet(
            "not_assessed",
            "The change has not been assessed.",
            "Assess the change (POST …/assessment).",
            logins(directory, &eligible::writers(change, directory)),
        )
    })
}
