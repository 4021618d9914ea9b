//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub(crate) mod hooks;
pub(crate) mod monitoring_state;
pub(crate) mod read_again;
