//! The gate: checks, permits, running builds, coverage and gateway dialects.

pub mod answer;
pub(crate) mod asked_place;
pub mod begun;
pub mod build;
pub mod closed_target;
pub mod closing;
pub mod committers;
pub mod coverage;
pub mod earliest_go;
pub mod led;
pub mod names;
pub mod permit;
pub mod provenance;
pub mod reopened;
pub mod reopening;
pub mod rollback;
pub(crate) mod rollback_binding;
pub mod running;
