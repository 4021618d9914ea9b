//! Revokes a permit (`POST /permits/{jti}/revocation`).

use model::ids::RecordId;
use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Revokes a permit (`POST /permits/{jti}/revocation`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn revoke_permit(room: &mut Room<'_, '_>, key: &str, permit: &RecordId, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::permit::revoke(case, permit, body))
}
