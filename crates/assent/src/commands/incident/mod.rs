//! Incidents, alerts and drift.

pub mod incidents;
