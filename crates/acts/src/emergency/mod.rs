//! Emergencies: break-glass, retrospective changes and the emergency board.

pub mod break_glass;
pub mod outside_look;
pub mod verbs;
