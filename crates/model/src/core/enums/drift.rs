//! The values of drift and of canaries.

use serde::{Deserialize, Serialize};

words! {
    /// The state of a drift finding.
    DriftState {
        /// Nobody has decided about it.
        Open = "open",
        /// The outcome is decided.
        Decided = "decided",
        /// It needs nobody.
        Closed = "closed",
    }
    /// The outcome of a drift finding.
    DriftOutcome {
        /// It stays, under an emergency change.
        AcceptAsEmergency = "accept_as_emergency",
        /// It stays, and a retrospective change reports it.
        ReportAfterwards = "report_afterwards",
        /// It is taken back.
        Revert = "revert",
    }
    /// How a finding of drift was closed.
    DriftEnding {
        /// The difference is no longer there.
        Gone = "gone",
        /// A change or a permit explains it.
        Explained = "explained",
        /// A baseline expects it.
        Expected = "expected",
    }
    /// The result of a canary.
    WatchResult {
        /// The new version is as good as the old one.
        Passed = "passed",
        /// It is not.
        Failed = "failed",
        /// It could not be judged, which is no pass.
        Inconclusive = "inconclusive",
    }
}
