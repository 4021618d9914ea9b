//! Shared code of the threads that process queued rows: leases, acts as the system, retries.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use store::{Lane, Lease, Mode};

use crate::background::sequencer::{REST, hold_back, log_fault, pause, times};
use crate::http::clock::tick;
use crate::http::state::AppState;

/// How often a thread looks by itself: the clock makes rows due, other servers write some.
const LOOK: Duration = Duration::from_millis(250);
/// The shortest time between two rounds.
const BREATH: Duration = Duration::from_millis(10);
/// How long a lease lasts under which nobody outside is waited for.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// After so many tries a row is set aside for a person, if it can be.
const TRIES: i64 = 5;
/// The pause before another try doubles so often, up to eight and a half minutes.
const DOUBLINGS: i64 = 9;
/// How many rows of one lease are worked at a time: their transactions share a commit, or wait for the disk together.
pub(crate) const HANDS: usize = 4;

/// A lease holder: one thread of one server, under a unique name.
pub(crate) struct Holder {
    /// The server's state.
    pub state: AppState,
    /// The name.
    pub name: String,
    /// The length of a lease: longer than the work under it.
    pub lease: SignedDuration,
}

impl Holder {
    pub(crate) fn now(&self) -> Timestamp {
        self.state.executor().tools().clock.now()
    }

    /// Takes due rows, at most so many; none when the store is away.
    pub(crate) fn leased<T: Send + 'static>(
        &self,
        reason: &'static str,
        most: i64,
        lease: fn(&mut store::CrossTx<'_>, &Lease<'_>) -> store::Result<Vec<T>>,
    ) -> Vec<T> {
        let (now, lasting, holder) = (self.now(), self.lease, self.name.clone());
        let take = move |tx: &mut store::CrossTx<'_>| {
            let by = Lease {
                now,
                until: now + lasting,
                holder: &holder,
                most,
            };
            Ok(lease(tx, &by)?)
        };
        self.across(reason, Mode::Write, take).unwrap_or_default()
    }

    /// Does something across tenants; `None`, and a line in the server's log, when the store is away.
    pub(crate) fn across<T: Send + 'static>(
        &self,
        reason: &'static str,
        mode: Mode,
        act: impl Fn(&mut store::CrossTx<'_>) -> acts::Result<T> + Send + 'static,
    ) -> Option<T> {
        let executor = self.state.executor();
        log_fault(executor.wait_across(Lane::Worker, reason, mode, act), reason)
    }

    /// Reads in a tenant as the system.
    pub(crate) fn look<T: Send + 'static>(
        &self,
        tenant: &str,
        look: impl Fn(&mut acts::Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    ) -> acts::Result<T> {
        let executor = self.state.executor();
        executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, look)
    }

    /// Does an act in a tenant as the system, and notifies the tenant's listeners.
    pub(crate) fn act<T: Send + 'static>(
        &self,
        tenant: &str,
        act: impl Fn(&mut acts::Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    ) -> acts::Result<T> {
        let executor = self.state.executor();
        let done = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, act);
        if done.is_ok() {
            self.state.bells().ring(tenant);
        }
        done
    }

    /// Gives a row back for a retry, or sets it aside after too many tries. A kind of row that cannot be set aside is retried
    /// without end.
    pub(crate) fn again(&self, row: Failed<'_>, error: &acts::Error, (fail, park): (Fail, Option<Park>)) {
        let Failed { tenant, id, tries } = row;
        if let Some(times) = times(&format!("{tenant} {id} {error}")) {
            tracing::error!(%error, tenant, id, tries, times, "a row could not be worked");
        }
        let passing = matches!(error, acts::Error::Store(fault) if fault.is_passing());
        let (id, holder, why) = (id.to_owned(), self.name.clone(), error.to_string());
        let seconds = 1_i64 << tries.clamp(0, DOUBLINGS);
        let noted = self.act(tenant, move |cx| {
            if let Some(park) = park.filter(|_| tries >= TRIES && !passing) {
                return Ok(park(cx.tx, &id, &holder, &why)?);
            }
            let retry_at = cx.now + SignedDuration::from_secs(seconds);
            Ok(fail(cx.tx, &id, &holder, retry_at, &why)?)
        });
        log_fault(noted, "giving a row back");
    }
}

/// A row that could not be worked.
pub(crate) struct Failed<'a> {
    /// The tenant of the row.
    pub tenant: &'a str,
    /// Its id.
    pub id: &'a str,
    /// How often it was taken by now.
    pub tries: i64,
}

/// Gives a row back: id, holder, when, why.
type Fail = fn(&mut store::Tx<'_>, &str, &str, Timestamp, &str) -> store::Result<bool>;
/// Sets a row aside: id, holder, why.
type Park = fn(&mut store::Tx<'_>, &str, &str, &str) -> store::Result<bool>;

/// Runs rounds until the notifier dismisses the thread; `round` returns whether the store was available.
pub(crate) fn go_round(bell: &Receiver<()>, mut round: impl FnMut() -> bool) {
    let mut longest = LOOK;
    let mut last = tick();
    while pause(bell, longest) {
        hold_back(last + BREATH);
        last = tick();
        longest = if round() { LOOK } else { REST };
    }
}

/// Works rows, [`HANDS`] at a time, and comes back when all are done.
pub(crate) fn side_by_side<T: Sync>(rows: &[T], work: impl Fn(&T) + Sync) {
    in_parallel(rows, HANDS, work);
}

/// Processes rows with at most `hands` threads, and returns when all are done. A free thread takes the next row, so a slow row
/// delays no other.
pub(crate) fn in_parallel<T: Sync>(rows: &[T], hands: usize, work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let share = || {
        while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(row);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..hands.min(rows.len()) {
            scope.spawn(share);
        }
        // The calling thread works as well: most often a single row is due, and no other thread is needed.
        share();
    });
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError, mpsc};

    use super::*;

    /// The first row ends only after all others have: the test would hang if one of them waited behind it.
    #[test]
    fn a_slow_row_holds_up_no_other() {
        let rows: Vec<usize> = (0..9).collect();
        let (done, seen) = mpsc::channel();
        let seen = Mutex::new(seen);
        in_parallel(&rows, 2, |row| {
            if *row > 0 {
                assert!(done.send(*row).is_ok());
                return;
            }
            let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let others: Vec<usize> = seen.iter().take(rows.len() - 1).collect();
            assert_eq!(others, rows[1..]);
        });
    }
}
