//! Finds the planned undos of a time, for calendars and feeds: an undo lies after the window of its change, so that a list by planned
//! times does not hold it.

use jiff::{SignedDuration, Timestamp};
use model::change::duties::undo::ahead;
use model::change::record::Change;
use model::core::enums::State;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::report::find_changes::{ChangeFilter, find_changes};

/// So long before its undo a change may start.
const BEFORE: SignedDuration = SignedDuration::from_hours(24 * 93);
/// How many changes are read at once.
const AT_ONCE: i64 = 500;

/// The open changes of a filter whose planned undo overlaps `[from, to)`, as far as the acting person sees them.
///
/// # Errors
/// 403, or the store's.
pub fn find_undos(
    cx: &mut Context<'_, '_>,
    filter: ChangeFilter,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Change>> {
    let open = State::ALL.iter().filter(|state| state.is_open());
    let filter = ChangeFilter {
        planned_from: from.checked_sub(BEFORE).ok(),
        planned_to: filter.planned_to.or(Some(to)),
        states: open.map(ToString::to_string).collect(),
        has_undo: true,
        ..filter
    };
    let lies_over = |it: &Change| ahead(it).is_some_and(|(starts_at, ends_at)| starts_at < to && from < ends_at);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = find_changes(cx, &filter, AT_ONCE, after)?;
        let ids = page.rows.iter().map(|(row, _)| row.id.as_str());
        let changes = record::bodies::<Change>(cx.tx, &Filter::new().one_of("id", ids).order_by("id"))?;
        found.extend(changes.into_iter().filter(lies_over));
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}
