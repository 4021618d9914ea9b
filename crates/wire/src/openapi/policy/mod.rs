//! Policies: Cedar sets, configurations and trials.

pub(super) mod configurations;
