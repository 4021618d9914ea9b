//! Decides: approve, approve with conditions, return, reject, abstain (`POST …/approvals`).

use model::ids::RecordId;
use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Decides: approve, approve with conditions, return, reject, abstain (`POST …/approvals`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn approve_change(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<RecordId> {
    let answer = room.on_change(key, |case| model::verbs::decide::approve(case, body));
    crate::differences::explained(room, key, body, answer)
}
