//! Policies: Cedar sets, configurations and trials.

pub mod act_facts;
pub mod configuration;
pub mod decision_facts;
pub mod facts;
pub mod mapping;
pub mod permission;
pub mod threshold;
