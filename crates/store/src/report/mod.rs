//! Reports: lists, counts, saved views and exports.

pub mod change_outcome;
pub mod projection;
pub mod saved_view;
