//! Moves changes into segments, and back.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;

use super::fill::{self, MARK, SOURCES, change_of, change_of_text, pointer};
use super::segment::{ChangeParts, Packed, RowPart, Segment, TextPart};
use super::{figures, place};
use crate::audit::salts;
use crate::bucket::SharedBucket;
use crate::error::{Error, Result};
use crate::packed_body;
use crate::tx::Tx;
use crate::value::{Row, Value};

/// How many rows of one table are moved with a change, and how many bytes with it. Rows beyond that are not moved.
const MAX_ROWS: i64 = 2_000;
const MAX_CHANGE: usize = 24 << 20;
/// From this number of bytes on, opened, a segment takes no further change.
const MAX_SEGMENT: usize = 4 << 20;

/// Event and commitment of the rows of texts that a segment holds. An event may be of several changes, and a text that is kept
/// twice would outlive its erasure.
type Taken = BTreeSet<(String, String)>;

/// Where a segment is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Row,
    Folder(PathBuf),
    Bucket(SharedBucket),
}

impl Target {
    fn of(tx: &Tx<'_>) -> Self {
        let places = tx.places();
        match (places.bucket, places.folder) {
            (Some((bucket, _)), _) => Self::Bucket(bucket.clone()),
            (None, Some(folder)) => Self::Folder(folder.to_owned()),
            (None, None) => Self::Row,
        }
    }

    fn is_folder(&self) -> bool {
        matches!(self, Self::Folder(_))
    }

    fn is_bucket(&self) -> bool {
        matches!(self, Self::Bucket(_))
    }
}

/// Changes that are about to be moved: the content of their rows when they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    segment: Segment,
    packed: Packed,
    target: Target,
}

impl Gathered {
    /// The id of the segment.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.packed.id
    }

    /// The ids of its changes.
    #[must_use]
    pub fn changes(&self) -> Vec<&str> {
        self.segment.changes.iter().map(|parts| parts.id.as_str()).collect()
    }

    /// How many bytes it has, compressed.
    #[must_use]
    pub fn size(&self) -> usize {
        self.packed.bytes.len()
    }

    /// Writes the file of the segment and syncs it, or its object in the bucket; nothing where segments are rows. Announce the
    /// segment before, and call this outside of transactions.
    ///
    /// # Errors
    /// `Full`, `Unavailable`, `BucketAway`.
    pub fn write(&self) -> Result<()> {
        match &self.target {
            Target::Folder(folder) => place::write(folder, &self.packed.id, &self.packed.bytes),
            Target::Bucket(bucket) => place::upload(bucket, &self.packed.id, &self.packed.bytes),
            Target::Row => Ok(()),
        }
    }
}

/// Reads the rows of these changes for moving, of as many changes as one segment takes; `None` when there is nothing. Nothing
/// is changed.
///
/// # Errors
/// `Corrupt` where the segment cannot be opened as it would be written; the engine's.
pub fn gather(tx: &mut Tx<'_>, ids: &[String], at: Timestamp) -> Result<Option<Gathered>> {
    let (mut changes, mut length, mut taken) = (Vec::new(), 0, Taken::new());
    for id in ids {
        if length > MAX_SEGMENT {
            break;
        }
        if changes.iter().any(|parts: &ChangeParts| parts.id == *id) {
            continue;
        }
        let Some(parts) = parts_of(tx, id, &mut taken)? else {
            continue;
        };
        length += parts.length();
        changes.push(parts);
    }
    if changes.is_empty() {
        return Ok(None);
    }
    let segment = Segment::new(tx.tenant(), at.as_microsecond(), changes);
    let packed = segment.pack()?;
    // Rows are emptied for the segment, so it is opened once as a check.
    if Segment::open(tx.tenant(), &packed.id, &packed.bytes)? != segment {
        return Err(Error::Corrupt(
            "an archive segment was not written as it was read".to_owned(),
        ));
    }
    let target = Target::of(tx);
    Ok(Some(Gathered {
        segment,
        packed,
        target,
    }))
}

/// The parts of one change to move; `None` where its row is gone, cannot be read or was moved before.
fn parts_of(tx: &mut Tx<'_>, change: &str, taken: &mut Taken) -> Result<Option<ChangeParts>> {
    let (mut rows, mut room) = (Vec::new(), MAX_CHANGE);
    for (table, column) in SOURCES {
        let sql = format!(
            "SELECT id, version, body, sealed FROM \"{table}\"
             WHERE tenant = $tenant AND \"{column}\" = $change ORDER BY id LIMIT $limit"
        );
        let found = tx.query(&sql, &[("change", change.into()), ("limit", MAX_ROWS.into())])?;
        for part in found.iter().filter_map(|row| row_part(table, row)) {
            let length = part.body.len() + part.sealed.len();
            if length <= room {
                room -= length;
                rows.push(part);
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
    }
    let texts = texts_of(tx, &rows, room, taken)?;
    let id = change.to_owned();
    Ok(Some(ChangeParts { id, rows, texts }))
}

/// The content of a row. An unreadable row stays where it is, so that a replay reports it.
fn row_part(table: &str, row: &Row) -> Option<RowPart> {
    let body = row.text_ref("body").ok().filter(|body| !body.starts_with(MARK))?;
    Some(RowPart {
        table: table.to_owned(),
        id: row.text("id").ok()?,
        version: row.int("version").ok()?,
        body: packed_body::plain(body).ok()?.into_owned(),
        sealed: row.text("sealed").ok()?,
    })
}

/// The texts that the versions of these records added, as far as they are not taken.
fn texts_of(tx: &mut Tx<'_>, rows: &[RowPart], mut room: usize, taken: &mut Taken) -> Result<Vec<TextPart>> {
    let mut texts = Vec::new();
    for row in rows {
        for found in salts::rows_of_record(tx, &row.table, &row.id)? {
            let Some(text) = text_part(&found) else { continue };
            let length = text.body.len() + text.salt.len();
            if length <= room && taken.insert((text.event.clone(), text.commitment.clone())) {
                room -= length;
                texts.push(text);
            }
        }
    }
    Ok(texts)
}

fn text_part(row: &Row) -> Option<TextPart> {
    let salt = row.bytes("salt").ok().filter(|salt| !salt.is_empty())?;
    Some(TextPart {
        event: row.text("event_id").ok()?,
        commitment: row.text("commitment").ok()?,
        salt,
        body: row.text("body").ok()?,
    })
}

/// Notes the file or object that is about to be written, so that it is removed some day if nothing ever points to it.
///
/// # Errors
/// The engine's.
pub fn announce(tx: &mut Tx<'_>, gathered: &Gathered, now: Timestamp) -> Result<()> {
    if gathered.target == Target::Row {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO archive_garbage (tenant, file, in_bucket, noticed_at) VALUES ($tenant, $file, $in_bucket, $now)
         ON CONFLICT (tenant, file) DO UPDATE SET in_bucket = $in_bucket, noticed_at = $now",
        &[
            ("file", gathered.id().into()),
            ("in_bucket", gathered.target.is_bucket().into()),
            ("now", now.into()),
        ],
    )?;
    Ok(())
}

/// Points to a segment that is written, and empties the rows of its changes. Returns `false`, and does nothing, where one of
/// them was written since it was read, or the file is not there any more.
///
/// # Errors
/// `Conflict` when the segment is there already; the engine's.
pub fn move_in(tx: &mut Tx<'_>, gathered: &Gathered, now: Timestamp) -> Result<bool> {
    let mut taken = Taken::new();
    for parts in &gathered.segment.changes {
        if parts_of(tx, &parts.id, &mut taken)?.as_ref() != Some(parts) {
            return Ok(false);
        }
    }
    if !is_there(tx, gathered)? {
        return Ok(false);
    }
    insert_segment(tx, &gathered.packed, &gathered.target)?;
    for parts in &gathered.segment.changes {
        tx.execute(
            "INSERT INTO archived_change (tenant, change_id, segment) VALUES ($tenant, $change, $segment)",
            &[("change", parts.id.as_str().into()), ("segment", gathered.id().into())],
        )?;
        empty_rows(tx, parts)?;
    }
    let count = i64::try_from(gathered.segment.changes.len()).unwrap_or(i64::MAX);
    figures::note_moved(tx, (count, 1), lengths(&gathered.packed), Some(now)).map(|()| true)
}

/// Whether the file of a segment is there and still announced; the announcement ends with it. An object of the bucket was read back
/// when it was written, and it stays at least for as long as it is announced.
fn is_there(tx: &mut Tx<'_>, gathered: &Gathered) -> Result<bool> {
    let is_written = match &gathered.target {
        Target::Row => return Ok(true),
        Target::Folder(folder) => place::read(folder, gathered.id()).is_ok_and(|bytes| bytes == gathered.packed.bytes),
        Target::Bucket(_) => true,
    };
    if !is_written {
        return Ok(false);
    }
    let ended = tx.execute(
        "DELETE FROM archive_garbage WHERE tenant = $tenant AND file = $file",
        &[("file", gathered.id().into())],
    )?;
    Ok(ended == 1)
}

fn insert_segment(tx: &mut Tx<'_>, packed: &Packed, target: &Target) -> Result<()> {
    let (size, plain) = lengths(packed);
    let bytes = match target {
        Target::Row => packed.bytes.as_slice().into(),
        Target::Folder(_) | Target::Bucket(_) => Value::Null,
    };
    tx.execute(
        "INSERT INTO archive_segment (tenant, id, in_folder, in_bucket, size, plain, bytes)
         VALUES ($tenant, $id, $in_folder, $in_bucket, $size, $plain, $bytes)",
        &[
            ("id", packed.id.as_str().into()),
            ("in_folder", target.is_folder().into()),
            ("in_bucket", target.is_bucket().into()),
            ("size", size.into()),
            ("plain", plain.into()),
            ("bytes", bytes),
        ],
    )?;
    Ok(())
}

/// The bytes of a segment, compressed and opened.
fn lengths(packed: &Packed) -> (i64, i64) {
    let length = |it: usize| i64::try_from(it).unwrap_or(i64::MAX);
    (length(packed.bytes.len()), length(packed.plain))
}

fn empty_rows(tx: &mut Tx<'_>, parts: &ChangeParts) -> Result<()> {
    let moved = pointer(&parts.id);
    for part in &parts.rows {
        let key = [("id", part.id.as_str().into())];
        let new = [("body", moved.as_str().into()), ("sealed", "".into())];
        rewrite(tx, &part.table, &key, &new)?;
    }
    for part in &parts.texts {
        let key = [
            ("event_id", part.event.as_str().into()),
            ("commitment", part.commitment.as_str().into()),
        ];
        let new = [("salt", Value::Bytes(Vec::new())), ("body", moved.as_str().into())];
        rewrite(tx, "text_salt", &key, &new)?;
    }
    Ok(())
}

/// Replaces a row with other values in some columns. A row that only becomes shorter leaves its page almost empty on SQLite,
/// which gives the room of a removed row back.
fn rewrite(tx: &mut Tx<'_>, table: &str, key: &[(&str, Value)], new: &[(&str, Value)]) -> Result<()> {
    let is_it: String = key
        .iter()
        .map(|(name, _)| format!(" AND \"{name}\" = ${name}"))
        .collect();
    let found = tx.query_one(&format!("SELECT * FROM \"{table}\" WHERE tenant = $tenant{is_it}"), key)?;
    let row = found.ok_or(Error::Retry)?;
    tx.execute(&format!("DELETE FROM \"{table}\" WHERE tenant = $tenant{is_it}"), key)?;
    let names: Vec<&str> = row
        .names()
        .iter()
        .map(String::as_str)
        .filter(|it| *it != "tenant")
        .collect();
    let mut params = Vec::new();
    for name in &names {
        let value = new.iter().find(|(of, _)| of == name);
        let value = match value {
            Some((_, value)) => value.clone(),
            None => row.get(name)?.clone(),
        };
        params.push((*name, value));
    }
    let columns: String = names.iter().map(|name| format!(", \"{name}\"")).collect();
    let places: String = names.iter().map(|name| format!(", ${name}")).collect();
    tx.execute(
        &format!("INSERT INTO \"{table}\" (tenant{columns}) VALUES ($tenant{places})"),
        &params,
    )?;
    Ok(())
}

/// Brings a change back into its rows; the rest of its segment is written again, into the database. Returns whether it was
/// archived.
///
/// # Errors
/// `Corrupt` where the segment is gone or was altered; the engine's.
pub fn thaw(tx: &mut Tx<'_>, change: &str) -> Result<bool> {
    let Some(id) = fill::segment_of(tx, change)? else {
        return Ok(false);
    };
    let mut segment = fill::load(tx, &id)?;
    let Some(place) = segment.changes.iter().position(|parts| parts.id == change) else {
        let what = format!("the archive segment `{id}` does not hold the change `{change}`");
        return Err(Error::Corrupt(what));
    };
    let parts = segment.changes.remove(place);
    restore(tx, &parts)?;
    tx.execute(
        "DELETE FROM archived_change WHERE tenant = $tenant AND change_id = $change",
        &[("change", change.into())],
    )?;
    let (size, plain) = drop_segment(tx, &id)?;
    figures::note_moved(tx, (-1, -1), (-size, -plain), None)?;
    if !segment.changes.is_empty() {
        segment.generation += 1;
        keep_rest(tx, &segment)?;
    }
    Ok(true)
}

/// Puts the moved parts back into their rows. A row that has content of its own by now keeps it.
fn restore(tx: &mut Tx<'_>, parts: &ChangeParts) -> Result<()> {
    let moved = pointer(&parts.id);
    for part in &parts.rows {
        let sql = format!(
            "UPDATE \"{}\" SET body = $body, sealed = $sealed
             WHERE tenant = $tenant AND id = $id AND version = $version AND body = $moved",
            part.table
        );
        let body = packed_body::kept(&part.table, part.body.clone())?;
        let params = [
            ("body", body.into()),
            ("sealed", part.sealed.as_str().into()),
            ("id", part.id.as_str().into()),
            ("version", part.version.into()),
            ("moved", moved.as_str().into()),
        ];
        tx.execute(&sql, &params)?;
    }
    for part in &parts.texts {
        tx.execute(
            "UPDATE text_salt SET salt = $salt, body = $body
             WHERE tenant = $tenant AND event_id = $event AND commitment = $commitment AND body = $moved",
            &[
                ("salt", part.salt.as_slice().into()),
                ("body", part.body.as_str().into()),
                ("event", part.event.as_str().into()),
                ("commitment", part.commitment.as_str().into()),
                ("moved", moved.as_str().into()),
            ],
        )?;
    }
    Ok(())
}

/// Removes a segment; its file or object is removed a while later. Answers its lengths.
fn drop_segment(tx: &mut Tx<'_>, id: &str) -> Result<(i64, i64)> {
    let row = tx.query_one(
        "SELECT in_folder, in_bucket, size, plain FROM archive_segment WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?;
    let Some(row) = row else { return Ok((0, 0)) };
    let in_bucket = row.bool("in_bucket")?;
    if in_bucket || row.bool("in_folder")? {
        tx.execute(
            "INSERT INTO archive_garbage (tenant, file, in_bucket) VALUES ($tenant, $file, $in_bucket)
             ON CONFLICT DO NOTHING",
            &[("file", id.into()), ("in_bucket", in_bucket.into())],
        )?;
    }
    tx.execute(
        "DELETE FROM archive_segment WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?;
    fill::forget(tx.tenant(), id);
    Ok((row.int("size")?, row.int("plain")?))
}

/// Stores the rest of a segment. It is written into the database, so that it is there with this transaction or not at all.
fn keep_rest(tx: &mut Tx<'_>, segment: &Segment) -> Result<()> {
    let packed = segment.pack()?;
    insert_segment(tx, &packed, &Target::Row)?;
    for parts in &segment.changes {
        tx.execute(
            "UPDATE archived_change SET segment = $segment WHERE tenant = $tenant AND change_id = $change",
            &[
                ("segment", packed.id.as_str().into()),
                ("change", parts.id.as_str().into()),
            ],
        )?;
    }
    figures::note_moved(tx, (0, 1), lengths(&packed), None)
}

/// Brings back the change of this row, if the row was moved; returns whether it was.
///
/// # Errors
/// As [`thaw`].
pub(crate) fn thaw_row(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<bool> {
    let sql = format!("SELECT body FROM \"{table}\" WHERE tenant = $tenant AND id = $id");
    let row = tx.query_one(&sql, &[("id", id.into())])?;
    match row.as_ref().and_then(change_of) {
        Some(change) => thaw(tx, &change),
        None => Ok(false),
    }
}

/// Brings back the change whose texts are in one of these rows, if they were moved; returns whether they were.
///
/// # Errors
/// As [`thaw`].
pub(crate) fn thaw_text(tx: &mut Tx<'_>, rows: &[Row]) -> Result<bool> {
    let mut is_any = false;
    for row in rows {
        if let Some(change) = change_of_text(row) {
            is_any |= thaw(tx, &change)?;
        }
    }
    Ok(is_any)
}
