//! The facts that the policies received about a person when they acted on a change, or tried to and were refused. A later
//! policy set is tested against these records, as against decisions: starts and permits that it would have refused, attempts
//! that it would have allowed.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::Act;
use crate::core::ids::{ChangeId, PersonId, RecordId};
use crate::policy::facts::ActorFacts;

/// The facts behind one act on a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "act_facts")]
pub struct ActFacts {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save; it is written once.
    pub version: i64,
    /// The change.
    #[card(column = "change_id")]
    pub change: ChangeId,
    /// The act.
    #[card(object)]
    pub act: Act,
    /// The id of the act in the log: its events share this id.
    pub within: String,
    /// The person.
    pub person: PersonId,
    /// When.
    pub at: Timestamp,
    /// The digest of the facts about the change: [`crate::policy::decision_facts::DecisionFacts::digest`].
    pub facts_digest: String,
    /// The facts about the person. Absent where a delivery or the clock acted, because nobody's rights were checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub person_facts: Option<ActorFacts>,
    /// Whether the policies refused it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_refused: bool,
}
