//! Changes: the record, its lifecycle, plans, evidence, tasks, runbook, review and closing.

pub mod lifecycle;
pub mod templates;
pub mod versions;
pub mod waves;
