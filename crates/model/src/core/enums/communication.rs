//! The values of communications.

use serde::{Deserialize, Serialize};

words! {
    /// The stages of a change at which people are notified.
    CommunicationStage {
        /// It is approved and has its time.
        Announced = "announced",
        /// It starts soon.
        Reminder = "reminder",
        /// Its work began.
        Started = "started",
        /// It ended as planned, or works with issues.
        Finished = "finished",
        /// It failed, or was done in part or not at all.
        Failed = "failed",
        /// It was taken back.
        RolledBack = "rolled_back",
        /// It was announced and does not take place.
        Cancelled = "cancelled",
    }
    /// The recipients of a communication plan.
    Audience {
        /// The owners of all services that the change reaches.
        Owners = "owners",
        /// The business units that use one of these services.
        BusinessUnits = "business_units",
        /// The people who watch one of these services.
        Watchers = "watchers",
        /// Those on duty of the plan's duty groups when the stage is first announced.
        OnDuty = "on_duty",
        /// The customer lists with one of these services. A plan for customers cannot have another audience.
        Customers = "customers",
    }
    /// The language of a letter.
    #[derive(Default)]
    LetterLanguage {
        /// English.
        #[default]
        En = "en",
        /// German.
        De = "de",
    }
}

impl LetterLanguage {
    /// The language behind a tag of a person's preferences; English for any other.
    #[must_use]
    pub fn of(tag: Option<&str>) -> Self {
        tag.and_then(|tag| tag.parse().ok()).unwrap_or_default()
    }
}
