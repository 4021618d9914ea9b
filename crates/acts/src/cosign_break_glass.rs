//! The second person's signature (`POST …/break-glass/co-signature`).

use crate::error::Result;
use crate::room::Room;

/// The second person's signature (`POST …/break-glass/co-signature`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn cosign_break_glass(room: &mut Room<'_, '_>, key: &str) -> Result<()> {
    room.on_change(key, model::verbs::glass::cosign)
}
