//! The root causes in the reviews of failed changes, beside those of incidents.

use crate::change::record::Change;
use crate::change::success;
use crate::risk::cause::Cause;
use crate::risk::cause_move::Named;

/// Adds the causes from the reviews of failed changes to those of incidents, the earliest first. A failure counts once: a
/// change and the incidents that it caused, or that its review addresses, are one failure.
#[must_use]
pub fn with_changes(by_incidents: Vec<Named>, changes: &[Change], causes: &[Cause]) -> Vec<Named> {
    let of = |change: &Change| {
        let review = change.causal_review()?;
        let key = review
            .cause
            .as_ref()
            .filter(|_| success::succeeded(change) == Some(false))?;
        let caused = change.caused_incidents.iter().map(|it| &it.incident);
        Some(Named {
            incident_key: change.key.clone(),
            cause: causes.iter().find(|cause| cause.key == *key)?.clone(),
            at: review.at,
            same: caused.chain(&review.incidents).cloned().collect(),
        })
    };
    let of_changes: Vec<Named> = changes.iter().filter_map(of).collect();
    let mut all = by_incidents;
    for it in &mut all {
        let is_same = |other: &&Named| other.same.contains(&it.incident_key);
        it.same = of_changes
            .iter()
            .filter(is_same)
            .map(|other| other.incident_key.clone())
            .collect();
    }
    all.extend(of_changes);
    all.sort_by(|one, other| (one.at, &one.incident_key).cmp(&(other.at, &other.incident_key)));
    all
}
