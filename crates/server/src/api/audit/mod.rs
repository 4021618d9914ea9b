//! Audit: the log, proofs, bundles, replay, witnesses and keys.

pub(super) mod keys;
pub(super) mod log;
pub(super) mod mandates;
pub(super) mod samples;
pub(super) mod witness;
pub(super) mod witnesses;
