//! The planned undo: the inverse that a change declares with its time, such as “read-only until 04:00”. It is expected, announced
//! and recorded, and missing it raises an alarm; it is neither a rollback nor a failure.
//!
//! It is part of *what*, so it is declared before the work and covered by the approvals. An undo before its time, or of work
//! under break-glass, which has no such approvals, is always a rollback.

use jiff::{SignedDuration, Timestamp};

use crate::change::change_file::ChangeFile;
use crate::change::eligible;
use crate::change::record::{Change, PlannedUndo, TargetRecord};
use crate::core::enums::Outcome;
use crate::core::ids::TargetId;
use crate::core::parse::later;
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, logins};
use crate::integration::occurrence::SKEW;

/// So long before its time an undo may begin and still be the planned one.
pub const EARLY: SignedDuration = SignedDuration::from_mins(30);
/// So long before its time people are reminded.
const REMINDER: SignedDuration = SignedDuration::from_mins(30);
/// The delay after which people are notified a second time of a missed undo.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// So long an undo is kept in calendars: nobody states how long it takes.
const TAKES: SignedDuration = SignedDuration::from_mins(30);

/// The undo that is declared and has neither been done nor called off.
pub fn open(change: &Change) -> Option<&PlannedUndo> {
    change.content.planned_undo.as_ref().filter(|_| change.undo.is_none())
}

/// The time of an undo that is still to come, for calendars, freezes and conflicts.
#[must_use]
pub fn ahead(change: &Change) -> Option<(Timestamp, Timestamp)> {
    let records = &change.target_records;
    let undo =
        open(change).filter(|_| change.state.is_open() && (records.is_empty() || records.iter().any(is_there)))?;
    Some((undo.at, later(undo.at, TAKES)))
}

/// Whether something is left to undo: what was rolled back has nothing.
fn is_there(record: &TargetRecord) -> bool {
    record.outcome.is_none_or(Outcome::is_success) && !record.was_rolled_back()
}

/// Whether a rollback of a target at a time is its planned undo: declared, approved, due by then, not called off, and of a
/// target that had succeeded. Once the undo is done, only reports that belong to it are expected.
pub fn is_expected(change: &Change, target: &TargetId, at: Timestamp) -> bool {
    let has_succeeded = change
        .target_record(target)
        .is_some_and(|record| record.outcome.is_some_and(Outcome::is_success));
    let is_due = |undo: &PlannedUndo| undo.at <= later(at, EARLY);
    // The report on the deployment of an undo that a person recorded comes a little late; several targets take longer.
    let late = match change.content.targets.len() {
        0 | 1 => SKEW,
        _ => EARLY,
    };
    let is_of_it = change
        .undo
        .as_ref()
        .is_none_or(|undo| undo.done && at <= later(undo.occurred_at, late));
    let is_declared = change.content.planned_undo.as_ref().is_some_and(is_due);
    has_succeeded && change.break_glass.is_none() && is_declared && is_of_it
}

/// The unmet row of the planned undo before the change closes.
pub(crate) fn undo_unmet(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Option<Unmet> {
    let change = &file.change;
    let undo = open(change).filter(|_| change.target_records.iter().any(is_there))?;
    let text = match undo.at <= now {
        true => format!("The undo that was planned for {} is not recorded.", undo.at),
        false => format!("The undo is planned for {}.", undo.at),
    };
    Some(unmet(
        "undo_open",
        text,
        "Carry out the undo at its planned time and record it (POST …/undo), or ask the owner or a change manager to \
         cancel it.",
        logins(directory, &eligible::implementers(file, directory, now)),
    ))
}

/// The instants of the undo: its reminder, its time, and an hour later.
pub(crate) fn instants(change: &Change) -> Vec<(Timestamp, String)> {
    let Some(undo) = open(change) else { return Vec::new() };
    let remind = undo.at.checked_sub(REMINDER).unwrap_or(undo.at);
    let rows = [("soon", remind), ("missed", undo.at), ("still", later(undo.at, AGAIN))];
    rows.map(|(what, at)| (at, format!("undo_{what}/{}", undo.at))).into()
}
