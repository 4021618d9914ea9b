//! The post-implementation review as a change keeps it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::EmergencyCause;
use crate::core::ids::PersonId;

/// The post-implementation review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostImplementationReview {
    /// Were the objectives met? Nothing while nobody has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objectives_met: Option<bool>,
    /// Was the assessment adequate? Nothing while nobody has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment_adequate: Option<bool>,
    /// Were the steps adequate? Nothing while nobody has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_adequate: Option<bool>,
    /// In words.
    pub summary: String,
    /// The root cause of what went wrong: a key of the taxonomy; absent where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What exactly the cause was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause_text: Option<String>,
    /// What to do better.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub improvements: Vec<String>,
    /// Who sees to what is done better; the owner of the change unless set.
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
    /// Whether its author looked at what the change reaches: work that could not wait is looked at afterwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dependencies_reviewed: bool,
    /// Whether it was written after closing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub addendum: bool,
    /// Who wrote it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

impl PostImplementationReview {
    /// Whether its questions are open: the system wrote it after the closing, and a person answers by another one.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.objectives_met.is_none() && self.assessment_adequate.is_none() && self.steps_adequate.is_none()
    }
}
