//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub mod dialect;
pub mod occurrence;
pub mod signal;
pub mod sink;
pub mod webhook;
pub mod workload;
