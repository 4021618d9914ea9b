//! Says how targets ended (`POST …/completion`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Says how targets ended (`POST …/completion`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn complete_change(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::work::complete(case, body))
}
