//! Files for programs that analyse processes.

pub mod event_log;
pub mod openmetrics;
