//! What it would have spared and cost to go without a rule that found nothing in a quarter.

use serde::{Deserialize, Serialize};

use crate::risk::closed_change::ClosedChange;

/// A rule that could go, with its back-test.
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
    /// How many changes have stored facts.
    pub changes: i64,
    /// Of how many the rules in force ask what the record says was asked. Only these are compared.
    pub reproduced: i64,
    /// Of how many less would have been asked.
    pub asked_less: i64,
    /// How many of those failed.
    pub failed: i64,
    /// How much sooner they would have had everything, in minutes: rules ask beside each other, so only the slowest counts.
    pub minutes_saved: i64,
}

impl RemovalTest {
    /// Counts a change of which the rules in force ask what was asked; `is_spared` where less would have been asked of it.
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
