//! Administration: connections and their deliveries, outgoing webhooks, workloads, identity providers, ownership, working
//! hours, fields of changes, keys and the log's health. None of its pages needs a script.

pub(crate) mod connections;
pub(crate) mod fields;
pub(crate) mod hours;
pub(crate) mod keys;
pub(crate) mod ownership;
pub(crate) mod providers;
pub(crate) mod webhooks;
pub(crate) mod workloads;
