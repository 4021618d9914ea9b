//! The values of systems beside this one: their kinds, the progress of their changes, and their comparison.

use serde::{Deserialize, Serialize};

words! {
    /// The kind of system from which changes are read.
    #[derive(Default)]
    ForeignKind {
        /// The Table API of ServiceNow, or of a compatible system.
        #[default]
        Servicenow = "servicenow",
        /// The search of Jira Cloud by JQL.
        Jira = "jira",
    }
    /// How far a change of another system has come.
    ForeignPhase {
        /// It is written, assessed or waits for approvals.
        Waiting = "waiting",
        /// It was approved.
        Approved = "approved",
        /// The work has begun.
        Started = "started",
        /// The work has ended.
        Ended = "ended",
        /// It was rejected or cancelled.
        Stopped = "stopped",
        /// Its state there is not known here.
        Unknown = "unknown",
    }
    /// How the decision of another system compares with the rules here.
    ForeignDifference {
        /// Both let it go, or both stopped it.
        Same = "same",
        /// They let it go, and the rules here would have stopped it.
        WouldStop = "would_stop",
        /// They stopped it, and the rules here would have let it go.
        WouldLetGo = "would_let_go",
        /// It could not be judged here.
        NotJudged = "not_judged",
        /// They have not decided yet.
        Undecided = "undecided",
    }
}
