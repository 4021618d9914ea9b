//! Comments (`POST …/comments`).

use model::ids::RecordId;
use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Comments (`POST …/comments`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn comment_change(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<RecordId> {
    room.on_change(key, |case| model::verbs::around::comment(case, body))
}
