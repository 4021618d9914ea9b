//! The closed words of incidents and their timelines.

use serde::{Deserialize, Serialize};

words! {
    /// What an incident is about.
    IncidentKind {
        /// A service does not do what it should.
        Service = "service",
        /// Somebody attacks, or has got in.
        Security = "security",
    }
    /// Where an incident stands.
    IncidentState {
        /// It goes on.
        Open = "open",
        /// Its effect is contained; its cause is not removed.
        Mitigated = "mitigated",
        /// It is over.
        Resolved = "resolved",
        /// Nothing is left to be done.
        Closed = "closed",
    }
    /// What an entry of an incident's timeline tells.
    TimelineKind {
        /// What a person noted.
        Note = "note",
        /// What a source delivered.
        Alert = "alert",
        /// That its state moved.
        State = "state",
        /// That its severity moved.
        Severity = "severity",
        /// Who commands it.
        Command = "command",
        /// What its freeze did.
        Freeze = "freeze",
        /// What its commander signed.
        Signature = "signature",
    }
}
