//! Incidents, alerts and drift.

pub(super) mod drift;
pub(super) mod incidents;
pub(super) mod learning;
pub(super) mod major_severity;
pub(super) mod monitoring;
pub(super) mod watch_table;
pub(super) mod what_changed;
