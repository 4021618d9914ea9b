//! The records around a change: decisions, evidence, tasks, permits and the like.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::lowered::Lowering;
use crate::core::card::Derived;
use crate::core::enums::{
    ApprovalState, ConditionDue, Decision, EntryKind, ItemKind, LinkKind, PeerVerdict, PermitState, Purpose, TaskKind,
    TaskState,
};
use crate::core::ids::{ChangeId, EnvironmentKey, PersonId, RecordId, ServiceKey, TargetId};
use crate::directory::basis::Basis;
use crate::identity::factor::Factor;
use crate::integration::occurrence::{self, StatusReport};
use crate::policy::facts::ActorFacts;
use crate::policy::mapping;

mod evidence;
mod gate_check;
mod waited;

pub use evidence::{Agreement, Evidence, WaiverPart};
pub use gate_check::{AskedPlace, GateCheck};
pub use waited::Waited;

/// Whether an approval still counts for one of the two digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// No rule needed it.
    NotCovered,
    /// It counts.
    Standing,
    /// It was voided, and stays so even if the edit is taken back.
    Voided,
}

/// A rule for which a decision counts, and why its author had authority then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedFor {
    /// The policy's id.
    pub rule: String,
    /// The approvers of the rule at that time: the value of `@from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// The targets for which it counts.
    pub targets: Vec<TargetId>,
    /// Why this person could decide, in one sentence.
    pub why: String,
    /// The same as records and versions: ownership row, membership, role, delegation.
    #[serde(default, skip_serializing_if = "Basis::is_empty")]
    pub basis: Basis,
    /// Whether the rule covers *what*.
    pub what: bool,
    /// Whether the rule covers *when*.
    pub when: bool,
    /// After this instant the decision no longer counts for the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

/// One person's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "approval")]
pub struct Approval {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The change.
    #[card(column = "change_id")]
    pub change: ChangeId,
    /// The person who decided.
    #[card(column)]
    pub person: PersonId,
    /// The decision.
    #[card(object)]
    pub decision: Decision,
    /// Their comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub comment: Option<String>,
    /// The content digest they named.
    pub content_digest: String,
    /// The digest *what* at that moment.
    pub what_digest: String,
    /// The digest *when* at that moment.
    pub when_digest: String,
    /// The rules for which it counts.
    #[card(object)]
    pub counted_for: Vec<CountedFor>,
    /// Whether its *what* part still counts.
    #[card(object)]
    pub what: Coverage,
    /// Whether its *when* part still counts.
    #[card(object)]
    pub when: Coverage,
    /// Its state as a whole.
    #[card(column, words)]
    pub state: ApprovalState,
    /// Digests of the evidence that was there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence_seen: Vec<String>,
    /// Digest of the policies that required it.
    pub policy_digest: String,
    /// Digest of the facts behind the decision of the policies.
    pub facts_digest: String,
    /// The facts of its author that the policies got at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub person_facts: Option<ActorFacts>,
    /// When it was given.
    #[card(column)]
    pub at: Timestamp,
    /// Whether it was given with a fresh factor.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stepped_up: bool,
    /// The kind of that factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub factor: Option<Factor>,
    /// The author's method of authentication, such as `password+totp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The person who issued the credential by which it was given, if another: the decision counts as that person's too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_by: Option<PersonId>,
    /// Why it no longer counts, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub ended: Option<String>,
    /// When it was first escalated past this person, if the decision came after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated_at: Option<Timestamp>,
    /// The board's meeting at which it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meeting: Option<RecordId>,
    /// Facts below the estate's values that its author accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub lowering: Option<Lowering>,
}

impl Approval {
    /// Whether it is a yes whose *what* part counts.
    pub fn is_yes(&self) -> bool {
        matches!(self.decision, Decision::Approve | Decision::ApproveWithConditions)
    }

    /// The person behind it: the issuer of the credential, else its author.
    pub fn speaker(&self) -> &PersonId {
        self.handed_by.as_ref().unwrap_or(&self.person)
    }

    /// Derives its state from its two parts after one of them was voided.
    pub fn settle_state(&mut self) {
        let standing = self.what == Coverage::Standing || self.when == Coverage::Standing;
        if self.state == ApprovalState::Standing && !standing {
            self.state = ApprovalState::Voided;
        }
    }
}

/// A condition lapses with its approval, is met once, or is open.
const STATE: &[Derived] = &[("state", |it| {
    let state = match (it["lapsed"] == true, it["met"].is_null()) {
        (true, _) => "lapsed",
        (false, false) => "met",
        (false, true) => "open",
    };
    state.into()
})];

/// A condition under which somebody approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "condition", derived = STATE)]
pub struct Condition {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The change.
    #[card(column = "change_id")]
    pub change: ChangeId,
    /// The approval that set it.
    pub approval: RecordId,
    /// The condition.
    #[card(text)]
    pub text: String,
    /// By when.
    #[card(object)]
    pub due: ConditionDue,
    /// The checker: a person; by default the person who set the condition.
    pub checker: PersonId,
    /// Set when it was found to be so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub met: Option<MetCondition>,
    /// Whether the approval behind it is no longer in force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lapsed: bool,
}

/// How a condition was met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetCondition {
    /// The checker.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Their observation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A peer's word on plan and code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "peer_review")]
pub struct PeerReview {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The change.
    #[card(column = "change_id")]
    pub change: ChangeId,
    /// The peer.
    #[card(column)]
    pub person: PersonId,
    /// Their word.
    #[card(object)]
    pub verdict: PeerVerdict,
    /// Their comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub text: Option<String>,
    /// The digest *what* that they read.
    pub what_digest: String,
    /// Standing, voided by an edit, or replaced by a later word of the same peer.
    #[card(column, words)]
    pub state: ApprovalState,
    /// When.
    pub at: Timestamp,
}

/// A line in the log of actions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "entry")]
pub struct Entry {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save; entries are never edited.
    pub version: i64,
    /// The change.
    #[card(column = "change_id")]
    pub change: ChangeId,
    /// Step, begin, deviation, issue or rollback.
    #[card(object)]
    pub kind: EntryKind,
    /// What was done or seen.
    #[card(text)]
    pub text: String,
    /// The step of the plan it is about, of the rollback plan where it is a rollback, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<i64>,
    /// The target it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub target: Option<TargetId>,
    /// The entry that it withdraws: the begin of a rollback before any of its steps was done, or a step that was recorded by
    /// mistake. The withdrawn entry stays in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdraws: Option<RecordId>,
    /// Whether the step was skipped; the text holds the reason.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped: bool,
    /// The key of the tap that noted it, made on the device: a tap that arrives again is the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tap: Option<String>,
    /// By how many seconds the clock of the device ran ahead of the server's; negative behind. `occurred_at` is corrected by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead_seconds: Option<i64>,
    /// When it happened, by whoever reports it.
    #[card(column)]
    pub occurred_at: Timestamp,
    /// The author.
    pub by: PersonId,
    /// When it was received and written.
    pub at: Timestamp,
}

/// The rollback in progress, by a log of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WayBack<'e> {
    /// The entry that began it.
    pub begun: &'e Entry,
    /// Whether a step of it is done: then it cannot be taken back any more.
    pub is_walked: bool,
}

impl<'e> WayBack<'e> {
    /// Reads a change's log of actions; `None` where no rollback was begun, or its begin was withdrawn.
    pub fn of(entries: &'e [Entry]) -> Option<Self> {
        let is_withdrawn = |entry: &Entry| entries.iter().any(|it| it.withdraws.as_ref() == Some(&entry.id));
        let back = || {
            entries
                .iter()
                .filter(|entry| entry.kind == EntryKind::Rollback && !is_withdrawn(entry))
        };
        let begun = back().min_by_key(|entry| entry.occurred_at)?;
        Some(Self {
            begun,
            is_walked: back().any(|entry| entry.step.is_some() && !entry.skipped),
        })
    }
}

/// Work given to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "task")]
pub struct ChangeTask {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The change.
    #[card(column = "change_id")]
    pub change: ChangeId,
    /// Prepare, test, implement or verify: which step it holds.
    #[card(object)]
    pub kind: TaskKind,
    /// What is to be done.
    #[card(text)]
    pub title: String,
    /// The assignee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub assignee: Option<PersonId>,
    /// Tasks that must be done first, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<RecordId>,
    /// Whether it holds its step while open.
    pub mandatory: bool,
    /// Where it stands.
    #[card(column, words)]
    pub state: TaskState,
    /// Planned start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_start: Option<Timestamp>,
    /// Planned end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_end: Option<Timestamp>,
    /// Actual start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_start: Option<Timestamp>,
    /// Actual end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_end: Option<Timestamp>,
    /// The result, or why it was dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub text: Option<String>,
    /// The person who did or dropped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_by: Option<PersonId>,
    /// The rules of approval for which its creator could decide then: the task is then an approver's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_under: Vec<String>,
    /// The person who made it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// An item of a checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "checklist_item")]
pub struct ChecklistItem {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The change.
    #[card(column = "change_id")]
    pub change: ChangeId,
    /// The rule that brought it.
    pub rule: String,
    /// What to check.
    #[card(text)]
    pub title: String,
    /// Set when ticked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub done: Option<MetCondition>,
    /// How it is checked; absent for a plain line that is ticked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub kind: Option<ItemKind>,
    /// The people who agreed that the change may go without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub agreed: Vec<Agreement>,
    /// The digest *what* of the content for which they agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_what: Option<String>,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "comment")]
pub struct Comment {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The change.
    #[card(column = "change_id")]
    pub change: ChangeId,
    /// In their words.
    #[card(text)]
    pub text: String,
    /// The author.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// A link to another change or to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "link")]
pub struct Link {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The change that has the link.
    #[card(column = "from_change")]
    pub change: ChangeId,
    /// How they relate.
    #[card(column, words)]
    pub kind: LinkKind,
    /// The other change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub to_change: Option<ChangeId>,
    /// The other's key, or an incident's key or outside reference.
    #[serde(with = "crate::core::typed::plain")]
    pub to: String,
    /// The person who made the link.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Whether it follows from the incident that the emergency names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_grounds: bool,
    /// The rules of approval for which its author could decide then: the link is then an approver's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_under: Vec<String>,
    /// The person who removed it: the link stays in the history alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
}

/// A deployment permit that was given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "permit")]
pub struct Permit {
    /// The record's id; the permit's `jti`.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The change.
    #[card(column = "change_id")]
    pub change: ChangeId,
    /// The change's key.
    pub change_key: String,
    /// The target.
    #[card(object)]
    pub target: TargetId,
    /// The service.
    #[card(column)]
    pub service: ServiceKey,
    /// The environment.
    #[card(column)]
    pub environment: EnvironmentKey,
    /// The artifact, if the target names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub artifact: Option<String>,
    /// The commit, if the target names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The only member of the target for which it is valid, where the change goes in waves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Forward or back.
    #[card(object)]
    pub purpose: Purpose,
    /// The content digest at that moment.
    pub content_digest: String,
    /// Digest of the policies.
    pub policy_digest: String,
    /// Revocation epoch at that moment.
    pub epoch: i64,
    /// How old a verifier's list may be.
    pub max_list_age_seconds: i64,
    /// Whether it was given under break-glass.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub break_glass: bool,
    /// When it was made.
    pub issued_at: Timestamp,
    /// From when it is good.
    pub not_before: Timestamp,
    /// Until when.
    #[card(column)]
    pub expires_at: Timestamp,
    /// The person who collected it.
    pub by: PersonId,
    /// Issued or revoked.
    #[card(column, words)]
    pub state: PermitState,
    /// Why it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub revoked_reason: Option<String>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// The key that signs it.
    pub kid: String,
    /// When it was used up at the online gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// The person who used it at the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_by: Option<PersonId>,
}

impl Permit {
    /// Whether it was neither revoked nor ran out.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.state == PermitState::Issued && now < self.expires_at
    }

    /// Whether the permit may be used now: it is alive, already valid, and not used up.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.is_alive(now) && self.not_before <= now && self.used_at.is_none()
    }
}

/// A deployment that a delivery reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "deployment")]
pub struct Deployment {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The connection that reported it.
    #[card(column)]
    pub connection: RecordId,
    /// The outside system's own id.
    #[serde(with = "crate::core::typed")]
    #[card(column)]
    pub natural_key: String,
    /// Our service.
    #[card(column)]
    pub service: ServiceKey,
    /// Our environment.
    #[card(column)]
    pub environment: EnvironmentKey,
    /// The commit.
    #[card(column = "commit_sha")]
    pub commit: String,
    /// The artifact, if reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The change it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column = "change_id")]
    pub change: Option<ChangeId>,
    /// The change's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_key: Option<String>,
    /// Status ids that were already processed.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::core::typed::list")]
    pub seen_statuses: Vec<String>,
    /// All reports of its statuses about this attempt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub words: Vec<StatusReport>,
    /// The record of the same deployment that another connection reported first; that one belongs to the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<RecordId>,
    /// The status in force: the last to occur, with an end before anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When that status occurred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_at: Option<Timestamp>,
    /// The result of the mapping, where the mapping made the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub mapped: Option<mapping::Mapped>,
    /// The known facts at the time of the mapping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub mapping_facts: Option<mapping::MappingFacts>,
    /// Whether it began or ended without a lawful start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unauthorized: bool,
    /// Whether it is a rollback that a permit allows, of a change whose start has not been reported yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_early: bool,
    /// When it occurred, by the earliest report.
    pub at: Timestamp,
}

impl Deployment {
    /// Whether a status reported its begin. A failure or a stop before any beginning is no deployment.
    pub fn has_begun(&self) -> bool {
        occurrence::began_at(&self.words).is_some()
    }
}

/// A message to a person, kept whether or not it is mailed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "message")]
pub struct Message {
    /// The record's id; the mail's Message-ID is made from it.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// To whom.
    #[card(column)]
    pub person: PersonId,
    /// About which change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column = "change_id")]
    pub change: Option<ChangeId>,
    /// The change's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_key: Option<String>,
    /// The topic, such as `asked_to_approve`.
    pub topic: String,
    /// The subject line.
    #[card(text)]
    pub subject: String,
    /// The text.
    #[card(text)]
    pub text: String,
    /// The mark by which one matter is sent only once: unique per tenant.
    #[card(column)]
    pub dedup: String,
    /// When it was written.
    pub at: Timestamp,
    /// `kept`, `mailed` or `failed`.
    #[card(column = "state")]
    pub delivery: String,
}
