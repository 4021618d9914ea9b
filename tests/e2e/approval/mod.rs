//! Approvals: required rules, decisions, clocks, escalation, delegation and absence.

pub(crate) mod accomplice;
pub(crate) mod attacks;
pub(crate) mod committers;
pub(crate) mod decisions;
pub(crate) mod puppets;
pub(crate) mod seen_before;
pub(crate) mod two_groups;
pub(crate) mod waited;
