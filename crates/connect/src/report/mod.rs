//! Files for programs that analyse processes.

pub mod event_log;
