//! What people know of a planned start, as a change keeps it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::PersonId;

/// What people know of one planned start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Communicated {
    /// The planned start that it is about.
    pub starts_at: Timestamp,
    /// When it was announced first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced_at: Option<Timestamp>,
    /// Who is asked to acknowledge.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub asked_people: BTreeSet<PersonId>,
    /// Of whom the acknowledgement is there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub acknowledged_people: BTreeSet<PersonId>,
    /// Who said that they are ready, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ready: Vec<SaidReady>,
}

/// Somebody's word that their team is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidReady {
    /// Who.
    pub person: PersonId,
    /// When.
    pub at: Timestamp,
}
