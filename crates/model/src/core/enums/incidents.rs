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
    /// What is known of an incident and changes.
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
        /// The points tell no more than the share of confirmed candidates.
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
