//! Permits that are given ahead of the window, and revoked.

use model::change::related_records::Permit;
use model::core::body::Body;
use model::core::ids::RecordId;

use crate::core::context::Room;
use crate::core::error::Result;

/// Gives the permit and its signed form.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn issue_permit(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<(Permit, String)> {
    let signing = crate::gate::answer::signing(room)?;
    let permit = room.on_change(key, |case| model::gate::permit::issue_ahead(case, body, &signing))?;
    let token = crate::gate::answer::sign(room, &permit)?;
    Ok((permit, token))
}

/// Revokes a permit (`POST /permits/{jti}/revocation`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn revoke_permit(room: &mut Room<'_, '_>, key: &str, permit: &RecordId, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::gate::permit::revoke(case, permit, body))
}
