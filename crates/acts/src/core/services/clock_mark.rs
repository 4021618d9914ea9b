//! The latest time that a server has seen: a clock that is set back must not revive expired credentials.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// How far the time moves before the mark is stored anew outside of the process, in microseconds.
const STEP: i64 = 10_000_000;

/// The smallest step back that counts, in microseconds.
const SLACK: i64 = 1_000_000;

/// A mark that only rises.
#[derive(Debug, Default)]
pub(crate) struct ClockMark {
    highest: AtomicI64,
    told: AtomicI64,
}

impl ClockMark {
    /// A mark at a remembered time.
    pub(crate) fn at(remembered: Option<Timestamp>) -> Self {
        let micros = remembered.map_or(i64::MIN, Timestamp::as_microsecond);
        Self {
            highest: AtomicI64::new(micros),
            told: AtomicI64::new(micros),
        }
    }

    /// Notes the present time. Returns how far the clock was set back behind the mark, and whether the mark must be
    /// stored anew.
    pub(crate) fn note(&self, now: Timestamp) -> (SignedDuration, bool) {
        let micros = now.as_microsecond();
        let before = self.highest.fetch_max(micros, Ordering::Relaxed);
        let told = self.told.load(Ordering::Relaxed);
        let is_step = micros.saturating_sub(told) >= STEP || told == i64::MIN;
        if is_step && micros > told {
            self.told.store(micros, Ordering::Relaxed);
        }
        let behind = before.max(micros).saturating_sub(micros);
        // Threads read the clock at slightly different moments; this is no step back.
        let behind = if behind < SLACK { 0 } else { behind };
        (SignedDuration::from_micros(behind), is_step && micros > told)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn the_mark_only_rises() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let mark = ClockMark::at(None);
        assert_eq!(mark.note(at(100)), (SignedDuration::ZERO, true));
        assert_eq!(mark.note(at(105)), (SignedDuration::ZERO, false));
        assert_eq!(mark.note(at(60)), (SignedDuration::from_secs(45), false));
        assert_eq!(mark.note(at(110)), (SignedDuration::ZERO, true));
        let remembered = ClockMark::at(Some(at(500)));
        assert_eq!(
            remembered.note(at(100)).0,
            SignedDuration::from_secs(400),
            "also after a restart"
        );
    }
}
