//! Moves a task on (`PATCH …/tasks/{id}`).

use model::ids::RecordId;
use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Moves a task on (`PATCH …/tasks/{id}`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn update_task(room: &mut Room<'_, '_>, key: &str, task: &RecordId, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::tasks::update(case, task, body))
}
