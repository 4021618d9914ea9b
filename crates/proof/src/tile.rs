//! A Merkle log as files: the C2SP tlog-tiles layout (<https://c2sp.org/tlog-tiles>).
//!
//! A *tile* is up to 256 hashes of one tile level, where level L holds the roots of complete
//! subtrees of 256^L leaves; an *entry bundle* is the same range of leaves themselves, each behind
//! a 16-bit big-endian length. Paths are relative to the log's prefix. Full tiles never change;
//! a partial tile's width is part of its path, so no path ever changes its content.

use crate::crypto::Hash;
use crate::event::MAX_LEAF_BYTES;
use crate::merkle::{self, NodeSource};
use crate::{Error, Result};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Hashes in a full tile and entries in a full bundle.
pub const WIDTH: u64 = 256;

/// The source of a log's resources: a directory, a server, a table, a map in memory.
pub trait TileSource {
    /// The resource at `path` (for example `tile/0/x001/234.p/5` or `checkpoint`), or `None` when there is no such resource. A
    /// resource in memory is borrowed and not copied.
    ///
    /// # Errors
    /// [`Error::Source`] when it may exist but cannot be read.
    fn get(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>>;
}

/// A log held in memory, for tests and for what is about to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryTiles(
    /// Path to content.
    pub BTreeMap<String, Vec<u8>>,
);

impl MemoryTiles {
    /// Puts the resources of an append in.
    pub fn write(&mut self, tiles: &[Tile]) {
        for tile in tiles {
            self.0.insert(tile.path.clone(), tile.bytes.clone());
        }
    }
}

impl TileSource for MemoryTiles {
    fn get(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>> {
        Ok(self.0.get(path).map(|bytes| Cow::Borrowed(bytes.as_slice())))
    }
}

/// `N` as path elements: three digits each, all but the last behind an `x` (`x001/x234/067`).
#[must_use]
pub fn index_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

/// The path of a hash tile: `tile/{L}/{N}`, with `.p/{W}` when `width` is below 256.
#[must_use]
pub fn tile_path(level: u8, index: u64, width: u64) -> String {
    with_width(format!("tile/{level}/{}", index_path(index)), width)
}

/// The path of an entry bundle: `tile/entries/{N}`, with `.p/{W}` when `width` is below 256.
#[must_use]
pub fn entries_path(index: u64, width: u64) -> String {
    with_width(format!("tile/entries/{}", index_path(index)), width)
}

fn with_width(path: String, width: u64) -> String {
    if width == WIDTH {
        path
    } else {
        format!("{path}.p/{width}")
    }
}

/// The resource that a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileName {
    /// The tile level, or `None` for an entry bundle.
    pub level: Option<u8>,
    /// The index `N` within the level.
    pub index: u64,
    /// The width, 1 to 256.
    pub width: u64,
}

impl TileName {
    /// Reads a path strictly, so that one tile has one path; `None` for anything else.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let level = match level {
            "entries" => None,
            level => Some(level.parse::<u8>().ok().filter(|level| *level < 64)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().ok().filter(|w| (1..WIDTH).contains(w))?),
            None => (rest, WIDTH),
        };
        let mut number: u64 = 0;
        for element in index.split('/') {
            let digits = element.trim_start_matches('x').parse::<u64>().ok()?;
            number = number.checked_mul(1000)?.checked_add(digits)?;
        }
        let name = Self {
            level,
            index: number,
            width,
        };
        (name.path() == path).then_some(name)
    }

    /// The path of this resource.
    #[must_use]
    pub fn path(&self) -> String {
        match self.level {
            Some(level) => tile_path(level, self.index, self.width),
            None => entries_path(self.index, self.width),
        }
    }
}

/// Writes entries as a bundle.
///
/// # Errors
/// [`Error::TooLarge`] when an entry passes 65,535 bytes.
pub fn write_entries<T: AsRef<[u8]>>(entries: &[T]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        let length = u16::try_from(entry.len()).map_err(|_| Error::TooLarge {
            what: "log entry",
            size: entry.len() as u64,
            limit: MAX_LEAF_BYTES as u64,
        })?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// Reads a bundle's entries without copying them.
///
/// # Errors
/// [`Error::Malformed`] when the last entry is cut.
pub fn read_entries(bundle: &[u8]) -> Result<Vec<&[u8]>> {
    entries(bundle).collect()
}

/// A bundle's entries, each read on demand; one that is cut is an error, and the last.
pub(crate) fn entries(bundle: &[u8]) -> impl Iterator<Item = Result<&[u8]>> {
    let mut rest = bundle;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let found = rest
            .split_first_chunk::<2>()
            .and_then(|(length, after)| after.split_at_checked(usize::from(u16::from_be_bytes(*length))));
        rest = found.map_or(&[], |(_, after)| after);
        Some(found.map_or_else(
            || Err(Error::malformed("entry bundle", "its last entry is cut")),
            |(entry, _)| Ok(entry),
        ))
    })
}

/// The hashes of a tile.
///
/// # Errors
/// [`Error::Malformed`] unless it has 1 to 256 whole hashes.
pub fn read_tile(bytes: &[u8]) -> Result<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if hashes.is_empty() || hashes.len() as u64 > WIDTH || !rest.is_empty() {
        return Err(Error::malformed("tile", "it has not 1 to 256 hashes of 32 bytes"));
    }
    Ok(hashes.to_vec())
}

/// Tiles that were read, by level and index.
type Seen = HashMap<(u8, u64), Rc<Vec<Hash>>>;

/// A log of a known size, read through its tiles. Make a new one for each size; it caches the tiles that it read.
pub struct TileReader<'a> {
    source: &'a dyn TileSource,
    size: u64,
    seen: RefCell<Seen>,
}

impl<'a> TileReader<'a> {
    /// Reads `source` as a tree of `size` leaves.
    #[must_use]
    pub fn new(source: &'a dyn TileSource, size: u64) -> Self {
        Self {
            source,
            size,
            seen: RefCell::default(),
        }
    }

    /// Leaves in the tree.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of tile `index` at tile level `level`, as far as this tree has them.
    ///
    /// # Errors
    /// [`Error::Absent`] or [`Error::Source`] when it cannot be read, [`Error::Malformed`] for a bad tile.
    pub fn tile(&self, level: u8, index: u64) -> Result<Rc<Vec<Hash>>> {
        if let Some(tile) = self.seen.borrow().get(&(level, index)) {
            return Ok(Rc::clone(tile));
        }
        let tile = Rc::new(self.read_tile_fresh(level, index)?);
        self.seen.borrow_mut().insert((level, index), Rc::clone(&tile));
        Ok(tile)
    }

    /// A tile that is not remembered, for walks over a whole level.
    pub(crate) fn read_tile_fresh(&self, level: u8, index: u64) -> Result<Vec<Hash>> {
        let width = self.width(level, index);
        let path = tile_path(level, index, width);
        let mut hashes = read_tile(&self.fetch(&path, &tile_path(level, index, WIDTH))?)?;
        if (hashes.len() as u64) < width {
            return Err(Error::malformed("tile", format!("`{path}` is too short")));
        }
        hashes.truncate(width as usize);
        Ok(hashes)
    }

    /// The bytes of entry bundle `index`; a full bundle may be returned for a partial one, so it can hold entries beyond this
    /// tree.
    ///
    /// # Errors
    /// [`Error::Absent`] or [`Error::Source`] when it cannot be read.
    pub fn bundle(&self, index: u64) -> Result<Cow<'a, [u8]>> {
        let width = self.width(0, index);
        self.fetch(&entries_path(index, width), &entries_path(index, WIDTH))
    }

    /// The number of hashes of this tile (or entries of this bundle, level 0) in the tree.
    #[must_use]
    pub fn width(&self, level: u8, index: u64) -> u64 {
        hashes_at(self.size, level)
            .saturating_sub(index.saturating_mul(WIDTH))
            .min(WIDTH)
    }

    /// The leaf at `index`, checked against its hash in the level 0 tile.
    ///
    /// # Errors
    /// [`Error::Malformed`] when `index` is outside or the entry has another hash, [`Error::Absent`]
    /// or [`Error::Source`] when a resource cannot be read.
    pub fn leaf(&self, index: u64) -> Result<Vec<u8>> {
        if index >= self.size {
            return Err(Error::malformed("leaf index", "it lies outside the tree"));
        }
        let bundle = self.bundle(index / WIDTH)?;
        let entries = read_entries(&bundle)?;
        let entry = entries.get((index % WIDTH) as usize);
        let entry = entry.ok_or_else(|| Error::malformed("entry bundle", "it is too short"))?;
        if merkle::leaf_hash(entry) != self.node(0, index)? {
            return Err(Error::malformed("log entry", "it has not the hash of its tile"));
        }
        Ok(entry.to_vec())
    }

    /// The root of this tree.
    ///
    /// # Errors
    /// As [`TileReader::tile`].
    pub fn root(&self) -> Result<Hash> {
        merkle::root(self, self.size)
    }

    /// The proof that leaf `index` is in this tree.
    ///
    /// # Errors
    /// As [`merkle::inclusion_proof`].
    pub fn inclusion_proof(&self, index: u64) -> Result<Vec<Hash>> {
        merkle::inclusion_proof(self, index, self.size)
    }

    /// The proof that the tree of `old` leaves is a prefix of this one.
    ///
    /// # Errors
    /// As [`merkle::consistency_proof`].
    pub fn consistency_proof(&self, old: u64) -> Result<Vec<Hash>> {
        merkle::consistency_proof(self, old, self.size)
    }

    /// Reads a resource; a partial one may already have been replaced by the full one.
    fn fetch(&self, path: &str, full_path: &str) -> Result<Cow<'a, [u8]>> {
        if let Some(bytes) = self.source.get(path)? {
            return Ok(bytes);
        }
        let full = if path == full_path {
            None
        } else {
            self.source.get(full_path)?
        };
        full.ok_or_else(|| Error::Absent { path: path.to_owned() })
    }
}

impl NodeSource for TileReader<'_> {
    fn node(&self, level: u8, index: u64) -> Result<Hash> {
        let (tile_level, height) = (level / 8, level % 8);
        let first = index << height;
        let tile = self.tile(tile_level, first / WIDTH)?;
        let start = (first % WIDTH) as usize;
        let hashes = tile.get(start..start + (1 << height));
        let absent = || Error::malformed("tree", "it has no such subtree");
        hashes.map(complete_root).ok_or_else(absent)
    }
}

/// The number of hashes at tile level `level` in a tree of `size` leaves.
fn hashes_at(size: u64, level: u8) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// The root over a power of two of hashes of equal height.
pub(crate) fn complete_root(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row
            .chunks(2)
            .map(|pair| merkle::node_hash(&pair[0], &pair[pair.len() - 1]))
            .collect();
    }
    row[0]
}

/// A resource to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Its path under the log's prefix.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The result of an append. Write the tiles, then sign and publish the new size and root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Leaves in the new tree.
    pub size: u64,
    /// Root of the new tree.
    pub root: Hash,
    /// Every resource that is new: entry bundles and hash tiles, full and partial.
    pub tiles: Vec<Tile>,
}

/// Computes the resources that appending `leaves` to a tree of `size` leaves with root `root` adds.
///
/// The right edge of the old tree is read and must hash to `root`, and the entries of its partial
/// bundle to their tile; so nothing that was changed behind the log's back gets signed again.
///
/// # Errors
/// [`Error::Malformed`] when the old tree is not the one with `root`, [`Error::TooLarge`] for a leaf
/// of more than 65,535 bytes, [`Error::Absent`] or [`Error::Source`] when a tile cannot be read.
pub fn append<T: AsRef<[u8]>>(source: &dyn TileSource, size: u64, root: &Hash, leaves: &[T]) -> Result<Appended> {
    let old = TileReader::new(source, size);
    if old.root()? != *root {
        return Err(Error::malformed("tree", "the stored tiles have not the expected root"));
    }
    let mut added = MemoryTiles::default();
    append_entries(&old, leaves, &mut added)?;
    append_hashes(&old, leaves, &mut added)?;
    let size = size + leaves.len() as u64;
    let both = Overlay {
        above: &added,
        below: source,
    };
    let root = TileReader::new(&both, size).root()?;
    let tiles = added.0.into_iter().map(|(path, bytes)| Tile { path, bytes }).collect();
    Ok(Appended { size, root, tiles })
}

fn append_entries<T: AsRef<[u8]>>(old: &TileReader<'_>, leaves: &[T], added: &mut MemoryTiles) -> Result<()> {
    if leaves.is_empty() {
        return Ok(());
    }
    let (first, standing) = (old.size / WIDTH, (old.size % WIDTH) as usize);
    let bundle = if standing > 0 {
        old.bundle(first)?
    } else {
        Cow::default()
    };
    let mut entries = read_entries(&bundle)?;
    if entries.len() < standing {
        return Err(Error::malformed("entry bundle", "it is too short"));
    }
    entries.truncate(standing);
    for (index, entry) in (first * WIDTH..).zip(&entries) {
        if merkle::leaf_hash(entry) != old.node(0, index)? {
            return Err(Error::malformed(
                "log entry",
                format!("entry {index} has not the hash of its tile"),
            ));
        }
    }
    entries.extend(leaves.iter().map(AsRef::as_ref));
    for (index, chunk) in (first..).zip(entries.chunks(WIDTH as usize)) {
        let path = entries_path(index, chunk.len() as u64);
        added.0.insert(path, write_entries(chunk)?);
    }
    Ok(())
}

fn append_hashes<T: AsRef<[u8]>>(old: &TileReader<'_>, leaves: &[T], added: &mut MemoryTiles) -> Result<()> {
    let mut fresh: Vec<Hash> = leaves.iter().map(|leaf| merkle::leaf_hash(leaf.as_ref())).collect();
    let mut level = 0;
    while !fresh.is_empty() {
        let before = hashes_at(old.size, level);
        let first = before / WIDTH;
        let mut row = if before.is_multiple_of(WIDTH) {
            Vec::new()
        } else {
            old.tile(level, first)?.to_vec()
        };
        row.append(&mut fresh);
        for (index, chunk) in (first..).zip(row.chunks(WIDTH as usize)) {
            let width = chunk.len() as u64;
            added.0.insert(tile_path(level, index, width), chunk.concat());
            if width == WIDTH {
                fresh.push(complete_root(chunk));
            }
        }
        level += 1;
    }
    Ok(())
}

/// New resources over stored ones.
struct Overlay<'a> {
    above: &'a MemoryTiles,
    below: &'a dyn TileSource,
}

impl TileSource for Overlay<'_> {
    fn get(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>> {
        match self.above.get(path)? {
            Some(bytes) => Ok(Some(bytes)),
            None => self.below.get(path),
        }
    }
}

#[cfg(test)]
#[path = "tile_tests.rs"]
mod tests;
