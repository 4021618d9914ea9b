//! Recent events, so that the same event is recorded at most once a minute.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the same thing is only counted after it was noted.
const QUIET: Duration = Duration::from_secs(60);

/// How many things are remembered; past it the quiet ones are forgotten, and then all.
const MOST: usize = 20_000;

/// Recent events, each with the number of its repetitions since.
#[derive(Default)]
pub(crate) struct Noted(Mutex<HashMap<String, (Instant, u32)>>);

impl Noted {
    fn map(&self) -> MutexGuard<'_, HashMap<String, (Instant, u32)>> {
        // Times and counts are whole after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an event. If it has to be recorded now, returns how often it happened since the last record.
    pub(crate) fn count(&self, name: &str, now: Instant) -> Option<u32> {
        let mut map = self.map();
        if let Some((since, times)) = map.get_mut(name) {
            *times = times.saturating_add(1);
            if now.saturating_duration_since(*since) < QUIET {
                return None;
            }
            let counted = *times;
            (*since, *times) = (now, 0);
            return Some(counted);
        }
        if map.len() >= MOST {
            map.retain(|_, (since, _)| now.saturating_duration_since(*since) < QUIET);
            if map.len() >= MOST {
                map.clear();
            }
        }
        map.insert(name.to_owned(), (now, 0));
        Some(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::clock;

    #[test]
    fn the_same_thing_is_noted_once_a_minute_with_its_count() {
        let noted = Noted::default();
        let now = clock::tick();
        assert_eq!(noted.count("a", now), Some(1));
        for _ in 0..3 {
            assert_eq!(noted.count("a", now), None);
        }
        assert_eq!(noted.count("b", now), Some(1));
        assert_eq!(noted.count("a", now + QUIET), Some(4));
        assert_eq!(noted.count("a", now + QUIET), None);
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let noted = Noted::default();
        let now = clock::tick();
        for number in 0..=MOST {
            noted.count(&number.to_string(), now);
        }
        assert!(noted.map().len() <= MOST);
    }
}
