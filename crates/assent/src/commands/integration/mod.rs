//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub mod connections;
pub mod deliveries;
pub mod mail;
pub mod sinks;
pub mod webhooks;
