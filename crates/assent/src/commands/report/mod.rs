//! Reports: lists, counts, saved views and exports.

pub mod views;
