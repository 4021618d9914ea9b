//! Dependencies of acts that wait for their places in the log, beyond the records that they wrote: the versions that each read,
//! and its other writes. Operational: the order of the log is kept by the log itself once an act has its place.

use crate::audit::record_ref::RecordRef;
use crate::error::Result;
use crate::tx::Tx;
use crate::value::Row;

/// The name of the estate's counter ([`crate::counter::DIRECTORY`]) among tables. Its values are versions.
pub const ESTATE: &str = "estate";

/// A version that an act read, or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedVersion {
    /// The version.
    pub record: RecordRef,
    /// Whether the act made this version. Otherwise the act read this version, and wrote no later one.
    pub made: bool,
}

/// Stores it for the act with this first event; at most once a record.
pub fn insert(tx: &mut Tx<'_>, first_event: &str, standing: &UsedVersion) -> Result<()> {
    tx.execute(
        "INSERT INTO act_order (tenant, event_id, table_name, record_id, version, made)
         VALUES ($tenant, $event, $table, $id, $version, $made)",
        &[
            ("event", first_event.into()),
            ("table", standing.record.table.as_str().into()),
            ("id", standing.record.id.as_str().into()),
            ("version", standing.record.version.into()),
            ("made", standing.made.into()),
        ],
    )?;
    Ok(())
}

/// The notes of events from one to another, both included, in the order of events: each with its event.
pub fn between(tx: &mut Tx<'_>, first: &str, last: &str) -> Result<Vec<(String, UsedVersion)>> {
    tx.query(
        "SELECT event_id, table_name, record_id, version, made FROM act_order
         WHERE tenant = $tenant AND event_id >= $first AND event_id <= $last ORDER BY event_id, table_name, record_id",
        &[("first", first.into()), ("last", last.into())],
    )?
    .iter()
    .map(|row| Ok((row.text("event_id")?, read(row)?)))
    .collect()
}

/// Whether an act without a place whose first event follows `after` read (or made) a version of this record that is earlier
/// than the named one.
pub fn is_beyond(tx: &mut Tx<'_>, after: &str, earlier_than: &UsedVersion) -> Result<bool> {
    let found = tx.query_one(
        "SELECT o.event_id AS id FROM act_order o JOIN event e ON e.tenant = o.tenant AND e.id = o.event_id
         WHERE o.tenant = $tenant AND o.table_name = $table AND o.record_id = $id AND o.made = $made
         AND o.version < $version AND o.event_id > $after AND e.seq IS NULL LIMIT 1",
        &[
            ("table", earlier_than.record.table.as_str().into()),
            ("id", earlier_than.record.id.as_str().into()),
            ("made", earlier_than.made.into()),
            ("version", earlier_than.record.version.into()),
            ("after", after.into()),
        ],
    )?;
    Ok(found.is_some())
}

/// Removes the notes of events before this one: the first that waits for its place.
pub fn forget_before(tx: &mut Tx<'_>, first_waiting: &str) -> Result<()> {
    tx.execute(
        "DELETE FROM act_order WHERE tenant = $tenant AND event_id < $first",
        &[("first", first_waiting.into())],
    )?;
    Ok(())
}

fn read(row: &Row) -> Result<UsedVersion> {
    Ok(UsedVersion {
        record: RecordRef::read(row)?,
        made: row.bool("made")?,
    })
}
