//! Reports: lists, counts, saved views and exports.

pub(crate) mod dashboards;
pub(crate) mod metrics;
pub(super) mod saved_views;
pub(super) mod search;
