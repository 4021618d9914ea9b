//! Emergencies: break-glass, retrospective changes and the emergency board.

pub(super) mod break_glass;
pub(crate) mod cards;
