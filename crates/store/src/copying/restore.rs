//! Brings a moment back from a copy: the base of its generation, and the segments up to the moment over it.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::copying::files::FOLDERS;
use crate::copying::folder::{
    BASE, BASE_DONE, Base, Marks, SegmentHead, alive, create, generations, make, names, read_json, segment_file,
    segment_number, trouble,
};
use crate::copying::tail::MOST_WAITING;
use crate::copying::wal;
use crate::error::{Error, Result};
use crate::zstandard;

/// The longest first line of a segment, in bytes.
const MOST_HEAD: usize = 1_024;

/// What was brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The moment: everything that was committed until then is there.
    pub moment: Timestamp,
    /// How many segments were written over the base.
    pub segments: u64,
    /// The bytes of the database file.
    pub bytes: u64,
    /// How many files beside it came back.
    pub files: u64,
    /// How far each log was when the copy was written last.
    pub marks: Marks,
}

struct Source {
    folder: PathBuf,
    base: Base,
}

fn wrong(path: &Path, why: &str) -> Error {
    Error::Corrupt(format!("`{}` is damaged: {why}", path.display()))
}

/// Writes the database `to` as it was at a moment, or as it was copied last, and the files beside it.
///
/// # Errors
/// `Other` where the copy does not reach back to the moment, or a file cannot be read or written; `Corrupt` where the copy is
/// damaged.
pub fn restore(folder: &Path, at: Option<Timestamp>, to: &Path) -> Result<Restored> {
    let source = choose(folder, at)?;
    let data = to.parent().unwrap_or(Path::new("."));
    make(data)?;
    let mut file = unpack_base(&source, to)?;
    let (mut moment, mut segments) = (source.base.at, 0);
    for number in 1.. {
        let path = source.folder.join(segment_file(number));
        let Some((head, frames)) = read_segment(&path, number)? else {
            if number <= source.base.from_segment {
                return Err(wrong(&path, "it is missing"));
            }
            break;
        };
        // What the base needs is later than no moment for which it was chosen.
        if number > source.base.from_segment && at.is_some_and(|at| head.at > at) {
            break;
        }
        apply(&mut file, &head, &frames, (&path, to))?;
        (moment, segments) = (head.at, number);
    }
    check_no_gap(&source, segments)?;
    file.sync_all().map_err(trouble(to))?;
    let bytes = file.metadata().map_err(trouble(to))?.len();
    let files = bring_files(&folder.join("files"), data)?;
    let marks = alive(folder)?.map(|it| it.marks).unwrap_or_default();
    Ok(Restored {
        moment,
        segments,
        bytes,
        files,
        marks,
    })
}

/// The newest generation that reaches back to the moment. Those of a later host come first.
fn choose(folder: &Path, at: Option<Timestamp>) -> Result<Source> {
    let all = generations(folder);
    let mut oldest = None;
    for name in names(&all)?.into_iter().rev() {
        let folder = all.join(name);
        // One without is not whole: its host ended while it copied the base.
        let Some(base) = read_json::<Base>(&folder.join(BASE_DONE))? else {
            continue;
        };
        if at.is_none_or(|at| base.at <= at) {
            return Ok(Source { folder, base });
        }
        oldest = Some(base.at);
    }
    Err(Error::Other(match oldest {
        None => format!("`{}` holds no whole copy", folder.display()),
        Some(oldest) => format!("the copy reaches back to {oldest} and no further"),
    }))
}

fn unpack_base(source: &Source, to: &Path) -> Result<File> {
    let path = source.folder.join(BASE);
    let packed = File::open(&path).map_err(trouble(&path))?;
    let mut decoder = zstd::stream::read::Decoder::new(packed).map_err(trouble(&path))?;
    drop(create(to)?);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(to)
        .map_err(trouble(to))?;
    let mut part = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let count = decoder
            .read(&mut part)
            .map_err(|error| wrong(&path, &error.to_string()))?;
        if count == 0 {
            break;
        }
        bytes += count as u64;
        if bytes > source.base.bytes {
            break;
        }
        file.write_all(&part[..count]).map_err(trouble(to))?;
    }
    match bytes == source.base.bytes {
        true => Ok(file),
        false => Err(wrong(&path, "it is shorter or longer than it was")),
    }
}

/// A segment with its frames; `None` where it is not there.
fn read_segment(path: &Path, number: u64) -> Result<Option<(SegmentHead, Vec<u8>)>> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(trouble(path))?,
    };
    let end = bytes.iter().take(MOST_HEAD).position(|byte| *byte == b'\n');
    let end = end.ok_or_else(|| wrong(path, "it has no first line"))?;
    let head: SegmentHead =
        serde_json::from_slice(&bytes[..end]).map_err(|error| wrong(path, &format!("its first line: {error}")))?;
    let frames = zstandard::open(&bytes[end + 1..], head.bytes.min(MOST_WAITING));
    let frames = frames.ok_or_else(|| wrong(path, "its frames cannot be unpacked"))?;
    if head.number != number || frames.len() != head.bytes {
        return Err(wrong(path, "it is another one than its name says"));
    }
    Ok(Some((head, frames)))
}

/// Writes the pages of a segment over the database, which has as many pages as its last transaction says.
fn apply(file: &mut File, head: &SegmentHead, frames: &[u8], (path, to): (&Path, &Path)) -> Result<()> {
    if frames.is_empty() {
        return Ok(());
    }
    let frames = wal::frames(frames, head.page_size).ok_or_else(|| wrong(path, "its frames are none"))?;
    let size = u64::from(head.page_size);
    for frame in &frames {
        let place = (u64::from(frame.page) - 1) * size;
        file.seek(SeekFrom::Start(place))
            .and_then(|_| file.write_all(frame.content))
            .map_err(trouble(to))?;
    }
    let pages = frames.last().map_or(0, |last| u64::from(last.pages));
    file.set_len(pages * size).map_err(trouble(to))
}

/// A segment that is missing between others must not end a restore unseen.
fn check_no_gap(source: &Source, segments: u64) -> Result<()> {
    let numbers = names(&source.folder)?
        .into_iter()
        .filter_map(|name| segment_number(&name));
    let last = numbers.max().unwrap_or_default();
    let next = source.folder.join(segment_file(segments + 1));
    if last > segments && !next.exists() {
        return Err(wrong(&next, "it is missing"));
    }
    Ok(())
}

fn bring_files(copies: &Path, data: &Path) -> Result<u64> {
    let mut brought = 0;
    for name in FOLDERS {
        let mut folders = vec![PathBuf::from(name)];
        while let Some(within) = folders.pop() {
            for entry in names(&copies.join(&within))? {
                let path = within.join(entry);
                let from = copies.join(&path);
                if from.is_dir() {
                    folders.push(path);
                } else if from.extension().is_none_or(|end| end != "new") {
                    make(&data.join(&within))?;
                    let to = data.join(&path);
                    let mut target = create(&to)?;
                    let mut source = File::open(&from).map_err(trouble(&from))?;
                    std::io::copy(&mut source, &mut target)
                        .and_then(|_| target.sync_all())
                        .map_err(trouble(&to))?;
                    brought += 1;
                }
            }
        }
    }
    Ok(brought)
}
