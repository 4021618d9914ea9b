//! Beside another system: its changes are read and judged here, and nothing is changed anywhere.

pub mod import_history;
pub(crate) mod judge_foreign;
pub mod read_foreign;
pub mod report_differences;
pub mod set_foreign_system;
