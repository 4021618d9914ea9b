//! The trail of the log that was read last for a report. A long log takes half a minute to read, and whoever looks into a report
//! opens it and its rows several times; meanwhile only new events are read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::compliance::change_trail::ChangeTrail;
use model::compliance::control_report::LogPosition;

/// How long a trail that nobody looks at is kept.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(15);

/// A trail of a tenant's log.
#[derive(Debug)]
pub(crate) struct KeptTrail {
    /// The tenant.
    pub tenant: String,
    /// The begin of the span that it serves; `None` for all.
    pub since: Option<Timestamp>,
    /// Up to where it was read.
    pub position: LogPosition,
    /// When it was looked at.
    pub at: Timestamp,
    /// The trail.
    pub trail: ChangeTrail,
}

/// From how many events on a log is long: a shorter one is read in a second or two.
const LONG: u64 = 50_000;

/// Memory for one trail: it may hold a year of changes. One act at a time reads a long log.
#[derive(Debug)]
pub(crate) struct Trails {
    slot: Mutex<Slot>,
    freed: Condvar,
    long: AtomicU64,
}

impl Default for Trails {
    fn default() -> Self {
        Self {
            slot: Mutex::default(),
            freed: Condvar::new(),
            long: AtomicU64::new(LONG),
        }
    }
}

#[derive(Debug, Default)]
struct Slot {
    is_taken: bool,
    kept: Option<Box<KeptTrail>>,
}

impl Trails {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        // A panic leaves the slot whole.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a log of so many events is long.
    pub(crate) fn is_long(&self, events: u64) -> bool {
        events >= self.long.load(Ordering::Relaxed)
    }

    /// Sets from how many events on a log is long.
    pub(crate) fn call_long(&self, events: u64) {
        self.long.store(events, Ordering::Relaxed);
    }

    /// The turn to read a long log; `None` if another act keeps it for longer than this.
    pub(crate) fn begin(&self, patience: Duration) -> Option<Turn<'_>> {
        let free = self
            .freed
            .wait_timeout_while(self.slot(), patience, |slot| slot.is_taken);
        let (mut slot, _) = free.unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut slot.is_taken, true) {
            return None;
        }
        Some(Turn(self))
    }

    /// Since when the kept trail serves spans, and up to which size it was read.
    pub(crate) fn kept(&self) -> Option<(Option<Timestamp>, u64)> {
        self.slot().kept.as_ref().map(|it| (it.since, it.position.size))
    }

    /// Drops a trail that nobody looked at for a while.
    pub(crate) fn drop_old(&self, now: Timestamp) {
        // A clock that was set back makes it old as well.
        let is_old = |it: &mut Box<KeptTrail>| !(SignedDuration::ZERO..=KEPT_FOR).contains(&now.duration_since(it.at));
        let dropped = self.slot().kept.take_if(is_old);
        drop(dropped);
    }
}

/// The turn to read a long log; it ends with this value.
#[derive(Debug)]
pub(crate) struct Turn<'t>(&'t Trails);

impl Turn<'_> {
    /// The kept trail, if it is of this tenant, serves a span from `since` on and was read no further than to this size. Otherwise
    /// it is dropped: the one that is read instead needs the memory.
    pub(crate) fn take(&mut self, tenant: &str, since: Option<Timestamp>, size: u64) -> Option<KeptTrail> {
        let kept = self.0.slot().kept.take()?;
        let serves = kept.tenant == tenant && kept.since <= since && kept.position.size <= size;
        serves.then_some(*kept)
    }

    /// Keeps a trail for the next look, unless nothing tells whose history it is.
    pub(crate) fn keep(&mut self, trail: KeptTrail) {
        if trail.position.root.is_empty() {
            return;
        }
        self.0.slot().kept = Some(Box::new(trail));
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.slot().is_taken = false;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(since: Option<i64>, size: u64) -> KeptTrail {
        KeptTrail {
            tenant: "acme".to_owned(),
            since: since.map(at),
            position: LogPosition {
                size,
                root: "sha256:00".to_owned(),
            },
            at: at(0),
            trail: ChangeTrail::default(),
        }
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).unwrap_or_default()
    }

    #[test]
    fn a_trail_serves_its_tenant_later_spans_and_a_longer_log() {
        let serves = |since, tenant: &str, wanted: Option<i64>, size| {
            let trails = Trails::default();
            let mut turn = trails.begin(Duration::ZERO).expect("nobody else has the turn");
            turn.keep(kept(since, 7));
            turn.take(tenant, wanted.map(at), size).is_some()
        };
        assert!(serves(Some(5), "acme", Some(5), 7) && serves(Some(5), "acme", Some(6), 9));
        assert!(serves(None, "acme", Some(5), 7) && serves(None, "acme", None, 7));
        assert!(!serves(Some(5), "other", Some(5), 7));
        assert!(!serves(Some(5), "acme", Some(4), 7), "an earlier span needs more");
        assert!(!serves(Some(5), "acme", None, 7));
        assert!(
            !serves(Some(5), "acme", Some(5), 6),
            "what was read cannot be taken back"
        );
    }

    #[test]
    fn one_act_has_the_turn_and_an_old_trail_goes() {
        let trails = Trails::default();
        let mut turn = trails.begin(Duration::ZERO).expect("nobody else has the turn");
        assert!(trails.begin(Duration::ZERO).is_none());
        turn.keep(kept(None, 7));
        drop(turn);
        trails.drop_old(at(15));
        assert!(trails.slot().kept.is_some());
        trails.drop_old(at(16));
        assert!(trails.slot().kept.is_none());
        assert!(trails.begin(Duration::ZERO).is_some(), "a turn ends with its value");
    }
}
