//! What is still unmet before each next step, whom it waits for, and what satisfies it.

use std::collections::BTreeMap;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use serde::{Deserialize, Serialize};

use crate::approvals::approval_unmet;
use crate::authority::peer_counts;
use crate::change::{Change, Target};
pub use crate::closure::{before_closure, review_is_needed};
use crate::directory::{Directory, Freeze};
use crate::doers;
use crate::file::{ChangeFile, unmet};
use crate::ids::{GroupKey, PersonId};
use crate::matrix::Place;
use crate::obligation::{Due, Duty, Obligation, TargetObligation};
use crate::records::{Evidence, Unmet};
pub(crate) use crate::template::template_review;
pub use crate::template::template_trouble;
use crate::words::{
    Aspect, ConditionDue, EvidenceResult, Kind, Level, OwnershipRole, Role, State, TaskKind, TaskState,
};

/// The steps ahead of a change, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// draft → assessing.
    Submission,
    /// assessing → authorizing.
    Assessment,
    /// authorizing → approved.
    Approval,
    /// approved → scheduled.
    Scheduling,
    /// scheduled → implementing.
    Implementation,
    /// reviewing → closed.
    Closure,
}

/// An unmet condition with the step that it holds up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    /// The step.
    pub step: Step,
    /// The condition.
    #[serde(flatten)]
    pub unmet: Unmet,
}

/// Finds what is unmet before one step.
type Find = fn(&ChangeFile, &Directory, Timestamp) -> Vec<Unmet>;

/// Everything unmet ahead of a change, step by step.
pub fn ahead(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Ahead> {
    let state = file.change.state;
    let steps: [(Step, State, Find); 6] = [
        (Step::Submission, State::Draft, against_submission),
        (Step::Assessment, State::Assessing, |file, directory, now| {
            let rows = before_approvals_are_asked(file, directory, now);
            not_submitted(&file.change, directory).into_iter().chain(rows).collect()
        }),
        (Step::Approval, State::Authorizing, |file, directory, now| {
            let rows = before_approved(file, directory, now);
            not_assessed(&file.change, directory).into_iter().chain(rows).collect()
        }),
        (Step::Scheduling, State::Scheduled, before_scheduled),
        (Step::Implementation, State::Scheduled, |file, directory, now| {
            let glass = crate::glass::cosignature_unmet(file, directory, now);
            glass.into_iter().chain(before_start(file, directory, now)).collect()
        }),
        (Step::Closure, State::Reviewing, before_closure),
    ];
    if !state.is_open() {
        return Vec::new();
    }
    let mut held = crate::lifecycle::hold_unmet(&file.change, directory);
    steps
        .into_iter()
        .filter(|(_, last, _)| state <= *last)
        .flat_map(|(step, _, find)| {
            // A hold stands before whatever comes next.
            let rows = held.take().into_iter().chain(find(file, directory, now));
            rows.map(move |unmet| Ahead { step, unmet }).collect::<Vec<_>>()
        })
        .collect()
}

/// What is waited for before anything else: the co-signature of a broken glass, which goes before every step; else the first.
pub fn first_awaited(rows: &[Ahead]) -> Option<&Ahead> {
    let glass = rows.iter().find(|row| row.unmet.code == "cosignature_missing");
    glass.or_else(|| rows.first())
}

/// A draft waits for who submits it before it waits for anybody else.
fn not_submitted(change: &Change, directory: &Directory) -> Option<Unmet> {
    (change.state == State::Draft).then(|| {
        unmet(
            "not_submitted",
            "Nobody has submitted it.",
            "Submit it (POST …/submission).",
            logins(directory, &doers::writers(change, directory)),
        )
    })
}

/// Before anybody is asked somebody assesses it; a standard change has its template for that.
fn not_assessed(change: &Change, directory: &Directory) -> Option<Unmet> {
    let is_due = matches!(change.state, State::Draft | State::Assessing) && change.content.kind != Kind::Standard;
    is_due.then(|| {
        unmet(
            "not_assessed",
            "Nobody has assessed it.",
            "Assess it (POST …/assessment).",
            logins(directory, &doers::writers(change, directory)),
        )
    })
}

/// What submission needs: the facts that a reader cannot do without.
pub fn before_submission(change: &Change, directory: &Directory) -> Vec<Unmet> {
    let content = &change.content;
    let emergency = content.kind == Kind::Emergency;
    let mut missing: Vec<(&str, &str)> = Vec::new();
    let mut need = |present: bool, field: &'static str, what: &'static str| {
        if !present {
            missing.push((field, what));
        }
    };
    need(!content.title.trim().is_empty(), "title", "a title");
    need(content.description.is_some(), "description", "a description");
    need(content.justification.is_some(), "justification", "a justification");
    need(!content.targets.is_empty(), "targets", "at least one target");
    if emergency {
        need(
            content.incident.is_some() || content.threat.is_some(),
            // Either will do, and the sentence names both.
            "incident` or `threat",
            "the incident or threat behind it",
        );
    } else {
        need(content.complexity.is_some(), "complexity", "its complexity");
        need(change.planned_start.is_some(), "planned_start", "a planned start");
        need(change.planned_end.is_some(), "planned_end", "a planned end");
    }
    let row = |what: &str, field: &str| {
        unmet(
            "field_missing",
            format!("It does not say {what}."),
            format!("Fill in `{field}`."),
            logins(directory, &doers::writers(change, directory)),
        )
    };
    let own = crate::custom_field::missing(change, directory);
    let own: Vec<Unmet> = own.map(|field| row(&field.name, &field.path())).collect();
    missing
        .into_iter()
        .map(|(field, what)| row(what, field))
        .chain(own)
        .collect()
}

/// Everything that stands against handing a change over: what it does not say, times that have passed, a template that holds
/// no more.
pub fn against_submission(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let mut rows = before_submission(&file.change, directory);
    rows.extend(window_over(&file.change, directory, now));
    rows.extend(template_trouble(file, directory, now));
    rows
}

/// Planned times that have passed.
fn window_over(change: &Change, directory: &Directory, now: Timestamp) -> Option<Unmet> {
    let end = change.planned_end.filter(|end| *end <= now)?;
    Some(unmet(
        "window_over",
        format!("Its planned end, {end}, has passed."),
        "Set new planned times.",
        logins(directory, &doers::planners(change, directory)),
    ))
}

/// What the assessment needs before approvals are asked: the plans, and evidence due by then.
pub fn before_approvals_are_asked(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let mut rows = before_submission(&file.change, directory);
    rows.extend(plans_missing(&file.change, directory));
    rows.extend(stopped(file, directory));
    for row in due_by(file, Due::Approval) {
        if matches!(
            row.obligation.duty,
            Duty::Evidence { .. } | Duty::Checklist { .. } | Duty::Task { .. }
        ) {
            rows.extend(duty_unmet(file, directory, row, now));
        }
    }
    rows
}

/// What no assessment mends, whatever it says: the facts that others write, and the plans. How hard it is, the assessment says
/// itself; what the rules want is known once it is judged.
pub fn against_assessment(change: &Change, directory: &Directory) -> Vec<Unmet> {
    let mut assessed = change.clone();
    assessed.content.complexity.get_or_insert(Level::Low);
    let mut rows = before_submission(&assessed, directory);
    rows.extend(plans_missing(change, directory));
    rows
}

fn plans_missing(change: &Change, directory: &Directory) -> Vec<Unmet> {
    let content = &change.content;
    let writers = || logins(directory, &doers::writers(change, directory));
    let mut rows = Vec::new();
    if content.plan.is_empty() {
        rows.push(unmet(
            "plan_missing",
            "There is no plan.",
            "Add at least one step to `plan`.",
            writers(),
        ));
    }
    if content.rollback_plan.is_empty() && content.no_rollback_reason.is_none() {
        rows.push(unmet(
            "rollback_plan_missing",
            "There is no way back.",
            "Add `rollback_plan`, or say in `no_rollback_reason` why there is none.",
            writers(),
        ));
    }
    rows
}

pub(crate) fn stopped(file: &ChangeFile, directory: &Directory) -> Option<Unmet> {
    let stop = file.requirements.stop.as_ref()?;
    Some(unmet(
        "rules_not_judged",
        format!("The policies could not be judged: {stop}"),
        "An administrator mends the policies; nothing goes on before.",
        logins(directory, &directory.with_role(Role::Admin)),
    ))
}

pub(crate) fn due_by(file: &ChangeFile, due: Due) -> impl Iterator<Item = &TargetObligation> {
    file.requirements
        .obligations
        .iter()
        .filter(move |row| row.obligation.due == due)
}

/// What the rules on *what* still ask.
pub fn before_approved(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let mut rows: Vec<Unmet> = stopped(file, directory).into_iter().collect();
    rows.extend(template_trouble(file, directory, now));
    rows.extend(plans_missing_unless_standard(file, directory));
    for row in &file.requirements.obligations {
        match &row.obligation.duty {
            Duty::Approval(rule) if rule.covers.what() => {
                rows.extend(approval_unmet(file, directory, row, rule, now, true));
            }
            Duty::PeerReview { .. } | Duty::Evidence { .. } | Duty::Checklist { .. } | Duty::Task { .. }
                if row.obligation.due == Due::Approval =>
            {
                rows.extend(duty_unmet(file, directory, row, now));
            }
            _ => {}
        }
    }
    rows
}

fn plans_missing_unless_standard(file: &ChangeFile, directory: &Directory) -> Vec<Unmet> {
    if file.change.content.kind == Kind::Standard {
        Vec::new()
    } else {
        plans_missing(&file.change, directory)
    }
}

/// What scheduling still asks: planned times, the rules on *when*, lead times, and no freeze.
pub fn before_scheduled(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let change = &file.change;
    let mut rows = Vec::new();
    let (Some(start), Some(end)) = (change.planned_start, change.planned_end) else {
        rows.push(unmet(
            "not_planned",
            "It has no planned times.",
            "Set `planned_start` and `planned_end`.",
            logins(directory, &doers::planners(change, directory)),
        ));
        return rows;
    };
    rows.extend(window_over(change, directory, now));
    // What lies behind us stops nothing: a freeze that is over does not forbid the rest of the window.
    rows.extend(
        freezes_over(change, directory, start.max(now), end).map(|freeze| freeze_unmet(freeze, change, directory)),
    );
    for row in &file.requirements.obligations {
        if let Duty::Approval(rule) = &row.obligation.duty
            && rule.covers.when()
        {
            rows.extend(approval_unmet(file, directory, row, rule, now, false));
        }
        rows.extend(lead_time_unmet((change, row), directory, start));
    }
    rows
}

/// The earliest start that the rules on lead time leave, with the rule that asks for the longest: counted from the
/// submission, or from now while there was none. By the tenant's usual calendar, where it is in working time.
pub fn earliest_start<'a>(
    file: &'a ChangeFile,
    directory: &Directory,
    now: Timestamp,
) -> Option<(Timestamp, &'a TargetObligation)> {
    let is_draft = file.change.state == State::Draft;
    let submitted = file.change.submitted_at.filter(|_| !is_draft).unwrap_or(now);
    let rows = file.requirements.obligations.iter();
    rows.filter_map(|row| Some((led_by(row, directory, submitted)?, row)))
        .max_by_key(|(earliest, _)| *earliest)
}

/// A start is planned by the minute, so what is left of one is waited for too.
fn led_by(row: &TargetObligation, directory: &Directory, submitted: Timestamp) -> Option<Timestamp> {
    let span = row.obligation.duty.lead_time()?;
    let earliest = directory.clock_of_group(None).after(submitted, span);
    let whole = TimestampRound::new().smallest(Unit::Minute).mode(RoundMode::Ceil);
    Some(earliest.round(whole).unwrap_or(earliest))
}

fn lead_time_unmet(
    (change, row): (&Change, &TargetObligation),
    directory: &Directory,
    start: Timestamp,
) -> Option<Unmet> {
    let earliest = led_by(row, directory, change.submitted_at?)?;
    (start < earliest).then(|| {
        unmet(
            "lead_time",
            format!(
                "{} It can start at {earliest} at the earliest.",
                sentence(&row.obligation.reason)
            ),
            "Plan a later start.",
            Vec::new(),
        )
    })
}

/// Freezes that lie over `[start, end)` of a change and do not except it.
pub fn freezes_over<'a>(
    change: &'a Change,
    directory: &'a Directory,
    start: Timestamp,
    end: Timestamp,
) -> impl Iterator<Item = &'a Freeze> {
    directory.freezes.iter().filter(move |freeze| {
        freeze.overlaps(start, end)
            && !freeze.excepts(change)
            && change
                .content
                .targets
                .iter()
                .any(|target| freeze.covers(&target.service, &target.environment))
    })
}

/// A freeze as an unmet condition.
pub fn freeze_unmet(freeze: &Freeze, change: &Change, directory: &Directory) -> Unmet {
    unmet(
        "freeze",
        format!(
            "The freeze “{}” lies over it, from {} to {}.",
            freeze.title, freeze.starts_at, freeze.ends_at
        ),
        "Plan another time, or have a change manager except this change.",
        logins(directory, &doers::past_a_freeze(change, directory)),
    )
}

/// Everything due before work begins, without window and hold, which are matters of the clock and of people's word.
pub fn before_start(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let change = &file.change;
    let mut rows = Vec::new();
    if let Some(other) = &file.rejected_elsewhere {
        let key = &other.key;
        rows.push(unmet(
            "rejected_elsewhere",
            format!("{key} was rejected for the same artifact, service and environment."),
            format!("{key} is revised, cancelled or overruled by a change manager."),
            logins(directory, &doers::lifters(other, directory)),
        ));
    }
    for row in due_by(file, Due::Start) {
        if !matches!(
            row.obligation.duty,
            Duty::Approval(_) | Duty::LeadTime { .. } | Duty::Permit { .. }
        ) {
            rows.extend(duty_unmet(file, directory, row, now));
        }
    }
    for condition in file
        .conditions
        .iter()
        .filter(|c| c.due == ConditionDue::Start && c.met.is_none() && !c.lapsed)
    {
        rows.push(condition_unmet(condition, file, directory));
    }
    for task in &file.tasks {
        let holds = matches!(task.kind, TaskKind::Prepare | TaskKind::Test);
        if holds && task.mandatory && task.state == TaskState::Open {
            rows.push(task_unmet(task, change, directory));
        }
    }
    for linked in file.depends_on.iter().filter(|linked| !linked.state.is_final()) {
        rows.push(unmet(
            "dependency_open",
            format!("It depends on {}, which is {}.", linked.key, linked.state),
            format!("{} is closed or cancelled.", linked.key),
            linked.owner.iter().map(|owner| directory.login(owner)).collect(),
        ));
    }
    rows
}

pub(crate) fn condition_unmet(
    condition: &crate::records::Condition,
    file: &ChangeFile,
    directory: &Directory,
) -> Unmet {
    let checkers = crate::conditions::checkers(file, directory, condition);
    let satisfy = if checkers.contains(&condition.checker) {
        "Its checker says that it is met.".to_owned()
    } else {
        format!(
            "{} may no longer act here, so whoever took over the check says that it is met.",
            directory.name(&condition.checker)
        )
    };
    unmet(
        "condition_open",
        format!("A condition is open: {}", condition.text),
        satisfy,
        logins(directory, &checkers),
    )
}

pub(crate) fn task_unmet(task: &crate::records::ChangeTask, change: &Change, directory: &Directory) -> Unmet {
    let assignee = task.assignee.iter().find(|person| directory.is_active(person));
    let people = assignee.map_or_else(|| doers::writers(change, directory), |person| vec![person.clone()]);
    unmet(
        "task_open",
        format!("The task “{}” is open.", task.title),
        "The task is done, or dropped with a reason.",
        logins(directory, &people),
    )
}

/// The targets of which nobody has told yet how they ended.
pub(crate) fn outcomes_missing(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    if file.change.open_targets().next().is_none() {
        return Vec::new();
    }
    let people = logins(directory, &doers::implementers(file, directory, now));
    let row = |target: &Target| {
        unmet(
            "outcome_missing",
            format!(
                "Target {} ({} in {}) has no outcome.",
                target.id, target.service, target.environment
            ),
            "Say how it ended.",
            people.clone(),
        )
    };
    file.change.open_targets().map(row).collect()
}

/// The owners of the change and of its targets.
pub fn owners_of(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
    let mut people = vec![file.change.content.owner.clone()];
    for target in &file.change.content.targets {
        for holder in directory.holders_at(&Place::from(target), OwnershipRole::Owner, now) {
            if !people.contains(&holder.person) {
                people.push(holder.person);
            }
        }
    }
    people
}

pub(crate) fn logins(directory: &Directory, people: &[PersonId]) -> Vec<String> {
    people.iter().map(|person| directory.login(person)).collect()
}

pub(crate) fn sentence(text: &str) -> String {
    if text.ends_with('.') {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// A duty other than an approval, judged.
pub(crate) fn duty_unmet(
    file: &ChangeFile,
    directory: &Directory,
    row: &TargetObligation,
    now: Timestamp,
) -> Vec<Unmet> {
    match &row.obligation.duty {
        Duty::Evidence { aspect, environment } => evidence_unmet(file, directory, row, *aspect, environment.as_deref()),
        Duty::PeerReview { count, from } => {
            let mut rows = crate::committers::committers_unmet(file, directory, &row.obligation.id);
            rows.extend(peer_review_unmet(
                file,
                directory,
                &row.obligation,
                *count,
                from.as_ref(),
            ));
            rows
        }
        Duty::Checklist { .. } => checklist_unmet(file, row),
        Duty::Task { kind, title } => task_duty_unmet(file, row, *kind, title).into_iter().collect(),
        Duty::Approval(rule) => approval_unmet(file, directory, row, rule, now, true),
        Duty::OutsideLook { from, within_minutes } => {
            let look = crate::outside_look::look_unmet(directory, row, (from, *within_minutes), now);
            look.into_iter().collect()
        }
        Duty::Validation { .. }
        | Duty::Review {}
        | Duty::LeadTime { .. }
        | Duty::BreakGlass { .. }
        | Duty::Permit { .. } => Vec::new(),
    }
}

/// The other way than to add evidence, where some failed.
const ACCEPTED: &str = "Or somebody who is asked to decide, and neither wrote the change nor brought the evidence, accepts the \
                        failed one with a reason (POST …/evidence/ID/acceptance).";

fn evidence_unmet(
    file: &ChangeFile,
    directory: &Directory,
    row: &TargetObligation,
    aspect: Aspect,
    environment: Option<&str>,
) -> Vec<Unmet> {
    let change = &file.change;
    let plan = crate::content::plan_digest(&change.content);
    // Evidence speaks for a build wherever it goes, so targets of the same build lack it once.
    let mut lacking: Vec<(&str, Vec<&Target>)> = Vec::new();
    for target in change.content.targets.iter().filter(|target| {
        row.targets.contains(&target.id) && !newest_of(file, aspect, target, environment, &plan).any(has_passed)
    }) {
        let bound = bound_to(target);
        match lacking.iter_mut().find(|(known, _)| *known == bound) {
            Some((_, targets)) => targets.push(target),
            None => lacking.push((bound, vec![target])),
        }
    }
    let place = environment.map(|name| format!(" from {name}")).unwrap_or_default();
    let witnesses = logins(directory, &doers::witnesses(change, directory));
    let one = |(bound, targets): (&str, Vec<&Target>)| {
        let failed = newest_of(file, aspect, targets[0], environment, &plan).last();
        let last = failed.map(|e| format!(" The newest evidence named `{}` failed.", e.name));
        let mut satisfy = format!(
            "Add passed evidence of the aspect `{aspect}`{place} (rule `{}`).",
            row.obligation.id
        );
        if failed.is_some() {
            // Whoever reads this at night must learn that a known failure need not be mended first.
            satisfy.push(' ');
            satisfy.push_str(ACCEPTED);
        }
        unmet(
            "evidence_missing",
            format!(
                "Passed {aspect} evidence{place} is missing for {bound} ({}).{}",
                services_of(&targets),
                last.unwrap_or_default()
            ),
            satisfy,
            witnesses.clone(),
        )
    };
    lacking.into_iter().map(one).collect()
}

/// What evidence about a target is bound to, as people name it.
fn bound_to(target: &Target) -> &str {
    let build = target.artifact.as_deref().or(target.commit.as_deref());
    build.unwrap_or("the present plan")
}

/// The services of targets, each once.
fn services_of(targets: &[&Target]) -> String {
    let mut services: Vec<&str> = Vec::new();
    for target in targets {
        if !services.contains(&target.service.0.as_str()) {
            services.push(&target.service.0);
        }
    }
    services.join(", ")
}

/// Of the evidence that judges a target the newest of each name and place: what was run again counts by its last run alone.
fn newest_of<'f>(
    file: &'f ChangeFile,
    aspect: Aspect,
    target: &Target,
    environment: Option<&str>,
    plan_digest: &str,
) -> impl Iterator<Item = &'f Evidence> {
    let mut newest: BTreeMap<(&str, Option<&str>), &Evidence> = BTreeMap::new();
    let judging = file.evidence.iter().filter(|e| {
        e.aspect == aspect
            && e.result != EvidenceResult::Informational
            && speaks_for(e, target, environment, plan_digest)
    });
    for evidence in judging {
        let known = newest
            .entry((evidence.name.as_str(), evidence.environment.as_deref()))
            .or_insert(evidence);
        if (known.at, &known.id) < (evidence.at, &evidence.id) {
            *known = evidence;
        }
    }
    newest.into_values()
}

fn has_passed(evidence: &Evidence) -> bool {
    evidence.result == EvidenceResult::Passed || evidence.accepted.is_some()
}

/// Whether a piece of evidence is about a target: from the right place, for the right thing.
fn speaks_for(evidence: &Evidence, target: &Target, environment: Option<&str>, plan_digest: &str) -> bool {
    let place = environment.is_none_or(|name| evidence.environment.as_deref() == Some(name));
    let bound = match (&evidence.artifact, &evidence.plan_digest) {
        (Some(artifact), _) => target.artifact.as_ref() == Some(artifact) || target.commit.as_ref() == Some(artifact),
        (None, Some(digest)) => digest == plan_digest,
        (None, None) => false,
    };
    place && bound
}

/// Peers who may review: in the group if one is named, and neither author nor approver.
fn peer_review_unmet(
    file: &ChangeFile,
    directory: &Directory,
    obligation: &Obligation,
    count: u32,
    from: Option<&GroupKey>,
) -> Option<Unmet> {
    let good: Vec<&PersonId> = file
        .agreeing_peers()
        .filter(|review| peer_counts(file, directory, &review.person, from))
        .map(|review| &review.person)
        .collect();
    if good.len() >= count as usize {
        return None;
    }
    let people: Vec<PersonId> = match from {
        Some(key) => directory.members(key),
        None => Vec::new(),
    };
    let waiting: Vec<PersonId> = people
        .into_iter()
        .filter(|person| peer_counts(file, directory, person, from) && !good.contains(&person))
        .collect();
    let who = from.map(|key| format!(" from the group {key}")).unwrap_or_default();
    Some(unmet(
        "peer_review_missing",
        format!(
            "{} {} of {count} peer reviews are there.",
            sentence(&obligation.reason),
            good.len()
        ),
        format!(
            "A peer{who} who neither wrote nor approves reads it and agrees (rule `{}`).",
            obligation.id
        ),
        logins(directory, &waiting),
    ))
}

fn checklist_unmet(file: &ChangeFile, row: &TargetObligation) -> Vec<Unmet> {
    let Duty::Checklist { items } = &row.obligation.duty else {
        return Vec::new();
    };
    items
        .iter()
        .filter(|item| {
            !file
                .checklist
                .iter()
                .any(|c| c.rule == row.obligation.id && &c.title == *item && c.done.is_some())
        })
        .map(|item| {
            unmet(
                "checklist_open",
                format!("Not ticked: {item}"),
                format!("Tick it (rule `{}`).", row.obligation.id),
                Vec::new(),
            )
        })
        .collect()
}

fn task_duty_unmet(file: &ChangeFile, row: &TargetObligation, kind: TaskKind, title: &str) -> Option<Unmet> {
    let done = file
        .tasks
        .iter()
        .any(|task| task.kind == kind && task.title == title && task.state == TaskState::Done);
    (!done).then(|| {
        unmet(
            "task_missing",
            format!("The task “{title}” is not done."),
            format!(
                "Add the {kind} task “{title}” and finish it (rule `{}`).",
                row.obligation.id
            ),
            Vec::new(),
        )
    })
}
