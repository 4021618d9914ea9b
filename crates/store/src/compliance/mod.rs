//! Compliance: retention, archive, legal hold and reports.

pub mod archive;
pub mod retention;
