//! Decisions about drift findings. Each is written once and stays, whatever a later report contains.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event, NoInput};
use crate::core::enums::DriftOutcome;
use crate::core::ids::{PersonId, RecordId};
use crate::incident::drift::{ADDRESS, ATTRIBUTE};
use crate::verbs;

/// What was decided about a difference, and about which value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct DriftDecision {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save; a decision is saved once.
    pub version: i64,
    /// The id of the finding.
    #[card(column)]
    pub finding: RecordId,
    /// The thing, in the words of its source.
    #[card(most = ADDRESS)]
    pub address: String,
    /// The attribute that differs.
    #[card(most = ATTRIBUTE)]
    pub attribute: String,
    /// The fingerprint of what was found then; absent where none was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What was decided.
    #[card(words)]
    pub outcome: DriftOutcome,
    /// The key of the change that the decision names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// Why.
    #[card(most = 2_000, text)]
    pub reason: String,
    /// Who decided: a login.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "drift-decision",
    columns: &["at", "address", "attribute", "outcome", "change", "by", "reason"],
    verbs: verbs! {
        List "list_drift_decisions" at "/drift-decisions" may READ => "List decisions on drift, including those on reopened findings";
        Show "show_drift_decision" at "/drift-decisions/{id}" may READ => "Show a decision on drift";
    },
    events: &[Event::new(
        "drift_decision.kept",
        "edit",
        "recorded a decision on drift",
    )],
    ..Card::of::<DriftDecision, NoInput>("drift_decision", "Decisions on drift")
};
