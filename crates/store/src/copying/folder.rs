//! The files of a copy's folder, each written beside its name and put in its place.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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
    /// Grows by one with each host that takes over.
    pub epoch: u64,
    /// The host's name.
    pub host: String,
    /// When it took over.
    pub at: Timestamp,
}

/// What the host that writes a copy said last.
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
    /// The bytes of the database file.
    pub(crate) bytes: u64,
    /// The first segment up to which it can be restored.
    pub(crate) from_segment: u64,
    /// When that one was copied.
    pub(crate) at: Timestamp,
}

/// What stands before a segment's frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentHead {
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
    pub(crate) page_size: u32,
    /// Its frames in bytes.
    pub(crate) bytes: usize,
}

pub(crate) const BASE: &str = "base.zst";
pub(crate) const BASE_DONE: &str = "base.json";
const ALIVE: &str = "alive.json";

pub(crate) fn trouble(path: &Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.display().to_string();
    move |error| match error.kind() {
        ErrorKind::StorageFull => Error::Other(format!("`{path}`: no space is left")),
        _ => Error::Other(format!("`{path}`: {error}")),
    }
}

/// Makes a folder that is its owner's alone, and those above it.
pub(crate) fn make(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(trouble(folder))
}

/// A new file that is its owner's alone.
pub(crate) fn create(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(trouble(path))
}

pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Puts a file that was written beside its name in its place, on the disk when this returns.
pub(crate) fn put_in_place(file: &File, path: &Path) -> Result<()> {
    file.sync_all().map_err(trouble(path))?;
    std::fs::rename(beside(path), path).map_err(trouble(path))?;
    sync_folder(path)
}

/// A name that was given to a file outlives a crash once its folder was synced.
fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(trouble(folder))
}

pub(crate) fn write(path: &Path, parts: &[&[u8]]) -> Result<()> {
    let mut file = create(&beside(path))?;
    for part in parts {
        file.write_all(part).map_err(trouble(path))?;
    }
    put_in_place(&file, path)
}

pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec(value).map_err(|error| Error::Other(error.to_string()))?;
    write(path, &[&text])
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(trouble(path))?,
    };
    let wrong = |error| Error::Corrupt(format!("`{}` cannot be read: {error}", path.display()));
    serde_json::from_slice(&bytes).map(Some).map_err(wrong)
}

/// The names in a folder, sorted; none where it is not there.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(trouble(folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(trouble(folder))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// What the host that writes a copy said last; nothing before its first base was whole.
///
/// # Errors
/// `Other` or `Corrupt` where the file cannot be read.
pub fn alive(folder: &Path) -> Result<Option<Alive>> {
    read_json(&folder.join(ALIVE))
}

pub(crate) fn set_alive(folder: &Path, alive: &Alive) -> Result<()> {
    write_json(&folder.join(ALIVE), alive)
}

fn fence_file(epoch: u64) -> String {
    format!("fence-{epoch:08}.json")
}

/// Which host may write the copy; nothing where none did yet.
///
/// # Errors
/// `Other` or `Corrupt` where the folder cannot be read.
pub fn fence(folder: &Path) -> Result<Option<Fence>> {
    let names = names(folder)?;
    let is_fence = |name: &&String| name.starts_with("fence-") && name.ends_with(".json");
    match names.iter().rfind(is_fence) {
        None => Ok(None),
        Some(name) => read_json(&folder.join(name)),
    }
}

/// Takes the copy over for a host: only one of several who try at once gets the next epoch.
///
/// # Errors
/// `Other` where another host was faster, or where the folder cannot be written.
pub fn claim(folder: &Path, host: &str, at: Timestamp) -> Result<Fence> {
    make(folder)?;
    let epoch = fence(folder)?.map_or(0, |it| it.epoch) + 1;
    let fence = Fence {
        epoch,
        host: host.to_owned(),
        at,
    };
    let path = folder.join(fence_file(epoch));
    let text = serde_json::to_vec(&fence).map_err(|error| Error::Other(error.to_string()))?;
    let new = folder.join(format!("{}.{}.new", fence_file(epoch), std::process::id()));
    let mut file = create(&new)?;
    file.write_all(&text)
        .and_then(|()| file.sync_all())
        .map_err(trouble(&new))?;
    // A link is made only where the name is free, so that of two hosts one is refused, and no half-written fence is ever read.
    let linked = std::fs::hard_link(&new, &path);
    let _ = std::fs::remove_file(&new);
    linked.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Error::Other("another host took the copy over just now".to_owned()),
        _ => trouble(&path)(error),
    })?;
    sync_folder(&path)?;
    Ok(fence)
}

/// The folder of the generations.
pub(crate) fn generations(folder: &Path) -> PathBuf {
    folder.join("generations")
}

pub(crate) fn segment_file(number: u64) -> String {
    format!("{number:08}.wal")
}

/// The number of a segment by its name.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    name.strip_suffix(".wal")?.parse().ok()
}
