//! The gate: checks, permits, running builds, coverage and gateway dialects.

pub(crate) mod check;
pub(crate) mod checks;
pub(crate) mod emergency_card;
