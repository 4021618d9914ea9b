//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub(crate) mod beside;
pub(crate) mod connection_guide;
pub(crate) mod connections;
pub(super) mod deliveries;
pub(crate) mod history;
pub(crate) mod sinks;
pub(crate) mod webhooks;
