//! Reports: lists, counts, saved views and exports.

pub mod find_changes;
pub mod find_ended;
pub mod find_records;
pub mod name_record;
pub mod saved_views;
