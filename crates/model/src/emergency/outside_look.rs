//! The compensating control of a team that is too small for every separation of duties: somebody outside of it looks at its
//! changes, every week, and says what they saw.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::{GroupKey, PersonId, RecordId};

/// A look from outside at what a team did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideLook {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The group of those who look from outside.
    pub group: GroupKey,
    /// Who looked.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// What they saw.
    pub text: String,
    /// The changes that were looked at: all on which work began or ended since the look before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}
