//! Compliance: retention, archive, legal hold and reports.

pub mod archive_changes;
pub(crate) mod change_facts;
pub mod erase_from_answers;
pub mod erase_person;
pub mod erase_texts;
pub mod find_holds;
pub mod find_violation_trend;
pub mod follow_violations;
pub mod forensic_timeline;
pub mod lift_hold;
pub mod make_reports;
pub mod preview_retention;
pub(crate) mod read_trail;
pub mod reconcile_runs;
pub mod report_controls;
pub mod retention_in_force;
pub(crate) mod sample_population;
pub mod set_hold_order;
pub mod set_legal_hold;
pub mod set_report_schedule;
pub mod set_retention;
pub mod set_retention_rule;
