//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub mod connections;
pub mod deliveries;
pub mod foreign;
pub mod mail;
pub mod mcp;
mod mcp_tools;
pub mod sinks;
pub mod webhooks;
