//! Sends a change back to draft with a question (`POST …/return`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Sends a change back to draft with a question (`POST …/return`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn return_change(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::decide::return_change(case, body))
}
