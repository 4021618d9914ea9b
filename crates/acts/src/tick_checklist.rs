//! Ticks a checklist item (`POST …/checklist/{id}/tick`).

use model::ids::RecordId;
use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Ticks a checklist item (`POST …/checklist/{id}/tick`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn tick_checklist(room: &mut Room<'_, '_>, key: &str, item: &RecordId, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::around::tick(case, item, body))
}
