//! The inbox: deliveries as received. A delivery's record is kept for ever, its raw body as long as the tenant's retention
//! requires. A delivery counts once, by its connection and id, and once by its body, because a signature covers only the body.

use jiff::Timestamp;
pub use model::integration::signal::SEVERAL;

use crate::error::Result;
use crate::queue::lease::{self, Depth, Lease};
use crate::tx::{CrossTx, Tx};
use crate::value::Row;

const TABLE: &str = "inbox";
const NOTED: (&str, &str) = ("inbox", "reason");
/// All states in which a delivery can be.
const STATES: [&str; 3] = ["waiting", "done", "parked"];

/// A delivery to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery<'a> {
    /// A new id.
    pub id: &'a str,
    /// The connection it came by.
    pub connection: &'a str,
    /// The sender's id for it.
    pub delivery_id: &'a str,
    /// `sha256:…` of the raw body.
    pub body_digest: &'a str,
    /// The sender's name for it, such as `deployment_status`.
    pub event: &'a str,
    /// When it came.
    pub received_at: Timestamp,
    /// The raw body.
    pub body: &'a [u8],
    /// Its subject, the same text for the same subject of its connection: such deliveries are worked in the order in
    /// which they came. Empty where order makes no difference, [`SEVERAL`] where it is about several subjects.
    pub subject: &'a str,
    /// The code under the master key which proves that a server received it.
    pub mac: &'a [u8],
}

/// A delivery as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The tenant, for leases across tenants.
    pub tenant: String,
    /// Its id.
    pub id: String,
    /// The connection it came by.
    pub connection: String,
    /// The sender's id for it.
    pub delivery_id: String,
    /// `sha256:…` of the raw body.
    pub body_digest: String,
    /// The sender's name for it.
    pub event: String,
    /// Its subject; empty where order makes no difference, [`SEVERAL`] for several subjects.
    pub subject: String,
    /// When it came.
    pub received_at: Timestamp,
    /// The raw body; empty where it was not requested, and once it is removed.
    pub body: Vec<u8>,
    /// How often it was leased, this time included.
    pub tries: i64,
    /// `waiting`, `done` or `parked`.
    pub state: String,
    /// The last error.
    pub reason: Option<String>,
    /// Its result.
    pub result: Option<String>,
    /// The code under the master key with which it was taken in; none where no server took it in.
    pub mac: Option<Vec<u8>>,
    /// The `traceparent` of the span of the request by which it came.
    pub trace: Option<String>,
}

/// Stores a delivery. `false` when the delivery, or its body, was there before.
pub fn receive(tx: &mut Tx<'_>, delivery: &NewDelivery<'_>) -> Result<bool> {
    let trace = tx.trace();
    let done = tx.execute(
        "INSERT INTO inbox (tenant, id, connection, delivery_id, body_digest, event, received_at, body, run_at,
            lease_until, holder, tries, state, subject, mac, trace)
         VALUES ($tenant, $id, $connection, $delivery_id, $body_digest, $event, $received_at, $body, $received_at,
            0, '', 0, 'waiting', $subject, $mac, $trace)
         ON CONFLICT DO NOTHING",
        &[
            ("id", delivery.id.into()),
            ("connection", delivery.connection.into()),
            ("delivery_id", delivery.delivery_id.into()),
            ("body_digest", delivery.body_digest.into()),
            ("event", delivery.event.into()),
            ("received_at", delivery.received_at.into()),
            ("body", delivery.body.into()),
            ("subject", delivery.subject.into()),
            ("mac", delivery.mac.into()),
            ("trace", trace),
        ],
    )?;
    Ok(done > 0)
}

/// Every column but the body: twenty of them could be half a gigabyte.
const WITHOUT_BODY: &str = "tenant, id, connection, delivery_id, body_digest, event, subject, received_at, tries, state, reason, result, mac, trace";

/// The condition that the turn of the delivery `row` has come: no earlier one about the same subject is being processed or
/// waits for another attempt. One about several subjects waits for all of its connection that are being processed, and later
/// ones wait for it; one that failed holds up its own subject only. Each part of the condition uses an index of few rows: begun
/// ones, or those about several.
fn in_turn() -> String {
    let earlier = |more: &str| {
        format!(
            "EXISTS (SELECT 1 FROM inbox AS earlier WHERE earlier.tenant = row.tenant
                AND earlier.connection = row.connection AND earlier.state = 'waiting'
                AND (earlier.received_at, earlier.id) < (row.received_at, row.id) AND {more})"
        )
    };
    let held = format!("earlier.tries > 0 AND NOT {}", lease::IS_FREE);
    format!(
        "AND (row.subject = '' OR (NOT {}
            AND NOT {}
            AND NOT ((row.subject = '{SEVERAL}' OR {}) AND {})))",
        earlier("earlier.subject = row.subject AND earlier.tries > 0"),
        earlier(&format!("earlier.subject = '{SEVERAL}' AND {held}")),
        earlier(&format!("earlier.subject = '{SEVERAL}' AND earlier.tries = 0")),
        earlier(&format!("earlier.subject > '' AND {held}")),
    )
}

/// Leases waiting deliveries of the tenant whose turn has come, without their bodies, in the order in which they came.
pub fn lease(tx: &mut Tx<'_>, by: &Lease<'_>) -> Result<Vec<Delivery>> {
    in_order(lease::lease_whose(tx, (TABLE, WITHOUT_BODY, &in_turn()), by)?)
}

/// Leases waiting deliveries of all tenants whose turn has come, an equal share each, without their bodies, in the order in
/// which they came.
pub fn lease_across(tx: &mut CrossTx<'_>, by: &Lease<'_>) -> Result<Vec<Delivery>> {
    in_order(lease::lease_across_whose(tx, (TABLE, WITHOUT_BODY, &in_turn()), by)?)
}

#[cfg(test)]
pub(crate) fn lease_sql() -> String {
    lease::lease_of_sql((TABLE, WITHOUT_BODY, &in_turn()))
}

/// Deliveries in the order of arrival; a write returns its rows in any order.
fn in_order(rows: Vec<Row>) -> Result<Vec<Delivery>> {
    let mut found = rows.iter().map(without_body).collect::<Result<Vec<_>>>()?;
    found.sort_by(|one, other| (one.received_at, &one.id).cmp(&(other.received_at, &other.id)));
    Ok(found)
}

/// Whether the lease is the holder's and the delivery's turn has come: checked in the transaction of its effect. Where two
/// workers leased at once, the one behind learns it here, and gives the delivery back.
pub fn is_in_turn(tx: &mut Tx<'_>, id: &str, holder: &str, now: Timestamp) -> Result<bool> {
    let sql = format!(
        "SELECT 1 AS one FROM inbox AS row WHERE tenant = $tenant AND id = $id AND holder = $holder AND state = 'waiting' {}",
        in_turn()
    );
    let params = [
        ("id", id.into()),
        ("holder", holder.into()),
        ("now", now.into()),
        ("believed", lease::believed(now).into()),
    ];
    Ok(tx.query_one(&sql, &params)?.is_some())
}

/// Gives back a delivery that was not begun, as if it had not been leased. `false` when the lease was lost.
pub fn release(tx: &mut Tx<'_>, id: &str, holder: &str) -> Result<bool> {
    let done = tx.execute(
        "UPDATE inbox SET lease_until = 0, holder = '', tries = tries - 1
         WHERE tenant = $tenant AND id = $id AND holder = $holder AND state = 'waiting'",
        &[("id", id.into()), ("holder", holder.into())],
    )?;
    Ok(done > 0)
}

/// Whether the lease is still the holder's.
pub fn holds(tx: &mut Tx<'_>, id: &str, holder: &str) -> Result<bool> {
    lease::holds(tx, TABLE, id, holder)
}

/// Marks a delivery done, in the transaction of its effect. `false` when the lease was lost: then roll back.
pub fn finish(tx: &mut Tx<'_>, id: &str, holder: &str, result: &str) -> Result<bool> {
    let done = tx.execute(
        "UPDATE inbox SET state = 'done', result = $result, lease_until = 0, holder = ''
         WHERE tenant = $tenant AND id = $id AND holder = $holder",
        &[("result", result.into()), ("id", id.into()), ("holder", holder.into())],
    )?;
    Ok(done > 0)
}

/// Gives a delivery back for another try.
pub fn fail(tx: &mut Tx<'_>, id: &str, holder: &str, retry_at: Timestamp, reason: &str) -> Result<bool> {
    lease::fail(tx, NOTED, (id, holder), retry_at, reason)
}

/// Sets a poisonous delivery aside.
pub fn park(tx: &mut Tx<'_>, id: &str, holder: &str, reason: &str) -> Result<bool> {
    lease::park(tx, NOTED, (id, holder), reason)
}

/// The delivery with this id.
pub fn load(tx: &mut Tx<'_>, id: &str) -> Result<Option<Delivery>> {
    tx.query_one(
        "SELECT * FROM inbox WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?
    .map(|row| delivery(&row))
    .transpose()
}

/// The waiting deliveries whose ids follow `after`, without their bodies, in the order of ids.
pub fn waiting(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<Delivery>> {
    let sql = format!(
        "SELECT {WITHOUT_BODY} FROM inbox WHERE tenant = $tenant AND state = 'waiting' AND id > $after
         ORDER BY id LIMIT $limit"
    );
    let rows = tx.query(&sql, &[("after", after.into()), ("limit", limit.into())])?;
    rows.iter().map(without_body).collect()
}

/// The tenant's deliveries in a state without their bodies, the newest first.
pub fn list(tx: &mut Tx<'_>, state: &str, limit: i64) -> Result<Vec<Delivery>> {
    let sql = format!(
        "SELECT {WITHOUT_BODY} FROM inbox WHERE tenant = $tenant AND state = $state
         ORDER BY run_at DESC, id DESC LIMIT $limit"
    );
    let rows = tx.query(&sql, &[("state", state.into()), ("limit", limit.into())])?;
    rows.iter().map(without_body).collect()
}

/// Deliveries of a connection without their bodies, the newest first: those in a state, or all, and only those before the
/// one with the id `after`.
pub fn list_of(
    tx: &mut Tx<'_>,
    connection: &str,
    state: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Delivery>> {
    // Each state has its stretch of the index, which ends as soon as enough were found. Over all states at once every
    // delivery that ever came by the connection would be sorted.
    let states = state.map_or_else(|| STATES.to_vec(), |state| vec![state]);
    let sql = list_sql(after.is_some());
    let mut found = Vec::new();
    for state in states {
        let mut params = vec![
            ("connection", connection.into()),
            ("state", state.into()),
            ("limit", limit.into()),
        ];
        params.extend(after.map(|after| ("after", after.into())));
        for row in tx.query(&sql, &params)? {
            found.push(without_body(&row)?);
        }
    }
    found.sort_by(|one, other| other.id.cmp(&one.id));
    found.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(found)
}

pub(crate) fn list_sql(is_cut: bool) -> String {
    let cut = if is_cut { "AND id < $after" } else { "" };
    format!(
        "SELECT {WITHOUT_BODY} FROM inbox WHERE tenant = $tenant AND connection = $connection AND state = $state {cut}
         ORDER BY id DESC LIMIT $limit"
    )
}

/// When the next delivery of any tenant is due.
pub fn next_due(tx: &mut CrossTx<'_>) -> Result<Option<Timestamp>> {
    lease::next_due(tx, TABLE)
}

/// How many deliveries wait and are parked, over all tenants.
pub fn depth(tx: &mut CrossTx<'_>) -> Result<Depth> {
    lease::count_across(tx, TABLE)
}

fn delivery(row: &Row) -> Result<Delivery> {
    Ok(Delivery {
        body: row.bytes("body")?,
        ..without_body(row)?
    })
}

fn without_body(row: &Row) -> Result<Delivery> {
    Ok(Delivery {
        tenant: row.text("tenant")?,
        id: row.text("id")?,
        connection: row.text("connection")?,
        delivery_id: row.text("delivery_id")?,
        body_digest: row.text("body_digest")?,
        event: row.text("event")?,
        subject: row.text("subject")?,
        received_at: row.time("received_at")?,
        body: Vec::new(),
        tries: row.int("tries")?,
        state: row.text("state")?,
        reason: row.opt_text("reason")?,
        result: row.opt_text("result")?,
        mac: row.opt_bytes("mac")?,
        trace: row.opt_text("trace")?,
    })
}

/// Deliveries that were turned away: how often, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turned {
    /// A stable code.
    pub code: String,
    /// One sentence.
    pub text: String,
    /// How often.
    pub count: i64,
    /// The first time.
    pub first_at: Timestamp,
    /// The last time.
    pub last_at: Timestamp,
}

/// Counts a delivery that was turned away; nothing else of it is kept.
pub fn turn_away(tx: &mut Tx<'_>, connection: &str, (code, text): (&str, &str), now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO delivery_refusal (tenant, connection, code, text, count, first_at, last_at)
         VALUES ($tenant, $connection, $code, $text, 1, $now, $now)
         ON CONFLICT (tenant, connection, code)
         DO UPDATE SET count = delivery_refusal.count + 1, last_at = $now, text = $text",
        &[
            ("connection", connection.into()),
            ("code", code.into()),
            ("text", text.into()),
            ("now", now.into()),
        ],
    )?;
    Ok(())
}

/// The refused deliveries at a connection, by reason.
pub fn turned_away(tx: &mut Tx<'_>, connection: &str) -> Result<Vec<Turned>> {
    tx.query(
        "SELECT * FROM delivery_refusal WHERE tenant = $tenant AND connection = $connection ORDER BY code",
        &[("connection", connection.into())],
    )?
    .iter()
    .map(|row| {
        Ok(Turned {
            code: row.text("code")?,
            text: row.text("text")?,
            count: row.int("count")?,
            first_at: row.time("first_at")?,
            last_at: row.time("last_at")?,
        })
    })
    .collect()
}

/// Reads a delivery once more, as if it had just come; `mac` is the code of who has it read. `false` when there is none.
pub fn again(tx: &mut Tx<'_>, id: &str, run_at: Timestamp, mac: &[u8]) -> Result<bool> {
    let done = tx.execute(
        "UPDATE inbox SET state = 'waiting', run_at = $run_at, tries = 0, reason = NULL, mac = $mac
         WHERE tenant = $tenant AND id = $id AND state <> 'waiting'",
        &[("run_at", run_at.into()), ("id", id.into()), ("mac", mac.into())],
    )?;
    Ok(done > 0)
}

/// A connection's deliveries, the newest first.
pub fn of_connection(tx: &mut Tx<'_>, connection: &str, limit: i64) -> Result<Vec<Delivery>> {
    tx.query(
        "SELECT * FROM inbox WHERE tenant = $tenant AND connection = $connection
         ORDER BY id DESC LIMIT $limit",
        &[("connection", connection.into()), ("limit", limit.into())],
    )?
    .iter()
    .map(delivery)
    .collect()
}

/// Takes one delivery, unless another worker has it.
pub fn take(tx: &mut Tx<'_>, id: &str, holder: &str, now: Timestamp) -> Result<bool> {
    let sql = format!(
        "UPDATE inbox SET holder = $holder, tries = tries + 1
         WHERE tenant = $tenant AND id = $id AND state = 'waiting' AND {}",
        lease::IS_FREE
    );
    let params = [
        ("id", id.into()),
        ("holder", holder.into()),
        ("now", now.into()),
        ("believed", lease::believed(now).into()),
    ];
    let done = tx.execute(&sql, &params)?;
    Ok(done > 0)
}
