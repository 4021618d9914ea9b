//! Changes: the record, its lifecycle, plans, evidence, tasks, runbook, review and closing.

pub mod add_evidence;
pub mod compare_versions;
pub mod create_change;
pub mod draft_review;
pub mod edit_change;
pub mod find_acts;
pub mod find_lookalikes;
pub mod find_similar;
pub mod find_unvalidated;
pub mod find_warnings;
pub mod find_waves;
pub mod keep_draft;
pub mod link_change;
pub(crate) mod member_lists;
pub(crate) mod open_improvements;
pub mod propose_variant;
pub mod record_entry;
pub mod set_custom_field;
pub mod set_members;
pub mod set_template;
pub mod tell_members;
pub mod try_template;
pub mod verbs;
