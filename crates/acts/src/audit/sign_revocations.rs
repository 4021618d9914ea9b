//! Signs the tenant's list of revoked permits anew (`GET /t/{tenant}/.well-known/assent-revocations`).

use jiff::SignedDuration;
use proof::permit::SKEW_SECONDS;
use proof::revocation::{NotBefore, RevocationList};
use store::gate::revocation;

use crate::core::context::Room;
use crate::core::error::{Error, Result};
use crate::core::signing_keys;

/// A list of this age, in seconds, is signed anew: early enough that the served one is never older than a minute when
/// the server asks every ten seconds.
pub const RENEWED_AFTER_SECONDS: i64 = 45;

/// After so many seconds the next list is due.
const NEXT_UPDATE_SECONDS: i64 = 60;

/// The signed list. It is signed anew when there are new entries or the last is older than [`RENEWED_AFTER_SECONDS`];
/// a room that only reads gets the last one.
///
/// # Errors
/// [`Error::NotYet`] in a room that only reads before the first list was signed; a fault of the keys; the store's.
pub fn sign_revocations(room: &mut Room<'_, '_>) -> Result<String> {
    let state = revocation::state(room.tx)?;
    let age = room.now.as_second() - state.signed_at.as_second();
    let is_fresh = state.signed_epoch == state.epoch && (0..RENEWED_AFTER_SECONDS).contains(&age);
    if !state.signed.is_empty() && (is_fresh || !room.writes) {
        return Ok(state.signed);
    }
    if !room.writes {
        return Err(Error::NotYet("the revocation list is not signed yet".to_owned()));
    }
    sign_anew(room)
}

/// Signs the list whatever its age.
///
/// # Errors
/// A fault of the keys; the store's.
pub(crate) fn sign_anew(room: &mut Room<'_, '_>) -> Result<String> {
    let state = revocation::state(room.tx)?;
    let list = list(room, state.epoch)?;
    let signed = list.sign(signing_keys::signing_key(room, signing_keys::PERMIT)?.as_ref())?;
    revocation::save_signed(room.tx, &signed, state.epoch, room.now)?;
    Ok(signed)
}

fn list(room: &mut Room<'_, '_>, epoch: i64) -> Result<RevocationList> {
    let issued_at = room.now.as_second();
    // Verifiers take a permit for a moment past its end, for clocks differ: it stays on the list for longer than that.
    let since = room.now - SignedDuration::from_secs(2 * SKEW_SECONDS);
    let revoked = revocation::list(room.tx, since)?;
    let not_before = revocation::not_before(room.tx)?;
    let halt = |entry: revocation::NotBefore| NotBefore {
        service: entry.service,
        environment: entry.environment,
        iat: whole_seconds_after(entry.iat),
    };
    Ok(RevocationList {
        tenant: Some(room.tenant()),
        epoch: u64::try_from(epoch).unwrap_or_default(),
        issued_at,
        next_update: issued_at + NEXT_UPDATE_SECONDS,
        revoked: revoked.into_iter().map(|entry| entry.jti).collect(),
        not_before: not_before.into_iter().map(halt).collect(),
    })
}

/// Permits count whole seconds, and so do halts; one that an earlier release noted within a second voids what was given in it.
fn whole_seconds_after(at: jiff::Timestamp) -> i64 {
    at.as_second() + i64::from(at.subsec_nanosecond() > 0)
}
