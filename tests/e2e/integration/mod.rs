//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub(crate) mod beside;
pub(crate) mod beside_jira;
pub(crate) mod beside_jira_copies;
pub(crate) mod deliveries;
pub(crate) mod gated;
pub(crate) mod gitlab;
pub(crate) mod history;
pub(crate) mod messengers;
pub(crate) mod poison;
pub(crate) mod replayed;
pub(crate) mod rollback;
pub(crate) mod run_tasks;
pub(crate) mod sinks;
pub(crate) mod syslog_servers;
pub(crate) mod typed_by_people;
pub(crate) mod unsent;
pub(crate) mod webhooks;
