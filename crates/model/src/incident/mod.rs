//! Incidents: their course, the freeze of a major one, references to incidents in texts, incidents in a change's watch window,
//! links, reviews, and the problems behind those that recur.

pub mod cause_fit;
pub mod cause_model;
pub mod cause_window;
pub mod course;
pub mod entry;
pub mod incident_review;
pub mod lifecycle;
pub mod major;

pub mod drift;
pub mod reference;
pub mod signature;

pub mod monitor;
pub mod objective;
pub mod objective_measure;
pub mod problem;
pub mod raised_monitor;
pub mod record_link;
pub mod recurred;
pub mod recurrence;
pub mod review_answer;
pub mod review_text;
pub mod source_report;
pub mod watch;
pub mod watch_table;
pub mod watch_verdict;
pub mod what_changed;
