//! Beside another system: its changes are read and judged here, and opens gates only of services that it leads.

pub mod copy_comments;
pub mod import_history;
pub(crate) mod judge_foreign;
pub(crate) mod known_system;
pub mod mirror_changes;
pub mod read_foreign;
pub mod report_differences;
pub mod set_foreign_system;
pub mod set_service_lead;
