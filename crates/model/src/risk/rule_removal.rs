//! The savings and costs of removing a rule that found nothing in a quarter.

use serde::{Deserialize, Serialize};

use crate::risk::closed_change::ClosedChange;

/// A rule that could be removed, with its back-test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRemoval {
    /// The rule's id.
    pub rule: String,
    /// The policies without it on the stored facts.
    #[serde(default)]
    pub back_test: RemovalTest,
}

/// The policies without a rule tried on the facts that were stored with the decisions of the quarter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovalTest {
    /// The number of changes with stored facts.
    pub changes: i64,
    /// The number of changes on which the current rules require the same as recorded. Only these are compared.
    pub reproduced: i64,
    /// The number of changes on which less would have been required.
    pub asked_less: i64,
    /// The number of failures among them.
    pub failed: i64,
    /// The time saved for these changes, in minutes: approvals run in parallel, so only the slowest rule counts.
    pub minutes_saved: i64,
}

impl RemovalTest {
    /// Counts a change on which the current rules require the same as recorded; `is_spared` where less would have been
    /// required.
    pub fn count(&mut self, change: &ClosedChange, rule: &str, is_spared: bool) {
        self.reproduced += 1;
        if !is_spared {
            return;
        }
        let others = change.rules.iter().filter(|(other, _)| *other != rule);
        let slowest = others.map(|(_, asked)| asked.minutes).max().unwrap_or_default();
        self.asked_less += 1;
        self.failed += i64::from(change.is_failure());
        self.minutes_saved += change.minutes() - slowest;
    }
}
