//! The part of a request about work that is recorded afterwards.

use jiff::Timestamp;

use super::person;
use crate::change::content::basics;
use crate::change::record::Content;
use crate::core::ids::PersonId;
use crate::core::parse::{Reading, TEXT};
use crate::directory::snapshot::Directory;

/// Work that is recorded afterwards, as in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrospectiveInput {
    /// When it began.
    pub actual_start: Timestamp,
    /// When it ended.
    pub actual_end: Timestamp,
    /// Why it was not recorded before.
    pub reason: String,
    /// The person who is named as verbal approver.
    pub verbal_approver: PersonId,
}

/// Reads `retrospective`.
pub(super) fn read_retrospective(reading: &mut Reading<'_>, directory: &Directory) -> Option<RetrospectiveInput> {
    reading
        .object("retrospective", |inner| {
            let actual_start = inner.needed_time("actual_start");
            let actual_end = inner.needed_time("actual_end");
            let reason = inner.needed("reason", TEXT);
            let verbal_approver = needed_person(inner, "verbal_approver", directory);
            if let (Some(start), Some(end)) = (actual_start, actual_end)
                && end < start
            {
                inner.wrong("actual_end", "out_of_order", "The end lies before the start.");
            }
            Some(RetrospectiveInput {
                actual_start: actual_start?,
                actual_end: actual_end?,
                reason,
                verbal_approver: verbal_approver?,
            })
        })
        .flatten()
}

/// A person who must be named.
fn needed_person(reading: &mut Reading<'_>, field: &'static str, directory: &Directory) -> Option<PersonId> {
    let before = reading.errors.len();
    let found = person(reading, field, directory);
    if found.is_none() && reading.errors.len() == before {
        reading.wrong(field, "missing", format!("`{}` is missing.", reading.at(field)));
    }
    found
}

/// Work that is recorded afterwards goes straight to review, so the one request must hold all required content. The check runs
/// also where another error is found: the response then lists everything that is missing at once.
pub(super) fn check_retrospective(reading: &mut Reading<'_>, content: &Content) {
    for (field, is_there, what) in basics(content) {
        let is_told = reading
            .errors
            .iter()
            .any(|error| error.field.starts_with(field) || field == "targets" && error.field.starts_with("services"));
        if !is_there && !is_told {
            reading.wrong(field, "missing", format!("The change still needs {what}."));
        }
    }
}
