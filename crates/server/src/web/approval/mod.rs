//! Approvals: required rules, decisions, clocks, escalation, delegation and absence.

pub(super) mod absences;
pub(super) mod decision_card;
pub(super) mod home;
