//! Findings of drift: a difference that no change explains. The same difference again is the same finding.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event, Field, Kind};
use crate::core::enums::{DriftEnding, DriftOutcome, DriftState};
use crate::core::ids::{EnvironmentKey, PersonId, RecordId, ServiceKey};
use crate::core::parse::LINE;
use crate::incident::drift::{ADDRESS, ATTRIBUTE};
use crate::verbs;

/// A difference from what is recorded, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct DriftFinding {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The id of the source that reported it.
    #[card(column)]
    pub source: RecordId,
    /// The id of the connection.
    pub connection: RecordId,
    /// The digest of source, address and attribute: the same difference again is the same finding.
    #[card(column)]
    pub natural_key: String,
    /// The thing, in the words of its source.
    #[card(most = ADDRESS)]
    pub address: String,
    /// The attribute that differs.
    #[card(most = ATTRIBUTE)]
    pub attribute: String,
    /// The fingerprint of what was found; absent where none was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// The digest of the artifact that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The service, where a rule maps the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub service: Option<ServiceKey>,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentKey>,
    /// The config item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_item: Option<String>,
    /// The id of the rule that maps the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RecordId>,
    /// Whether it is open, decided or closed.
    #[card(words, column)]
    pub state: DriftState,
    /// Whether the difference is still there, as far as its source told.
    #[card(column)]
    pub is_there: bool,
    /// From when on what was found may have come to be.
    pub since: Timestamp,
    /// When what was found was seen first.
    pub appeared_at: Timestamp,
    /// When the difference was seen first.
    pub first_seen: Timestamp,
    /// When the difference was seen last.
    #[card(column)]
    pub last_seen: Timestamp,
    /// How often the difference was reported.
    #[card(most = i64::MAX)]
    pub count: i64,
    /// The account that made the difference, as its source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub doer: Option<String>,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(words)]
    pub outcome: Option<DriftOutcome>,
    /// The key of the change that explains the difference, or that the decision names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// The key of another change that explains the difference, where the decision names one that stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained_by: Option<String>,
    /// The id of the permit that was used for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permit: Option<RecordId>,
    /// The id of the baseline that silences it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<RecordId>,
    /// Why it was decided so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = 2_000, text)]
    pub reason: Option<String>,
    /// Who decided: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// How it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(words)]
    pub ending: Option<DriftEnding>,
}

/// What is done about a difference.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct DriftFindingInput {
    /// What is done: accepted under an emergency change, reported afterwards by a retrospective change, or reverted.
    #[card(label = "What is done", words, needed, example = "revert")]
    pub outcome: Option<DriftOutcome>,
    /// The key of the emergency or retrospective change; none for a revert.
    #[card(label = "The change’s key", example = "CHG-1042")]
    pub change: Option<String>,
    /// Why.
    #[card(
        label = "Why",
        most = 2_000,
        text,
        needed,
        example = "Somebody tried a larger instance by hand"
    )]
    pub reason: Option<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "drift-finding",
    patch: "DriftFindingPatch",
    columns: &[
        "id",
        "state",
        "address",
        "attribute",
        "service",
        "environment",
        "count",
        "last_seen",
        "outcome",
        "change",
    ],
    shown: &[Field::shown(
        "vendor",
        Kind::Text(LINE),
        "The vendors that operate the service.",
    )],
    verbs: verbs! {
        List "list_drift_findings" at "/drift-findings" may READ => "List findings of drift that are not closed";
        Show "show_drift_finding" at "/drift-findings/{id}" may READ => "Show a finding of drift";
        Edit "decide_drift_finding" at "/drift-findings/{id}" may READ => "Decide on a finding of drift", called "decide";
    },
    events: &[
        Event::new("drift_finding.opened", "eye", "detected drift"),
        Event::new("drift_finding.seen", "eye", "detected drift again"),
        Event::new("drift_finding.reopened", "eye", "detected closed drift again"),
        Event::new("drift_finding.explained", "check", "matched a difference with a change"),
        Event::new("drift_finding.decided", "edit", "decided on drift"),
        Event::new("drift_finding.closed", "check", "closed a finding of drift"),
    ],
    ..Card::of::<DriftFinding, DriftFindingInput>("drift_finding", "Drift")
};

impl DriftFinding {
    /// Whether it needs a decision or an action.
    pub fn is_open(&self) -> bool {
        self.state != DriftState::Closed
    }

    /// The finding in its open state, without earlier decisions and results.
    #[must_use]
    pub fn opened(self) -> Self {
        Self {
            state: DriftState::Open,
            outcome: None,
            change: None,
            explained_by: None,
            permit: None,
            baseline: None,
            reason: None,
            by: None,
            decided_at: None,
            ending: None,
            ..self
        }
    }
}
