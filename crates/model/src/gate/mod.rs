//! The gate: checks, permits, running builds, coverage and gateway dialects.

pub mod answer;
pub mod build;
pub mod committers;
pub mod coverage;
pub mod permit;
pub mod provenance;
pub mod running;
