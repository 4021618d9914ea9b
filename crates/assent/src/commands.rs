//! The commands, one file per group.

pub mod approval;
pub mod audit;
pub mod cab;
pub mod change;
pub mod compliance;
pub mod directory;
pub mod gate;
pub mod identity;
pub mod incident;
pub mod integration;
pub mod notify;
pub mod platform;
pub mod policy;
pub mod report;
pub mod risk;
pub mod schedule;
