//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub(super) mod deliveries;
mod foreign;
mod history;
mod sinks;
