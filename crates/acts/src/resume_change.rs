//! Goes on after a pause (`POST …/resume`).

use crate::error::Result;
use crate::room::Room;

/// Goes on after a pause (`POST …/resume`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn resume_change(room: &mut Room<'_, '_>, key: &str) -> Result<()> {
    room.on_change(key, model::verbs::plan::resume)
}
