//! What the policies were told of somebody when they did something to a change, or tried to and were refused. A later set of
//! policies is tried on it, as on decisions: starts and permits that it would have refused, attempts that it would have allowed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::Act;
use crate::core::ids::{ChangeId, PersonId, RecordId};
use crate::policy::facts::ActorFacts;

/// The facts behind one act on a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActFacts {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save; it is written once.
    pub version: i64,
    /// The change.
    pub change: ChangeId,
    /// What was done.
    pub act: Act,
    /// The act as the log counts them: its events share this id.
    pub within: String,
    /// Who did it.
    pub person: PersonId,
    /// When.
    pub at: Timestamp,
    /// The digest of what was told of the change: [`crate::policy::decision_facts::DecisionFacts::digest`].
    pub facts_digest: String,
    /// What was told of the person. Nothing where a delivery or the clock acted: nobody's rights were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_facts: Option<ActorFacts>,
    /// Whether the policies refused it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_refused: bool,
}
