//! Fills rows whose bodies were moved.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::place;
use super::segment::{Opened, Segment};
use crate::error::{Error, Result};
use crate::tx::Tx;
use crate::value::{Row, Value};

/// The beginning of a moved body; the id of its change follows. A plain body begins with `{`, a packed one with `z1:`.
pub(crate) const MARK: &str = "a1:";
/// How many bytes of opened segments stay in memory, and how many segments.
const MAX_CACHED_BYTES: usize = 32 << 20;
const MAX_CACHED: usize = 64;

/// The tables with movable rows, each with the column that names the change. The change comes first.
pub(super) const SOURCES: [(&str, &str); 14] = [
    ("change", "id"),
    ("link", "from_change"),
    ("approval", "change_id"),
    ("peer_review", "change_id"),
    ("evidence", "change_id"),
    ("entry", "change_id"),
    ("task", "change_id"),
    ("comment", "change_id"),
    ("condition", "change_id"),
    ("checklist_item", "change_id"),
    ("decision_facts", "change_id"),
    ("act_facts", "change_id"),
    ("message", "change_id"),
    ("permit", "change_id"),
];

/// Whether rows of a table are ever moved.
pub(crate) fn holds(table: &str) -> bool {
    SOURCES.iter().any(|(of, _)| *of == table)
}

/// The replacement for a body of this change.
pub(super) fn pointer(change: &str) -> String {
    format!("{MARK}{change}")
}

/// The change that the body of a row names, where it was moved.
pub(super) fn change_of(row: &Row) -> Option<String> {
    let body = row.text_ref("body").ok()?;
    body.strip_prefix(MARK).map(str::to_owned)
}

/// The same of a row of texts: one that was moved has no salts.
pub(super) fn change_of_text(row: &Row) -> Option<String> {
    let is_moved = matches!(row.get("salt"), Ok(Value::Bytes(salt)) if salt.is_empty());
    is_moved.then(|| change_of(row)).flatten()
}

/// Gives rows of a table of records their bodies and sealed forms.
///
/// # Errors
/// `Corrupt` where a segment is gone or was altered; the engine's.
pub(crate) fn fill(tx: &mut Tx<'_>, table: &str, rows: &mut [Row]) -> Result<()> {
    if !holds(table) {
        return Ok(());
    }
    let mut last = None;
    rows.iter_mut().try_for_each(|row| fill_from(tx, table, row, &mut last))
}

/// The same of one row.
pub(crate) fn fill_row(tx: &mut Tx<'_>, table: &str, row: &mut Row) -> Result<()> {
    fill(tx, table, std::slice::from_mut(row))
}

/// The last used segment, by its change: neighbours are mostly of one change.
type Last = Option<(String, Arc<Opened>)>;

fn fill_from(tx: &mut Tx<'_>, table: &str, row: &mut Row, last: &mut Last) -> Result<()> {
    let Some(change) = change_of(row) else { return Ok(()) };
    let opened = opened_for(tx, &change, last)?;
    let (id, version) = (row.text("id")?, row.int("version")?);
    let strange = |what: &str| Error::Corrupt(format!("the row `{id}` of `{table}` was moved to the archive, {what}"));
    let part = opened
        .row(&change, table, &id)
        .filter(|part| part.version == version)
        .ok_or_else(|| strange("which does not hold it"))?;
    if row.get("sealed").is_ok() {
        if !row.text_ref("sealed")?.is_empty() {
            return Err(strange("and yet has a sealed form"));
        }
        row.set("sealed", part.sealed.as_str().into())?;
    }
    row.set("body", part.body.as_str().into())
}

/// Gives rows of texts their salts and texts.
///
/// # Errors
/// `Corrupt` where a segment is gone or was altered; the engine's.
pub(crate) fn fill_texts(tx: &mut Tx<'_>, rows: &mut [Row]) -> Result<()> {
    let mut last = None;
    rows.iter_mut().try_for_each(|row| fill_text_from(tx, row, &mut last))
}

/// The same of one row.
pub(crate) fn fill_text(tx: &mut Tx<'_>, row: &mut Row) -> Result<()> {
    fill_texts(tx, std::slice::from_mut(row))
}

fn fill_text_from(tx: &mut Tx<'_>, row: &mut Row, last: &mut Last) -> Result<()> {
    let Some(change) = change_of_text(row) else {
        return Ok(());
    };
    let opened = opened_for(tx, &change, last)?;
    let (event, commitment) = (row.text("event_id")?, row.text("commitment")?);
    let part = opened.text(&change, &event, &commitment).ok_or_else(|| {
        Error::Corrupt(format!(
            "the texts of the event `{event}` were moved to the archive, which does not hold them"
        ))
    })?;
    row.set("salt", part.salt.as_slice().into())?;
    row.set("body", part.body.as_str().into())
}

fn opened_for(tx: &mut Tx<'_>, change: &str, last: &mut Last) -> Result<Arc<Opened>> {
    if let Some((of, opened)) = last
        && of == change
    {
        return Ok(Arc::clone(opened));
    }
    let id = segment_of(tx, change)?
        .ok_or_else(|| Error::Corrupt(format!("no archive segment holds the change `{change}`")))?;
    let opened = opened(tx, &id)?;
    *last = Some((change.to_owned(), Arc::clone(&opened)));
    Ok(opened)
}

/// The id of the segment that holds a change; `None` while it is not archived.
///
/// # Errors
/// The engine's.
pub fn segment_of(tx: &mut Tx<'_>, change: &str) -> Result<Option<String>> {
    tx.query_one(
        "SELECT segment FROM archived_change WHERE tenant = $tenant AND change_id = $change",
        &[("change", change.into())],
    )?
    .map(|row| row.text("segment"))
    .transpose()
}

/// An opened segment, with its tenant and its id: the id is the hash of its bytes, so it cannot match other bytes.
struct Cached {
    tenant: String,
    id: String,
    opened: Arc<Opened>,
}

/// The segments opened last, the latest first.
static CACHE: Mutex<VecDeque<Cached>> = Mutex::new(VecDeque::new());

fn opened(tx: &mut Tx<'_>, id: &str) -> Result<Arc<Opened>> {
    if let Some(opened) = cached(tx.tenant(), id) {
        return Ok(opened);
    }
    let segment = load(tx, id)?;
    let opened = Arc::new(Opened::of(segment));
    keep(Cached {
        tenant: tx.tenant().to_owned(),
        id: id.to_owned(),
        opened: Arc::clone(&opened),
    });
    Ok(opened)
}

fn cached(tenant: &str, id: &str) -> Option<Arc<Opened>> {
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let at = cache.iter().position(|it| it.id == id && it.tenant == tenant)?;
    let found = cache.remove(at)?;
    let opened = Arc::clone(&found.opened);
    cache.push_front(found);
    Some(opened)
}

fn keep(latest: Cached) {
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    cache.retain(|it| it.id != latest.id || it.tenant != latest.tenant);
    cache.push_front(latest);
    let mut bytes = 0;
    let fits = |it: &Cached| {
        bytes += it.opened.length;
        bytes <= MAX_CACHED_BYTES
    };
    let room = cache.iter().take(MAX_CACHED).map(fits).take_while(|fits| *fits).count();
    // The latest stays, however long it is.
    cache.truncate(room.max(1));
}

/// Drops a removed segment from the cache: erased texts stay in no memory.
pub(super) fn forget(tenant: &str, id: &str) {
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    cache.retain(|it| it.id != id || it.tenant != tenant);
}

/// A segment from where it is kept, never from memory.
///
/// # Errors
/// `Corrupt` where it is gone or was altered; the engine's.
pub(super) fn load(tx: &mut Tx<'_>, id: &str) -> Result<Segment> {
    let row = tx.query_one(
        "SELECT in_folder, in_bucket, bytes FROM archive_segment WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?;
    let row = row.ok_or_else(|| Error::Corrupt(format!("the archive segment `{id}` is gone")))?;
    open_row(tx, id, &row)
}

/// The segment in a row of `archive_segment`.
pub(super) fn open_row(tx: &Tx<'_>, id: &str, row: &Row) -> Result<Segment> {
    let places = tx.places();
    let is_at = (row.bool("in_folder")?, row.bool("in_bucket")?);
    match (is_at, row.opt_bytes("bytes")?, places.folder, places.bucket) {
        ((false, false), Some(bytes), ..) => Segment::open(tx.tenant(), id, &bytes),
        ((true, false), None, Some(folder), _) => Segment::open(tx.tenant(), id, &place::read(folder, id)?),
        ((false, true), None, _, Some((bucket, brought))) => {
            Segment::open(tx.tenant(), id, &brought.read(bucket, &place::key_of(id)?)?)
        }
        ((false, true), None, _, None) => Err(Error::BucketAway(format!(
            "the archive segment `{id}` lies in a bucket, and this server has none; give it `archive_bucket`"
        ))),
        _ => {
            let what = format!("the archive segment `{id}` is not in one of its row, a file and the bucket");
            Err(Error::Corrupt(what))
        }
    }
}
