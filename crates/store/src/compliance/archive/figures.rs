//! The due changes, the content of the archive, and the files that nothing names any more.

use jiff::Timestamp;

use super::{fill, place};
use crate::bucket::SharedBucket;
use crate::error::{Error, Result};
use crate::tx::{CrossTx, Tx};
use crate::value::Row;

/// Exactly the condition of the index `change_to_archive`, and the query's own.
pub(crate) const TO_ARCHIVE: &str = "SELECT id FROM \"change\"
    WHERE tenant = $tenant AND state IN ('closed', 'cancelled') AND substr(body, 1, 1) = '{' AND updated_at < $before
    ORDER BY updated_at, id LIMIT $limit";

/// How much is kept of a tenant's changes in the archive, or of all tenants'.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ArchiveState {
    /// Changes.
    pub changes: i64,
    /// Segments.
    pub segments: i64,
    /// Bytes of the segments, compressed.
    pub size: i64,
    /// The same opened.
    pub plain: i64,
    /// When changes were last moved into it.
    pub moved_at: Option<Timestamp>,
}

/// The ids of changes that ended, were last saved before `before`, and are not archived; the oldest first.
///
/// # Errors
/// The engine's.
pub fn due(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<Vec<String>> {
    tx.query(TO_ARCHIVE, &[("before", before.into()), ("limit", limit.into())])?
        .iter()
        .map(|row| row.text("id"))
        .collect()
}

/// How many changes are due, counted up to `most`.
///
/// # Errors
/// The engine's.
pub fn waiting(tx: &mut Tx<'_>, before: Timestamp, most: i64) -> Result<i64> {
    let sql = format!("SELECT count(*) AS it FROM ({TO_ARCHIVE}) AS due");
    tx.query_one(&sql, &[("before", before.into()), ("limit", most.into())])?
        .map_or(Ok(0), |row| row.int("it"))
}

/// How much is kept of a tenant's changes.
///
/// # Errors
/// The engine's.
pub fn state(tx: &mut Tx<'_>) -> Result<ArchiveState> {
    let row = tx.query_one(
        "SELECT changes, segments, size, plain, moved_at FROM archive_state WHERE tenant = $tenant",
        &[],
    )?;
    row.as_ref().map_or(Ok(ArchiveState::default()), read_state)
}

/// The same of all tenants together.
///
/// # Errors
/// The engine's.
pub fn sums(tx: &mut CrossTx<'_>) -> Result<ArchiveState> {
    let row = tx.query_one(
        "SELECT CAST(COALESCE(sum(changes), 0) AS BIGINT) AS changes, CAST(COALESCE(sum(segments), 0) AS BIGINT) AS segments,
            CAST(COALESCE(sum(size), 0) AS BIGINT) AS size, CAST(COALESCE(sum(plain), 0) AS BIGINT) AS plain,
            max(moved_at) AS moved_at
         FROM archive_state",
        &[],
    )?;
    row.as_ref().map_or(Ok(ArchiveState::default()), read_state)
}

fn read_state(row: &Row) -> Result<ArchiveState> {
    Ok(ArchiveState {
        changes: row.int("changes")?,
        segments: row.int("segments")?,
        size: row.int("size")?,
        plain: row.int("plain")?,
        moved_at: row.opt_time("moved_at")?,
    })
}

/// Adds to the archive's totals: changes and segments, bytes compressed and opened.
pub(super) fn note_moved(
    tx: &mut Tx<'_>,
    (changes, segments): (i64, i64),
    (size, plain): (i64, i64),
    at: Option<Timestamp>,
) -> Result<()> {
    tx.execute(
        "INSERT INTO archive_state (tenant, changes, segments, size, plain, moved_at)
         VALUES ($tenant, $changes, $segments, $size, $plain, $at)
         ON CONFLICT (tenant) DO UPDATE SET changes = archive_state.changes + $changes,
            segments = archive_state.segments + $segments, size = archive_state.size + $size,
            plain = archive_state.plain + $plain, moved_at = COALESCE($at, archive_state.moved_at)",
        &[
            ("changes", changes.into()),
            ("segments", segments.into()),
            ("size", size.into()),
            ("plain", plain.into()),
            ("at", at.into()),
        ],
    )?;
    Ok(())
}

/// The next segments in the order of ids, each with the ids of its changes or why it cannot be opened; read from where they are
/// kept, never from memory.
///
/// # Errors
/// The engine's.
pub fn segments(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<(String, Result<Vec<String>>)>> {
    let rows = tx.query(
        "SELECT id, in_folder, in_bucket, bytes FROM archive_segment WHERE tenant = $tenant AND id > $after ORDER BY id LIMIT $limit",
        &[("after", after.into()), ("limit", limit.into())],
    )?;
    let mut found = Vec::new();
    for row in &rows {
        let id = row.text("id")?;
        let opened = fill::open_row(tx, &id, row);
        let changes = opened.map(|segment| segment.changes.into_iter().map(|parts| parts.id).collect());
        found.push((id, changes));
    }
    Ok(found)
}

/// The changes with a missing segment, in order; at most `limit`.
///
/// # Errors
/// The engine's.
pub fn lost(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<String>> {
    tx.query(
        "SELECT change_id FROM archived_change a WHERE a.tenant = $tenant AND NOT EXISTS (
            SELECT 1 FROM archive_segment s WHERE s.tenant = $tenant AND s.id = a.segment)
         ORDER BY change_id LIMIT $limit",
        &[("limit", limit.into())],
    )?
    .iter()
    .map(|row| row.text("change_id"))
    .collect()
}

/// Notes when files that nothing names any more were first seen.
///
/// # Errors
/// The engine's.
pub fn notice_garbage(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64> {
    tx.execute(
        "UPDATE archive_garbage SET noticed_at = $now WHERE tenant = $tenant AND noticed_at IS NULL",
        &[("now", now.into())],
    )
}

/// Removes files beside the database that were noticed before `before` and that no segment names, at most `limit`; returns how
/// many.
///
/// # Errors
/// The folder's, the engine's.
pub fn collect_garbage(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64> {
    let rows = tx.query(
        "SELECT file FROM archive_garbage WHERE tenant = $tenant AND noticed_at < $before AND NOT in_bucket
         ORDER BY file LIMIT $limit",
        &[("before", before.into()), ("limit", limit.into())],
    )?;
    let mut count = 0;
    for row in &rows {
        let file = row.text("file")?;
        if let Some(folder) = tx.places().folder
            && !is_named(tx, &file)?
        {
            place::remove(folder, &file)?;
        }
        count += tx.execute(
            "DELETE FROM archive_garbage WHERE tenant = $tenant AND file = $file",
            &[("file", file.into())],
        )?;
    }
    Ok(count)
}

/// Whether a segment's bytes lie in a file or in the bucket under this id.
fn is_named(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    let found = tx.query_one(
        "SELECT in_folder, in_bucket FROM archive_segment WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?;
    found.map_or(Ok(false), |row| Ok(row.bool("in_folder")? || row.bool("in_bucket")?))
}

/// Objects of the bucket that no segment names any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Garbage {
    ids: Vec<String>,
    bucket: SharedBucket,
}

impl Garbage {
    /// Removes the objects; call it outside of transactions. It ends at the first that is not removed, and does no harm twice.
    ///
    /// # Errors
    /// The bucket's.
    pub fn remove(&self) -> Result<()> {
        self.ids
            .iter()
            .try_for_each(|id| self.bucket.0.delete(&place::key_of(id)?))
    }
}

/// Objects of the bucket that were noticed before `before` and that no segment names, at most `limit`; `None` where there is nothing
/// to remove, or no bucket.
///
/// # Errors
/// The engine's.
pub fn bucket_garbage(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<Option<Garbage>> {
    let Some((bucket, _)) = tx.places().bucket else {
        return Ok(None);
    };
    let rows = tx.query(
        "SELECT file FROM archive_garbage WHERE tenant = $tenant AND noticed_at < $before AND in_bucket
         ORDER BY file LIMIT $limit",
        &[("before", before.into()), ("limit", limit.into())],
    )?;
    let mut ids = Vec::new();
    for row in &rows {
        let id = row.text("file")?;
        if !is_named(tx, &id)? {
            ids.push(id);
        }
    }
    let bucket = bucket.clone();
    Ok((!ids.is_empty()).then_some(Garbage { ids, bucket }))
}

/// Removes the records of objects that were deleted from the bucket, unless they were announced again; returns how many.
///
/// # Errors
/// The engine's.
pub fn forget_garbage(tx: &mut Tx<'_>, removed: &Garbage, before: Timestamp) -> Result<u64> {
    let mut count = 0;
    for id in &removed.ids {
        count += tx.execute(
            "DELETE FROM archive_garbage WHERE tenant = $tenant AND file = $file AND in_bucket AND noticed_at < $before",
            &[("file", id.as_str().into()), ("before", before.into())],
        )?;
    }
    Ok(count)
}

/// The files that are announced, or named no more, in order; at most `limit`.
///
/// # Errors
/// The engine's.
pub fn announced(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<String>> {
    let rows = tx.query(
        "SELECT file FROM archive_garbage WHERE tenant = $tenant ORDER BY file LIMIT $limit",
        &[("limit", limit.into())],
    )?;
    rows.iter()
        .map(|row| row.text("file"))
        .collect::<Result<Vec<String>, Error>>()
}

/// The segment that holds a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldChange {
    /// The segment's id.
    pub segment: String,
    /// Its bytes, compressed.
    pub size: i64,
    /// The same opened.
    pub plain: i64,
    /// Whether its bytes are a file.
    pub in_folder: bool,
    /// Whether its bytes are an object in the bucket.
    pub in_bucket: bool,
    /// When it was first written.
    pub at: Timestamp,
    /// How many changes it holds.
    pub changes: usize,
    /// How many records of this change.
    pub rows: usize,
    /// How many rows of texts of it.
    pub texts: usize,
}

/// Opens the segment that holds a change, from where it is kept; `None` while the change is not archived.
///
/// # Errors
/// `Corrupt` where the segment is gone, was altered or does not hold the change; the engine's.
pub fn held(tx: &mut Tx<'_>, change: &str) -> Result<Option<HeldChange>> {
    let Some(id) = fill::segment_of(tx, change)? else {
        return Ok(None);
    };
    let segment = fill::load(tx, &id)?;
    let damaged = || {
        Error::Corrupt(format!(
            "the archive segment `{id}` does not hold the change `{change}`"
        ))
    };
    let parts = segment
        .changes
        .iter()
        .find(|parts| parts.id == change)
        .ok_or_else(damaged)?;
    let row = tx.query_one(
        "SELECT in_folder, in_bucket, size, plain FROM archive_segment WHERE tenant = $tenant AND id = $id",
        &[("id", id.as_str().into())],
    )?;
    let row = row.ok_or_else(damaged)?;
    Ok(Some(HeldChange {
        size: row.int("size")?,
        plain: row.int("plain")?,
        in_folder: row.bool("in_folder")?,
        in_bucket: row.bool("in_bucket")?,
        at: Timestamp::from_microsecond(segment.at).map_err(|_| damaged())?,
        changes: segment.changes.len(),
        rows: parts.rows.len(),
        texts: parts.texts.len(),
        segment: id,
    }))
}
