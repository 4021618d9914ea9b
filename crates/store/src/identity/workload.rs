//! Credentials of pipeline jobs: by their digests, until they end. The workload's record lists their rights.

use jiff::Timestamp;
use model::integration::workload::Workload;

use crate::counter;
use crate::error::Result;
use crate::row_code;
use crate::tx::{CrossTx, Tx};
use crate::value::Row;

/// A job's valid credential.
#[derive(Debug, Clone, PartialEq)]
pub struct Entered {
    /// The tenant in whose log it acts.
    pub tenant: String,
    /// The workload in its present state.
    pub workload: Workload,
    /// Until when.
    pub expires_at: Timestamp,
    /// The value of the tenant's estate counter when this was read.
    pub generation: i64,
}

/// The table of the jobs' credentials.
const TABLE: &str = "workload_token";

/// Stores a job's credential.
pub fn insert(tx: &mut Tx<'_>, digest: &str, workload: &str, expires_at: Timestamp) -> Result<()> {
    let until = expires_at.as_microsecond().to_be_bytes();
    let parts = [digest.as_bytes(), workload.as_bytes(), &until];
    let code = row_code::code(tx.coder(), tx.tenant(), TABLE, &parts);
    tx.execute(
        "INSERT INTO workload_token (tenant, digest, workload, expires_at, code)
         VALUES ($tenant, $digest, $workload, $expires_at, $code)",
        &[
            ("code", code),
            ("digest", digest.into()),
            ("workload", workload.into()),
            ("expires_at", expires_at.into()),
        ],
    )?;
    Ok(())
}

/// Records the use of a platform's token, until it ends; returns whether this was the first use.
pub fn use_once(tx: &mut Tx<'_>, digest: &str, expires_at: Timestamp) -> Result<bool> {
    let known = tx.query_one(
        "SELECT digest FROM workload_used WHERE tenant = $tenant AND digest = $digest",
        &[("digest", digest.into())],
    )?;
    if known.is_some() {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO workload_used (tenant, digest, expires_at) VALUES ($tenant, $digest, $expires_at)",
        &[("digest", digest.into()), ("expires_at", expires_at.into())],
    )?;
    Ok(true)
}

/// The credential with this digest, ended or not.
pub fn find(tx: &mut CrossTx<'_>, digest: &str) -> Result<Option<Entered>> {
    let found = tx.query_one(
        "SELECT t.tenant AS tenant, t.expires_at AS expires_at, w.id AS id, w.version AS version, w.body AS body,
            w.code AS code, coalesce(c.value, 0) AS generation
         FROM workload_token t JOIN workload w ON w.tenant = t.tenant AND w.id = t.workload
         LEFT JOIN counter c ON c.tenant = t.tenant AND c.name = $counter WHERE t.digest = $digest",
        &[("digest", digest.into()), ("counter", counter::DIRECTORY.into())],
    )?;
    let Some(row) = found else { return Ok(None) };
    let workload: Workload = crate::record::coded_across(tx, &row)?;
    let (tenant, expires_at) = (row.text("tenant")?, row.time("expires_at")?);
    let until = expires_at.as_microsecond().to_be_bytes();
    let given = tx.query_one(
        "SELECT code FROM workload_token WHERE tenant = $of AND digest = $digest",
        &[("of", tenant.as_str().into()), ("digest", digest.into())],
    )?;
    if let Some(given) = given {
        let parts = [digest.as_bytes(), workload.id.as_str().as_bytes(), &until];
        row_code::check(tx.coder(), &given, (&tenant, TABLE, workload.id.as_str()), &parts)?;
    }
    Ok(Some(Entered {
        tenant,
        workload,
        expires_at,
        generation: row.int("generation")?,
    }))
}

/// The workload of the credential with this digest; `None` once it has ended.
pub fn entered(tx: &mut Tx<'_>, digest: &str, now: Timestamp) -> Result<Option<String>> {
    tx.query_one(
        "SELECT workload FROM workload_token WHERE tenant = $tenant AND digest = $digest AND expires_at > $now",
        &[("digest", digest.into()), ("now", now.into())],
    )?
    .map(|row| row.text("workload"))
    .transpose()
}

/// The valid credentials now: digest, workload and end.
pub fn open_ones(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<(String, String, Timestamp)>> {
    tx.query(
        "SELECT digest, workload, expires_at FROM workload_token WHERE tenant = $tenant AND expires_at > $now
         ORDER BY digest",
        &[("now", now.into())],
    )?
    .iter()
    .map(|row| Ok((row.text("digest")?, row.text("workload")?, row.time("expires_at")?)))
    .collect()
}

/// The digests of the credentials without a server's code, for replay.
pub(crate) fn uncoded(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let rows = tx.query(
        "SELECT digest, workload, expires_at, code FROM workload_token WHERE tenant = $tenant ORDER BY digest",
        &[],
    )?;
    let wrong = rows.iter().filter(|row| check_code(tx, row).is_err());
    wrong.map(|row| row.text("digest")).collect()
}

fn check_code(tx: &Tx<'_>, row: &Row) -> Result<()> {
    let (digest, workload) = (row.text("digest")?, row.text("workload")?);
    let until = row.time("expires_at")?.as_microsecond().to_be_bytes();
    let parts = [digest.as_bytes(), workload.as_bytes(), &until];
    row_code::check(tx.coder(), row, (tx.tenant(), TABLE, &workload), &parts)
}

/// Removes expired rows of all tenants, at most so many of each table.
pub fn prune(tx: &mut CrossTx<'_>, now: Timestamp, most: i64) -> Result<u64> {
    let params = [("now", now.into()), ("most", most.into())];
    let used = tx.execute(PRUNE_USED, &params)?;
    Ok(tx.execute(PRUNE, &params)?.max(used))
}

/// The same for used tokens; an expired one is refused anyway.
pub(crate) const PRUNE_USED: &str = "DELETE FROM workload_used WHERE expires_at <= $now AND (tenant, digest) IN
    (SELECT tenant, digest FROM workload_used WHERE expires_at <= $now ORDER BY expires_at LIMIT $most)";

/// The condition is repeated outside, as in a lease.
pub(crate) const PRUNE: &str = "DELETE FROM workload_token WHERE expires_at <= $now AND (tenant, digest) IN
    (SELECT tenant, digest FROM workload_token WHERE expires_at <= $now ORDER BY expires_at LIMIT $most)";
