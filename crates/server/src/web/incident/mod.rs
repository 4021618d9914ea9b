//! Incidents, alerts and drift.

pub(super) mod incidents;
pub(crate) mod what_changed;
