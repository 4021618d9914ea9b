//! The executor runs every act. It opens the transaction for one tenant, supplies the time and ids, runs the effects of
//! saved changes, and lets the store repeat the act after a lost race.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use model::change::change_file::Actor;
use model::core::parse;
use store::{CrossTx, Lane, Mode, Tx};

use crate::core::context::{Context, Effect};
use crate::core::error::Result;
use crate::core::row_mac;
use crate::core::services::{Clock, Services, Tools};
use crate::core::transactions::Transactions;
use crate::effects::table::EFFECTS;

/// A type-erased act, so that the code shared by all acts is compiled once for each type of result.
pub type Doing<T> = Box<dyn Fn(&mut Context<'_, '_>) -> Result<T> + Send>;

/// Runs acts. Clones share everything.
#[derive(Clone)]
pub struct Executor(Arc<Inner>);

struct Inner {
    services: Services,
    /// The effects of a saved change, in this order.
    effects: &'static [Effect],
    /// The tenants whose estate is about to be read ahead.
    warming: Mutex<HashSet<String>>,
}

/// The state that an act leaves for its end.
#[derive(Default)]
struct Left {
    /// It wrote the estate.
    touched: AtomicBool,
    /// The act found no cached estate, and read one that it may not cache.
    lacked: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A set of names is whole after any panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Executor {
    /// An executor with its tools.
    pub fn new(tools: Tools) -> Self {
        let executor = Self::uncoded(tools);
        executor.begin_codes();
        executor
    }

    /// An executor that accepts rows without a code, until [`Self::begin_codes`]: for a replay of data that was
    /// restored without codes, and for no serving.
    pub fn uncoded(tools: Tools) -> Self {
        Self(Arc::new(Inner {
            services: Services::new(tools),
            effects: EFFECTS,
            warming: Mutex::default(),
        }))
    }

    /// Writes and checks codes from now on.
    pub fn begin_codes(&self) {
        let master = Arc::clone(&self.tools().master);
        self.tools().store.code_rows(row_mac::row_coder(master));
    }

    /// The tools and caches that its acts work with.
    pub fn services(&self) -> &Services {
        &self.0.services
    }

    /// Its tools.
    pub fn tools(&self) -> &Tools {
        self.0.services.tools()
    }

    /// An executor with the same tools but another business clock: it makes the demo's history.
    pub fn with_clock(&self, clock: Arc<dyn Clock>) -> Self {
        let tools = self.tools();
        Self::new(Tools {
            store: tools.store.clone(),
            clock,
            recorder: tools.recorder.clone(),
            entropy: tools.entropy.clone(),
            master: tools.master.clone(),
            seen_logs: tools.seen_logs.clone(),
            policies: tools.policies.clone(),
            demo_policies: tools.demo_policies.clone(),
            public_url: tools.public_url.clone(),
            reaches: tools.reaches.clone(),
            evidence_folder: tools.evidence_folder.clone(),
        })
    }

    /// Runs an act in one tenant; `done` is called on a lane's thread after the commit.
    pub fn run<T, A, D>(&self, lane: Lane, tenant: &str, actor: Actor, mode: Mode, act: A, done: D)
    where
        T: Send + 'static,
        A: Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
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
        let left = Arc::new(Left::default());
        let whole = self.whole(actor, mode, act, Arc::clone(&left));
        let (executor, of) = (self.clone(), tenant.to_owned());
        let finish = move |answer: Result<T>| {
            executor.warm_after(&of, &left, answer.is_ok());
            done(answer);
        };
        self.tools().store.run(lane, tenant, mode, whole, finish);
    }

    /// Runs an act in one tenant and waits for its result. Never on a thread that must not block.
    ///
    /// # Errors
    /// The act's own error, or the store's.
    pub fn wait<T, A>(&self, lane: Lane, tenant: &str, actor: Actor, mode: Mode, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
    {
        self.wait_boxed((lane, tenant, actor, mode), Box::new(act))
    }

    fn wait_boxed<T: Send + 'static>(
        &self,
        (lane, tenant, actor, mode): (Lane, &str, Actor, Mode),
        act: Doing<T>,
    ) -> Result<T> {
        let left = Arc::new(Left::default());
        let whole = self.whole(actor, mode, act, Arc::clone(&left));
        let answer = self.tools().store.wait(lane, tenant, mode, whole);
        self.warm_after(tenant, &left, answer.is_ok());
        answer
    }

    /// An act with its context; `left` afterwards holds how the act used the estate.
    fn whole<T: Send + 'static>(
        &self,
        actor: Actor,
        mode: Mode,
        act: Doing<T>,
        left: Arc<Left>,
    ) -> impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static {
        let executor = self.clone();
        move |tx: &mut Tx<'_>| {
            let mut cx = executor.cx(tx, actor.clone(), mode)?;
            let answer = act(&mut cx).and_then(|answer| {
                cx.follow_up()?;
                cx.emit_written()?;
                cx.emit_standings()?;
                Ok(answer)
            });
            left.touched.store(cx.has_touched_directory(), Ordering::Relaxed);
            left.lacked.store(cx.has_lacked_estate(), Ordering::Relaxed);
            answer
        }
    }

    /// Reads ahead the estate that an act wrote, or that the act could not cache.
    fn warm_after(&self, tenant: &str, left: &Left, is_done: bool) {
        let is_other = is_done && left.touched.load(Ordering::Relaxed);
        if is_other || left.lacked.load(Ordering::Relaxed) {
            self.warm(tenant);
        }
    }

    /// Reads the estate of a tenant into the cache, in the background. A writing act may not fill the cache, because
    /// its view may never be committed. So a reading act does this after the estate was written; otherwise each later
    /// act would read all recent writes by itself.
    pub fn warm(&self, tenant: &str) {
        // A read-ahead that has not begun yet will see the latest commit.
        if !locked(&self.0.warming).insert(tenant.to_owned()) {
            return;
        }
        let begun = {
            let (executor, of) = (self.clone(), tenant.to_owned());
            move || locked(&executor.0.warming).remove(&of)
        };
        let ended = begun.clone();
        let load = move |cx: &mut Context<'_, '_>| {
            begun();
            cx.directory().map(|_| ())
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

    /// Reads across tenants: leases, token look-ups, sizes of logs.
    ///
    /// # Errors
    /// The closure's own error, or the store's.
    pub fn wait_across<T, A>(&self, lane: Lane, reason: &'static str, mode: Mode, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut CrossTx<'_>) -> Result<T> + Send + 'static,
    {
        self.tools().store.wait_across(lane, reason, mode, act)
    }

    fn cx<'a, 'c>(&'a self, tx: &'a mut Tx<'c>, actor: Actor, mode: Mode) -> Result<Context<'a, 'c>> {
        let services = self.services();
        let now = services.now()?;
        let recorded_at = parse::to_micros(self.tools().recorder.now()).unwrap_or(now);
        // A read-only act records no event, so it needs no id.
        let act = match mode {
            Mode::Write => services.new_id(recorded_at)?,
            Mode::Read => String::new(),
        };
        let (effects, writes) = (self.0.effects, mode == Mode::Write);
        Ok(Context::new(
            tx,
            (services, effects),
            actor,
            (now, recorded_at),
            act,
            writes,
        ))
    }

    /// A new UUIDv7. Ids of one server never go back, even if its clock does.
    ///
    /// # Errors
    /// A fault when there is no randomness.
    pub fn new_id(&self, at: Timestamp) -> Result<String> {
        self.services().new_id(at)
    }
}

impl Transactions for Executor {
    fn tools(&self) -> &Tools {
        self.tools()
    }

    fn services(&self) -> &Services {
        self.services()
    }

    fn wait<T, A>(&self, lane: Lane, tenant: &str, actor: Actor, mode: Mode, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
    {
        self.wait(lane, tenant, actor, mode, act)
    }

    fn wait_across<T, A>(&self, lane: Lane, reason: &'static str, mode: Mode, act: A) -> Result<T>
    where
        T: Send + 'static,
        A: Fn(&mut CrossTx<'_>) -> Result<T> + Send + 'static,
    {
        self.wait_across(lane, reason, mode, act)
    }
}
