//! Accepts that entries of a log are lost: its data is an older copy than the size recorded outside of it. Two people
//! are accountable for the act, and the log records which entries are gone.

use model::core::ids::PersonId;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::log_high_water::SeenLog;
use crate::core::write::{Written, draft};

/// The event that records it.
pub const ACCEPTED: &str = "log.loss_accepted";

/// Records that the entries from `has` up to the last seen size are lost.
///
/// # Errors
/// The store's.
pub fn accept_loss(cx: &mut Context<'_, '_>, by: &[PersonId], has: u64, seen: &SeenLog) -> Result<()> {
    let data = json!({
        "by": by, "has": has, "seen": seen.size, "seen_root": proof::crypto::hash_text(&seen.root),
        "lost": seen.size.saturating_sub(has),
    });
    let event = draft(ACCEPTED, ("log", cx.tenant()), cx.now, data);
    cx.emit(vec![event], Written::default())
}
