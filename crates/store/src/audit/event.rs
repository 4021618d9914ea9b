//! Events: written by acts in the transaction of their state, placed in the log later by the sequencer.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

pub use crate::audit::record_ref::RecordRef;
use crate::audit::{act_order, bundle};
use crate::error::Result;
use crate::tx::{CrossTx, Tx};
use crate::value::{Row, Value};

/// How many of the events that wait for their place are read at once.
const PAGE_OF_WAITING: i64 = 1_000;

/// An event to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent<'a> {
    /// A new id; ids grow with time.
    pub id: &'a str,
    /// The id of the act, shared by its events.
    pub act: &'a str,
    /// `change.approved`.
    pub kind: &'a str,
    /// The table of its subject.
    pub subject_table: &'a str,
    /// The subject's id.
    pub subject_id: &'a str,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// The canonical JSON: the log's leaf.
    pub bytes: &'a [u8],
    /// The versions of records that it made.
    pub records: &'a [RecordRef],
    /// The code under the master key which proves, until the event has its place, that a server wrote it.
    pub mac: &'a [u8],
}

/// An event as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// Its index in the tenant's log, once it is placed.
    pub seq: Option<i64>,
    /// The act.
    pub act: String,
    /// The kind of event.
    pub kind: String,
    /// The table of its subject.
    pub subject_table: String,
    /// The subject's id.
    pub subject_id: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// The log's leaf; from [`rows`] nothing once the event's bundle is full.
    pub bytes: Vec<u8>,
}

impl Event {
    /// Its position in the order of the log: by its index, and after all events with an index by its id.
    pub fn place(&self) -> (i64, &str) {
        (self.seq.unwrap_or(i64::MAX), &self.id)
    }
}

/// The ids of the records of a table of which a version was made by an event that waits for its place. It reads the events
/// that wait a page at a time.
pub fn records_unsequenced(tx: &mut Tx<'_>, table: &str) -> Result<BTreeSet<String>> {
    let (mut found, mut after) = (BTreeSet::new(), String::new());
    loop {
        let rows = tx.query(
            "SELECT e.id AS event, r.record_id AS record
             FROM (SELECT id FROM event WHERE tenant = $tenant AND seq IS NULL AND id > $after ORDER BY id LIMIT $limit) e
             LEFT JOIN event_record r ON r.tenant = $tenant AND r.event_id = e.id AND r.table_name = $table
             ORDER BY e.id",
            &[
                ("table", table.into()),
                ("after", after.as_str().into()),
                ("limit", PAGE_OF_WAITING.into()),
            ],
        )?;
        let Some(last) = rows.last() else {
            return Ok(found);
        };
        after = last.text("event")?;
        for row in &rows {
            found.extend(row.opt_text("record")?);
        }
    }
}

/// Writes an event. `Conflict` in `event_record` when another event made the same version of a record.
pub fn append(tx: &mut Tx<'_>, event: &NewEvent<'_>) -> Result<()> {
    let trace = tx.trace();
    tx.execute(
        "INSERT INTO event (tenant, id, act, kind, subject_table, subject_id, occurred_at, recorded_at, bytes, mac, trace)
         VALUES ($tenant, $id, $act, $kind, $subject_table, $subject_id, $occurred_at, $recorded_at, $bytes, $mac, $trace)",
        &[
            ("id", event.id.into()),
            ("act", event.act.into()),
            ("kind", event.kind.into()),
            ("subject_table", event.subject_table.into()),
            ("subject_id", event.subject_id.into()),
            ("occurred_at", event.occurred_at.into()),
            ("recorded_at", event.recorded_at.into()),
            ("bytes", event.bytes.into()),
            ("mac", event.mac.into()),
            ("trace", trace),
        ],
    )?;
    for record in event.records {
        tx.execute(
            "INSERT INTO event_record (tenant, event_id, table_name, record_id, version)
             VALUES ($tenant, $event, $table, $id, $version)",
            &[
                ("event", event.id.into()),
                ("table", record.table.as_str().into()),
                ("id", record.id.as_str().into()),
                ("version", record.version.into()),
            ],
        )?;
    }
    Ok(())
}

/// An event without a place, and its dependencies on others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The event.
    pub event: Event,
    /// The code under the master key with which it was written; none where no server wrote it.
    pub mac: Option<Vec<u8>>,
    /// The versions that it made.
    pub made: Vec<RecordRef>,
    /// The versions that its act read, on the act's first event.
    pub read: Vec<RecordRef>,
}

/// Events without a place, in the order of ids. A record's earlier version may come after a later one, as servers' clocks
/// differ: the sequencer sorts by the versions that events made and read.
pub fn unsequenced(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Waiting>> {
    let params = [("limit", limit.into())];
    let rows = tx.query(
        "SELECT * FROM event WHERE tenant = $tenant AND seq IS NULL ORDER BY id LIMIT $limit",
        &params,
    )?;
    let events: Vec<(Event, Option<Vec<u8>>)> = rows
        .iter()
        .map(|row| Ok((read(row)?, row.opt_bytes("mac")?)))
        .collect::<Result<_>>()?;
    let made = tx.query(
        "SELECT event_id, table_name, record_id, version FROM event_record
         WHERE tenant = $tenant AND event_id IN
            (SELECT id FROM event WHERE tenant = $tenant AND seq IS NULL ORDER BY id LIMIT $limit)
         ORDER BY event_id, table_name, record_id",
        &params,
    )?;
    let mut records: HashMap<String, (Vec<RecordRef>, Vec<RecordRef>)> = HashMap::new();
    for row in &made {
        let (made, _) = records.entry(row.text("event_id")?).or_default();
        made.push(RecordRef::read(row)?);
    }
    let standing = match (events.first(), events.last()) {
        (Some((first, _)), Some((last, _))) => act_order::between(tx, &first.id, &last.id)?,
        _ => Vec::new(),
    };
    for (event, standing) in standing {
        let (made, read) = records.entry(event).or_default();
        if standing.made { made } else { read }.push(standing.record);
    }
    let waiting = events.into_iter().map(|(event, mac)| {
        let (made, read) = records.remove(&event.id).unwrap_or_default();
        Waiting { event, mac, made, read }
    });
    Ok(waiting.collect())
}

/// The events of the same act before this one, the nearest first. An act's id is older than those of its events.
pub fn before_in_act(tx: &mut Tx<'_>, event: &Event) -> Result<Vec<Event>> {
    read_all(
        tx,
        "SELECT * FROM event WHERE tenant = $tenant AND id > $act AND id < $id AND act = $act ORDER BY id DESC",
        &[("act", event.act.as_str().into()), ("id", event.id.as_str().into())],
    )
}

/// The versions of records that an event made.
pub fn records_of(tx: &mut Tx<'_>, event_id: &str) -> Result<Vec<RecordRef>> {
    tx.query(
        "SELECT table_name, record_id, version FROM event_record
         WHERE tenant = $tenant AND event_id = $event ORDER BY table_name, record_id",
        &[("event", event_id.into())],
    )?
    .iter()
    .map(RecordRef::read)
    .collect()
}

/// The versions that the events of the indexes from `from` to before `end` made, by the id of the event.
pub fn records_between(tx: &mut Tx<'_>, from: i64, end: i64) -> Result<HashMap<String, Vec<RecordRef>>> {
    let rows = tx.query(
        "SELECT r.event_id, r.table_name, r.record_id, r.version
         FROM event e JOIN event_record r ON r.tenant = e.tenant AND r.event_id = e.id
         WHERE e.tenant = $tenant AND e.seq >= $from AND e.seq < $end ORDER BY e.seq",
        &[("from", from.into()), ("end", end.into())],
    )?;
    let mut found: HashMap<String, Vec<RecordRef>> = HashMap::new();
    for row in &rows {
        found
            .entry(row.text("event_id")?)
            .or_default()
            .push(RecordRef::read(row)?);
    }
    Ok(found)
}

/// Ids of events that versions of records name and that have no row, at most so many. Such a version is taken, so that nobody
/// can write it any more.
pub fn named_without_row(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<String>> {
    tx.query(
        "SELECT DISTINCT r.event_id AS id FROM event_record r
         WHERE r.tenant = $tenant AND NOT EXISTS (SELECT 1 FROM event e WHERE e.tenant = r.tenant AND e.id = r.event_id)
         ORDER BY id LIMIT $limit",
        &[("limit", limit.into())],
    )?
    .iter()
    .map(|row| row.text("id"))
    .collect()
}

/// The acts of the next `limit` events without a place whose ids follow `after`.
pub fn acts_unsequenced(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<BTreeSet<String>> {
    tx.query(
        "SELECT act FROM event WHERE tenant = $tenant AND seq IS NULL AND id > $after ORDER BY id LIMIT $limit",
        &[("after", after.into()), ("limit", limit.into())],
    )?
    .iter()
    .map(|row| row.text("act"))
    .collect()
}

/// Events without a place that made earlier versions of this record than the named one: they must get their places first.
pub fn earlier_unsequenced(tx: &mut Tx<'_>, record: &RecordRef) -> Result<Vec<String>> {
    tx.query(
        "SELECT r.event_id AS id FROM event_record r
         JOIN event e ON e.tenant = r.tenant AND e.id = r.event_id
         WHERE r.tenant = $tenant AND r.table_name = $table AND r.record_id = $id AND r.version < $version
         AND e.seq IS NULL ORDER BY r.version",
        &[
            ("table", record.table.as_str().into()),
            ("id", record.id.as_str().into()),
            ("version", record.version.into()),
        ],
    )?
    .iter()
    .map(|row| row.text("id"))
    .collect()
}

/// Gives an event its place; from then on the signed log vouches for the event, and no code does. `false` when the event has a
/// place already. `Conflict` when the place is taken.
pub fn sequence(tx: &mut Tx<'_>, id: &str, seq: i64) -> Result<bool> {
    let done = tx.execute(
        "UPDATE event SET seq = $seq, mac = NULL WHERE tenant = $tenant AND id = $id AND seq IS NULL",
        &[("seq", seq.into()), ("id", id.into())],
    )?;
    Ok(done > 0)
}

/// Placed events from an index on.
pub fn page(tx: &mut Tx<'_>, from: i64, limit: i64) -> Result<Vec<Event>> {
    read_all(
        tx,
        "SELECT * FROM event WHERE tenant = $tenant AND seq >= $from ORDER BY seq LIMIT $limit",
        &[("from", from.into()), ("limit", limit.into())],
    )
}

/// The rows of placed events from an index on as stored: without the bytes that are in bundles.
pub fn rows(tx: &mut Tx<'_>, from: i64, limit: i64) -> Result<Vec<Event>> {
    let found = tx.query(
        "SELECT * FROM event WHERE tenant = $tenant AND seq >= $from ORDER BY seq LIMIT $limit",
        &[("from", from.into()), ("limit", limit.into())],
    )?;
    found.iter().map(read).collect()
}

/// The row that claims an index, as stored.
pub fn row_at(tx: &mut Tx<'_>, seq: i64) -> Result<Option<Event>> {
    let found = tx.query(
        "SELECT * FROM event WHERE tenant = $tenant AND seq = $seq",
        &[("seq", seq.into())],
    )?;
    found.first().map(read).transpose()
}

/// The bytes that the rows of the indexes from `from` to before `end` hold, each with its index, in their order.
pub fn leaves(tx: &mut Tx<'_>, from: i64, end: i64) -> Result<Vec<(i64, Vec<u8>)>> {
    tx.query(
        "SELECT seq, bytes FROM event WHERE tenant = $tenant AND seq >= $from AND seq < $end ORDER BY seq",
        &[("from", from.into()), ("end", end.into())],
    )?
    .iter()
    .map(|row| Ok((row.int("seq")?, row.bytes("bytes")?)))
    .collect()
}

/// Placed events between two indexes, the newest first, with a kind that matches a pattern of `LIKE`; `%` matches all. The scan
/// reads no more than lies between the two.
pub fn page_below(tx: &mut Tx<'_>, from: i64, before: i64, pattern: &str) -> Result<Vec<Event>> {
    read_all(
        tx,
        "SELECT * FROM event WHERE tenant = $tenant AND seq >= $from AND seq < $before AND kind LIKE $pattern ORDER BY seq DESC",
        &[
            ("from", from.into()),
            ("before", before.into()),
            ("pattern", pattern.into()),
        ],
    )
}

/// Placed events of these kinds between two indexes, the newest first. The scan reads no more than lies between the two.
pub fn page_of_kinds(tx: &mut Tx<'_>, from: i64, before: i64, kinds: [&str; 3]) -> Result<Vec<Event>> {
    let [one, two, three] = kinds;
    read_all(
        tx,
        "SELECT * FROM event WHERE tenant = $tenant AND seq >= $from AND seq < $before AND kind IN ($one, $two, $three)
         ORDER BY seq DESC",
        &[
            ("from", from.into()),
            ("before", before.into()),
            ("one", one.into()),
            ("two", two.into()),
            ("three", three.into()),
        ],
    )
}

/// The newest placed events about a subject below an index, at most `limit`.
pub fn of_subject_below(tx: &mut Tx<'_>, (table, id): (&str, &str), before: i64, limit: i64) -> Result<Vec<Event>> {
    read_all(
        tx,
        "SELECT * FROM event WHERE tenant = $tenant AND subject_table = $table AND subject_id = $id AND seq < $before
         ORDER BY id DESC LIMIT $limit",
        &[
            ("table", table.into()),
            ("id", id.into()),
            ("before", before.into()),
            ("limit", limit.into()),
        ],
    )
}

/// The newest events about a subject, placed or not, at most `limit`.
pub fn latest_of_subject(tx: &mut Tx<'_>, (table, id): (&str, &str), limit: i64) -> Result<Vec<Event>> {
    read_all(
        tx,
        "SELECT * FROM event WHERE tenant = $tenant AND subject_table = $table AND subject_id = $id ORDER BY id DESC LIMIT $limit",
        &[("table", table.into()), ("id", id.into()), ("limit", limit.into())],
    )
}

/// When the event at an index was written down.
pub fn recorded_at(tx: &mut Tx<'_>, seq: i64) -> Result<Option<Timestamp>> {
    let rows = tx.query(
        "SELECT recorded_at FROM event WHERE tenant = $tenant AND seq = $seq",
        &[("seq", seq.into())],
    )?;
    rows.first().map(|row| row.time("recorded_at")).transpose()
}

/// All events about a subject, in the order of ids: its timeline.
pub fn of_subject(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<Vec<Event>> {
    read_all(
        tx,
        "SELECT * FROM event WHERE tenant = $tenant AND subject_table = $table AND subject_id = $id ORDER BY id",
        &[("table", table.into()), ("id", id.into())],
    )
}

/// The kinds and times of the events about a subject that are of one of these kinds, in the order of ids.
pub fn moments_of_subject(
    tx: &mut Tx<'_>,
    (table, id): (&str, &str),
    kinds: &[&str],
) -> Result<Vec<(String, Timestamp)>> {
    let rows = tx.query(
        "SELECT kind, occurred_at FROM event
         WHERE tenant = $tenant AND subject_table = $table AND subject_id = $id ORDER BY id",
        &[("table", table.into()), ("id", id.into())],
    )?;
    let mut moments = Vec::new();
    for row in rows {
        let kind = row.text("kind")?;
        if kinds.is_empty() || kinds.contains(&kind.as_str()) {
            moments.push((kind, row.time("occurred_at")?));
        }
    }
    Ok(moments)
}

/// How many events of a kind about a subject occurred from a moment on.
pub fn count_of_subject(tx: &mut Tx<'_>, (table, id): (&str, &str), kind: &str, since: Timestamp) -> Result<i64> {
    tx.query(
        "SELECT count(*) AS it FROM event
         WHERE tenant = $tenant AND subject_table = $table AND subject_id = $id AND kind = $kind AND occurred_at >= $since",
        &[
            ("table", table.into()),
            ("id", id.into()),
            ("kind", kind.into()),
            ("since", since.into()),
        ],
    )?
    .first()
    .map_or(Ok(0), |row| row.int("it"))
}

/// The ids of the subjects of events in a table, in order.
pub fn subjects(tx: &mut Tx<'_>, table: &str) -> Result<Vec<String>> {
    let rows = tx.query(
        "SELECT DISTINCT subject_id FROM event WHERE tenant = $tenant AND subject_table = $table ORDER BY subject_id",
        &[("table", table.into())],
    )?;
    rows.iter().map(|row| row.text("subject_id")).collect()
}

/// The acts with events of these kinds about a subject.
pub fn acts_about(tx: &mut Tx<'_>, (table, id): (&str, &str), kinds: &[&str]) -> Result<BTreeSet<String>> {
    let rows = tx.query(
        "SELECT act, kind FROM event WHERE tenant = $tenant AND subject_table = $table AND subject_id = $id",
        &[("table", table.into()), ("id", id.into())],
    )?;
    let mut acts = BTreeSet::new();
    for row in rows {
        if kinds.contains(&row.text("kind")?.as_str()) {
            acts.insert(row.text("act")?);
        }
    }
    Ok(acts)
}

/// The events that made the versions of a record, in the order of versions.
pub fn of_record(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<Vec<Event>> {
    read_all(
        tx,
        "SELECT e.* FROM event_record r JOIN event e ON e.tenant = r.tenant AND e.id = r.event_id
         WHERE r.tenant = $tenant AND r.table_name = $table AND r.record_id = $id ORDER BY r.version",
        &[("table", table.into()), ("id", id.into())],
    )
}

/// The events that wrote the versions of a record below this one, in the order of the versions.
pub fn of_versions_below(tx: &mut Tx<'_>, table: &str, id: &str, version: i64) -> Result<Vec<Event>> {
    read_all(
        tx,
        "SELECT e.* FROM event_record r JOIN event e ON e.tenant = r.tenant AND e.id = r.event_id
         WHERE r.tenant = $tenant AND r.table_name = $table AND r.record_id = $id AND r.version < $version
         ORDER BY r.version",
        &[("table", table.into()), ("id", id.into()), ("version", version.into())],
    )
}

/// When a version of a record was written; `None` where no event shows it.
pub fn written_at(tx: &mut Tx<'_>, (table, id): (&str, &str), version: i64) -> Result<Option<Timestamp>> {
    tx.query_one(
        "SELECT e.recorded_at FROM event_record r JOIN event e ON e.tenant = r.tenant AND e.id = r.event_id
         WHERE r.tenant = $tenant AND r.table_name = $table AND r.record_id = $id AND r.version = $version",
        &[("table", table.into()), ("id", id.into()), ("version", version.into())],
    )?
    .map(|row| row.time("recorded_at"))
    .transpose()
}

/// The event with this id.
pub fn load(tx: &mut Tx<'_>, id: &str) -> Result<Option<Event>> {
    let events = read_all(
        tx,
        "SELECT * FROM event WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?;
    Ok(events.into_iter().next())
}

/// The least id that an event which is written at a time may have: an id is a UUIDv7, which begins with the milliseconds since 1970
/// (RFC 9562, section 5.7).
#[must_use]
pub fn first_id(at: Timestamp) -> String {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
    let digits = format!("{millis:012x}");
    let (high, low) = digits.split_at(digits.len() - 4);
    format!("{high}-{low}")
}

/// Whether an event was written from `from` to before `end`.
pub fn has_between(tx: &mut Tx<'_>, from: Timestamp, end: Timestamp) -> Result<bool> {
    let found = tx.query(
        "SELECT id FROM event WHERE tenant = $tenant AND id >= $first AND id < $end ORDER BY id LIMIT 1",
        &[
            ("first", first_id(from).as_str().into()),
            ("end", first_id(end).as_str().into()),
        ],
    )?;
    Ok(!found.is_empty())
}

/// The ids of the newest `limit` events without a place.
pub fn ids_unsequenced(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<String>> {
    tx.query(
        "SELECT id FROM event WHERE tenant = $tenant AND seq IS NULL ORDER BY id DESC LIMIT $limit",
        &[("limit", limit.into())],
    )?
    .iter()
    .map(|row| row.text("id"))
    .collect()
}

/// How many events of the tenant wait for a place.
pub fn count_unsequenced(tx: &mut Tx<'_>) -> Result<i64> {
    tx.query(
        "SELECT count(*) AS it FROM event WHERE tenant = $tenant AND seq IS NULL",
        &[],
    )?
    .first()
    .map_or(Ok(0), |row| row.int("it"))
}

/// The tenants that have events without a place.
pub fn tenants_unsequenced(tx: &mut CrossTx<'_>) -> Result<Vec<String>> {
    tx.query(
        "SELECT DISTINCT tenant FROM event WHERE seq IS NULL ORDER BY tenant",
        &[],
    )?
    .iter()
    .map(|row| row.text("tenant"))
    .collect()
}

/// Stores a payload that an event names only by digest: a long text or the facts of a decision.
pub fn save_payload(tx: &mut Tx<'_>, event_id: &str, digest: &str, bytes: &[u8]) -> Result<()> {
    tx.execute(
        "INSERT INTO event_payload (tenant, event_id, digest, bytes) VALUES ($tenant, $event, $digest, $bytes)
         ON CONFLICT DO NOTHING",
        &[
            ("event", event_id.into()),
            ("digest", digest.into()),
            ("bytes", bytes.into()),
        ],
    )?;
    Ok(())
}

/// The payloads that an event names by digest: digest and bytes.
pub fn payloads(tx: &mut Tx<'_>, event_id: &str) -> Result<Vec<(String, Vec<u8>)>> {
    tx.query(
        "SELECT digest, bytes FROM event_payload WHERE tenant = $tenant AND event_id = $event ORDER BY digest",
        &[("event", event_id.into())],
    )?
    .iter()
    .map(|row| Ok((row.text("digest")?, row.bytes("bytes")?)))
    .collect()
}

fn read_all(tx: &mut Tx<'_>, sql: &str, params: &[(&str, Value)]) -> Result<Vec<Event>> {
    let mut events: Vec<Event> = tx.query(sql, params)?.iter().map(read).collect::<Result<_>>()?;
    let emptied = events.iter_mut().filter(|event| event.bytes.is_empty());
    let emptied = emptied.filter_map(|event| {
        Some(bundle::Emptied {
            seq: event.seq?,
            id: &event.id,
            bytes: &mut event.bytes,
        })
    });
    bundle::fill(tx, emptied)?;
    Ok(events)
}

fn read(row: &Row) -> Result<Event> {
    Ok(Event {
        id: row.text("id")?,
        seq: row.opt_int("seq")?,
        act: row.text("act")?,
        kind: row.text("kind")?,
        subject_table: row.text("subject_table")?,
        subject_id: row.text("subject_id")?,
        occurred_at: row.time("occurred_at")?,
        recorded_at: row.time("recorded_at")?,
        bytes: row.bytes("bytes")?,
    })
}
