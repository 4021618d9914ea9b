//! Audit: the log, proofs, bundles, replay, witnesses and keys.

pub(super) mod audit_paper;
pub(super) mod audit_sample;
pub(super) mod forensics;
pub(crate) mod keys;
pub(super) mod log;
pub(super) mod log_entry;
pub(super) mod log_filter;
pub(super) mod mandate;
pub(super) mod phrases;
