//! A service whose changes another system leads, and the gate's view of its change there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::ForeignKind;
use crate::core::ids::RecordId;

/// The system that leads the changes of a service instead of Assent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedElsewhere {
    /// The id of the system beside this one.
    pub system: RecordId,
    /// The kind of system.
    pub kind: ForeignKind,
    /// From when on it leads.
    pub since: Timestamp,
}

/// The source of the gate's decision for a service that another system leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedBy {
    /// The id of the system beside this one.
    pub system: RecordId,
    /// The kind of system.
    pub kind: ForeignKind,
    /// The key of the change in that system.
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
