//! Incidents: how a text names one, and which of them began while a change was watched; drift.

pub mod drift;
pub mod reference;
pub mod watch;
pub mod watch_table;
pub mod watch_verdict;
pub mod what_changed;
