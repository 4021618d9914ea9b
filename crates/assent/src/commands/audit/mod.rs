//! Audit: the log, proofs, bundles, replay, witnesses and keys.

pub mod events;
pub mod history;
pub mod keys;
pub mod mandates;
pub mod paper;
pub mod renew_codes;
pub(crate) mod replay;
pub mod witnesses;
