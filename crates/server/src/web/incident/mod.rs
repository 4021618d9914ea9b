//! Incidents, alerts and drift.

pub(super) mod commander;
pub(super) mod incidents;
pub(crate) mod what_changed;
