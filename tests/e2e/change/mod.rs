//! Changes: the record, its lifecycle, plans, evidence, tasks, runbook, review and closing.

pub(crate) mod drafted;
pub(crate) mod earned;
pub(crate) mod facts;
pub(crate) mod fielded;
pub(crate) mod headline;
pub(crate) mod offered;
pub(crate) mod runbook;
pub(crate) mod several;
pub(crate) mod swept;
mod tabs;
pub(crate) mod tricks;
pub(crate) mod waves;
