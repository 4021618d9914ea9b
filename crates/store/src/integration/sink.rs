//! Sinks of the log: how far each is. One holder at a time works for a sink, so that entries leave in the order of the log.

use jiff::Timestamp;

use crate::error::Result;
use crate::queue::lease::{IS_FREE, Lease, believed};
use crate::tx::{CrossTx, Tx};

/// How far a sink is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The index of the next entry of the log that it has not examined.
    pub position: i64,
    /// The index of the last entry that was delivered; absent before the first.
    pub sent: Option<i64>,
    /// Nothing is sent before this time.
    pub run_at: Timestamp,
    /// How many deliveries in a row failed.
    pub tries: i64,
    /// Since when it fails; absent while it works.
    pub failing_since: Option<Timestamp>,
    /// The last error.
    pub last_error: Option<String>,
    /// When entries were last delivered.
    pub delivered_at: Option<Timestamp>,
}

/// A sink with something to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The tenant.
    pub tenant: String,
    /// The sink.
    pub id: String,
}

/// How a sink is left after a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// The next entry to examine.
    pub position: i64,
    /// The last entry that was delivered.
    pub sent: Option<i64>,
    /// Nothing is sent before this time.
    pub run_at: Timestamp,
    /// How many deliveries in a row failed.
    pub tries: i64,
    /// Since when it fails.
    pub failing_since: Option<Timestamp>,
    /// The error.
    pub error: Option<String>,
    /// When entries were delivered, if they were.
    pub delivered_at: Option<Timestamp>,
}

/// The backlog of all sinks together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lag {
    /// How many sinks are active.
    pub active: i64,
    /// How many of them fail.
    pub failing: i64,
    /// How many entries the slowest is behind its log.
    pub entries: i64,
}

/// Begins or continues at an index of the log.
pub fn begin(tx: &mut Tx<'_>, id: &str, position: i64, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO sink_state (tenant, id, position, run_at, lease_until, holder, tries, state)
         VALUES ($tenant, $id, $position, $now, 0, '', 0, 'waiting')
         ON CONFLICT (tenant, id) DO UPDATE SET state = 'waiting', position = $position, run_at = $now, tries = 0,
            lease_until = 0, holder = ''",
        &[("id", id.into()), ("position", position.into()), ("now", now.into())],
    )?;
    Ok(())
}

/// Stops a sink where it is.
pub fn stop(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    tx.execute(
        "UPDATE sink_state SET state = 'stopped', failing_since = NULL WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?;
    Ok(())
}

/// How far a sink is.
pub fn state(tx: &mut Tx<'_>, id: &str) -> Result<Option<State>> {
    tx.query_one(
        "SELECT * FROM sink_state WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?
    .map(|row| {
        Ok(State {
            position: row.int("position")?,
            sent: row.opt_int("sent")?,
            run_at: row.time("run_at")?,
            tries: row.int("tries")?,
            failing_since: row.opt_time("failing_since")?,
            last_error: row.opt_text("last_error")?,
            delivered_at: row.opt_time("delivered_at")?,
        })
    })
    .transpose()
}

/// Sinks of any tenant with unsent entries that are not held back, the longest waiting first.
pub fn due(tx: &mut CrossTx<'_>, now: Timestamp, most: i64) -> Result<Vec<Due>> {
    tx.query(
        "SELECT s.tenant AS tenant, s.id AS id FROM sink_state s JOIN log_state l ON l.tenant = s.tenant
         WHERE s.state = 'waiting' AND s.run_at <= $now
            AND (s.lease_until <= $now OR s.lease_until > $believed) AND s.position < l.size
         ORDER BY s.run_at, s.tenant, s.id LIMIT $most",
        &[
            ("now", now.into()),
            ("believed", believed(now).into()),
            ("most", most.into()),
        ],
    )?
    .iter()
    .map(|row| {
        Ok(Due {
            tenant: row.text("tenant")?,
            id: row.text("id")?,
        })
    })
    .collect()
}

/// The backlog of all tenants' sinks.
pub fn lag(tx: &mut CrossTx<'_>) -> Result<Lag> {
    let row = tx.query_one(
        "SELECT count(*) AS active, COALESCE(sum(CASE WHEN s.failing_since IS NULL THEN 0 ELSE 1 END), 0) AS failing,
            COALESCE(max(l.size - s.position), 0) AS entries
         FROM sink_state s JOIN log_state l ON l.tenant = s.tenant WHERE s.state = 'waiting'",
        &[],
    )?;
    let Some(row) = row else { return Ok(Lag::default()) };
    Ok(Lag {
        active: row.int("active")?,
        failing: row.int("failing")?,
        entries: row.int("entries")?,
    })
}

/// Takes a sink; `false` when another holder was faster or nothing is due.
pub fn lease(tx: &mut Tx<'_>, id: &str, by: &Lease<'_>) -> Result<bool> {
    let sql = format!(
        "UPDATE sink_state SET lease_until = $until, holder = $holder
         WHERE tenant = $tenant AND id = $id AND state = 'waiting' AND run_at <= $now AND {IS_FREE}"
    );
    let done = tx.execute(
        &sql,
        &[
            ("id", id.into()),
            ("until", by.until.into()),
            ("holder", by.holder.into()),
            ("now", by.now.into()),
            ("believed", believed(by.now).into()),
        ],
    )?;
    Ok(done > 0)
}

/// Gives a sink back after a delivery. `false` when it was no longer the holder's: the delivery is then repeated.
pub fn release(tx: &mut Tx<'_>, id: &str, holder: &str, rest: &Rest) -> Result<bool> {
    let done = tx.execute(
        "UPDATE sink_state SET lease_until = 0, holder = '', position = $position, sent = $sent, run_at = $run_at,
            tries = $tries, failing_since = $failing_since, last_error = $error,
            delivered_at = COALESCE($delivered_at, delivered_at)
         WHERE tenant = $tenant AND id = $id AND holder = $holder AND state = 'waiting'",
        &[
            ("id", id.into()),
            ("holder", holder.into()),
            ("position", rest.position.into()),
            ("sent", rest.sent.into()),
            ("run_at", rest.run_at.into()),
            ("tries", rest.tries.into()),
            ("failing_since", rest.failing_since.into()),
            ("error", rest.error.clone().into()),
            ("delivered_at", rest.delivered_at.into()),
        ],
    )?;
    Ok(done > 0)
}
