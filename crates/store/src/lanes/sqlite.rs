//! SQLite's lanes: one writer that commits many acts at once, and readers beside it.

use std::sync::Arc;

use crate::copying::tail::Tail;
use crate::driver::{Connection, SqliteConnection};
use crate::error::{Error, Result};
use crate::lanes::work::Attempt;
use crate::lanes::{Queue, Spent, Work};
use crate::moment::Moments;

/// Called on the writer's thread when a sync failed, before any response: the process has to end.
pub type FatalHook = Arc<dyn Fn(&Error) + Send + Sync>;

type Batch = Vec<Box<dyn Work>>;
/// Adds newly arrived acts to a batch; returns whether there were any.
type Join<'a> = dyn FnMut(&mut Batch) -> bool + 'a;

/// How a reading lane works.
pub(crate) struct Reading {
    /// How many waiting acts share one transaction. All of them were submitted before it began, so each sees everything that
    /// was committed before its submission.
    pub(crate) most: usize,
    pub(crate) moments: Looks,
}

/// How the transactions of a reading lane learn which moment they see.
pub(crate) enum Looks {
    /// They learn none.
    Never,
    /// From this process's own count. A commit of another process is noticed when a lane that checks the file reads next.
    AtCount(Moments),
    /// From the count, after a check of the file for commits of other processes. Each reader's first check after any commit
    /// begins a further moment, so that few readers should do it.
    AtFile(Moments),
}

/// Serves reads until the queue closes.
pub(crate) fn read(mut connection: SqliteConnection, queue: &Queue, reading: &Reading) {
    while let Some(batch) = queue.take(reading.most) {
        let begun = match &reading.moments {
            Looks::AtFile(moments) => connection.begin_looking(moments),
            Looks::AtCount(moments) => connection.begin_at(moments.present()),
            Looks::Never => connection.mark("BEGIN DEFERRED"),
        };
        let mut open = Connection::Sqlite(connection);
        for mut work in batch {
            match &begun {
                Ok(()) => {
                    let _ = work.attempt(&mut open);
                }
                Err(error) => work.settle(error.clone()),
            }
            work.answer();
        }
        let Connection::Sqlite(back) = open else { return };
        connection = back;
        // Nothing was written, so ending the transaction cannot lose anything.
        if begun.is_ok()
            && let Err(error) = end_reading(&mut connection)
        {
            tracing::warn!(%error, "a reading transaction did not end");
        }
    }
}

fn end_reading(connection: &mut SqliteConnection) -> Result<()> {
    connection.leave_moment();
    connection.mark("ROLLBACK")
}

/// Serves writes until the queue closes. The thread owns the only connection that writes.
pub(crate) fn write(
    connection: Connection,
    queue: &Queue,
    most: usize,
    on_fatal: &FatalHook,
    (moments, tail): (Moments, Arc<Tail>),
) {
    let mut writer = Writer {
        connection,
        moments,
        tail,
        on_fatal: Arc::clone(on_fatal),
        broken: None,
        careful: 0,
        costs: Vec::new(),
    };
    while let Some((mut batch, mut slots)) = queue.take_counted(most) {
        writer.costs.clear();
        // An act that arrives while others are served shares their commit: fewer commits for all, and no act waits for it.
        writer.serve(&mut batch, &mut |batch| {
            let (joined, their_slots) = queue.take_waiting(most.saturating_sub(batch.len()));
            let has_joined = !joined.is_empty();
            batch.extend(joined);
            slots.extend(their_slots);
            has_joined
        });
        // Acts that never ran, as the storage is broken, cost nothing.
        let costs = writer.costs.iter().copied().chain(std::iter::repeat(0));
        let spent = |(slot, cost)| Spent { slot, cost };
        queue.settle(&slots.into_iter().zip(costs).map(spent).collect::<Vec<_>>());
        for work in batch {
            work.answer();
        }
        writer.checkpoint();
    }
}

struct Writer {
    connection: Connection,
    moments: Moments,
    /// Follows the write-ahead log for a running copy.
    tail: Arc<Tail>,
    on_fatal: FatalHook,
    /// After a failed sync nothing may be acknowledged any more.
    broken: Option<Error>,
    /// How many of the next batches get a savepoint for each act.
    careful: u32,
    /// How many statements each act of the batch ran: a good measure of its cost without reading a clock.
    costs: Vec<u64>,
}

/// For how many batches acts get savepoints after a batch that had to be restarted without them.
const CAREFUL: u32 = 64;

/// Why a common transaction did not come about.
enum Lost {
    /// An act wrote and then refused, and its writes cannot be undone alone: run all again with savepoints.
    Savepoint,
    /// Run each act again alone.
    Transaction,
    /// It could not even begin; trying once for each act would only make the wait longer.
    Beginning(Error),
    /// The storage cannot be trusted.
    Storage(Error),
}

impl Writer {
    /// Leaves in every act of the batch its valid result.
    fn serve(&mut self, batch: &mut Batch, join: &mut Join<'_>) {
        let mut kept = 0;
        if self.broken.is_none() {
            match self.together_if_possible(batch, join) {
                Ok(()) => return,
                Err(Lost::Storage(error)) => self.break_down(error),
                Err(Lost::Beginning(error)) => return settle_from(batch, 0, &error),
                Err(Lost::Transaction | Lost::Savepoint) => kept = self.each_alone(batch),
            }
        }
        if let Some(error) = &self.broken {
            settle_from(batch, kept, error);
        }
    }

    fn break_down(&mut self, error: Error) {
        tracing::error!(%error, "the storage failed a sync; nothing is acknowledged any more");
        (self.on_fatal)(&error);
        self.broken = Some(error);
    }

    /// Savepoints have a price: each keeps a copy of every page that its act touches. Most acts that refuse do so before
    /// they write, and then there is nothing to undo.
    fn together_if_possible(&mut self, batch: &mut Batch, join: &mut Join<'_>) -> Result<(), Lost> {
        if self.careful == 0 {
            match self.together(batch, join) {
                Err(Lost::Savepoint) => self.careful = CAREFUL,
                done => return done,
            }
        }
        self.careful -= 1;
        self.together(batch, join)
    }

    /// All acts in one transaction, with those that arrive before its commit.
    fn together(&mut self, batch: &mut Batch, join: &mut Join<'_>) -> Result<(), Lost> {
        self.costs.clear();
        self.connection
            .mark("BEGIN IMMEDIATE")
            .map_err(|error| match lost(error.clone()) {
                Lost::Transaction => Lost::Beginning(error),
                storage => storage,
            })?;
        let mut done = 0;
        while done < batch.len() || join(batch) {
            if let Err(lost) = self.one_of_many(batch[done].as_mut()) {
                self.abandon();
                return Err(lost);
            }
            done += 1;
        }
        let committed = self.commit();
        self.abandon();
        committed.map_err(lost)
    }

    fn attempt(&mut self, work: &mut dyn Work) -> Attempt {
        let before = self.connection.statements();
        let attempt = work.attempt(&mut self.connection);
        // The marks around an act are statements as well.
        self.costs.push(self.connection.statements() - before + 2);
        attempt
    }

    fn one_of_many(&mut self, work: &mut dyn Work) -> Result<(), Lost> {
        let has_savepoint = self.careful > 0;
        if has_savepoint {
            self.connection.mark("SAVEPOINT act").map_err(lost)?;
        }
        let before = self.rows_written();
        let attempt = self.attempt(work);
        if let Attempt::Failed(error @ Error::Fatal(_)) = attempt {
            return Err(Lost::Storage(error));
        }
        // Some faults (a full disk, a failed read) end the whole transaction behind our back.
        if self.is_idle() {
            return Err(Lost::Transaction);
        }
        let is_undone = attempt != Attempt::Keep && self.rows_written() != before;
        if !has_savepoint {
            return if is_undone { Err(Lost::Savepoint) } else { Ok(()) };
        }
        if is_undone {
            self.connection.mark("ROLLBACK TO act").map_err(lost)?;
        }
        self.connection.mark("RELEASE act").map_err(lost)
    }

    fn rows_written(&self) -> u64 {
        match &self.connection {
            Connection::Sqlite(it) => it.rows_written(),
            Connection::Postgres(_) => 0,
        }
    }

    /// Each act in a transaction of its own, until the storage breaks. Returns how many have their result.
    fn each_alone(&mut self, batch: &mut Batch) -> usize {
        let mut kept = 0;
        self.costs.clear();
        for work in batch.iter_mut() {
            match self.alone(work.as_mut()) {
                Ok(()) => {}
                Err(error @ Error::Fatal(_)) => {
                    self.break_down(error);
                    break;
                }
                Err(error) => work.settle(error),
            }
            kept += 1;
        }
        kept
    }

    fn alone(&mut self, work: &mut dyn Work) -> Result<()> {
        self.connection.mark("BEGIN IMMEDIATE")?;
        match self.attempt(work) {
            Attempt::Keep => {
                let committed = self.commit();
                self.abandon();
                committed
            }
            Attempt::Failed(error @ Error::Fatal(_)) => {
                self.abandon();
                Err(error)
            }
            Attempt::Undo | Attempt::Failed(_) | Attempt::Panicked => {
                self.abandon();
                Ok(())
            }
        }
    }

    fn commit(&mut self) -> Result<()> {
        let committed = match &mut self.connection {
            Connection::Sqlite(it) => it.commit(),
            Connection::Postgres(_) => Err(Error::other("the writer is SQLite's alone")),
        };
        // Also after a failure, of which nobody knows for sure whether it kept something.
        self.moments.next();
        committed
    }

    fn is_idle(&self) -> bool {
        match &self.connection {
            Connection::Sqlite(it) => it.is_idle(),
            Connection::Postgres(_) => false,
        }
    }

    /// Rolls back whatever is still open; after a commit nothing is.
    fn abandon(&mut self) {
        if self.is_idle() {
            return;
        }
        if let Err(error) = self.connection.batch("ROLLBACK") {
            tracing::warn!(%error, "a rollback failed");
        }
    }

    fn checkpoint(&mut self) {
        let Connection::Sqlite(connection) = &mut self.connection else {
            return;
        };
        match connection.checkpoint_when_long(&self.tail) {
            Ok(()) => {}
            Err(error @ Error::Fatal(_)) => self.break_down(error),
            // The log keeps the pages; the next checkpoint tries again.
            Err(error) => tracing::warn!(%error, "a checkpoint of the write-ahead log failed"),
        }
    }
}

fn settle_from(batch: &mut Batch, first: usize, error: &Error) {
    for work in batch.iter_mut().skip(first) {
        work.settle(error.clone());
    }
}

fn lost(error: Error) -> Lost {
    match error {
        Error::Fatal(_) => Lost::Storage(error),
        _ => Lost::Transaction,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::lanes::Mode;

    /// An act with a fixed outcome, which records its result.
    struct FixedWork {
        attempt: Attempt,
        settled: Arc<Mutex<Vec<Error>>>,
    }

    impl Work for FixedWork {
        fn tenant(&self) -> &str {
            "acme"
        }
        fn mode(&self) -> Mode {
            Mode::Write
        }
        fn attempt(&mut self, _: &mut Connection) -> Attempt {
            self.attempt.clone()
        }
        fn settle(&mut self, error: Error) {
            self.settled.lock().unwrap().push(error);
        }
        fn answer(self: Box<Self>) {}
    }

    /// An act that writes rows and then keeps or undoes them; it counts its runs.
    struct Writes {
        rows: u64,
        attempt: Attempt,
        runs: Arc<AtomicU32>,
    }

    impl Work for Writes {
        fn tenant(&self) -> &str {
            "acme"
        }
        fn mode(&self) -> Mode {
            Mode::Write
        }
        fn attempt(&mut self, connection: &mut Connection) -> Attempt {
            self.runs.fetch_add(1, Ordering::SeqCst);
            for _ in 0..self.rows {
                connection.mark("INSERT INTO row DEFAULT VALUES").unwrap();
            }
            self.attempt.clone()
        }
        fn settle(&mut self, _: Error) {}
        fn answer(self: Box<Self>) {}
    }

    /// Nobody comes meanwhile.
    fn nobody(_: &mut Batch) -> bool {
        false
    }

    fn writer(path: &std::path::Path) -> Writer {
        let mut connection = Connection::Sqlite(SqliteConnection::writer(path).unwrap());
        connection.mark("CREATE TABLE row (id INTEGER PRIMARY KEY)").unwrap();
        Writer {
            connection,
            moments: Moments::default(),
            tail: Arc::new(Tail::of(path)),
            on_fatal: Arc::new(|_| {}),
            broken: None,
            careful: 0,
            costs: Vec::new(),
        }
    }

    fn remove(path: &std::path::Path) {
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
        }
    }

    #[test]
    fn who_comes_meanwhile_shares_the_commit() {
        let path = std::env::temp_dir().join(format!("assent-join-{}.db", std::process::id()));
        let mut writer = writer(&path);
        let runs = Arc::new(AtomicU32::new(0));
        let one = |attempt: Attempt| {
            let runs = Arc::clone(&runs);
            Box::new(Writes { rows: 1, attempt, runs }) as Box<dyn Work>
        };
        let base = rusqlite::Connection::open(&path).unwrap();
        let mut serve = |first: Attempt, mut coming: Vec<Box<dyn Work>>| {
            let mut batch = vec![one(first)];
            writer.serve(&mut batch, &mut |batch| {
                let next = coming.pop();
                let has_joined = next.is_some();
                batch.extend(next);
                has_joined
            });
            let count: i64 = base
                .query_row("SELECT count(*) FROM row", [], |row| row.get(0))
                .unwrap();
            let commits = writer.moments.present();
            (
                count,
                commits,
                batch.len(),
                writer.costs.len(),
                runs.swap(0, Ordering::SeqCst),
            )
        };
        let commits = crate::moment::Moment::numbered;
        let kept = vec![one(Attempt::Keep), one(Attempt::Keep)];
        assert_eq!(serve(Attempt::Keep, kept), (3, commits(1), 3, 3, 3));
        // An act that refused after it wrote makes all begin again with savepoints, later arrivals among them.
        assert_eq!(serve(Attempt::Keep, vec![one(Attempt::Undo)]), (4, commits(2), 2, 2, 4));
        drop(writer);
        remove(&path);
    }

    #[test]
    fn an_act_that_wrote_and_refused_is_undone_alone() {
        let path = std::env::temp_dir().join(format!("assent-undo-{}.db", std::process::id()));
        let mut writer = writer(&path);
        let runs = Arc::new(AtomicU32::new(0));
        let mut serve = |acts: &[(u64, Attempt)]| {
            let work = |(rows, attempt): &(u64, Attempt)| {
                Box::new(Writes {
                    rows: *rows,
                    attempt: attempt.clone(),
                    runs: Arc::clone(&runs),
                }) as Box<dyn Work>
            };
            writer.serve(&mut acts.iter().map(work).collect(), &mut nobody);
            let count = rusqlite::Connection::open(&path)
                .unwrap()
                .query_row("SELECT count(*) FROM row", [], |row| row.get::<_, i64>(0))
                .unwrap();
            (
                count,
                runs.swap(0, Ordering::SeqCst),
                writer.careful,
                writer.costs.len(),
            )
        };
        let (keep, undo) = (Attempt::Keep, Attempt::Undo);
        assert_eq!(
            serve(&[(1, keep.clone()), (0, undo.clone()), (2, keep.clone())]),
            (3, 3, 0, 3)
        );
        let mixed = [
            (1, keep.clone()),
            (5, undo.clone()),
            (7, Attempt::Panicked),
            (1, keep.clone()),
        ];
        // The first two ran before it was known that savepoints are wanted.
        assert_eq!(serve(&mixed), (5, 6, CAREFUL - 1, 4));
        assert_eq!(serve(&mixed), (7, 4, CAREFUL - 2, 4));
        for left in (0..CAREFUL - 2).rev() {
            assert_eq!(serve(&[(0, keep.clone())]), (7, 1, left, 1));
        }
        assert_eq!(serve(&mixed), (9, 6, CAREFUL - 1, 4));
        drop(writer);
        remove(&path);
    }

    #[test]
    fn after_a_failed_sync_nothing_is_acknowledged() {
        let path = std::env::temp_dir().join(format!("assent-sync-{}.db", std::process::id()));
        let calls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&calls);
        let mut writer = Writer {
            connection: Connection::Sqlite(SqliteConnection::writer(&path).unwrap()),
            moments: Moments::default(),
            tail: Arc::new(Tail::of(&path)),
            on_fatal: Arc::new(move |_| {
                counted.fetch_add(1, Ordering::SeqCst);
            }),
            broken: None,
            careful: 0,
            costs: Vec::new(),
        };
        let fatal = Error::Fatal("sync".to_owned());
        let settled = Arc::new(Mutex::new(Vec::new()));
        let batch = |attempts: &[Attempt]| -> Batch {
            attempts
                .iter()
                .map(|attempt| {
                    let (attempt, settled) = (attempt.clone(), Arc::clone(&settled));
                    Box::new(FixedWork { attempt, settled }) as Box<dyn Work>
                })
                .collect()
        };
        writer.serve(&mut batch(&[Attempt::Keep, Attempt::Undo]), &mut nobody);
        assert!(settled.lock().unwrap().is_empty());
        let failing = [Attempt::Keep, Attempt::Failed(fatal.clone()), Attempt::Keep];
        writer.serve(&mut batch(&failing), &mut nobody);
        assert_eq!(*settled.lock().unwrap(), vec![fatal.clone(); 3]);
        writer.serve(&mut batch(&[Attempt::Keep]), &mut nobody);
        assert_eq!(*settled.lock().unwrap(), vec![fatal; 4]);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        drop(writer);
        std::fs::remove_file(&path).unwrap();
    }
}
