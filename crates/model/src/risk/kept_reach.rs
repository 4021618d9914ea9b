//! The reach that a change keeps: the set that its assessment covered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::PersonId;

/// The set of things that a change reached when it was assessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptReach {
    /// The digest of the set: SHA-256 over its sorted list.
    pub digest: String,
    /// The number of things that fail with the change.
    pub count: i64,
    /// Whether the set also holds the things whose data the change may damage; older sets hold only the things that fail with
    /// it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_data: bool,
    /// The things, as `service:KEY` and `item:KEY`, and as `data:service:KEY` whose data may be damaged, sorted; absent where there
    /// are too many to keep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub things: Vec<String>,
    /// The time of the assessment.
    pub at: Timestamp,
    /// The time at which the graph reached more; the assessment is due again until somebody has reviewed that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grown_at: Option<Timestamp>,
    /// The people who left each of the excluded things out of the assessment, in the order of `excluded`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_by: Vec<ExcludedBy>,
}

/// The person who left something out of the assessment, and the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcludedBy {
    /// The person.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}
