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

    /// Lets a try begin, or says how many seconds it must still wait. A try that begins counts under its account as one that
    /// failed, until it is known to be right or not to have been one: so a thousand at once are not a thousand free ones.
    pub(crate) fn enter(&self, names: &[String], now: Instant) -> Result<(), u64> {
        let wait = self.wait(names, now);
        if wait > 0 {
            return Err(wait);
        }
        let mut map = self.map();
        let Some(account) = names.first() else { return Ok(()) };
        // Between the look above and this one others may have begun.
        if let Some(known) = map.get(account) {
            let left = known.pause().saturating_sub(now.saturating_duration_since(known.last));
            if !left.is_zero() {
                return Err(left.as_secs() + 1);
            }
        }
        note(&mut map, account, now);
        Ok(())
    }

    /// Takes back that a try began: nobody came to look at it.
    pub(crate) fn left(&self, account: &str) {
        if let Some(known) = self.map().get_mut(account) {
            known.count = known.count.saturating_sub(1);
        }
    }

    /// Notes that a try which had begun was wrong: under its account it counts already.
    pub(crate) fn wrong(&self, names: &[String], now: Instant) {
        self.failed(names.get(1..).unwrap_or_default(), now);
    }

    /// Notes a failure under each name.
    pub(crate) fn failed(&self, names: &[String], now: Instant) {
        let mut map = self.map();
        for name in names {
            note(&mut map, name, now);
        }
    }

    /// Forgets an account's failures after it signed in. A source's stay: it may be trying many accounts.
    pub(crate) fn succeeded(&self, account: &str) {
        self.map().remove(account);
    }
}

/// Counts a failure, and makes room for it where there is none.
fn note(map: &mut HashMap<String, Failures>, name: &str, now: Instant) {
    if map.len() >= MOST {
        let mut times: Vec<Instant> = map.values().map(|known| known.last).collect();
        times.sort_unstable();
        let middle = times[times.len() / 2];
        map.retain(|_, known| known.last > middle);
    }
    let known = map.entry(name.to_owned()).or_insert(Failures { count: 0, last: now });
    if now.saturating_duration_since(known.last) > LONGEST {
        known.count = 0;
    }
    known.count = known.count.saturating_add(1);
    known.last = now;
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

    /// Guesses against one account from a thousand addresses, a hundred at once, for as long as they last.
    #[test]
    fn many_guesses_from_many_addresses_are_few_checks_an_hour() {
        let guesses: u64 = std::env::var("ASSENT_TEST_GUESSES").map_or(100_000, |text| text.parse().unwrap_or(100_000));
        let throttle = Throttle::default();
        let start = crate::clock::tick();
        let mut checks: HashMap<u64, u32> = HashMap::new();
        for round in 0..guesses / 100 {
            // A hundred at once, every 36 seconds: a hundred such rounds an hour.
            let now = start + Duration::from_secs(36 * round);
            let names = |number: u64| {
                let source = (round * 100 + number) % 1_000;
                [
                    "account a/ada".to_owned(),
                    format!("source 10.0.{}.{}", source / 250, source % 250),
                ]
            };
            let begun: Vec<u64> = (0..100)
                .filter(|number| throttle.enter(&names(*number), now).is_ok())
                .collect();
            *checks.entry(round / 100).or_default() += u32::try_from(begun.len()).unwrap_or(u32::MAX);
            for number in begun {
                throttle.wrong(&names(number), now);
            }
        }
        let most = checks.values().copied().max().unwrap_or_default();
        println!(
            "{guesses} guesses over {} hours, {most} checks in the worst hour",
            checks.len()
        );
        assert!((1..=100).contains(&most), "{most} checks in an hour: {checks:?}");
    }

    #[test]
    fn who_begins_and_is_right_or_not_looked_at_is_not_counted() {
        let throttle = Throttle::default();
        let now = crate::clock::tick();
        let names = ["account a/b".to_owned(), "source s".to_owned()];
        for _ in 0..50 {
            assert_eq!(throttle.enter(&names, now), Ok(()));
            throttle.left(&names[0]);
        }
        for _ in 0..50 {
            assert_eq!(throttle.enter(&names, now), Ok(()));
            throttle.succeeded(&names[0]);
        }
        for _ in 0..5 {
            assert_eq!(throttle.enter(&names, now), Ok(()));
        }
        assert!(throttle.enter(&names, now).is_err(), "five are under way");
        let other = ["account a/c".to_owned(), "source s".to_owned()];
        assert_eq!(throttle.enter(&other, now), Ok(()), "others of the same source go on");
    }
}
