//! Reports: lists, counts, saved views and exports.

pub(super) mod saved_views;
