//! Reports: lists, counts, saved views and exports.

pub(crate) mod dashboards;
mod export_book;
pub(crate) mod exports;
pub(super) mod metric_parts;
pub(crate) mod metrics;
pub(super) mod saved_views;
pub(super) mod search;
