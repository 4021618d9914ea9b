//! What somebody stated, with the time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::PersonId;

/// A sentence somebody stated at some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub reason: String,
}
