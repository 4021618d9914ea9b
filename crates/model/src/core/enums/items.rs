//! The values of action items and audits.

use serde::{Deserialize, Serialize};

words! {
    /// The kind of an action item. The list grows with the rules that open items.
    ActionKind {
        /// Validate work under a break-glass.
        ValidateBreakGlass = "validate_break_glass",
        /// Confirm or deny a change that was recorded after its work.
        ConfirmRetrospective = "confirm_retrospective",
        /// Sign one's part of a review of access.
        ReviewAccess = "review_access",
        /// Resolve a violation that a control rule found.
        ResolveViolation = "resolve_violation",
        /// Improve something that a review named.
        Improve = "improve",
        /// Decide about a difference between the recorded and the actual state.
        DecideDrift = "decide_drift",
        /// Decide about changes that are in each other's way.
        DecideConflict = "decide_conflict",
        /// Acknowledge a communication or a notice.
        Acknowledge = "acknowledge",
        /// Something that a person opened.
        Other = "other",
    }
    /// The state of an action item. Overdue is no state: it follows from the due time.
    ActionState {
        /// It waits for its owner.
        Open = "open",
        /// Its owner has seen it.
        Acknowledged = "acknowledged",
        /// It is done.
        Done = "done",
        /// Nothing is to be done, for a reason.
        Dismissed = "dismissed",
    }
    /// The kind of record that an action item is about.
    #[derive(Default)]
    AboutKind {
        /// A change, by its key.
        Change = "change",
        /// An incident, by its key.
        Incident = "incident",
        /// A problem, by its key.
        Problem = "problem",
        /// A service, by its key.
        Service = "service",
        /// A freeze, by its id.
        Freeze = "freeze",
        /// A board, by the key of its group.
        Board = "board",
        /// A meeting of a board, by its id.
        Meeting = "meeting",
        /// A vendor, by its key.
        Vendor = "vendor",
        /// A part of a review of access, by its id.
        AccessReview = "access_review",
        /// A conflict, by its id.
        Conflict = "conflict",
        /// A drift, by its id.
        Drift = "drift",
        /// An announcement, by its id.
        Announcement = "announcement",
        /// Anything else, or nothing.
        #[default]
        Other = "other",
    }
    /// How an action item is settled.
    Closing {
        /// By its condition alone: nobody ticks it off.
        Condition = "condition",
        /// By its condition, or dismissed as a false positive by an uninvolved person.
        ConditionOrDismissal = "condition_or_dismissal",
        /// By an uninvolved person, with a reason: remedied, or dismissed as a false positive.
        Uninvolved = "uninvolved",
        /// By its owner, with a reason.
        Person = "person",
    }
    /// How much something matters that is found.
    Severity {
        /// A control did not work.
        High = "high",
        /// A control worked late or in part.
        Medium = "medium",
        /// Worth a look.
        Low = "low",
    }
    /// An auditor's conclusion about a change of a sample.
    AuditVerdict {
        /// The control worked.
        Effective = "effective",
        /// It did not.
        Exception = "exception",
        /// It does not concern this change.
        NotApplicable = "not_applicable",
    }
    /// An auditor's result for a question of a control about a change.
    AuditAnswer {
        /// The comparison holds.
        Held = "held",
        /// It is not.
        Exception = "exception",
        /// The question does not apply to the change.
        NotApplicable = "not_applicable",
    }
    /// The regimes that set retention times.
    RetentionRegime {
        /// Sarbanes-Oxley: the records of an audit.
        Sox = "sox",
        /// HIPAA: the documentation of safeguards.
        Hipaa = "hipaa",
        /// PCI DSS: the history of an audit log.
        PciDss = "pci_dss",
        /// The organisation itself.
        Own = "own",
    }
    /// Which records a retention rule is about.
    KeptKind {
        /// Texts and evidence files of changes that have ended.
        Change = "change",
        /// Raw bodies of deliveries.
        Delivery = "delivery",
    }
}

impl ActionState {
    /// Whether something is still to be done.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Acknowledged)
    }
}

impl ActionKind {
    /// Whether nobody else can do it: the record that the item is about names its owner.
    #[must_use]
    pub fn has_fixed_owner(self) -> bool {
        matches!(self, Self::ConfirmRetrospective | Self::ReviewAccess)
    }
}
