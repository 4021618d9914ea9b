//! The row of a change from which figures are counted: its places, times, outcome and approvals. It is computed from the
//! change's records and events alone, so that a replay gives the same row again; names of people and free texts are not in it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::duties::undo::EARLY;
use crate::change::record::{Change, TargetRecord};
use crate::change::related_records::{Approval, Link};
use crate::change::success;
use crate::core::enums::{Category, EmergencyCause, Kind, Level, LinkKind, Origin, Outcome, State};
use crate::core::ids::{EnvironmentKey, PersonId, ServiceKey};
use crate::emergency::cause::cause_by_rule;

/// The prefix of a label that states the cause of an emergency and overrules the cause by rule. Anybody who edits the change
/// may set it, so only a review confirms a cause.
pub const CAUSE_LABEL: &str = "cause:";

/// The kinds of events that a row is computed from besides the records.
pub const MOMENT_KINDS: &[&str] = &["change.held", "change.resumed"];

/// A change as figures count it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeOutcome {
    /// The change's id.
    pub change: String,
    /// The version of the change that this row was computed from.
    pub version: i64,
    /// The number in its key.
    pub number: i64,
    /// `CHG-1042`.
    pub key: String,
    /// The kind of change.
    pub kind: Kind,
    /// The category.
    pub category: Category,
    /// The computed risk.
    pub risk: Level,
    /// The state.
    pub state: State,
    /// The team that the change names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The key of its template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The people who implement it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub implementers: Vec<PersonId>,
    /// The outcome of the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Whether it succeeded, by [`success::succeeded`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded: Option<bool>,
    /// Incidents that a person confirmed as caused by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<String>,
    /// Whether it counts as failed only by its confirmed incidents.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fails_by_incidents: bool,
    /// Whether a pipeline or a delivery reported a part of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_piped: bool,
    /// The root cause of its failure, from the last review that names one: a key of the taxonomy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<String>,
    /// The cause of the emergency: confirmed by a review, else stated by a label, else found by rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<EmergencyCause>,
    /// The cause that follows from the change alone, kept beside the one that a review confirms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause_by_rule: Option<EmergencyCause>,
    /// Whether a review confirmed the cause.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cause_confirmed: bool,
    /// Whether it corrects an earlier change or an incident, unplanned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_rework: bool,
    /// The changes that it followed up or replaced by a link made before its work began. A rollback of one of these is planned
    /// if the link is older than the end of that change. A later link explains nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<Followed>,
    /// The time from which its own declared undo is due, unless it was cancelled or nobody approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_from: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was submitted last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// When its assessment ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessed_at: Option<Timestamp>,
    /// When the last of its approval rules was met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Timestamp>,
    /// When work began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When work ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Its targets.
    pub targets: Vec<TargetOutcome>,
    /// The rules that required approvals, and the assessment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ApprovalSpan>,
}

/// A change that another one follows up or replaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Followed {
    /// The change's id.
    pub change: String,
    /// When the link was made.
    pub linked_at: Timestamp,
}

/// A target of a change: one deployment, where work on it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetOutcome {
    /// The target's id in the change.
    pub target: String,
    /// The service's key. A service that is renamed keeps its key.
    pub service: ServiceKey,
    /// The environment's key.
    pub environment: EnvironmentKey,
    /// The artifact's digest, else the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Whether it failed, by [`success::target_succeeded`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<bool>,
    /// Whether it counts as failed only by the confirmed incidents of its change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fails_by_incidents: bool,
    /// Whether it was rolled back, also where a later outcome follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_rolled_back: bool,
    /// When work on it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When work on it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// The stage of an approval.
pub const ASSESSMENT: &str = "assessment";
/// The stage in which approvers decide.
pub const AUTHORIZATION: &str = "authorization";

/// The wait of a rule for its approval, in three parts that add up: queue, touch and pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalSpan {
    /// [`ASSESSMENT`] or [`AUTHORIZATION`].
    pub stage: String,
    /// The policy that requires it; `assessment` for the assessment.
    pub rule: String,
    /// The group of approvers: the value of the rule's `@from`; empty while nobody has decided.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The person whose decision met it. Figures by approver are only for that person and for change managers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<PersonId>,
    /// Since when it waited.
    pub asked_at: Timestamp,
    /// When it was met.
    pub met_at: Timestamp,
    /// Seconds until an approver took the request up.
    pub queue_seconds: i64,
    /// Seconds from then until the decision.
    pub touch_seconds: i64,
    /// Seconds in which the change was on hold.
    pub paused_seconds: i64,
}

impl ApprovalSpan {
    /// All three parts, in seconds.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.queue_seconds + self.touch_seconds + self.paused_seconds
    }
}

impl ChangeOutcome {
    /// The row of a change. `moments` are its events of the kinds in [`MOMENT_KINDS`], in their order.
    #[must_use]
    pub fn of(change: &Change, approvals: &[Approval], links: &[Link], moments: &[(String, Timestamp)]) -> Self {
        let pauses = pauses(moments);
        let cause = cause_of(change);
        let alone = without_incidents(change);
        let succeeded = success::succeeded(change);
        let is_answer = change.content.kind == Kind::Emergency && change.content.incident.is_some();
        Self {
            change: change.id.0.clone(),
            version: change.version,
            number: change.number,
            key: change.key.clone(),
            kind: change.content.kind,
            category: change.content.category,
            risk: change.risk.level,
            state: change.state,
            team: change.content.team.clone(),
            template: change.content.template.as_ref().map(|it| it.key.clone()),
            implementers: change.content.implementers.clone(),
            outcome: change.outcome,
            succeeded,
            incidents: change.caused_incidents.iter().map(|it| it.incident.clone()).collect(),
            root_cause: change.causal_review().and_then(|review| review.cause.clone()),
            fails_by_incidents: succeeded == Some(false) && alone.as_ref().and_then(success::succeeded) == Some(true),
            is_piped: change.origins.values().any(|it| *it == Origin::Pipeline),
            cause: cause.counted,
            cause_by_rule: cause.by_rule,
            is_cause_confirmed: cause.is_confirmed,
            is_rework: is_answer || has_fixed(change, links),
            follows: follows(change, links),
            undo_from: undo_from(change),
            created_at: change.created_at,
            submitted_at: change.submitted_at,
            assessed_at: change.assessed_at,
            approved_at: approved_at(change),
            started_at: change.actual_start,
            ended_at: change.actual_end.filter(|_| change.outcome.is_some()),
            closed_at: change.closed_at,
            targets: targets_of(change, alone.as_ref()),
            approvals: spans_of(change, approvals, &pauses),
        }
    }

    /// Whether it is an emergency.
    #[must_use]
    pub fn is_emergency(&self) -> bool {
        self.kind == Kind::Emergency
    }
}

/// Whether it fixes a change that failed, by the links at its closing; later links change no figure.
fn has_fixed(change: &Change, links: &[Link]) -> bool {
    let is_in_time = |at: Timestamp| change.closed_at.is_none_or(|closed| at <= closed);
    links
        .iter()
        .any(|link| link.kind == LinkKind::Fixes && is_in_time(link.at) && !link.removed_at.is_some_and(is_in_time))
}

/// The changes that it follows up or replaces, by links made before its work began.
fn follows(change: &Change, links: &[Link]) -> Vec<Followed> {
    let is_before = |link: &&Link| change.actual_start.is_none_or(|began| link.at < began);
    let is_of_kind = |link: &&Link| matches!(link.kind, LinkKind::FollowsUp | LinkKind::Replaces);
    let standing = links
        .iter()
        .filter(|link| link.removed_at.is_none())
        .filter(is_of_kind)
        .filter(is_before);
    let to = |link: &Link| {
        Some(Followed {
            change: link.to_change.as_ref()?.0.clone(),
            linked_at: link.at,
        })
    };
    let mut found: Vec<Followed> = standing.filter_map(to).collect();
    // Of several links to one change the oldest counts.
    found.sort_unstable();
    found.dedup_by(|later, first| later.change == first.change);
    found
}

/// The time from which a rollback counts as its declared undo.
fn undo_from(change: &Change) -> Option<Timestamp> {
    let is_called_off = change.undo.as_ref().is_some_and(|undo| !undo.done);
    let declared = change.content.planned_undo.as_ref()?;
    (!is_called_off && change.break_glass.is_none()).then(|| declared.at.checked_sub(EARLY).unwrap_or(declared.at))
}

fn approved_at(change: &Change) -> Option<Timestamp> {
    let is_decided = !matches!(
        change.state,
        State::Draft | State::Assessing | State::Authorizing | State::Rejected | State::Cancelled
    );
    let met = change.clocks.iter().filter_map(|clock| clock.met_at).max();
    met.filter(|_| is_decided)
}

/// The change without its confirmed incidents; `None` where it has none.
fn without_incidents(change: &Change) -> Option<Change> {
    let has_any = !change.caused_incidents.is_empty();
    has_any.then(|| Change {
        caused_incidents: Vec::new(),
        ..change.clone()
    })
}

fn targets_of(change: &Change, alone: Option<&Change>) -> Vec<TargetOutcome> {
    let one = |target: &crate::change::record::Target| {
        let record = change.target_record(&target.id);
        let without = || success::target_succeeded(alone?, record?);
        TargetOutcome {
            target: target.id.0.clone(),
            service: target.service.clone(),
            environment: target.environment.clone(),
            build: target.artifact.clone().or_else(|| target.commit.clone()),
            outcome: record.and_then(|it| it.outcome),
            failed: record
                .and_then(|it| success::target_succeeded(change, it))
                .map(|it| !it),
            fails_by_incidents: without() == Some(true),
            was_rolled_back: record.is_some_and(TargetRecord::was_rolled_back),
            started_at: record.and_then(|it| it.actual_start),
            ended_at: record.filter(|it| it.outcome.is_some()).and_then(|it| it.actual_end),
        }
    };
    change.content.targets.iter().map(one).collect()
}

/// The causes of an emergency.
#[derive(Default)]
struct Causes {
    counted: Option<EmergencyCause>,
    by_rule: Option<EmergencyCause>,
    is_confirmed: bool,
}

/// The cause of an emergency: what its last review confirmed, else what a label states, else what the change names.
fn cause_of(change: &Change) -> Causes {
    if change.content.kind != Kind::Emergency {
        return Causes::default();
    }
    let by_rule = cause_by_rule(change);
    let mut newest = change.reviews.iter().rev();
    let confirmed = newest.find_map(|review| review.emergency_cause);
    let mut labels = change.labels.iter().filter_map(|label| label.strip_prefix(CAUSE_LABEL));
    let stated = || labels.find_map(|it| it.parse().ok());
    Causes {
        counted: confirmed.or_else(stated).or(Some(by_rule)),
        by_rule: Some(by_rule),
        is_confirmed: confirmed.is_some(),
    }
}

/// The times in which a change was on hold; the last one may have no end.
fn pauses(moments: &[(String, Timestamp)]) -> Vec<(Timestamp, Timestamp)> {
    let mut pauses = Vec::new();
    let mut since = None;
    for (kind, at) in moments {
        match (kind.as_str(), since) {
            ("change.held", None) => since = Some(*at),
            ("change.resumed", Some(from)) => {
                pauses.push((from, *at));
                since = None;
            }
            _ => {}
        }
    }
    pauses.extend(since.map(|from| (from, Timestamp::MAX)));
    pauses
}

/// The seconds of the pauses between two times.
fn paused_between(pauses: &[(Timestamp, Timestamp)], from: Timestamp, to: Timestamp) -> i64 {
    let within = pauses
        .iter()
        .map(|(start, end)| seconds((*start).max(from), (*end).min(to)));
    within.sum()
}

/// Whole seconds from one time to another; none where a clock ran backwards.
fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second().saturating_sub(from.as_second()).max(0)
}

fn spans_of(change: &Change, approvals: &[Approval], pauses: &[(Timestamp, Timestamp)]) -> Vec<ApprovalSpan> {
    let assessed = change.submitted_at.zip(change.assessed_at).map(|(asked, met)| {
        // Nobody takes up a request for an assessment, so all time without a pause is queue.
        span((ASSESSMENT, ASSESSMENT), (asked, None, met), pauses)
    });
    let ruled = change.clocks.iter().filter_map(|clock| {
        let met = clock.met_at?;
        let mine = |it: &&Approval| it.is_yes() && it.counted_for.iter().any(|row| row.rule == clock.rule);
        let deciding = approvals
            .iter()
            .filter(mine)
            .filter(|it| it.at >= clock.asked_at && it.at <= met)
            .max_by_key(|it| it.at);
        let counted = deciding.and_then(|it| it.counted_for.iter().find(|row| row.rule == clock.rule));
        let group = counted.and_then(|row| row.asked.clone()).unwrap_or_default();
        let times = (clock.asked_at, clock.taken_up(&change.requests), met);
        Some(ApprovalSpan {
            group,
            approver: deciding.map(|it| it.person.clone()),
            ..span((AUTHORIZATION, &clock.rule), times, pauses)
        })
    });
    assessed.into_iter().chain(ruled).collect()
}

fn span(
    (stage, rule): (&str, &str),
    (asked_at, taken_up, met_at): (Timestamp, Option<Timestamp>, Timestamp),
    pauses: &[(Timestamp, Timestamp)],
) -> ApprovalSpan {
    let met = met_at.max(asked_at);
    let taken_up = taken_up.unwrap_or(met).clamp(asked_at, met);
    let paused_before = paused_between(pauses, asked_at, taken_up);
    let paused_after = paused_between(pauses, taken_up, met);
    ApprovalSpan {
        stage: stage.to_owned(),
        rule: rule.to_owned(),
        group: String::new(),
        approver: None,
        asked_at,
        met_at,
        queue_seconds: seconds(asked_at, taken_up) - paused_before,
        touch_seconds: seconds(taken_up, met) - paused_after,
        paused_seconds: paused_before + paused_after,
    }
}
