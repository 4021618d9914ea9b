//! Incidents: their course, what a major one stops, how a text names one, and which of them began while a change was watched.

pub mod course;
pub mod entry;
pub mod lifecycle;
pub mod major;
pub mod reference;
pub mod signature;
pub mod watch;
pub mod watch_table;
pub mod what_changed;
