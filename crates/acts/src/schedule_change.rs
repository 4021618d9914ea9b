//! Sets both planned times (`PUT …/schedule`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Sets both planned times (`PUT …/schedule`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn schedule_change(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::plan::schedule(case, body))
}
