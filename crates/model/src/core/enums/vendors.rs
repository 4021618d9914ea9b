//! The values of vendors: their notices, and their comparison with internal teams.

use serde::{Deserialize, Serialize};

words! {
    /// The effect of a vendor's maintenance on its services, as announced by the vendor.
    NoticeImpact {
        /// Nothing that users notice.
        None = "none",
        /// The services are slower, or in part away.
        Degraded = "degraded",
        /// The services are away.
        Outage = "outage",
    }
    /// The state of a vendor's maintenance.
    #[derive(Default)]
    NoticeState {
        /// It lies ahead.
        #[default]
        Announced = "announced",
        /// The vendor works on it.
        UnderWay = "under_way",
        /// It is over.
        Completed = "completed",
        /// It does not take place.
        Cancelled = "cancelled",
    }
    /// The measures that compare the changes of a vendor with those of internal teams.
    ParityMeasure {
        /// Description, reason, plan, rollback, times and people are recorded.
        Facts = "facts",
        /// Evidence is attached.
        Evidence = "evidence",
        /// It was recorded before the work, and the work stayed in its planned times.
        Timeliness = "timeliness",
        /// It succeeded.
        Outcomes = "outcomes",
    }
    /// How a vendor compares in one measure.
    ParityVerdict {
        /// Below internal teams: the intervals do not overlap.
        Behind = "behind",
        /// The intervals overlap.
        Alike = "alike",
        /// Above internal teams: the intervals do not overlap.
        Ahead = "ahead",
        /// One side has too few changes.
        NotEnough = "not_enough",
    }
}

impl Default for NoticeImpact {
    /// The cautious assumption for a missing value.
    fn default() -> Self {
        Self::Degraded
    }
}

impl NoticeState {
    /// Whether the maintenance is still to come, or goes on.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Announced | Self::UnderWay)
    }
}
