//! The clients of other systems that are answered in their own protocol.

use serde::{Deserialize, Serialize};

words! {
    /// The protocol of another system that its clients speak.
    #[derive(Default)]
    DialectName {
        /// The Table API and the Change Management API of ServiceNow.
        #[default]
        Servicenow = "servicenow",
    }
}
