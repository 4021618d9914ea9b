//! Reports: lists, counts, saved views and exports.

pub(crate) mod dashboard_pdf;
pub(super) mod dashboards;
pub(super) mod home_now;
pub(super) mod home_roles;
pub(super) mod metric;
pub(super) mod metric_parts;
pub(super) mod metric_words;
pub(super) mod metrics;
pub(super) mod saved_views;
pub(super) mod search;
pub(super) mod success_rate;
pub(super) mod template_rework;
