//! Compliance: retention, legal hold and reports.

pub(super) mod control_reports;
