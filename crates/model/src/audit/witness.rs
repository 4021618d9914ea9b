//! Witnesses: programs of others that cosign checkpoints of the tenant's log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::{PersonId, RecordId};

/// A witness whose cosignatures are taken in and served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Its verifier key (C2SP signed-note), of the type of cosignatures; its name stands in it.
    pub key: String,
    /// Whether its cosignatures are taken.
    pub active: bool,
    /// Who added it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}
