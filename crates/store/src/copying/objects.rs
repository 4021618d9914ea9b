//! The objects of a copy.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::bucket::{Put, SharedBucket};
use crate::error::{Error, Result};

/// How far a log was: its entries, and the root of its tree as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How many entries it had.
    pub size: u64,
    /// `sha256:` and 64 hex digits.
    pub root: String,
}

/// How far each tenant's log was.
pub type Marks = BTreeMap<String, Mark>;

/// Which host may write a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// Raised by one with each host that takes over.
    pub epoch: u64,
    /// The host's name.
    pub host: String,
    /// When it took over.
    pub at: Timestamp,
    /// A random id of this taking, which the host keeps as well; older hosts wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The last report of the host that writes a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alive {
    /// Its epoch.
    pub epoch: u64,
    /// Everything that was committed until then is in the copy.
    pub at: Timestamp,
    /// How far each log was by then.
    pub marks: Marks,
}

/// A whole base of a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Base {
    /// How many parts it has.
    pub(crate) parts: u64,
    /// The bytes of the database file.
    pub(crate) bytes: u64,
    /// A restore needs at least the segments up to this one.
    pub(crate) from_segment: u64,
    /// When that one was copied.
    pub(crate) at: Timestamp,
}

/// The header before a segment's frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentHead {
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
    pub(crate) page_size: u32,
    /// Its frames in bytes.
    pub(crate) bytes: usize,
}

const ALIVE: &str = "alive.json";
/// The prefix of keys of generations.
pub(crate) const GENERATIONS: &str = "generations/";
/// The prefix of keys of files beside the database.
pub(crate) const FILES: &str = "files/";
/// Comes after every letter that a key of ours has.
const BEHIND: char = '~';

pub(crate) fn part_key(generation: &str, number: u64) -> String {
    format!("{GENERATIONS}{generation}/base-{number:05}.zst")
}

pub(crate) fn base_key(generation: &str) -> String {
    format!("{GENERATIONS}{generation}/base.json")
}

pub(crate) fn segment_key(generation: &str, number: u64) -> String {
    format!("{GENERATIONS}{generation}/{number:08}.wal")
}

/// The number of a segment by its key.
pub(crate) fn segment_number(key: &str) -> Option<u64> {
    key.rsplit('/').next()?.strip_suffix(".wal")?.parse().ok()
}

pub(crate) fn write_json(place: &SharedBucket, key: &str, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec(value).map_err(|error| Error::Other(error.to_string()))?;
    place.0.put(key, &text, Put::Always).map(drop)
}

pub(crate) fn read_json<T: DeserializeOwned>(place: &SharedBucket, key: &str) -> Result<Option<T>> {
    let Some(bytes) = place.0.get(key)? else {
        return Ok(None);
    };
    let wrong = |error| Error::Corrupt(format!("`{key}` cannot be read: {error}"));
    serde_json::from_slice(&bytes).map(Some).map_err(wrong)
}

/// Every key that begins with `prefix`, in order.
pub(crate) fn keys(place: &SharedBucket, prefix: &str) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    loop {
        let after = found.last().map_or("", String::as_str);
        let page = place.0.list(prefix, after)?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}

/// The names of the generations, the oldest first. Only one key of each is read.
pub(crate) fn generations(place: &SharedBucket) -> Result<Vec<String>> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = place.0.list(GENERATIONS, &after)?;
        let Some(first) = page.first() else { return Ok(found) };
        let rest = first.strip_prefix(GENERATIONS).unwrap_or_default();
        let name = rest.split('/').next().unwrap_or_default().to_owned();
        after = format!("{GENERATIONS}{name}/{BEHIND}");
        found.push(name);
    }
}

/// The last report of the host that writes a copy; nothing before its first base was whole.
///
/// # Errors
/// The place's, or `Corrupt`.
pub fn alive(place: &SharedBucket) -> Result<Option<Alive>> {
    read_json(place, ALIVE)
}

pub(crate) fn set_alive(place: &SharedBucket, alive: &Alive) -> Result<()> {
    write_json(place, ALIVE, alive)
}

fn fence_key(epoch: u64) -> String {
    format!("fence-{epoch:08}.json")
}

/// Which host may write the copy; nothing where none did yet.
///
/// # Errors
/// The place's, or `Corrupt`.
pub fn fence(place: &SharedBucket) -> Result<Option<Fence>> {
    let keys = keys(place, "fence-")?;
    match keys.iter().rfind(|key| key.ends_with(".json")) {
        None => Ok(None),
        Some(key) => read_json(place, key),
    }
}

/// The fence of a host that took over after this epoch; reads one object if there is none.
pub(crate) fn fence_after(place: &SharedBucket, epoch: u64) -> Result<Option<Fence>> {
    match place.0.get(&fence_key(epoch + 1))? {
        None => Ok(None),
        Some(_) => fence(place),
    }
}

/// Takes the copy over for a host, by its name and a random id: of several concurrent attempts only one gets the next epoch.
///
/// # Errors
/// `Other` where another host was faster, or the place does not know conditions; the place's.
pub fn claim(place: &SharedBucket, (host, id): (&str, &str), at: Timestamp) -> Result<Fence> {
    let epoch = fence(place)?.map_or(0, |it| it.epoch) + 1;
    let fence = Fence {
        epoch,
        host: host.to_owned(),
        at,
        id: Some(id.to_owned()),
    };
    let text = serde_json::to_vec(&fence).map_err(|error| Error::Other(error.to_string()))?;
    let key = fence_key(epoch);
    if !place.0.put(&key, &text, Put::IfAbsent)? {
        return Err(Error::Other("another host took the copy over just now".to_owned()));
    }
    // A service that does not know the condition takes the object a second time, and would take it from a second host.
    match place.0.put(&key, &text, Put::IfAbsent)? {
        false => Ok(fence),
        true => Err(Error::Other(
            "the bucket's service does not know `If-None-Match`, so it cannot tell two hosts apart".to_owned(),
        )),
    }
}
