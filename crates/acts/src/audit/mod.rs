//! Audit: the log, proofs, bundles, replay, witnesses and keys.

pub mod check_log;
pub mod cosign_log;
pub mod export_bundle;
pub mod find_log;
pub mod find_lost_secrets;
pub mod find_lost_tenants;
pub mod find_timeline;
pub(crate) mod grounds_around;
pub mod note_attempt;
pub mod note_log_sizes;
pub mod note_replay;
pub mod open_log;
pub mod prove_event;
pub mod publish_log;
pub mod read_grounds;
pub mod renew_codes;
pub mod replay_log;
pub(crate) mod revoke_signed;
pub mod sequence_events;
pub mod set_witness;
pub mod show_event;
pub mod sign_revocations;
pub mod take_cosignature;
pub mod turn_key;
