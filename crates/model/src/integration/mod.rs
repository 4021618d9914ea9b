//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub mod dialect;
pub mod foreign_change;
pub mod foreign_comment;
pub mod foreign_mirror;
pub mod foreign_system;
pub mod imported_change;
pub mod occurrence;
pub mod outside_run;
pub mod service_lead;
pub mod signal;
pub mod sink;
pub mod webhook;
pub mod workload;
