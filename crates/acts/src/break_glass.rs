//! Starts without approvals, in the open (`POST …/break-glass`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Starts without approvals, in the open (`POST …/break-glass`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn break_glass(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::glass::break_glass(case, body))
}
