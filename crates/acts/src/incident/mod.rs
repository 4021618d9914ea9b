//! Incidents, alerts and drift.

pub(crate) mod alert_drift;
pub mod find_what_changed;
pub mod judge_candidates;
pub(crate) mod note_in_watch;
pub mod set_drift;
pub mod set_incident;
pub mod set_watch_table;
pub mod take_alert;
pub mod take_drift;
pub mod take_verdict;
