//! A person's statement, with the time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::PersonId;

/// A sentence somebody stated at some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// The person.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The statement.
    pub reason: String,
}
