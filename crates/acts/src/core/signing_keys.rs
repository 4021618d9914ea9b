//! Signing keys of a tenant: made once, at rest encrypted under the master key, unwrapped in memory only.

use std::sync::Arc;

use jiff::Timestamp;
use model::audit::key_rotation::KeyRotation;
use model::change::related_records::Permit;
use model::core::refusal::Refusal;
use proof::crypto::SigningKey;
use proof::note::{KeyKind, NoteSigner, VerifierKey, VerifierKeys};
use store::audit::keys::{self, SigningKey as StoredKey};
use store::audit::log;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::{Error, Result};

/// Signs permits and revocation lists.
pub const PERMIT: &str = "permit";
/// Signs checkpoints.
pub const LOG: &str = "log";
/// Cosigns checkpoints with a time.
pub const COSIGNER: &str = "cosigner";

/// The purposes of a tenant's keys.
pub const PURPOSES: [&str; 3] = [PERMIT, LOG, COSIGNER];

/// The 32 bytes of a seed or of a public key.
fn seed_of(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes
        .try_into()
        .map_err(|_| Error::Fault("a stored key has not 32 bytes".to_owned()))
}

/// The associated data of a wrapped key, so that a row cannot be moved to another tenant or purpose.
fn associated(tenant: &str, purpose: &str, kid: &str) -> Vec<u8> {
    format!("assent signing key\0{tenant}\0{purpose}\0{kid}").into_bytes()
}

/// The name with which a tenant's log signs: the public address without its scheme, and the log's path.
pub fn log_name(public_url: &str, tenant: &str) -> String {
    let host = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
    format!("{host}/t/{tenant}/log")
}

/// The name of the server's own cosigner for a tenant's log.
pub fn cosigner_name(public_url: &str, tenant: &str) -> String {
    format!("{}/cosigner", log_name(public_url, tenant))
}

/// The first name of a tenant's log. It stays when the server's address changes.
///
/// # Errors
/// The store's, or a fault when the stored key cannot be read.
pub fn log_origin(cx: &mut Context<'_, '_>) -> Result<String> {
    name_of(cx, LOG)
}

/// The first name of the server's cosigner of a tenant's log.
///
/// # Errors
/// The store's, or a fault when the stored key cannot be read.
pub fn cosigner_origin(cx: &mut Context<'_, '_>) -> Result<String> {
    name_of(cx, COSIGNER)
}

fn name_of(cx: &mut Context<'_, '_>, purpose: &str) -> Result<String> {
    let stored = active(cx, purpose)?;
    Ok(VerifierKey::parse(&stored.public)?.name().to_owned())
}

/// Makes and stores the first key of a purpose.
///
/// # Errors
/// The store's, or a fault of the entropy.
pub fn make(cx: &mut Context<'_, '_>, purpose: &str, at: Timestamp) -> Result<String> {
    let (url, tenant) = (&cx.services.tools().public_url, cx.tenant());
    let name = match purpose {
        LOG => log_name(url, &tenant),
        _ => cosigner_name(url, &tenant),
    };
    make_named(cx, purpose, &name, at)
}

/// Makes and stores the key that signs in place of another; the caller retires or revokes the other. A log keeps its
/// first name, even if the server's address changes.
///
/// # Errors
/// The store's, or a fault of the entropy.
pub(crate) fn replace(cx: &mut Context<'_, '_>, old: &StoredKey) -> Result<String> {
    let name = match old.purpose.as_str() {
        PERMIT => String::new(),
        _ => VerifierKey::parse(&old.public)?.name().to_owned(),
    };
    make_named(cx, &old.purpose, &name, cx.recorded_at)
}

/// Only keys of the log have a `name`.
fn make_named(cx: &mut Context<'_, '_>, purpose: &str, name: &str, at: Timestamp) -> Result<String> {
    let tools = cx.services.tools();
    let key = SigningKey::generate(tools.entropy.as_ref())?;
    let tenant = cx.tenant();
    let kid = proof::jwks::Jwk::new(*key.public()).kid();
    let public = match purpose {
        LOG => VerifierKey::new(name, KeyKind::Ed25519, *key.public())?.to_text(),
        COSIGNER => VerifierKey::new(name, KeyKind::Cosigner, *key.public())?.to_text(),
        _ => proof::crypto::base64url(key.public()),
    };
    let wrapped = tools
        .master
        .seal(key.seed(), &associated(&tenant, purpose, &kid), tools.entropy.as_ref())?;
    let row = StoredKey {
        kid: kid.clone(),
        purpose: purpose.to_owned(),
        public,
        wrapped,
        state: "active".to_owned(),
        created_at: at,
    };
    keys::insert(cx.tx, &row)?;
    Ok(kid)
}

/// The id of a public half, in the text form of its purpose; `None` when the half cannot be read.
pub(crate) fn kid_of(purpose: &str, public: &str) -> Option<String> {
    let bytes = match purpose {
        PERMIT => proof::crypto::from_base64url(public)?.try_into().ok()?,
        // `name+id+base64(type ‖ key)`
        _ => {
            let key = proof::crypto::from_base64_standard(public.splitn(3, '+').nth(2)?)?;
            key.get(1..)?.try_into().ok()?
        }
    };
    Some(proof::jwks::Jwk::new(bytes).kid())
}

/// Why a stored key is invalid, with the wrong column. Both halves are checked early: a public half that verifies
/// nothing, and a private half that the master key does not open or that belongs to another public half.
pub(crate) fn trouble(cx: &Context<'_, '_>, stored: &StoredKey) -> Option<(&'static str, String)> {
    if stored.purpose != PERMIT
        && let Err(why) = VerifierKey::parse(&stored.public)
    {
        return Some(("public", format!("It is no verifier key: {why}.")));
    }
    if kid_of(&stored.purpose, &stored.public).as_deref() != Some(stored.kid.as_str()) {
        return Some(("kid", "The key is stored under the wrong id.".to_owned()));
    }
    let bound = associated(&cx.tenant(), &stored.purpose, &stored.kid);
    let opened = cx.services.tools().master.open(&stored.wrapped, &bound);
    let private = opened
        .map_err(Error::from)
        .and_then(|seed| Ok(SigningKey::from_seed(seed_of(&seed)?)?));
    let what = match private {
        Err(_) => "The master key cannot decrypt its private key.",
        Ok(key) if proof::jwks::Jwk::new(*key.public()).kid() != stored.kid => {
            "Its private key does not match its public key."
        }
        Ok(_) => return None,
    };
    Some(("wrapped", what.to_owned()))
}

/// The faults of the tenant's keys, each with the key's id. The list is empty if every key is whole and, once the log
/// has begun, each purpose has one key that signs.
///
/// # Errors
/// The store's.
pub fn find_trouble(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let has_begun = log::state(cx.tx)?.is_some();
    for purpose in PURPOSES {
        let stored = keys::list(cx.tx, purpose)?;
        if has_begun && !stored.iter().any(|key| key.state == "active") {
            found.push(format!("No key of the purpose {purpose} is active."));
        }
        for key in stored {
            if let Some((column, what)) = trouble(cx, &key) {
                found.push(format!("{purpose} key {}, {column}: {what}", key.kid));
            }
        }
    }
    Ok(found)
}

/// The key that signs for a purpose.
///
/// # Errors
/// The store's, or a fault if there is none.
pub(crate) fn active(cx: &mut Context<'_, '_>, purpose: &str) -> Result<StoredKey> {
    let keys = keys::list(cx.tx, purpose)?;
    keys.into_iter()
        .filter(|key| key.state == "active")
        .max_by_key(|key| key.created_at)
        .ok_or_else(|| Error::Fault(format!("the tenant {} has no active {purpose} key", cx.tenant())))
}

/// The active key of a purpose, unwrapped.
///
/// # Errors
/// A fault when the master key is not the one under which it was wrapped.
pub fn signing_key(cx: &mut Context<'_, '_>, purpose: &str) -> Result<Arc<SigningKey>> {
    let stored = active(cx, purpose)?;
    unwrapped(cx, &stored)
}

/// The id of the key that signs for a purpose.
///
/// # Errors
/// The store's, or a fault if there is none.
pub(crate) fn active_kid(cx: &mut Context<'_, '_>, purpose: &str) -> Result<String> {
    Ok(active(cx, purpose)?.kid)
}

/// Whether the key that signed a permit was revoked or is gone. The permits' own records are updated later piece by
/// piece, so a permit's reader checks the key.
///
/// # Errors
/// The store's; a fault of the keys.
pub(crate) fn is_signed_by_revoked(cx: &mut Context<'_, '_>, permit: &Permit) -> Result<bool> {
    let stored = stored_permit_key(cx, &permit.kid)?;
    Ok(stored.is_none_or(|key| is_revoked(&key)))
}

/// Whether a key was revoked.
pub(crate) fn is_revoked(key: &StoredKey) -> bool {
    key.state == "revoked"
}

fn stored_permit_key(cx: &mut Context<'_, '_>, kid: &str) -> Result<Option<StoredKey>> {
    Ok(keys::load(cx.tx, kid)?.filter(|key| key.purpose == PERMIT))
}

/// The key that signed a permit, whether it still signs new ones or not, so that one permit is always the same token.
///
/// # Errors
/// 409 when the key was revoked; the store's; a fault of the keys.
pub(crate) fn permit_key(cx: &mut Context<'_, '_>, kid: &str) -> Result<Arc<SigningKey>> {
    let Some(stored) = stored_permit_key(cx, kid)? else {
        return Err(Error::Fault(format!("the tenant {} lacks a permit's key", cx.tenant())));
    };
    if is_revoked(&stored) {
        let text = "The key that signed this permit was revoked.";
        return Err(Refusal::not_now("not_alive", text, "Ask the gate again.", Vec::new()).into());
    }
    unwrapped(cx, &stored)
}

fn unwrapped(cx: &mut Context<'_, '_>, stored: &StoredKey) -> Result<Arc<SigningKey>> {
    if let Some(key) = cx.services.cached_key(&stored.kid) {
        return Ok(key);
    }
    let bound = associated(&cx.tenant(), &stored.purpose, &stored.kid);
    let seed = cx.services.tools().master.open(&stored.wrapped, &bound)?;
    let key = Arc::new(SigningKey::from_seed(seed_of(&seed)?)?);
    cx.services.keep_key(&stored.kid, &key);
    Ok(key)
}

/// The signer of a note: the log's, or its cosigner's.
///
/// # Errors
/// A fault of the keys.
pub fn note_signer(cx: &mut Context<'_, '_>, purpose: &str) -> Result<NoteSigner> {
    let stored = active(cx, purpose)?;
    let key = unwrapped(cx, &stored)?;
    let name = VerifierKey::parse(&stored.public)?.name().to_owned();
    Ok(NoteSigner::new(&name, SigningKey::from_seed(*key.seed())?)?)
}

/// The public keys of a tenant's log, one a line: the log's, its cosigner's, earlier ones after a rotation.
///
/// # Errors
/// The store's.
pub fn verifier_keys(cx: &mut Context<'_, '_>) -> Result<VerifierKeys> {
    let mut keys = Vec::new();
    for purpose in [LOG, COSIGNER] {
        let mut stored = keys::list(cx.tx, purpose)?;
        stored.retain(|key| key.state != "revoked");
        stored.sort_by_key(|key| (key.state != "active", std::cmp::Reverse(key.created_at)));
        for key in stored {
            keys.push(VerifierKey::parse(&key.public)?);
        }
    }
    Ok(VerifierKeys(keys))
}

/// The key set that verifies permits and revocation lists: the key that signs, and retired keys as long as one of their
/// permits may be valid.
///
/// # Errors
/// The store's.
pub fn jwks(cx: &mut Context<'_, '_>) -> Result<proof::jwks::Jwks> {
    let stored = keys::list(cx.tx, PERMIT)?;
    let turns = match stored.iter().any(|key| key.state == "retired") {
        true => turns(cx)?,
        false => Vec::new(),
    };
    let now = cx.now;
    let is_served = |key: &StoredKey| match key.state.as_str() {
        "active" => true,
        "retired" => turns.iter().any(|turn| turn.kid == key.kid && turn.serves(now)),
        _ => false,
    };
    let mut keys = Vec::new();
    for key in stored.iter().filter(|key| is_served(key)) {
        let bytes = proof::crypto::from_base64url(&key.public).unwrap_or_default();
        keys.push(proof::jwks::Jwk::new(seed_of(&bytes)?));
    }
    Ok(proof::jwks::Jwks {
        tenant: cx.tenant(),
        keys,
    })
}

/// Every permit key of the tenant that was not revoked, whether it is published still or not.
///
/// # Errors
/// The store's; a fault of an invalid key.
pub(crate) fn unrevoked_permit_keys(cx: &mut Context<'_, '_>) -> Result<Vec<proof::jwks::Jwk>> {
    let stored = keys::list(cx.tx, PERMIT)?;
    let public = |key: &StoredKey| {
        let bytes = proof::crypto::from_base64url(&key.public).unwrap_or_default();
        Ok(proof::jwks::Jwk::new(seed_of(&bytes)?))
    };
    stored.iter().filter(|key| !is_revoked(key)).map(public).collect()
}

/// All operations on the tenant's keys, in order.
///
/// # Errors
/// The store's.
pub fn turns(cx: &mut Context<'_, '_>) -> Result<Vec<KeyRotation>> {
    Ok(record::bodies::<KeyRotation>(cx.tx, &Filter::new().order_by("number"))?)
}
