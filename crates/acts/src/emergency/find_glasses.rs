//! Finds the changes with a running break-glass, of any kind.

use jiff::Timestamp;
use model::change::record::Change;
use model::core::act::actions::READ;
use model::emergency::break_glass::LONGEST;
use model::emergency::records::BreakGlassUse;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The open changes with a running break-glass, the latest first.
///
/// # Errors
/// 403, or the store's.
pub fn find_glasses(cx: &mut Context<'_, '_>) -> Result<Vec<Change>> {
    cx.allow(READ)?;
    let scope = cx.scope()?;
    let since = cx.now.checked_sub(LONGEST).unwrap_or(Timestamp::MIN);
    let latest = Filter::new().at_least("at", since).descending_by("at");
    let mut found: Vec<Change> = Vec::new();
    for row in record::bodies::<BreakGlassUse>(cx.tx, &latest)? {
        if found.iter().any(|it| it.id == row.change) {
            continue;
        }
        let Some(change) = record::load::<Change>(cx.tx, row.change.as_str())? else {
            continue;
        };
        let change = change.record;
        let is_seen = scope.as_ref().is_none_or(|scope| scope.sees(&change));
        let goes_on = |it: &Change| {
            it.break_glass
                .as_ref()
                .is_some_and(|glass| glass.until > cx.now && !glass.ended)
        };
        if is_seen && change.state.is_open() && goes_on(&change) {
            found.push(change);
        }
    }
    Ok(found)
}
