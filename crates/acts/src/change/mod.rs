//! Changes: the record, its lifecycle, plans, evidence, tasks, runbook, review and closing.

pub mod add_evidence;
pub mod create_change;
pub mod draft_review;
pub mod edit_change;
pub mod find_acts;
pub mod find_similar;
pub mod find_unvalidated;
pub mod link_change;
pub(crate) mod open_improvements;
pub mod record_entry;
pub mod set_custom_field;
pub mod set_template;
pub mod verbs;
