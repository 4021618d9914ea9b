//! Calls to external servers that wait for a worker. A call names its subject; the worker loads the current state.

use jiff::Timestamp;

use crate::error::Result;
use crate::queue::job::Job;
use crate::queue::lease::{self, Depth, Lease};
use crate::tx::{CrossTx, Tx};

const TABLE: &str = "call";
const NOTED: (&str, &str) = ("call", "last_error");

/// Writes a call of a kind about a record, not before a time. A waiting call of the same kind about the same record is enough:
/// the worker loads the current state.
pub fn insert(tx: &mut Tx<'_>, id: &str, what: (&str, &str), run_at: Timestamp) -> Result<()> {
    insert_rest(tx, id, what, "", run_at)
}

/// The same for the remaining part of an earlier call with several steps; empty means all.
pub fn insert_rest(
    tx: &mut Tx<'_>,
    id: &str,
    (kind, subject): (&str, &str),
    left: &str,
    run_at: Timestamp,
) -> Result<()> {
    let waiting = tx.query_one(
        "SELECT 1 AS one FROM \"call\" WHERE tenant = $tenant AND state = 'waiting' AND kind = $kind
         AND subject = $subject AND holder = ''",
        &[("kind", kind.into()), ("subject", subject.into())],
    )?;
    if waiting.is_some() {
        return Ok(());
    }
    let trace = tx.trace();
    tx.execute(
        "INSERT INTO \"call\" (tenant, id, kind, subject, payload, run_at, lease_until, holder, tries, state, trace)
         VALUES ($tenant, $id, $kind, $subject, $left, $run_at, 0, '', 0, 'waiting', $trace)",
        &[
            ("id", id.into()),
            ("kind", kind.into()),
            ("subject", subject.into()),
            ("left", left.into()),
            ("run_at", run_at.into()),
            ("trace", trace),
        ],
    )?;
    Ok(())
}

/// Records the remaining part of a call with several steps, so that the next attempt continues there. `false` when the lease
/// was lost.
pub fn note_left(tx: &mut Tx<'_>, id: &str, holder: &str, left: &str) -> Result<bool> {
    let done = tx.execute(
        "UPDATE \"call\" SET payload = $left WHERE tenant = $tenant AND id = $id AND holder = $holder",
        &[("left", left.into()), ("id", id.into()), ("holder", holder.into())],
    )?;
    Ok(done > 0)
}

/// Whether a call of a kind about a record, or about a part of it (`record/part`), waits or is being made.
pub fn waits(tx: &mut Tx<'_>, kind: &str, subject: &str) -> Result<bool> {
    let found = tx.query_one(
        "SELECT 1 AS one FROM \"call\" WHERE tenant = $tenant AND state = 'waiting' AND kind = $kind
         AND (subject = $subject OR subject LIKE $part) ORDER BY id LIMIT 1",
        &[
            ("kind", kind.into()),
            ("subject", subject.into()),
            ("part", format!("{subject}/%").into()),
        ],
    )?;
    Ok(found.is_some())
}

/// Leases due calls of all tenants, an equal share each.
pub fn lease_across(tx: &mut CrossTx<'_>, by: &Lease<'_>) -> Result<Vec<Job>> {
    lease::lease_across(tx, (TABLE, lease::ALL), by)?
        .iter()
        .map(crate::queue::job::job)
        .collect()
}

/// Removes a call that was made. `false` when the lease was lost.
pub fn finish(tx: &mut Tx<'_>, id: &str, holder: &str) -> Result<bool> {
    lease::finish(tx, TABLE, id, holder)
}

/// Gives a call back for another try. `false` when the lease was lost.
pub fn fail(tx: &mut Tx<'_>, id: &str, holder: &str, retry_at: Timestamp, error: &str) -> Result<bool> {
    lease::fail(tx, NOTED, (id, holder), retry_at, error)
}

/// Sets a call aside. `false` when the lease was lost.
pub fn park(tx: &mut Tx<'_>, id: &str, holder: &str, error: &str) -> Result<bool> {
    lease::park(tx, NOTED, (id, holder), error)
}

/// The tenant's calls in a state, the oldest first.
pub fn list(tx: &mut Tx<'_>, state: &str, limit: i64) -> Result<Vec<Job>> {
    tx.query(
        "SELECT * FROM \"call\" WHERE tenant = $tenant AND state = $state ORDER BY run_at, id LIMIT $limit",
        &[("state", state.into()), ("limit", limit.into())],
    )?
    .iter()
    .map(crate::queue::job::job)
    .collect()
}

/// When the next call of any tenant is due.
pub fn next_due(tx: &mut CrossTx<'_>) -> Result<Option<Timestamp>> {
    lease::next_due(tx, TABLE)
}

/// How many calls wait and are parked, over all tenants.
pub fn depth(tx: &mut CrossTx<'_>) -> Result<Depth> {
    lease::count_across(tx, TABLE)
}
