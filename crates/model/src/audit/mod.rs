//! Audit: the log, proofs, bundles, replay, witnesses and keys.

pub mod key_rotation;
pub mod witness;
