//! Policies: Cedar sets, configurations and trials.

pub(crate) mod mapping;
pub(crate) mod parameters;
