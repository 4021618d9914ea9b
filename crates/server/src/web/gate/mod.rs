//! The gate: checks, permits, running builds, coverage and gateway dialects.

pub(super) mod checks;
pub(super) mod emergency_cards;
pub(super) mod gateways;
pub(super) mod permit_file;
pub(super) mod reopening;
