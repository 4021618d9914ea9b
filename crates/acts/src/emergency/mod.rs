//! Emergencies: break-glass, retrospective changes and the emergency board.

pub mod break_glass;
pub mod find_glasses;
pub mod outside_look;
pub(crate) mod reachable_gate;
pub mod report_uses;
pub mod set_emergency_card;
pub mod verbs;
