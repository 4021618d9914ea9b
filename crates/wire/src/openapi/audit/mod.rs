//! Audit: the log, proofs, bundles, replay, witnesses and keys.

pub(super) mod attestations;
pub(super) mod keys;
pub(super) mod mandates;
pub(super) mod samples;
pub(super) mod witnesses;
