//! Jobs: work after a commit (mail, outgoing calls). A job names its subject; the worker loads the current state.

use jiff::Timestamp;

use crate::error::Result;
use crate::queue::lease::{self, Depth, Lease};
use crate::tx::{CrossTx, Tx};
use crate::value::Row;

const TABLE: &str = "job";
const NOTED: (&str, &str) = ("job", "last_error");

/// A job to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob<'a> {
    /// A new id.
    pub id: &'a str,
    /// The work, such as `mail`.
    pub kind: &'a str,
    /// The id of the record that it is about.
    pub subject: &'a str,
    /// The data beyond the record, as JSON or empty.
    pub payload: &'a str,
    /// Not before.
    pub run_at: Timestamp,
}

/// A job as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The tenant, for leases across tenants.
    pub tenant: String,
    /// Its id.
    pub id: String,
    /// The work.
    pub kind: String,
    /// The record that it is about.
    pub subject: String,
    /// The data beyond the record.
    pub payload: String,
    /// Not before.
    pub run_at: Timestamp,
    /// How often it was leased, this time included.
    pub tries: i64,
    /// `waiting` or `parked`.
    pub state: String,
    /// The last error.
    pub last_error: Option<String>,
    /// The `traceparent` of the span whose act wrote it.
    pub trace: Option<String>,
}

/// Writes a job.
pub fn insert(tx: &mut Tx<'_>, job: &NewJob<'_>) -> Result<()> {
    let trace = tx.trace();
    tx.execute(
        "INSERT INTO job (tenant, id, kind, subject, payload, run_at, lease_until, holder, tries, state, trace)
         VALUES ($tenant, $id, $kind, $subject, $payload, $run_at, 0, '', 0, 'waiting', $trace)",
        &[
            ("id", job.id.into()),
            ("kind", job.kind.into()),
            ("subject", job.subject.into()),
            ("payload", job.payload.into()),
            ("run_at", job.run_at.into()),
            ("trace", trace),
        ],
    )?;
    Ok(())
}

/// Leases due jobs of the tenant.
pub fn lease(tx: &mut Tx<'_>, by: &Lease<'_>) -> Result<Vec<Job>> {
    lease::lease(tx, (TABLE, lease::ALL), by)?.iter().map(job).collect()
}

/// Leases due jobs of all tenants, an equal share each.
pub fn lease_across(tx: &mut CrossTx<'_>, by: &Lease<'_>) -> Result<Vec<Job>> {
    lease::lease_across(tx, (TABLE, lease::ALL), by)?
        .iter()
        .map(job)
        .collect()
}

/// Whether the lease is still the holder's.
pub fn holds(tx: &mut Tx<'_>, id: &str, holder: &str) -> Result<bool> {
    lease::holds(tx, TABLE, id, holder)
}

/// Removes a job that is done. `false` when the lease was lost.
pub fn finish(tx: &mut Tx<'_>, id: &str, holder: &str) -> Result<bool> {
    lease::finish(tx, TABLE, id, holder)
}

/// Gives a job back for another try. `false` when the lease was lost.
pub fn fail(tx: &mut Tx<'_>, id: &str, holder: &str, retry_at: Timestamp, error: &str) -> Result<bool> {
    lease::fail(tx, NOTED, (id, holder), retry_at, error)
}

/// Sets a job aside. `false` when the lease was lost.
pub fn park(tx: &mut Tx<'_>, id: &str, holder: &str, error: &str) -> Result<bool> {
    lease::park(tx, NOTED, (id, holder), error)
}

/// Lets the parked jobs of all tenants run again; returns how many.
pub fn unpark_across(tx: &mut CrossTx<'_>, run_at: Timestamp) -> Result<u64> {
    lease::unpark_across(tx, TABLE, run_at)
}

/// The tenant's jobs in a state, the oldest first.
pub fn list(tx: &mut Tx<'_>, state: &str, limit: i64) -> Result<Vec<Job>> {
    tx.query(
        "SELECT * FROM job WHERE tenant = $tenant AND state = $state ORDER BY run_at, id LIMIT $limit",
        &[("state", state.into()), ("limit", limit.into())],
    )?
    .iter()
    .map(job)
    .collect()
}

/// When the next job of any tenant is due.
pub fn next_due(tx: &mut CrossTx<'_>) -> Result<Option<Timestamp>> {
    lease::next_due(tx, TABLE)
}

/// How many jobs wait and are parked, over all tenants.
pub fn depth(tx: &mut CrossTx<'_>) -> Result<Depth> {
    lease::count_across(tx, TABLE)
}

pub(crate) fn job(row: &Row) -> Result<Job> {
    Ok(Job {
        tenant: row.text("tenant")?,
        id: row.text("id")?,
        kind: row.text("kind")?,
        subject: row.text("subject")?,
        payload: row.text("payload")?,
        run_at: row.time("run_at")?,
        tries: row.int("tries")?,
        state: row.text("state")?,
        last_error: row.opt_text("last_error")?,
        trace: row.opt_text("trace")?,
    })
}
