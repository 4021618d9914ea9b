//! Rebuilds what the store says from what the log says, and names every difference.

use std::sync::Arc;

use proof::log_check::LogReport;
use serde::Serialize;

use crate::desk::Desk;
use crate::error::Result;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The table it is in, `log` for the signed log itself.
    pub table: String,
    /// The row's id, or the path in the log.
    pub id: String,
    /// The column or JSON Pointer, when one can be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong, in one sentence.
    pub what: String,
}

/// What a replay came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayReport {
    /// Every difference, at most [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// Rows that were compared.
    pub records: u64,
    /// Events that were compared, waiting ones included.
    pub events: u64,
    /// What verifying the log alone came to.
    pub log: LogReport,
}

/// The most findings that are kept.
pub const MAX_FINDINGS: usize = 1_000;

/// Is told what is being done (`log`, `events`, or a table) and how many entries or rows are done.
pub type Progress = Arc<dyn Fn(&str, u64) + Send + Sync>;

/// Replays a tenant.
///
/// # Errors
/// The store's.
pub fn replay_log(_desk: &Desk, _tenant: &str, _progress: Progress) -> Result<ReplayReport> {
    Err(crate::error::Error::Fault("replay".to_owned()))
}
