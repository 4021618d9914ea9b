//! Slows down who guesses passwords, by account and by source.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After so many failures the next try has to wait.
const FREE: u32 = 5;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// How many accounts and sources are remembered; with more the stalest half is forgotten.
const MOST: usize = 20_000;

/// What is remembered of failures. Nothing of it outlives the process.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<String, Failures>>);

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    /// How long the next try must wait: doubling from one second.
    fn pause(self) -> Duration {
        let Some(over) = self.count.checked_sub(FREE) else {
            return Duration::ZERO;
        };
        Duration::from_secs(1 << over.min(20)).min(LONGEST)
    }
}

impl Throttle {
    fn map(&self) -> MutexGuard<'_, HashMap<String, Failures>> {
        // Counts are whole after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many seconds a try by these names must still wait; 0 when it may go on.
    pub(crate) fn wait(&self, names: &[String], now: Instant) -> u64 {
        let map = self.map();
        names
            .iter()
            .filter_map(|name| map.get(name))
            .map(|known| known.pause().saturating_sub(now.saturating_duration_since(known.last)))
            .map(|left| if left.is_zero() { 0 } else { left.as_secs() + 1 })
            .max()
            .unwrap_or(0)
    }

    /// Notes a failure under each name.
    pub(crate) fn failed(&self, names: &[String], now: Instant) {
        let mut map = self.map();
        if map.len() >= MOST {
            let mut times: Vec<Instant> = map.values().map(|known| known.last).collect();
            times.sort_unstable();
            let middle = times[times.len() / 2];
            map.retain(|_, known| known.last > middle);
        }
        for name in names {
            let known = map.entry(name.clone()).or_insert(Failures { count: 0, last: now });
            if now.saturating_duration_since(known.last) > LONGEST {
                known.count = 0;
            }
            known.count = known.count.saturating_add(1);
            known.last = now;
        }
    }

    /// Forgets an account's failures after it signed in. A source's stay: it may be trying many accounts.
    pub(crate) fn succeeded(&self, account: &str) {
        self.map().remove(account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_failures_each_try_waits_longer() {
        let throttle = Throttle::default();
        let now = crate::clock::tick();
        let names = ["account a/b".to_owned()];
        for _ in 0..4 {
            throttle.failed(&names, now);
        }
        assert_eq!(throttle.wait(&names, now), 0);
        throttle.failed(&names, now);
        let first = throttle.wait(&names, now);
        assert!(first >= 1);
        throttle.failed(&names, now);
        throttle.failed(&names, now);
        assert!(throttle.wait(&names, now) > first);
        assert_eq!(throttle.wait(&names, now + LONGEST), 0);
        throttle.succeeded(&names[0]);
        assert_eq!(throttle.wait(&names, now), 0);
    }
}
