//! The values of security questions, checklist items and probes.

use serde::{Deserialize, Serialize};

words! {
    /// A security question of an assessment.
    SecurityQuestion {
        /// Does it open new ports or network paths?
        OpenPorts = "open_ports",
        /// Does it give new rights?
        Rights = "rights",
        /// Does data flow to where it did not before?
        DataFlows = "data_flows",
        /// Does it bring in a third party?
        ThirdParties = "third_parties",
        /// Does it make, move or show secrets?
        Secrets = "secrets",
    }
    /// How an item of a checklist is checked.
    ItemKind {
        /// Somebody ticks it.
        Manual = "manual",
        /// Evidence shows it.
        Evidence = "evidence",
        /// A configured address gets a request.
        Probe = "probe",
    }
    /// The meaning of the value in a probe's response.
    ProbeReads {
        /// An age in seconds.
        AgeSeconds = "age_seconds",
        /// An age in minutes.
        AgeMinutes = "age_minutes",
        /// An age in hours.
        AgeHours = "age_hours",
        /// A time (RFC 3339).
        Time = "time",
    }
}
