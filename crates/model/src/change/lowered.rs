//! Facts that a change states below the estate's values, and an approver's acceptance of them.

use serde::{Deserialize, Serialize};

use crate::core::enums::RatedFact;
use crate::core::ids::RecordId;

/// A fact that a change states below the estate's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lowered {
    /// Which fact.
    pub fact: RatedFact,
    /// The stated value.
    pub stated: String,
    /// The estate's value; of touches, those that the change does not name.
    pub derived: String,
    /// The approval that accepted the lower value, by which it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_by: Option<RecordId>,
}

/// An approver's acceptance of lower values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lowering {
    /// The facts with the estate's values at that time. The acceptance does not cover higher values that the estate has later.
    pub facts: Vec<SeenFact>,
    /// Why the lower values are right. A level that the assessment stated has its reason there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The estate's value of a fact when an approver accepted less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenFact {
    /// Which fact.
    pub fact: RatedFact,
    /// The estate's value.
    pub derived: String,
}
