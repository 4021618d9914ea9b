//! The obligations that the active policies put on a change, and their verdict on an act.
//!
//! A permit policy of Cedar's action `require` is one obligation; its annotations define it. The crate `policy` compiles them;
//! this module judges whether they are met.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::core::enums::{self, Aspect, Covers, Level, OwnershipRole};
use crate::core::ids::{self, GroupKey, PersonId};
use crate::core::refusal::PolicyReason;
use crate::directory::basis::Basis;
use crate::identity::factor::Wanted;
use crate::schedule::calendar::Span;

/// One requirement of the policies, due before a step of the lifecycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    /// The policy's id, `pack.name`.
    pub id: String,
    /// The policy's `@reason`: the purpose of the requirement, in one plain sentence.
    pub reason: String,
    /// The step before which it must be met.
    pub due: Due,
    /// The required duty.
    #[serde(flatten)]
    pub duty: Duty,
}

/// The step that an obligation holds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// Before the assessment ends and approvals are requested.
    Approval,
    /// Before implementation begins.
    Start,
    /// Before the change closes.
    Close,
}

/// The kinds of duty: the closed vocabulary of `@require`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "require", rename_all = "snake_case")]
pub enum Duty {
    /// `@require("approval")`: decisions by people with authority.
    Approval(ApprovalRule),
    /// `@require("evidence")`: passed evidence of this aspect.
    Evidence {
        /// The aspect that was tested.
        aspect: Aspect,
        /// The environment of the test, if the rule names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment: Option<String>,
    },
    /// `@require("peer_review")`: an agreeing review by one who neither wrote nor approves.
    PeerReview {
        /// How many agreeing reviews.
        count: u32,
        /// The group that the peer must belong to, if the rule names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<GroupKey>,
    },
    /// `@require("checklist")`: manual items to tick.
    Checklist {
        /// The items' texts, in order.
        items: Vec<String>,
    },
    /// `@require("item")`: one typed item of a checklist.
    Item {
        /// The subject of the check.
        title: String,
        /// How.
        #[serde(flatten)]
        check: ItemCheck,
        /// The people who own it.
        owner: Asked,
    },
    /// `@require("security_answers")`: the security questions that the change raises have responses.
    SecurityAnswers {},
    /// `@require("task")`: a task of this kind must exist and be done.
    Task {
        /// `prepare`, `test`, `implement` or `verify`.
        kind: enums::TaskKind,
        /// The subject of the task.
        title: String,
        /// Whether a first part must be watched before the rest follows: a plan of waves then leaves time for it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        watched: bool,
    },
    /// `@require("validation")`: a validator confirms that the change works (base obligation, due at close).
    Validation {
        /// The parties that may not validate.
        distinct_from: Vec<Party>,
        /// The people who may validate besides tester and owner.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Asked>,
    },
    /// `@require("review")`: the post-implementation review (due at close).
    Review {},
    /// `@require("lead_time")`: submission this long before the planned start, on the wall or in working time.
    LeadTime {
        /// The least time between submission and planned start.
        #[serde(flatten)]
        span: Span,
        /// The covered fields whose edit starts the time again; the usual fields by default.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<String>,
    },
    /// `@require("break_glass")`: how often a team may break the glass, and how soon the use is validated; due before no step.
    BreakGlass {
        /// How many openings in 90 days are within the team's budget.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget: Option<u32>,
        /// Within how many minutes after its end it is validated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        validate_within_minutes: Option<i64>,
    },
    /// `@require("emergency")`: how late and how early an emergency is; needs no act of a person.
    Emergency {
        /// For how many minutes after its end an incident is a ground.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resolved_within_minutes: Option<i64>,
        /// How many minutes ahead it starts at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start_within_minutes: Option<i64>,
    },
    /// `@require("outside_look")`: a person outside of the team has looked at its changes recently.
    OutsideLook {
        /// The group that looks at the changes from outside the team.
        from: GroupKey,
        /// How many minutes a look lasts.
        within_minutes: i64,
    },
    /// `@require("communication")`: the start was announced, acknowledged, and each team that takes part is ready.
    Communication {
        /// How many minutes before the start it was announced at the latest; any time before unless set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        announced_minutes: Option<i64>,
        /// Whether all recipients who must acknowledge the announcement have done so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        acknowledged: bool,
        /// The people who confirm that their team is ready: one for each target, or for each named group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ready_from: Option<Asked>,
    },
    /// `@require("permit")`: how permits of this change are made; needs no act of a person.
    Permit {
        /// A permit's life in minutes, at most 1,440.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minutes: Option<i64>,
        /// Whether a permit may be collected ahead of the window.
        #[serde(default)]
        ahead: bool,
        /// How old, in seconds, a verifier's revocation list may be; at most 86,400.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_list_age_seconds: Option<i64>,
    },
}

/// How an item of a checklist is checked: the values of `@check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum ItemCheck {
    /// Somebody ticks it.
    Manual {
        /// The parties that may not tick the item.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        distinct_from: Vec<Party>,
    },
    /// Passed evidence shows it, or the result of a probe, where the rule names one.
    Evidence {
        /// The aspect that the evidence shows.
        aspect: Aspect,
        /// The environment of the evidence, if the rule names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment: Option<String>,
        /// The highest age of the evidence in minutes, if the rule limits it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_age_minutes: Option<i64>,
        /// The parties that may not add the evidence.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        distinct_from: Vec<Party>,
        /// The key of a probe whose result counts as well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probe: Option<String>,
    },
    /// The result of a request to a configured address.
    Probe {
        /// The key of the probe.
        probe: String,
        /// How many minutes old what it reports may be at most.
        max_age_minutes: i64,
    },
}

/// The approvers, their number, and the part that their approval covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRule {
    /// The approvers.
    pub from: Asked,
    /// How many distinct people (k of n).
    pub count: u32,
    /// Whether the decision covers what is done, when, or both.
    pub covers: Covers,
    /// The parties that may not approve, besides the author, who never counts.
    #[serde(default)]
    pub distinct_from: Vec<Party>,
    /// For how many minutes an approval stays good; without it, until used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for_minutes: Option<i64>,
    /// How long before the planned start the change must be submitted under this rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_time: Option<Span>,
    /// The covered fields whose edit starts that time again; the usual fields by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lead_time_fields: Vec<String>,
    /// Whether the approver must enter a fresh factor.
    #[serde(default)]
    pub step_up: bool,
    /// Whether that must be a second factor: a password entered again is not enough.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub second_factor: bool,
    /// The time to acknowledge; the times by kind and risk by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_sla: Option<Span>,
    /// The time to meet the rule; the times by kind and risk by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide_sla: Option<Span>,
    /// The group that an escalation reaches before the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate: Option<GroupKey>,
    /// The stage of the rule: rules of a stage wait for all of the stages before it. 1 by default.
    #[serde(default = "first_stage", skip_serializing_if = "is_first_stage")]
    pub stage: u32,
    /// Whether this is a rule of dual control, for which break-glass needs a second person.
    #[serde(default)]
    pub dual_control: bool,
    /// How many of the group must be at the meeting at which it decides; without it, no meeting is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<u32>,
    /// Whether only the group's members on call are approvers, while anybody is on call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_call: bool,
    /// The job function that an approver must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The training that an approver must have, valid at that moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<String>,
    /// Whether a decision is void once its author may no longer act, also where they left lawfully.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub while_active: bool,
}

fn first_stage() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_first_stage(stage: &u32) -> bool {
    *stage == 1
}

impl ApprovalRule {
    /// A rule that needs one approval of the named people, without further conditions.
    pub fn plain(from: Asked, covers: Covers) -> Self {
        Self {
            from,
            count: 1,
            covers,
            distinct_from: Vec::new(),
            valid_for_minutes: None,
            lead_time: None,
            lead_time_fields: Vec::new(),
            step_up: false,
            second_factor: false,
            ack_sla: None,
            decide_sla: None,
            escalate: None,
            stage: 1,
            dual_control: false,
            quorum: None,
            on_call: false,
            function: None,
            training: None,
            while_active: false,
        }
    }

    /// The fresh factor that an approver needs.
    pub fn wanted_factor(&self) -> Wanted {
        match (self.step_up, self.second_factor) {
            (_, true) => Wanted::Second,
            (true, false) => Wanted::Any,
            (false, false) => Wanted::Nothing,
        }
    }
}

impl Duty {
    /// How long before its planned start a change must be submitted under this duty, if the duty sets a time.
    pub fn lead_time(&self) -> Option<Span> {
        match self {
            Self::LeadTime { span, .. } => Some(*span),
            Self::Approval(rule) => rule.lead_time,
            _ => None,
        }
    }
}

/// The covered fields whose edit starts a lead time again where its rule names none: what is done, and where. An assessment of
/// the change is no other work.
const LEAD_TIME_FIELDS: [&str; 9] = [
    "kind",
    "category",
    "touches",
    "targets",
    "description",
    "disruption",
    "plan",
    "rollback_plan",
    "no_rollback_reason",
];

impl Duty {
    /// Whether an edit of a covered field starts this duty's lead time again.
    pub fn is_restarted_by(&self, field: &str) -> bool {
        let named = match self {
            Self::LeadTime { fields, .. } => fields,
            Self::Approval(rule) => &rule.lead_time_fields,
            _ => return false,
        };
        match named.is_empty() {
            true => LEAD_TIME_FIELDS.contains(&field),
            false => named.iter().any(|name| name == field),
        }
    }
}

impl Asked {
    /// The part of the ownership matrix that holds the approvers, if there is one.
    pub fn ownership_role(&self) -> Option<OwnershipRole> {
        match self {
            Self::Owner => Some(OwnershipRole::Owner),
            Self::TechnicalLead => Some(OwnershipRole::TechnicalLead),
            Self::Security => Some(OwnershipRole::Security),
            Self::Data => Some(OwnershipRole::Data),
            Self::ChangeManager | Self::Tester | Self::Group(_) | Self::Groups(_) => None,
        }
    }

    /// The groups that count one person each, where a rule wants them distinct.
    pub fn distinct_groups(&self) -> Option<&[GroupKey]> {
        match self {
            Self::Groups(keys) => Some(keys),
            _ => None,
        }
    }

    /// The approvers that apply to a person on this ground: of distinct groups the person's group, else the same.
    pub fn for_basis(&self, basis: &Basis) -> Self {
        match (self.distinct_groups(), &basis.membership) {
            (Some(_), Some(group)) => Self::Group(GroupKey(group.id.clone())),
            _ => self.clone(),
        }
    }

    /// The value of `@from`: `owner`, `group:ecab`.
    pub fn word(&self) -> String {
        match self {
            Self::Owner => "owner".to_owned(),
            Self::TechnicalLead => "technical_lead".to_owned(),
            Self::Security => "security".to_owned(),
            Self::Data => "data".to_owned(),
            Self::ChangeManager => "change_manager".to_owned(),
            Self::Tester => "tester".to_owned(),
            Self::Group(key) => format!("group:{key}"),
            Self::Groups(keys) => keys
                .iter()
                .map(|key| format!("group:{key}"))
                .collect::<Vec<_>>()
                .join(","),
        }
    }
}

/// The approvers of a rule: the value of `@from`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// The owners of the target's service (ownership role `owner`).
    Owner,
    /// The target's technical lead (ownership role `technical_lead`).
    TechnicalLead,
    /// The target's security owner, else the group `security`.
    Security,
    /// The target's data owner (ownership role `data`).
    Data,
    /// The group `change-managers`.
    ChangeManager,
    /// The change's tester.
    Tester,
    /// A group by its key.
    Group(GroupKey),
    /// Distinct groups: one person counts for one of them, and each of them counts one person. The first one's calendar
    /// measures working time.
    Groups(Vec<GroupKey>),
}

/// A part that a person can have in a change: the values of `@distinct_from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The people who wrote the change or edited its covered content.
    Author,
    /// The requester.
    Requester,
    /// The people who are named to implement it, or did.
    Implementer,
    /// The people who approved it.
    Approver,
}

/// The decision of the policies about one act of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the act is allowed.
    pub allowed: bool,
    /// The ids and reasons of the policies that decided, sorted by id.
    pub reasons: Vec<PolicyReason>,
}

/// The requirements of the policies for one change, with the digest of the policy set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Requirements {
    /// Digest of schema, policies and parameters.
    pub policy_digest: String,
    /// Digest of the facts that were judged.
    pub facts_digest: String,
    /// The union over the change's targets; `targets` holds the targets of each.
    pub obligations: Vec<TargetObligation>,
    /// Set when the policies could not be evaluated: every step then stops and gives this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
    /// The approvers to whom a rule forbids the decision itself. They are not waited for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refused: BTreeSet<PersonId>,
}

/// An obligation and the targets to which it applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetObligation {
    /// The obligation.
    pub obligation: Obligation,
    /// The targets (ids) to which it applies.
    pub targets: Vec<ids::TargetId>,
}

/// The level that a rule may test with a number beside it (0 none … 3 high).
pub fn level_number(level: Level) -> i64 {
    match level {
        Level::None => 0,
        Level::Low => 1,
        Level::Medium => 2,
        Level::High => 3,
    }
}
