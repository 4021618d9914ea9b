//! The status of a member of a wave, once an outcome was reported.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event, NoInput};
use crate::core::enums::MemberState;
use crate::core::ids::{ChangeId, PersonId, RecordId, TargetId};
use crate::verbs;

/// The longest detail of an outcome, in characters.
pub const DETAIL: usize = 500;
/// The most tries of one member.
pub const MOST_TRIES: i64 = 20;

/// How a member of a wave stands. Without such a record its work has not begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct MemberOutcome {
    /// Made of the change, the target and the name of the member.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The change: its record's id.
    #[card(column = "change_id", needed)]
    pub change: String,
    /// The key of the change.
    pub change_key: String,
    /// The target of the change.
    pub target: String,
    /// The name of the member.
    #[card(column)]
    pub member: String,
    /// The number of its wave.
    #[card(column)]
    pub wave: i64,
    /// Its state.
    #[card(column, words)]
    pub state: MemberState,
    /// What its sender says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = DETAIL, text)]
    pub text: Option<String>,
    /// How often the work on it began.
    pub tries: i64,
    /// When that was told.
    pub at: Timestamp,
    /// Who told it: a login.
    pub by: PersonId,
}

/// The card.
pub const CARD: Card = Card {
    tag: "changes",
    command: "member-outcome",
    columns: &["change_key", "target", "member", "wave", "state", "tries", "at"],
    verbs: verbs! {
        List "list_member_outcomes" at "/member-outcomes" may READ => "List how the members of waves stand, of all changes";
        Show "show_member_outcome" at "/member-outcomes/{id}" may READ => "Show how a member of a wave stands";
    },
    events: &[
        Event::new("member_outcome.told", "list", "reported the state of members of a wave"),
        Event::new("member_outcome.begun", "go", "began the work on a member of a wave"),
        Event::new(
            "member_outcome.retried",
            "back",
            "started a retry of failed members of a wave",
        ),
    ],
    ..Card::of::<MemberOutcome, NoInput>("member_outcome", "Outcomes of members")
};

/// The id of the record of a member.
#[must_use]
pub fn id_of(change: &ChangeId, target: &TargetId, member: &str) -> String {
    format!("{change}.{target}.{member}")
}

impl MemberOutcome {
    /// Whether the member has ended, with any outcome.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        has_ended(self.state)
    }
}

/// Whether a member in this state has ended.
#[must_use]
pub fn has_ended(state: MemberState) -> bool {
    !matches!(state, MemberState::Waiting | MemberState::InProgress)
}

/// Whether a member in this state has failed.
#[must_use]
pub fn has_failed(state: MemberState) -> bool {
    matches!(state, MemberState::Failed | MemberState::RolledBack)
}
