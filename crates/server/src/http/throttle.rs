//! Slows down password guessing: by account at a source or on a known device, by account everywhere, and by source. Guessing at
//! one place does not lock the right person out at another, nor on a device that they signed in on before.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After so many failures under an account at one source, or on one device, the next try there has to wait.
const FREE: u32 = 5;
/// The same of an account over all unknown sources: a single guesser is slowed long before by their own source.
const FREE_EVERYWHERE: u32 = 50;
/// The same of a source, which may be a whole company's: one guessing guest must not lock the others out.
const FREE_OF_SOURCE: u32 = 100;
/// The longest wait, and how long failures are remembered.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The longest wait of a source: it is slowed and never locked. The limits by account protect the accounts that it guesses at.
const LONGEST_OF_SOURCE: Duration = Duration::from_secs(60);
/// How the names of sources begin.
const SOURCE: &str = "source ";
/// How the names of accounts over all sources begin.
const EVERYWHERE: &str = "everywhere ";
/// How many accounts and sources are remembered; with more, half of them are forgotten.
const MOST: usize = 20_000;

/// Remembered failures, lost when the process ends. Names are text that strangers send, so only their digests are kept.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<Key, Failures>>);

/// The digest of a name.
type Key = [u8; 32];

fn key(name: &str) -> Key {
    proof::crypto::sha256(name.as_bytes())
}

/// The names under which a sign-in attempt counts; `device` is one on which the account signed in before.
pub(crate) fn account_names(account: &str, source: &str, device: Option<&str>) -> Vec<String> {
    match device {
        Some(device) => vec![format!("device {device} {account}")],
        None => vec![
            format!("account {account} at {}", counted_source(source)),
            format!("{EVERYWHERE}{account}"),
            source_name(source),
        ],
    }
}

/// The name under which a source counts.
pub(crate) fn source_name(source: &str) -> String {
    format!("{SOURCE}{}", counted_source(source))
}

/// The counted form of a source: all addresses of an IPv6 network count as one, because they belong to one household or one
/// server.
pub(crate) fn counted_source(source: &str) -> String {
    match source.parse() {
        Ok(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).to_string(),
        _ => source.to_owned(),
    }
}

/// The network part of an IPv6 address: a customer gets at least such a network (RFC 6177).
const NETWORK: u128 = !(u64::MAX as u128);

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    /// How long the next try under a name must wait since the last one: doubling from one second.
    fn pause(self, name: &str) -> Duration {
        let (free, longest) = if name.starts_with(SOURCE) {
            (FREE_OF_SOURCE, LONGEST_OF_SOURCE)
        } else if name.starts_with(EVERYWHERE) {
            (FREE_EVERYWHERE, LONGEST)
        } else {
            (FREE, LONGEST)
        };
        let Some(over) = self.count.checked_sub(free) else {
            return Duration::ZERO;
        };
        Duration::from_secs(1 << over.min(20)).min(longest)
    }

    /// How much of that is left now.
    fn left(self, name: &str, now: Instant) -> Duration {
        self.pause(name)
            .saturating_sub(now.saturating_duration_since(self.last))
    }
}

impl Throttle {
    fn map(&self) -> MutexGuard<'_, HashMap<Key, Failures>> {
        // Counts are whole after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many seconds a try by these names must still wait; 0 when it may go on.
    pub(crate) fn wait(&self, names: &[String], now: Instant) -> u64 {
        let map = self.map();
        names
            .iter()
            .filter_map(|name| map.get(&key(name)).map(|known| known.left(name, now)))
            .map(|left| if left.is_zero() { 0 } else { left.as_secs() + 1 })
            .max()
            .unwrap_or(0)
    }

    /// Lets an attempt begin, or returns how many seconds it must still wait. From its start an attempt counts as a failure of
    /// its account, until its result is known: a thousand attempts at once are not a thousand free ones.
    pub(crate) fn enter(&self, names: &[String], now: Instant) -> Result<(), u64> {
        let wait = self.wait(names, now);
        if wait > 0 {
            return Err(wait);
        }
        let mut map = self.map();
        // Other attempts may have begun since the look above.
        for name in of_account(names) {
            let left = map
                .get(&key(name))
                .map_or(Duration::ZERO, |known| known.left(name, now));
            if !left.is_zero() {
                return Err(left.as_secs() + 1);
            }
        }
        for name in of_account(names) {
            note(&mut map, key(name), now);
        }
        Ok(())
    }

    /// Takes back that a try began: nobody came to look at it.
    pub(crate) fn left(&self, names: &[String]) {
        let mut map = self.map();
        for name in of_account(names).map(key) {
            let Some(known) = map.get_mut(&name) else { continue };
            known.count = known.count.saturating_sub(1);
            if known.count == 0 {
                map.remove(&name);
            }
        }
    }

    /// Records that a begun attempt was wrong; under its account it is counted already.
    pub(crate) fn wrong(&self, names: &[String], now: Instant) {
        let sources: Vec<String> = names.iter().filter(|name| name.starts_with(SOURCE)).cloned().collect();
        self.failed(&sources, now);
    }

    /// Notes a failure under each name.
    pub(crate) fn failed(&self, names: &[String], now: Instant) {
        let mut map = self.map();
        for name in names {
            note(&mut map, key(name), now);
        }
    }

    /// Forgets an account's failures after it signed in. A source's stay: it may be trying many accounts.
    pub(crate) fn succeeded(&self, names: &[String]) {
        let mut map = self.map();
        for name in of_account(names).map(key) {
            map.remove(&name);
        }
    }
}

/// Those of the names that are an account's, and no source's.
fn of_account(names: &[String]) -> impl Iterator<Item = &str> {
    names
        .iter()
        .map(String::as_str)
        .filter(|name| !name.starts_with(SOURCE))
}

/// Counts a failure, and makes room for it where there is none.
fn note(map: &mut HashMap<Key, Failures>, name: Key, now: Instant) {
    if map.len() >= MOST {
        make_room(map, now);
    }
    let known = map.entry(name).or_insert(Failures { count: 0, last: now });
    if now.saturating_duration_since(known.last) > LONGEST {
        known.count = 0;
    }
    known.count = known.count.saturating_add(1);
    known.last = now;
}

/// Forgets expired entries. Of the rest it forgets the half with the fewest failures, the oldest first: made-up names fail once
/// each, and must not displace an account under repeated attack.
fn make_room(map: &mut HashMap<Key, Failures>, now: Instant) {
    map.retain(|_, known| now.saturating_duration_since(known.last) <= LONGEST);
    if map.len() < MOST {
        return;
    }
    let weight = |known: &Failures| (known.count, known.last);
    let mut weights: Vec<_> = map.values().map(weight).collect();
    weights.sort_unstable();
    let middle = weights[weights.len() / 2];
    map.retain(|_, known| weight(known) > middle);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::clock;

    #[test]
    fn after_five_failures_each_try_waits_longer() {
        let throttle = Throttle::default();
        let now = clock::tick();
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
        throttle.succeeded(&names);
        assert_eq!(throttle.wait(&names, now), 0);
    }

    /// Guesses against one account from a thousand addresses, a hundred at once, for as long as they last.
    #[test]
    fn many_guesses_from_many_addresses_are_few_checks_an_hour() {
        let guesses: u64 = std::env::var("ASSENT_TEST_GUESSES").map_or(100_000, |text| text.parse().unwrap_or(100_000));
        let throttle = Throttle::default();
        let start = clock::tick();
        let mut checks: HashMap<u64, u32> = HashMap::new();
        for round in 0..guesses / 100 {
            // A hundred at once, every 36 seconds: a hundred such rounds an hour.
            let now = start + Duration::from_secs(36 * round);
            let names = |number: u64| {
                let source = (round * 100 + number) % 1_000;
                account_names("a/ada", &format!("10.0.{}.{}", source / 250, source % 250), None)
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

    /// An account under attack, and then more names than are remembered, each once.
    #[test]
    fn made_up_names_make_nobody_forgotten() {
        let throttle = Throttle::default();
        let now = clock::tick();
        let tried = ["account a/ada".to_owned()];
        for _ in 0..10 {
            throttle.failed(&tried, now);
        }
        for number in 0..3 * MOST {
            let later = now + Duration::from_micros(number as u64);
            throttle.failed(&[format!("account a/{number}{}", "x".repeat(2_000))], later);
        }
        assert!(throttle.wait(&tried, now + Duration::from_secs(1)) > 0);
        assert!(throttle.map().len() <= MOST);
    }

    /// Guesses from a shared address slow the other people there late and little, and never lock them out.
    #[test]
    fn a_stranger_at_a_shared_address_keeps_nobody_else_out() {
        let throttle = Throttle::default();
        let now = clock::tick();
        let names = |login: &str| [format!("account a/{login}"), source_name("203.0.113.5")];
        let ada = names("ada");
        for number in 1..FREE_OF_SOURCE {
            let guessed = names(&format!("nobody-{number}"));
            assert_eq!(throttle.enter(&guessed, now), Ok(()));
            throttle.wrong(&guessed, now);
            assert_eq!(throttle.wait(&ada, now), 0, "after {number} guesses");
        }
        throttle.failed(&names("nobody")[1..], now);
        assert!(throttle.wait(&ada, now) >= 1, "a source that goes on is slowed");
        for _ in 0..1_000 {
            throttle.failed(&names("nobody")[1..], now);
        }
        assert_eq!(throttle.wait(&ada, now + LONGEST_OF_SOURCE), 0, "and never shut");
        assert_eq!(throttle.wait(&ada[..1], now), 0, "a step-up counts its account alone");
    }

    /// As long as fewer places guess than a botnet has, the right person comes in from elsewhere and on a known device.
    #[test]
    fn who_guesses_at_one_place_keeps_the_right_person_out_at_no_other() {
        let throttle = Throttle::default();
        let now = clock::tick();
        for place in 1..10 {
            let guesser = account_names("a/ada", &format!("203.0.113.{place}"), None);
            for _ in 0..1_000 {
                if throttle.enter(&guesser, now).is_ok() {
                    throttle.wrong(&guesser, now);
                }
            }
            assert!(throttle.wait(&guesser, now) > 0, "the guesser waits");
            let elsewhere = account_names("a/ada", "198.51.100.7", None);
            assert_eq!(throttle.wait(&elsewhere, now), 0, "after {place} places");
            let beside = account_names("a/ada", &format!("203.0.113.{place}"), Some("d1"));
            assert_eq!(throttle.wait(&beside, now), 0, "a known device at the guesser's place");
        }
        // A guessing device is slowed like any other source.
        let device = account_names("a/ada", "203.0.113.1", Some("d2"));
        for _ in 0..FREE {
            assert_eq!(throttle.enter(&device, now), Ok(()));
        }
        assert!(throttle.enter(&device, now).is_err());
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        assert_eq!(counted_source("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(
            counted_source("2001:db8:1:2::9"),
            counted_source("2001:db8:1:2:ffff::1")
        );
        assert_eq!(counted_source("203.0.113.5"), "203.0.113.5");
        assert_eq!(counted_source("unknown"), "unknown");
    }

    #[test]
    fn who_begins_and_is_right_or_not_looked_at_is_not_counted() {
        let throttle = Throttle::default();
        let now = clock::tick();
        let names = ["account a/b".to_owned(), "source s".to_owned()];
        for _ in 0..50 {
            assert_eq!(throttle.enter(&names, now), Ok(()));
            throttle.left(&names);
        }
        for _ in 0..50 {
            assert_eq!(throttle.enter(&names, now), Ok(()));
            throttle.succeeded(&names);
        }
        for _ in 0..5 {
            assert_eq!(throttle.enter(&names, now), Ok(()));
        }
        assert!(throttle.enter(&names, now).is_err(), "five are under way");
        let other = ["account a/c".to_owned(), "source s".to_owned()];
        assert_eq!(throttle.enter(&other, now), Ok(()), "others of the same source go on");
    }
}
