//! The gate: checks, permits, running builds, coverage and gateway dialects.

pub(super) mod emergency_cards;
pub(super) mod routes;
pub(super) mod shapes;
