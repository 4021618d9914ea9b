//! The values of boards: agendas, their items and outcomes.

use serde::{Deserialize, Serialize};

words! {
    /// The state of an agenda.
    AgendaState {
        /// Items still come to it.
        Open = "open",
        /// It is frozen under its digest.
        Frozen = "frozen",
        /// The chair signed its minutes.
        Signed = "signed",
    }
    /// How an item of an agenda is decided.
    ItemListing {
        /// By votes before the meeting.
        Vote = "vote",
        /// At the meeting.
        Live = "live",
    }
    /// Why an item is decided so.
    ListingGround {
        /// Its risk is not high.
        ByRisk = "by_risk",
        /// Its risk is high.
        HighRisk = "high_risk",
        /// A member objected to a decision by vote.
        Contested = "contested",
        /// The votes before the meeting did not decide it.
        Undecided = "undecided",
        /// The chair added it after the freeze.
        Added = "added",
        /// There was no time for votes before the meeting.
        NoVotes = "no_votes",
    }
    /// A board's decision about an item.
    ItemOutcome {
        /// It is approved.
        Approved = "approved",
        /// It is approved with conditions.
        ApprovedWithConditions = "approved_with_conditions",
        /// It was returned with a question.
        Returned = "returned",
        /// It is rejected.
        Rejected = "rejected",
        /// Nothing was decided.
        Deferred = "deferred",
    }
}
