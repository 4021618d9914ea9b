//! Incidents, alerts and drift.

pub(super) mod incidents;
pub(super) mod watch_table;
