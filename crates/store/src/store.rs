//! Opening, running and closing.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::bucket::{Brought, Places, SharedBucket};
use crate::copying::Copier;
use crate::copying::tail::Tail;
use crate::damage::{self, Damage};
use crate::driver::{Address, Analysis, Connection, PostgresConnection, SqliteConnection};
use crate::error::{Error, Failure, Result};
use crate::failover::{self, FailoverSetup};
use crate::lanes::{self, Back, FatalHook, Jitter, Lane, Link, Looks, Mode, Queue, Reading, Remote, Task, Wakes, Work};
use crate::moment::{Moment, Moments};
use crate::queue::trace;
use crate::row_code::RowCoder;
use crate::tenant::check_tenant;
use crate::tx::{CrossTx, Tx};
use crate::{migrate, schema};

/// How many reads of the gate's lane SQLite runs in one transaction. Each is a look-up, so none waits long for the others; in
/// the other lanes a long list would hold up its neighbours.
const READS: usize = 16;

/// Which engine, and where.
#[derive(Debug, Clone)]
pub enum Engine {
    /// The embedded engine.
    Sqlite {
        /// The database file; made when absent, in a folder that must be there.
        path: PathBuf,
    },
    /// A server.
    Postgres {
        /// The owner's URL: it migrates, and its session acts as a role of lower rights when it serves.
        url: String,
        /// Another URL for serving; without it the role `assent_serve_<database>` is made and taken on.
        serve_url: Option<String>,
        /// PEM file of the authorities trusted for TLS; without it the distribution's.
        root_certificates: Option<PathBuf>,
    },
}

/// One lane's size.
#[derive(Debug, Clone, Copy)]
pub struct LaneSize {
    /// Threads, each with a connection: readers on SQLite, readers and writers on PostgreSQL. At least 1.
    pub threads: usize,
    /// How many acts may wait; one more gets `Busy`.
    pub queue: usize,
}

/// All settings of a store.
#[derive(Clone)]
pub struct Config {
    /// Which engine, and where.
    pub engine: Engine,
    /// Sizes in the order of `Lane::ALL`.
    pub lanes: [LaneSize; 4],
    /// How many acts SQLite commits at once.
    pub batch: usize,
    /// This binary's version, `major.minor.patch`; a schema may require a newer one.
    pub version: String,
    /// Milliseconds after which PostgreSQL gives a statement up.
    pub statement_timeout_ms: u32,
    /// Where segments of the archive are written; without it beside the embedded database, and on PostgreSQL into rows.
    pub archive_bucket: Option<SharedBucket>,
    /// How often PostgreSQL's tables are looked at for growth that its planner should know of.
    pub statistics_every: Duration,
    /// Pauses between repetitions.
    pub jitter: Jitter,
    /// Called after a failed sync.
    pub on_fatal: FatalHook,
}

impl Config {
    /// The usual settings over a SQLite file.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::new(Engine::Sqlite { path: path.into() })
    }

    /// The usual settings over a PostgreSQL server.
    pub fn postgres(url: impl Into<String>) -> Self {
        Self::new(Engine::Postgres {
            url: url.into(),
            serve_url: None,
            root_certificates: None,
        })
    }

    fn new(engine: Engine) -> Self {
        let size = |threads| LaneSize { threads, queue: 1_024 };
        Self {
            engine,
            lanes: [size(4), size(4), size(3), size(2)],
            batch: 64,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            statement_timeout_ms: 10_000,
            archive_bucket: None,
            statistics_every: Duration::from_secs(10),
            jitter: Arc::new(spread),
            on_fatal: Arc::new(|_| {}),
        }
    }
}

/// The folder of archive segments. Servers on PostgreSQL share no folder, so there segments are rows.
fn archive_folder(engine: &Engine) -> Option<Arc<Path>> {
    match engine {
        Engine::Sqlite { path } => Some(path.with_file_name("archive").into()),
        Engine::Postgres { .. } => None,
    }
}

/// A pause before the next repetition: between nothing and 2, 4, 8 … 128 milliseconds, and hardly ever the same one for two
/// threads that lost the same race. A scrambled counter (splitmix64) is enough for that; no security depends on it.
fn spread(attempt: u32) -> Duration {
    static TURNS: AtomicU64 = AtomicU64::new(0);
    let turn = TURNS.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
    let mixed = (turn ^ (turn >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let longest_micros = 2_000_u64 << attempt.min(6);
    Duration::from_micros((mixed ^ (mixed >> 31)) % longest_micros)
}

/// The open store. Clones share it; the threads end with the last clone or with `close`.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    /// By lane: the queue and the slot in it.
    reads: Vec<(Arc<Queue>, usize)>,
    writes: Vec<(Arc<Queue>, usize)>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Counts moments, on an engine that only this process serves.
    moments: Option<Moments>,
    /// Makes the codes of rows; absent until the master key is known.
    coder: Arc<OnceLock<RowCoder>>,
    /// The folder of archive segments, where they are files: beside the database of the embedded engine.
    archive: Option<Arc<Path>>,
    /// The bucket of archive segments, if there is one.
    remote: Option<Arc<Remote>>,
    /// Reads the write-ahead log for a running copy, on the embedded engine.
    tail: Option<Arc<Tail>>,
    /// Why nothing may be written, once that is so.
    frozen: OnceLock<String>,
    /// Has grown tables analysed, on a PostgreSQL server.
    _analysis: Option<Analysis>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The threads are detached before they get the signal to end. Otherwise a thread may end before it is detached, and
        // glibc reads its data once more in `pthread_detach`: a crash, seen once in a test on a busy machine.
        let threads = std::mem::take(self.threads.get_mut().unwrap_or_else(PoisonError::into_inner));
        drop(threads);
        self.close_queues();
    }
}

impl Shared {
    fn close_queues(&self) {
        for (queue, _) in self.reads.iter().chain(&self.writes) {
            queue.close();
        }
    }
}

impl Store {
    /// Migrates forwards and starts the lanes. `Refused` for a newer schema or an unsafe role.
    pub fn open(config: Config) -> Result<Self> {
        match config.engine.clone() {
            Engine::Sqlite { path } => Self::open_sqlite(&config, &path),
            Engine::Postgres {
                url,
                serve_url,
                root_certificates,
            } => {
                let address = |url| Address {
                    url,
                    root_certificates: root_certificates.clone(),
                    statement_timeout_ms: config.statement_timeout_ms,
                };
                let owner = address(url);
                let role = migrate::prepare_postgres(&owner, serve_url.clone().map(address).as_ref(), &config.version)?;
                let analysis = Analysis::start(owner.clone(), config.statistics_every)?;
                let serving = serve_url.map_or(owner, address);
                let link = Link::new(serving, role, Arc::clone(&config.jitter));
                Self::start_postgres(&config, link, analysis)
            }
        }
    }

    /// The names of the migrations that `open` would run, in order; nothing is changed. All of them where the database is
    /// empty.
    ///
    /// # Errors
    /// `Unavailable` and the like where the database cannot be read.
    pub fn waiting_migrations(config: &Config) -> Result<Vec<&'static str>> {
        let mut connection = match &config.engine {
            Engine::Sqlite { path } => Connection::Sqlite(SqliteConnection::reader(path)?),
            Engine::Postgres { .. } => Self::as_owner(config)?,
        };
        migrate::waiting(&mut connection)
    }

    /// Damage in the storage itself, independent of the log: on SQLite in the file, which is read completely and may be one
    /// that `open` refuses; on both engines in the schema. Nothing is changed. The pages of PostgreSQL are left to its
    /// checksums and `pg_amcheck`.
    ///
    /// # Errors
    /// `Unavailable` and the like where it cannot be opened, or where the role may not make a schema to compare with.
    pub fn find_damage(config: &Config) -> Result<Vec<Damage>> {
        match &config.engine {
            Engine::Sqlite { path } => {
                damage::or_damage(SqliteConnection::reader(path).and_then(|file| damage::of_file(&file)))
            }
            Engine::Postgres { .. } => schema::strange(&mut Self::as_owner(config)?),
        }
    }

    /// How the database is set up for the loss of its primary; `None` on the embedded engine. Nothing is changed.
    ///
    /// # Errors
    /// `Unavailable` and the like where no primary can be reached.
    pub fn failover_standing(config: &Config) -> Result<Option<FailoverSetup>> {
        match &config.engine {
            Engine::Sqlite { .. } => Ok(None),
            Engine::Postgres { .. } => failover::read_setup(&Self::owner(config)?).map(Some),
        }
    }

    fn as_owner(config: &Config) -> Result<Connection> {
        Ok(Connection::Postgres(PostgresConnection::open(
            &Self::owner(config)?,
            None,
        )?))
    }

    fn owner(config: &Config) -> Result<Address> {
        let Engine::Postgres {
            url, root_certificates, ..
        } = config.engine.clone()
        else {
            return Err(Error::other("only a PostgreSQL database has an owner"));
        };
        Ok(Address {
            url,
            root_certificates,
            statement_timeout_ms: config.statement_timeout_ms,
        })
    }

    fn open_sqlite(config: &Config, path: &Path) -> Result<Self> {
        let writer = SqliteConnection::writer(path)?;
        let writer = migrate::prepare_sqlite(writer, &config.version)?;
        let lanes = Lane::ALL.map(|lane| (config.lanes[lane.place()].queue, lane.weight()));
        let acts = Arc::new(Queue::new(&lanes, Wakes::First));
        let mut threads = Vec::new();
        let (queue, batch, on_fatal) = (Arc::clone(&acts), config.batch.max(1), Arc::clone(&config.on_fatal));
        let moments = Moments::default();
        let tail = Arc::new(Tail::of(path));
        let (counted, followed) = (moments.clone(), Arc::clone(&tail));
        threads.push(spawn("writer", move || {
            lanes::write_sqlite(writer, &queue, batch, &on_fatal, (counted, followed));
        })?);
        let mut reads = Vec::new();
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        for lane in Lane::ALL {
            let size = config.lanes[lane.place()];
            let queue = Arc::new(Queue::new(&[(size.queue, 1)], Wakes::First));
            let (most, readers) = match lane {
                // Its reads share transactions, so that more threads than cores would only wake each other up.
                Lane::Gate => (READS, size.threads.min(cores)),
                _ => (1, size.threads),
            };
            // The worker checks all the time, and so it soon notices commits of other processes.
            let moments = match lane {
                Lane::Gate | Lane::Worker => Looks::AtFile(moments.clone()),
                Lane::Pages => Looks::AtCount(moments.clone()),
                _ => Looks::Never,
            };
            let reading = Arc::new(Reading { most, moments });
            for number in 1..=readers.max(1) {
                let reading = Arc::clone(&reading);
                let reader = SqliteConnection::reader(path)?;
                let queue = Arc::clone(&queue);
                threads.push(spawn(&format!("{}-{number}", lane.name()), move || {
                    if lane == Lane::Pages {
                        step_back();
                    }
                    lanes::read_sqlite(reader, &queue, &reading);
                })?);
            }
            reads.push((queue, 0));
        }
        let writes = Lane::ALL.iter().map(|lane| (Arc::clone(&acts), lane.place())).collect();
        Self::new(config, reads, writes, threads, Own::Embedded(moments, tail))
    }

    fn start_postgres(config: &Config, link: Link, analysis: Analysis) -> Result<Self> {
        let link = Arc::new(link);
        let mut threads = Vec::new();
        let mut queues = Vec::new();
        for lane in Lane::ALL {
            let size = config.lanes[lane.place()];
            let queue = Arc::new(Queue::new(&[(size.queue, 1)], Wakes::Last));
            for number in 1..=size.threads.max(1) {
                let (link, queue) = (Arc::clone(&link), Arc::clone(&queue));
                threads.push(spawn(&format!("{}-{number}", lane.name()), move || {
                    lanes::serve_postgres(&link, &queue);
                })?);
            }
            queues.push((queue, 0));
        }
        Self::new(config, queues.clone(), queues, threads, Own::Server(analysis))
    }

    fn new(
        config: &Config,
        reads: Vec<(Arc<Queue>, usize)>,
        writes: Vec<(Arc<Queue>, usize)>,
        threads: Vec<JoinHandle<()>>,
        own: Own,
    ) -> Result<Self> {
        let (moments, tail, analysis) = match own {
            Own::Embedded(moments, tail) => (Some(moments), Some(tail), None),
            Own::Server(analysis) => (None, None, Some(analysis)),
        };
        let remote = config.archive_bucket.clone().map(Remote::start).transpose()?;
        Ok(Self {
            shared: Arc::new(Shared {
                engine: config.engine.clone(),
                reads,
                writes,
                threads: Mutex::new(threads),
                moments,
                coder: Arc::default(),
                archive: archive_folder(&config.engine),
                remote: remote.map(Arc::new),
                tail,
                frozen: OnceLock::new(),
                _analysis: analysis,
            }),
        })
    }

    /// From now on every row that opens something is written with a code of this coder and read only with it. The first
    /// coder stays.
    pub fn code_rows(&self, coder: RowCoder) {
        // A second executor over the same store has the same key.
        let _ = self.shared.coder.set(coder);
    }

    /// Runs an act of one tenant and passes its result to `done`, on a lane's thread and after the commit. A lane that is full
    /// or closed returns `Busy` at once, on the calling thread. The act may run several times.
    pub fn run<T, E, A, D>(&self, lane: Lane, tenant: &str, mode: Mode, act: A, done: D)
    where
        T: Send + 'static,
        E: Failure,
        A: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        D: FnOnce(Result<T, E>) + Send + 'static,
    {
        if let Err(error) = check_tenant(tenant) {
            return done(Err(E::from(error)));
        }
        let coder = Arc::clone(&self.shared.coder);
        let archive = self.shared.archive.clone();
        let remote = self.shared.remote.clone();
        let remote = remote.map(|remote| (remote, Arc::<Brought>::default()));
        let back = remote.clone();
        let traced = trace::current();
        let act = move |connection: &mut Connection, tenant: &str| {
            let places = Places {
                folder: archive.as_deref(),
                bucket: remote.as_ref().map(|(remote, brought)| {
                    brought.begin();
                    (&remote.bucket, brought.as_ref())
                }),
            };
            let mut tx = Tx::new(connection, tenant, coder.get(), (places, traced.as_deref()));
            let answer = act(&mut tx);
            let failed = tx.failed();
            match &remote {
                // The act lacked a segment, so its result is void.
                Some((_, brought)) if brought.is_wanting() => (Err(E::from(Error::Busy)), failed),
                _ => (answer, failed),
            }
        };
        self.push(lane, tenant, mode, (act, back), done);
    }

    /// Runs work across tenants. `reason` states in a few words why it must see them all; the trace shows it.
    pub fn run_across<T, E, A, D>(&self, lane: Lane, reason: &'static str, mode: Mode, act: A, done: D)
    where
        T: Send + 'static,
        E: Failure,
        A: Fn(&mut CrossTx<'_>) -> Result<T, E> + Send + 'static,
        D: FnOnce(Result<T, E>) + Send + 'static,
    {
        tracing::trace!(reason, lane = lane.name(), "work across tenants");
        let coder = Arc::clone(&self.shared.coder);
        let act = move |connection: &mut Connection, _: &str| {
            let mut tx = CrossTx::new(connection, coder.get());
            let answer = act(&mut tx);
            (answer, tx.failed())
        };
        self.push(lane, "", mode, (act, None), done);
    }

    fn push<T, E, A, D>(&self, lane: Lane, tenant: &str, mode: Mode, (act, wants): (A, Wants), done: D)
    where
        T: Send + 'static,
        E: Failure,
        A: Fn(&mut Connection, &str) -> (Result<T, E>, Option<Error>) + Send + 'static,
        D: FnOnce(Result<T, E>) + Send + 'static,
    {
        let queues = match mode {
            Mode::Read => &self.shared.reads,
            Mode::Write => &self.shared.writes,
        };
        let (queue, slot) = &queues[lane.place()];
        let back = wants.map(|(remote, brought)| Back {
            remote,
            brought,
            queue: Arc::clone(queue),
            slot: *slot,
        });
        let task = Task {
            tenant: tenant.to_owned(),
            mode,
            act,
            done,
            answer: None,
            back,
        };
        if let (Mode::Write, Some(why)) = (mode, self.shared.frozen.get()) {
            let mut refused: Box<dyn Work> = Box::new(task);
            refused.settle(Error::ReadOnly(why.clone()));
            return refused.answer();
        }
        if let Err(mut refused) = queue.push(*slot, Box::new(task)) {
            refused.settle(Error::Busy);
            refused.answer();
        }
    }

    /// Like `run`, but blocks the calling thread for the result. Not for a lane's own thread: it would wait for itself.
    pub fn wait<T, E, A>(&self, lane: Lane, tenant: &str, mode: Mode, act: A) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failure,
        A: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (send, receive) = mpsc::sync_channel(1);
        self.run(lane, tenant, mode, act, move |answer| {
            let _ = send.send(answer);
        });
        receive.recv().unwrap_or_else(|_| Err(unanswered()))
    }

    /// Like `run_across`, but blocks the calling thread for the result.
    pub fn wait_across<T, E, A>(&self, lane: Lane, reason: &'static str, mode: Mode, act: A) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failure,
        A: Fn(&mut CrossTx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (send, receive) = mpsc::sync_channel(1);
        self.run_across(lane, reason, mode, act, move |answer| {
            let _ = send.send(answer);
        });
        receive.recv().unwrap_or_else(|_| Err(unanswered()))
    }

    /// How many acts wait in a lane, for metrics: reads and writes.
    #[must_use]
    pub fn waiting(&self, lane: Lane) -> usize {
        let (reads, slot) = &self.shared.reads[lane.place()];
        let (writes, write_slot) = &self.shared.writes[lane.place()];
        if Arc::ptr_eq(reads, writes) {
            return reads.waiting(*slot);
        }
        reads.waiting(*slot) + writes.waiting(*write_slot)
    }

    /// The present moment, on SQLite: data read at this moment are valid, except for commits of other processes since the
    /// worker's last check. On PostgreSQL other servers write too, so there is none.
    #[must_use]
    pub fn moment(&self) -> Option<Moment> {
        self.shared.moments.as_ref().map(Moments::present)
    }

    /// Whether this store is a PostgreSQL server's, where everything shared has to live in the database.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.shared.engine, Engine::Postgres { .. })
    }

    /// Copies a consistent snapshot of the SQLite database into a new file, while work goes on. The file must not be there yet;
    /// its owner alone can read it. Blocks the calling thread. `Other` on PostgreSQL, which has tools of its own.
    pub fn backup(&self, to: &Path) -> Result<()> {
        let Engine::Sqlite { path } = &self.shared.engine else {
            return Err(Error::other("a PostgreSQL database is backed up with its own tools"));
        };
        SqliteConnection::copier(path)?.copy_to(to)?;
        std::fs::File::open(to)
            .and_then(|file| file.sync_all())
            .map_err(|it| Error::Fatal(format!("the backup could not be synced: {it}")))
    }

    /// A running copy of the SQLite database into a folder or bucket, as the host of this epoch. Only one may work at a time. `Other` on
    /// PostgreSQL, which has replicas of its own.
    pub fn copier(&self, place: &SharedBucket, epoch: u64) -> Result<Copier> {
        match (&self.shared.engine, &self.shared.tail) {
            (Engine::Sqlite { path }, Some(tail)) => Copier::new(path, place, epoch, Arc::clone(tail)),
            _ => Err(Error::other("a PostgreSQL database is copied by its own replicas")),
        }
    }

    /// From now on every writing act gets `ReadOnly` with this reason, until the process ends. The first reason stays.
    pub fn freeze(&self, why: &str) {
        let _ = self.shared.frozen.set(why.to_owned());
    }

    /// Why nothing may be written, if that is so.
    #[must_use]
    pub fn frozen(&self) -> Option<&str> {
        self.shared.frozen.get().map(String::as_str)
    }

    /// Takes no more work, finishes the queue and ends the threads. Not to be called on a lane's own thread.
    pub fn close(&self) {
        self.shared.close_queues();
        let threads = std::mem::take(&mut *self.shared.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a lane's thread had panicked");
            }
        }
    }
}

/// What a store has on one engine alone.
enum Own {
    Embedded(Moments, Arc<Tail>),
    Server(Analysis),
}

/// The bucket, and the objects fetched from it for an act that may need one.
type Wants = Option<(Arc<Remote>, Arc<Brought>)>;

fn unanswered<E: Failure>() -> E {
    E::from(Error::other("the lane ended without an answer"))
}

/// How much later than others a thread gets its turn that stepped back: each step of nice takes about a fifth of its share.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// Lets all other threads of the process go first where cores are scarce. Lists and reports take milliseconds each, a gate
/// check microseconds. Only for readers: they hold no lock for which others wait.
fn step_back() {
    // On other systems the call affects the whole process, so there all lanes stay equal.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "a lane's thread stays as important as the others");
    }
}

/// The stack of a lane's thread: policies are judged on it, and Cedar needs room for deep expressions.
const STACK_BYTES: usize = 8 * 1024 * 1024;

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    Builder::new()
        .name(format!("store-{name}"))
        .stack_size(STACK_BYTES)
        .spawn(body)
        .map_err(|it| Error::Unavailable(format!("no thread for a lane: {it}")))
}
