//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub mod call;
pub mod inbox;
pub mod sink;
pub mod webhook;
