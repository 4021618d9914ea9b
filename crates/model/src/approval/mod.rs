//! Approvals: required rules, decisions, clocks, escalation, delegation and absence.

pub mod absence;
pub mod approvals;
pub mod authority;
pub mod clocks;
pub mod counted;
pub mod decide;
pub mod delegation;
pub mod distinct_groups;
pub mod obligation;
pub mod one_hand;
pub mod one_person;
pub(crate) mod routing;
pub mod separation_of_duties;
pub mod sla;
pub mod warning;
