//! Incidents, alerts and drift.

pub(super) mod commander;
pub(super) mod incidents;
pub(super) mod link_forms;
pub(super) mod links;
pub(super) mod problems;
pub(super) mod review;
pub(crate) mod what_changed;
