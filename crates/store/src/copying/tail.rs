//! Follows the write-ahead log while the database is served. The writer reads new frames before it moves pages into the main
//! file, so that the log never restarts over a transaction that was not read.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::copying::wal::{self, FRAME_HEADER, HEADER, Start};

/// The most bytes that wait for the copy's folder. Beyond that they are dropped and the copy restarts: a folder that hangs
/// holds up no commit.
pub(crate) const MOST_WAITING: usize = 64 << 20;

/// Transactions that were read and are not copied yet.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) page_size: u32,
    /// Frames of the write-ahead log, whole transactions.
    pub(crate) frames: Vec<u8>,
}

/// How far the log was read.
struct Position {
    start: Start,
    offset: u64,
    sum: [u32; 2],
}

impl Position {
    fn frames(&self) -> u64 {
        (self.offset - HEADER as u64) / (FRAME_HEADER as u64 + u64::from(self.start.page_size))
    }
}

#[derive(Default)]
struct State {
    is_on: bool,
    position: Option<Position>,
    /// All frames that were read are in the main file too, so the log may restart after them.
    may_begin_anew: bool,
    waiting: VecDeque<Chunk>,
    waiting_bytes: usize,
    broken: Option<String>,
}

/// The reader of one database's write-ahead log.
pub(crate) struct Tail {
    path: PathBuf,
    state: Mutex<State>,
}

impl Tail {
    pub(crate) fn of(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Self {
            path: PathBuf::from(path),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The checksums of the log reveal damage by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to read, at the beginning of the present log: its frames correct any copy of the main file from now on.
    pub(crate) fn begin(&self) {
        *self.state() = State {
            is_on: true,
            ..State::default()
        };
        self.catch_up();
    }

    /// Reads new frames. It is called by the writer before each checkpoint and by the copier in between.
    pub(crate) fn catch_up(&self) {
        let mut state = self.state();
        if !state.is_on || state.broken.is_some() {
            return;
        }
        match read_on(&self.path, &mut state) {
            Ok(()) => {}
            Err(why) => state.give_up(why),
        }
    }

    /// Records the result of the writer's checkpoint: how many frames the log has, and how many of them the main file has.
    pub(crate) fn note_checkpoint(&self, (frames, moved): (i32, i32)) {
        let mut state = self.state();
        let read = state.position.as_ref().map(Position::frames);
        state.may_begin_anew = frames == moved && read == u64::try_from(frames).ok();
    }

    /// The chunks that were read and not copied yet, in order, and how many frames of the present log were read so far.
    ///
    /// # Errors
    /// Why the log could not be followed: the copy has to restart.
    pub(crate) fn take(&self) -> Result<(Vec<Chunk>, u64), String> {
        let mut state = self.state();
        if let Some(why) = &state.broken {
            return Err(why.clone());
        }
        state.waiting_bytes = 0;
        let frames = state.position.as_ref().map_or(0, Position::frames);
        Ok((state.waiting.drain(..).collect(), frames))
    }

    /// Puts back the part that could not be copied just now.
    pub(crate) fn put_back(&self, chunks: Vec<Chunk>) {
        let mut state = self.state();
        for chunk in chunks.into_iter().rev() {
            state.waiting_bytes += chunk.frames.len();
            state.waiting.push_front(chunk);
        }
    }
}

impl State {
    fn give_up(&mut self, why: String) {
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.broken = Some(why);
    }
}

fn read_on(path: &Path, state: &mut State) -> Result<(), String> {
    let unread = |error: std::io::Error| format!("the write-ahead log cannot be read: {error}");
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound && state.position.is_none() => return Ok(()),
        Err(error) => return Err(unread(error)),
    };
    let mut header = [0; HEADER];
    match file.read_exact(&mut header) {
        Ok(()) => {}
        // A new log is empty before its first transaction.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
        Err(error) => return Err(unread(error)),
    }
    // A header that is being written is read in the next round.
    let Some(found) = wal::start(&header) else {
        return Ok(());
    };
    let position = match state.position.take() {
        Some(position) if position.start.salts == found.salts => position,
        Some(position) if !state.may_begin_anew || found.salts[0] != position.start.salts[0].wrapping_add(1) => {
            return Err("another program moved the write-ahead log on".to_owned());
        }
        _ => {
            state.may_begin_anew = false;
            Position {
                start: found,
                offset: HEADER as u64,
                sum: found.sum,
            }
        }
    };
    let mut bytes = Vec::new();
    let most = MOST_WAITING.saturating_sub(state.waiting_bytes);
    file.seek(SeekFrom::Start(position.offset)).map_err(unread)?;
    file.take(most as u64).read_to_end(&mut bytes).map_err(unread)?;
    let whole = wal::whole(&bytes, &position.start, position.sum);
    if whole.bytes == 0 && bytes.len() >= most {
        return Err("more waited for the copy than is kept in memory".to_owned());
    }
    state.position = Some(Position {
        offset: position.offset + whole.bytes as u64,
        sum: whole.sum,
        ..position
    });
    if whole.bytes > 0 {
        state.may_begin_anew = false;
        bytes.truncate(whole.bytes);
        state.waiting_bytes += bytes.len();
        state.waiting.push_back(Chunk {
            page_size: found.page_size,
            frames: bytes,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn base(name: &str) -> (PathBuf, rusqlite::Connection) {
        let folder = std::env::temp_dir().join(format!("assent-tail-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let base = rusqlite::Connection::open(folder.join("a.db")).unwrap();
        base.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE a (b TEXT);")
            .unwrap();
        (folder, base)
    }

    fn checkpoint(base: &rusqlite::Connection) -> (i32, i32) {
        base.wal_checkpoint_v2(None::<&str>, rusqlite::wal::CheckpointMode::PASSIVE)
            .unwrap()
    }

    #[test]
    fn the_log_is_followed_over_its_new_beginnings() {
        let (folder, base) = base("follows");
        let tail = Tail::of(&folder.join("a.db"));
        tail.begin();
        let mut transactions = 0;
        for round in 0..4 {
            base.execute("INSERT INTO a VALUES (?1)", [format!("{round}")]).unwrap();
            tail.catch_up();
            tail.note_checkpoint(checkpoint(&base));
            for chunk in tail.take().unwrap().0 {
                let frames = wal::frames(&chunk.frames, chunk.page_size).unwrap();
                transactions += frames.iter().filter(|it| it.pages != 0).count();
            }
        }
        assert_eq!(transactions, 5, "the table and four rows");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_transaction_that_another_program_moved_on_is_not_passed_over() {
        let (folder, base) = base("moved");
        let tail = Tail::of(&folder.join("a.db"));
        tail.begin();
        // Written and moved into the main file unread; the next one restarts the log.
        base.execute("INSERT INTO a VALUES ('unread')", []).unwrap();
        checkpoint(&base);
        base.execute("INSERT INTO a VALUES ('next')", []).unwrap();
        tail.catch_up();
        assert!(tail.take().unwrap_err().contains("another program"));
        tail.begin();
        assert!(tail.take().is_ok(), "a copy that begins anew follows it again");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
