//! The action item of a part of an access review: assigned to the manager until they sign. The item sends reminders and
//! escalates.

use model::core::enums::{AboutKind, ActionKind};
use model::directory::access_review::AccessReview;
use model::notify::action_item::{About, Due, NewItem, Owner};
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::notify::action_items::{open, settle_by_rule};

/// The table of the parts.
pub const TABLE: &str = "access_review";

/// Opens the item of a part, assigns it to the manager who signs now, or settles it once the part is signed.
///
/// # Errors
/// The store's.
pub(crate) fn follow(cx: &mut Context<'_, '_>, part: &AccessReview) -> Result<()> {
    let about = About::new(AboutKind::AccessReview, part.id.as_str());
    if part.signed_at.is_some() {
        let reason = "The access review was signed.";
        return settle_by_rule(cx, ActionKind::ReviewAccess, &about, "", reason).map(drop);
    }
    let title = format!("Sign the access review: {} rights", part.rights.len());
    let item = NewItem {
        owner: Owner::Person(part.manager.clone()),
        due: Due::At(part.due_at),
        // The part has a letter of its own when it begins and when it is reassigned.
        tells: false,
        ..NewItem::new(ActionKind::ReviewAccess, about, title)
    };
    open(cx, item).map(drop)
}

/// The same for a part by its id, if it has no item yet.
///
/// # Errors
/// The store's.
pub(crate) fn follow_by_id(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    match record::load::<AccessReview>(cx.tx, id)? {
        Some(stored) => follow(cx, &stored.record),
        None => Ok(()),
    }
}
