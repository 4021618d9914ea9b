//! The acts of the business on a change, by name. The names are also the actions of the policies.

use serde::{Deserialize, Serialize};

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// An act on a change: one name in code, policies, refusals and events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Act { $($(#[$doc])* #[serde(rename = $text)] $name),+ }

        impl Act {
            /// Every act.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The act's name in policies and refusals.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

acts! {
    /// Make a change.
    Create = "create_change",
    /// Change its content.
    Edit = "edit_change",
    /// Submit it for assessment.
    Submit = "submit_change",
    /// State risk and impact.
    Assess = "assess_change",
    /// Acknowledge an approval request.
    Acknowledge = "acknowledge_change",
    /// Decide: approve, approve with conditions, reject, abstain.
    Approve = "approve_change",
    /// Take one's own decision back.
    Withdraw = "withdraw_approval",
    /// Back to draft with a question.
    Return = "return_change",
    /// Let others go on in spite of a rejection.
    Overrule = "overrule_rejection",
    /// Set the planned times.
    Schedule = "schedule_change",
    /// Pause it.
    Hold = "hold_change",
    /// Go on.
    Resume = "resume_change",
    /// Begin the work.
    Start = "start_change",
    /// Write into the log of actions.
    Record = "record_entry",
    /// Request more time.
    AskExtension = "ask_extension",
    /// Grant or deny it.
    DecideExtension = "decide_extension",
    /// Record the outcome of a target.
    Complete = "complete_change",
    /// Record whether the change works.
    Validate = "validate_change",
    /// The post-implementation review.
    Review = "review_change",
    /// Close it.
    Close = "close_change",
    /// Take it back before the start.
    Cancel = "cancel_change",
    /// Start without approvals, in the open.
    BreakGlass = "break_glass",
    /// Co-sign a break-glass where dual control applies.
    CosignBreakGlass = "cosign_break_glass",
    /// Validate a break-glass afterwards.
    ValidateBreakGlass = "validate_break_glass",
    /// Confirm a retrospective change.
    ConfirmRetrospective = "confirm_retrospective",
    /// State the finding on unauthorized work.
    StateFinding = "state_finding",
    /// Read plan and code as a peer.
    PeerReview = "peer_review_change",
    /// Add evidence.
    AddEvidence = "add_evidence",
    /// Accept failed evidence with a reason.
    AcceptEvidence = "accept_evidence",
    /// Tick a checklist item.
    TickChecklist = "tick_checklist",
    /// Confirm that a condition is met.
    MeetCondition = "meet_condition",
    /// Give work to a team.
    AddTask = "add_task",
    /// Finish or drop a task.
    UpdateTask = "update_task",
    /// Comment.
    Comment = "comment_change",
    /// Watch or stop watching.
    Watch = "watch_change",
    /// Link to another change or an incident.
    Link = "link_change",
    /// Collect a permit ahead of the window.
    IssuePermit = "issue_permit",
    /// Revoke a permit.
    RevokePermit = "revoke_permit",
    /// Change uncovered labels.
    Label = "label_change",
}

impl Act {
    /// The act of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|act| act.as_str() == name)
    }

    /// The act as a verb phrase that follows “to”.
    #[must_use]
    pub fn doing(self) -> &'static str {
        match self {
            Self::Create => "create it",
            Self::Edit => "edit it",
            Self::Submit => "submit it",
            Self::Assess => "assess it",
            Self::Acknowledge => "acknowledge it",
            Self::Approve => "approve it",
            Self::Withdraw => "withdraw a decision",
            Self::Return => "return it",
            Self::Overrule => "overrule a rejection",
            Self::Schedule => "schedule it",
            Self::Hold => "hold it",
            Self::Resume => "resume it",
            Self::Start => "start it",
            Self::Record => "record what was done",
            Self::AskExtension => "request an extension",
            Self::DecideExtension => "decide on an extension",
            Self::Complete => "complete it",
            Self::Validate => "validate it",
            Self::Review => "review it",
            Self::Close => "close it",
            Self::Cancel => "cancel it",
            Self::BreakGlass => "use break-glass",
            Self::CosignBreakGlass => "co-sign a break-glass",
            Self::ValidateBreakGlass => "validate a break-glass",
            Self::ConfirmRetrospective => "confirm work reported afterwards",
            Self::StateFinding => "state a finding",
            Self::PeerReview => "review it as a peer",
            Self::AddEvidence => "add evidence",
            Self::AcceptEvidence => "accept failed evidence",
            Self::TickChecklist => "tick an item of a checklist",
            Self::MeetCondition => "meet a condition",
            Self::AddTask => "add a task",
            Self::UpdateTask => "update a task",
            Self::Comment => "comment on it",
            Self::Watch => "watch it",
            Self::Link => "link it",
            Self::IssuePermit => "issue a permit",
            Self::RevokePermit => "revoke a permit",
            Self::Label => "label it",
        }
    }

    /// The kinds of events that record the act, for acts that move a change, judge it or let something through; a later set of
    /// policies can be tried on these. Decisions keep their own facts, and records beside a change keep none.
    #[must_use]
    pub fn told_as(self) -> &'static [&'static str] {
        match self {
            Self::Create => &["change.created"],
            Self::Edit | Self::Schedule => &["change.edited"],
            Self::Submit => &["change.submitted"],
            Self::Assess => &["change.assessed"],
            Self::Return => &["change.returned"],
            Self::Overrule => &["change.rejection_overruled"],
            Self::Start => &["change.implementing"],
            Self::IssuePermit => &["permit.issued", "permit.consumed"],
            Self::DecideExtension => &["extension.granted", "extension.denied"],
            Self::Complete => &["change.completed", "target.completed"],
            Self::Validate => &["change.validated"],
            Self::Review => &["change.reviewed"],
            Self::Close => &["change.closed"],
            Self::Cancel => &["change.cancelled"],
            Self::BreakGlass => &["break_glass.opened"],
            Self::CosignBreakGlass => &["break_glass.cosigned"],
            Self::ValidateBreakGlass => &["break_glass.validated"],
            Self::ConfirmRetrospective => &["change.retrospective_answered"],
            Self::StateFinding => &["change.finding_stated"],
            Self::PeerReview => &["peer_review.given"],
            Self::AcceptEvidence => &["evidence.accepted"],
            _ => &[],
        }
    }

    /// Whether obligations of the policies are due at this act.
    #[must_use]
    pub fn is_a_step(self) -> bool {
        matches!(self, Self::Start | Self::IssuePermit | Self::Close)
    }

    /// Whether the act is a judgement on a change rather than work on it.
    #[must_use]
    pub fn judges(self) -> bool {
        matches!(
            self,
            Self::Approve
                | Self::Overrule
                | Self::DecideExtension
                | Self::Validate
                | Self::CosignBreakGlass
                | Self::ValidateBreakGlass
                | Self::ConfirmRetrospective
                | Self::StateFinding
                | Self::PeerReview
                | Self::AcceptEvidence
                | Self::MeetCondition
        )
    }
}

/// Actions of the policies that are not about one change.
pub mod actions {
    /// See changes, services and the like of one's tenant.
    pub const READ: &str = "read";
    /// Read the log, export bundles.
    pub const AUDIT: &str = "audit";
    /// Make a gate request.
    pub const ASK_GATE: &str = "ask_gate";
    /// Set or end freezes.
    pub const SET_FREEZE: &str = "set_freeze";
    /// Set maintenance windows.
    pub const SET_WINDOW: &str = "set_window";
    /// Open and resolve incidents.
    pub const SET_INCIDENT: &str = "set_incident";
    /// Set services, config items, environments, dependencies.
    pub const SET_SERVICE: &str = "set_service";
    /// Set ownership.
    pub const SET_OWNERSHIP: &str = "set_ownership";
    /// Set people and groups.
    pub const SET_PERSON: &str = "set_person";
    /// Make and revoke tokens.
    pub const SET_TOKEN: &str = "set_token";
    /// Set connections.
    pub const SET_CONNECTION: &str = "set_connection";
    /// Propose templates.
    pub const PROPOSE_TEMPLATE: &str = "propose_template";
    /// Approve, suspend, retire templates.
    pub const APPROVE_TEMPLATE: &str = "approve_template";
    /// Open and end meetings of boards, put people on call.
    pub const SET_MEETING: &str = "set_meeting";
    /// Activate policies and the risk table.
    pub const SET_POLICY: &str = "set_policy";
    /// All of them.
    pub const ALL: &[&str] = &[
        READ,
        AUDIT,
        ASK_GATE,
        SET_FREEZE,
        SET_WINDOW,
        SET_INCIDENT,
        SET_SERVICE,
        SET_OWNERSHIP,
        SET_PERSON,
        SET_TOKEN,
        SET_CONNECTION,
        PROPOSE_TEMPLATE,
        APPROVE_TEMPLATE,
        SET_POLICY,
        SET_MEETING,
    ];
}
