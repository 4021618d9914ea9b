//! Takes one's own decision back (`DELETE …/approvals/{id}`).

use model::ids::RecordId;

use crate::error::Result;
use crate::room::Room;

/// Takes one's own decision back (`DELETE …/approvals/{id}`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn withdraw_approval(room: &mut Room<'_, '_>, key: &str, approval: &RecordId) -> Result<()> {
    room.on_change(key, |case| model::verbs::decide::withdraw(case, approval))
}
