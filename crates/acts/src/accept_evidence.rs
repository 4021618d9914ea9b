//! An approver accepts failed evidence (`POST …/evidence/{id}/acceptance`).

use model::ids::RecordId;
use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// An approver accepts failed evidence (`POST …/evidence/{id}/acceptance`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn accept_evidence(room: &mut Room<'_, '_>, key: &str, evidence: &RecordId, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::around::accept_evidence(case, evidence, body))
}
