//! Writes the post-implementation review (`POST …/review`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Writes the post-implementation review (`POST …/review`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn review_change(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::after::review(case, body))
}
