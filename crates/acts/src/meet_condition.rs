//! The checker says that a condition is met (`POST …/conditions/{id}/met`).

use model::ids::RecordId;
use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// The checker says that a condition is met (`POST …/conditions/{id}/met`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn meet_condition(room: &mut Room<'_, '_>, key: &str, condition: &RecordId, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::around::meet_condition(case, condition, body))
}
