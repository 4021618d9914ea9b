//! The values of conflicts between plans and of free times.

use serde::{Deserialize, Serialize};

words! {
    /// Why two plans cannot both be as planned.
    ConflictKind {
        /// Both touch the same service in the same environment, or the same config item.
        SameItem = "same_item",
        /// A service of the one needs a service of the other.
        Dependency = "dependency",
        /// Both store data in the same place, within two steps.
        SharedData = "shared_data",
        /// The same person is needed by both.
        People = "people",
        /// Both are in an environment that takes one change at a time.
        Environment = "environment",
        /// Maintenance of an imported calendar lies over it.
        Maintenance = "maintenance",
    }
    /// The state of a kept conflict.
    ConflictState {
        /// It waits for its arbiter.
        Open = "open",
        /// Its arbiter decided, and the decision binds both changes.
        Decided = "decided",
        /// The changes no longer meet.
        Gone = "gone",
    }
    /// How a conflict is decided.
    ConflictDecision {
        /// One of the two changes moves.
        OneMoves = "one_moves",
        /// Both stay as planned.
        BothStay = "both_stay",
        /// Both are done in one window, with the same planned times.
        OneWindow = "one_window",
    }
    /// A term by which free times are ranked.
    SlotTerm {
        /// Whether the time lies in a maintenance window.
        Window = "window",
        /// Whether the people of the change work then.
        Hours = "hours",
        /// Whether the people of the change are away then.
        Absence = "absence",
        /// Whether a member of the teams of its services is on call then.
        OnCall = "on_call",
        /// How much else is planned on that day.
        Load = "load",
        /// How many users its services have then.
        Users = "users",
        /// How long the change waits until then.
        Wait = "wait",
    }
}
