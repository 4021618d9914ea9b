//! Closes a change (`POST …/closure`).

use crate::error::Result;
use crate::room::Room;

/// Closes a change (`POST …/closure`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn close_change(room: &mut Room<'_, '_>, key: &str) -> Result<()> {
    room.on_change(key, model::verbs::after::close)
}
