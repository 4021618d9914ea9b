//! Audit: the log, proofs, bundles, replay, witnesses and keys.

pub(crate) mod log;
