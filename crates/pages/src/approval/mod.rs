//! Approvals: required rules, decisions, clocks, escalation, delegation and absence.

pub(crate) mod home;
