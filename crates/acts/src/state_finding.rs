//! The change manager's finding on unauthorized work (`POST …/finding`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// The change manager's finding on unauthorized work (`POST …/finding`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn state_finding(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::after::state_finding(case, body))
}
