//! Brings a moment back from a copy: the base of its generation, and the segments up to the moment over it.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Component, Path};

use jiff::Timestamp;

use crate::bucket::SharedBucket;
use crate::copying::copier::PART;
use crate::copying::files::{FOLDERS, trouble};
use crate::copying::objects::{
    Base, FILES, GENERATIONS, Marks, SegmentHead, alive, base_key, generations, keys, part_key, read_json, segment_key,
    segment_number,
};
use crate::copying::tail::MOST_WAITING;
use crate::copying::wal;
use crate::error::{Error, Result};
use crate::zstandard;

/// The longest first line of a segment, in bytes.
const MOST_HEAD: usize = 1_024;

/// The result of a restore.
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

struct Source<'a> {
    place: &'a SharedBucket,
    generation: String,
    base: Base,
}

fn wrong(key: &str, why: &str) -> Error {
    Error::Corrupt(format!("`{key}` is damaged: {why}"))
}

/// Makes a folder that only its owner can access, and those above it.
fn make(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(trouble(folder))
}

/// A new file that only its owner can access.
fn create(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(trouble(path))
}

/// Writes the database `to` as it was at a moment, or as it was copied last, and the files beside it.
///
/// # Errors
/// `Other` where the copy does not reach back to the moment, or a file cannot be read or written; `Corrupt` where the copy is
/// damaged.
pub fn restore(place: &SharedBucket, at: Option<Timestamp>, to: &Path) -> Result<Restored> {
    // A host that still writes raises them with each segment, so they are read before the segments.
    let marks = alive(place)?.map(|it| it.marks).unwrap_or_default();
    let source = choose(place, at)?;
    let data = to.parent().unwrap_or(Path::new("."));
    make(data)?;
    let mut file = unpack_base(&source, to)?;
    let (mut moment, mut segments) = (source.base.at, 0);
    for number in 1.. {
        let key = segment_key(&source.generation, number);
        let Some((head, frames)) = next_segment(&source, number)? else {
            break;
        };
        // The base was chosen so that its segments are not later than the moment.
        if number > source.base.from_segment && at.is_some_and(|at| head.at > at) {
            break;
        }
        apply(&mut file, &head, &frames, (&key, to))?;
        (moment, segments) = (head.at, number);
    }
    file.sync_all().map_err(trouble(to))?;
    let bytes = file.metadata().map_err(trouble(to))?.len();
    let files = bring_files(place, data)?;
    Ok(Restored {
        moment,
        segments,
        bytes,
        files,
        marks,
    })
}

/// The newest generation that reaches back to the moment. Those of a later host come first.
fn choose(place: &SharedBucket, at: Option<Timestamp>) -> Result<Source<'_>> {
    let mut oldest = None;
    for generation in generations(place)?.into_iter().rev() {
        // A generation without it is not whole: its host ended while it copied the base.
        let Some(base) = read_json::<Base>(place, &base_key(&generation))? else {
            continue;
        };
        if at.is_none_or(|at| base.at <= at) {
            return Ok(Source {
                place,
                generation,
                base,
            });
        }
        oldest = Some(base.at);
    }
    Err(Error::Other(match oldest {
        None => "there is no whole copy".to_owned(),
        Some(oldest) => format!("the copy reaches back to {oldest} and no further"),
    }))
}

fn unpack_base(source: &Source<'_>, to: &Path) -> Result<File> {
    let mut file = create(to)?;
    let mut bytes = 0;
    for number in 1..=source.base.parts {
        let key = part_key(&source.generation, number);
        let packed = source.place.0.get(&key)?.ok_or_else(|| wrong(&key, "it is missing"))?;
        let part = zstandard::open(&packed, PART).ok_or_else(|| wrong(&key, "it cannot be unpacked"))?;
        bytes += part.len() as u64;
        file.write_all(&part).map_err(trouble(to))?;
    }
    match bytes == source.base.bytes {
        true => Ok(file),
        false => Err(wrong(
            &base_key(&source.generation),
            "the base is shorter or longer than it was",
        )),
    }
}

/// The segment of this number; `None` behind the last one. One that is listed and not found may have come meanwhile and is read once
/// more; a missing one between others must not end a restore unseen.
fn next_segment(source: &Source<'_>, number: u64) -> Result<Option<(SegmentHead, Vec<u8>)>> {
    let key = segment_key(&source.generation, number);
    if let Some(found) = read_segment(source.place, &key, number)? {
        return Ok(Some(found));
    }
    let before = segment_key(&source.generation, number - 1);
    let prefix = format!("{GENERATIONS}{}/", source.generation);
    let later = source.place.0.list(&prefix, &before)?;
    let is_last = number > source.base.from_segment && !later.iter().any(|key| segment_number(key).is_some());
    match read_segment(source.place, &key, number)? {
        None if !is_last => Err(wrong(&key, "it is missing")),
        found => Ok(found),
    }
}

/// A segment with its frames; `None` where it is not there.
fn read_segment(place: &SharedBucket, key: &str, number: u64) -> Result<Option<(SegmentHead, Vec<u8>)>> {
    let Some(bytes) = place.0.get(key)? else {
        return Ok(None);
    };
    let end = bytes.iter().take(MOST_HEAD).position(|byte| *byte == b'\n');
    let end = end.ok_or_else(|| wrong(key, "it has no first line"))?;
    let head: SegmentHead =
        serde_json::from_slice(&bytes[..end]).map_err(|error| wrong(key, &format!("its first line: {error}")))?;
    let frames = zstandard::open(&bytes[end + 1..], head.bytes.min(MOST_WAITING));
    let frames = frames.ok_or_else(|| wrong(key, "its frames cannot be unpacked"))?;
    if head.number != number || frames.len() != head.bytes {
        return Err(wrong(key, "it is another one than its name says"));
    }
    Ok(Some((head, frames)))
}

/// Writes the pages of a segment over the database, which gets the size of its last transaction.
fn apply(file: &mut File, head: &SegmentHead, frames: &[u8], (key, to): (&str, &Path)) -> Result<()> {
    if frames.is_empty() {
        return Ok(());
    }
    let frames = wal::frames(frames, head.page_size).ok_or_else(|| wrong(key, "its frames are none"))?;
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

fn bring_files(place: &SharedBucket, data: &Path) -> Result<u64> {
    let mut brought = 0;
    for key in keys(place, FILES)? {
        let name = key.strip_prefix(FILES).unwrap_or_default();
        let inner = Path::new(name);
        let is_ours = FOLDERS.iter().any(|folder| inner.starts_with(folder))
            && inner.components().all(|part| matches!(part, Component::Normal(_)));
        if !is_ours {
            return Err(wrong(&key, "it is no file of a copy"));
        }
        // Gone by now: it was erased.
        let Some(bytes) = place.0.get(&key)? else { continue };
        let to = data.join(inner);
        make(to.parent().unwrap_or(data))?;
        create(&to).and_then(|mut file| {
            file.write_all(&bytes)
                .and_then(|()| file.sync_all())
                .map_err(trouble(&to))
        })?;
        brought += 1;
    }
    Ok(brought)
}
