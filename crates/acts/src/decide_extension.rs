//! Grants or denies more time (`POST …/extension/decision`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Grants or denies more time (`POST …/extension/decision`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn decide_extension(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::work::decide_extension(case, body))
}
