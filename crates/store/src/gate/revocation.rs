//! The revocation list of a tenant: its epoch, the permits on it, and halts.

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::tx::{CrossTx, Tx};

/// The state of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationState {
    /// Grows with each entry.
    pub epoch: i64,
    /// The list as it was signed last; empty before the first time.
    pub signed: String,
    /// The epoch of that signed list.
    pub signed_epoch: i64,
    /// When it was signed.
    pub signed_at: Timestamp,
}

/// A revoked permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The permit.
    pub jti: String,
    /// The epoch of its entry.
    pub epoch: i64,
    /// When it was revoked.
    pub at: Timestamp,
    /// When the permit would have ended: then its entry leaves the list.
    pub expires_at: Timestamp,
}

/// Permits for this service and environment that were issued before `iat` are void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotBefore {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// Permits issued before this are void.
    pub iat: Timestamp,
    /// The epoch of its entry.
    pub epoch: i64,
}

/// The state of the tenant's list; an epoch of 0 before the first entry.
pub fn state(tx: &mut Tx<'_>) -> Result<RevocationState> {
    let Some(row) = tx.query_one("SELECT * FROM revocation_state WHERE tenant = $tenant", &[])? else {
        return Ok(RevocationState {
            epoch: 0,
            signed: String::new(),
            signed_epoch: 0,
            signed_at: Timestamp::UNIX_EPOCH,
        });
    };
    Ok(RevocationState {
        epoch: row.int("epoch")?,
        signed: row.text("signed")?,
        signed_epoch: row.int("signed_epoch")?,
        signed_at: row.time("signed_at")?,
    })
}

/// Raises the epoch and returns the new one.
pub fn raise(tx: &mut Tx<'_>) -> Result<i64> {
    tx.query_one(
        "INSERT INTO revocation_state (tenant, epoch, signed, signed_epoch, signed_at)
         VALUES ($tenant, 1, '', 0, 0)
         ON CONFLICT (tenant) DO UPDATE SET epoch = revocation_state.epoch + 1 RETURNING epoch",
        &[],
    )?
    .ok_or_else(|| Error::other("the epoch was not raised"))?
    .int("epoch")
}

/// Puts a permit on the list. `false` when it is there already.
pub fn revoke(tx: &mut Tx<'_>, entry: &Revoked) -> Result<bool> {
    let done = tx.execute(
        "INSERT INTO revoked (tenant, jti, epoch, at, expires_at)
         VALUES ($tenant, $jti, $epoch, $at, $expires_at) ON CONFLICT DO NOTHING",
        &[
            ("jti", entry.jti.as_str().into()),
            ("epoch", entry.epoch.into()),
            ("at", entry.at.into()),
            ("expires_at", entry.expires_at.into()),
        ],
    )?;
    Ok(done > 0)
}

/// The entries that still matter at `now`, in the order of epochs.
pub fn list(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Revoked>> {
    let rows = tx.query(
        "SELECT * FROM revoked WHERE tenant = $tenant AND expires_at > $now",
        &[("now", now.into())],
    )?;
    let found = rows.iter().map(|row| {
        Ok(Revoked {
            jti: row.text("jti")?,
            epoch: row.int("epoch")?,
            at: row.time("at")?,
            expires_at: row.time("expires_at")?,
        })
    });
    // Sorted here: with an ORDER BY the engine would scan expired entries as well.
    let mut found = found.collect::<Result<Vec<Revoked>>>()?;
    found.sort_by(|one, other| (one.epoch, &one.jti).cmp(&(other.epoch, &other.jti)));
    Ok(found)
}

/// Whether a permit is on the list.
pub fn is_revoked(tx: &mut Tx<'_>, jti: &str) -> Result<bool> {
    let found = tx.query_one(
        "SELECT 1 AS one FROM revoked WHERE tenant = $tenant AND jti = $jti",
        &[("jti", jti.into())],
    )?;
    Ok(found.is_some())
}

/// A permit's entry on the list.
pub fn find(tx: &mut Tx<'_>, jti: &str) -> Result<Option<Revoked>> {
    let row = tx.query_one(
        "SELECT * FROM revoked WHERE tenant = $tenant AND jti = $jti",
        &[("jti", jti.into())],
    )?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Revoked {
        jti: row.text("jti")?,
        epoch: row.int("epoch")?,
        at: row.time("at")?,
        expires_at: row.time("expires_at")?,
    }))
}

/// Voids the permits of a service and environment issued before a time; a later time takes an earlier one's place.
pub fn set_not_before(tx: &mut Tx<'_>, entry: &NotBefore) -> Result<()> {
    tx.execute(
        "INSERT INTO not_before (tenant, service, environment, iat, epoch)
         VALUES ($tenant, $service, $environment, $iat, $epoch)
         ON CONFLICT (tenant, service, environment) DO UPDATE SET iat = $iat, epoch = $epoch
         WHERE not_before.iat < $iat",
        &[
            ("service", entry.service.as_str().into()),
            ("environment", entry.environment.as_str().into()),
            ("iat", entry.iat.into()),
            ("epoch", entry.epoch.into()),
        ],
    )?;
    Ok(())
}

/// All such times.
pub fn not_before(tx: &mut Tx<'_>) -> Result<Vec<NotBefore>> {
    tx.query(
        "SELECT * FROM not_before WHERE tenant = $tenant ORDER BY service, environment",
        &[],
    )?
    .iter()
    .map(|row| {
        Ok(NotBefore {
            service: row.text("service")?,
            environment: row.text("environment")?,
            iat: row.time("iat")?,
            epoch: row.int("epoch")?,
        })
    })
    .collect()
}

/// Keeps the signed list, unless a newer one is kept already.
pub fn save_signed(tx: &mut Tx<'_>, signed: &str, epoch: i64, at: Timestamp) -> Result<bool> {
    let done = tx.execute(
        "INSERT INTO revocation_state (tenant, epoch, signed, signed_epoch, signed_at)
         VALUES ($tenant, $epoch, $signed, $epoch, $at)
         ON CONFLICT (tenant) DO UPDATE SET signed = $signed, signed_epoch = $epoch, signed_at = $at
         WHERE revocation_state.signed_epoch <= $epoch",
        &[("epoch", epoch.into()), ("signed", signed.into()), ("at", at.into())],
    )?;
    Ok(done > 0)
}

/// Tenants with a list signed before `before`, or with unsigned entries.
pub fn stale_lists(tx: &mut CrossTx<'_>, before: Timestamp) -> Result<Vec<String>> {
    tx.query(
        "SELECT tenant FROM revocation_state WHERE signed_at < $before OR signed_epoch < epoch ORDER BY tenant",
        &[("before", before.into())],
    )?
    .iter()
    .map(|row| row.text("tenant"))
    .collect()
}
