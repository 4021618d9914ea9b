//! Reports: lists, counts, saved views and exports.

pub mod dashboards;
pub mod metrics;
pub mod search;
pub mod views;
