//! Changes: the record, its lifecycle, plans, evidence, tasks, runbook, review and closing.

pub(super) mod acts;
pub(super) mod affected;
pub(super) mod after_template;
pub(super) mod bulk;
pub(super) mod change_query;
pub(super) mod copy;
pub(super) mod counts;
pub(super) mod custom_fields;
pub(super) mod edit;
pub(super) mod edit_conflict;
pub(super) mod edit_fields;
pub(super) mod evidence;
pub(super) mod evidence_list;
pub(super) mod export;
pub(crate) mod field_definitions;
pub(super) mod list;
pub(super) mod new_form;
pub(super) mod open_acts;
pub(super) mod orders;
pub(super) mod page;
pub(super) mod plan_steps;
pub(super) mod refused_acts;
pub(super) mod review_draft;
pub(super) mod runbook;
pub(super) mod sections;
pub(super) mod templates;
