//! Training: who has learned what, and until when that is valid. Rules may ask for it, and policies may test it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::{PersonId, RecordId};

/// A training that a person has passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Training {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Who.
    pub person: PersonId,
    /// Which: a word such as `pci_dss`, in lower case.
    pub training: String,
    /// From when it is valid.
    pub starts_at: Timestamp,
    /// Until when, exclusive; taking it back sets this to that moment.
    pub ends_at: Timestamp,
}

impl Training {
    /// Whether it is valid at this instant.
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.starts_at <= now && now < self.ends_at
    }
}
