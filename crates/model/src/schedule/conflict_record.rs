//! Recorded conflicts: one record for each pair of conflicting changes, whatever is edited afterwards. A conflict has an owner,
//! a deadline for the arbiter, and a decision that binds both changes.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event};
use crate::core::enums::{ConflictDecision, ConflictKind, ConflictState};
use crate::core::ids::{EnvironmentKey, PersonId, RecordId, ServiceKey};
use crate::core::parse::TEXT;
use crate::verbs;

/// Two changes that cannot both be as planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Conflict {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The id of the change that was written first.
    #[card(column)]
    pub one: String,
    /// The id of the other change.
    #[card(column)]
    pub other: String,
    /// The key of the change that was written first.
    pub one_key: String,
    /// The key of the other change.
    pub other_key: String,
    /// Why they conflict.
    #[card(words)]
    pub kinds: BTreeSet<ConflictKind>,
    /// Each reason in a sentence, with the way from the one to the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(text)]
    pub why: Vec<String>,
    /// The services that both share, or of which one needs the other; their owners decide.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<ServiceKey>,
    /// The environment in which they meet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentKey>,
    /// From when both are under way.
    pub overlaps_from: Timestamp,
    /// Until when.
    pub overlaps_to: Timestamp,
    /// Where it stands.
    #[card(words)]
    pub state: ConflictState,
    /// Whether both changes are held from starting until it is decided.
    pub holds: bool,
    /// When it was found, or found again.
    pub found_at: Timestamp,
    /// Until when it is to be decided.
    pub due_at: Timestamp,
    /// Whether the time to decide passed and change managers were notified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub escalated: bool,
    /// Who sees to it: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// How it was decided last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(words)]
    pub decision: Option<ConflictDecision>,
    /// The key of the change that moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moves: Option<String>,
    /// Why it was decided so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub reason: Option<String>,
    /// Who decided: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub decided_at: Option<Timestamp>,
    /// The reasons that the decision knew.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(words)]
    pub decided_kinds: BTreeSet<ConflictKind>,
    /// From when both were under way as it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_from: Option<Timestamp>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_to: Option<Timestamp>,
    /// Each reason in a sentence, with the way, as it was decided; empty of one that was decided before this was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(text)]
    pub decided_why: Vec<String>,
    /// The services that the decision knew.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub decided_services: BTreeSet<ServiceKey>,
    /// The environment that the decision knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_environment: Option<EnvironmentKey>,
    /// Whether both changes have the same planned times.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_window: bool,
}

/// The decision of a conflict, or another owner. A decision binds both changes.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct ConflictInput {
    /// How it is decided.
    #[card(words, example = "one_moves")]
    pub decision: Option<ConflictDecision>,
    /// The key of the change that moves, where one moves.
    #[card(example = "CHG-1042")]
    pub moves: Option<String>,
    /// Why.
    #[card(most = TEXT, text, example = "The migration cannot wait.")]
    pub reason: Option<String>,
    /// Who sees to it from now on: a login.
    #[card(example = "kari")]
    pub owner: Option<PersonId>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    patch: "ConflictPatch",
    derived: &[("active", |it| (it["state"] != "gone").into())],
    columns: &["id", "one_key", "other_key", "kinds", "state", "due_at", "decision"],
    verbs: verbs! {
        List "list_conflicts" at "/conflicts" may READ => "List the recorded conflicts that still exist";
        Show "show_conflict" at "/conflicts/{id}" may READ => "Show a conflict";
        Edit "decide_conflict" at "/conflicts/{id}" may READ => "Decide a conflict as its arbiter, or assign another owner", called "decide";
    },
    events: &[
        Event::new("conflict.found", "incident", "detected a conflict of two changes"),
        Event::new(
            "conflict.followed",
            "edit",
            "recorded a different reason for a conflict",
        ),
        Event::new("conflict.gone", "check", "recorded the end of a conflict"),
        Event::new("conflict.assigned", "edit", "changed the owner of a conflict"),
        Event::new("conflict.decided", "check", "decided a conflict"),
        Event::new("conflict.escalated", "bell", "escalated a conflict"),
    ],
    ..Card::of::<Conflict, ConflictInput>("conflict", "Conflicts")
};

impl Conflict {
    /// With a decision of now.
    #[must_use]
    pub fn decided(self, input: &ConflictInput, by: PersonId, now: Timestamp) -> Self {
        Self {
            state: ConflictState::Decided,
            decision: input.decision,
            moves: input
                .moves
                .clone()
                .filter(|_| input.decision == Some(ConflictDecision::OneMoves)),
            reason: input.reason.clone(),
            decided_by: Some(by),
            decided_at: Some(now),
            decided_kinds: self.kinds.clone(),
            decided_from: Some(self.overlaps_from),
            decided_to: Some(self.overlaps_to),
            decided_why: self.why.clone(),
            decided_services: self.services.clone(),
            decided_environment: self.environment.clone(),
            ..self
        }
    }

    /// Whether another conflict is like it: of one of the same kinds, about one of the same services or, for people and
    /// environments, without any.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let is_near =
            self.services.is_empty() && other.services.is_empty() || !self.services.is_disjoint(&other.services);
        self.id != other.id && is_near && !self.kinds.is_disjoint(&other.kinds)
    }
}
