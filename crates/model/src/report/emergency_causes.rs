//! The causes of emergencies by rule and by review. Both are counted, to show how often people change the rule's result.

use std::collections::BTreeMap;

use crate::core::enums::EmergencyCause;
use crate::report::evaluate::Counted;

/// The counts of one cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CauseCount {
    /// Emergencies with this cause: by their review, else by a label, else by the rule.
    pub counted: u64,
    /// Emergencies with this cause by rule.
    pub by_rule: u64,
    /// The number confirmed by a review.
    pub confirmed: u64,
    /// The number that a review moved here from another cause.
    pub changed: u64,
}

/// The causes of the emergencies among what was counted, each change once.
#[must_use]
pub fn causes(counted: &[Counted<'_>]) -> BTreeMap<EmergencyCause, CauseCount> {
    let mut found: BTreeMap<EmergencyCause, CauseCount> = BTreeMap::new();
    for row in counted
        .iter()
        .filter(|it| it.is_hit && it.exclusion.is_none())
        .map(|it| it.row)
    {
        let Some(cause) = row.cause else { continue };
        let by_rule = row.cause_by_rule.unwrap_or(cause);
        found.entry(by_rule).or_default().by_rule += 1;
        let count = found.entry(cause).or_default();
        count.counted += 1;
        count.confirmed += u64::from(row.is_cause_confirmed);
        count.changed += u64::from(row.is_cause_confirmed && by_rule != cause);
    }
    found
}
