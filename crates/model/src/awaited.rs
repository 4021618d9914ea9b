//! Whom a change waits for now: the same people on every page, in every list and in every file.

use jiff::Timestamp;

use crate::change::Change;
use crate::directory::Directory;
use crate::doers;
use crate::file::ChangeFile;
use crate::leading::is_before_all;
use crate::requirement::{Ahead, ahead, first_awaited, logins};
use crate::words::State;

/// What is due now of what lies ahead: before the work has ended nobody validates or reviews it.
pub fn due_now(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Ahead> {
    let mut rows = ahead(file, directory, now);
    if file.change.state == State::Implementing {
        rows.retain(|row| matches!(row.unmet.code.as_str(), "outcome_missing" | "cosignature_missing"));
    }
    rows
}

/// Whom it waits for, by login or as `group:KEY`: whoever has something of what is missing before its next step, for of three
/// approvals each may come first. Where nothing is missing, whoever does the next act.
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
        State::Draft | State::Assessing => doers::writers(change, directory),
        State::Scheduled | State::Implementing => doers::implementers(file, directory, now),
        State::Reviewing => doers::reviewers(file, directory, now),
        _ => Vec::new(),
    };
    logins(directory, &people)
}
