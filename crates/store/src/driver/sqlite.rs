//! The embedded engine.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::wal::CheckpointMode;
use rusqlite::{ErrorCode, OpenFlags, ffi};

use crate::copying::tail::Tail;
use crate::driver::{Bound, statistics};
use crate::error::{Error, Result};
use crate::moment::{Moment, Moments};
use crate::sql::{self, Statement};
use crate::value::{Row, Value};

/// How long a statement waits for another process that holds the file's lock.
const BUSY: Duration = Duration::from_secs(5);
/// How often a new file is switched to its write-ahead log within that time.
const SWITCHES: u32 = 100;
/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 400;
/// From how many pages of the write-ahead log on the writer moves them into the main file (4 KiB each): pages that were
/// written often in between are moved once. Beyond 4,062 pages SQLite's index of that log needs more room, and if the disk is
/// full just then the commit fails with an unknown result; so this stays far below.
const CHECKPOINT_PAGES: i32 = 2_000;
/// From how many pages on the writer waits for readers, so that the write-ahead log can begin anew: readers that overlap would
/// keep it from that for ever. It tries again after [`CHECKPOINT_PAGES`] more.
const ANEW_PAGES: i32 = 3_000;
/// How long it waits for them; a longer read is let go on.
const ANEW_WAIT: Duration = Duration::from_millis(50);

/// A connection to the file.
pub(crate) struct SqliteConnection {
    raw: rusqlite::Connection,
    wal_pages: Arc<AtomicI32>,
    /// From how many pages of the write-ahead log on the writer waits for readers next.
    anew_from: i32,
    /// The moment that the open transaction sees, once it was examined.
    moment: Option<Moment>,
    /// The moment by this process's count when the open transaction began.
    counted: Option<Moment>,
    /// The file's own count of other connections' commits, at this connection's last check.
    seen: Option<i64>,
    /// The known facts about statements that ran before.
    known: HashMap<Box<str>, Arc<CachedStatement>>,
    /// How many statements were looked up here, which is how many were run.
    statements: u64,
}

/// SQLite's view of a text's statement, computed once.
pub(crate) struct CachedStatement {
    pub(crate) statement: Arc<Statement>,
    /// SQLite's numbers of the statement's names, in the order of the names.
    places: Vec<usize>,
    /// The columns of its result.
    columns: Arc<[String]>,
}

impl SqliteConnection {
    /// Opens the file for writing and creates it when absent.
    pub(crate) fn writer(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Self::open(path, flags)?;
        // The automatic checkpoint swallows its errors, a failed sync among them; this crate runs its own and checks the
        // result. Keys that are digests fall on any page of their index, so the one that writes keeps more than the usual 2 MB
        // of pages.
        connection.switch_to_wal()?;
        connection.batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16384;")?;
        let pages = Arc::clone(&connection.wal_pages);
        connection
            .raw
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count| {
                pages.store(count, Ordering::Relaxed);
                Ok(())
            }))
            .map_err(|it| sqlite_error(&it))?;
        Ok(connection)
    }

    /// Writes statistics of the indexes to the file: the planner uses them.
    pub(crate) fn tell_statistics(&mut self) -> Result<()> {
        statistics::write_statistics(&mut self.raw).map_err(|it| sqlite_error(&it))
    }

    /// Opens the existing file for reading only.
    pub(crate) fn reader(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::open(path, flags)
    }

    /// Checks the file by the engine's own means.
    pub(crate) fn inspect<T>(&self, look: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>) -> Result<T> {
        look(&self.raw).map_err(|it| sqlite_error(&it))
    }

    /// Opens the existing file for copying it; a reader could not attach the copy.
    pub(crate) fn copier(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::open(path, flags)
    }

    /// A new file gets its write-ahead log. Where several open it at once, SQLite refuses all but one of them without the
    /// usual wait.
    fn switch_to_wal(&mut self) -> Result<()> {
        for _ in 1..SWITCHES {
            match self.batch("PRAGMA journal_mode = WAL") {
                Err(Error::Unavailable(_)) => std::thread::park_timeout(BUSY / SWITCHES),
                done => return done,
            }
        }
        self.batch("PRAGMA journal_mode = WAL")
    }

    fn open(path: &Path, flags: OpenFlags) -> Result<Self> {
        let raw = rusqlite::Connection::open_with_flags(path, flags)
            .and_then(|raw| {
                raw.busy_timeout(BUSY)?;
                raw.set_prepared_statement_cache_capacity(STATEMENTS);
                // A misspelt column must not turn into a text literal.
                raw.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
                raw.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
                // Plans do not depend on the bound values: otherwise each new value would have a statement prepared again,
                // which took a sixth of the writing thread.
                raw.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
                // Each act of a common transaction can be undone alone. The undo data are worthless after a crash, so they are
                // kept in memory and not in a temporary file.
                raw.execute_batch(
                    "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
                     PRAGMA temp_store = MEMORY;",
                )?;
                Ok(raw)
            })
            .map_err(|it| sqlite_error(&it))?;
        Ok(Self {
            raw,
            wal_pages: Arc::default(),
            anew_from: ANEW_PAGES,
            moment: None,
            counted: None,
            seen: None,
            known: HashMap::new(),
            statements: 0,
        })
    }

    /// Begins to read, and notes which moment the transaction sees.
    ///
    /// The moment is read before the transaction begins, so that the data are as new as the moment or newer. The file counts
    /// the commits of all other connections, those of other processes included: whenever that count has moved since this
    /// connection looked last, a new moment begins for all. After a commit of this process that is one moment more than needed;
    /// the count does not show the author of a commit, and a needless moment only costs a check.
    pub(crate) fn begin_looking(&mut self, moments: &Moments) -> Result<()> {
        let looked = self.look(moments);
        if looked.is_err() {
            // If the check fails, cached data must not be used either.
            moments.next();
        }
        looked
    }

    /// Begins to read at a moment that was counted before.
    pub(crate) fn begin_at(&mut self, moment: Moment) -> Result<()> {
        self.mark("BEGIN DEFERRED")?;
        self.counted = Some(moment);
        Ok(())
    }

    fn look(&mut self, moments: &Moments) -> Result<()> {
        let moment = moments.present();
        self.mark("BEGIN DEFERRED")?;
        let version = match self.data_version() {
            Ok(version) => version,
            Err(error) => {
                self.mark("ROLLBACK")?;
                return Err(error);
            }
        };
        if self.seen.replace(version) != Some(version) {
            // Reads of this transaction keep the older moment: another commit may lie between the two.
            moments.next();
        }
        (self.moment, self.counted) = (Some(moment), Some(moment));
        Ok(())
    }

    /// The file's own count of commits by other connections, as this one's open transaction sees it.
    fn data_version(&self) -> Result<i64> {
        let look = || {
            let mut statement = self.raw.prepare_cached("PRAGMA data_version")?;
            statement.query_row([], |row| row.get::<_, i64>(0))
        };
        look().map_err(|it| sqlite_error(&it))
    }

    /// How many frames the write-ahead log has as of the last commit, of whatever program. The connection must not be read-only.
    pub(crate) fn wal_frames(&self) -> Result<u64> {
        let look = || {
            let mut statement = self.raw.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?;
            statement.query_row([], |row| row.get::<_, i64>(1))
        };
        let frames = look().map_err(|it| sqlite_error(&it))?;
        u64::try_from(frames).map_err(|_| Error::Unavailable("the write-ahead log cannot be counted".to_owned()))
    }

    /// Forgets the moment, as its transaction ends.
    pub(crate) fn leave_moment(&mut self) {
        (self.moment, self.counted) = (None, None);
    }

    /// The moment that the open transaction sees, if it was examined.
    pub(crate) fn moment(&self) -> Option<Moment> {
        self.moment
    }

    /// The moment that the open transaction sees, by this process's count.
    pub(crate) fn counted(&self) -> Option<Moment> {
        self.counted
    }

    /// How many rows it has written since it was opened, undone ones included.
    pub(crate) fn rows_written(&self) -> u64 {
        self.raw.total_changes()
    }

    /// How many statements with parameters it has run.
    pub(crate) fn statements(&self) -> u64 {
        self.statements
    }

    /// Whether no transaction is open, be it ended or lost.
    pub(crate) fn is_idle(&self) -> bool {
        self.raw.is_autocommit()
    }

    /// Moves pages of the write-ahead log into the main file when there are many, once the tail has read them. Only the writer
    /// calls it.
    pub(crate) fn checkpoint_when_long(&mut self, tail: &Tail) -> Result<()> {
        if self.wal_pages.load(Ordering::Relaxed) < CHECKPOINT_PAGES {
            self.anew_from = ANEW_PAGES;
            return Ok(());
        }
        tail.catch_up();
        let found = self.checkpoint(CheckpointMode::PASSIVE)?;
        tail.note_checkpoint(found);
        let (frames, _) = found;
        if frames >= self.anew_from {
            tail.note_checkpoint(self.wait_for_readers(frames)?);
        }
        Ok(())
    }

    /// Waits a moment until nobody reads from the write-ahead log of so many frames, so that the next write begins it anew; returns how
    /// many frames it has, and how many of them the main file has.
    fn wait_for_readers(&mut self, frames: i32) -> Result<(i32, i32)> {
        self.raw.busy_timeout(ANEW_WAIT).map_err(|it| sqlite_error(&it))?;
        let waited = self.checkpoint(CheckpointMode::RESTART);
        self.raw.busy_timeout(BUSY).map_err(|it| sqlite_error(&it))?;
        if let Err(Error::Unavailable(_)) = waited {
            // Somebody reads for longer.
            self.anew_from = frames.saturating_add(CHECKPOINT_PAGES);
            return self.checkpoint(CheckpointMode::PASSIVE);
        }
        self.anew_from = ANEW_PAGES;
        waited
    }

    fn checkpoint(&self, mode: CheckpointMode) -> Result<(i32, i32)> {
        self.raw
            .wal_checkpoint_v2(None::<&str>, mode)
            .map_err(|it| sqlite_error(&it))
    }

    /// The known facts about a text, so that it is parsed and its names are looked up once a connection.
    pub(crate) fn known(&mut self, text: &str) -> Result<Arc<CachedStatement>> {
        self.statements += 1;
        if let Some(known) = self.known.get(text) {
            return Ok(Arc::clone(known));
        }
        let known = Arc::new(self.learn(text).map_err(|it| sqlite_error(&it))?);
        if self.known.len() >= STATEMENTS {
            self.known.clear();
        }
        self.known.insert(text.into(), Arc::clone(&known));
        Ok(known)
    }

    fn learn(&self, text: &str) -> rusqlite::Result<CachedStatement> {
        tracing::trace!(target: super::STATEMENTS_LOG, text, "a statement is prepared");
        let statement = sql::parse_cached(text);
        let prepared = self.raw.prepare_cached(text)?;
        let place = |name: &String| {
            let name = format!("${name}");
            let place = prepared.parameter_index(&name)?;
            place.ok_or(rusqlite::Error::InvalidParameterName(name))
        };
        let places = statement.names.iter().map(place).collect::<rusqlite::Result<_>>()?;
        let columns = prepared.column_names().map(str::to_owned).collect();
        Ok(CachedStatement {
            statement: Arc::clone(&statement),
            places,
            columns,
        })
    }

    pub(crate) fn query(&mut self, text: &str, known: &CachedStatement, bound: &Bound<'_>) -> Result<Vec<Row>> {
        self.query_raw(text, known, bound).map_err(|it| sqlite_error(&it))
    }

    fn query_raw(&self, text: &str, known: &CachedStatement, bound: &Bound<'_>) -> rusqlite::Result<Vec<Row>> {
        let mut statement = self.raw.prepare_cached(text)?;
        bind(&mut statement, known, bound)?;
        let columns = &known.columns;
        let mut answer = Vec::new();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            let values = (0..columns.len())
                .map(|at| row.get_ref(at).map(from_sqlite))
                .collect::<rusqlite::Result<Vec<_>>>()?;
            answer.push(Row::new(Arc::clone(columns), values));
        }
        Ok(answer)
    }

    pub(crate) fn execute(&mut self, text: &str, known: &CachedStatement, bound: &Bound<'_>) -> Result<u64> {
        self.execute_raw(text, known, bound)
            .map(|count| count as u64)
            .map_err(|it| sqlite_error(&it))
    }

    fn execute_raw(&self, text: &str, known: &CachedStatement, bound: &Bound<'_>) -> rusqlite::Result<usize> {
        let mut statement = self.raw.prepare_cached(text)?;
        bind(&mut statement, known, bound)?;
        statement.raw_execute()
    }

    /// Runs one statement without parameters that comes again and again: the marks of transactions.
    pub(crate) fn mark(&mut self, text: &str) -> Result<()> {
        let run = || self.raw.prepare_cached(text)?.raw_execute();
        run().map(|_| ()).map_err(|it| sqlite_error(&it))
    }

    /// Commits. Here every failed write counts as fatal: the content of the file is then unknown.
    pub(crate) fn commit(&mut self) -> Result<()> {
        let commit = || self.raw.prepare_cached("COMMIT")?.raw_execute();
        commit().map(|_| ()).map_err(|it| {
            let io = it.sqlite_error_code() == Some(ErrorCode::SystemIoFailure);
            if io {
                return Error::Fatal(it.to_string());
            }
            sqlite_error(&it)
        })
    }

    pub(crate) fn has_table(&mut self, name: &str) -> Result<bool> {
        self.raw
            .query_row(
                "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1",
                [name],
                |row| row.get::<_, i64>(0),
            )
            .map(|count| count > 0)
            .map_err(|it| sqlite_error(&it))
    }

    pub(crate) fn batch(&mut self, text: &str) -> Result<()> {
        self.raw.execute_batch(text).map_err(|it| sqlite_error(&it))
    }

    /// Copies a consistent snapshot of the whole database into a new file that only its owner can read.
    pub(crate) fn copy_to(&mut self, path: &Path) -> Result<()> {
        let text = path
            .to_str()
            .ok_or_else(|| Error::other("the backup's path is not UTF-8"))?;
        // SQLite would make the file by the umask, mostly readable by everybody. SQLite fills an empty file too, and gives the
        // journal beside it the same mode.
        let mut options = std::fs::File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(path)
            .map_err(|it| Error::other(format!("`{text}` cannot be made: {it}")))?;
        self.raw
            .execute("VACUUM INTO ?1", [text])
            .map(|_| ())
            .map_err(|it| sqlite_error(&it))
    }
}

fn bind(statement: &mut rusqlite::Statement<'_>, known: &CachedStatement, bound: &Bound<'_>) -> rusqlite::Result<()> {
    for (place, value) in known.places.iter().zip(&bound.values) {
        statement.raw_bind_parameter(*place, Parameter(value))?;
    }
    Ok(())
}

struct Parameter<'a>(&'a Value);

impl rusqlite::ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self.0 {
            Value::Text(it) => ValueRef::Text(it.as_bytes()),
            Value::Int(it) => ValueRef::Integer(*it),
            Value::Bool(it) => ValueRef::Integer(i64::from(*it)),
            Value::Real(it) => ValueRef::Real(*it),
            Value::Bytes(it) => ValueRef::Blob(it),
            Value::Null => ValueRef::Null,
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

fn from_sqlite(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(it) => Value::Int(it),
        ValueRef::Real(it) => Value::Real(it),
        // A damaged text is returned as bytes, and reading it as text returns `Corrupt`.
        ValueRef::Text(it) => String::from_utf8(it.to_vec()).map_or_else(|_| Value::Bytes(it.to_vec()), Value::Text),
        ValueRef::Blob(it) => Value::Bytes(it.to_vec()),
    }
}

/// Names an engine's fault without repeating any value. A constraint's message names only tables and columns.
pub(crate) fn sqlite_error(error: &rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(code, message) = error else {
        return match error {
            rusqlite::Error::SqlInputError { msg, .. } => Error::Other(format!("SQL: {msg}")),
            other => Error::Other(format!("SQLite: {other}")),
        };
    };
    let text = message.clone().unwrap_or_else(|| code.to_string());
    if is_failed_sync(code.extended_code) {
        return Error::Fatal(text);
    }
    match code.code {
        ErrorCode::DiskFull => Error::Full,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            Error::Unavailable("the file is locked by another process".to_owned())
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Error::Corrupt(text),
        ErrorCode::CannotOpen | ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory => Error::Unavailable(text),
        ErrorCode::ConstraintViolation if is_unique(code.extended_code) => Error::Conflict { table: table_of(&text) },
        _ => Error::Other(format!("SQLite: {text}")),
    }
}

fn is_failed_sync(extended: i32) -> bool {
    matches!(extended, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC)
}

fn is_unique(extended: i32) -> bool {
    matches!(
        extended,
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
    )
}

/// "UNIQUE constraint failed: change.tenant, change.id" names the table before the first dot.
fn table_of(message: &str) -> String {
    message
        .rsplit_once(": ")
        .and_then(|(_, columns)| columns.split_once('.'))
        .map(|(table, _)| table.to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::sync::atomic::AtomicBool;

    use super::*;

    /// How many threads read, so that somebody reads at each time.
    const READERS: usize = 3;
    /// How many pages are written, and how many of them by each transaction: few, and half of those after which the writer waits.
    const WRITTEN: u64 = 30_000;
    const PAGES: [u64; 2] = [100, 1_500];

    #[test]
    fn readers_that_overlap_do_not_keep_the_write_ahead_log_from_beginning_anew() {
        let folder = std::env::temp_dir().join(format!("assent-overlap-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.db");
        let mut writer = SqliteConnection::writer(&path).unwrap();
        writer
            .batch("PRAGMA synchronous = OFF; CREATE TABLE a (b BLOB)")
            .unwrap();
        let (tail, is_over) = (Tail::of(&path), AtomicBool::new(false));
        let mut longest = 0;
        std::thread::scope(|scope| {
            for _ in 0..READERS {
                scope.spawn(|| {
                    let mut reader = SqliteConnection::reader(&path).unwrap();
                    while !is_over.load(Ordering::Relaxed) {
                        reader.batch("BEGIN; SELECT max(rowid) FROM a").unwrap();
                        std::thread::park_timeout(Duration::from_millis(3));
                        reader.batch("COMMIT").unwrap();
                    }
                });
            }
            for pages in PAGES {
                let sql = format!("INSERT INTO a VALUES (zeroblob({}))", pages * 4_096);
                for _ in 0..WRITTEN / pages {
                    writer.batch(&sql).unwrap();
                    writer.checkpoint_when_long(&tail).unwrap();
                    longest = longest.max(writer.wal_pages.load(Ordering::Relaxed));
                }
            }
            is_over.store(true, Ordering::Relaxed);
        });
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(longest < ANEW_PAGES + 2 * CHECKPOINT_PAGES, "{longest} pages");
    }

    #[test]
    fn a_conflict_names_its_table() {
        assert_eq!(table_of("UNIQUE constraint failed: change.tenant, change.id"), "change");
        assert_eq!(table_of("something else"), "");
    }

    #[test]
    fn a_failed_sync_is_fatal_and_a_failed_read_is_not() {
        let failure = |code| sqlite_error(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        assert!(matches!(failure(ffi::SQLITE_IOERR_FSYNC), Error::Fatal(_)));
        assert!(matches!(failure(ffi::SQLITE_IOERR_DIR_FSYNC), Error::Fatal(_)));
        assert!(matches!(failure(ffi::SQLITE_IOERR_READ), Error::Unavailable(_)));
        assert_eq!(failure(ffi::SQLITE_FULL), Error::Full);
    }
}
