//! Begins the work by a person's word (`POST …/implementation`).

use crate::error::Result;
use crate::room::Room;

/// Begins the work by a person's word (`POST …/implementation`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn start_change(room: &mut Room<'_, '_>, key: &str) -> Result<()> {
    room.on_change(key, model::verbs::work::start)
}
