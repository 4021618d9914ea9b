//! Writes into the log of actions (`POST …/implementation/entries`).

use model::ids::RecordId;
use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Writes into the log of actions (`POST …/implementation/entries`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn record_entry(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<RecordId> {
    room.on_change(key, |case| model::verbs::work::record(case, body))
}
