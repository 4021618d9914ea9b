//! The gate: checks, permits, running builds, coverage and gateway dialects.

pub mod gate_use;
pub mod gate_view;
pub mod revocation;
