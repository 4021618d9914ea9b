//! The services of every act: the tools that differ between production, tests and the demo, and the caches that acts
//! share.

mod clock_mark;
mod closed_by_finding;
mod ended_ways_in;
mod looks;
mod memo;
mod outlines;
mod trails;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use model::compliance::control_report::rows::Member;
use model::core::parse;
use model::directory::snapshot::Tenant;
use policy::PolicySet;
use proof::crypto::{Entropy, MasterKey, SigningKey};
use store::Store;

use self::clock_mark::ClockMark;
pub use self::closed_by_finding::ClosedByFinding;
pub use self::ended_ways_in::{EndedWaysIn, Way};
use self::looks::MOST_LOOKS;
pub(crate) use self::memo::Memo;
pub(crate) use self::outlines::{Outline, OutlineList, Outlines, Urgency};
pub(crate) use self::trails::{KeptTrail, Trails};

use crate::core::directory_cache::Estate;
use crate::core::error::{Error, Result};
use crate::core::gate_read_cache::GateReadCache;
use crate::core::log_high_water::SeenLogs;

/// How many of a tenant's latest estates are cached: a reader whose transaction began a little earlier needs the one
/// before the latest. Estates share unchanged parts.
const MOST_ESTATES: usize = 4;
/// The most open changes that an act evaluates itself; with more it leaves all of them to the settler.
const SETTLED_AT_ONCE: i64 = 100;
/// How many sets of rows for figures are kept, of at most some 15 MB each.
const MOST_ROWS: usize = 8;
/// How many dashboards are kept with their figures, each for one sight of the data.
const MOST_DASHBOARDS: usize = 256;
/// Of how many tenants it is kept whom changes wait for.
const MOST_WAITS: usize = 32;
/// Of how many samples the log's results are kept.
const MOST_PAPERS: usize = 32;
/// How many compiled sets of policies are cached.
const MOST_SETS: usize = 256;

/// The source of the time.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Timestamp;
}

/// Everything that differs between production, tests and the demo.
pub struct Tools {
    /// The opened store.
    pub store: Store,
    /// The business's time: when things occur.
    pub clock: Arc<dyn Clock>,
    /// The true time of recording. It is the same clock, except in the demo's history.
    pub recorder: Arc<dyn Clock>,
    /// Randomness for ids, salts and keys.
    pub entropy: Arc<dyn Entropy>,
    /// Wraps signing keys at rest, and recognises rows that this server wrote.
    pub master: Arc<MasterKey>,
    /// The last seen size of each log, remembered outside of the database.
    pub seen_logs: Arc<dyn SeenLogs>,
    /// The policies that come with the program: in force in a tenant until another set is put in force there.
    pub policies: Arc<PolicySet>,
    /// The same with the values of a demo, which its contract promises.
    pub demo_policies: Arc<PolicySet>,
    /// The public address of the server for people and verifiers, without a slash at the end.
    pub public_url: String,
    /// Whether outgoing calls may go to an address: the operator lists the permitted internal addresses.
    pub reaches: Reach,
    /// The folder of evidence files; absent on PostgreSQL, where the files are in the database.
    pub evidence_folder: Option<PathBuf>,
}

/// Whether outgoing calls may go to an address.
pub type Reach = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

impl Tools {
    /// The policies that come with the program, with the parameters of this tenant.
    pub(crate) fn shipped(&self, tenant: Option<&Tenant>) -> &Arc<PolicySet> {
        match tenant {
            Some(tenant) if tenant.demo => &self.demo_policies,
            _ => &self.policies,
        }
    }
}

/// The tools and the caches of all acts.
pub struct Services {
    tools: Tools,
    /// A tenant's latest estates, in the order of their numbers.
    estates: Mutex<HashMap<String, Vec<Arc<Estate>>>>,
    /// The locks for reading a tenant's estate.
    turns: Mutex<HashMap<String, Arc<Mutex<()>>>>,
    gate_read_cache: GateReadCache,
    keys: Mutex<HashMap<String, Arc<SigningKey>>>,
    policies: Mutex<HashMap<String, Arc<PolicySet>>>,
    ids: Mutex<Ids>,
    clock_mark: ClockMark,
    /// The tenants whose logs record that events have grounds.
    grounded: Mutex<HashSet<String>>,
    /// The writes up to which all conflicts of a tenant's plans are stored.
    conflicts: Mutex<HashMap<String, (i64, i64, i64)>>,
    closed: ClosedByFinding,
    ended: EndedWaysIn,
    outlines: Outlines,
    trails: Trails,
    /// By tenant: the changes whose work began, as read from the log for the last sample.
    begun: Mutex<HashMap<String, Arc<Begun>>>,
    /// By tenant: the value of the directory's counter at which no change was unsettled.
    settled: Mutex<HashMap<String, i64>>,
    /// The number of open changes from which on an act leaves them to the settler.
    settles: AtomicI64,
    rows: Memo,
    dashboards: Memo,
    waits: Memo,
    papers: Memo,
    looks: Memo,
}

/// The changes of a log whose work began.
#[derive(Debug)]
pub(crate) struct Begun {
    /// When they were read.
    pub at: Timestamp,
    /// The size of the log up to which events count.
    pub size: u64,
    /// The changes.
    pub members: Vec<Member>,
}

/// How long the content read from a log is reused for samples; then it is read again.
const BEGUN_FOR: SignedDuration = SignedDuration::from_secs(60);

/// How many random tails of ids are fetched at a time.
const TAILS: usize = 32;

/// The sources of the next id. Ids are no secrets, so their random tails are fetched in batches: every request and row
/// has an id, and one call to the system's randomness costs as much as the rest of an id.
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
    // These locks guard a cache or a counter, which is whole after any panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Services {
    /// Services with these tools; their caches are empty.
    pub(crate) fn new(tools: Tools) -> Self {
        let clock_mark = ClockMark::at(tools.seen_logs.seen_time());
        Self {
            tools,
            clock_mark,
            estates: Mutex::default(),
            turns: Mutex::default(),
            gate_read_cache: GateReadCache::default(),
            keys: Mutex::default(),
            policies: Mutex::default(),
            ids: Mutex::default(),
            grounded: Mutex::default(),
            conflicts: Mutex::default(),
            closed: ClosedByFinding::default(),
            ended: EndedWaysIn::default(),
            outlines: Outlines::default(),
            trails: Trails::default(),
            begun: Mutex::default(),
            settled: Mutex::default(),
            settles: AtomicI64::new(SETTLED_AT_ONCE),
            rows: Memo::of(MOST_ROWS),
            dashboards: Memo::of(MOST_DASHBOARDS),
            waits: Memo::of(MOST_WAITS),
            papers: Memo::of(MOST_PAPERS),
            looks: Memo::of(MOST_LOOKS),
        }
    }

    /// The part of a tenant's log that was read for a sample a moment ago.
    pub(crate) fn begun(&self, tenant: &str, now: Timestamp) -> Option<Arc<Begun>> {
        let found = locked(&self.begun).get(tenant).cloned()?;
        let age = now.duration_since(found.at);
        (SignedDuration::ZERO..=BEGUN_FOR).contains(&age).then_some(found)
    }

    /// Caches the content read from a tenant's log, and drops content that is too old.
    pub(crate) fn keep_begun(&self, tenant: &str, begun: Begun) {
        let mut kept = locked(&self.begun);
        kept.retain(|_, it| begun.at.duration_since(it.at) <= BEGUN_FOR);
        kept.insert(tenant.to_owned(), Arc::new(begun));
    }

    /// The tools.
    pub fn tools(&self) -> &Tools {
        &self.tools
    }

    /// The present business time, in microseconds.
    ///
    /// # Errors
    /// A fault of a clock outside the years 1970 to 9999.
    pub(crate) fn now(&self) -> Result<jiff::Timestamp> {
        parse::to_micros(self.tools.clock.now())
            .ok_or_else(|| Error::Fault("the clock stands outside the years 1970 to 9999".to_owned()))
    }

    /// How far the clock is behind the latest time that this server has seen. In the demo's history the true time
    /// counts.
    pub fn set_back(&self) -> SignedDuration {
        let now = self.tools.recorder.now();
        let (behind, is_news) = self.clock_mark.note(now);
        if is_news {
            self.tools.seen_logs.note_time(now);
        }
        behind
    }

    /// The time that decides whether credentials and delegations have ended: the present, or the latest seen time if
    /// the clock was set back.
    pub fn ends_by(&self, now: Timestamp) -> Timestamp {
        parse::later(now, self.set_back())
    }

    /// A new UUIDv7. Ids of one server never go back, even if its clock does.
    ///
    /// # Errors
    /// A fault when there is no randomness.
    pub fn new_id(&self, at: Timestamp) -> Result<String> {
        let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
        let (millis, count, tail) = locked(&self.ids).next(millis, self.tools.entropy.as_ref())?;
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
        let estates = locked(&self.estates);
        let mut latest = estates.get(tenant)?.iter().rev();
        latest.find(|it| it.directory.generation <= generation).cloned()
    }

    /// Caches an estate that was read from committed state.
    pub(crate) fn keep_estate(&self, tenant: &str, estate: &Arc<Estate>) {
        let mut estates = locked(&self.estates);
        let kept = estates.entry(tenant.to_owned()).or_default();
        let number = |it: &Arc<Estate>| it.directory.generation;
        if let Err(place) = kept.binary_search_by_key(&number(estate), number) {
            kept.insert(place, Arc::clone(estate));
        }
        if kept.len() > MOST_ESTATES {
            kept.remove(0);
        }
    }

    /// The lock that a reader of a tenant's estate holds, so that one reader reads at a time.
    pub(crate) fn reading_turn(&self, tenant: &str) -> Arc<Mutex<()>> {
        Arc::clone(locked(&self.turns).entry(tenant.to_owned()).or_default())
    }

    /// A compiled set, by its digest.
    pub(crate) fn cached_policies(&self, digest: &str) -> Option<Arc<PolicySet>> {
        locked(&self.policies).get(digest).cloned()
    }

    /// Caches a compiled set. Sets rarely go out of force, so the cache is simply emptied when it is large.
    pub(crate) fn keep_policies(&self, digest: &str, set: &Arc<PolicySet>) {
        let mut kept = locked(&self.policies);
        if kept.len() >= MOST_SETS {
            kept.clear();
        }
        kept.insert(digest.to_owned(), set.clone());
    }

    /// What was read at moments.
    pub(crate) fn gate_read_cache(&self) -> &GateReadCache {
        &self.gate_read_cache
    }

    /// The trail of a long log that was read last.
    pub(crate) fn trails(&self) -> &Trails {
        &self.trails
    }

    /// Since when the kept trail of a log serves spans, and up to which size it was read; `None` if none is kept.
    pub fn kept_trail(&self) -> Option<(Option<Timestamp>, u64)> {
        self.trails.kept()
    }

    /// Sets from how many events on the trail of a log is kept for further reports: tests keep that of a short one.
    pub fn keep_trails_from(&self, events: u64) {
        self.trails.call_long(events);
    }

    /// The outlines of changes that were read.
    pub(crate) fn outlines(&self) -> &Outlines {
        &self.outlines
    }

    /// Whether a tenant's log is known to record that events have grounds.
    pub(crate) fn has_grounds(&self, tenant: &str) -> bool {
        locked(&self.grounded).contains(tenant)
    }

    /// Notes that the tenant's log records grounds.
    pub(crate) fn note_grounds(&self, tenant: &str) {
        locked(&self.grounded).insert(tenant.to_owned());
    }

    /// Whether all conflicts of a tenant's plans are stored, up to these writes.
    pub(crate) fn has_conflicts_of(&self, tenant: &str, mark: (i64, i64, i64)) -> bool {
        locked(&self.conflicts).get(tenant) == Some(&mark)
    }

    /// Notes that they are.
    pub(crate) fn note_conflicts_of(&self, tenant: &str, mark: (i64, i64, i64)) {
        locked(&self.conflicts).insert(tenant.to_owned(), mark);
    }

    /// Whether a tenant had no unsettled change at this value of the directory's counter. Each act that leaves changes
    /// unsettled raises the counter, so the fact stays true for a value.
    pub(crate) fn is_settled(&self, tenant: &str, generation: i64) -> bool {
        locked(&self.settled).get(tenant) == Some(&generation)
    }

    /// Notes this fact, from committed state.
    pub(crate) fn note_settled(&self, tenant: &str, generation: i64) {
        locked(&self.settled).insert(tenant.to_owned(), generation);
    }

    /// The most open changes that an act evaluates itself.
    pub(crate) fn settles_at_once(&self) -> i64 {
        self.settles.load(Ordering::Relaxed)
    }

    /// Sets this number: tests leave even a few changes to the settler.
    pub fn settle_at_once(&self, most: i64) {
        self.settles.store(most, Ordering::Relaxed);
    }

    /// The rows that figures are computed from, by tenant.
    pub(crate) fn rows(&self) -> &Memo {
        &self.rows
    }

    /// The figures of dashboards, by tenant, dashboard and sight.
    pub(crate) fn dashboards(&self) -> &Memo {
        &self.dashboards
    }

    /// Whom undecided changes wait for, by tenant.
    pub(crate) fn waits(&self) -> &Memo {
        &self.waits
    }

    /// What looks of pages found, by tenant and question.
    pub(crate) fn looks(&self) -> &Memo {
        &self.looks
    }

    /// The log's results for the questions of samples, by tenant, sample and size of the log.
    pub(crate) fn papers(&self) -> &Memo {
        &self.papers
    }

    /// The findings that close the gate, whatever its rows allow.
    pub fn closed(&self) -> &ClosedByFinding {
        &self.closed
    }

    /// The ways in that the logs ended, whatever rows the database has.
    pub fn ended(&self) -> &EndedWaysIn {
        &self.ended
    }

    /// An unwrapped signing key, by its id.
    pub(crate) fn cached_key(&self, kid: &str) -> Option<Arc<SigningKey>> {
        locked(&self.keys).get(kid).cloned()
    }

    /// Caches an unwrapped signing key.
    pub(crate) fn keep_key(&self, kid: &str, key: &Arc<SigningKey>) {
        locked(&self.keys).insert(kid.to_owned(), key.clone());
    }
}
