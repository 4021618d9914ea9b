//! The projection of changes for figures: one row per change, whose body has the values that figures count.

use jiff::Timestamp;

use crate::error::Result;
use crate::tx::Tx;
use crate::value::Row;

/// A row of the projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRow {
    /// The change.
    pub change_id: String,
    /// The version of the change that the row was computed from.
    pub version: i64,
    /// The number in its key.
    pub number: i64,
    /// When the change was created.
    pub created_at: Timestamp,
    /// The last time that some figure counts it by.
    pub moved_at: Timestamp,
    /// When its work ended, once it has an outcome: lists of changes filter by it.
    pub ended_at: Option<Timestamp>,
    /// The values that figures count, as JSON.
    pub body: String,
}

fn read(row: &Row) -> Result<OutcomeRow> {
    Ok(OutcomeRow {
        change_id: row.text("change_id")?,
        version: row.int("version")?,
        number: row.int("number")?,
        created_at: row.time("created_at")?,
        moved_at: row.time("moved_at")?,
        ended_at: row.opt_time("ended_at")?,
        body: row.text("body")?,
    })
}

/// The row of a change.
pub fn find(tx: &mut Tx<'_>, change_id: &str) -> Result<Option<OutcomeRow>> {
    let found = tx.query_one(
        "SELECT change_id, version, number, created_at, moved_at, ended_at, body FROM change_outcome
         WHERE tenant = $tenant AND change_id = $change_id",
        &[("change_id", change_id.into())],
    )?;
    found.as_ref().map(read).transpose()
}

/// Saves the row of a change in place of the one before.
pub fn save(tx: &mut Tx<'_>, row: &OutcomeRow) -> Result<()> {
    tx.execute(
        "INSERT INTO change_outcome (tenant, change_id, version, number, created_at, moved_at, ended_at, body)
         VALUES ($tenant, $change_id, $version, $number, $created_at, $moved_at, $ended_at, $body)
         ON CONFLICT (tenant, change_id) DO UPDATE SET version = $version, number = $number, created_at = $created_at,
            moved_at = $moved_at, ended_at = $ended_at, body = $body",
        &[
            ("change_id", row.change_id.as_str().into()),
            ("version", row.version.into()),
            ("number", row.number.into()),
            ("created_at", row.created_at.into()),
            ("moved_at", row.moved_at.into()),
            ("ended_at", row.ended_at.into()),
            ("body", row.body.as_str().into()),
        ],
    )?;
    Ok(())
}

/// The rows of the changes that were created before a time and moved at another one or later, by when they moved; at most `limit`.
pub fn list(tx: &mut Tx<'_>, moved_from: Timestamp, created_before: Timestamp, limit: i64) -> Result<Vec<OutcomeRow>> {
    let found = tx.query(
        "SELECT change_id, version, number, created_at, moved_at, ended_at, body FROM change_outcome
         WHERE tenant = $tenant AND moved_at >= $from AND created_at < $to ORDER BY moved_at, number LIMIT $limit",
        &[
            ("from", moved_from.into()),
            ("to", created_before.into()),
            ("limit", limit.into()),
        ],
    )?;
    found.iter().map(read).collect()
}

/// What [`list`] lists, without the changes of which no figure counts more than that they were written.
pub fn list_moved(
    tx: &mut Tx<'_>,
    moved_from: Timestamp,
    created_before: Timestamp,
    limit: i64,
) -> Result<Vec<OutcomeRow>> {
    let found = tx.query(
        "SELECT change_id, version, number, created_at, moved_at, ended_at, body FROM change_outcome
         WHERE tenant = $tenant AND moved_at >= $from AND created_at < $to
             AND (moved_at > created_at OR ended_at IS NOT NULL) ORDER BY moved_at, number LIMIT $limit",
        &[
            ("from", moved_from.into()),
            ("to", created_before.into()),
            ("limit", limit.into()),
        ],
    )?;
    found.iter().map(read).collect()
}

/// What [`cut`] tells, of the rows of [`list_moved`].
pub fn cut_moved(
    tx: &mut Tx<'_>,
    moved_from: Timestamp,
    created_before: Timestamp,
    most: i64,
) -> Result<Option<Timestamp>> {
    let found = tx.query_one(
        "SELECT moved_at FROM change_outcome
         WHERE tenant = $tenant AND moved_at >= $from AND created_at < $to
             AND (moved_at > created_at OR ended_at IS NOT NULL)
         ORDER BY moved_at DESC, number DESC LIMIT 1 OFFSET $most",
        &[
            ("from", moved_from.into()),
            ("to", created_before.into()),
            ("most", most.into()),
        ],
    )?;
    found.map(|row| row.time("moved_at")).transpose()
}

/// When the newest row moved that does not fit beside the `most` rows that moved after it, of those of [`list`]; `None` where all
/// fit.
pub fn cut(tx: &mut Tx<'_>, moved_from: Timestamp, created_before: Timestamp, most: i64) -> Result<Option<Timestamp>> {
    let found = tx.query_one(
        "SELECT moved_at FROM change_outcome
         WHERE tenant = $tenant AND moved_at >= $from AND created_at < $to
         ORDER BY moved_at DESC, number DESC LIMIT 1 OFFSET $most",
        &[
            ("from", moved_from.into()),
            ("to", created_before.into()),
            ("most", most.into()),
        ],
    )?;
    found.map(|row| row.time("moved_at")).transpose()
}

/// The rows of changes of one kind that were created between two times, by number; at most `limit`.
pub fn list_of_kind(
    tx: &mut Tx<'_>,
    kind: &str,
    (from, to): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<OutcomeRow>> {
    let found = tx.query(
        "SELECT o.change_id, o.version, o.number, o.created_at, o.moved_at, o.ended_at, o.body
         FROM \"change\" c JOIN change_outcome o ON o.tenant = c.tenant AND o.change_id = c.id
         WHERE c.tenant = $tenant AND c.kind = $kind AND o.created_at >= $from AND o.created_at < $to
         ORDER BY c.number LIMIT $limit",
        &[
            ("kind", kind.into()),
            ("from", from.into()),
            ("to", to.into()),
            ("limit", limit.into()),
        ],
    )?;
    found.iter().map(read).collect()
}

/// The rows of missing changes, by id: there is none unless the database was written past the server. At most `limit`.
pub fn list_orphans(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<String>> {
    let found = tx.query(
        "SELECT o.change_id FROM change_outcome o WHERE o.tenant = $tenant AND NOT EXISTS
            (SELECT 1 FROM \"change\" c WHERE c.tenant = o.tenant AND c.id = o.change_id)
         ORDER BY o.change_id LIMIT $limit",
        &[("limit", limit.into())],
    )?;
    found.iter().map(|row| row.text("change_id")).collect()
}

/// Removes all rows of the tenant, so that a projection restarts.
pub fn delete_all(tx: &mut Tx<'_>) -> Result<()> {
    tx.execute("DELETE FROM change_outcome WHERE tenant = $tenant", &[])?;
    tx.execute(
        "DELETE FROM projection WHERE tenant = $tenant AND (name = 'change_outcome' OR name LIKE 'change_outcome/%')",
        &[],
    )?;
    Ok(())
}
