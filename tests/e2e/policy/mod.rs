//! Policies: Cedar sets, configurations and trials.

pub(crate) mod mapping;
