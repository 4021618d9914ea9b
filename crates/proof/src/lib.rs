//! The proof room: everything that lets somebody check Assent's history without trusting Assent.
//!
//! Bytes go in and bytes come out. Nothing here reads a clock, a file, a socket or the system's randomness on its own (the
//! caller passes randomness in as [`crypto::Entropy`]), and nothing here knows what a change or an approval is. Read in this
//! order:
//!
//! 1. [`crypto`]: the one file that touches the cryptographic library.
//! 2. [`canonical`], [`commitment`], [`diff`], [`event`]: the content of one leaf of the log.
//! 3. [`merkle`], [`tile`], [`note`], [`log_check`]: the leaves in a signed log.
//! 4. [`permit`], [`revocation`], over [`jws`] and [`jwks`]: permission to deploy, checked offline.
//! 5. [`archive`], [`bundle`]: one change's whole proof in one file.
//! 6. [`dsse::attestation`], over [`dsse`]: permits and releases in a form that other tools verify.
//!
//! `docs/log-format.md` specifies the formats of leaves and bundles byte for byte.

pub mod archive;
pub mod bundle;
mod bundle_check;
pub mod canonical;
pub mod commitment;
pub mod crypto;
pub mod diff;
pub mod dsse;
pub mod emergency;
mod error;
pub mod event;
pub mod grounds;
mod head;
pub mod jwks;
pub mod jws;
pub mod log_check;
mod look;
pub mod merkle;
pub mod note;
pub mod permit;
pub mod remembered;
pub mod report;
pub mod revocation;
pub mod tile;
pub mod time_stamp;

pub use error::Error;

/// The result of fallible functions of this crate. The error side is always a fault or a malformed input; a check that ran and
/// failed has a type of its own.
pub type Result<T> = std::result::Result<T, Error>;
