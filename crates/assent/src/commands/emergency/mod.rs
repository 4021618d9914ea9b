//! Emergencies: break-glass, retrospective changes and the emergency board.

pub mod outside_looks;
