//! Writes the copy: a base, then segment after segment.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::bucket::{Put, SharedBucket};
use crate::copying::files::{Copies, trouble};
use crate::copying::objects::{
    Alive, Base, Fence, GENERATIONS, Marks, SegmentHead, base_key, fence_after, generations, part_key, read_json,
    segment_key, set_alive, write_json,
};
use crate::copying::tail::{Chunk, Tail};
use crate::driver::SqliteConnection;
use crate::error::{Error, Result};
use crate::zstandard;

/// How long segments follow one base: more of them would make a restore slow.
const GENERATION: SignedDuration = SignedDuration::from_hours(24);
/// For how long moments can be restored.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Bytes of the main file that are copied between two readings of the write-ahead log: one part of the base.
pub(crate) const PART: usize = 8 << 20;
/// How many objects of old generations are removed with one step, which must not take long.
const FORGOTTEN: usize = 100;
/// How often the write-ahead log is read in vain although SQLite has committed more: it may have begun anew meanwhile.
const READINGS: u32 = 5;
/// The level of compression: bases are large, and segments must be quick.
const LEVEL: i32 = 3;

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// Everything that was committed when the step began is in the copy.
    Whole,
    /// Another host took the copy over: nothing more may be written, here or there.
    Fenced(Fence),
}

struct Generation {
    name: String,
    begun_at: Timestamp,
    /// The number of the last segment.
    last: u64,
}

/// Copies one database. Only one of them works on a database at a time.
pub struct Copier {
    database: PathBuf,
    place: SharedBucket,
    epoch: u64,
    tail: Arc<Tail>,
    /// Counts the frames that are committed, which the tail must have read.
    connection: SqliteConnection,
    /// The main file, once a base was copied. It is never closed: whoever closes any handle of a file loses all of the process's locks
    /// on it (sqlite.org/howtocorrupt.html, section 2.2), and without SQLite's lock the next program that closes the database
    /// would take the write-ahead log away from the server.
    source: Option<Arc<ManuallyDrop<File>>>,
    generation: Option<Generation>,
    copies: Copies,
    /// Generations that are being removed.
    doomed: Vec<String>,
}

impl Copier {
    pub(crate) fn new(database: &Path, place: &SharedBucket, epoch: u64, tail: Arc<Tail>) -> Result<Self> {
        Ok(Self {
            database: database.to_owned(),
            place: place.clone(),
            epoch,
            tail,
            connection: SqliteConnection::copier(database)?,
            source: None,
            generation: None,
            copies: Copies::default(),
            doomed: Vec::new(),
        })
    }

    /// Copies new data. `marks` are the ends of the logs before the step began. `clock` is called again for each segment, as a
    /// base may take minutes.
    ///
    /// # Errors
    /// The place's; the next step tries again, and restarts the copy where needed.
    pub fn step(&mut self, marks: Marks, clock: &dyn Fn() -> Timestamp) -> Result<Copied> {
        if let Some(fence) = fence_after(&self.place, self.epoch)? {
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
        set_alive(&self.place, &alive)?;
        if let Err(error) = self.forget_some() {
            // The copy is whole all the same.
            tracing::warn!(%error, "an old generation of the running copy is not removed");
        }
        Ok(Copied::Whole)
    }

    /// Copies the main file while people write. A page that is written meanwhile may be copied in any state: the log from its
    /// beginning on has it whole, and restoring writes all of that over the base.
    fn begin(&mut self, clock: &dyn Fn() -> Timestamp) -> Result<()> {
        let begun_at = clock();
        self.generation = None;
        self.tail.begin();
        let mut generation = Generation {
            name: format!("{:08}-{:013}", self.epoch, begun_at.as_millisecond()),
            begun_at,
            last: 0,
        };
        let (parts, bytes) = self.copy_base(&mut generation, clock)?;
        self.write_new(&mut generation, clock, true)?;
        let base = Base {
            parts,
            bytes,
            from_segment: generation.last,
            at: clock(),
        };
        write_json(&self.place, &base_key(&generation.name), &base)?;
        self.doomed = self.old(&generation, begun_at)?;
        self.generation = Some(generation);
        Ok(())
    }

    /// Returns how many parts the base has, and how many bytes the file.
    fn copy_base(&mut self, generation: &mut Generation, clock: &dyn Fn() -> Timestamp) -> Result<(u64, u64)> {
        let database = self.database.clone();
        let failed = trouble(&database);
        let source = self.source().map_err(&failed)?;
        let mut source: &File = &source;
        source.seek(SeekFrom::Start(0)).map_err(&failed)?;
        let (mut parts, mut bytes) = (0, 0);
        loop {
            let mut part = Vec::new();
            let most = u64::try_from(PART).unwrap_or(u64::MAX);
            Read::by_ref(&mut source)
                .take(most)
                .read_to_end(&mut part)
                .map_err(&failed)?;
            if part.is_empty() {
                return Ok((parts, bytes));
            }
            parts += 1;
            bytes += part.len() as u64;
            let packed = zstandard::pack(&part, LEVEL)?;
            self.place
                .0
                .put(&part_key(&generation.name, parts), &packed, Put::Always)?;
            // New writes must not pile up meanwhile.
            self.write_new(generation, clock, false)?;
        }
    }

    fn source(&mut self) -> std::io::Result<Arc<ManuallyDrop<File>>> {
        if let Some(source) = &self.source {
            return Ok(Arc::clone(source));
        }
        let source = Arc::new(ManuallyDrop::new(File::open(&self.database)?));
        self.source = Some(Arc::clone(&source));
        Ok(source)
    }

    fn follow(&mut self, clock: &dyn Fn() -> Timestamp) -> Result<()> {
        let Some(mut generation) = self.generation.take() else {
            return Ok(());
        };
        let done = self.write_new(&mut generation, clock, false);
        self.generation = Some(generation);
        done
    }

    /// Writes everything that is committed as segments; an empty one where a segment is required.
    fn write_new(&mut self, generation: &mut Generation, clock: &dyn Fn() -> Timestamp, always: bool) -> Result<()> {
        let mut is_required = always;
        let (mut committed, mut read, mut in_vain) = (0, 0, 0);
        while in_vain < READINGS {
            committed = self.connection.wal_frames()?;
            self.tail.catch_up();
            let mut chunks;
            (chunks, read) = self.tail.take().map_err(Error::Corrupt)?;
            if chunks.is_empty() && is_required {
                chunks.push(Chunk {
                    page_size: 0,
                    frames: Vec::new(),
                });
            }
            if chunks.is_empty() {
                in_vain += 1;
            } else {
                self.write_chunks(generation, chunks, clock())?;
                is_required = false;
            }
            // The tail reads at most 64 MiB at once.
            if read >= committed {
                return Ok(());
            }
        }
        Err(Error::Corrupt(format!(
            "of {committed} frames of the write-ahead log only {read} could be read"
        )))
    }

    fn write_chunks(&mut self, generation: &mut Generation, mut chunks: Vec<Chunk>, at: Timestamp) -> Result<()> {
        // Files exist before the database refers to them, so they are copied before the segment that names them.
        let data = self.database.parent().unwrap_or(Path::new(".")).to_owned();
        let mut done = 0;
        let mut written = self.copies.follow(&data, &self.place);
        while written.is_ok() && done < chunks.len() {
            written = write_segment(&self.place, generation, &chunks[done], at);
            done += usize::from(written.is_ok());
        }
        if written.is_err() {
            self.tail.put_back(chunks.split_off(done));
        }
        written
    }

    /// Generations beyond the retention, and bases that were never whole.
    fn old(&self, present: &Generation, now: Timestamp) -> Result<Vec<String>> {
        let names = generations(&self.place)?;
        let mut old = Vec::new();
        // A generation serves until the next one begins.
        for (place, name) in names.iter().enumerate() {
            let next = names.get(place + 1).and_then(|next| next.split_once('-'));
            let ended = next.and_then(|(_, millis)| millis.parse().ok());
            let ended = ended.and_then(|millis| Timestamp::from_millisecond(millis).ok());
            let is_past = ended.is_some_and(|ended| now.duration_since(ended) > KEPT);
            let is_half = *name != present.name && read_json::<Base>(&self.place, &base_key(name))?.is_none();
            if is_half || is_past {
                old.push(name.clone());
            }
        }
        Ok(old)
    }

    /// Removes some objects of generations that are not kept. The mark of a whole base is removed first, so that no base with
    /// missing parts is restored.
    fn forget_some(&mut self) -> Result<()> {
        let Some(name) = self.doomed.last() else { return Ok(()) };
        self.place.0.delete(&base_key(name))?;
        let keys = self.place.0.list(&format!("{GENERATIONS}{name}/"), "")?;
        for key in keys.iter().take(FORGOTTEN) {
            self.place.0.delete(key)?;
        }
        if keys.len() <= FORGOTTEN {
            self.doomed.pop();
        }
        Ok(())
    }
}

fn write_segment(place: &SharedBucket, generation: &mut Generation, chunk: &Chunk, at: Timestamp) -> Result<()> {
    let head = SegmentHead {
        number: generation.last + 1,
        at,
        page_size: chunk.page_size,
        bytes: chunk.frames.len(),
    };
    let mut bytes = serde_json::to_vec(&head).map_err(|error| Error::Other(error.to_string()))?;
    bytes.push(b'\n');
    bytes.extend(zstandard::pack(&chunk.frames, LEVEL)?);
    place
        .0
        .put(&segment_key(&generation.name, head.number), &bytes, Put::Always)?;
    generation.last = head.number;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use crate::copying::restore;
    use crate::copying::tail::MOST_WAITING;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("assent-copier-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn writer(path: &Path) -> SqliteConnection {
        let mut writer = SqliteConnection::writer(path).unwrap();
        writer
            .batch("PRAGMA synchronous = OFF; CREATE TABLE a (b BLOB)")
            .unwrap();
        writer
    }

    fn step(copier: &mut Copier) -> Result<Copied> {
        copier.step(Marks::new(), &|| Timestamp::UNIX_EPOCH)
    }

    /// The tail reads another database, which has fewer commits.
    #[test]
    fn a_tail_that_passes_over_a_commit_ends_the_step() {
        let folder = folder("passes");
        let (other, path) = (folder.join("other.db"), folder.join("a.db"));
        let (_other, mut writer) = (writer(&other), writer(&path));
        let place = SharedBucket::in_folder(&folder.join("copy"));
        let mut copier = Copier::new(&path, &place, 0, Arc::new(Tail::of(&other))).unwrap();
        assert_eq!(step(&mut copier), Ok(Copied::Whole), "as many frames");
        writer.batch("INSERT INTO a VALUES ('unread')").unwrap();
        let why = step(&mut copier).unwrap_err().to_string();
        assert!(why.contains("only") && why.contains("could be read"), "{why}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_step_copies_more_than_the_tail_reads_at_once() {
        const ROW: usize = 1 << 20;
        let rows = MOST_WAITING / ROW + 4;
        let folder = folder("much");
        let path = folder.join("a.db");
        let mut writer = writer(&path);
        let place = SharedBucket::in_folder(&folder.join("copy"));
        let mut copier = Copier::new(&path, &place, 0, Arc::new(Tail::of(&path))).unwrap();
        assert_eq!(step(&mut copier), Ok(Copied::Whole));
        for _ in 0..rows {
            writer
                .batch(&format!("INSERT INTO a VALUES (zeroblob({ROW}))"))
                .unwrap();
        }
        assert_eq!(step(&mut copier), Ok(Copied::Whole));
        let restored = folder.join("restored.db");
        restore(&place, None, &restored).unwrap();
        let restored = SqliteConnection::reader(&restored).unwrap();
        let found = restored.inspect(|raw| raw.query_row("SELECT count(*) FROM a", [], |row| row.get::<_, i64>(0)));
        assert_eq!(usize::try_from(found.unwrap()), Ok(rows));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
