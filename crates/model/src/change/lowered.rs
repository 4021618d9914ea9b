//! Facts that a change states below what the estate says, and the word of an approver that they count all the same.

use serde::{Deserialize, Serialize};

use crate::core::enums::RatedFact;
use crate::core::ids::RecordId;

/// A fact that a change states below what the estate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lowered {
    /// Which fact.
    pub fact: RatedFact,
    /// What the change states.
    pub stated: String,
    /// What the estate says; of touches, those that the change does not name.
    pub derived: String,
    /// The approval that accepted the lower value, by which it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_by: Option<RecordId>,
}

/// An approver's word that lower values count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lowering {
    /// The facts, as the estate spoke of them then. Where it says more later, the word covers them no longer.
    pub facts: Vec<SeenFact>,
    /// Why the lower values are right. A level that the assessment stated has its reason there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What the estate said of a fact when somebody accepted less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenFact {
    /// Which fact.
    pub fact: RatedFact,
    /// What the estate said.
    pub derived: String,
}
