//! The threads that process queued timers and deliveries. Each row may be processed twice without harm.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use acts::change::keep_draft;
use acts::compliance::set_retention;
use acts::core::{connections, row_mac};
use acts::effects::find_lost_timers;
use acts::gate::coverage;
use acts::identity::{audit_workload_trust, warn_token_expiry};
use acts::integration::beside::read_foreign;
use acts::integration::find_lost_calls;
use acts::schedule::{expand_spans, keep_conflicts};
use connect::integration::door;
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use store::gate::gate_use;
use store::identity::{second_factor, session, workload};
use store::integration::inbox::{self, Delivery};
use store::queue::job;
use store::queue::timer::{self, Timer};
use store::{Lane, Mode};

use crate::background::queue_worker::{Failed, Holder, LEASE, go_round, in_parallel, side_by_side};
use crate::background::sequencer::log_fault;
use crate::http::clock::tick;
use crate::http::state::AppState;
use crate::notify::letter_files;

/// How many rows a round takes.
const MOST: i64 = 20;
/// The same of deliveries, and how many are processed at a time. Their bodies are read one by one, so that memory holds at most
/// that many; their effects share commits.
const DELIVERIES: i64 = 64;
const DELIVERY_HANDS: usize = 8;
/// How long a worker waits after it found no delivery to lease. While another worker processes a long row of deliveries about
/// one subject, repeated looks at those behind it would block writing.
const IN_VAIN: Duration = Duration::from_millis(100);
/// How often a server records that it is up and removes old rows.
const TEND: Duration = Duration::from_secs(30);
/// How often deployments are matched with changes, by the business clock.
const MATCH: SignedDuration = SignedDuration::from_mins(10);
/// How often evidence files that nothing names are looked for.
const SWEEP: Duration = Duration::from_secs(6 * 60 * 60);
/// How often the worker looks for data beyond the tenants' retention and for expiring tokens, and how many batches of expired
/// deliveries of a tenant it then removes.
const BY_DAYS: SignedDuration = SignedDuration::from_mins(10);
const PIECES: usize = 20;
/// The hours after which a silent server is forgotten, and after which responses kept for idempotency keys are removed.
const SERVER_HOURS: i64 = 24;
const KEPT_HOURS: i64 = 24 * 7;
/// How many rows of a kind one transaction of the sweep removes, and how many such transactions a round has. So an old backlog
/// neither blocks writing nor needs a statement that takes too long.
const SWEPT: i64 = 1_000;
const SWEEPS: usize = 50;

/// Why a delivery is set aside that somebody wrote into the database.
const NOT_OWN: &str = "no server took this delivery in: its code is missing or another one's. Look at what it says, and have it \
                       read once more if it is what the sender sent";

/// Removes at most so many rows of all tenants that ended before a time; returns how many were removed.
type Prune = fn(&mut store::CrossTx<'_>, Timestamp, i64) -> store::Result<u64>;

/// Starts the workers. They end when the notifier dismisses them.
pub(crate) fn start(state: &AppState, server: &str, count: usize) -> std::io::Result<Vec<JoinHandle<()>>> {
    (0..count.max(1))
        .map(|number| start_one(state, &format!("{server}-{number}"), number == 0))
        .collect()
}

fn start_one(state: &AppState, name: &str, tends: bool) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().wake_thread();
    let worker = Worker {
        holder: Holder {
            state: state.clone(),
            name: name.to_owned(),
            lease: LEASE,
        },
        tends,
        marks: Mutex::default(),
        late_marks: Mutex::default(),
        erase_marks: Mutex::default(),
        in_vain_at: Mutex::default(),
    };
    Builder::new().name(format!("worker-{name}")).spawn(move || {
        let mut tended_at = None;
        let mut matched_at = None;
        let mut swept_at = None;
        let mut counted_at = None;
        let began_at = worker.holder.state.executor().tools().recorder.now();
        go_round(&bell, || {
            let is_there = worker.round();
            worker.tend(&mut tended_at, began_at);
            worker.match_deployments(&mut matched_at);
            worker.sweep_evidence(&mut swept_at);
            worker.count_days(&mut counted_at);
            is_there
        });
    })
}

struct Worker {
    holder: Holder,
    tends: bool,
    /// Per tenant, how far the scan for lost timers has come.
    marks: Marks,
    /// The same of the scan for timers that are set too late.
    late_marks: Marks,
    /// The position in each tenant of the scan for data beyond the retention.
    erase_marks: Marks,
    /// When no delivery was in its turn, though some were due.
    in_vain_at: Mutex<Option<Instant>>,
}

/// How far a scan of a tenant has come, by tenant.
type Marks = Mutex<HashMap<String, String>>;

fn mark_of(marks: &Marks, tenant: &str) -> Option<String> {
    let marks = marks.lock().unwrap_or_else(PoisonError::into_inner);
    marks.get(tenant).cloned()
}

fn set_mark(marks: &Marks, tenant: String, mark: Option<String>) {
    let mut marks = marks.lock().unwrap_or_else(PoisonError::into_inner);
    match mark {
        Some(mark) => marks.insert(tenant, mark),
        None => marks.remove(&tenant),
    };
}

/// Deliveries in chains; the deliveries of a chain are processed in the order of arrival. A chain holds the deliveries about
/// one subject, or all of a connection if one of them is about several subjects. A delivery without a subject is a chain of its
/// own.
fn in_chains(rows: Vec<Delivery>) -> Vec<Vec<Delivery>> {
    let place = |row: &Delivery| (row.tenant.clone(), row.connection.clone());
    let several = rows.iter().filter(|row| row.subject == inbox::SEVERAL);
    let mixed: HashSet<(String, String)> = several.map(place).collect();
    let mut numbers: HashMap<((String, String), String), usize> = HashMap::new();
    let mut chains: Vec<Vec<Delivery>> = Vec::new();
    for row in rows {
        if row.subject.is_empty() {
            chains.push(vec![row]);
            continue;
        }
        let place = place(&row);
        let subject = if mixed.contains(&place) {
            inbox::SEVERAL
        } else {
            row.subject.as_str()
        };
        let number = *numbers.entry((place, subject.to_owned())).or_insert(chains.len());
        match chains.get_mut(number) {
            Some(chain) => chain.push(row),
            None => chains.push(vec![row]),
        }
    }
    chains
}

/// The result of a row.
enum Done {
    /// Finished, in a transaction of its own.
    Finished,
    /// Another worker holds the row now, or the row's turn has not come.
    Lost,
}

impl Worker {
    /// Takes due rows; returns whether the store was available.
    fn round(&self) -> bool {
        let now = self.holder.now();
        let look = |tx: &mut store::CrossTx<'_>| Ok([timer::next_due(tx)?, inbox::next_due(tx)?]);
        // A look is cheap; a lease writes.
        let Some(due) = self.holder.across("what is due", Mode::Read, look) else {
            return false;
        };
        if self.tends {
            self.write_tally();
        }
        let [timers, deliveries] = due.map(|at| at.is_some_and(|at| at <= now));
        if timers {
            let rows = self.holder.leased("due timers", MOST, timer::lease_across);
            side_by_side(&rows, |row| self.run_timer(row));
        }
        if deliveries {
            let rows = self.lease_deliveries();
            let take_all = |chain: &Vec<Delivery>| chain.iter().for_each(|row| self.take_delivery(row));
            in_parallel(&in_chains(rows), DELIVERY_HANDS, take_all);
        }
        true
    }

    /// Leases deliveries whose turn has come.
    fn lease_deliveries(&self) -> Vec<Delivery> {
        let mut in_vain_at = self.in_vain_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = tick();
        if in_vain_at.is_some_and(|at| now.saturating_duration_since(at) < IN_VAIN) {
            return Vec::new();
        }
        let rows = self.holder.leased("due deliveries", DELIVERIES, inbox::lease_across);
        *in_vain_at = rows.is_empty().then_some(now);
        rows
    }

    /// Writes the counts of gate requests. Counts that cannot be written now are lost, and nothing else suffers.
    fn write_tally(&self) {
        for (tenant, rows) in self.holder.state.tally().take() {
            let written = self.holder.state.executor().wait(
                Lane::Worker,
                &tenant,
                Actor::system(),
                Mode::Write,
                move |cx: &mut acts::Context<'_, '_>| Ok(gate_use::add(cx.tx, &rows)?),
            );
            log_fault(written, "counting questions to the gate");
        }
    }

    fn run_timer(&self, row: &Timer) {
        let (row_in, holder) = (row.clone(), self.holder.name.clone());
        let act = move |cx: &mut acts::Context<'_, '_>| {
            if !timer::holds(cx.tx, &row_in.id, &holder)? {
                return Ok(Done::Lost);
            }
            acts::effects::run_timer::run_timer(cx, &row_in.subject_table, &row_in.subject_id)?;
            // The work may have set the timer anew, which ends the lease as well: either way it is done.
            timer::finish(cx.tx, &row_in.id, &holder)?;
            Ok(Done::Finished)
        };
        let name = || format!("timer {}", row.subject_table);
        // A timer's cause is the time alone, so a timer begins a trace.
        let done = self
            .holder
            .state
            .in_span((name, None), |_| self.holder.act(&row.tenant, act));
        if let Err(error) = done {
            let failed = Failed {
                tenant: &row.tenant,
                id: &row.id,
                tries: row.tries,
            };
            // A retry does no harm, and without one the timer's record would never move on.
            self.holder.again(failed, &error, (timer::fail, None));
        }
    }

    fn take_delivery(&self, row: &Delivery) {
        let (connection, id) = (row.connection.clone(), row.id.clone());
        let found = self.holder.look(&row.tenant, move |cx| {
            let kind = connections::connection(cx, &connection)?.kind;
            let found = inbox::load(cx.tx, &id)?;
            Ok(found.map(|found| (kind, row_mac::is_own_delivery(cx, &found), found)))
        });
        let (kind, found) = match found {
            Ok(Some((kind, true, found))) => (kind, found),
            Ok(Some((_, false, _))) => return self.set_aside(row, NOT_OWN.to_owned()),
            Ok(None) => return,
            Err(error) => return self.give_back(row, &error),
        };
        let mut signals = match door::read_whole(&kind, &found.event, &found.body, found.received_at) {
            Ok(signals) => signals,
            Err(aside) => return self.set_aside(row, aside.reason),
        };
        let place = (row.tenant.as_str(), row.connection.as_str());
        if kind == acts::notify::mail_address::KIND
            && let Err(error) = letter_files::keep(&self.holder.state, place, &found.body, &mut signals)
        {
            return self.give_back(row, &error);
        }
        drop(found);
        let (id, connection, holder) = (row.id.clone(), row.connection.clone(), self.holder.name.clone());
        let act = move |cx: &mut acts::Context<'_, '_>| {
            if !inbox::is_in_turn(cx.tx, &id, &holder, cx.now)? {
                // An earlier delivery about the same subject failed or is still in work; this one is leased again after it.
                inbox::release(cx.tx, &id, &holder)?;
                return Ok(Done::Lost);
            }
            acts::integration::take_delivery::take_delivery(cx, &id, &holder, &connection, &signals)?;
            Ok(Done::Finished)
        };
        let name = || format!("delivery {kind}");
        let named = (name, row.trace.as_deref());
        let done = self.holder.state.in_span(named, |_| self.holder.act(&row.tenant, act));
        if let Err(error) = done {
            self.give_back(row, &error);
        }
    }

    fn give_back(&self, row: &Delivery, error: &acts::Error) {
        let failed = Failed {
            tenant: &row.tenant,
            id: &row.id,
            tries: row.tries,
        };
        self.holder.again(failed, error, (inbox::fail, Some(inbox::park)));
    }

    /// Sets aside a delivery that cannot be read, or that no server received. A retry would not help, so the delivery is kept
    /// with the reason and shown to an administrator.
    fn set_aside(&self, row: &Delivery, reason: String) {
        let (id, holder) = (row.id.clone(), self.holder.name.clone());
        log_fault(
            self.holder
                .act(&row.tenant, move |cx| Ok(inbox::park(cx.tx, &id, &holder, &reason)?)),
            "setting a delivery aside",
        );
    }

    /// Looks periodically for deployments and changes without a match, and sends notices of them.
    fn match_deployments(&self, matched_at: &mut Option<Timestamp>) {
        let now = self.holder.now();
        if !self.tends || matched_at.is_some_and(|at| at + MATCH > now && at <= now) {
            return;
        }
        *matched_at = Some(now);
        let find = |tx: &mut store::CrossTx<'_>| Ok(store::servers::tenants(tx)?);
        let tenants = self.holder.across("whose deployments are matched", Mode::Read, find);
        for tenant in tenants.unwrap_or_default() {
            // A look that finds nothing new must not hold the writer.
            let look = self.holder.look(&tenant, coverage::alarming);
            let found = log_fault(look, "matching deployments").unwrap_or_default();
            if !found.is_empty() {
                let tell = move |cx: &mut acts::Context<'_, '_>| coverage::raise_alarm(cx, &found);
                log_fault(self.holder.act(&tenant, tell), "telling of unmatched deployments");
            }
            self.make_up_calls(&tenant);
        }
    }

    /// Queues missing calls, for example of connections from before such calls existed.
    fn make_up_calls(&self, tenant: &str) {
        let looked = self.holder.look(tenant, find_lost_calls::find_lost_calls);
        for connection in log_fault(looked, "looking for lost calls").unwrap_or_default() {
            let id = connection.id.0.clone();
            tracing::info!(tenant, id, "nothing was asked of this connection; it is from now on");
            let make_up = move |cx: &mut acts::Context<'_, '_>| find_lost_calls::make_up(cx, &connection);
            log_fault(self.holder.act(tenant, make_up), "making up for a lost call");
        }
        let looked = self.holder.look(tenant, read_foreign::find_unasked);
        for system in log_fault(looked, "looking for systems that nobody reads").unwrap_or_default() {
            let ask = move |cx: &mut acts::Context<'_, '_>| read_foreign::requeue_reading(cx, &system);
            log_fault(self.holder.act(tenant, ask), "having a system read anew");
        }
    }

    /// Records that this server is up, and removes expired rows.
    fn tend(&self, tended_at: &mut Option<Instant>, began_at: Timestamp) {
        let now = tick();
        let is_due = tended_at.is_none_or(|at| now.saturating_duration_since(at) >= TEND);
        if !self.tends || !is_due {
            return;
        }
        *tended_at = Some(now);
        let (business, true_time) = (self.holder.now(), self.holder.state.executor().tools().recorder.now());
        let server = store::servers::Server {
            id: self.holder.name.clone(),
            started_at: began_at,
            beat_at: true_time,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        // A transaction of its own: a failing sweep is no sign that this server is down.
        let beat = move |tx: &mut store::CrossTx<'_>| Ok(store::servers::beat(tx, &server)?);
        self.holder.across("telling that the server is up", Mode::Write, beat);
        self.sweep(business, true_time);
        self.scan();
        self.look_at_queues();
    }

    /// Removes expired rows. A failure with one kind of row delays no other kind.
    fn sweep(&self, business: Timestamp, true_time: Timestamp) {
        let silent_since = true_time - SignedDuration::from_hours(SERVER_HOURS);
        let forget = move |tx: &mut store::CrossTx<'_>| Ok(store::servers::prune(tx, silent_since)?);
        self.holder.across("forgetting silent servers", Mode::Write, forget);
        let delivered = business - SignedDuration::from_hours(24 * model::integration::webhook::KEPT_DAYS);
        let answered = true_time - SignedDuration::from_hours(KEPT_HOURS);
        let left = business - SignedDuration::from_hours(24 * keep_draft::KEPT_DAYS);
        let parts: [(&'static str, Prune, Timestamp); 6] = [
            ("sweeping sessions", session::prune, business),
            ("sweeping ceremonies", second_factor::prune, business),
            ("sweeping workloads", workload::prune, business),
            ("sweeping deliveries", store::integration::webhook::prune, delivered),
            ("sweeping answers", store::idempotency::prune, answered),
            ("sweeping drafts", store::change::form_draft::prune, left),
        ];
        for (reason, prune, before) in parts {
            self.sweep_one(reason, prune, before);
        }
    }

    /// Removes the expired rows of one kind, piece by piece.
    fn sweep_one(&self, reason: &'static str, prune: Prune, before: Timestamp) {
        for _ in 0..SWEEPS {
            let piece = move |tx: &mut store::CrossTx<'_>| Ok(prune(tx, before, SWEPT)?);
            let removed = self.holder.across(reason, Mode::Write, piece);
            if removed.is_none_or(|removed| removed < SWEPT.unsigned_abs()) {
                return;
            }
        }
    }

    /// Reports the lengths of the queues.
    fn look_at_queues(&self) {
        let look = |tx: &mut store::CrossTx<'_>| {
            let depths = [job::depth(tx)?, timer::depth(tx)?, inbox::depth(tx)?];
            Ok((depths, timer::failing(tx)?))
        };
        let Some((depths, failing)) = self.holder.across("depths of queues", Mode::Read, look) else {
            return;
        };
        self.holder.state.metrics().note_depths(depths, failing);
    }
}

impl Worker {
    /// Looks once in a while, first right after the start, for evidence files that nothing names.
    fn sweep_evidence(&self, swept_at: &mut Option<Instant>) {
        let now = tick();
        let is_due = swept_at.is_none_or(|at| now.saturating_duration_since(at) >= SWEEP);
        if !self.tends || !is_due {
            return;
        }
        let names = |tx: &mut store::CrossTx<'_>| Ok(store::servers::tenants(tx)?);
        if let Some(tenants) = self.holder.across("whose evidence is swept", Mode::Read, names) {
            *swept_at = Some(now);
            crate::background::sweep::sweep_evidence(&self.holder.state, &tenants);
        }
    }

    /// Does periodic work that days make due, first right after the start: erases data that the tenants' retention no longer
    /// keeps, and sends notices of expiring tokens.
    fn count_days(&self, counted_at: &mut Option<Timestamp>) {
        let now = self.holder.now();
        let is_due = counted_at.is_none_or(|at| now.duration_since(at).abs() >= BY_DAYS);
        if !self.tends || !is_due {
            return;
        }
        let names = |tx: &mut store::CrossTx<'_>| Ok(store::servers::tenants(tx)?);
        let Some(tenants) = self.holder.across("whose days are counted", Mode::Read, names) else {
            return;
        };
        *counted_at = Some(now);
        for tenant in tenants {
            self.tell_ends_of(&tenant);
            self.erase_of(&tenant);
        }
    }

    fn tell_ends_of(&self, tenant: &str) {
        let ending = self.holder.look(tenant, warn_token_expiry::find_ending);
        for id in log_fault(ending, "looking for tokens that end").unwrap_or_default() {
            let telling = self
                .holder
                .act(tenant, move |cx| warn_token_expiry::notify_end(cx, &id));
            log_fault(telling, "telling that a token ends");
        }
    }

    /// Erases a part of a tenant's expired data; the rest waits for the next round, so that other work is not delayed. A change
    /// that cannot be erased delays no other.
    fn erase_of(&self, tenant: &str) {
        let after = mark_of(&self.erase_marks, tenant);
        let look = move |cx: &mut acts::Context<'_, '_>| set_retention::changes_due_after(cx, after.as_deref());
        let due = self.holder.look(tenant, look);
        let due = log_fault(due, "looking what the retention no longer keeps").unwrap_or_default();
        set_mark(&self.erase_marks, tenant.to_owned(), due.next);
        for id in due.changes {
            let erased = self.holder.act(tenant, move |cx| set_retention::erase_due(cx, &id));
            log_fault(erased, "erasing texts that the retention no longer keeps");
        }
        for _ in 0..PIECES {
            let forgotten = self.holder.act(tenant, set_retention::forget_due);
            if log_fault(forgotten, "forgetting deliveries that the retention no longer keeps") != Some(true) {
                return;
            }
        }
    }

    /// Looks for lost timers, a few changes of each tenant a round, so that the whole store is passed slowly.
    fn scan(&self) {
        let names = |tx: &mut store::CrossTx<'_>| Ok(store::servers::tenants(tx)?);
        let tenants = self.holder.across("whose timers may be lost", Mode::Read, names);
        for tenant in tenants.unwrap_or_default() {
            self.scan_late(&tenant);
            let after = mark_of(&self.marks, &tenant);
            let look = move |cx: &mut acts::Context<'_, '_>| {
                find_lost_timers::find_lost_timers(cx, after.as_deref().unwrap_or_default())
            };
            let looked = self.holder.look(&tenant, look);
            let lost = log_fault(looked, "looking for lost timers").unwrap_or_default();
            for (table, id) in lost.subjects {
                let is_usual = [
                    audit_workload_trust::TABLE,
                    expand_spans::FREEZES,
                    expand_spans::WINDOWS,
                    keep_conflicts::PAIR,
                    keep_conflicts::LATE,
                ]
                .contains(&table);
                if is_usual {
                    // A missing timer of these tables is usual: nothing was promised for it yet.
                    tracing::info!(tenant, table, id, "a timer is set that was not there");
                } else {
                    tracing::warn!(tenant, table, id, "a timer was lost; it is made up for now");
                }
                let run = self
                    .holder
                    .act(&tenant, move |cx| acts::effects::run_timer::run_timer(cx, table, &id));
                log_fault(run, "making up for a lost timer");
            }
            set_mark(&self.marks, tenant, lost.mark);
        }
    }

    /// Looks for timers that are set later than they are due, at fewer changes a round: each change is evaluated for it.
    fn scan_late(&self, tenant: &str) {
        let after = mark_of(&self.late_marks, tenant);
        let look = move |cx: &mut acts::Context<'_, '_>| {
            find_lost_timers::find_late_timers(cx, after.as_deref().unwrap_or_default())
        };
        let looked = self.holder.look(tenant, look);
        let late = log_fault(looked, "looking for late timers").unwrap_or_default();
        for (table, id) in late.subjects {
            tracing::warn!(tenant, table, id, "a timer stood too late; it is set again");
            let run = self
                .holder
                .act(tenant, move |cx| acts::effects::run_timer::run_timer(cx, table, &id));
            log_fault(run, "setting a late timer again");
        }
        set_mark(&self.late_marks, tenant.to_owned(), late.mark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(id: &str, connection: &str, subject: &str) -> Delivery {
        Delivery {
            tenant: "acme".to_owned(),
            id: id.to_owned(),
            connection: connection.to_owned(),
            delivery_id: id.to_owned(),
            body_digest: String::new(),
            event: String::new(),
            subject: subject.to_owned(),
            received_at: Timestamp::UNIX_EPOCH,
            body: Vec::new(),
            tries: 1,
            state: "waiting".to_owned(),
            reason: None,
            result: None,
            mac: None,
            trace: None,
        }
    }

    fn ids(rows: Vec<Delivery>) -> Vec<Vec<String>> {
        let of = |chain: Vec<Delivery>| chain.into_iter().map(|row| row.id).collect();
        in_chains(rows).into_iter().map(of).collect()
    }

    #[test]
    fn deliveries_about_one_subject_form_one_chain_and_others_stand_alone() {
        let rows = vec![
            delivery("1", "k", "a"),
            delivery("2", "k", ""),
            delivery("3", "k", "b"),
            delivery("4", "k", "a"),
            delivery("5", "other", "a"),
            delivery("6", "k", ""),
        ];
        let chains: [&[&str]; 5] = [&["1", "4"], &["2"], &["3"], &["5"], &["6"]];
        assert_eq!(ids(rows), chains);
    }

    #[test]
    fn one_about_several_subjects_makes_one_chain_of_its_connection() {
        let rows = vec![
            delivery("1", "k", "a"),
            delivery("2", "k", inbox::SEVERAL),
            delivery("3", "k", "b"),
            delivery("4", "other", "a"),
        ];
        let chains: [&[&str]; 2] = [&["1", "2", "3"], &["4"]];
        assert_eq!(ids(rows), chains);
    }
}
