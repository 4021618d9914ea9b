//! Reports: lists, counts, saved views and exports.

pub mod dashboards;
pub mod export;
pub mod metrics;
pub mod search;
pub mod views;
