//! Compliance: the archive.

pub(crate) mod archive;
pub(crate) mod archive_bucket;
pub(crate) mod report_files;
