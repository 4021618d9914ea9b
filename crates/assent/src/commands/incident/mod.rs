//! Incidents, alerts and drift.

pub mod drift;
pub mod incidents;
pub mod monitors;
pub mod problems;
pub mod what_changed;
