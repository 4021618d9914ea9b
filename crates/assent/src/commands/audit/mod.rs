//! Audit: the log, proofs, bundles, replay, witnesses and keys.

#[cfg(feature = "server")]
pub mod accept_loss;
pub mod events;
pub mod history;
pub mod keys;
pub mod mandates;
pub mod paper;
#[cfg(feature = "server")]
pub mod renew_codes;
#[cfg(feature = "server")]
pub(crate) mod replay;
pub mod timeline;
pub mod witnesses;
