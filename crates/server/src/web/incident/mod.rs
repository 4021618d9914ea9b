//! Incidents, alerts and drift.

pub(super) mod drift;
pub(super) mod incidents;
pub(crate) mod what_changed;
