//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub(super) mod connections;
pub(super) mod deliveries;
pub(super) mod foreign;
pub(crate) mod history;
pub(super) mod sinks;
pub(super) mod webhooks;
