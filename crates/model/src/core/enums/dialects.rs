//! The clients of other systems that are answered in their own protocol.

use serde::{Deserialize, Serialize};

words! {
    /// The protocol of another system that its clients speak.
    DialectName {
        /// The Table API and the Change Management API of ServiceNow.
        Servicenow = "servicenow",
    }
}

impl Default for DialectName {
    fn default() -> Self {
        Self::Servicenow
    }
}
