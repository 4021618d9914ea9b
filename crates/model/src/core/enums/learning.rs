//! The values of learning from incidents: links between records, problems, reviews and root causes.

use serde::{Deserialize, Serialize};

words! {
    /// How two records of any kind relate, read from the first to the second.
    RelationKind {
        /// The first caused the second.
        Caused = "caused",
        /// The second fixed the first.
        FixedBy = "fixed_by",
        /// They belong together, in either direction.
        Related = "related",
        /// The first is the second once more.
        DuplicateOf = "duplicate_of",
        /// The first waits for the second.
        BlockedBy = "blocked_by",
    }
    /// The kind of record at an end of a link.
    RelationEnd {
        /// A change.
        Change = "change",
        /// An incident.
        Incident = "incident",
        /// A problem.
        Problem = "problem",
        /// A finding of drift.
        Drift = "drift",
        /// A deployment.
        Deployment = "deployment",
        /// A vendor's notice of its own maintenance.
        VendorNotice = "vendor_notice",
        /// A record of another system.
        Outside = "outside",
    }
    /// Where a link comes from.
    RelationOrigin {
        /// A person set it.
        Person = "person",
        /// A rule of the product set it.
        Rule = "rule",
        /// A connected system sent it.
        Source = "source",
    }
    /// The common point of recurring failures.
    RecurrenceKind {
        /// The service and the root cause.
        Cause = "cause",
        /// The fingerprint of the alert.
        Alert = "alert",
        /// The service and the step of the plan that failed.
        Step = "step",
        /// The template.
        Template = "template",
        /// A person recorded the problem; its cases are named.
        Named = "named",
    }
    /// Where a problem is on its way.
    ProblemState {
        /// Failures recurred; nobody decided yet.
        Proposed = "proposed",
        /// It is no problem, for a reason.
        Dismissed = "dismissed",
        /// A change is to fix it.
        Open = "open",
        /// Its fix succeeded and recurrence was judged.
        Closed = "closed",
    }
    /// How a review judges the risk that a change was rated with.
    RiskRating {
        /// It was higher.
        TooLow = "too_low",
        /// It was right.
        Right = "right",
        /// It was lower.
        TooHigh = "too_high",
    }
    /// Where the decision about a quarterly adjustment is.
    AdjustmentState {
        /// Something was found; nobody decided yet.
        Proposed = "proposed",
        /// Nothing was found.
        NothingFound = "nothing_found",
        /// A configuration was proposed because of it.
        Adopted = "adopted",
        /// It changes nothing, for a reason.
        Declined = "declined",
    }
    /// The finding of a quarter's comparison.
    FindingKind {
        /// A rule applied to many changes and found nothing.
        UselessRule = "useless_rule",
        /// Changes below high risk failed more often than all others.
        UnderRuled = "under_ruled",
        /// Reviews find the risk of a cell of the table too low.
        RatedTooLow = "rated_too_low",
        /// Reviews find it too high.
        RatedTooHigh = "rated_too_high",
    }
    /// A feature of a change that a root cause concerns; each is an input of the forecast of failure.
    CauseFeature {
        /// More than one target.
        SeveralTargets = "several_targets",
        /// More than one service.
        SeveralServices = "several_services",
        /// Its complexity is high.
        HighComplexity = "high_complexity",
        /// Its highest impact is high.
        HighImpact = "high_impact",
        /// It touches something sensitive.
        Sensitive = "sensitive",
        /// A schema changes.
        Schema = "schema",
        /// It is an emergency.
        Emergency = "emergency",
        /// It follows a template.
        Standard = "standard",
        /// It is expedited.
        Expedited = "expedited",
        /// It has no rollback plan.
        NoRollbackPlan = "no_rollback_plan",
        /// People will notice it.
        Disruption = "disruption",
    }
}
