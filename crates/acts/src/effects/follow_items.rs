//! The action items of a change: each is opened, moved and settled in the transaction of the act that moved the change.

use model::change::record::Change;
use model::core::enums::{ActionKind, ActionState, State};
use model::notify::action_item::natural_key;
use model::notify::change_items::{KINDS, about, settled_because, wanted};
use model::schedule::vendor_notice::IN_LINE;

use crate::core::context::{Context, Saved};
use crate::core::error::Result;
use crate::notify::action_items::{open, open_about, settle, settle_by_rule};

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
    let is_off = |change: &Change| matches!(change.state, State::Cancelled | State::Rejected);
    let was_off = saved.before.as_ref().is_none_or(|before| is_off(&before.change));
    match is_off(change) && !was_off {
        true => settle_in_line(cx, change),
        false => Ok(()),
    }
}

/// A change that is off needs not be brought in line with a vendor's notice any more.
fn settle_in_line(cx: &mut Context<'_, '_>, change: &Change) -> Result<()> {
    let about = about(change);
    let own = natural_key(ActionKind::Other, &about, IN_LINE);
    for item in open_about(cx, &about)? {
        if item.natural_key.starts_with(&own) {
            let reason = "The change has started or does not take place.";
            settle(cx, item, ActionState::Done, reason)?;
        }
    }
    Ok(())
}
