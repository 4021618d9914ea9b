//! Gives work to somebody (`POST …/tasks`).

use model::ids::RecordId;
use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Gives work to somebody (`POST …/tasks`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn add_task(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<RecordId> {
    room.on_change(key, |case| model::verbs::tasks::add(case, body))
}
