//! Changes: the record, its lifecycle, plans, evidence, tasks, runbook, review and closing.

pub mod blob;
pub mod change_count;
pub mod change_order;
mod change_query;
pub mod changes;
pub mod form_draft;
pub mod unsettled;
