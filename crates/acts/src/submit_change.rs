//! Hands a change over for assessment (`POST …/submission`).

use crate::error::Result;
use crate::room::Room;

/// Hands a change over for assessment (`POST …/submission`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn submit_change(room: &mut Room<'_, '_>, key: &str) -> Result<()> {
    room.on_change(key, model::verbs::write::submit)
}
