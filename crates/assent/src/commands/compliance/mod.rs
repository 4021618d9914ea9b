//! Compliance: retention, legal hold and reports.

pub mod archive;
pub mod control_reports;
pub mod reconciliation;
pub mod retention;
