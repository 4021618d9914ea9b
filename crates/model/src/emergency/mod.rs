//! Emergencies: break-glass, retrospective changes and the emergency board.

pub mod break_glass;
pub mod budget;
pub mod bypassed;
pub mod cause;
pub mod emergency_card;
pub mod emergency_report;
pub mod emergency_use;
pub mod grounds;
pub mod outside_look;
pub mod owed;
pub mod records;
