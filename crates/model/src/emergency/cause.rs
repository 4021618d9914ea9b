//! The cause of an emergency, as far as the change itself shows it. A review confirms or changes the cause; both values are
//! kept.

use crate::change::record::Change;
use crate::core::enums::EmergencyCause;

/// The cause that follows from what an emergency names.
#[must_use]
pub fn cause_by_rule(change: &Change) -> EmergencyCause {
    if change.content.incident.is_some() {
        EmergencyCause::Incident
    } else if change.content.threat.is_some() {
        EmergencyCause::Threat
    } else if change.in_freeze {
        EmergencyCause::FreezeAvoidance
    } else if change.content.expedited || change.retrospective.is_some() {
        EmergencyCause::BadPlanning
    } else {
        EmergencyCause::Unknown
    }
}
