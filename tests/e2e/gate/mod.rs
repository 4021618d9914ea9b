//! The gate: checks, permits, running builds, coverage and gateway dialects.

pub(crate) mod actions;
pub(crate) mod emergency_cards;
pub(crate) mod explained;
pub(crate) mod gateway_pages;
pub(crate) mod gateways;
pub(crate) mod judged;
pub(crate) mod kube_checks;
pub(crate) mod outage;
pub(crate) mod partition;
pub(crate) mod pipelines;
pub(crate) mod revoked;
pub(crate) mod single_use;
