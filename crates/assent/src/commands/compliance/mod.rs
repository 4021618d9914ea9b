//! Compliance: retention, legal hold and reports.

pub mod archive;
pub mod control_reports;
pub mod hold_orders;
pub mod reconciliation;
pub mod retention;
