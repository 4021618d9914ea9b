//! The clients of other systems that are answered in their own protocol.

use serde::{Deserialize, Serialize};

words! {
    /// The protocol of another system that its clients speak.
    DialectName {
        /// The Table, Change Management and DevOps APIs of ServiceNow.
        Servicenow = "servicenow",
        /// The deployment and build APIs of Jira Cloud.
        Jira = "jira",
    }
}

impl Default for DialectName {
    fn default() -> Self {
        Self::Servicenow
    }
}
