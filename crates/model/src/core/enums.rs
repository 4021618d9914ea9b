//! The closed sets of values: each is an enum whose JSON form is its snake_case name.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every value, in the order of its meaning.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The value in the API.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(format!("`{text}` is none of: {}", [$($text),+].join(", "))),
                }
            }
        }
    )+};
}

mod boards;
mod checks;
mod communication;
mod dialects;
mod drift;
mod events;
mod foreign;
mod incidents;
mod items;
mod learning;
mod monitoring;
mod planning;
mod reports;
mod usual;
mod vendors;
mod waves;

pub use boards::{AgendaState, ItemListing, ItemOutcome, ListingGround};
pub use checks::{ItemKind, ProbeReads, SecurityQuestion};
pub use communication::{Audience, CommunicationStage, LetterLanguage};
pub use dialects::{DialectName, OutsideRunKind};
pub use drift::{DriftEnding, DriftOutcome, DriftState, WatchResult};
pub use events::EventKind;
pub use foreign::{ForeignDifference, ForeignKind, ForeignPhase};
pub use incidents::{CauseGap, ChangeRelation, IncidentKind, IncidentState, TimelineKind, WindowOrigin};
pub use items::{
    AboutKind, ActionKind, ActionState, AuditAnswer, AuditVerdict, Closing, KeptKind, RetentionRegime, Severity,
};
pub use learning::{AdjustmentState, FindingKind};
pub use learning::{CauseFeature, ProblemState, RecurrenceKind, RelationEnd, RelationKind, RelationOrigin, RiskRating};
pub use monitoring::{ObjectiveBound, ObjectiveResult};
pub use planning::{ConflictDecision, ConflictKind, ConflictState, SlotTerm};
pub use reports::{BudgetPeriod, ReportFigure, ReportFormat, ReportSpan, Rhythm, TemplatePart, WaitOf};
pub use vendors::{NoticeImpact, NoticeState, ParityMeasure, ParityVerdict};
pub use waves::{GoDecision, MemberState, WaveStopCause};

words! {
    /// How often a review of access begins by itself.
    Period {
        /// Each month.
        Month = "month",
        /// Four times a year.
        Quarter = "quarter",
        /// Twice a year.
        HalfYear = "half_year",
        /// Once a year.
        Year = "year",
        /// Only when somebody begins it.
        Never = "never",
    }
    /// A fact of a change that is stated and derived, where stating less than what is derived waits for an approver.
    RatedFact {
        /// The impact on data.
        Data = "impact.data",
        /// The impact on availability.
        Availability = "impact.availability",
        /// The impact on compliance.
        Compliance = "impact.compliance",
        /// How hard it is.
        Complexity = "complexity",
        /// The sensitive things that it touches.
        Touches = "touches",
        /// The level that the assessment states against the table.
        RiskOverride = "risk_override",
    }
    /// The kinds of warnings before a decision on a change.
    WarningKind {
        /// A freeze stops it.
        Freeze = "freeze",
        /// A freeze would stop it, and lets it pass.
        FreezePassed = "freeze_passed",
        /// It conflicts with another change, or with maintenance.
        Conflict = "conflict",
        /// A break-glass replaces its conditions, or waits for the second signature.
        BreakGlass = "break_glass",
        /// A condition that a break-glass replaced.
        Bypassed = "bypassed",
        /// An item of its checklist that was waived.
        Waived = "waived",
        /// Evidence that failed or has no result, and was accepted.
        AcceptedEvidence = "accepted_evidence",
        /// A fact that it states below what is derived.
        LoweredRisk = "lowered_risk",
        /// Its planned undo lies in a freeze or conflicts, or the planned undo of another change conflicts with it.
        PlannedUndo = "planned_undo",
    }
    /// How far a freeze reaches beyond the services that it names.
    FreezeReach {
        /// Not at all.
        None = "none",
        /// To the services that need them, near and far.
        Dependants = "dependants",
    }
    /// How the months of a fiscal year are cut.
    FiscalMonths {
        /// As civil months, from the year's first day on.
        Civil = "civil",
        /// Quarters of 4, 4 and 5 weeks.
        W445 = "4-4-5",
        /// Quarters of 4, 5 and 4 weeks.
        W454 = "4-5-4",
        /// Quarters of 5, 4 and 4 weeks.
        W544 = "5-4-4",
    }
    /// A step of a freeze that is agreed with the business.
    FreezeStage {
        /// Its business owner has to decide; it stops nothing.
        Proposed = "proposed",
        /// Its business owner declined it; it stops nothing.
        Declined = "declined",
        /// Its business owner agreed; it stops nothing before it is announced.
        Agreed = "agreed",
        /// The owners of the changes that it hits are notified; it counts from now on.
        Announced = "announced",
        /// It has begun.
        InForce = "in_force",
        /// It is over, or was taken back.
        Ended = "ended",
    }
    /// The decision of a freeze's business owner.
    FreezeAnswer {
        /// Yes.
        Agree = "agree",
        /// No.
        Decline = "decline",
    }
    /// The effect of a freeze on a change.
    FreezeFate {
        /// It waits in the freeze.
        Stopped = "stopped",
        /// It got another time, or was cancelled.
        Moved = "moved",
        /// Somebody excepted it.
        Excepted = "excepted",
        /// It passed by its risk.
        LetThrough = "let_through",
        /// Its work began although the freeze lies over it: before the freeze, or as an emergency.
        UnderWay = "under_way",
    }
    /// The interval of a repetition.
    Recurrence {
        /// Each day.
        Daily = "daily",
        /// Each week.
        Weekly = "weekly",
        /// Each month.
        Monthly = "monthly",
        /// Four times a year.
        Quarterly = "quarterly",
        /// Each year.
        Yearly = "yearly",
    }
    /// How a change is governed (ITIL).
    Kind {
        /// Judged case by case.
        Normal = "normal",
        /// Pre-approved by a template.
        Standard = "standard",
        /// Cannot wait: an incident or a threat drives it.
        Emergency = "emergency",
    }
    /// The state of a change.
    State {
        /// Being written.
        Draft = "draft",
        /// Risk and impact are being assessed.
        Assessing = "assessing",
        /// Approvals are requested.
        Authorizing = "authorizing",
        /// All rules on *what* are met.
        Approved = "approved",
        /// All rules on *when* are met too.
        Scheduled = "scheduled",
        /// Work is under way.
        Implementing = "implementing",
        /// Every target has an outcome; validation and review follow.
        Reviewing = "reviewing",
        /// Done; only addenda follow.
        Closed = "closed",
        /// An approver rejected it.
        Rejected = "rejected",
        /// Taken back before the start.
        Cancelled = "cancelled",
    }
    /// A level of impact, complexity or risk.
    Level {
        /// Nothing at stake.
        None = "none",
        /// Little.
        Low = "low",
        /// Noticeable.
        Medium = "medium",
        /// Grave.
        High = "high",
    }
    /// The subject area of a change.
    Category {
        /// An application's code.
        Application = "application",
        /// Settings.
        Configuration = "configuration",
        /// A database.
        Database = "database",
        /// Machines and platforms.
        Infrastructure = "infrastructure",
        /// Networks.
        Network = "network",
        /// Security controls.
        Security = "security",
        /// Data itself.
        Data = "data",
        /// Buildings and power.
        Facility = "facility",
        /// Anything else.
        Other = "other",
    }
    /// A sensitive thing that a change touches.
    Touch {
        /// Privileged accounts.
        PrivilegedAccess = "privileged_access",
        /// Cryptographic keys.
        CryptoKeys = "crypto_keys",
        /// A database schema.
        Schema = "schema",
        /// Network paths.
        Network = "network",
        /// Personal data.
        PersonalData = "personal_data",
    }
    /// The disruption for users.
    Disruption {
        /// Nothing.
        None = "none",
        /// Slower or less.
        Degraded = "degraded",
        /// Reading works, writing does not.
        ReadOnly = "read_only",
        /// Nothing works.
        Outage = "outage",
    }
    /// How a target or a change ended.
    Outcome {
        /// As planned.
        Succeeded = "succeeded",
        /// It works, with issues.
        SucceededWithIssues = "succeeded_with_issues",
        /// Only in part.
        PartiallyImplemented = "partially_implemented",
        /// Taken back.
        RolledBack = "rolled_back",
        /// Taking it back failed: the target stays open for a further rollback or a repair.
        RollbackFailed = "rollback_failed",
        /// Tried and failed.
        Failed = "failed",
        /// Never done.
        NotImplemented = "not_implemented",
    }
    /// Why a change was an emergency.
    EmergencyCause {
        /// An incident had to be ended.
        Incident = "incident",
        /// A threat had to be averted.
        Threat = "threat",
        /// It could have been planned.
        BadPlanning = "bad_planning",
        /// Capacity ran out.
        Capacity = "capacity",
        /// A freeze would have stopped it.
        FreezeAvoidance = "freeze_avoidance",
        /// Nothing states it.
        Unknown = "unknown",
    }
    /// The decision of an approver.
    Decision {
        /// Yes.
        Approve = "approve",
        /// Yes, if.
        ApproveWithConditions = "approve_with_conditions",
        /// Back to draft, with a question.
        Return = "return",
        /// No.
        Reject = "reject",
        /// No decision either way.
        Abstain = "abstain",
    }
    /// The state of an approval.
    ApprovalState {
        /// It counts.
        Standing = "standing",
        /// An edit or an act voided it.
        Voided = "voided",
        /// Its author took it back.
        Withdrawn = "withdrawn",
        /// A later decision of the same person replaced it.
        Replaced = "replaced",
    }
    /// Which content a rule or an approval covers.
    Covers {
        /// All that the decision card shows.
        What = "what",
        /// The planned times.
        When = "when",
        /// Both.
        Both = "what_and_when",
    }
    /// The kind of a file of evidence.
    EvidenceKind {
        /// JUnit XML.
        Junit = "junit",
        /// SARIF static-analysis results.
        Sarif = "sarif",
        /// CycloneDX bill of materials.
        Cyclonedx = "cyclonedx",
        /// In-toto attestation.
        InToto = "in_toto",
        /// Any other file.
        File = "file",
        /// A person's note.
        Note = "note",
        /// The wish to go without evidence of an aspect, with the reason; counts once an owner and security agreed.
        Waiver = "waiver",
        /// The result of a probe.
        Probe = "probe",
        /// A canary verdict that a connection sent; people bring none.
        Verdict = "verdict",
    }
    /// The aspect that evidence is about.
    Aspect {
        /// Does it work?
        Functional = "functional",
        /// Does it fit what is around it?
        Compatibility = "compatibility",
        /// Is it secure?
        Security = "security",
        /// Can it be restored?
        Backup = "backup",
        /// Was the rollback rehearsed?
        Rehearsal = "rehearsal",
        /// Something else.
        Other = "other",
    }
    /// The result of evidence.
    EvidenceResult {
        /// It passed.
        Passed = "passed",
        /// It failed and satisfies nothing, unless an approver accepts it with a reason.
        Failed = "failed",
        /// It states no result.
        Informational = "informational",
        /// It cannot be judged and satisfies nothing, unless an approver accepts it with a reason.
        Unknown = "unknown",
    }
    /// Work given to a team.
    TaskKind {
        /// Before the start.
        Prepare = "prepare",
        /// Before the start: test.
        Test = "test",
        /// During the implementation.
        Implement = "implement",
        /// Before closing.
        Verify = "verify",
    }
    /// The state of a task.
    TaskState {
        /// To be done.
        Open = "open",
        /// Done.
        Done = "done",
        /// Not needed, with a reason.
        Dropped = "dropped",
    }
    /// A line in the log of actions.
    EntryKind {
        /// A step of the plan was done.
        Step = "step",
        /// A step began: of the plan, or of the rollback plan during a rollback.
        Begin = "begin",
        /// Something was done otherwise than planned.
        Deviation = "deviation",
        /// Something went wrong.
        Issue = "issue",
        /// A rollback: its begin, or one of its steps.
        Rollback = "rollback",
    }
    /// How two changes relate.
    LinkKind {
        /// The other is part of this one.
        ParentOf = "parent_of",
        /// The other must be finished first.
        DependsOn = "depends_on",
        /// This one follows the other up.
        FollowsUp = "follows_up",
        /// This one replaces the other.
        Replaces = "replaces",
        /// This one fixes what the other (or an incident) broke.
        Fixes = "fixes",
        /// This one caused the other (or an incident).
        Caused = "caused",
        /// Both ship in one release.
        InRelease = "in_release",
    }
    /// When a condition must be met.
    ConditionDue {
        /// Before the start.
        Start = "start",
        /// Before closing.
        Close = "close",
    }
    /// Whether the change does what it should.
    ValidationResult {
        /// Yes.
        Works = "works",
        /// No.
        DoesNot = "does_not",
    }
    /// The verdict of a peer review.
    PeerVerdict {
        /// Sound.
        Agree = "agree",
        /// Not sound.
        Disagree = "disagree",
    }
    /// The purpose of a permit or a gate check.
    Purpose {
        /// The way forward.
        Deploy = "deploy",
        /// The rollback.
        Rollback = "rollback",
    }
    /// A gate's decision.
    GateDecision {
        /// It may go.
        Go = "go",
        /// It may not.
        Stop = "stop",
    }
    /// Where a field's value came from.
    Origin {
        /// A person wrote it.
        Person = "person",
        /// A pipeline or a delivery reported it.
        Pipeline = "pipeline",
        /// The system worked it out.
        Derived = "derived",
    }
    /// A part in owning a service.
    OwnershipRole {
        /// Responsible for the service.
        Owner = "owner",
        /// Responsible for its technology.
        TechnicalLead = "technical_lead",
        /// Responsible for its security.
        Security = "security",
        /// Responsible for its data.
        Data = "data",
        /// May implement changes to it.
        Implementer = "implementer",
        /// A pipeline that may implement changes to it.
        Pipeline = "pipeline",
    }
    /// The meaning of an arrow between two things of the estate.
    DependencyKind {
        /// The first needs the second.
        DependsOn = "depends_on",
        /// The first runs on the second.
        RunsOn = "runs_on",
        /// The first is part of the second, and inherits its owners.
        PartOf = "part_of",
        /// The first stores its data in the second.
        StoresIn = "stores_in",
    }
    /// The kind of thing at an end of an arrow.
    NodeKind {
        /// A service.
        Service = "service",
        /// A config item.
        ConfigItem = "config_item",
    }
    /// The kind of a group of people.
    GroupKind {
        /// Any people.
        Group = "group",
        /// A team that runs services.
        Team = "team",
    }
    /// A day of the week.
    Day {
        /// Monday.
        Monday = "monday",
        /// Tuesday.
        Tuesday = "tuesday",
        /// Wednesday.
        Wednesday = "wednesday",
        /// Thursday.
        Thursday = "thursday",
        /// Friday.
        Friday = "friday",
        /// Saturday.
        Saturday = "saturday",
        /// Sunday.
        Sunday = "sunday",
    }
    /// The recipients of an escalation, in this order.
    EscalationStep {
        /// The deputies of late approvers.
        Deputies = "deputies",
        /// The people one line further up in the ownership matrix.
        Line = "line",
        /// The group that the rule names.
        Group = "group",
        /// The group that always exists: change managers, else administrators.
        Last = "last",
    }
    /// The type of a field that a tenant added.
    FieldKind {
        /// Text.
        Text = "text",
        /// One of its choices.
        Choice = "choice",
        /// A whole number.
        Number = "number",
        /// A day.
        Date = "date",
        /// A person, by login.
        Person = "person",
        /// A service, by key.
        Service = "service",
        /// A web address.
        Link = "link",
    }
    /// The noun of an import or an export.
    Noun {
        /// People.
        People = "people",
        /// Groups and teams.
        Groups = "groups",
        /// Services.
        Services = "services",
        /// Environments.
        Environments = "environments",
        /// Config items.
        ConfigItems = "config_items",
        /// Arrows of the graph.
        Dependencies = "dependencies",
        /// Rows of the ownership matrix.
        Ownerships = "ownerships",
    }
    /// A right that a person or a token holds in its tenant.
    Role {
        /// May create changes.
        Requester = "requester",
        /// Owns services.
        Owner = "owner",
        /// Security.
        Security = "security",
        /// Runs the process.
        ChangeManager = "change_manager",
        /// Does the work.
        Implementer = "implementer",
        /// Reads and verifies everything.
        Auditor = "auditor",
        /// Leads a major incident.
        Commander = "commander",
        /// Reads figures.
        Executive = "executive",
        /// Sets up people, connections and tokens.
        Admin = "admin",
        /// A delivery pipeline.
        Pipeline = "pipeline",
        /// An outside supplier.
        Vendor = "vendor",
    }
    /// How much depends on a service.
    Criticality {
        /// Little.
        Low = "low",
        /// Some.
        Medium = "medium",
        /// Much.
        High = "high",
        /// Everything.
        Critical = "critical",
    }
    /// The state of a template.
    TemplateState {
        /// Waits for its approvals.
        Proposed = "proposed",
        /// In use.
        Approved = "approved",
        /// Stopped for now.
        Suspended = "suspended",
        /// Ended.
        Retired = "retired",
    }
    /// The state of a gate check.
    CheckState {
        /// Decided for good.
        Settled = "settled",
        /// Waits for a go until its time is over.
        Waiting = "waiting",
        /// It turned go, and its permit has not been collected.
        Collectable = "collectable",
        /// It waited in vain.
        Over = "over",
    }
    /// The subject of a configuration.
    ConfigurationKind {
        /// A set of policies with its parameters.
        Policies = "policies",
        /// The risk table.
        RiskTable = "risk_table",
        /// The mapping from deployments to kinds of change.
        Mapping = "mapping",
        /// Rows of the ownership matrix.
        Ownership = "ownership",
        /// The times to acknowledge and to decide.
        SlaTable = "sla_table",
        /// How long changes are watched after their work.
        WatchTable = "watch_table",
        /// From which severity on an incident is major.
        MajorSeverity = "major_severity",
        /// How long texts, files and raw deliveries are kept.
        Retention = "retention",
    }
    /// Which texts an erasure takes.
    ErasureKind {
        /// All of a change that has ended: what people wrote and attached, and the letters about it.
        Texts = "texts",
        /// Texts of a change's former versions.
        FormerTexts = "former_texts",
        /// One comment, with its notifications.
        Comment = "comment",
    }
    /// The state of a configuration.
    ConfigurationState {
        /// Waits for a second person or an approved change.
        Proposed = "proposed",
        /// In force.
        Active = "active",
        /// Another came into force after it.
        Replaced = "replaced",
        /// Taken back before it was in force.
        Withdrawn = "withdrawn",
    }
    /// The end of a signing key.
    KeyRotationKind {
        /// Another key signs from then on; existing signatures stay good.
        Rotated = "rotated",
        /// It was stolen, or may have been: nothing that it signed is good any more.
        Revoked = "revoked",
    }
    /// A permit's state.
    PermitState {
        /// Good while it lives.
        Issued = "issued",
        /// Revoked.
        Revoked = "revoked",
    }
}

impl State {
    /// Whether the change has ended for good.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::Cancelled)
    }

    /// Whether work has not begun and may still begin: draft to scheduled.
    pub fn is_before_start(self) -> bool {
        self <= Self::Scheduled
    }

    /// Whether it counts as open: not closed, cancelled or rejected.
    pub fn is_open(self) -> bool {
        self < Self::Closed
    }
}

impl Outcome {
    /// Whether this counts as a success.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::SucceededWithIssues)
    }

    /// Whether a target that ended so is done. After a failed rollback something is still to be done.
    pub fn is_final(self) -> bool {
        self != Self::RollbackFailed
    }
}

impl Covers {
    /// Whether *what* is covered.
    pub fn what(self) -> bool {
        matches!(self, Self::What | Self::Both)
    }

    /// Whether *when* is covered.
    pub fn when(self) -> bool {
        matches!(self, Self::When | Self::Both)
    }
}
