//! Rotates a tenant's signing keys: a new key replaces an old one, or a stolen key is revoked with all that it signed.
//!
//! One administrator does either with the factor that the policies require for changes of keys (decisions 0003 and
//! 0007). A rotation gives nobody a right to decide and opens no gate, and a person who finds a key stolen at night
//! cannot wait for a second person.

use model::audit::key_rotation::{KeyRotation, served_until};
use model::change::related_records::Permit;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{KeyRotationKind, Touch};
use model::core::ids::RecordId;
use model::core::parse::{Reading, TEXT};
use model::core::refusal::Refusal;
use serde_json::json;
use store::audit::keys::{self, SigningKey as StoredKey};
use store::gate::revocation;
use store::record::{self, Filter};

use crate::audit::revoke_signed::{self, alive};
use crate::audit::sign_revocations::sign_anew;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::signing_keys::{self, PURPOSES};
use crate::core::write::{Written, draft};
use crate::guard::{impersonation, required_factor};

/// Gives a purpose a new key (`POST /keys/{purpose}/rotation {reason}`). Signatures of the old key stay valid: permits
/// until they expire, checkpoints for ever.
///
/// # Errors
/// 403, also `step_up_required`; 404 for another purpose; 422; the store's.
pub fn rotate_key(cx: &mut Context<'_, '_>, purpose: &str, body: &Body) -> Result<KeyRotation> {
    let Some(purpose) = PURPOSES.into_iter().find(|known| *known == purpose) else {
        return Err(Refusal::not_found(format!("key {purpose}")).into());
    };
    let reason = check_turn(cx, body)?;
    let old = signing_keys::active(cx, purpose)?;
    let next = signing_keys::replace(cx, &old)?;
    keys::set_state(cx.tx, &old.kid, "retired")?;
    let mut turn = bare(cx, KeyRotationKind::Rotated, &old, reason)?;
    turn.next = Some(next);
    if purpose == signing_keys::PERMIT {
        turn.served_until = Some(served_until(cx.now, last_end(cx)?));
    }
    keep(cx, turn)
}

/// Revokes a key of permits that was stolen (`POST /keys/{kid}/revocation {reason}`): it is no longer published, and no
/// permit that it signed is valid any more. The worker revokes the permits' records one after another. A key that still
/// signs is replaced in the same act.
///
/// # Errors
/// 403, also `step_up_required`; 404; 409 for a key of the log and for one that is revoked already; 422; the store's.
pub fn revoke_key(cx: &mut Context<'_, '_>, kid: &str, body: &Body) -> Result<KeyRotation> {
    let reason = check_turn(cx, body)?;
    let Some(old) = keys::load(cx.tx, kid)? else {
        return Err(Refusal::not_found(format!("key {kid}")).into());
    };
    check_revocable(&old)?;
    let next = match old.state.as_str() {
        "active" => Some(signing_keys::replace(cx, &old)?),
        _ => None,
    };
    keys::set_state(cx.tx, &old.kid, "revoked")?;
    let mut turn = bare(cx, KeyRotationKind::Revoked, &old, reason)?;
    turn.next = next;
    turn.revoking_after = Some(String::new());
    revoke_signed::begin(cx, &old.kid)?;
    // A holder of an older list requests the next one, which the stolen key cannot sign.
    revocation::raise(cx.tx)?;
    keep(cx, turn)
}

/// Whether the acting person may rotate keys now; returns their reason.
fn check_turn(cx: &mut Context<'_, '_>, body: &Body) -> Result<String> {
    cx.allow(act::actions::SET_CONNECTION)?;
    if !cx.actor.is_system {
        required_factor::check_wanted(cx, &[Touch::CryptoKeys])?;
    }
    impersonation::check_voice(cx)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    Ok(reason)
}

fn check_revocable(key: &StoredKey) -> Result<()> {
    if key.purpose != signing_keys::PERMIT {
        let text = "Keys of the log cannot be revoked, because they verify past entries.";
        let satisfy = "Rotate it (`assent key rotate`), and compare checkpoints with a witness's.";
        return Err(Refusal::not_now("not_revocable", text, satisfy, Vec::new()).into());
    }
    if signing_keys::is_revoked(key) {
        let text = "This key is revoked already.";
        return Err(Refusal::not_now("already_revoked", text, "Nothing is left to do.", Vec::new()).into());
    }
    Ok(())
}

/// When the last permit that is still good ends.
fn last_end(cx: &mut Context<'_, '_>) -> Result<Option<jiff::Timestamp>> {
    let last = alive(cx.now).descending_by("expires_at").limit(1);
    let found = record::bodies::<Permit>(cx.tx, &last)?;
    Ok(found.first().map(|permit| permit.expires_at))
}

fn bare(cx: &mut Context<'_, '_>, kind: KeyRotationKind, key: &StoredKey, reason: String) -> Result<KeyRotation> {
    let before = record::count::<KeyRotation>(cx.tx, &Filter::new())?;
    Ok(KeyRotation {
        id: RecordId(cx.new_id()?),
        version: 0,
        number: before + 1,
        kind,
        purpose: key.purpose.clone(),
        kid: key.kid.clone(),
        next: None,
        served_until: None,
        revoked_permits: 0,
        revoking_after: None,
        reason,
        by: cx.actor.person.clone(),
        at: cx.now,
    })
}

/// Keeps a turn with its event, and has the key that signs from now on sign the list of revocations: the one at hand may be
/// signed by a key that is published no more.
fn keep(cx: &mut Context<'_, '_>, turn: KeyRotation) -> Result<KeyRotation> {
    let kind = match turn.kind {
        KeyRotationKind::Rotated => "key.rotated",
        KeyRotationKind::Revoked => "key.revoked",
    };
    let data = json!({"purpose": turn.purpose, "kid": turn.kid, "next": turn.next});
    let mut written = Written::default();
    let turn = cx.put(&mut written, turn)?;
    let told = draft(kind, ("key_turn", turn.id.0.clone()), cx.now, data);
    cx.emit(vec![told], written)?;
    if turn.purpose == signing_keys::PERMIT {
        sign_anew(cx)?;
    }
    Ok(turn)
}
