//! The part of a request about a planned undo.

use jiff::{SignedDuration, Timestamp};

use super::Input;
use crate::change::record::{Content, PlannedUndo};
use crate::core::parse::{LINE, Reading, later};

/// The longest time between the planned start and the undo.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 92);

/// Reads `planned_undo`.
pub(crate) fn read(reading: &mut Reading<'_>) -> Option<PlannedUndo> {
    reading.object("planned_undo", |inner| PlannedUndo {
        text: inner.needed("text", LINE),
        // Reading ends in a refusal where the time is missing, so what is put in its place is never kept.
        at: inner.needed_time("at").unwrap_or(Timestamp::UNIX_EPOCH),
    })
}

/// The undo lies after the window, within a quarter, and belongs to work that is still ahead. Within the window it would let every
/// rollback pass as planned.
pub(crate) fn check(reading: &mut Reading<'_>, input: &Input, keep: Option<&Content>) {
    let Some(undo) = &input.content.planned_undo else {
        return;
    };
    if reading
        .errors
        .iter()
        .any(|error| error.field.starts_with("planned_undo"))
    {
        return;
    }
    if input.retrospective.is_some() {
        let text = "Work that is already done cannot have a planned undo, because nobody approved it beforehand.";
        return reading.wrong("planned_undo", "not_allowed", text);
    }
    let is_kept = keep.is_some_and(|old| old.planned_undo.as_ref() == Some(undo));
    let Some(start) = input.planned_start else { return };
    if undo.at <= start {
        let text = "`planned_undo.at` must lie after `planned_start`.";
        reading.wrong("planned_undo.at", "out_of_order", text);
    } else if input.planned_end.is_some_and(|end| undo.at < end) {
        let text = "`planned_undo.at` must not lie before `planned_end`: reverting within the window is a rollback.";
        reading.wrong("planned_undo.at", "out_of_order", text);
    } else if !is_kept && undo.at > later(start, LONGEST) {
        let text = "`planned_undo.at` lies at most 92 days after `planned_start`; a later undo needs a change of its \
            own.";
        reading.wrong("planned_undo.at", "out_of_range", text);
    }
}
