//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub mod alertmanager;
pub mod argocd;
pub mod cdevents;
pub mod cloudevents;
pub mod deployments;
#[cfg(test)]
pub(crate) mod documented_tests;
pub mod door;
pub mod github;
pub mod gitlab;
pub mod history;
pub mod incidents;
pub mod incumbent;
pub mod jenkins;
pub mod pagerduty;
pub mod plain;
pub mod probe;
pub mod prometheus;
pub mod received;
pub mod reply;
pub mod run_task;
pub mod sinks;
pub mod standard_webhooks;
pub mod traces;
pub mod words;
