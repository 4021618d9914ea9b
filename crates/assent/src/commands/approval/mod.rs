//! Approvals: required rules, decisions, clocks, escalation, delegation and absence.

pub mod absences;
pub mod sla;
