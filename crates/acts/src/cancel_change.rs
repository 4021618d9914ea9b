//! Takes a change back before its start (`POST …/cancellation`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Takes a change back before its start (`POST …/cancellation`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn cancel_change(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::plan::cancel(case, body))
}
