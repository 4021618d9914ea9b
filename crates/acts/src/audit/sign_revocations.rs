//! Renews the tenant's signed list of revoked permits (`GET /t/{tenant}/.well-known/assent-revocations`).

use jiff::SignedDuration;
use proof::permit::SKEW_SECONDS;
use proof::revocation::{NotBefore, RevocationList};
use store::gate::revocation;

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::signing_keys;
use crate::emergency::set_emergency_card::revoked_cards;

/// A list of this age, in seconds, is signed again: early enough that the served one is never older than a minute if
/// the server checks every ten seconds.
pub const RENEWED_AFTER_SECONDS: i64 = 45;

/// The seconds after which the next list is due.
const NEXT_UPDATE_SECONDS: i64 = 60;

/// The signed list. It is signed again when there are new entries or the last is older than [`RENEWED_AFTER_SECONDS`];
/// a read-only context gets the last one.
///
/// # Errors
/// [`Error::NotYet`] in a context that only reads before the first list was signed; a fault of the keys; the store's.
pub fn sign_revocations(cx: &mut Context<'_, '_>) -> Result<String> {
    let state = revocation::state(cx.tx)?;
    let age = cx.now.as_second() - state.signed_at.as_second();
    let is_fresh = state.signed_epoch == state.epoch && (0..RENEWED_AFTER_SECONDS).contains(&age);
    if !state.signed.is_empty() && (is_fresh || !cx.writes) {
        return Ok(state.signed);
    }
    if !cx.writes {
        return Err(Error::NotYet("the revocation list is not signed yet".to_owned()));
    }
    sign_anew(cx)
}

/// Signs the list whatever its age.
///
/// # Errors
/// A fault of the keys; the store's.
pub(crate) fn sign_anew(cx: &mut Context<'_, '_>) -> Result<String> {
    let state = revocation::state(cx.tx)?;
    let list = list(cx, state.epoch)?;
    let signed = list.sign(signing_keys::signing_key(cx, signing_keys::PERMIT)?.as_ref())?;
    revocation::save_signed(cx.tx, &signed, state.epoch, cx.now)?;
    Ok(signed)
}

fn list(cx: &mut Context<'_, '_>, epoch: i64) -> Result<RevocationList> {
    let issued_at = cx.now.as_second();
    // Verifiers accept a permit for a moment after its end, because clocks differ: it stays on the list for longer than
    // that.
    let since = cx.now - SignedDuration::from_secs(2 * SKEW_SECONDS);
    let revoked = revocation::list(cx.tx, since)?;
    let not_before = revocation::not_before(cx.tx)?;
    let cards = revoked_cards(cx)?;
    let halt = |entry: revocation::NotBefore| NotBefore {
        service: entry.service,
        environment: entry.environment,
        iat: whole_seconds_after(entry.iat),
    };
    Ok(RevocationList {
        tenant: Some(cx.tenant()),
        epoch: u64::try_from(epoch).unwrap_or_default(),
        issued_at,
        next_update: issued_at + NEXT_UPDATE_SECONDS,
        revoked: revoked.into_iter().map(|entry| entry.jti).chain(cards).collect(),
        not_before: not_before.into_iter().map(halt).collect(),
    })
}

/// Permits and halts have whole seconds; a halt that an earlier release noted within a second voids the permits of that
/// second.
fn whole_seconds_after(at: jiff::Timestamp) -> i64 {
    at.as_second() + i64::from(at.subsec_nanosecond() > 0)
}
