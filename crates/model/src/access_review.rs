//! Access reviews: each manager looks at what their people may do, signs, and what they refuse is taken away.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{PersonId, RecordId};
pub use crate::words::Period;

impl Default for Period {
    /// Rights are looked at four times a year.
    fn default() -> Self {
        Self::Quarter
    }
}

impl Period {
    /// How many months it lasts; `None` where no review begins by itself.
    pub fn months(self) -> Option<i8> {
        match self {
            Self::Month => Some(1),
            Self::Quarter => Some(3),
            Self::HalfYear => Some(6),
            Self::Year => Some(12),
            Self::Never => None,
        }
    }

    /// Whether it is what holds unless said.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What a person holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HeldRight {
    /// Its place in the review, from 1 on.
    pub row: i64,
    /// Who holds it.
    pub person: PersonId,
    /// `role`, `function`, `group`, `ownership`, `delegation`, `token` or `workload`.
    pub kind: String,
    /// The role, the job function, the group's key, or the id of the row of the matrix, the delegation, the token or the
    /// workload.
    pub what: String,
    /// What it is about, where its name does not say it: `owner of service:shipments`, `priya: security`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Whether the manager refused it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// One manager's part of a review of everybody's rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessReview {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Joins the parts of one review.
    pub campaign: String,
    /// Who looks and signs.
    pub manager: PersonId,
    /// Who began it.
    pub begun_by: PersonId,
    /// When.
    pub begun_at: Timestamp,
    /// Until when it is to be signed.
    pub due_at: Timestamp,
    /// What is looked at.
    pub rights: Vec<HeldRight>,
    /// When it was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// Why something was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl AccessReview {
    /// What was refused.
    pub fn refused(&self) -> impl Iterator<Item = &HeldRight> {
        self.rights.iter().filter(|right| right.refused)
    }
}
