//! Compliance: retention, legal hold and reports.

pub(super) mod archive;
pub(super) mod control_reports;
pub(super) mod reconciliation;
pub(super) mod retention;
