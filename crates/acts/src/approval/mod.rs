//! Approvals: required rules, decisions, clocks, escalation, delegation and absence.

pub mod find_decided;
pub mod find_queue;
pub mod set_absence;
pub mod set_delegation;
pub mod set_sla_table;
pub mod verbs;
