//! Full entry bundles of a log, compressed: the only place of their events' bytes.
//!
//! The row of an event holds its bytes until the bundle of its 256 neighbours is full. Writing the bundle empties the rows in the
//! same transaction; from then on every reading of an event goes through `fill`.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::tx::Tx;
use crate::value::{Row, Value};
use crate::zstandard;

/// How many events a full bundle has (<https://c2sp.org/tlog-tiles>).
pub const WIDTH: i64 = 256;
/// The compression level: 9 times smaller; higher levels gain a twentieth and take twice as long.
const LEVEL: i32 = 6;
/// The longest bundle: 256 entries of at most 65,535 bytes, each behind two bytes of length.
const MAX_BYTES: usize = 256 * (2 + 65_535);
/// How many bytes of opened bundles stay in memory, and how many bundles.
const MAX_CACHED_BYTES: usize = 16 << 20;
const MAX_CACHED: usize = 64;
/// Where an earlier version kept full bundles among the tiles.
const FORMER: &str = "tile/entries/";

/// The entries of a bundle.
struct Entries {
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl Entries {
    /// Reads a bundle as the log serves it: each entry behind a 16-bit big-endian length.
    fn read(bytes: Vec<u8>) -> Result<Self> {
        let (mut places, mut at) = (Vec::new(), 0);
        while let Some(length) = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>()) {
            let start = at + 2;
            at = start + usize::from(u16::from_be_bytes(*length));
            places.push(start..at);
        }
        if at != bytes.len() {
            return Err(Error::Corrupt("an entry bundle of the log is cut".to_owned()));
        }
        Ok(Self { bytes, places })
    }

    fn get(&self, at: usize) -> Option<&[u8]> {
        self.bytes.get(self.places.get(at)?.clone())
    }
}

/// An opened bundle, with the bytes from which it was opened: for a row with other bytes the bundle is opened again.
struct Cached {
    tenant: String,
    number: i64,
    packed: Vec<u8>,
    entries: Arc<Entries>,
}

/// The bundles opened last, the latest first.
static CACHE: Mutex<VecDeque<Cached>> = Mutex::new(VecDeque::new());

/// Keeps a full bundle and empties the rows of its events. A row with other bytes than its entry stays unchanged, so that a
/// replay finds it. `Conflict` when the bundle is there already.
pub fn save(tx: &mut Tx<'_>, number: i64, bundle: Vec<u8>) -> Result<()> {
    let packed = zstandard::pack(&bundle, LEVEL)?;
    let entries = Entries::read(bundle)?;
    tx.execute(
        "INSERT INTO log_bundle (tenant, number, bytes) VALUES ($tenant, $number, $bytes)",
        &[("number", number.into()), ("bytes", packed.into())],
    )?;
    let first = number * WIDTH;
    let range = [("first", first.into()), ("end", (first + WIDTH).into())];
    let rows = tx.query(
        "SELECT * FROM event WHERE tenant = $tenant AND seq >= $first AND seq < $end ORDER BY seq",
        &range,
    )?;
    // An emptied row leaves its page almost empty on SQLite, which gives the room of a removed row back.
    tx.execute(
        "DELETE FROM event WHERE tenant = $tenant AND seq >= $first AND seq < $end",
        &range,
    )?;
    for row in &rows {
        let bytes = row.bytes("bytes")?;
        let place = usize::try_from(row.int("seq")? - first).ok();
        let is_packed = place.and_then(|place| entries.get(place)) == Some(bytes.as_slice());
        insert_placed(tx, row, if is_packed { Vec::new() } else { bytes })?;
    }
    Ok(())
}

/// The columns of a placed event's row besides its tenant and its bytes.
const COLUMNS: [&str; 9] = [
    "id",
    "seq",
    "act",
    "kind",
    "subject_table",
    "subject_id",
    "occurred_at",
    "recorded_at",
    // Webhooks are sent after the bundle is full, and go on with the trace.
    "trace",
];

fn insert_placed(tx: &mut Tx<'_>, row: &Row, bytes: Vec<u8>) -> Result<()> {
    let mut params: Vec<(&str, Value)> = vec![("bytes", bytes.into())];
    for column in COLUMNS {
        params.push((column, row.get(column)?.clone()));
    }
    tx.execute(
        "INSERT INTO event (tenant, id, seq, act, kind, subject_table, subject_id, occurred_at, recorded_at, trace, bytes)
         VALUES ($tenant, $id, $seq, $act, $kind, $subject_table, $subject_id, $occurred_at, $recorded_at, $trace, $bytes)",
        &params,
    )?;
    Ok(())
}

/// A full bundle as the log serves it; `None` while it is not full. Read from its row, never from memory.
///
/// # Errors
/// `Corrupt` when the row was altered; the engine's.
pub fn load(tx: &mut Tx<'_>, number: i64) -> Result<Option<Vec<u8>>> {
    packed(tx, number)?.map(|packed| opened(number, &packed)).transpose()
}

/// The first `width` entries of a bundle that is not full, put together from the rows of the events. `None` when one of them
/// has no bytes any more.
///
/// # Errors
/// The engine's.
pub fn assemble(tx: &mut Tx<'_>, number: i64, width: i64) -> Result<Option<Vec<u8>>> {
    let first = number * WIDTH;
    let rows = tx.query(
        "SELECT bytes FROM event WHERE tenant = $tenant AND seq >= $first AND seq < $end ORDER BY seq",
        &[("first", first.into()), ("end", (first + width).into())],
    )?;
    if i64::try_from(rows.len()) != Ok(width) {
        return Ok(None);
    }
    let mut bundle = Vec::new();
    for row in rows {
        let leaf = row.bytes("bytes")?;
        let Some(length) = u16::try_from(leaf.len()).ok().filter(|length| *length > 0) else {
            return Ok(None);
        };
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(&leaf);
    }
    Ok(Some(bundle))
}

/// An event whose row was emptied.
pub(crate) struct Emptied<'e> {
    /// Its index in the log.
    pub(crate) seq: i64,
    /// Its id.
    pub(crate) id: &'e str,
    /// Where its bytes go.
    pub(crate) bytes: &'e mut Vec<u8>,
}

/// Fills in the bytes of events whose rows were emptied.
///
/// # Errors
/// `Corrupt` when a bundle is gone or was altered, or has another event at the place.
pub(crate) fn fill<'e>(tx: &mut Tx<'_>, emptied: impl Iterator<Item = Emptied<'e>>) -> Result<()> {
    let mut open: HashMap<i64, Arc<Entries>> = HashMap::new();
    for Emptied { seq, id, bytes } in emptied {
        let (number, place) = (seq.div_euclid(WIDTH), seq.rem_euclid(WIDTH));
        let entries = match open.get(&number) {
            Some(entries) => Arc::clone(entries),
            None => entries_of(tx, number)?,
        };
        let leaf = usize::try_from(place).ok().and_then(|place| entries.get(place));
        // A leaf names its event, so that a row that was put at another place shows nothing of another event.
        let name = format!("\"id\":\"{id}\"");
        let is_own = |leaf: &&[u8]| std::str::from_utf8(leaf).is_ok_and(|leaf| leaf.contains(&name));
        let leaf = leaf.filter(is_own).ok_or_else(|| {
            Error::Corrupt(format!(
                "the log has another event at index {seq} than the row `{id}` of `event`"
            ))
        })?;
        *bytes = leaf.to_vec();
        open.insert(number, entries);
    }
    Ok(())
}

fn entries_of(tx: &mut Tx<'_>, number: i64) -> Result<Arc<Entries>> {
    let Some(packed) = packed(tx, number)? else {
        return Err(Error::Corrupt(format!("the entry bundle {number} of the log is gone")));
    };
    let tenant = tx.tenant();
    if let Some(entries) = cached(tenant, number, &packed) {
        return Ok(entries);
    }
    let entries = Arc::new(Entries::read(opened(number, &packed)?)?);
    keep(Cached {
        tenant: tenant.to_owned(),
        number,
        packed,
        entries: Arc::clone(&entries),
    });
    Ok(entries)
}

fn packed(tx: &mut Tx<'_>, number: i64) -> Result<Option<Vec<u8>>> {
    tx.query_one(
        "SELECT bytes FROM log_bundle WHERE tenant = $tenant AND number = $number",
        &[("number", number.into())],
    )?
    .map(|row| row.bytes("bytes"))
    .transpose()
}

fn opened(number: i64, packed: &[u8]) -> Result<Vec<u8>> {
    zstandard::open(packed, MAX_BYTES)
        .ok_or_else(|| Error::Corrupt(format!("the entry bundle {number} of the log cannot be opened")))
}

fn cached(tenant: &str, number: i64, packed: &[u8]) -> Option<Arc<Entries>> {
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let at = cache
        .iter()
        .position(|it| it.number == number && it.tenant == tenant && it.packed == packed)?;
    let found = cache.remove(at)?;
    let entries = Arc::clone(&found.entries);
    cache.push_front(found);
    Some(entries)
}

fn keep(opened: Cached) {
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    cache.retain(|it| it.number != opened.number || it.tenant != opened.tenant);
    cache.push_front(opened);
    let mut bytes = 0;
    let fits = |it: &Cached| {
        bytes += it.packed.len() + it.entries.bytes.len();
        bytes <= MAX_CACHED_BYTES
    };
    let room = cache.iter().take(MAX_CACHED).map(fits).take_while(|fits| *fits).count();
    // The latest stays, however long it is.
    cache.truncate(room.max(1));
}

/// Packs bundles that an earlier version stored as tiles, at most `limit` of them; returns how many there were. Incomplete ones
/// are removed: they are assembled from rows.
///
/// # Errors
/// The engine's.
pub fn pack_former(tx: &mut Tx<'_>, limit: i64) -> Result<usize> {
    let former = tx.query(
        "SELECT path, bytes FROM log_tile WHERE tenant = $tenant AND path LIKE $former ORDER BY path LIMIT $limit",
        &[("former", format!("{FORMER}%").into()), ("limit", limit.into())],
    )?;
    for row in &former {
        let path = row.text("path")?;
        if let Some(number) = former_number(&path) {
            save(tx, number, row.bytes("bytes")?)?;
        }
        tx.execute(
            "DELETE FROM log_tile WHERE tenant = $tenant AND path = $path",
            &[("path", path.into())],
        )?;
    }
    Ok(former.len())
}

/// The number in a path such as `tile/entries/x001/234`; none in that of a bundle that is not full.
fn former_number(path: &str) -> Option<i64> {
    let digits = path
        .strip_prefix(FORMER)?
        .split('/')
        .map(|part| part.trim_start_matches('x'));
    digits.collect::<String>().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_and_a_cut_bundle_is_refused() {
        let entries = Entries::read(vec![0, 1, b'a', 0, 0, 0, 2, b'b', b'c']).expect("it is whole");
        assert_eq!(entries.get(0), Some(&b"a"[..]));
        assert_eq!(entries.get(1), Some(&b""[..]));
        assert_eq!(entries.get(2), Some(&b"bc"[..]));
        assert_eq!(entries.get(3), None);
        for cut in [vec![0, 1], vec![0], vec![0, 1, b'a', 0]] {
            assert!(Entries::read(cut).is_err());
        }
    }

    #[test]
    fn numbers_of_former_bundles_are_read_from_their_paths() {
        assert_eq!(former_number("tile/entries/007"), Some(7));
        assert_eq!(former_number("tile/entries/x001/234"), Some(1_234));
        assert_eq!(former_number("tile/entries/007.p/12"), None);
        assert_eq!(former_number("tile/0/007"), None);
    }

    #[test]
    fn the_cache_holds_so_many_bytes_and_only_what_was_opened() {
        let entries = |bytes: usize| {
            Arc::new(Entries {
                bytes: vec![0; bytes],
                places: Vec::new(),
            })
        };
        let opened = |number, bytes| Cached {
            tenant: "cache".to_owned(),
            number,
            packed: vec![1],
            entries: entries(bytes),
        };
        keep(opened(1, MAX_CACHED_BYTES / 2));
        keep(opened(2, MAX_CACHED_BYTES / 2 - 1));
        assert!(cached("cache", 2, &[1]).is_some());
        assert!(cached("cache", 1, &[1]).is_none(), "one byte too many");
        assert!(cached("cache", 2, &[2]).is_none(), "its row has other bytes now");
        assert!(cached("other", 2, &[1]).is_none());
        keep(opened(3, 2 * MAX_CACHED_BYTES));
        assert!(cached("cache", 3, &[1]).is_some(), "the latest stays");
    }
}
