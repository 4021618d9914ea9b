//! The gate: checks, permits, running builds, coverage and gateway dialects.

pub(super) mod attestations;
pub(super) mod gateways;
pub(super) mod permits;
pub(crate) mod questions;
