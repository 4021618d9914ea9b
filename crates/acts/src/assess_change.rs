//! States risk and impact, and asks for approvals (`POST …/assessment`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// States risk and impact, and asks for approvals (`POST …/assessment`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn assess_change(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::write::assess(case, body))
}
