//! Compliance: retention, legal hold and reports.

pub mod archive;
pub mod change_trail;
pub mod control_report;
pub mod erasure;
pub mod framework;
pub mod report_schedule;
pub mod violation;
pub mod violation_items;
