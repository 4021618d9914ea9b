//! Compliance: retention, legal hold and reports.

pub mod erasure;
