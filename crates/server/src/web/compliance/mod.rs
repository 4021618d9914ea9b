//! Compliance: retention, legal hold and reports.

pub(super) mod control_report_rows;
pub(super) mod control_reports;
pub(super) mod hold_order;
pub(super) mod person_erasure;
pub(super) mod reconciliation;
pub(super) mod retention;
pub(super) mod retention_preview;
