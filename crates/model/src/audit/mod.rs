//! Audit: the log, proofs, bundles, replay, witnesses and keys.

pub mod audit_conclusion;
pub mod audit_sample;
pub mod auditor_look;
pub mod draw;
pub mod key_rotation;
pub mod time_authority;
pub mod watched_log;
pub mod witness;
