//! Audit: the log, proofs, bundles, replay, witnesses and keys.

pub mod act_order;
pub mod bundle;
pub mod cosignature;
pub mod event;
pub mod keys;
pub mod log;
mod record_ref;
pub mod salts;
pub mod sorter;
pub mod time_stamp;
pub mod watched_checkpoint;
