//! A peer's word on plan and code (`POST …/peer-reviews`).

use model::ids::RecordId;
use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// A peer's word on plan and code (`POST …/peer-reviews`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn peer_review_change(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<RecordId> {
    let answer = room.on_change(key, |case| model::verbs::around::peer_review(case, body));
    crate::differences::explained(room, key, body, answer)
}
