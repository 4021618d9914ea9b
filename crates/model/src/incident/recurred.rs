//! The recurrence of failures before and after a fix, as the number of days with a failure.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::report::statistics::{Estimate, share};

/// The number of past days whose failures count; also the length of the span before a fix.
pub const DAYS: i64 = 180;
/// The number of days after a fix before recurrence is judged.
pub const LEAST_WATCHED_DAYS: u64 = 7;

/// Days with a failure among the days of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recurrence {
    /// Days on which it began at least once.
    pub days: u64,
    /// All days of the span.
    pub of: u64,
    /// The share of days in parts per million with its 95 % interval (Wilson); `None` for a span without a day.
    pub share: Option<Estimate>,
}

/// The number of days between two instants on which one of these times lies. A partial day counts as one.
#[must_use]
pub fn recurrence(times: &[Timestamp], from: Timestamp, to: Timestamp) -> Recurrence {
    let span = to.duration_since(from).as_secs().max(0);
    let of = u64::try_from((span + DAY - 1) / DAY).unwrap_or_default();
    let date = |at: &Timestamp| at.to_zoned(TimeZone::UTC).date();
    let inside = times.iter().filter(|at| from <= **at && **at < to);
    let days = inside.map(date).collect::<BTreeSet<_>>().len();
    let days = u64::try_from(days).unwrap_or(u64::MAX).min(of);
    Recurrence {
        days,
        of,
        share: share(days, of),
    }
}

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Recurrence before and after a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// In the [`DAYS`] days before the work on the fix began.
    pub before: Recurrence,
    /// Since it ended.
    pub after: Recurrence,
}

impl Compared {
    /// Counts the failures around a fix whose work began and ended then.
    #[must_use]
    pub fn around(times: &[Timestamp], (began, ended): (Timestamp, Timestamp), now: Timestamp) -> Self {
        let span = SignedDuration::from_hours(DAYS * 24);
        let from = began.checked_sub(span).unwrap_or(Timestamp::MIN);
        Self {
            before: recurrence(times, from, began),
            after: recurrence(times, ended, now),
        }
    }

    /// Whether the failures recur as often as before, or more often: then the fix did not help.
    #[must_use]
    pub fn has_not_helped(&self) -> bool {
        let product = |days: u64, of: u64| u128::from(days) * u128::from(of);
        self.after.days > 0 && product(self.after.days, self.before.of) >= product(self.before.days, self.after.of)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + day * DAY).unwrap()
    }

    #[test]
    fn a_fix_that_lowers_recurrence_has_helped_and_a_useless_one_has_not() {
        let before = [at(-100), at(-50), at(-10)];
        let fix = (at(0), at(0) + SignedDuration::from_hours(1));
        let helped = Compared::around(&before, fix, at(30));
        assert_eq!((helped.before.days, helped.before.of), (3, 180));
        assert_eq!((helped.after.days, helped.after.of), (0, 30));
        assert!(!helped.has_not_helped());
        let high = helped.after.share.unwrap().high;
        assert!(
            (100_000..130_000).contains(&high),
            "of 30 days none says little: {high}"
        );
        let again = [&before[..], &[at(9)]].concat();
        assert!(Compared::around(&again, fix, at(30)).has_not_helped());
        // An unchanged rate is no improvement; a lower one is.
        assert!(Compared::around(&again, fix, at(60)).has_not_helped());
        assert!(!Compared::around(&again, fix, at(61)).has_not_helped());
    }

    #[test]
    fn two_failures_of_one_day_count_once() {
        let times = [at(1), at(1) + SignedDuration::from_secs(1), at(5)];
        let found = recurrence(&times, at(0), at(10));
        assert_eq!((found.days, found.of), (2, 10));
        assert_eq!(recurrence(&times, at(3), at(3)).share, None);
    }
}
