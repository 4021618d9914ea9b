//! Compliance: retention, legal hold and reports.

pub mod archive;
pub mod change_trail;
pub mod control_report;
pub mod erasure;
pub mod framework;
pub mod gate_trail;
pub mod hold_lifting;
pub mod hold_order;
pub mod permit_check;
pub mod person_erasure;
pub mod reconciliation;
pub mod report_schedule;
pub mod retention_rule;
pub mod run_trail;
pub mod violation;
pub mod violation_items;
