//! The values of waves: the state of a member, the cause of a stop, and the common decision on a maintenance.

use serde::{Deserialize, Serialize};

words! {
    /// The state of a member of a wave.
    MemberState {
        /// It is tried again: a failure was taken back for another try.
        Waiting = "waiting",
        /// The work on it has begun.
        InProgress = "in_progress",
        /// It has what the change brings.
        Succeeded = "succeeded",
        /// It failed.
        Failed = "failed",
        /// It failed and was rolled back to the previous version.
        RolledBack = "rolled_back",
        /// It was left out.
        NotImplemented = "not_implemented",
    }
    /// The cause of a stop of a change's waves.
    WaveStopCause {
        /// A person paused them.
        Person = "person",
        /// A wave has as many failures as the halt rule allows.
        Failures = "failures",
        /// An incident is open on a service of the change.
        Incident = "incident",
        /// A watch result is no pass.
        Watch = "watch",
    }
    /// The common decision on the changes of a maintenance.
    GoDecision {
        /// They may begin, in their order.
        Go = "go",
        /// None of them begins.
        NoGo = "no_go",
    }
}
