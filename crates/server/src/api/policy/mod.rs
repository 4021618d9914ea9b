//! Policies: Cedar sets, configurations and trials.

pub(super) mod configuration_views;
pub(super) mod configurations;
pub(super) mod mapping;
