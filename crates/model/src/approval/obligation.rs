//! What the active policies require of a change, and what they say of an act.
//!
//! A permit policy of Cedar's action `require` is one obligation, told by its annotations. The crate `policy` compiles
//! them; this module judges whether they are met.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::core::enums::{self, Aspect, Covers, Level, OwnershipRole};
use crate::core::ids::{self, GroupKey, PersonId};
use crate::core::refusal::PolicyReason;
use crate::directory::basis::Basis;
use crate::identity::factor::Wanted;
use crate::schedule::calendar::Span;

/// One thing that the policies ask for before a step of the lifecycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    /// The policy's id, `pack.name`.
    pub id: String,
    /// The policy's `@reason`: why it asks, in one plain sentence.
    pub reason: String,
    /// Before which step it must be met.
    pub due: Due,
    /// What is asked.
    #[serde(flatten)]
    pub duty: Duty,
}

/// The step that an obligation holds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// Before the assessment ends and approvals are asked.
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
        /// Which aspect was tested.
        aspect: Aspect,
        /// The environment in which it must have run, if the rule names one.
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
        /// What is checked.
        title: String,
        /// How.
        #[serde(flatten)]
        check: ItemCheck,
        /// Who has it.
        owner: Asked,
    },
    /// `@require("security_answers")`: the security questions that the change raises are answered.
    SecurityAnswers {},
    /// `@require("task")`: a task of this kind must exist and be done.
    Task {
        /// `prepare`, `test`, `implement` or `verify`.
        kind: enums::TaskKind,
        /// What the task is about.
        title: String,
        /// Whether it asks that a first part is watched before the rest follows: a plan of waves then leaves time for it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        watched: bool,
    },
    /// `@require("validation")`: somebody says that the change works (base obligation, due at close).
    Validation {
        /// Whom a validator must not be.
        distinct_from: Vec<Party>,
        /// Who besides tester and owner may validate.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Asked>,
    },
    /// `@require("review")`: the post-implementation review (due at close).
    Review {},
    /// `@require("lead_time")`: submission this long before the planned start, on the wall or in working time.
    LeadTime {
        /// What lies between submission and planned start.
        #[serde(flatten)]
        span: Span,
        /// The covered fields whose edit starts it again; the usual ones unless said.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<String>,
    },
    /// `@require("break_glass")`: how often a team may break the glass, and how soon that is validated; asks nothing before.
    BreakGlass {
        /// How many openings in 90 days are within the team's budget.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget: Option<u32>,
        /// Within how many minutes after its end it is validated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        validate_within_minutes: Option<i64>,
    },
    /// `@require("emergency")`: how late and how early an emergency is; asks nothing of people.
    Emergency {
        /// For how many minutes after its end an incident is a ground.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resolved_within_minutes: Option<i64>,
        /// How many minutes ahead it starts at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start_within_minutes: Option<i64>,
    },
    /// `@require("outside_look")`: somebody outside of the team has looked at its changes lately.
    OutsideLook {
        /// The group of those who look from outside.
        from: GroupKey,
        /// How many minutes a look lasts.
        within_minutes: i64,
    },
    /// `@require("communication")`: the start was announced, acknowledged, and each team that takes part is ready.
    Communication {
        /// How many minutes before the start it was announced at the latest; any time before unless set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        announced_minutes: Option<i64>,
        /// Whether all who are asked to acknowledge the announcement have done so.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        acknowledged: bool,
        /// Who says that their team is ready: one for each target, or for each group that is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ready_from: Option<Asked>,
    },
    /// `@require("permit")`: how permits of this change are made; asks nothing of people.
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

/// How an item of a checklist is checked: the words of `@check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum ItemCheck {
    /// Somebody ticks it.
    Manual {
        /// Whom the one who ticks must not be.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        distinct_from: Vec<Party>,
    },
    /// Passed evidence shows it, or the answer of a probe, where the rule names one.
    Evidence {
        /// Which question the evidence answers.
        aspect: Aspect,
        /// The environment in which it must have been gained, if the rule names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment: Option<String>,
        /// How many minutes old it may be at most, if the rule says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_age_minutes: Option<i64>,
        /// Whom the one who vouches for it, by adding it, must not be.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        distinct_from: Vec<Party>,
        /// The key of a probe whose answer does as well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probe: Option<String>,
    },
    /// A configured address is asked.
    Probe {
        /// The key of the probe.
        probe: String,
        /// How many minutes old what it reports may be at most.
        max_age_minutes: i64,
    },
}

/// Who must approve, how many, and what their word covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRule {
    /// Who is asked.
    pub from: Asked,
    /// How many distinct people (k of n).
    pub count: u32,
    /// Whether the decision covers what is done, when, or both.
    pub covers: Covers,
    /// Whom an approver must not be, besides the author, who never counts.
    #[serde(default)]
    pub distinct_from: Vec<Party>,
    /// For how many minutes an approval stays good; without it, until used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for_minutes: Option<i64>,
    /// How long before the planned start the change must be submitted where this rule asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_time: Option<Span>,
    /// The covered fields whose edit starts that time again; the usual ones unless said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lead_time_fields: Vec<String>,
    /// Whether the approver must enter a fresh factor.
    #[serde(default)]
    pub step_up: bool,
    /// Whether that must be a second factor: a password entered again is not enough.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub second_factor: bool,
    /// Within which time the one asked should acknowledge; by kind and risk unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_sla: Option<Span>,
    /// Within which time the rule should be met; by kind and risk unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide_sla: Option<Span>,
    /// The group that an escalation reaches before the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate: Option<GroupKey>,
    /// When its people are asked: rules of a stage wait for all of the stages before it. 1 unless said.
    #[serde(default = "first_stage", skip_serializing_if = "is_first_stage")]
    pub stage: u32,
    /// Whether this is a rule of dual control, for which break-glass needs a second person.
    #[serde(default)]
    pub dual_control: bool,
    /// How many of the group must be at the meeting at which it decides; without it, no meeting is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<u32>,
    /// Whether those of the group are asked who are on call, while anybody is.
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
    /// A rule that asks for one word of whom it names, and says nothing else.
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

    /// What it asks of the approver's fresh factor.
    pub fn wanted_factor(&self) -> Wanted {
        match (self.step_up, self.second_factor) {
            (_, true) => Wanted::Second,
            (true, false) => Wanted::Any,
            (false, false) => Wanted::Nothing,
        }
    }
}

impl Duty {
    /// How long before its planned start a change must be submitted where this asks, if it says so.
    pub fn lead_time(&self) -> Option<Span> {
        match self {
            Self::LeadTime { span, .. } => Some(*span),
            Self::Approval(rule) => rule.lead_time,
            _ => None,
        }
    }
}

/// The covered fields whose edit starts a lead time again where its rule names none: what is done, and where. What an assessment
/// says of it is no other work.
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
    /// Whether an edit of a covered field starts the lead time again that this asks.
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
    /// The part of the ownership matrix that it asks, if it asks one.
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

    /// What it asks of whoever is asked on this ground: of distinct groups the one that they are of, else the same.
    pub fn for_basis(&self, basis: &Basis) -> Self {
        match (self.distinct_groups(), &basis.membership) {
            (Some(_), Some(group)) => Self::Group(GroupKey(group.id.clone())),
            _ => self.clone(),
        }
    }

    /// The word of `@from`: `owner`, `group:ecab`.
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

/// Whom a rule asks: the word in `@from`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Who owns the target's service (ownership role `owner`).
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

/// A part that a person can have in a change: the words in `@distinct_from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// Who wrote the change or edited its covered content.
    Author,
    /// Who asked for it.
    Requester,
    /// Who is named to implement it, or did.
    Implementer,
    /// Who approved it.
    Approver,
}

/// The answer of the policies about one act of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the act is allowed.
    pub allowed: bool,
    /// The ids and reasons of the policies that decided, sorted by id.
    pub reasons: Vec<PolicyReason>,
}

/// What the policies require of one change, with the digest of the set that said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Requirements {
    /// Digest of schema, policies and parameters.
    pub policy_digest: String,
    /// Digest of the facts that were judged.
    pub facts_digest: String,
    /// The union over the change's targets; `targets` tells which.
    pub obligations: Vec<TargetObligation>,
    /// Set when the policies could not be judged: everything then stops, and says this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
    /// Of the people whom the rules ask: those to whom a rule forbids the decision itself. They are not waited for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refused: BTreeSet<PersonId>,
}

/// An obligation and the targets that brought it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetObligation {
    /// The obligation.
    pub obligation: Obligation,
    /// The targets (ids) for which it is asked.
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
