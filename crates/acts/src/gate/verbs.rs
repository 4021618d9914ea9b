//! Permits that are issued ahead of the window, and revoked.

use model::change::related_records::Permit;
use model::core::body::Body;
use model::core::ids::RecordId;
use model::gate::permit;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::gate::answer;

/// Gives the permit and its signed form.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn issue_permit(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<(Permit, String)> {
    let signing = answer::signing(cx)?;
    let permit = cx.on_change(key, |case| permit::issue_ahead(case, body, &signing))?;
    let token = answer::sign(cx, &permit)?;
    Ok((permit, token))
}

/// Revokes a permit (`POST /permits/{jti}/revocation`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn revoke_permit(cx: &mut Context<'_, '_>, key: &str, permit: &RecordId, body: &Body) -> Result<()> {
    cx.on_change(key, |case| permit::revoke(case, permit, body))
}

/// Lifts a permit's revocation (`POST /permits/{jti}/revocation/lifting`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn lift_revocation(cx: &mut Context<'_, '_>, key: &str, permit: &RecordId, body: &Body) -> Result<()> {
    cx.on_change(key, |case| permit::lift(case, permit, body))
}
