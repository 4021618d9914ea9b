//! The window of a figure, and how far around it rows are looked at.

use jiff::{SignedDuration, Timestamp};

/// How far before a window rows are read, so that a return finds the build that ran before.
pub const LOOK_BACK_DAYS: i64 = 90;
/// How far behind a window rows are read, so that a failure at its end finds its return and its recovery.
pub const LOOK_AHEAD_DAYS: i64 = 30;

const WEEK_SECONDS: i64 = 7 * 24 * 3_600;

/// From when to when; the end is not part of it.
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

    /// The window without the weeks before the one in which the first change of all was created: nothing could be counted in these.
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

    /// The window with what is looked at around it.
    #[must_use]
    pub fn wide(&self) -> Self {
        let days = |count: i64| SignedDuration::from_hours(24 * count);
        Self {
            from: self.from.checked_sub(days(LOOK_BACK_DAYS)).unwrap_or(Timestamp::MIN),
            to: self.to.checked_add(days(LOOK_AHEAD_DAYS)).unwrap_or(Timestamp::MAX),
        }
    }
}
