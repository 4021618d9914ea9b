//! An act that lost several races runs alone once. PostgreSQL lets one of two conflicting acts win, and the same one may lose
//! again and again while others keep coming.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many tenants' turns are separate. Two that share one wait for each other sometimes, which is harmless.
const PLACES: usize = 64;

/// How long a turn is waited for. Turns only make races fairer: the database keeps acts apart, so an act that has waited this
/// long runs without a turn. It bounds the delay by a long act that runs alone.
const PATIENCE: Duration = Duration::from_millis(250);

/// The turns of one server's writing acts, by tenant. Acts of other servers know nothing of them.
pub(crate) struct Turns([Place; PLACES]);

#[derive(Default)]
struct Place {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    /// How many run, the one alone among them.
    running: usize,
    /// How many wait to run alone; newcomers let them go first.
    waiting: usize,
    alone: bool,
}

/// One act's turn, until it is dropped.
pub(crate) struct Turn<'turns> {
    place: &'turns Place,
    alone: bool,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Place::default()))
    }

    /// Waits until the act may run: beside others, or alone.
    pub(crate) fn wait(&self, tenant: &str, alone: bool) -> Turn<'_> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(tenant);
        let place = &self.0[usize::try_from(hash % PLACES as u64).unwrap_or_default()];
        if alone { place.alone() } else { place.beside() }
    }
}

impl Place {
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beside(&self) -> Turn<'_> {
        let mut now = self.wait_while(self.lock(), |now| now.alone || now.waiting > 0);
        now.running += 1;
        Turn {
            place: self,
            alone: false,
        }
    }

    fn alone(&self) -> Turn<'_> {
        let mut now = self.lock();
        now.waiting += 1;
        let mut now = self.wait_while(now, |now| now.running > 0);
        now.waiting -= 1;
        let alone = now.running == 0;
        now.running += 1;
        now.alone |= alone;
        drop(now);
        self.changed.notify_all();
        Turn { place: self, alone }
    }

    fn wait_while<'now>(&self, now: MutexGuard<'now, Now>, busy: fn(&mut Now) -> bool) -> MutexGuard<'now, Now> {
        let waited = self.changed.wait_timeout_while(now, PATIENCE, busy);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut now = self.place.lock();
        now.running -= 1;
        now.alone &= !self.alone;
        drop(now);
        self.place.changed.notify_all();
    }
}
