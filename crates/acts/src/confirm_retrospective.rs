//! The named approver confirms or denies work told afterwards (`POST …/retrospective/confirmation`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// The named approver confirms or denies work told afterwards (`POST …/retrospective/confirmation`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn confirm_retrospective(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::after::confirm_retrospective(case, body))
}
