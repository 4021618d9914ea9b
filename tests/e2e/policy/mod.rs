//! Policies: Cedar sets, configurations and trials.

mod document;
pub(crate) mod mapping;
pub(crate) mod parameters;
