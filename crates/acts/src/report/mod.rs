//! Reports: lists, counts, saved views and exports.

pub mod export_event_log;
pub mod find_changes;
pub mod find_ended;
pub mod find_field_use;
pub mod find_figures;
pub mod find_moved;
pub mod find_parity;
pub mod find_records;
pub mod find_rework;
pub mod find_tiles;
pub mod find_undos;
pub(crate) mod find_waits;
pub(crate) mod former_teams;
pub mod lifecycle_forms;
pub(crate) mod log_mark;
pub mod metric_query;
pub mod name_record;
pub mod project_outcomes;
pub mod recent_rows;
pub mod saved_views;
pub mod search_records;
pub mod send_dashboard;
pub mod set_dashboard;
pub mod set_wait_budget;
pub mod watch_figures;
