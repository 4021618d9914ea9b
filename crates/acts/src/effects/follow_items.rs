//! The action items of a change: each is opened, moved and settled in the transaction of the act that moved the change.

use model::notify::change_items::{KINDS, about, settled_because, wanted};

use crate::core::context::{Context, Saved};
use crate::core::error::Result;
use crate::notify::action_items::{open, settle_by_rule};

/// Opens or settles the items of a saved change itself. Almost all changes have none, and need no statement.
///
/// # Errors
/// The store's.
pub(crate) fn follow_items(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let change = &saved.after.change;
    for kind in KINDS {
        if let Some(item) = wanted(change, kind) {
            open(cx, item)?;
            continue;
        }
        let had = saved.before.as_ref().and_then(|before| wanted(&before.change, kind));
        if had.is_some() {
            settle_by_rule(cx, kind, &about(change), "", settled_because(change, kind))?;
        }
    }
    Ok(())
}
