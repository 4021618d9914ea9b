//! The window of a figure, and the time around it in which rows are read.

use jiff::{SignedDuration, Timestamp};

/// The days before a window in which rows are read, so that a return finds the build that ran before.
pub const LOOK_BACK_DAYS: i64 = 90;
/// The days after a window in which rows are read, so that a failure at its end finds its return and its recovery.
pub const LOOK_AHEAD_DAYS: i64 = 30;

const WEEK_SECONDS: i64 = 7 * 24 * 3_600;

/// The start and end; the end is not part of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment behind it.
    pub to: Timestamp,
}

impl Window {
    /// Whether a time lies in it.
    #[must_use]
    pub fn has(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// Its length in whole days, at least one.
    #[must_use]
    pub fn days(&self) -> i64 {
        let day = SignedDuration::from_hours(24).as_secs();
        let length = self.to.duration_since(self.from).as_secs();
        ((length + day / 2) / day).max(1)
    }

    /// Its length in whole weeks.
    #[must_use]
    pub fn weeks(&self) -> u64 {
        let length = self.to.duration_since(self.from).as_secs();
        u64::try_from(length / WEEK_SECONDS).unwrap_or(0)
    }

    /// The window without the weeks before the first change of all, in which nothing could be counted.
    #[must_use]
    pub fn since(&self, first: Timestamp) -> Self {
        let last = self.to.duration_since(self.from).as_secs() / WEEK_SECONDS;
        let weeks = (first.duration_since(self.from).as_secs() / WEEK_SECONDS).clamp(0, last.max(0));
        let from = self.from.checked_add(SignedDuration::from_secs(weeks * WEEK_SECONDS));
        Self {
            from: from.unwrap_or(self.from),
            to: self.to,
        }
    }

    /// Its part from a time on; all of it where that lies before it.
    #[must_use]
    pub fn from_on(&self, since: Option<Timestamp>) -> Self {
        Self {
            from: since.map_or(self.from, |since| since.clamp(self.from, self.to.max(self.from))),
            to: self.to,
        }
    }

    /// The start of the counted window if its rows are known only from `cut` on. Of the known time, the look-back takes
    /// [`LOOK_BACK_DAYS`], and at most half. `None` if the whole window is counted.
    #[must_use]
    pub fn since_cut(&self, cut: Timestamp) -> Option<Timestamp> {
        let known = self.to.duration_since(cut).as_secs().max(0);
        let back = (known / 2).min(LOOK_BACK_DAYS * 24 * 3_600);
        let since = cut.checked_add(SignedDuration::from_secs(back)).unwrap_or(self.to);
        (since > self.from).then_some(since.min(self.to))
    }

    /// The window with the time around it in which rows are read.
    #[must_use]
    pub fn wide(&self) -> Self {
        let days = |count: i64| SignedDuration::from_hours(24 * count);
        Self {
            from: self.from.checked_sub(days(LOOK_BACK_DAYS)).unwrap_or(Timestamp::MIN),
            to: self.to.checked_add(days(LOOK_AHEAD_DAYS)).unwrap_or(Timestamp::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_that_is_cut_keeps_half_of_what_is_known_to_look_back_at() {
        let window = Window {
            from: at("2026-10-01T00:00:00Z"),
            to: at("2026-10-31T00:00:00Z"),
        };
        let since = window.since_cut(at("2026-10-11T00:00:00Z"));
        assert_eq!(since, Some(at("2026-10-21T00:00:00Z")));
        assert_eq!(window.from_on(since).days(), 10);
        // With forty days more the window is whole, and only the look-back is shorter.
        assert_eq!(window.since_cut(at("2026-09-01T00:00:00Z")), None);
        assert_eq!(window.from_on(None), window);
        // A cut behind the window leaves none of it, and no more.
        assert_eq!(
            window.from_on(window.since_cut(at("2027-01-01T00:00:00Z"))).from,
            window.to
        );
    }
}
