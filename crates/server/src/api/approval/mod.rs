//! Approvals: required rules, decisions, clocks, escalation, delegation and absence.

pub(super) mod absences;
pub(super) mod approvals;
pub(super) mod sla_table;
