//! Protocols of other systems that Assent serves for their clients.

use serde::{Deserialize, Serialize};

words! {
    /// The protocol of another system's clients.
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

    /// The kind of a run in another system.
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
