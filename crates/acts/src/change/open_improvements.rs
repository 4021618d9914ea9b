//! Opens an action item for each improvement that a review names, with an owner and a due time.

use jiff::SignedDuration;
use model::core::enums::{AboutKind, ActionKind, Closing};
use model::notify::action_item::{About, Due, NewItem, Owner};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::notify::action_items::open;

/// The default time for an improvement, unless the review sets another.
const USUAL: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Opens the items of the last review of a change. An item that an earlier review named is unchanged.
///
/// # Errors
/// The store's.
pub(crate) fn open_improvements(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    let change = cx.change(key)?;
    let Some(review) = change.reviews.last() else {
        return Ok(());
    };
    let owner = review.improvements_owner.as_ref().unwrap_or(&change.content.owner);
    let due_at = review.improvements_due_at.unwrap_or(review.at + USUAL);
    let services: std::collections::BTreeSet<_> = change
        .content
        .targets
        .iter()
        .map(|target| target.service.clone())
        .collect();
    for text in &review.improvements {
        let item = NewItem {
            part: proof::crypto::digest_text(text.trim().as_bytes()),
            services: services.clone(),
            owner: Owner::Person(owner.clone()),
            due: Due::At(due_at),
            closing: Closing::Person,
            ..NewItem::new(
                ActionKind::Improve,
                About::new(AboutKind::Change, change.key.as_str()),
                text.clone(),
            )
        };
        open(cx, item)?;
    }
    Ok(())
}
