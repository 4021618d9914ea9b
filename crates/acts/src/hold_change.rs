//! Pauses a change (`POST …/hold`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Pauses a change (`POST …/hold`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn hold_change(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::plan::hold(case, body))
}
