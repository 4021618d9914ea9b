//! Changes: the record, its lifecycle, plans, evidence, tasks, runbook, review and closing.

pub(crate) mod by_steps;
pub(crate) mod change_form;
pub(crate) mod changes;
pub(crate) mod page;
pub(crate) mod runbook;
pub(crate) mod templates;
pub(crate) mod usual;
pub(crate) mod usual_sample;
