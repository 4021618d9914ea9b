//! Whether the way back of a target is open: what it leads back to ran there when work began, or is a build with passed evidence,
//! and something was deployed that could be taken back.

use crate::change::record::{Change, Target};
use crate::core::enums::Outcome;

/// Why a way back is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The target names none, or its own artifact.
    Unnamed,
    /// The work was done before it was told, and went past the gate.
    Told,
    /// Nothing was deployed.
    NothingDeployed,
    /// Neither did it run there when work began, nor has it passed evidence.
    Unproven,
}

/// What closes the way back of a target whose change has begun; `None` where it is open.
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
