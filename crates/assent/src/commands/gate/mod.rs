//! The gate: checks, permits, running builds, coverage and gateway dialects.

pub mod build;
pub mod checks;
pub mod emergency;
#[cfg(feature = "server")]
pub mod gateway;
pub mod kube_checks;
pub(super) mod lists;
pub mod permits;
