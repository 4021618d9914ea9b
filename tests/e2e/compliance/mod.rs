//! Compliance: the archive, reports.

pub(crate) mod archive;
pub(crate) mod archive_bucket;
pub(crate) mod engines;
pub(crate) mod report_files;
