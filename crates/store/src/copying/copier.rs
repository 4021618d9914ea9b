//! Writes the copy: a base, then segment after segment.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::copying::files;
use crate::copying::folder::{
    Alive, BASE, BASE_DONE, Base, Fence, Marks, SegmentHead, beside, create, fence, generations, make, names,
    put_in_place, segment_file, set_alive, trouble, write, write_json,
};
use crate::copying::tail::{Chunk, Tail};
use crate::error::{Error, Result};
use crate::zstandard;

/// How long segments follow one base: more of them would make a restore slow.
const GENERATION: SignedDuration = SignedDuration::from_hours(24);
/// For how long moments can be restored.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Bytes of the main file that are copied between two looks at the write-ahead log.
const PART: usize = 4 << 20;
/// The level of compression: bases are large, and segments must be quick.
const LEVEL: i32 = 3;

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// Everything that was committed when the step began is in the copy.
    Whole,
    /// Another host took the copy over: nothing more may be written, here or there.
    Fenced(Fence),
}

struct Generation {
    folder: PathBuf,
    begun_at: Timestamp,
    /// The number of the last segment.
    last: u64,
}

/// Copies one database. Only one of them works on a database at a time.
pub struct Copier {
    database: PathBuf,
    folder: PathBuf,
    epoch: u64,
    tail: Arc<Tail>,
    generation: Option<Generation>,
}

impl Copier {
    pub(crate) fn new(database: &Path, folder: &Path, epoch: u64, tail: Arc<Tail>) -> Self {
        Self {
            database: database.to_owned(),
            folder: folder.to_owned(),
            epoch,
            tail,
            generation: None,
        }
    }

    /// Copies what is new. `marks` say how far the logs were before the step began. `clock` is asked again for each segment, as
    /// a base may take minutes.
    ///
    /// # Errors
    /// The folder's; the next step tries again, and begins the copy anew where that is needed.
    pub fn step(&mut self, marks: Marks, clock: &dyn Fn() -> Timestamp) -> Result<Copied> {
        if let Some(fence) = fence(&self.folder)?.filter(|fence| fence.epoch != self.epoch) {
            return Ok(Copied::Fenced(fence));
        }
        let now = clock();
        let is_old = |it: &Generation| now.duration_since(it.begun_at) > GENERATION;
        if self.generation.as_ref().is_none_or(is_old) {
            self.begin(clock)?;
        } else if let Err(error) = self.follow(clock) {
            tracing::warn!(%error, "the running copy is not continued");
            if matches!(error, Error::Corrupt(_)) {
                // The next step begins a generation.
                self.generation = None;
            }
            return Err(error);
        }
        let alive = Alive {
            epoch: self.epoch,
            at: now,
            marks,
        };
        set_alive(&self.folder, &alive)?;
        Ok(Copied::Whole)
    }

    /// Copies the main file while people write. A page that is written meanwhile may be copied in any state: the log from its
    /// beginning on has it whole, and restoring writes all of that over the base.
    fn begin(&mut self, clock: &dyn Fn() -> Timestamp) -> Result<()> {
        let begun_at = clock();
        let name = format!("{:08}-{:013}", self.epoch, begun_at.as_millisecond());
        let folder = generations(&self.folder).join(name);
        make(&folder)?;
        self.generation = None;
        self.tail.begin();
        let mut generation = Generation {
            folder,
            begun_at,
            last: 0,
        };
        let bytes = self.copy_base(&mut generation, clock)?;
        self.write_new(&mut generation, clock, true)?;
        let base = Base {
            bytes,
            from_segment: generation.last,
            at: clock(),
        };
        write_json(&generation.folder.join(BASE_DONE), &base)?;
        self.forget_old(&generation, begun_at)?;
        self.generation = Some(generation);
        Ok(())
    }

    fn copy_base(&self, generation: &mut Generation, clock: &dyn Fn() -> Timestamp) -> Result<u64> {
        let path = generation.folder.join(BASE);
        let failed = trouble(&path);
        let mut source = File::open(&self.database).map_err(trouble(&self.database))?;
        let mut encoder = zstd::stream::write::Encoder::new(create(&beside(&path))?, LEVEL).map_err(&failed)?;
        encoder.include_checksum(true).map_err(&failed)?;
        let (mut part, mut bytes) = (vec![0; PART], 0);
        loop {
            let count = source.read(&mut part).map_err(trouble(&self.database))?;
            if count == 0 {
                break;
            }
            encoder.write_all(&part[..count]).map_err(&failed)?;
            bytes += count as u64;
            // What is written meanwhile must not pile up.
            self.write_new(generation, clock, false)?;
        }
        let file = encoder.finish().map_err(&failed)?;
        put_in_place(&file, &path)?;
        Ok(bytes)
    }

    fn follow(&mut self, clock: &dyn Fn() -> Timestamp) -> Result<()> {
        let Some(mut generation) = self.generation.take() else {
            return Ok(());
        };
        let done = self.write_new(&mut generation, clock, false);
        self.generation = Some(generation);
        done
    }

    /// Writes what is new as a segment; an empty one where there has to be one.
    fn write_new(&self, generation: &mut Generation, clock: &dyn Fn() -> Timestamp, always: bool) -> Result<()> {
        self.tail.catch_up();
        let mut chunks = self.tail.take().map_err(Error::Corrupt)?;
        let at = clock();
        if chunks.is_empty() && !always {
            return Ok(());
        }
        if chunks.is_empty() {
            chunks.push(Chunk {
                page_size: 0,
                frames: Vec::new(),
            });
        }
        // Files are there before the database speaks of them, so they are copied before the segment that names them.
        let data = self.database.parent().unwrap_or(Path::new("."));
        let mut done = 0;
        let mut written = files::follow(data, &self.folder.join("files"));
        while written.is_ok() && done < chunks.len() {
            written = write_segment(generation, &chunks[done], at);
            done += usize::from(written.is_ok());
        }
        if written.is_err() {
            self.tail.put_back(chunks.split_off(done));
        }
        written
    }

    /// Removes generations whose moments are not kept any more, and bases that were never whole.
    fn forget_old(&self, present: &Generation, now: Timestamp) -> Result<()> {
        let all = generations(&self.folder);
        let names = names(&all)?;
        // A generation serves until the next one begins.
        for (place, name) in names.iter().enumerate() {
            let next = names.get(place + 1).and_then(|next| next.split_once('-'));
            let ended = next.and_then(|(_, millis)| millis.parse().ok());
            let ended = ended.and_then(|millis| Timestamp::from_millisecond(millis).ok());
            let old = all.join(name);
            let is_half = old != present.folder && !old.join(BASE_DONE).exists();
            if is_half || ended.is_some_and(|ended| now.duration_since(ended) > KEPT) {
                std::fs::remove_dir_all(&old).map_err(trouble(&old))?;
            }
        }
        Ok(())
    }
}

fn write_segment(generation: &mut Generation, chunk: &Chunk, at: Timestamp) -> Result<()> {
    let head = SegmentHead {
        number: generation.last + 1,
        at,
        page_size: chunk.page_size,
        bytes: chunk.frames.len(),
    };
    let mut line = serde_json::to_vec(&head).map_err(|error| Error::Other(error.to_string()))?;
    line.push(b'\n');
    let packed = zstandard::pack(&chunk.frames, LEVEL)?;
    write(&generation.folder.join(segment_file(head.number)), &[&line, &packed])?;
    generation.last = head.number;
    Ok(())
}
