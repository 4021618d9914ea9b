//! Changes: the record, its lifecycle, plans, evidence, tasks, runbook, review and closing.

pub(super) mod bulk;
pub(super) mod templates;
pub(super) mod versions;
pub(super) mod waves;
