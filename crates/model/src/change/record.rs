//! The change: its content (the basis of decisions), and its record (its progress).

mod post_review;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::post_review::PostImplementationReview;
use crate::cab::meeting;
use crate::change::custom_field;
use crate::change::lowered::Lowered;
use crate::change::waves::kept_run::WaveRun;
use crate::change::waves::member_list::ListRef;
use crate::change::waves::plan::WavePlan;
use crate::compliance::erasure::{self, LegalHold};
pub use crate::core::enums::EscalationStep;
use crate::core::enums::{Category, Disruption, Kind, Level, Origin, Outcome, State, Touch, ValidationResult};
use crate::core::ids::{ChangeId, EnvironmentKey, PersonId, ServiceKey, TargetId};
use crate::core::statement::Stated;
use crate::directory::basis::Basis;
use crate::emergency::records::BreakGlass;
use crate::gate::closed_target::ClosedTarget;
use crate::gate::reopened::GateReopening;
use crate::notify::communicated::Communicated;
use crate::risk::forecast::kept_forecast::Forecast;
use crate::risk::kept_answers::SecurityAnswer;
use crate::risk::kept_reach::KeptReach;
use crate::risk::past_level::PastLevel;
use crate::schedule::calendar::Span;

mod marks;

pub use marks::{CausedIncident, FieldEdit, PlannedUndo, ReadySpan, SeenWork, UndoRecord, WatchedIncident};

/// One service in one environment that a change touches. Its outcome is in [`TargetRecord`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `"1"`, `"2"` … in the order in which they were named.
    pub id: TargetId,
    /// The service.
    pub service: ServiceKey,
    /// The environment.
    pub environment: EnvironmentKey,
    /// Config items inside the service, by key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config_items: Vec<String>,
    /// Digest of what is deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The commit that is deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Digest of what runs again after a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_to: Option<String>,
    /// The list of its members, where it goes to many in waves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<ListRef>,
}

/// The status of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRecord {
    /// The target's id.
    pub target: TargetId,
    /// Set once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Earlier outcomes, each with the reason for its revision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierOutcome>,
    /// When the work on it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_start: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_end: Option<Timestamp>,
    /// Minutes of real downtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_downtime_minutes: Option<i64>,
    /// Whether a connected system or a pipeline's token reported the outcome. A typed outcome does not change the running
    /// build.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_observed: bool,
    /// The builds recorded as running at its place when work began; absent before, and where work began before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_before: Option<Vec<String>>,
    /// Whether its `rollback_to` is neither what ran there when work began nor a build with passed evidence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rollback_unproven: bool,
}

impl TargetRecord {
    /// Whether something is still to be done: it has no outcome, or its rollback failed.
    pub fn is_open(&self) -> bool {
        self.outcome.is_none_or(|outcome| !outcome.is_final())
    }

    /// Whether it has ended once, also if a rollback failed since.
    pub fn has_ended(&self) -> bool {
        let earlier = self.earlier.iter().map(|it| it.outcome);
        earlier.chain(self.outcome).any(Outcome::is_final)
    }

    /// Whether it was rolled back, or a rollback of it failed, now or before.
    pub fn was_rolled_back(&self) -> bool {
        let is_back = |outcome: Outcome| matches!(outcome, Outcome::RolledBack | Outcome::RollbackFailed);
        let mut earlier = self.earlier.iter();
        self.outcome.is_some_and(is_back) || earlier.any(|it| is_back(it.outcome))
    }

    /// Whether its rollback failed, now or before.
    pub fn has_failed_rollback(&self) -> bool {
        let earlier = self.earlier.iter().map(|it| it.outcome);
        earlier
            .chain(self.outcome)
            .any(|outcome| outcome == Outcome::RollbackFailed)
    }
}

/// An outcome that a later one replaced before closing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierOutcome {
    /// The former outcome.
    pub outcome: Outcome,
    /// Why it was revised.
    pub reason: String,
    /// By whom.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The number of validations at that moment: they do not cover the outcome that followed.
    #[serde(default)]
    pub validations: i64,
    /// The number of reviews at that moment: they do not cover it either.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub reviews: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_none_yet(count: &i64) -> bool {
    *count == 0
}

/// A step of the plan or of the rollback plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The action.
    pub title: String,
    /// A login or free text; requests and responses call it `owner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doer: Option<String>,
    /// The team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// How long it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<i64>,
    /// How one sees that it worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Whether the step is a watch: it ends after its minutes at the earliest, or is skipped with a reason.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub watch: bool,
}

/// Impact on the three axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// On data.
    pub data: Level,
    /// On availability.
    pub availability: Level,
    /// On compliance.
    pub compliance: Level,
}

impl Impact {
    /// The highest axis.
    pub fn highest(self) -> Level {
        self.data.max(self.availability).max(self.compliance)
    }
}

/// The disruption for users: its kind, its duration and the affected users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisruptionPlan {
    /// The kind.
    pub kind: Disruption,
    /// For how many minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<i64>,
    /// The affected users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
}

/// Something left out of the assessment, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// The excluded thing.
    pub item: String,
    /// Why.
    pub reason: String,
}

/// The pinned version of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRef {
    /// The template's key.
    pub key: String,
    /// The pinned version.
    pub template_version: i64,
    /// Digest of that version's locked fields.
    pub digest: String,
}

/// All that the decision card shows: the content behind the digest *what*. [`crate::change::content::WHAT`] names every field once more; a test fails when one is missing there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// How it is governed.
    pub kind: Kind,
    /// For standard changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateRef>,
    /// Late, not urgent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expedited: bool,
    /// Why it is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expedited_reason: Option<String>,
    /// In one line.
    pub title: String,
    /// The description of the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Why it is worth doing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// The intended result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objectives: Option<String>,
    /// How success will be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<String>,
    /// The subject area.
    pub category: Category,
    /// Sensitive things it touches, sorted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub touches: BTreeSet<Touch>,
    /// The targets.
    pub targets: Vec<Target>,
    /// The impact; axes nobody gave are derived (see `origins`).
    pub impact: Impact,
    /// How hard it is; unknown in a fresh draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complexity: Option<Level>,
    /// The disruption for users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruption: Option<DisruptionPlan>,
    /// The text on the security questions of the assessment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<String>,
    /// The responses to the security questions that its category and its touches raise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_answers: Vec<SecurityAnswer>,
    /// Whether the dependencies were looked at in the assessment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dependencies_reviewed: bool,
    /// The things that the assessment left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Exclusion>,
    /// A level stated against the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_override: Option<RiskOverride>,
    /// The implementation plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan: Vec<Step>,
    /// The rollback plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback_plan: Vec<Step>,
    /// Why there is no rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_rollback_reason: Option<String>,
    /// How long the rollback takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_minutes: Option<i64>,
    /// The inverse that belongs to it, with its time: it is expected, and neither a rollback nor a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_undo: Option<PlannedUndo>,
    /// The owner, who is responsible for the change.
    pub owner: PersonId,
    /// The team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The people who do the work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub implementers: Vec<PersonId>,
    /// The tester.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tester: Option<PersonId>,
    /// The contact for the business.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_contact: Option<String>,
    /// The incident behind an emergency: a key or an outside reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// The threat behind an emergency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threat: Option<String>,
    /// The values of the fields that the tenant added, in the order of keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom_fields: Vec<custom_field::CustomValue>,
    /// In which waves it goes to the members of its targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave_plan: Option<WavePlan>,
}

/// A level stated against the table, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskOverride {
    /// The stated level.
    pub level: Level,
    /// Why.
    pub reason: String,
}

/// The computed risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// The level that policies see.
    pub level: Level,
    /// Impact (0–3) times 3 plus complexity (0–3): 0 to 12. An order, not a probability.
    pub score: i64,
    /// Why, one sentence an input.
    pub reasons: Vec<String>,
    /// Facts that the change states below the values of its services and config items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lowered: Vec<Lowered>,
}

/// The three digests that an approval may name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Digests {
    /// Over [`Content`].
    pub what: String,
    /// Over the planned times.
    pub when: String,
    /// Over both; what an approver names.
    pub content: String,
}

/// A pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Why.
    pub reason: String,
    /// When people are reminded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The person who paused it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// A request for more time during implementation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// The requested end.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// The person who requested it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<ExtensionDecision>,
}

/// The decision on a request for more time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionDecision {
    /// Whether it was granted.
    pub grant: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// By whom.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// A rejection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The person who rejected it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Set when a change manager let others go on nevertheless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overruled: Option<Stated>,
}

/// Work that was recorded after it was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retrospective {
    /// Why it was not recorded before.
    pub reason: String,
    /// The person who is named as having approved verbally.
    pub verbal_approver: PersonId,
    /// Until when that person must confirm: 24 h after creation.
    pub confirm_by: Timestamp,
    /// That person's confirmation or denial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
}

/// The verbal approver's confirmation or denial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Whether the approval is confirmed.
    pub confirmed: bool,
    /// Their comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A validation: does it work?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// The result.
    pub result: ValidationResult,
    /// A comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The person who validated.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

/// A request for a person's decision: since when, by which rule and with which authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The policy that requires it.
    pub rule: String,
    /// The approver.
    pub person: PersonId,
    /// The targets that the decision is for.
    pub targets: Vec<TargetId>,
    /// Why this person has authority, in one sentence.
    pub why: String,
    /// The same as records and versions, a row for each ground.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<Basis>,
    /// Since when.
    pub asked_at: Timestamp,
    /// By when they should acknowledge.
    pub acknowledge_by: Timestamp,
    /// When they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
}

/// The clock of a rule on approvals: from the first request until the rule is met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleClock {
    /// The policy that requires the approvals.
    pub rule: String,
    /// Since when.
    pub asked_at: Timestamp,
    /// When approvers without a decision are reminded.
    pub remind_at: Timestamp,
    /// By when it should be met.
    pub decide_by: Timestamp,
    /// The granted time.
    pub decide: Span,
    /// The escalation steps for an overdue rule, in order.
    pub steps: Vec<EscalationDue>,
    /// When it was met; the clock then stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met_at: Option<Timestamp>,
    /// When an approver first acknowledged the request. Set once the rule is met, because requests are removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
}

/// A step of an escalation, with its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationDue {
    /// The people whom the step adds.
    pub step: EscalationStep,
    /// When, unless the rule is met before.
    pub due_at: Timestamp,
    /// The time of the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
}

impl RuleClock {
    /// When the first approver of the rule acknowledged, as far as that was kept or the request still exists.
    pub fn taken_up(&self, requests: &[Request]) -> Option<Timestamp> {
        let own = requests.iter().filter(|request| request.rule == self.rule);
        self.acknowledged_at
            .or_else(|| own.filter_map(|request| request.acknowledged_at).min())
    }

    /// Whether a step was done.
    pub fn has_reached(&self, step: EscalationStep) -> bool {
        self.steps.iter().any(|due| due.step == step && due.done_at.is_some())
    }

    /// When it was first escalated.
    pub fn escalated_at(&self) -> Option<Timestamp> {
        self.steps.iter().filter_map(|due| due.done_at).min()
    }
}

/// A change: its content, its times, and its progress. The `version` grows with every save.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The record's id.
    pub id: ChangeId,
    /// Grows by one with every save.
    pub version: i64,
    /// Moves with the record, its state and decisions, but not with comments, watchers or entries: the ETag.
    #[serde(default)]
    pub revision: i64,
    /// `CHG-1042`.
    pub key: String,
    /// The number in the key.
    pub number: i64,
    /// Its state.
    pub state: State,
    /// The requester.
    pub requester: PersonId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The content that the digest *what* covers.
    #[serde(flatten)]
    pub content: Content,
    /// The planned start: with the end, what the digest *when* covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_start: Option<Timestamp>,
    /// The planned end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_end: Option<Timestamp>,
    /// Labels; covered by no digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The people who are notified of news.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watchers: Vec<PersonId>,
    /// Where each field's value came from; what is not named was written by a person.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub origins: BTreeMap<String, Origin>,
    /// The computed risk.
    pub risk: Risk,
    /// The levels of risk from which it was lowered after its submission.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past_levels: Vec<PastLevel>,
    /// Services of its targets in production of which no outcome was known, neither to the model of failure in force nor since, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_services: Vec<ServiceKey>,
    /// How many files its builds change against the running ones, as far as pushes report it; absent without such a push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_files: Option<i64>,
    /// The forecast of failure; absent where no model was in force while it was assessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// The affected things at the last assessment; absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<KeptReach>,
    /// The digests of the present content.
    pub digests: Digests,
    /// A random text that the digest *what* is computed with; sealed like a free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest_salt: Option<String>,
    /// The status of each target.
    pub target_records: Vec<TargetRecord>,
    /// The people who issued the credentials by which it was written, where they are others than the authors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handed_by: Vec<PersonId>,
    /// The people who wrote it or edited what is done, in order of first edit.
    pub authors: Vec<PersonId>,
    /// The people who set the present planned times. Their approval counts for what is done, and never for the times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned_by: Vec<PersonId>,
    /// The people who did some of the work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub implemented_by: Vec<PersonId>,
    /// The open requests for decisions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Request>,
    /// The clocks of the rules behind these requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<RuleClock>,
    /// The decisions of boards about it at their meetings, newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub board_decisions: Vec<meeting::BoardDecision>,
    /// Set while paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// When it was submitted last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// When fields that *what* covers were edited last, of those that were since the submission.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed_at: Vec<FieldEdit>,
    /// When its assessment ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessed_at: Option<Timestamp>,
    /// The question or reason of the last return, until the next submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Stated>,
    /// Set while rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
    /// Set when cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<Stated>,
    /// The outcome of the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// When work began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_start: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_end: Option<Timestamp>,
    /// When the server itself saw it begin and end.
    #[serde(default, skip_serializing_if = "SeenWork::is_empty")]
    pub seen_work: SeenWork,
    /// Whether a step of the rollback plan was done, by the log of actions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub way_back_taken: bool,
    /// The planned undo, once it was done or called off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoRecord>,
    /// When its planned undo was missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_missed_at: Option<Timestamp>,
    /// Incidents that a person confirmed as caused by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caused_incidents: Vec<CausedIncident>,
    /// Incidents of its services that began while it was watched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watch_incidents: Vec<WatchedIncident>,
    /// The pending or last request for more time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
    /// The granted end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_until: Option<Timestamp>,
    /// Whether work goes on past its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overrun: bool,
    /// Whether a decision that the work began on was voided with a compromised account; the gate forward stops.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub distrusted: bool,
    /// Whether the window passed without a start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub window_missed: bool,
    /// The spans in which it was ready to start, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ready: Vec<ReadySpan>,
    /// Whether a freeze began while it was implementing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_freeze: bool,
    /// Whether it was done without lawful approval; closing then needs the change manager's finding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unauthorized: bool,
    /// The change manager's finding on unauthorized work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Stated>,
    /// How the gate was opened again after a finding about the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gate_reopenings: Vec<GateReopening>,
    /// Locked fields of the template whose edit made it a normal change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turned_normal: Vec<String>,
    /// A break-glass start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<BreakGlass>,
    /// Set for work that was recorded afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrospective: Option<Retrospective>,
    /// The legal hold, which keeps its texts and files until it is lifted; the last one stays, with the person who lifted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_hold: Option<erasure::LegalHold>,
    /// The requested erasure of texts, or the last one that was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<erasure::Erasure>,
    /// When all its texts were erased last; nothing takes that back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts_erased_at: Option<Timestamp>,
    /// Targets that a person closed by revoking a permit, also those that were opened again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed_targets: Vec<ClosedTarget>,
    /// How far its waves have come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave_run: Option<WaveRun>,
    /// Validations, newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validations: Vec<Validation>,
    /// Post-implementation reviews, newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<PostImplementationReview>,
    /// When it was closed, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// The person who closed it; absent when it closed by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<PersonId>,
    /// The communication about its planned start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub communicated: Option<Communicated>,
    /// The marks of sent notifications, so that a timer that runs twice notifies once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub told: BTreeSet<String>,
}

impl Change {
    /// The review that names the root cause of what went wrong: the last one that names any.
    pub fn causal_review(&self) -> Option<&PostImplementationReview> {
        self.reviews.iter().rev().find(|review| review.cause.is_some())
    }

    /// The record of a target.
    pub fn target_record(&self, target: &TargetId) -> Option<&TargetRecord> {
        self.target_records.iter().find(|record| &record.target == target)
    }

    /// Targets with open work: those without an outcome, and those whose rollback failed.
    pub fn open_targets(&self) -> impl Iterator<Item = &Target> {
        let is_open = |target: &&Target| self.target_record(&target.id).is_none_or(TargetRecord::is_open);
        self.content.targets.iter().filter(is_open)
    }

    /// The end of its time: the granted extension, else the planned end.
    pub fn window_end(&self) -> Option<Timestamp> {
        self.extended_until.or(self.planned_end)
    }

    /// The lawful break-glass that opens the gate, if there is one.
    pub fn lawful_break_glass(&self) -> Option<&BreakGlass> {
        self.break_glass.as_ref().filter(|glass| glass.is_lawful())
    }

    /// The outcome that a statement counts as: with a caused incident nothing has plainly succeeded.
    pub fn counted_outcome(&self, stated: Outcome) -> Outcome {
        match stated {
            Outcome::Succeeded if !self.caused_incidents.is_empty() => Outcome::SucceededWithIssues,
            other => other,
        }
    }

    /// Whether it is paused.
    pub fn is_on_hold(&self) -> bool {
        self.hold.is_some()
    }

    /// Sets a mark in `told`; returns whether it was new.
    pub fn tell_once(&mut self, mark: &str) -> bool {
        self.told.insert(mark.to_owned())
    }

    /// Whether the texts of its content are gone: digests and reasons of the risk then stay as they were.
    pub fn has_lost_texts(&self) -> bool {
        self.texts_erased_at.is_some()
    }

    /// Whether texts came to it since they were erased, or none were ever erased: something is left to erase.
    pub fn has_texts(&self) -> bool {
        self.texts_erased_at.is_none_or(|at| at < self.updated_at)
    }

    /// The legal hold in force on the change.
    pub fn standing_hold(&self) -> Option<&LegalHold> {
        self.legal_hold.as_ref().filter(|hold| hold.lifted.is_none())
    }

    /// Whether the clock leaves it alone: nothing is left to erase, or a legal hold keeps it.
    pub fn is_kept(&self) -> bool {
        self.standing_hold().is_some() || !self.has_texts()
    }
}
