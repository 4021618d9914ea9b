//! Incidents, alerts and drift.

pub mod set_incident;
pub mod take_alert;
