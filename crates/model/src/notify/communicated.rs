//! The announcements of a planned start, as a change keeps them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::PersonId;

/// The announcement of one planned start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Communicated {
    /// The planned start.
    pub starts_at: Timestamp,
    /// When it was announced first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced_at: Option<Timestamp>,
    /// The people from whom an acknowledgement is requested.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub asked_people: BTreeSet<PersonId>,
    /// The people who acknowledged.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub acknowledged_people: BTreeSet<PersonId>,
    /// The people who are ready, and since when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ready: Vec<SaidReady>,
}

/// A person's statement that their team is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidReady {
    /// The person.
    pub person: PersonId,
    /// When.
    pub at: Timestamp,
}
