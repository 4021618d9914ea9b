//! The clients of other systems that are answered in their own protocol.

use serde::{Deserialize, Serialize};

words! {
    /// The protocol of another system that its clients speak.
    #[derive(Default)]
    DialectName {
        /// The Table API and the Change Management API of ServiceNow.
        #[default]
        Servicenow = "servicenow",
        /// The change control of ServiceNow DevOps, as its steps for pipelines call it.
        ServicenowDevops = "servicenow_devops",
        /// The deployments and builds of Jira Cloud, with the gating of deployments.
        Jira = "jira",
        /// The command line of Kosli: attestations, artifacts and assertions.
        Kosli = "kosli",
    }

    /// What a run of another system is.
    OutsideRunKind {
        /// A deployment that waits for its change.
        Deployment = "deployment",
        /// A build, or what a run of a pipeline built for a service.
        Build = "build",
        /// An artifact that was registered for a service.
        Artifact = "artifact",
        /// A package of artifacts.
        Package = "package",
    }
}
