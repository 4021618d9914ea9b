//! The steps of a freeze with the business: proposed, agreed by its business owner, announced; then in force and ended by the
//! clock. Each step is signed. A freeze without a business owner counts as soon as it is set.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::{FreezeStage, Level};
use crate::core::ids::PersonId;

/// How a freeze is agreed, and what it lets through.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Course {
    /// Who agrees for the business; without one it needs no agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_owner: Option<PersonId>,
    /// The signed steps, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<FreezeStep>,
    /// Changes of this risk or less pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thaw_risk: Option<Level>,
    /// How many changes that was when the bound was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thaw_changes: Option<i64>,
    /// How many of them were expected to fail, by the last year: a decimal number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thaw_expected_failures: Option<String>,
    /// The key of the major incident that it follows from. Nobody edits such a freeze: its incident moves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major_incident: Option<String>,
}

/// A signed step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeStep {
    /// Which.
    pub step: FreezeStage,
    /// Who signed it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// The keys of the changes that it hit then: of an announcement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hits: Vec<String>,
}

impl Course {
    /// The last signed step.
    #[must_use]
    pub fn last(&self) -> Option<FreezeStage> {
        self.steps.last().map(|step| step.step)
    }

    /// Whether the freeze counts: it was announced, or needs no agreement.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.business_owner.is_none() || self.steps.iter().any(|step| step.step == FreezeStage::Announced)
    }

    /// The announcement, if there was one.
    #[must_use]
    pub fn announcement(&self) -> Option<&FreezeStep> {
        self.steps.iter().find(|step| step.step == FreezeStage::Announced)
    }
}

/// The share of failures so far, applied to so many changes of each level: a decimal number with two places.
#[must_use]
pub fn expected_failures(changes: &[Level], history: &[(Level, bool)]) -> String {
    let hundredths: i64 = changes
        .iter()
        .map(|level| {
            let ended = history.iter().filter(|(other, _)| other == level);
            let (all, failed) = ended.fold((0_i64, 0_i64), |(all, failed), (_, succeeded)| {
                (all + 1, failed + i64::from(!succeeded))
            });
            // Nothing is known of a level without history: one failure in two is assumed, by Laplace's rule of succession.
            (failed + 1) * 1_000_000 / (all + 2)
        })
        .sum::<i64>()
        .div_euclid(10_000);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
