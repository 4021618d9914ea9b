//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub(crate) mod deliveries;
