//! The approvals that met each rule: the basis that a later event records.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::approval::authority::{approval_rules, approving_rights, targets_of};
use crate::change::change_file::ChangeFile;
use crate::core::ids::RecordId;

/// A rule that is met.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// The policy's id.
    pub rule: String,
    /// The number of rights that the rule requires.
    pub count: u32,
    /// The approvals that were counted.
    pub approvals: BTreeSet<RecordId>,
}

/// The met rules of approval, each with its counted approvals: one entry for each set of approvals, where different people
/// approved its targets or its parts (content, times).
#[must_use]
pub fn counted(file: &ChangeFile, now: Timestamp) -> Vec<Counted> {
    let mut found = BTreeSet::new();
    for (row, rule) in approval_rules(file) {
        let id = &row.obligation.id;
        let parts = [(rule.covers.what(), true), (rule.covers.when(), false)];
        for (_, what) in parts.into_iter().filter(|(is_covered, _)| *is_covered) {
            for target in targets_of(file, row) {
                let yes = approving_rights(file, (id, rule), &target.id, now, what);
                if !yes.meets(rule) {
                    continue;
                }
                let is_counted = |person| yes.people.contains(person);
                let approvals = file.standing().filter(|it| it.is_yes() && is_counted(&it.person));
                found.insert(Counted {
                    rule: id.clone(),
                    count: rule.count,
                    approvals: approvals.map(|it| it.id.clone()).collect(),
                });
            }
        }
    }
    found.into_iter().collect()
}
