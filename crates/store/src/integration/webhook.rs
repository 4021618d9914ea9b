//! Outgoing webhooks: the position of each in the log, and its pending deliveries. One holder at a time works for a webhook, so
//! that its events leave in the order of the log.

use jiff::Timestamp;

use crate::error::Result;
use crate::queue::lease::{IS_FREE, Lease, believed};
use crate::tx::{CrossTx, Tx};
use crate::value::Row;

/// How far a webhook is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The index of the next event that it has not looked at.
    pub position: i64,
    /// The earliest time of the next delivery.
    pub run_at: Timestamp,
    /// How often in a row there was no response.
    pub tries: i64,
    /// Since when it fails; absent while it works.
    pub failing_since: Option<Timestamp>,
    /// The status of the last response; absent when there was none.
    pub last_status: Option<i64>,
    /// The last error.
    pub last_error: Option<String>,
    /// When something was last taken there.
    pub delivered_at: Option<Timestamp>,
}

/// A webhook with a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// The tenant.
    pub tenant: String,
    /// The webhook.
    pub id: String,
}

/// One event to be sent to one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The event's index in the log.
    pub seq: i64,
    /// The event.
    pub event_id: String,
    /// Its kind.
    pub kind: String,
    /// Its subject: events of one subject are sent in order.
    pub subject: String,
    /// From when its tries count.
    pub queued_at: Timestamp,
    /// Not before.
    pub run_at: Timestamp,
    /// How often it was tried.
    pub tries: i64,
    /// `waiting`, `delivered` or `dead`.
    pub state: String,
    /// The status of the last response.
    pub last_status: Option<i64>,
    /// The last error.
    pub last_error: Option<String>,
    /// When it was delivered or given up.
    pub ended_at: Option<Timestamp>,
    /// The `traceparent` of the span whose act wrote the event.
    pub trace: Option<String>,
}

/// The result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The event's index.
    pub seq: i64,
    /// `waiting`, `delivered` or `dead`.
    pub state: &'static str,
    /// When to try again.
    pub run_at: Timestamp,
    /// The status of the response.
    pub status: Option<i64>,
    /// The error.
    pub error: Option<String>,
}

/// How a webhook is left after a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// The earliest time of its next attempt.
    pub run_at: Timestamp,
    /// How often in a row there was no response.
    pub tries: i64,
    /// Since when it fails.
    pub failing_since: Option<Timestamp>,
    /// The status of the last response.
    pub status: Option<i64>,
    /// The error.
    pub error: Option<String>,
    /// When something was last taken there, if in this round.
    pub delivered_at: Option<Timestamp>,
}

/// Begins to send a webhook the events from `position` on.
pub fn begin(tx: &mut Tx<'_>, id: &str, position: i64, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO webhook_state (tenant, id, position, run_at, lease_until, holder, tries, state)
         VALUES ($tenant, $id, $position, $now, 0, '', 0, 'waiting')
         ON CONFLICT (tenant, id) DO UPDATE SET state = 'waiting', position = $position, run_at = $now, tries = 0",
        &[("id", id.into()), ("position", position.into()), ("now", now.into())],
    )?;
    Ok(())
}

/// Stops sending to a webhook: its position stays.
pub fn stop(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    tx.execute(
        "UPDATE webhook_state SET state = 'stopped' WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?;
    Ok(())
}

/// Tries a webhook at once that was held back.
pub fn wake(tx: &mut Tx<'_>, id: &str, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE webhook_state SET run_at = $now, retry_at = $now WHERE tenant = $tenant AND id = $id",
        &[("id", id.into()), ("now", now.into())],
    )?;
    Ok(())
}

/// How far a webhook is.
pub fn state(tx: &mut Tx<'_>, id: &str) -> Result<Option<State>> {
    tx.query_one(
        "SELECT * FROM webhook_state WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?
    .map(|row| {
        Ok(State {
            position: row.int("position")?,
            run_at: row.time("run_at")?,
            tries: row.int("tries")?,
            failing_since: row.opt_time("failing_since")?,
            last_status: row.opt_int("last_status")?,
            last_error: row.opt_text("last_error")?,
            delivered_at: row.opt_time("delivered_at")?,
        })
    })
    .transpose()
}

/// Webhooks of any tenant with work to do: unread events, or deliveries whose time came.
pub fn due(tx: &mut CrossTx<'_>, now: Timestamp, most: i64) -> Result<Vec<Leased>> {
    tx.query(
        "SELECT w.tenant AS tenant, w.id AS id FROM webhook_state w JOIN log_state l ON l.tenant = w.tenant
         WHERE w.state = 'waiting' AND w.run_at <= $now
            AND (w.lease_until <= $now OR w.lease_until > $believed)
            AND (w.position < l.size OR w.retry_at <= $now)
         ORDER BY w.run_at, w.tenant, w.id LIMIT $most",
        &[
            ("now", now.into()),
            ("believed", believed(now).into()),
            ("most", most.into()),
        ],
    )?
    .iter()
    .map(|row| {
        Ok(Leased {
            tenant: row.text("tenant")?,
            id: row.text("id")?,
        })
    })
    .collect()
}

/// Takes a webhook; `false` when another worker was faster.
pub fn lease(tx: &mut Tx<'_>, id: &str, by: &Lease<'_>) -> Result<bool> {
    let sql = format!(
        "UPDATE webhook_state SET lease_until = $until, holder = $holder
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

/// Whether a webhook is still the holder's.
pub fn holds(tx: &mut Tx<'_>, id: &str, holder: &str) -> Result<bool> {
    let params = [("id", id.into()), ("holder", holder.into())];
    let sql = "SELECT 1 AS one FROM webhook_state WHERE tenant = $tenant AND id = $id AND holder = $holder";
    Ok(tx.query_one(sql, &params)?.is_some())
}

/// Queues an event; once.
pub fn enqueue(
    tx: &mut Tx<'_>,
    webhook: &str,
    event: &crate::audit::event::Event,
    subject: &str,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO webhook_delivery (tenant, webhook, seq, event_id, kind, subject, queued_at, run_at, tries, state, trace)
         VALUES ($tenant, $webhook, $seq, $event, $kind, $subject, $now, $now, 0, 'waiting',
            (SELECT e.trace FROM event e WHERE e.tenant = $tenant AND e.id = $event)) ON CONFLICT DO NOTHING",
        &[
            ("webhook", webhook.into()),
            ("seq", event.seq.unwrap_or_default().into()),
            ("event", event.id.as_str().into()),
            ("kind", event.kind.as_str().into()),
            ("subject", subject.into()),
            ("now", now.into()),
        ],
    )?;
    Ok(())
}

/// Records the position up to which a webhook has read.
pub fn move_to(tx: &mut Tx<'_>, id: &str, position: i64) -> Result<()> {
    tx.execute(
        "UPDATE webhook_state SET position = $position WHERE tenant = $tenant AND id = $id",
        &[("id", id.into()), ("position", position.into())],
    )?;
    Ok(())
}

/// Gives up deliveries that have waited since before `before`; returns how many.
pub fn expire(tx: &mut Tx<'_>, webhook: &str, before: Timestamp, now: Timestamp) -> Result<u64> {
    tx.execute(
        "UPDATE webhook_delivery SET state = 'dead', ended_at = $now
         WHERE tenant = $tenant AND webhook = $webhook AND state = 'waiting' AND queued_at < $before",
        &[
            ("webhook", webhook.into()),
            ("before", before.into()),
            ("now", now.into()),
        ],
    )
}

/// The deliveries that may be sent now, in the order of the log: an event waits for the earlier ones of its subject.
pub fn ready(tx: &mut Tx<'_>, webhook: &str, now: Timestamp, most: i64) -> Result<Vec<Delivery>> {
    tx.query(
        "SELECT d.* FROM webhook_delivery d
         WHERE d.tenant = $tenant AND d.webhook = $webhook AND d.state = 'waiting' AND d.run_at <= $now
            AND NOT EXISTS (SELECT 1 FROM webhook_delivery e WHERE e.tenant = $tenant AND e.webhook = $webhook
                AND e.state = 'waiting' AND e.subject = d.subject AND e.seq < d.seq AND e.run_at > $now)
         ORDER BY d.seq LIMIT $most",
        &[("webhook", webhook.into()), ("now", now.into()), ("most", most.into())],
    )?
    .iter()
    .map(delivery)
    .collect()
}

/// Records the result of an attempt.
pub fn note(tx: &mut Tx<'_>, webhook: &str, tried: &Tried, now: Timestamp) -> Result<()> {
    let ended = (tried.state != "waiting").then_some(now);
    tx.execute(
        "UPDATE webhook_delivery SET state = $state, run_at = $run_at, tries = tries + 1, last_status = $status,
            last_error = $error, ended_at = $ended
         WHERE tenant = $tenant AND webhook = $webhook AND seq = $seq AND state = 'waiting'",
        &[
            ("webhook", webhook.into()),
            ("seq", tried.seq.into()),
            ("state", tried.state.into()),
            ("run_at", tried.run_at.into()),
            ("status", tried.status.into()),
            ("error", tried.error.clone().into()),
            ("ended", ended.into()),
        ],
    )?;
    Ok(())
}

/// Gives a webhook back after a round. `false` when it was no longer the holder's.
pub fn release(tx: &mut Tx<'_>, id: &str, holder: &str, rest: &Rest) -> Result<bool> {
    let done = tx.execute(
        "UPDATE webhook_state SET lease_until = 0, holder = '', run_at = $run_at, tries = $tries,
            failing_since = $failing_since, last_status = $status, last_error = $error,
            delivered_at = COALESCE($delivered_at, delivered_at),
            retry_at = (SELECT min(d.run_at) FROM webhook_delivery d WHERE d.tenant = $tenant AND d.webhook = $id
                AND d.state = 'waiting')
         WHERE tenant = $tenant AND id = $id AND holder = $holder",
        &[
            ("id", id.into()),
            ("holder", holder.into()),
            ("run_at", rest.run_at.into()),
            ("tries", rest.tries.into()),
            ("failing_since", rest.failing_since.into()),
            ("status", rest.status.into()),
            ("error", rest.error.clone().into()),
            ("delivered_at", rest.delivered_at.into()),
        ],
    )?;
    Ok(done > 0)
}

/// A webhook's deliveries in a state, the newest first, before an index.
pub fn list(tx: &mut Tx<'_>, webhook: &str, state: &str, before: i64, limit: i64) -> Result<Vec<Delivery>> {
    tx.query(
        "SELECT * FROM webhook_delivery WHERE tenant = $tenant AND webhook = $webhook AND state = $state
         AND seq < $before ORDER BY seq DESC LIMIT $limit",
        &[
            ("webhook", webhook.into()),
            ("state", state.into()),
            ("before", before.into()),
            ("limit", limit.into()),
        ],
    )?
    .iter()
    .map(delivery)
    .collect()
}

/// Sends again the deliveries that were given up or sent, from index `from` up to `to` (not included), with their attempts
/// reset. `given_up` alone leaves out the sent ones. Returns how many there are.
pub fn again(tx: &mut Tx<'_>, webhook: &str, (from, to): (i64, i64), given_up: bool, now: Timestamp) -> Result<u64> {
    tx.execute(
        "UPDATE webhook_delivery SET state = 'waiting', queued_at = $now, run_at = $now, tries = 0, ended_at = NULL
         WHERE tenant = $tenant AND webhook = $webhook AND seq >= $from AND seq < $to
         AND (state = 'dead' OR (state = 'delivered' AND NOT $given_up))",
        &[
            ("webhook", webhook.into()),
            ("from", from.into()),
            ("to", to.into()),
            ("given_up", given_up.into()),
            ("now", now.into()),
        ],
    )
}

/// Removes what ended before `before`, of all tenants, at most so much.
pub fn prune(tx: &mut CrossTx<'_>, before: Timestamp, most: i64) -> Result<u64> {
    tx.execute(PRUNE, &[("before", before.into()), ("most", most.into())])
}

/// The condition is repeated outside, as in a lease.
pub(crate) const PRUNE: &str =
    "DELETE FROM webhook_delivery WHERE state IN ('delivered', 'dead') AND ended_at < $before
    AND (tenant, webhook, seq) IN (SELECT tenant, webhook, seq FROM webhook_delivery
        WHERE state IN ('delivered', 'dead') AND ended_at < $before ORDER BY state, ended_at LIMIT $most)";

fn delivery(row: &Row) -> Result<Delivery> {
    Ok(Delivery {
        seq: row.int("seq")?,
        event_id: row.text("event_id")?,
        kind: row.text("kind")?,
        subject: row.text("subject")?,
        queued_at: row.time("queued_at")?,
        run_at: row.time("run_at")?,
        tries: row.int("tries")?,
        state: row.text("state")?,
        last_status: row.opt_int("last_status")?,
        last_error: row.opt_text("last_error")?,
        ended_at: row.opt_time("ended_at")?,
        trace: row.opt_text("trace")?,
    })
}
