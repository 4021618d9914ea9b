//! The second person's signature (`POST …/break-glass/co-signature`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// The second person's signature (`POST …/break-glass/co-signature`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn cosign_break_glass(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    let answer = room.on_change(key, |case| model::verbs::glass::cosign(case, body));
    crate::differences::explained(room, key, body, answer)
}
