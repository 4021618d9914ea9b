//! Integrations: connections, deliveries, outgoing calls and webhooks.

pub mod after_failure;
pub(crate) mod create_mapped;
pub(crate) mod early_rollback;
pub mod edit_connection;
pub mod external_checks;
pub(crate) mod find_change;
pub mod find_lost_calls;
pub(crate) mod follow_repository;
pub mod keep_attestation;
pub mod keep_provenance;
pub mod map_rows;
pub mod mapping_facts;
pub(crate) mod messengers;
pub(crate) mod move_target;
pub(crate) mod named_target;
pub mod poll_deployments;
pub(crate) mod save_deployment;
pub mod send_webhooks;
pub mod set_connection;
pub mod set_webhook;
pub(crate) mod take_commits;
pub mod take_delivery;
pub(crate) mod take_deployment;
pub(crate) mod told_before;
pub(crate) mod told_deployment;
pub mod unmatched_deliveries;
