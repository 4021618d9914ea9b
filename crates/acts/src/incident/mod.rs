//! Incidents, alerts and drift.

pub(crate) mod alert_drift;
pub mod close_incident;
pub mod command_incident;
pub mod draft_incident_review;
pub(crate) mod find_failures;
pub mod find_situation;
pub mod find_what_changed;
pub mod judge_candidates;
pub(crate) mod keep;
pub mod link_records;
pub mod note_entry;
pub(crate) mod note_in_watch;
pub mod problems;
pub mod review_actions;
pub mod set_drift;
pub mod set_incident;
pub mod set_major_severity;
pub mod set_watch_table;
pub mod sign_exception;
pub(crate) mod sync_major;
pub mod take_alert;
pub mod take_drift;
pub mod take_verdict;
pub mod write_review;
