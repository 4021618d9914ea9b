//! Incidents, alerts and drift.

pub(crate) mod incidents;
