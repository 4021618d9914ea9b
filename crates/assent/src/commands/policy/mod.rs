//! Policies: Cedar sets, configurations and trials.

pub mod mapping;
pub(super) mod proposals;
pub mod sets;
