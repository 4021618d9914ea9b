//! The steps of a freeze with the business: proposed, agreed by its business owner, announced; then in force and ended by the
//! clock. Each step is signed. A freeze without a business owner counts as soon as it is set.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::{FreezeStage, Level};
use crate::core::ids::{ChangeId, PersonId};
use crate::schedule::repeat::Occurrence;

/// The agreement on a freeze, and the changes that pass.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Course {
    /// The person who agrees for the business; without one it needs no agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_owner: Option<PersonId>,
    /// The signed steps, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<FreezeStep>,
    /// Changes of this risk or less pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thaw_risk: Option<Level>,
    /// The number of such changes when the bound was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thaw_changes: Option<i64>,
    /// The expected number of failures among them, by the last year: a decimal number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thaw_expected_failures: Option<String>,
    /// The key of the major incident behind it. Nobody edits such a freeze; it follows the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major_incident: Option<String>,
    /// Exceptions that were withdrawn or lapsed, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past_exceptions: Vec<PastException>,
    /// Earlier bounds of risk, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past_thaws: Vec<PastThaw>,
    /// The forecast of changes let through at each of its latest times, recorded when each began, in order: at most
    /// [`MOST_THAW_TIMES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thaw_times: Vec<ThawTime>,
}

/// The most times for which a freeze stores the expected changes.
pub const MOST_THAW_TIMES: usize = 100;

/// The changes that one time of a freeze was expected to let through by its bound of risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThawTime {
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end, as it was then.
    pub ends_at: Timestamp,
    /// Changes of this risk or less passed.
    pub thaw_risk: Level,
    /// The number of such changes when it began.
    pub thaw_changes: i64,
    /// The expected number of failures among them, by the last year: a decimal number.
    pub thaw_expected_failures: String,
}

/// An exception that no longer lets its change pass. Work that passed by it stays valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastException {
    /// The change.
    pub change: ChangeId,
    /// Its key.
    pub change_key: String,
    /// Why it was excepted.
    pub reason: String,
    /// The person who granted it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The person who withdrew it, or edited the change so that it lapsed; absent where it ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_by: Option<PersonId>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The time of the freeze that it was for; absent where it was for all times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Occurrence>,
}

/// A bound of risk that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastThaw {
    /// Changes of this risk or less passed; none where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thaw_risk: Option<Level>,
    /// The person who set another one.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// A signed step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeStep {
    /// The step.
    pub step: FreezeStage,
    /// The signer.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// The keys of the changes affected at that time, for an announcement.
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

    /// The bound of risk at an instant.
    #[must_use]
    pub fn thaw_at(&self, at: Timestamp) -> Option<Level> {
        let past = self.past_thaws.iter().find(|it| at < it.at);
        past.map_or(self.thaw_risk, |it| it.thaw_risk)
    }

    /// Stores the bound of risk that is replaced.
    pub fn keep_thaw(&mut self, before: Option<Level>, by: PersonId, at: Timestamp) {
        if before != self.thaw_risk {
            let thaw_risk = before;
            self.past_thaws.push(PastThaw { thaw_risk, by, at });
        }
    }

    /// The changes that a time was expected to let through, if recorded.
    #[must_use]
    pub fn thaw_time(&self, starts_at: Timestamp) -> Option<&ThawTime> {
        self.thaw_times.iter().find(|it| it.starts_at == starts_at)
    }

    /// Stores the expected changes of a time; the oldest entry is dropped where there are too many.
    pub fn keep_thaw_time(&mut self, time: ThawTime) {
        self.thaw_times.push(time);
        let extra = self.thaw_times.len().saturating_sub(MOST_THAW_TIMES);
        self.thaw_times.drain(..extra);
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
