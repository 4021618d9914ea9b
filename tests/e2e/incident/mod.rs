//! Incidents, alerts and drift.

pub(crate) mod aide;
pub(crate) mod alerts;
pub(crate) mod canary;
pub(crate) mod candidates;
pub(crate) mod drift;
pub(crate) mod learning;
pub(crate) mod major;
pub(crate) mod pages;
pub(crate) mod raised;
pub(crate) mod watched;
pub(crate) mod what_changed;
