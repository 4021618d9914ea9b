//! Labels of items on an agenda, for pages and files.

use model::cab::agenda_item::{ItemOutcome, ListingGround};

/// The board's decision on an item.
pub(crate) fn outcome_text(outcome: ItemOutcome) -> &'static str {
    match outcome {
        ItemOutcome::Approved => "Approved",
        ItemOutcome::ApprovedWithConditions => "Approved with conditions",
        ItemOutcome::Returned => "Returned",
        ItemOutcome::Rejected => "Rejected",
        ItemOutcome::Deferred => "Not decided",
    }
}

/// The reason for an item's position on the agenda.
pub(crate) fn ground_text(ground: ListingGround) -> &'static str {
    match ground {
        ListingGround::ByRisk => "Not of high risk",
        ListingGround::HighRisk => "High risk",
        ListingGround::Contested => "A member objected",
        ListingGround::Undecided => "Not decided by vote",
        ListingGround::Added => "Added by the chair",
        ListingGround::NoVotes => "Too late for votes before the meeting",
    }
}
