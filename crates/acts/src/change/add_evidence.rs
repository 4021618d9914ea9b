//! Adds evidence whose file has been stored by its digest (`POST …/evidence`).

use model::change::around;
use model::change::around::StoredFile;
use model::core::body::Body;
use model::core::ids::RecordId;

use crate::core::context::Room;
use crate::core::error::Result;

/// Adds evidence; answers its id.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn add_evidence(room: &mut Room<'_, '_>, key: &str, body: &Body, file: &StoredFile) -> Result<RecordId> {
    room.on_change(key, |case| around::add_evidence(case, body, file.clone()))
}

/// Says whether evidence would be added, and writes nothing: files are kept only for acts that are not refused.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn would_add_evidence(room: &mut Room<'_, '_>, key: &str, body: &Body, file: &StoredFile) -> Result<()> {
    room.try_on_change(key, |case| around::add_evidence(case, body, file.clone()).map(drop))
}
