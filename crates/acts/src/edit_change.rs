//! Edits by a JSON Merge Patch (`PATCH`), voiding exactly what it touches.

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Edits by a JSON Merge Patch (`PATCH`), voiding exactly what it touches.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn edit_change(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::write::edit(case, body))
}
