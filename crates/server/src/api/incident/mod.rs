//! Incidents, alerts and drift.

pub(super) mod incidents;
