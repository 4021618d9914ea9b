//! Code shared by the three queues (job, timer, inbox). A row is `waiting` until it is finished or `parked`; its worker holds a
//! lease, and an expired lease is free again. Every verb after the lease names its holder, so that a holder whose lease was
//! taken over changes nothing. Therefore a lease with an implausible end may be taken over too: one that reaches further ahead
//! than the longest lease was taken by a clock that ran ahead.

use jiff::{SignedDuration, Timestamp};

use crate::error::Result;
use crate::tx::{CrossTx, Tx};
use crate::value::Row;

/// The longest lease that anybody takes.
pub const LONGEST_LEASE: SignedDuration = SignedDuration::from_secs(240);
/// How far the clocks of two servers may lie apart before one takes over the other's leases.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(5);

/// Whether a lease is over, or implausible: `$now` is the present and `$believed` is the result of [`believed`]. Without the
/// second half, the rows of a killed server whose clock ran ahead would be blocked until that time came.
pub(crate) const IS_FREE: &str = "(lease_until <= $now OR lease_until > $believed)";

/// The condition of a found row, checked once more when it is written. With the bare columns SQLite would scan the whole queue
/// by the index of states; with this form SQLite finds each row by its key.
const STILL_DUE: &str = "coalesce(state, '') = 'waiting' AND coalesce(run_at, 0) <= $now";

/// Up to when a lease may reach to be believed.
pub(crate) fn believed(now: Timestamp) -> Timestamp {
    now + LONGEST_LEASE + CLOCKS_APART
}

/// The holder of the lease, its end, and how many rows at most.
#[derive(Debug, Clone)]
pub struct Lease<'a> {
    /// The present.
    pub now: Timestamp,
    /// When the lease ends by itself; at most [`LONGEST_LEASE`] ahead.
    pub until: Timestamp,
    /// A name that no other worker has.
    pub holder: &'a str,
    /// At most so many rows.
    pub most: i64,
}

/// Every column of a row that is leased.
pub(crate) const ALL: &str = "*";

/// Leases due rows of the transaction's tenant and returns these columns of them.
pub(crate) fn lease(tx: &mut Tx<'_>, (table, columns): (&str, &str), lease: &Lease<'_>) -> Result<Vec<Row>> {
    lease_whose(tx, (table, columns, ""), lease)
}

/// The same for a table with one more condition on its rows: SQL about `row`, empty for none. The condition is repeated
/// outside: between the inner query and the write PostgreSQL may see a row that another worker has just taken.
pub(crate) fn lease_whose(
    tx: &mut Tx<'_>,
    (table, columns, ready): (&str, &str, &str),
    lease: &Lease<'_>,
) -> Result<Vec<Row>> {
    let sql = format!(
        "UPDATE \"{table}\" SET lease_until = $until, holder = $holder, tries = tries + 1
         WHERE tenant = $tenant AND {STILL_DUE} AND {IS_FREE}
         AND id IN (SELECT id FROM \"{table}\" AS row WHERE tenant = $tenant AND state = 'waiting'
            AND run_at <= $now AND {IS_FREE} {ready} ORDER BY run_at, id LIMIT $most)
         RETURNING {columns}"
    );
    tx.query(
        &sql,
        &[
            ("until", lease.until.into()),
            ("holder", lease.holder.into()),
            ("now", lease.now.into()),
            ("believed", believed(lease.now).into()),
            ("most", lease.most.into()),
        ],
    )
}

/// Leases due rows of all tenants, an equal share for each that has some, so that a crowded tenant holds up no other.
pub(crate) fn lease_across(
    tx: &mut CrossTx<'_>,
    (table, columns): (&str, &str),
    lease: &Lease<'_>,
) -> Result<Vec<Row>> {
    lease_across_whose(tx, (table, columns, ""), lease)
}

/// The same for a table with one more condition on its rows: SQL about `row`, empty for none.
pub(crate) fn lease_across_whose(
    tx: &mut CrossTx<'_>,
    (table, columns, ready): (&str, &str, &str),
    lease: &Lease<'_>,
) -> Result<Vec<Row>> {
    // Reading every waiting row would make each lease as slow as the queue is long. So the query visits the tenants, each by
    // one step in the index, and reads the first due row of each.
    let due = tx.query(
        &format!(
            "WITH RECURSIVE known(tenant) AS (
                SELECT min(tenant) FROM \"{table}\"
                UNION ALL
                SELECT (SELECT min(tenant) FROM \"{table}\" WHERE tenant > known.tenant) FROM known
                WHERE known.tenant IS NOT NULL),
             first(tenant, since) AS (
                SELECT known.tenant, (SELECT run_at FROM \"{table}\" AS row
                    WHERE row.tenant = known.tenant AND state = 'waiting' AND run_at <= $now AND {IS_FREE}
                    ORDER BY run_at LIMIT 1)
                FROM known WHERE known.tenant IS NOT NULL)
             SELECT tenant, since FROM first WHERE since IS NOT NULL ORDER BY since, tenant"
        ),
        &[("now", lease.now.into()), ("believed", believed(lease.now).into())],
    )?;
    let mut taken = Vec::new();
    let mut open = i64::try_from(due.len()).unwrap_or(i64::MAX);
    for row in due {
        let left = lease.most - i64::try_from(taken.len()).unwrap_or(i64::MAX);
        if left <= 0 {
            break;
        }
        let share = Lease {
            most: (left / open).max(1),
            ..lease.clone()
        };
        open -= 1;
        taken.extend(lease_of(tx, (table, columns, ready), &row.text("tenant")?, &share)?);
    }
    Ok(taken)
}

fn lease_of(
    tx: &mut CrossTx<'_>,
    (table, columns, ready): (&str, &str, &str),
    of: &str,
    lease: &Lease<'_>,
) -> Result<Vec<Row>> {
    let sql = lease_of_sql((table, columns, ready));
    tx.query(
        &sql,
        &[
            ("of", of.into()),
            ("until", lease.until.into()),
            ("holder", lease.holder.into()),
            ("now", lease.now.into()),
            ("believed", believed(lease.now).into()),
            ("most", lease.most.into()),
        ],
    )
}

pub(crate) fn lease_of_sql((table, columns, ready): (&str, &str, &str)) -> String {
    format!(
        "UPDATE \"{table}\" SET lease_until = $until, holder = $holder, tries = tries + 1
         WHERE tenant = $of AND {STILL_DUE} AND {IS_FREE}
         AND id IN (SELECT id FROM \"{table}\" AS row WHERE tenant = $of AND state = 'waiting'
            AND run_at <= $now AND {IS_FREE} {ready} ORDER BY run_at, id LIMIT $most)
         RETURNING {columns}"
    )
}

/// Whether the lease is still the holder's: the first question of the transaction that does the work.
pub(crate) fn holds(tx: &mut Tx<'_>, table: &str, id: &str, holder: &str) -> Result<bool> {
    let sql = format!(
        "SELECT 1 AS one FROM \"{table}\" WHERE tenant = $tenant AND id = $id AND holder = $holder
         AND state = 'waiting'"
    );
    let params = [("id", id.into()), ("holder", holder.into())];
    Ok(tx.query_one(&sql, &params)?.is_some())
}

/// Removes a row that is done. `false` when the lease was no longer the holder's.
pub(crate) fn finish(tx: &mut Tx<'_>, table: &str, id: &str, holder: &str) -> Result<bool> {
    let sql = format!("DELETE FROM \"{table}\" WHERE tenant = $tenant AND id = $id AND holder = $holder");
    Ok(tx.execute(&sql, &[("id", id.into()), ("holder", holder.into())])? > 0)
}

/// Gives a row back for another attempt at `retry_at`, with the error. `note` names the column for it.
pub(crate) fn fail(
    tx: &mut Tx<'_>,
    (table, note): (&str, &str),
    (id, holder): (&str, &str),
    retry_at: Timestamp,
    error: &str,
) -> Result<bool> {
    let sql = format!(
        "UPDATE \"{table}\" SET run_at = $retry_at, lease_until = 0, holder = '', {note} = $error
         WHERE tenant = $tenant AND id = $id AND holder = $holder"
    );
    let params = [
        ("retry_at", retry_at.into()),
        ("error", error.into()),
        ("id", id.into()),
        ("holder", holder.into()),
    ];
    Ok(tx.execute(&sql, &params)? > 0)
}

/// Sets a row aside that failed too often; it waits for a person.
pub(crate) fn park(
    tx: &mut Tx<'_>,
    (table, note): (&str, &str),
    (id, holder): (&str, &str),
    error: &str,
) -> Result<bool> {
    let sql = format!(
        "UPDATE \"{table}\" SET state = 'parked', lease_until = 0, holder = '', {note} = $error
         WHERE tenant = $tenant AND id = $id AND holder = $holder"
    );
    let params = [("error", error.into()), ("id", id.into()), ("holder", holder.into())];
    Ok(tx.execute(&sql, &params)? > 0)
}

/// Lets the parked rows of all tenants run again from `run_at`, with their attempts reset; returns how many.
pub(crate) fn unpark_across(tx: &mut CrossTx<'_>, table: &str, run_at: Timestamp) -> Result<u64> {
    let sql = format!("UPDATE \"{table}\" SET state = 'waiting', run_at = $run_at, tries = 0 WHERE state = 'parked'");
    tx.execute(&sql, &[("run_at", run_at.into())])
}

/// The earliest time at which a waiting row of any tenant is due, for the worker's pause.
pub(crate) fn next_due(tx: &mut CrossTx<'_>, table: &str) -> Result<Option<Timestamp>> {
    let sql = format!("SELECT min(run_at) AS it FROM \"{table}\" WHERE state = 'waiting'");
    match tx.query_one(&sql, &[])? {
        Some(row) => row.opt_time("it"),
        None => Ok(None),
    }
}

/// How many rows wait and how many are parked, over all tenants, for metrics. Rows that are done are kept for ever in some
/// queues, and counting them would take longer each day.
pub(crate) fn count_across(tx: &mut CrossTx<'_>, table: &str) -> Result<Depth> {
    let sql = depth_sql(table);
    let mut depth = Depth::default();
    for row in tx.query(&sql, &[])? {
        match row.text("state")?.as_str() {
            "waiting" => depth.waiting = row.int("it")?,
            "parked" => depth.parked = row.int("it")?,
            _ => {}
        }
    }
    Ok(depth)
}

pub(crate) fn depth_sql(table: &str) -> String {
    format!("SELECT state, count(*) AS it FROM \"{table}\" WHERE state IN ('waiting', 'parked') GROUP BY state")
}

/// How much a queue holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Rows to be done, now or later.
    pub waiting: i64,
    /// Rows set aside.
    pub parked: i64,
}
