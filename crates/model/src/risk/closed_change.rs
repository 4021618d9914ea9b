//! A closed change in the quarterly comparison, and whether enough of them support a conclusion.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::approval::obligation;
use crate::core::enums::{Category, Kind, Level, RiskRating, Touch};
use crate::policy::facts::{ChangeFacts, TargetFacts};
use crate::report::statistics::Estimate;

/// The fewest changes in a group and in the rest: with fewer, Wilson's interval is wider than most differences.
pub const LEAST_CHANGES: usize = 20;
/// The fewest failures in a group: two may be one accident and its repetition.
pub const LEAST_FAILED: usize = 3;

/// A rule's requirement on a change, and its result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleEffort {
    /// Whether it found something: a rejection, a return, a condition, failed evidence, or a peer's objection.
    pub has_found: bool,
    /// The time until it was met, in minutes.
    pub minutes: i64,
}

/// A closed change in the comparison, with the facts of its last approval, else of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedChange {
    /// Its key.
    pub key: String,
    /// Its kind.
    pub kind: Kind,
    /// Its category.
    pub category: Category,
    /// The touches.
    pub touches: BTreeSet<Touch>,
    /// The risk at its approval.
    pub risk: Level,
    /// Its highest impact.
    pub impact: Level,
    /// Its complexity.
    pub complexity: Level,
    /// The rules that required something, by their ids.
    pub rules: BTreeMap<String, RuleEffort>,
    /// Whether it failed; absent where nothing was implemented, and where an earlier quarter counted it already.
    pub has_failed: Option<bool>,
    /// The ratings of its risk by incident reviews.
    pub ratings: Vec<RiskRating>,
    /// Whether it was closed in an earlier quarter, and this quarter only added something: a review answer, or an incident. Its
    /// rules were counted in the earlier quarter.
    pub is_late: bool,
    /// The facts that the policies received when it was approved last, if they were stored.
    pub told: Option<(ChangeFacts, Vec<TargetFacts>)>,
}

impl ClosedChange {
    pub(super) fn is_failure(&self) -> bool {
        self.has_failed == Some(true)
    }

    /// The time of its slowest rule: approvals run in parallel.
    pub(super) fn minutes(&self) -> i64 {
        self.rules.values().map(|it| it.minutes).max().unwrap_or_default()
    }

    /// Its cell in the risk table.
    pub(super) fn cell(&self) -> (usize, usize) {
        let column = match self.complexity {
            Level::None | Level::Low => 0,
            Level::Medium => 1,
            Level::High => 2,
        };
        (row_of(self.impact), column)
    }
}

fn row_of(level: Level) -> usize {
    usize::try_from(obligation::level_number(level)).unwrap_or_default()
}

/// A share with Wilson's 95 % interval, in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// The share.
    pub ppm: i64,
    /// The lower end.
    pub low_ppm: i64,
    /// The upper end.
    pub high_ppm: i64,
}

impl From<Estimate> for Rate {
    fn from(it: Estimate) -> Self {
        Self {
            ppm: it.value,
            low_ppm: it.low,
            high_ppm: it.high,
        }
    }
}
