//! Sorts more pairs of bytes than fit into memory: pieces of limited size are sorted and written to files without a name,
//! which are merged as they are read. The files are compressed, and gone when the process is.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering as Memory};

use crate::error::{Error, Result};
use crate::zstandard;

/// The cost of a pair beside its bytes, in bytes.
const PAIR: usize = 64;
/// How much of a file is compressed at once, in bytes; a longer pair is a block of its own.
const BLOCK: usize = 256 * 1024;
/// The longest block that is read, in bytes: more than the longest event.
const MOST_BLOCK: usize = 1 << 30;
/// This many files are merged into one, so that few are open at a time.
const FAN: usize = 16;
/// The level of compression: the files live for minutes.
const LEVEL: i32 = 1;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Takes pairs in any order.
pub struct Sorter {
    folder: PathBuf,
    most: usize,
    size: usize,
    piece: Vec<Pair>,
    /// Files by how often their pairs were merged; fewer than [`FAN`] each.
    levels: Vec<Vec<File>>,
}

impl Sorter {
    /// A sorter that holds about `most` bytes in memory, and writes the rest to files in `folder`.
    #[must_use]
    pub fn new(folder: PathBuf, most: usize) -> Self {
        Self {
            folder,
            most,
            size: 0,
            piece: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Takes one more pair.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn add(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<()> {
        self.size += key.len() + value.len() + PAIR;
        self.piece.push((key, value));
        if self.size < self.most {
            return Ok(());
        }
        let piece = Source::Piece(self.taken_piece());
        let file = write_file(&self.folder, Sorted::of(vec![piece])?)?;
        self.keep(file)
    }

    /// All pairs in the order of their keys; of values under the same key the smaller first.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn sorted(mut self) -> Result<Sorted> {
        let mut sources = vec![Source::Piece(self.taken_piece())];
        for file in self.levels.into_iter().flatten() {
            sources.push(Source::of_file(file)?);
        }
        Sorted::of(sources)
    }

    fn taken_piece(&mut self) -> std::vec::IntoIter<Pair> {
        let mut piece = std::mem::take(&mut self.piece);
        self.size = 0;
        piece.sort_unstable();
        piece.into_iter()
    }

    /// Keeps a file, and merges those of its level when there are many.
    fn keep(&mut self, file: File) -> Result<()> {
        let mut file = Some(file);
        for level in &mut self.levels {
            level.extend(file.take());
            if level.len() < FAN {
                return Ok(());
            }
            let sources = std::mem::take(level).into_iter().map(Source::of_file);
            file = Some(write_file(
                &self.folder,
                Sorted::of(sources.collect::<Result<Vec<_>>>()?)?,
            )?);
        }
        self.levels.push(file.into_iter().collect());
        Ok(())
    }
}

/// Pairs in the order of their keys.
pub struct Sorted {
    heads: BinaryHeap<Reverse<Head>>,
    sources: Vec<Source>,
}

impl Sorted {
    fn of(sources: Vec<Source>) -> Result<Self> {
        let mut sorted = Self {
            heads: BinaryHeap::new(),
            sources,
        };
        for number in 0..sorted.sources.len() {
            sorted.refill(number)?;
        }
        Ok(sorted)
    }

    /// The key of the next pair; `None` at the end.
    #[must_use]
    pub fn peek(&self) -> Option<&[u8]> {
        self.heads.peek().map(|Reverse(head)| head.pair.0.as_slice())
    }

    /// The next pair; `None` at the end.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn next_pair(&mut self) -> Result<Option<Pair>> {
        let Some(Reverse(head)) = self.heads.pop() else {
            return Ok(None);
        };
        self.refill(head.source)?;
        Ok(Some(head.pair))
    }

    fn refill(&mut self, number: usize) -> Result<()> {
        let next = match self.sources.get_mut(number) {
            Some(Source::Piece(pairs)) => pairs.next(),
            Some(Source::File(file)) => file.next()?,
            None => None,
        };
        let head = next.map(|pair| Reverse(Head { pair, source: number }));
        self.heads.extend(head);
        Ok(())
    }
}

/// The next pair of a source.
#[derive(PartialEq, Eq)]
struct Head {
    pair: Pair,
    source: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        self.pair.cmp(&other.pair).then(self.source.cmp(&other.source))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

enum Source {
    Piece(std::vec::IntoIter<Pair>),
    File(Reader),
}

impl Source {
    fn of_file(mut file: File) -> Result<Self> {
        file.seek(SeekFrom::Start(0)).map_err(|error| fault(&error))?;
        Ok(Self::File(Reader {
            file: BufReader::new(file),
            block: Vec::new(),
            at: 0,
        }))
    }
}

/// Reads the pairs of a file, block by block.
struct Reader {
    file: BufReader<File>,
    block: Vec<u8>,
    at: usize,
}

impl Reader {
    fn next(&mut self) -> Result<Option<Pair>> {
        if self.at >= self.block.len() && !self.read_block()? {
            return Ok(None);
        }
        Ok(Some((self.part()?, self.part()?)))
    }

    /// Reads the next block; `false` at the end of the file.
    fn read_block(&mut self) -> Result<bool> {
        let mut length = [0; 4];
        match self.file.read_exact(&mut length) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
            done => done.map_err(|error| fault(&error))?,
        }
        let mut packed = vec![0; u32::from_be_bytes(length) as usize];
        self.file.read_exact(&mut packed).map_err(|error| fault(&error))?;
        self.block = zstandard::open(&packed, MOST_BLOCK).ok_or_else(damaged)?;
        self.at = 0;
        Ok(true)
    }

    /// A key or a value with its length before it.
    fn part(&mut self) -> Result<Vec<u8>> {
        let rest = self.block.get(self.at..).unwrap_or_default();
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let length = u32::from_be_bytes(*length) as usize;
        let part = rest.get(..length).ok_or_else(damaged)?.to_vec();
        self.at += 4 + length;
        Ok(part)
    }
}

/// Writes pairs to a new file.
fn write_file(folder: &Path, mut pairs: Sorted) -> Result<File> {
    let mut file = BufWriter::new(unnamed(folder).map_err(|error| fault(&error))?);
    let mut block = Vec::new();
    while let Some((key, value)) = pairs.next_pair()? {
        for part in [key, value] {
            block.extend(length_of(&part)?);
            block.extend(part);
        }
        if block.len() >= BLOCK {
            write_block(&mut file, &block)?;
            block.clear();
        }
    }
    if !block.is_empty() {
        write_block(&mut file, &block)?;
    }
    file.into_inner().map_err(|error| fault(error.error()))
}

fn write_block(file: &mut BufWriter<File>, block: &[u8]) -> Result<()> {
    let packed = zstandard::pack(block, LEVEL)?;
    file.write_all(&length_of(&packed)?)
        .and_then(|()| file.write_all(&packed))
        .map_err(|error| fault(&error))
}

fn length_of(bytes: &[u8]) -> Result<[u8; 4]> {
    let length = u32::try_from(bytes.len()).map_err(|_| Error::Other("a pair is too long to be sorted".to_owned()))?;
    Ok(length.to_be_bytes())
}

/// A file that only this process can reach, and that is gone when it is closed.
fn unnamed(folder: &Path) -> std::io::Result<File> {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    loop {
        let number = NUMBERS.fetch_add(1, Memory::Relaxed);
        let path = folder.join(format!("sorting-{}-{number}.tmp", std::process::id()));
        match options.open(&path) {
            // A process of the same number was killed before it removed its file.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
        }
    }
}

fn fault(error: &std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Full,
        _ => Error::Other(format!("a temporary file of a sorting: {error}")),
    }
}

fn damaged() -> Error {
    Error::Other("a temporary file of a sorting was changed".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    /// Pairs in no order, some under the same key.
    fn pairs(count: u64) -> Vec<Pair> {
        let mixed = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
        let pair = |number| {
            let key = format!("{:04}", mixed(number) % 3_000);
            (key.into_bytes(), format!("value {number}").into_bytes())
        };
        (0..count).map(pair).collect()
    }

    fn sorted_by(most: usize, pairs: &[Pair], folder: &Path) -> (Vec<Pair>, usize) {
        let mut sorter = Sorter::new(folder.to_owned(), most);
        for (key, value) in pairs {
            sorter.add(key.clone(), value.clone()).unwrap();
        }
        let files = sorter.levels.iter().map(Vec::len).sum();
        let mut sorted = sorter.sorted().unwrap();
        let mut found = Vec::new();
        while let Some(key) = sorted.peek().map(<[u8]>::to_vec) {
            let pair = sorted.next_pair().unwrap().unwrap();
            assert_eq!(pair.0, key);
            found.push(pair);
        }
        (found, files)
    }

    #[test]
    fn what_fits_into_memory_and_what_does_not_is_sorted_alike() {
        let folder = std::env::temp_dir().join(format!("assent-sorter-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let pairs = pairs(20_000);
        let mut wanted = pairs.clone();
        wanted.sort();
        let (in_memory, files) = sorted_by(usize::MAX, &pairs, &folder);
        assert!(in_memory == wanted && files == 0);
        // Some hundred pieces, so that merged files are merged again.
        let (in_files, files) = sorted_by(5_000, &pairs, &folder);
        assert!(in_files == wanted, "{} pairs of {}", in_files.len(), wanted.len());
        assert!((1..3 * FAN).contains(&files), "{files} files");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "no file has a name");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_and_nothing_is_sorted_without_it() {
        let mut sorter = Sorter::new(PathBuf::from("/nowhere/at/all"), 100);
        assert!(sorter.add(vec![1], vec![2]).is_ok());
        assert!(sorter.add(vec![0; 90], vec![2]).is_err());
    }
}
