//! Signing keys: the public half in the open, the secret half encrypted under the master key.

use jiff::Timestamp;

use crate::error::Result;
use crate::tx::Tx;
use crate::value::Row;

/// A key pair at rest.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its id.
    pub kid: String,
    /// `permit`, `log`, `cosigner` …
    pub purpose: String,
    /// The public half, in the text form of its purpose.
    pub public: String,
    /// The secret half, encrypted.
    pub wrapped: Vec<u8>,
    /// `active`, `retired` or `revoked`.
    pub state: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for SigningKey {
    /// Leaves the secret half out, encrypted or not.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("purpose", &self.purpose)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Keeps a new key. `Conflict` when the id is taken.
pub fn insert(tx: &mut Tx<'_>, key: &SigningKey) -> Result<()> {
    tx.execute(
        "INSERT INTO signing_key (tenant, kid, purpose, public, wrapped, state, created_at)
         VALUES ($tenant, $kid, $purpose, $public, $wrapped, $state, $created_at)",
        &[
            ("kid", key.kid.as_str().into()),
            ("purpose", key.purpose.as_str().into()),
            ("public", key.public.as_str().into()),
            ("wrapped", key.wrapped.as_slice().into()),
            ("state", key.state.as_str().into()),
            ("created_at", key.created_at.into()),
        ],
    )?;
    Ok(())
}

/// The tenant's keys for a purpose, newest first.
pub fn list(tx: &mut Tx<'_>, purpose: &str) -> Result<Vec<SigningKey>> {
    tx.query(
        "SELECT * FROM signing_key WHERE tenant = $tenant AND purpose = $purpose ORDER BY created_at DESC, kid",
        &[("purpose", purpose.into())],
    )?
    .iter()
    .map(key)
    .collect()
}

/// The key with this id.
pub fn load(tx: &mut Tx<'_>, kid: &str) -> Result<Option<SigningKey>> {
    tx.query_one(
        "SELECT * FROM signing_key WHERE tenant = $tenant AND kid = $kid",
        &[("kid", kid.into())],
    )?
    .map(|row| key(&row))
    .transpose()
}

/// Changes a key's state. Returns whether there is such a key.
pub fn set_state(tx: &mut Tx<'_>, kid: &str, state: &str) -> Result<bool> {
    let done = tx.execute(
        "UPDATE signing_key SET state = $state WHERE tenant = $tenant AND kid = $kid",
        &[("state", state.into()), ("kid", kid.into())],
    )?;
    Ok(done > 0)
}

/// Replaces the encrypted half, when the master key changes.
pub fn rewrap(tx: &mut Tx<'_>, kid: &str, wrapped: &[u8]) -> Result<bool> {
    let done = tx.execute(
        "UPDATE signing_key SET wrapped = $wrapped WHERE tenant = $tenant AND kid = $kid",
        &[("wrapped", wrapped.into()), ("kid", kid.into())],
    )?;
    Ok(done > 0)
}

fn key(row: &Row) -> Result<SigningKey> {
    Ok(SigningKey {
        kid: row.text("kid")?,
        purpose: row.text("purpose")?,
        public: row.text("public")?,
        wrapped: row.bytes("wrapped")?,
        state: row.text("state")?,
        created_at: row.time("created_at")?,
    })
}
