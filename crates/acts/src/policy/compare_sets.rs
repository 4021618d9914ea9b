//! A proposed set of policies beside the one in force: its requirements and refusals.

use model::approval::obligation::{Requirements, TargetObligation};
use model::core::act::Act;
use model::core::refusal::PolicyReason;
use model::policy::facts::{ActorFacts, ChangeFacts, TargetFacts};
use policy::PolicySet;
use serde::Serialize;

/// One obligation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ObligationRow {
    /// The policy's id.
    pub policy: String,
    /// Its reason.
    pub reason: String,
    /// The requirement, in the terms of the cases.
    pub asks: String,
    /// The targets that bring it.
    pub targets: Vec<String>,
}

/// The two sets that are compared.
pub(crate) struct Sets<'a> {
    pub(crate) active: &'a PolicySet,
    pub(crate) proposed: &'a PolicySet,
}

/// The requirements of the proposed set beside those of the one in force.
pub(crate) struct Compared {
    pub(crate) added: Vec<ObligationRow>,
    pub(crate) removed: Vec<ObligationRow>,
    pub(crate) stop: Option<String>,
}

impl Sets<'_> {
    /// The requirements for a change with these facts.
    pub(crate) fn compare(&self, change: &ChangeFacts, targets: &[TargetFacts]) -> Compared {
        let new = self.proposed.require(change, targets);
        let before = obligation_rows(self.active, &self.active.require(change, targets));
        let after = obligation_rows(self.proposed, &new);
        Compared {
            added: without(&after, &before),
            removed: without(&before, &after),
            stop: new.stop,
        }
    }

    /// The proposed policies that refuse a decision allowed by those in force.
    pub(crate) fn refusing(
        &self,
        person: &ActorFacts,
        change: &ChangeFacts,
        targets: &[TargetFacts],
    ) -> Vec<PolicyReason> {
        let may = |set: &PolicySet| set.may(person, Act::Approve.as_str(), Some((change, targets)));
        let verdict = may(self.proposed);
        if verdict.allowed || !may(self.active).allowed {
            return Vec::new();
        }
        verdict.reasons
    }
}

impl Compared {
    /// Whether anything else would be required.
    pub(crate) fn differs(&self) -> bool {
        !self.added.is_empty() || !self.removed.is_empty() || self.stop.is_some()
    }
}

/// The rows with a requirement that no other row has.
fn without(rows: &[ObligationRow], others: &[ObligationRow]) -> Vec<ObligationRow> {
    let is_same = |row: &ObligationRow, it: &ObligationRow| {
        it.policy == row.policy && it.asks == row.asks && it.targets == row.targets
    };
    let is_new = |row: &&ObligationRow| !others.iter().any(|it| is_same(row, it));
    rows.iter().filter(is_new).cloned().collect()
}

fn obligation_rows(set: &PolicySet, requirements: &Requirements) -> Vec<ObligationRow> {
    let row = |row: &TargetObligation| ObligationRow {
        policy: row.obligation.id.clone(),
        reason: set
            .source(&row.obligation.id)
            .map(|source| source.reason.clone())
            .unwrap_or_default(),
        asks: policy::obligation_text(&row.obligation),
        targets: row.targets.iter().map(ToString::to_string).collect(),
    };
    let mut rows: Vec<ObligationRow> = requirements.obligations.iter().map(row).collect();
    rows.sort();
    rows
}
