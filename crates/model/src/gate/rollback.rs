//! Whether the rollback of a target is open. The version to restore must have run there when work began, or be a build with
//! passed evidence; and there must be a deployment to undo.

use crate::change::record::{Change, Target};
use crate::core::enums::Outcome;

/// The reason why a rollback is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The target names no rollback version, or its own artifact.
    Unnamed,
    /// The work bypassed the gate and was reported afterwards.
    Told,
    /// Nothing was deployed.
    NothingDeployed,
    /// The version did not run there when work began, and it has no passed evidence.
    Unproven,
}

/// The reason why the rollback of a target is closed after its change has begun; `None` if it is open.
pub fn against(change: &Change, target: &Target) -> Option<Closed> {
    if target.rollback_to.is_none() || target.rollback_to == target.artifact {
        return Some(Closed::Unnamed);
    }
    if change.retrospective.is_some() {
        return Some(Closed::Told);
    }
    let record = change.target_record(&target.id)?;
    if record.outcome == Some(Outcome::NotImplemented) {
        return Some(Closed::NothingDeployed);
    }
    record.rollback_unproven.then_some(Closed::Unproven)
}
