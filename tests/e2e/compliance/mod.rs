//! Compliance: the archive.

pub(crate) mod archive;
pub(crate) mod report_files;
