//! PostgreSQL's lanes: each thread has a connection of its own, and makes a new one when it breaks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::driver::{Address, Connection, PostgresConnection};
use crate::error::{Error, Result};
use crate::lanes::fence::Fence;
use crate::lanes::turns::Turns;
use crate::lanes::work::Attempt;
use crate::lanes::{Mode, Queue, Work};

/// How long to pause before the n-th (from 0) repetition of a lost race. It comes from outside, as randomness does.
pub type Jitter = Arc<dyn Fn(u32) -> Duration + Send + Sync>;

/// How often an act runs before it counts as lost to others.
const TRIES: u32 = 12;

/// After how many lost races an act runs alone on this server.
const LOST: u32 = 2;

/// How long a thread waits for another one's attempt to connect before it reports the server as away.
const PROBE_PATIENCE: Duration = Duration::from_millis(500);

/// How the threads reach the server, and whether it was there the last time.
pub(crate) struct Link {
    pub(crate) address: Address,
    /// The role that the session takes on, when the one that connects may do too much.
    pub(crate) role: Option<String>,
    pub(crate) jitter: Jitter,
    turns: Turns,
    fence: Fence,
    down: AtomicBool,
    /// How many connections came about so far.
    made: AtomicU64,
    /// Whether a thread tries to connect although the server was away.
    probing: Mutex<bool>,
    probed: Condvar,
}

impl Link {
    pub(crate) fn new(address: Address, role: Option<String>, jitter: Jitter) -> Self {
        Self {
            address,
            role,
            jitter,
            turns: Turns::new(),
            fence: Fence::default(),
            down: AtomicBool::new(false),
            made: AtomicU64::new(0),
            probing: Mutex::new(false),
            probed: Condvar::new(),
        }
    }

    /// Connects. While the server is away one thread at a time tries, and the others use its result instead of waiting out the
    /// timeout each.
    fn connect(&self) -> Result<Met> {
        if !self.down.load(Ordering::Acquire) {
            return self.try_connect();
        }
        if self.is_mine_to_probe() {
            let connected = self.try_connect();
            *self.lock_probing() = false;
            self.probed.notify_all();
            return connected;
        }
        if self.down.load(Ordering::Acquire) {
            return Err(Error::Unavailable("PostgreSQL cannot be reached".to_owned()));
        }
        // The try that was waited for succeeded: the server is back for everybody.
        self.try_connect()
    }

    /// `true` for the thread that is to try; any other first waits a moment for the result of that attempt.
    fn is_mine_to_probe(&self) -> bool {
        let mut probing = self.lock_probing();
        if !*probing {
            *probing = true;
            return true;
        }
        let waited = self
            .probed
            .wait_timeout_while(probing, PROBE_PATIENCE, |probing| *probing);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        false
    }

    fn lock_probing(&self) -> MutexGuard<'_, bool> {
        self.probing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_connect(&self) -> Result<Met> {
        let before = self.made.load(Ordering::Acquire);
        let connected = self.open();
        if connected.is_ok() {
            self.made.fetch_add(1, Ordering::AcqRel);
            self.down.store(false, Ordering::Release);
        } else if self.made.load(Ordering::Acquire) == before {
            // An attempt that began while the server was away and failed after another one succeeded adds nothing new.
            self.down.store(true, Ordering::Release);
        }
        connected
    }

    /// A session with the present primary, never with one that a standby has replaced.
    fn open(&self) -> Result<Met> {
        let session = PostgresConnection::open(&self.address, self.role.as_deref())?;
        let mut connection = Connection::Postgres(session);
        let timeline = self.fence.pass(&mut connection)?;
        Ok(Met { connection, timeline })
    }
}

/// A session, and the timeline of the primary that it is with.
struct Met {
    connection: Connection,
    timeline: i64,
}

/// Serves one thread's acts until the queue closes.
pub(crate) fn serve(link: &Arc<Link>, queue: &Queue) {
    let mut session = Session {
        link: Arc::clone(link),
        connection: None,
        timeline: 0,
        written: 0,
        begun: 0,
        replans_at: FIRST_REPLAN,
    };
    while let Some(batch) = queue.take(1) {
        for mut work in batch {
            if let Err(error) = session.run(work.as_mut()) {
                work.settle(error);
            }
            work.answer();
        }
    }
}

struct Session {
    link: Arc<Link>,
    connection: Option<Connection>,
    /// The timeline of the connected primary; 0 where it reports none.
    timeline: i64,
    /// How many transactions wrote on this thread.
    written: u32,
    /// How many transactions began on this connection, and at which of them it plans its statements anew.
    begun: u64,
    replans_at: u64,
}

/// At which transaction of a connection its statements are planned anew for the first time, and how many there are at most between
/// two times. PostgreSQL keeps a plan as long as no table is analysed, and one made for a small table may read all of it when
/// it is large.
const FIRST_REPLAN: u64 = 64;
const MOST_BETWEEN_REPLANS: u64 = 16_384;

/// After how many commits of a thread the fence gets the primary's position.
const TOLD_EVERY: u32 = 64;

/// The action after one attempt.
enum Next {
    /// The act's result is valid.
    Answer,
    /// This fault replaces the result.
    Fault(Error),
    /// Others were faster: run again after a pause.
    Again,
    /// The connection broke before the commit: run again on a new one.
    Reconnect,
}

impl Session {
    fn run(&mut self, work: &mut dyn Work) -> Result<()> {
        let mut reconnected = false;
        let mut conflicted = false;
        for attempt in 0..TRIES {
            match self.once(work, attempt, &mut conflicted) {
                Ok(Next::Answer) => return Ok(()),
                Ok(Next::Fault(error)) => return Err(error),
                Ok(Next::Again) => std::thread::sleep((self.link.jitter)(attempt)),
                Ok(Next::Reconnect) => {
                    self.connection = None;
                    if reconnected {
                        return Err(Error::Unavailable("the connection broke".to_owned()));
                    }
                    reconnected = true;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::Retry)
    }

    /// One try: begin, act, commit.
    fn once(&mut self, work: &mut dyn Work, attempt: u32, conflicted: &mut bool) -> Result<Next> {
        let begin = begin(work);
        // Another thread has met a successor: the primary of this session is a former one, if it lives at all.
        if self.timeline < self.link.fence.timeline() {
            self.connection = None;
        }
        let fresh = self.connection.is_none();
        let connection = match &mut self.connection {
            Some(connection) => connection,
            empty => {
                let met = self.link.connect()?;
                self.timeline = met.timeline;
                (self.begun, self.replans_at) = (0, FIRST_REPLAN);
                empty.insert(met.connection)
            }
        };
        self.begun += 1;
        let is_old = self.begun >= self.replans_at;
        if is_old {
            self.replans_at += self.begun.min(MOST_BETWEEN_REPLANS);
        }
        let replanned = if is_old {
            connection.batch("DISCARD PLANS")
        } else {
            Ok(())
        };
        if let Err(error) = replanned.and_then(|()| connection.begin(&begin, attempt > 0)) {
            // No statement ran yet, so a new connection may repair any fault of an old one. `Retry` comes from a primary that
            // has become a standby.
            let lost = is_lost(connection) || matches!(error, Error::Unavailable(_) | Error::Retry);
            self.connection = None;
            if lost && !fresh {
                return Ok(Next::Reconnect);
            }
            // A standby refuses to begin a writing transaction: the primary is elsewhere, or not yet.
            let fault = match error {
                Error::Retry => Error::Unavailable("PostgreSQL is a standby".to_owned()),
                other => other,
            };
            return Ok(Next::Fault(fault));
        }
        // Only now: a connection that has to be made first would hold everybody up. No snapshot is taken yet.
        let link = Arc::clone(&self.link);
        let writes = work.mode() == Mode::Write;
        let _turn = writes.then(|| link.turns.wait(work.tenant(), attempt >= LOST));
        match work.attempt(connection) {
            Attempt::Keep => Ok(self.commit(work.mode())),
            Attempt::Panicked => {
                self.connection = None;
                Ok(Next::Answer)
            }
            Attempt::Undo => {
                self.roll_back();
                Ok(Next::Answer)
            }
            Attempt::Failed(error) => Ok(self.after_fault(&error, conflicted)),
        }
    }

    fn commit(&mut self, mode: Mode) -> Next {
        let Some(connection) = &mut self.connection else {
            return Next::Fault(Error::Unknown);
        };
        let Err(error) = connection.commit() else {
            if mode == Mode::Write {
                self.tell_fence();
            }
            return Next::Answer;
        };
        // After a commit that possibly no standby has, the next act checks again which node is the primary.
        let lost = is_lost(connection) || error == Error::Unknown;
        if lost {
            self.connection = None;
        } else if !matches!(error, Error::Retry) {
            // A commit that is refused because of a concurrent act has ended its transaction: the database would warn of a
            // rollback.
            self.roll_back();
        }
        match error {
            // The data read were true; only the end of the connection failed.
            _ if lost && mode == Mode::Read => Next::Answer,
            _ if lost => Next::Fault(Error::Unknown),
            Error::Retry => Next::Again,
            // The server gave up in the middle of the commit: a replica may have it.
            Error::Unavailable(_) => Next::Fault(Error::Unknown),
            other => Next::Fault(other),
        }
    }

    /// Reports the primary's position to the fence from time to time, so that another one on its timeline is known to be
    /// behind.
    fn tell_fence(&mut self) {
        self.written = self.written.wrapping_add(1);
        let Some(connection) = self
            .connection
            .as_mut()
            .filter(|_| self.written.is_multiple_of(TOLD_EVERY))
        else {
            return;
        };
        let told = self.link.fence.pass(connection);
        if let Err(error) = told {
            // The commit is done; the next act connects again, and is refused there if this was another primary.
            tracing::warn!(%error, "the database was not told apart from a former primary");
            self.connection = None;
        }
    }

    fn after_fault(&mut self, error: &Error, conflicted: &mut bool) -> Next {
        if self.connection.as_ref().is_some_and(is_lost) {
            return Next::Reconnect;
        }
        if let (Error::Conflict { .. }, Some(connection)) = (error, &mut self.connection) {
            // Another record may have the number, if the counter was put back.
            connection.leave_numbers_out();
        }
        self.roll_back();
        match error {
            Error::Retry => Next::Again,
            // The row may have come from a concurrent act; in the next attempt the act sees it and may give a better result.
            Error::Conflict { .. } if !*conflicted => {
                *conflicted = true;
                Next::Again
            }
            _ => Next::Answer,
        }
    }

    fn roll_back(&mut self) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        if connection.batch("ROLLBACK").is_err() {
            self.connection = None;
        }
    }
}

fn is_lost(connection: &Connection) -> bool {
    match connection {
        Connection::Postgres(it) => it.is_lost(),
        Connection::Sqlite(_) => false,
    }
}

/// Begins a transaction and sets its tenant in the same request: row security matches nothing until it is set. A tenant's id
/// has no quote (`store::check_tenant`), so the text may contain it.
fn begin(work: &dyn Work) -> String {
    let mode = match work.mode() {
        Mode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        Mode::Write => "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE",
    };
    match work.tenant() {
        "" => format!("{mode}; SET LOCAL assent.across = 'on'"),
        tenant => format!("{mode}; SET LOCAL assent.tenant = '{tenant}'"),
    }
}
