//! Reports: metrics, and the event log for process mining.

pub(crate) mod dashboards;
pub(crate) mod metrics;
pub(crate) mod search;
