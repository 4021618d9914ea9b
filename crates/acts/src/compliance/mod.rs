//! Compliance: retention, archive, legal hold and reports.

pub mod archive_changes;
pub mod erase_texts;
pub mod find_violation_trend;
pub mod follow_violations;
pub mod make_reports;
pub mod report_controls;
pub mod set_legal_hold;
pub mod set_report_schedule;
pub mod set_retention;
