//! Compliance: the archive.

pub(crate) mod archive;
