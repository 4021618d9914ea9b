//! Audit: the log, proofs, bundles, replay, witnesses and keys.

pub(crate) mod damaged;
pub(crate) mod foreign;
pub(crate) mod forged_nouns;
pub(crate) mod forged_rows;
pub(crate) mod mutual_witnesses;
pub(crate) mod nightly;
pub(crate) mod planted;
pub(crate) mod renewed_codes;
pub(crate) mod sampled;
pub(crate) mod stamped;
pub(crate) mod tamper;
pub(crate) mod turning;
pub(crate) mod witnessed;
