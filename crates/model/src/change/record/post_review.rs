//! The post-implementation review as a change keeps it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::EmergencyCause;
use crate::core::ids::PersonId;

/// The post-implementation review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostImplementationReview {
    /// Were the objectives met? Absent while there is no response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objectives_met: Option<bool>,
    /// Was the assessment adequate? Absent while there is no response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment_adequate: Option<bool>,
    /// Were the steps adequate? Absent while there is no response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_adequate: Option<bool>,
    /// The summary.
    pub summary: String,
    /// The root cause of what went wrong: a key of the taxonomy; absent where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The exact cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause_text: Option<String>,
    /// The improvements to make.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub improvements: Vec<String>,
    /// The person responsible for the improvements; by default the owner of the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub improvements_owner: Option<PersonId>,
    /// Until when that is done; 30 days after the review unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub improvements_due_at: Option<Timestamp>,
    /// The incidents that it addresses, by key or outside reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::core::typed::list")]
    pub incidents: Vec<String>,
    /// Why the change was an emergency: the confirmed or changed cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency_cause: Option<EmergencyCause>,
    /// Whether its author looked at the affected things: for urgent work this is done afterwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dependencies_reviewed: bool,
    /// Whether it was written after closing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub addendum: bool,
    /// The reviewer.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

impl PostImplementationReview {
    /// Whether its questions are open: the system wrote it after the closing, and a person replies by another review.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.objectives_met.is_none() && self.assessment_adequate.is_none() && self.steps_adequate.is_none()
    }
}
