//! The threads that keep the logs: they place events, sign sizes and lists, and notify listeners.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use acts::audit::sequence_events::{self, Sequenced};
use acts::audit::{check_log, cosign_log, note_log_sizes, sign_revocations};
use model::change::change_file::Actor;
use store::audit::{event, log};
use store::gate::revocation;
use store::{Lane, Mode, SYSTEM_TENANT};

use crate::http::clock::tick;
use crate::http::noted::Noted;
use crate::http::state::AppState;

/// How often the thread looks for other servers' events.
const LOOK: Duration = Duration::from_millis(100);
/// The shortest time between two rounds. A step costs the writing thread about the same for one event as for hundreds, so under
/// load many are placed at once.
const PACE: Duration = Duration::from_millis(50);
/// How often cosignatures and revocation lists are looked after; each is renewed when it is old enough.
const TEND: Duration = Duration::from_secs(10);

/// If a log gets no new place for this long while another server holds the pen, a warning is logged.
const STILL: Duration = Duration::from_secs(30);
/// How often the server's log repeats that a tenant's events cannot be placed, for the same reason.
const AGAIN: Duration = Duration::from_secs(60);

/// Starts the sequencer. It ends when the notifier dismisses it.
pub(crate) fn start(state: &AppState, server: &str) -> std::io::Result<JoinHandle<()>> {
    let (state, server) = (state.clone(), server.to_owned());
    let bell = state.bells().wake_thread();
    Builder::new().name("sequencer".to_owned()).spawn(move || {
        let mut sequencer = Sequencer {
            state,
            server,
            tended_at: None,
            stands: Stands::default(),
            faults: Faults::default(),
            rung: Rung::default(),
        };
        let mut longest = LOOK;
        let mut last = tick();
        while pause(&bell, longest) {
            hold_back(last + PACE);
            last = tick();
            longest = if sequencer.round() { LOOK } else { REST };
        }
        // Events that were written last are placed before the process ends.
        sequencer.place_all();
        sequencer.keep_seen_logs();
        sequencer.lay_down_pens();
    })
}

/// How long a thread rests after the store was away, or something could not be done: its line in the log is enough.
pub(crate) const REST: Duration = Duration::from_secs(2);

/// Waits for a notification, at most `longest`; `false` when the thread has to end.
pub(crate) fn pause(bell: &Receiver<()>, longest: Duration) -> bool {
    !matches!(bell.recv_timeout(longest), Err(RecvTimeoutError::Disconnected))
}

/// Sleeps until a time. A notification meanwhile wakes no thread: waking one would cost each committed act a good part of its
/// time.
pub(crate) fn hold_back(until: Instant) {
    loop {
        let left = until.saturating_duration_since(tick());
        if left.is_zero() {
            return;
        }
        std::thread::park_timeout(left);
    }
}

struct Sequencer {
    state: AppState,
    server: String,
    tended_at: Option<Instant>,
    stands: Stands,
    faults: Faults,
    rung: Rung,
}

/// The logs' sizes at the time when waiting readers of this server were last woken.
#[derive(Default)]
struct Rung(HashMap<String, u64>);

impl Rung {
    /// Notes the logs' sizes, and returns the tenants whose log has grown since.
    fn moved(&mut self, sizes: Vec<(String, u64)>) -> Vec<String> {
        let before = std::mem::take(&mut self.0);
        let has_moved = |(tenant, size): &&(String, u64)| before.get(tenant) != Some(size);
        let moved = sizes.iter().filter(has_moved).map(|(tenant, _)| tenant.clone());
        let moved = moved.collect();
        self.0 = sizes.into_iter().collect();
        moved
    }
}

/// The placing errors by tenant, and when each was logged: one line per step, every two seconds, would fill the log.
#[derive(Default)]
struct Faults(HashMap<String, (String, Instant)>);

impl Faults {
    /// Whether to log a fault: it differs from the previous one, or was logged long ago.
    fn is_due(&mut self, tenant: &str, fault: &str, now: Instant) -> bool {
        if let Some((known, told_at)) = self.0.get(tenant)
            && known == fault
            && now.saturating_duration_since(*told_at) < AGAIN
        {
            return false;
        }
        self.0.insert(tenant.to_owned(), (fault.to_owned(), now));
        true
    }

    /// Keeps the faults of these tenants and forgets all others.
    fn keep(&mut self, tenants: &[String]) {
        self.0.retain(|tenant, _| tenants.contains(tenant));
    }
}

/// A log whose events wait without getting a place.
struct StalledLog {
    /// The log's size, where another server holds the pen; none where nothing can be placed.
    size: Option<u64>,
    since: Instant,
    told_at: Instant,
}

/// The logs of which events wait while another server holds the pen, or while nothing can be placed.
#[derive(Default)]
struct Stands(HashMap<String, StalledLog>);

impl Stands {
    /// Notes the result of a step; nothing for a failed step. Returns true each time that a log has had no new place for
    /// [`STILL`] while another server holds the pen. Failed steps are reported separately.
    fn note(&mut self, tenant: &str, placed: Option<Sequenced>, now: Instant) -> bool {
        if placed.is_some_and(|it| it.has_pen) {
            self.0.remove(tenant);
            return false;
        }
        let size = placed.map(|it| it.to);
        let begun = StalledLog {
            size,
            since: now,
            told_at: now,
        };
        let Some(standing) = self.0.get_mut(tenant) else {
            self.0.insert(tenant.to_owned(), begun);
            return false;
        };
        if size.is_some() && standing.size != size {
            *standing = begun;
        }
        let is_still = size.is_some() && now.saturating_duration_since(standing.told_at) >= STILL;
        if is_still {
            standing.told_at = now;
        }
        is_still
    }

    /// How long the log with the longest standstill has had no new place.
    fn longest(&self, now: Instant) -> Duration {
        let lasted = self.0.values().map(|it| now.saturating_duration_since(it.since));
        lasted.max().unwrap_or_default()
    }

    /// Forgets all but these.
    fn keep(&mut self, tenants: &[String]) {
        self.0.retain(|tenant, _| tenants.contains(tenant));
    }
}

impl Sequencer {
    /// Returns whether the store was available.
    fn round(&mut self) -> bool {
        let Some(is_well) = self.place_all() else {
            return false;
        };
        let now = tick();
        if self
            .tended_at
            .is_none_or(|at| now.saturating_duration_since(at) >= TEND)
        {
            self.tended_at = Some(now);
            self.tend();
        }
        self.sign_lists();
        self.ring_for_others();
        is_well
    }

    /// Wakes readers that wait at this server for events of another server: its acts notify nobody here, and show only in the
    /// log.
    fn ring_for_others(&mut self) {
        if !self.state.bells().has_readers() {
            // The next reader is woken once, so that it misses no event between its own look and the first one here.
            self.rung = Rung::default();
            return;
        }
        let find = |tx: &mut store::CrossTx<'_>| Ok(log::sizes(tx)?);
        let sizes = self
            .state
            .executor()
            .wait_across(Lane::Worker, "how far the logs are", Mode::Read, find);
        let Some(sizes) = log_fault(sizes, "looking how far the logs are") else {
            return;
        };
        let sizes = sizes.into_iter();
        let sizes = sizes.map(|(tenant, size)| (tenant, u64::try_from(size).unwrap_or_default()));
        for tenant in self.rung.moved(sizes.collect()) {
            self.state.bells().ring_for_readers(&tenant);
        }
    }

    /// Places the waiting events of every tenant. Returns whether all could be placed, and nothing when the store is
    /// unavailable. A tenant with a broken log delays no other tenant's events, cosignatures and lists.
    fn place_all(&mut self) -> Option<bool> {
        let find = |tx: &mut store::CrossTx<'_>| Ok(event::tenants_unsequenced(tx)?);
        let waiting =
            self.state
                .executor()
                .wait_across(Lane::Worker, "whose events wait for a place", Mode::Read, find);
        let mut is_well = true;
        let waiting = log_fault(waiting, "looking for events without a place")?;
        self.stands.keep(&waiting);
        self.faults.keep(&waiting);
        for tenant in waiting {
            let placed = sequence_events::sequence_events(self.state.executor(), &tenant, &self.server);
            let placed = self.told_at_times(&tenant, placed);
            is_well &= placed.is_some();
            if placed.is_none() {
                self.look_at_log(&tenant);
            }
            if self.stands.note(&tenant, placed, tick()) {
                tracing::warn!(
                    tenant,
                    "events wait for their places while another server holds the pen"
                );
            }
            if let Some(placed) = placed.filter(|it| it.to > it.from) {
                self.state.bells().ring_for_readers(&tenant);
                self.rung.0.insert(tenant, placed.to);
            }
        }
        self.state.metrics().note_standing(self.stands.longest(tick()));
        Some(is_well)
    }

    /// As [`log_fault_of`], but a fault that was fixed meanwhile is logged again at once.
    fn told_at_times(&mut self, tenant: &str, placed: acts::Result<Sequenced>) -> Option<Sequenced> {
        if let Err(error) = &placed
            && !self.faults.is_due(tenant, &error.to_string(), tick())
        {
            return None;
        }
        let doing = "placing events";
        let placed = placed
            .inspect_err(|error| tracing::error!(%error, tenant, doing, "work behind the doors failed"))
            .ok();
        if placed.is_some() {
            self.faults.0.remove(tenant);
        }
        placed
    }

    /// Another server may go on at once.
    fn lay_down_pens(&self) {
        for tenant in self.tenants().iter().map(String::as_str).chain([SYSTEM_TENANT]) {
            let laid = sequence_events::lay_down_pen(self.state.executor(), tenant, &self.server);
            log_fault_of(tenant, laid, "laying down the pen of a log");
        }
    }

    /// Renews cosignatures, and notes in the system's log how far each tenant's is.
    fn tend(&self) {
        for tenant in self.tenants() {
            let cosigned = cosign_log::cosign_log(self.state.executor(), &tenant);
            log_fault_of(&tenant, cosigned, "cosigning a log");
        }
        log_fault(
            cosign_log::cosign_log(self.state.executor(), SYSTEM_TENANT),
            "cosigning the system's log",
        );
        log_fault(
            note_log_sizes::note_log_sizes(self.state.executor()),
            "noting sizes of logs",
        );
        for tenant in self.tenants().iter().map(String::as_str).chain([SYSTEM_TENANT]) {
            if self.look_at_log(tenant) {
                let noted = check_log::note_log(self.state.executor(), tenant);
                log_fault_of(tenant, noted, "noting how far a log is");
            }
        }
        self.keep_seen_logs();
    }

    /// Checks whether a log continues the log that was seen; if not, the gate is closed for its tenant.
    fn look_at_log(&self, tenant: &str) -> bool {
        let executor = self.state.executor();
        let found = check_log::look_at_log(executor, executor.services(), tenant);
        match log_fault_of(tenant, found, "looking whether a log is the one that was seen") {
            Some(Some(why)) => {
                write_fault(tenant, &why, "keeping the gate closed over a log that was set back");
                false
            }
            found => found.is_some(),
        }
    }

    /// Writes down outside of the database how far each log is.
    fn keep_seen_logs(&self) {
        if let Err(error) = self.state.executor().tools().seen_logs.keep()
            && let Some(times) = times(&format!("keeping logs {error}"))
        {
            tracing::error!(%error, times, "how far the logs are could not be written down in the data folder");
        }
    }

    fn tenants(&self) -> Vec<String> {
        let find = |tx: &mut store::CrossTx<'_>| Ok(store::servers::tenants(tx)?);
        let found = self
            .state
            .executor()
            .wait_across(Lane::Worker, "all tenants", Mode::Read, find);
        log_fault(found, "listing tenants").unwrap_or_default()
    }

    /// Signs the revocation lists that have new entries or grow old.
    fn sign_lists(&self) {
        let now = self.state.executor().tools().clock.now();
        let before = now - jiff::SignedDuration::from_secs(sign_revocations::RENEWED_AFTER_SECONDS);
        let find = move |tx: &mut store::CrossTx<'_>| Ok(revocation::stale_lists(tx, before)?);
        let stale = self
            .state
            .executor()
            .wait_across(Lane::Worker, "whose list is old", Mode::Read, find);
        for tenant in log_fault(stale, "looking for old revocation lists").unwrap_or_default() {
            let act = sign_revocations::sign_revocations;
            let signed = self
                .state
                .executor()
                .wait(Lane::Worker, &tenant, Actor::system(), Mode::Write, act);
            log_fault_of(&tenant, signed, "signing a revocation list");
        }
    }
}

/// The number of repetitions of a fault, if it has to be logged now. While the database is away, each thread meets the same
/// fault every two seconds.
pub(crate) fn times(fault: &str) -> Option<u32> {
    static NOTED: OnceLock<Noted> = OnceLock::new();
    NOTED.get_or_init(Noted::default).count(fault, tick())
}

/// Logs a fault of background work, which has no caller to report to. The same fault is logged once a minute, with its count.
pub(crate) fn log_fault<T>(answer: acts::Result<T>, doing: &'static str) -> Option<T> {
    answer
        .inspect_err(|error| {
            if let Some(times) = times(&format!("{doing} {error}")) {
                tracing::error!(%error, doing, times, "work behind the doors failed");
            }
        })
        .ok()
}

/// The same of one tenant's work, by its name.
fn log_fault_of<T>(tenant: &str, answer: acts::Result<T>, doing: &'static str) -> Option<T> {
    answer
        .inspect_err(|error| write_fault(tenant, &error.to_string(), doing))
        .ok()
}

fn write_fault(tenant: &str, error: &str, doing: &'static str) {
    if let Some(times) = times(&format!("{tenant} {doing} {error}")) {
        tracing::error!(error, tenant, doing, times, "work behind the doors failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(to: u64, has_pen: bool) -> Sequenced {
        Sequenced { from: to, to, has_pen }
    }

    #[test]
    fn whoever_waits_is_woken_once_for_each_move_of_a_log() {
        let mut rung = Rung::default();
        let sizes = |ours: u64, theirs: u64| vec![("ours".to_owned(), ours), ("theirs".to_owned(), theirs)];
        assert_eq!(
            rung.moved(sizes(7, 9)),
            ["ours", "theirs"],
            "nobody knows how far they were"
        );
        assert_eq!(rung.moved(sizes(7, 9)), Vec::<String>::new());
        assert_eq!(rung.moved(sizes(7, 10)), ["theirs"]);
        rung.0.insert("ours".to_owned(), 8);
        assert_eq!(rung.moved(sizes(8, 10)), Vec::<String>::new(), "that was told here");
    }

    #[test]
    fn a_log_that_stands_still_under_another_servers_pen_is_told_of_and_one_that_grows_is_not() {
        let mut stands = Stands::default();
        let begun = tick();
        let after = |seconds: u64| begun + Duration::from_secs(seconds);
        assert!(!stands.note("acme", Some(step(7, false)), begun));
        assert!(!stands.note("acme", Some(step(7, false)), after(29)));
        assert!(stands.note("acme", Some(step(7, false)), after(30)));
        assert!(
            !stands.note("acme", Some(step(7, false)), after(31)),
            "it was told just now"
        );
        assert!(stands.note("acme", Some(step(7, false)), after(60)), "it still stands");
        assert!(!stands.note("acme", Some(step(9, false)), after(95)), "it has grown");
        assert!(!stands.note("acme", Some(step(9, true)), after(130)), "the pen is here");
        assert!(!stands.note("acme", Some(step(9, false)), after(131)));
        assert_eq!(stands.longest(after(140)), Duration::from_secs(9));
        stands.keep(&[]);
        assert_eq!(stands.longest(after(140)), Duration::ZERO);
        assert!(
            !stands.note("acme", Some(step(9, false)), after(200)),
            "nothing waited meanwhile"
        );
    }

    #[test]
    fn the_same_fault_is_told_once_a_minute_and_another_one_at_once() {
        let mut faults = Faults::default();
        let begun = tick();
        let after = |seconds: u64| begun + Duration::from_secs(seconds);
        assert!(faults.is_due("acme", "no code", begun));
        assert!(!faults.is_due("acme", "no code", after(59)));
        assert!(faults.is_due("acme", "no code", after(60)), "it lasts");
        assert!(!faults.is_due("acme", "no code", after(61)));
        assert!(faults.is_due("acme", "set back", after(62)), "it is another one");
        assert!(faults.is_due("other", "set back", after(62)), "it is another tenant's");
        faults.keep(&["other".to_owned()]);
        assert!(faults.is_due("acme", "set back", after(63)), "it was away meanwhile");
    }

    #[test]
    fn the_same_fault_behind_the_doors_is_counted() {
        let fault = "looking for a fault that only this test has";
        assert_eq!(times(fault), Some(1));
        assert_eq!((times(fault), times(fault)), (None, None));
    }

    #[test]
    fn a_log_in_which_nothing_can_be_placed_stands_until_something_is() {
        let mut stands = Stands::default();
        let begun = tick();
        let after = |seconds: u64| begun + Duration::from_secs(seconds);
        for seconds in [0, 2, 40] {
            assert!(!stands.note("acme", None, after(seconds)), "the failure itself is told");
        }
        stands.note("other", None, after(30));
        assert_eq!(stands.longest(after(41)), Duration::from_secs(41));
        stands.note("acme", Some(step(8, true)), after(42));
        assert_eq!(stands.longest(after(42)), Duration::from_secs(12));
    }
}
