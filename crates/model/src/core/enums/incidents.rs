//! The values of incidents and their timelines.

use serde::{Deserialize, Serialize};

words! {
    /// The kind of an incident.
    IncidentKind {
        /// A service does not do what it should.
        Service = "service",
        /// Somebody attacks, or has got in.
        Security = "security",
    }
    /// The state of an incident.
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
    /// The kind of an entry in an incident's timeline.
    TimelineKind {
        /// A person's note.
        Note = "note",
        /// A delivery of a source.
        Alert = "alert",
        /// A change of its state.
        State = "state",
        /// A change of its severity.
        Severity = "severity",
        /// A change of its commander.
        Command = "command",
        /// An effect of its freeze.
        Freeze = "freeze",
        /// A signature of its commander.
        Signature = "signature",
    }
    /// The known relation between an incident and a change.
    ChangeRelation {
        /// It began after changes that may have led to it; nobody judged all of them yet.
        Suspected = "suspected",
        /// A change led to it.
        Confirmed = "confirmed",
        /// People cleared every change that may have led to it.
        Cleared = "cleared",
    }
    /// Why candidates of incidents have no probability.
    CauseGap {
        /// People judged too few candidates.
        TooFew = "too_few",
        /// People confirmed, or cleared, too few of them.
        OneSided = "one_sided",
        /// The points predict no better than the share of confirmed candidates.
        NotBetter = "not_better",
    }
    /// Where the hours come from that candidates of an incident are looked for.
    WindowOrigin {
        /// The usual hours.
        Usual = "usual",
        /// They follow from what led to earlier incidents of the service.
        Learned = "learned",
        /// A person set them for the service.
        Set = "set",
    }
}
