//! A service whose changes another system leads, and what the gate says of its change there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::ForeignKind;
use crate::core::ids::RecordId;

/// The system that leads the changes of a service instead of Assent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedElsewhere {
    /// The id of the system beside this one.
    pub system: RecordId,
    /// What kind of system it is.
    pub kind: ForeignKind,
    /// From when on it leads.
    pub since: Timestamp,
}

/// On whose word the gate answered for a service that another system leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedBy {
    /// The id of the system beside this one.
    pub system: RecordId,
    /// What kind of system it is.
    pub kind: ForeignKind,
    /// The key there of the change that the answer is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
}

impl ForeignKind {
    /// The name of its maker's product.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Servicenow => "ServiceNow",
            Self::Jira => "Jira",
        }
    }
}
