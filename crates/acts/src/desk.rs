//! The desk: where every act is done. It opens the transaction for one tenant, supplies the time and ids, and lets the
//! store repeat the act after a lost race.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use model::file::Actor;
use policy::PolicySet;
use proof::crypto::{Entropy, MasterKey, SigningKey};
use store::{CrossTx, Lane, Mode, Store, Tx};

use crate::error::{Error, Result};
use crate::known::Estate;
use crate::moments::Moments;
use crate::room::Room;
use crate::seen_logs::SeenLogs;

/// How many of a tenant's latest estates are kept: a reader whose transaction began a little earlier needs the one before
/// the latest. They share what did not change.
const MOST_ESTATES: usize = 4;
/// How many compiled sets of policies are kept.
const MOST_SETS: usize = 256;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Timestamp;
}

/// What the desk needs to work: everything that differs between production, tests and the demo.
pub struct Tools {
    /// The opened store.
    pub store: Store,
    /// The business's time: when things occur.
    pub clock: Arc<dyn Clock>,
    /// The true time: when things are recorded. The same clock, but for the demo's history.
    pub recorder: Arc<dyn Clock>,
    /// Randomness for ids, salts and keys.
    pub entropy: Arc<dyn Entropy>,
    /// Wraps signing keys at rest, and knows what this server wrote.
    pub master: Arc<MasterKey>,
    /// How far each log was, remembered outside of the database.
    pub seen_logs: Arc<dyn SeenLogs>,
    /// The policies that come with the program: in force in a tenant until it puts a set of its own in force.
    pub policies: Arc<PolicySet>,
    /// Where people and verifiers reach the server, without a slash at the end.
    pub public_url: String,
    /// Where evidence files lie; on PostgreSQL they lie in the database and this is absent.
    pub evidence_folder: Option<PathBuf>,
}

/// An act without a type of its own, so that what all acts walk through is made once for each kind of answer.
pub type Doing<T> = Box<dyn Fn(&mut Room<'_, '_>) -> Result<T> + Send>;

/// Where acts are done. Clones share everything.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    tools: Tools,
    /// A tenant's latest estates, in the order of their numbers.
    estates: Mutex<HashMap<String, Vec<Arc<Estate>>>>,
    /// Whose estate is about to be read ahead.
    warming: Mutex<HashSet<String>>,
    /// Whose turn it is to read a tenant's estate.
    turns: Mutex<HashMap<String, Arc<Mutex<()>>>>,
    moments: Moments,
    keys: Mutex<HashMap<String, Arc<SigningKey>>>,
    policies: Mutex<HashMap<String, Arc<PolicySet>>>,
    ids: Mutex<Ids>,
}

/// How many random tails of ids are fetched at a time.
const TAILS: usize = 32;

/// What the next id is made of. Ids are no secrets, so their random tails are fetched many at a time: each request and each
/// row has one, and a word with the system's randomness costs as much as all else of an id.
#[derive(Default)]
struct Ids {
    millis: u64,
    count: u16,
    tails: Vec<[u8; 8]>,
}

impl Ids {
    /// The time, the number within its millisecond, and the tail of the next id.
    fn next(&mut self, millis: u64, entropy: &dyn Entropy) -> Result<(u64, u16, [u8; 8])> {
        if self.tails.is_empty() {
            let mut random = [[0_u8; 8]; TAILS];
            entropy.fill(random.as_flattened_mut())?;
            self.tails.extend(random);
        }
        let tail = self.tails.pop().unwrap_or_default();
        (self.millis, self.count) = match (self.millis, self.count) {
            (before, _) if millis > before => (millis, 0),
            (before, count) if count < 0xfff => (before, count + 1),
            (before, _) => (before + 1, 0),
        };
        Ok((self.millis, self.count, tail))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What stands behind these locks is a cache or a counter: it is whole after any panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// A desk with its tools.
    pub fn new(tools: Tools) -> Self {
        let keys = Mutex::new(HashMap::new());
        Self(Arc::new(Inner {
            tools,
            estates: Mutex::new(HashMap::new()),
            warming: Mutex::new(HashSet::new()),
            turns: Mutex::new(HashMap::new()),
            moments: Moments::default(),
            keys,
            policies: Mutex::new(HashMap::new()),
            ids: Mutex::new(Ids::default()),
        }))
    }

    /// Its tools.
    pub fn tools(&self) -> &Tools {
        &self.0.tools
    }

    /// A desk with the same tools but another business clock: the demo's history is made with it.
    pub fn with_clock(&self, clock: Arc<dyn Clock>) -> Self {
        let tools = &self.0.tools;
        Self::new(Tools {
            store: tools.store.clone(),
            clock,
            recorder: tools.recorder.clone(),
            entropy: tools.entropy.clone(),
            master: tools.master.clone(),
            seen_logs: tools.seen_logs.clone(),
            policies: tools.policies.clone(),
            public_url: tools.public_url.clone(),
            evidence_folder: tools.evidence_folder.clone(),
        })
    }

    /// Does an act in one tenant; `done` is called on a lane's thread after the commit.
    pub fn run<T, A, D>(&self, lane: Lane, tenant: &str, actor: Actor, mode: Mode, act: A, done: D)
    where
        T: Send + 'static,
        A: Fn(&mut Room<'_, '_>) -> Result<T> + Send + 'static,
        D: FnOnce(Result<T>) + Send + 'static,
    {
        self.run_boxed((lane, tenant, actor, mode), Box::new(act), Box::new(done));
    }

    fn run_boxed<T: Send + 'static>(
        &self,
        (lane, tenant, actor, mode): (Lane, &str, Actor, Mode),
        act: Doing<T>,
        done: Box<dyn FnOnce(Result<T>) + Send>,
    ) {
        let touched = Arc::new(AtomicBool::new(false));
        let whole = self.whole(actor, mode, act, Arc::clone(&touched));
        let (desk, of) = (self.clone(), tenant.to_owned());
        let finish = move |answer: Result<T>| {
            if answer.is_ok() && touched.load(Ordering::Relaxed) {
                desk.warm(&of);
            }
            done(answer);
        };
        self.0.tools.store.run(lane, tenant, mode, whole, finish);
    }

    /// Does an act in one tenant and waits for its answer. Never on a thread that must not block.
    ///
    /// # Errors
    /// The act's own error, or the store's.
    pub fn wait<T, A>(&self, lane: Lane, tenant: &str, actor: Actor, mode: Mode, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut Room<'_, '_>) -> Result<T> + Send + 'static,
    {
        self.wait_boxed((lane, tenant, actor, mode), Box::new(act))
    }

    fn wait_boxed<T: Send + 'static>(
        &self,
        (lane, tenant, actor, mode): (Lane, &str, Actor, Mode),
        act: Doing<T>,
    ) -> Result<T> {
        let touched = Arc::new(AtomicBool::new(false));
        let whole = self.whole(actor, mode, act, Arc::clone(&touched));
        let answer = self.0.tools.store.wait(lane, tenant, mode, whole);
        if answer.is_ok() && touched.load(Ordering::Relaxed) {
            self.warm(tenant);
        }
        answer
    }

    /// An act with its room; `touched` tells afterwards whether it wrote the estate.
    fn whole<T: Send + 'static>(
        &self,
        actor: Actor,
        mode: Mode,
        act: Doing<T>,
        touched: Arc<AtomicBool>,
    ) -> impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static {
        let desk = self.clone();
        move |tx: &mut Tx<'_>| {
            let mut room = desk.room(tx, actor.clone(), mode)?;
            let answer = act(&mut room).and_then(|answer| {
                room.tell_written()?;
                room.tell_standings()?;
                Ok(answer)
            });
            touched.store(room.has_touched_directory(), Ordering::Relaxed);
            answer
        }
    }

    /// Reads the estate of a tenant into the cache, behind whoever asks. A writing act may not fill the cache with what
    /// it sees, as that may never be committed; so after it has written the estate a reading one does, or each
    /// following act would read by itself all that was written since.
    pub fn warm(&self, tenant: &str) {
        // One that has not begun yet will see what was committed by now.
        if !locked(&self.0.warming).insert(tenant.to_owned()) {
            return;
        }
        let begun = {
            let (desk, of) = (self.clone(), tenant.to_owned());
            move || locked(&desk.0.warming).remove(&of)
        };
        let ended = begun.clone();
        let load = move |room: &mut Room<'_, '_>| {
            begun();
            room.directory().map(|_| ())
        };
        self.run(Lane::Worker, tenant, Actor::system(), Mode::Read, load, move |answer| {
            // A full lane never begins it.
            ended();
            if let Err(error) = answer {
                // Acts read it by themselves then.
                tracing::debug!(%error, "the estate was not read ahead");
            }
        });
    }

    /// Looks across tenants: leases, token look-ups, sizes of logs.
    ///
    /// # Errors
    /// The closure's own error, or the store's.
    pub fn wait_across<T, A>(&self, lane: Lane, reason: &'static str, mode: Mode, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut CrossTx<'_>) -> Result<T> + Send + 'static,
    {
        self.0.tools.store.wait_across(lane, reason, mode, act)
    }

    fn room<'a, 'c>(&'a self, tx: &'a mut Tx<'c>, actor: Actor, mode: Mode) -> Result<Room<'a, 'c>> {
        let now = self.now()?;
        let recorded_at = model::reading::to_micros(self.0.tools.recorder.now()).unwrap_or(now);
        // An act that only reads tells nothing, so it needs no name.
        let act = match mode {
            Mode::Write => self.new_id(recorded_at)?,
            Mode::Read => String::new(),
        };
        Ok(Room::new(tx, self, actor, now, recorded_at, act, mode == Mode::Write))
    }

    /// The present of the business, in microseconds.
    ///
    /// # Errors
    /// A fault of a clock that stands outside the years 1970 to 9999.
    pub(crate) fn now(&self) -> Result<jiff::Timestamp> {
        model::reading::to_micros(self.0.tools.clock.now())
            .ok_or_else(|| Error::Fault("the clock stands outside the years 1970 to 9999".to_owned()))
    }

    /// A new UUIDv7. Ids of one server never go back, also when its clock does.
    ///
    /// # Errors
    /// A fault when there is no randomness.
    pub fn new_id(&self, at: Timestamp) -> Result<String> {
        let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
        let (millis, count, tail) = locked(&self.0.ids).next(millis, self.0.tools.entropy.as_ref())?;
        // The twelve bits after the time count within a millisecond (RFC 9562, section 6.2, method 1).
        let mut random = [0_u8; 10];
        random[0] = (count >> 8) as u8;
        random[1] = (count & 0xff) as u8;
        random[2..].copy_from_slice(&tail);
        Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random)
            .into_uuid()
            .to_string())
    }

    /// The cached estate of a tenant, if it is of this generation.
    pub(crate) fn cached_estate(&self, tenant: &str, generation: i64) -> Option<Arc<Estate>> {
        self.estate_before(tenant, generation)
            .filter(|found| found.directory.generation == generation)
    }

    /// The latest cached estate of a tenant up to this generation.
    pub(crate) fn estate_before(&self, tenant: &str, generation: i64) -> Option<Arc<Estate>> {
        let estates = locked(&self.0.estates);
        let mut latest = estates.get(tenant)?.iter().rev();
        latest.find(|it| it.directory.generation <= generation).cloned()
    }

    /// Keeps an estate that was read from committed state.
    pub(crate) fn keep_estate(&self, tenant: &str, estate: &Arc<Estate>) {
        let mut estates = locked(&self.0.estates);
        let kept = estates.entry(tenant.to_owned()).or_default();
        let number = |it: &Arc<Estate>| it.directory.generation;
        if let Err(place) = kept.binary_search_by_key(&number(estate), number) {
            kept.insert(place, Arc::clone(estate));
        }
        if kept.len() > MOST_ESTATES {
            kept.remove(0);
        }
    }

    /// What a reader of a tenant's estate holds while it reads, so that one reads at a time.
    pub(crate) fn reading_turn(&self, tenant: &str) -> Arc<Mutex<()>> {
        Arc::clone(locked(&self.0.turns).entry(tenant.to_owned()).or_default())
    }

    /// A compiled set, by its digest.
    pub(crate) fn cached_policies(&self, digest: &str) -> Option<Arc<PolicySet>> {
        locked(&self.0.policies).get(digest).cloned()
    }

    /// Keeps a compiled set. Sets go out of force seldom, so forgetting all of them when there are many is enough.
    pub(crate) fn keep_policies(&self, digest: &str, set: &Arc<PolicySet>) {
        let mut kept = locked(&self.0.policies);
        if kept.len() >= MOST_SETS {
            kept.clear();
        }
        kept.insert(digest.to_owned(), set.clone());
    }

    /// What was read at moments.
    pub(crate) fn moments(&self) -> &Moments {
        &self.0.moments
    }

    /// An unwrapped signing key, by its id.
    pub(crate) fn cached_key(&self, kid: &str) -> Option<Arc<SigningKey>> {
        locked(&self.0.keys).get(kid).cloned()
    }

    /// Keeps an unwrapped signing key.
    pub(crate) fn keep_key(&self, kid: &str, key: &Arc<SigningKey>) {
        locked(&self.0.keys).insert(kid.to_owned(), key.clone());
    }
}
