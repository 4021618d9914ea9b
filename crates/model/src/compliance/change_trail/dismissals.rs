//! The violations that were dismissed as false positives, by a log.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proof::commitment::commitment_of;
use serde::Serialize;
use serde_json::Value;

use crate::compliance::change_trail::Leaf;

/// That a violation was dismissed as a false positive. The person is only in the log, because a report names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dismissed {
    /// When.
    pub at: Timestamp,
    /// The key of the action item that was dismissed, which has the person and the reason.
    pub item: String,
    /// The commitment of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Dismissed {
    /// The mark that it puts behind the text of a violation.
    #[must_use]
    pub fn mark(&self) -> String {
        format!(" Dismissed as a false positive at {}: {}.", self.at, self.item)
    }
}

/// The dismissals by the key of the change and the id of the rule.
#[derive(Debug, Default)]
pub(super) struct Dismissals(BTreeMap<String, BTreeMap<String, Dismissed>>);

impl Dismissals {
    /// Takes the next event.
    pub(super) fn take(&mut self, leaf: &Leaf) {
        if !leaf.kind.starts_with("action_item.") {
            return;
        }
        let word = |name: &str| leaf.data.get(name).and_then(Value::as_str);
        let ("resolve_violation", Some(change), Some(rule), Some(item)) = (
            word("kind").unwrap_or_default(),
            word("about"),
            word("rule"),
            word("key"),
        ) else {
            return;
        };
        let rules = self.0.entry(change.to_owned()).or_default();
        match leaf.kind.as_str() {
            "action_item.dismissed" => {
                let mut deltas = leaf.records.iter().filter(|it| it.table == "action_item");
                let reason = deltas.find_map(|it| commitment_of(it.set.get("reason")?));
                let dismissed = Dismissed {
                    at: leaf.written_at(),
                    item: item.to_owned(),
                    reason: reason.map(str::to_owned),
                };
                rules.insert(rule.to_owned(), dismissed);
            }
            "action_item.opened" | "action_item.reopened" | "action_item.done" => {
                rules.remove(rule);
            }
            _ => {}
        }
    }

    /// Those about a change, by the rule.
    pub(super) fn of(&self, change: &str) -> BTreeMap<String, Dismissed> {
        self.0.get(change).cloned().unwrap_or_default()
    }
}
