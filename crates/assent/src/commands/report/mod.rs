//! Reports: lists, counts, saved views and exports.

pub mod metrics;
pub mod views;
