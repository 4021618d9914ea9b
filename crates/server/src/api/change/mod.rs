//! Changes: the record, its lifecycle, plans, evidence, tasks, runbook, review and closing.

pub(super) mod bulk;
pub(super) mod changes;
pub(super) mod evidence;
pub(super) mod evidence_file;
pub(super) mod items;
pub(super) mod templates;
pub(super) mod versions;
pub(crate) mod waves;
