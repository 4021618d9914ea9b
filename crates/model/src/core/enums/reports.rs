//! The closed words of reports: how often a dashboard is mailed, and what a template's trial came to.

use serde::{Deserialize, Serialize};

words! {
    /// How often a dashboard is mailed.
    #[derive(Default)]
    Rhythm {
        /// Every day.
        #[default]
        Daily = "daily",
        /// Every Monday.
        Weekly = "weekly",
        /// On the first day of each month.
        Monthly = "monthly",
    }
    /// The part of a template in which something was missing.
    TemplatePart {
        /// The description of the work.
        Description = "description",
        /// The plan.
        Plan = "plan",
        /// The way back.
        Rollback = "rollback",
        /// How success is verified.
        Verification = "verification",
        /// The people who implement it.
        People = "people",
        /// The planned time.
        Schedule = "schedule",
        /// The evidence.
        Evidence = "evidence",
        /// Something else.
        Other = "other",
        /// Nothing was missing.
        Nothing = "nothing",
    }
}
