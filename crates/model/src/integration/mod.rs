//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub mod signal;
pub mod webhook;
pub mod workload;
