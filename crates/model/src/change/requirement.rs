//! The unmet conditions of each next step, the people for whom each waits, and the act that satisfies it.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use crate::approval::approvals::approval_unmet;
use crate::approval::obligation::{Due, Duty, TargetObligation};
use crate::change::affected::affected;
use crate::change::blocks::{Block, dependency_unmet};
use crate::change::change_file::ChangeFile;
use crate::change::content::basics;
use crate::change::duties::duty_unmet;
use crate::change::record::{Change, Target};
use crate::change::template::template_trouble;
use crate::change::waves::watched::watch_unmet;
use crate::change::{conditions, custom_values, eligible, related_records};
use crate::core::enums::{ConditionDue, Kind, Level, Role, State, TaskKind, TaskState};
use crate::core::unmet::{Unmet, sentence, unmet};
use crate::directory::snapshot::{Directory, logins};
use crate::emergency::grounds::grounds_unmet;
use crate::gate::closing;
use crate::risk::reach;
use crate::schedule::conflict_rules::conflicts_unmet;
use crate::schedule::freeze::Freeze;
use crate::schedule::frozen_target::{freeze_unmet, stopping, stopping_work};
use crate::schedule::joint_rules::joint_unmet;

/// The conditions of submission: the required facts.
pub fn before_submission(change: &Change, directory: &Directory) -> Vec<Unmet> {
    let content = &change.content;
    let emergency = content.kind == Kind::Emergency;
    let mut missing: Vec<(&str, &str)> = Vec::new();
    let mut need = |present: bool, field: &'static str, what: &'static str| {
        if !present {
            missing.push((field, what));
        }
    };
    for (field, is_there, what) in basics(content) {
        need(is_there, field, what);
    }
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
            format!("The change still needs {what}."),
            format!("Fill in `{field}`."),
            logins(directory, &eligible::writers(change, directory)),
        )
    };
    let own = custom_values::missing(change, directory);
    let own: Vec<Unmet> = own.map(|field| row(&field.name, &field.path())).collect();
    missing
        .into_iter()
        .map(|(field, what)| row(what, field))
        .chain(own)
        .collect()
}

/// All obstacles to a submission: missing facts, times that have passed, a template that is no longer valid.
pub fn against_submission(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let mut rows = before_submission(&file.change, directory);
    rows.extend(window_over(&file.change, directory, now));
    rows.extend(template_trouble(file, directory, now));
    rows.extend(grounds_unmet(file, directory, now));
    rows
}

/// Planned times that have passed.
fn window_over(change: &Change, directory: &Directory, now: Timestamp) -> Option<Unmet> {
    let end = change.planned_end.filter(|end| *end <= now)?;
    Some(unmet(
        "window_over",
        format!("Its planned end, {end}, has passed."),
        "Set new planned times.",
        logins(directory, &eligible::planners(change, directory)),
    ))
}

/// The conditions of the assessment before approvals are requested: the plans, and evidence due by then.
pub fn before_approvals(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let mut rows = before_submission(&file.change, directory);
    rows.extend(plans_missing(&file.change, directory));
    rows.extend(reach::grown_unmet(&file.change, directory).or_else(|| not_reviewed(&file.change, directory)));
    rows.extend(grounds_unmet(file, directory, now));
    rows.extend(stopped(file, directory));
    for row in due_by(file, Due::Approval) {
        if matches!(
            row.obligation.duty,
            Duty::Evidence { .. }
                | Duty::Checklist { .. }
                | Duty::Item { .. }
                | Duty::SecurityAnswers {}
                | Duty::Task { .. }
        ) {
            rows.extend(duty_unmet(file, directory, row, now));
        }
    }
    rows
}

/// The obstacles that an assessment cannot remove: the facts that others write, and the plans. The complexity is part of the
/// assessment itself; the rules' requirements are known after it.
pub fn against_assessment(change: &Change, directory: &Directory) -> Vec<Unmet> {
    let mut assessed = change.clone();
    assessed.content.complexity.get_or_insert(Level::Low);
    let mut rows = before_submission(&assessed, directory);
    rows.extend(plans_missing(change, directory));
    rows
}

/// The affected things that no assessment covered. An emergency waits for no such look: it is owed before it closes.
fn not_reviewed(change: &Change, directory: &Directory) -> Option<Unmet> {
    let text = unseen(change, directory).filter(|_| change.content.kind != Kind::Emergency)?;
    Some(unmet(
        "dependencies_not_reviewed",
        text,
        "Check what the change affects and confirm it in the assessment (dependencies_reviewed); exclude what it \
         does not affect, each with a reason (excluded).",
        logins(directory, &eligible::writers(change, directory)),
    ))
}

/// The affected things that the assessment did not cover, in a sentence.
pub(crate) fn unseen(change: &Change, directory: &Directory) -> Option<String> {
    let content = &change.content;
    if content.dependencies_reviewed {
        return None;
    }
    let found = affected(directory, &content.targets);
    let reached: Vec<&str> = found
        .iter()
        .filter(|one| one.distance > 0)
        .map(|one| one.key.as_str())
        .collect();
    let first = reached.first()?;
    Some(match reached.len() {
        1 => format!("The change affects {first}, which has not been reviewed."),
        many => format!("The change affects {many} items, among them {first}, which have not been reviewed."),
    })
}

fn plans_missing(change: &Change, directory: &Directory) -> Vec<Unmet> {
    let content = &change.content;
    let writers = || logins(directory, &eligible::writers(change, directory));
    let mut rows = Vec::new();
    if content.plan.is_empty() {
        rows.push(unmet(
            "plan_missing",
            "The change has no plan.",
            "Add at least one step to `plan`.",
            writers(),
        ));
    }
    if content.rollback_plan.is_empty() && content.no_rollback_reason.is_none() {
        rows.push(unmet(
            "rollback_plan_missing",
            "The change has no rollback plan.",
            "Add `rollback_plan`, or explain in `no_rollback_reason` why there is none.",
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
        "An administrator must correct the policies before changes can continue.",
        logins(directory, &directory.with_role(Role::Admin)),
    ))
}

pub(crate) fn due_by(file: &ChangeFile, due: Due) -> impl Iterator<Item = &TargetObligation> {
    file.requirements
        .obligations
        .iter()
        .filter(move |row| row.obligation.due == due)
}

/// The unmet rules on *what*.
pub fn before_approved(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let mut rows: Vec<Unmet> = stopped(file, directory).into_iter().collect();
    rows.extend(template_trouble(file, directory, now));
    rows.extend(grounds_unmet(file, directory, now));
    rows.extend(plans_missing_unless_standard(file, directory));
    for row in &file.requirements.obligations {
        match &row.obligation.duty {
            Duty::Approval(rule) if rule.covers.what() => {
                rows.extend(approval_unmet(file, directory, row, rule, now, true));
            }
            Duty::PeerReview { .. }
            | Duty::Evidence { .. }
            | Duty::Checklist { .. }
            | Duty::Item { .. }
            | Duty::SecurityAnswers {}
            | Duty::Task { .. }
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

/// The unmet conditions of scheduling: planned times, the rules on *when*, lead times, and no freeze.
pub fn before_scheduled(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let change = &file.change;
    let mut rows = Vec::new();
    let (Some(start), Some(end)) = (change.planned_start, change.planned_end) else {
        rows.push(unmet(
            "not_planned",
            "The change has no planned times.",
            "Set `planned_start` and `planned_end`.",
            logins(directory, &eligible::planners(change, directory)),
        ));
        return rows;
    };
    rows.extend(window_over(change, directory, now));
    // The past stops nothing: a freeze that is over does not forbid the rest of the window.
    let rest = (start.max(now), end);
    let over = stopping(change, directory, rest).into_iter();
    rows.extend(over.map(|freeze| freeze_unmet(freeze, (change, directory), rest)));
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

/// The earliest start by the rules on lead time, with the rule of the longest one: counted from the submission or the last edit
/// that starts it again, or from now without a submission. By the tenant's usual calendar, where it is in working time.
pub fn earliest_start<'a>(
    file: &'a ChangeFile,
    directory: &Directory,
    now: Timestamp,
) -> Option<(Timestamp, &'a TargetObligation)> {
    let is_draft = file.change.state == State::Draft;
    let counted = |row: &TargetObligation| counted_from(&file.change, row).filter(|_| !is_draft).unwrap_or(now);
    let rows = file.requirements.obligations.iter();
    rows.filter_map(|row| Some((led_by(row, directory, counted(row))?, row)))
        .max_by_key(|(earliest, _)| *earliest)
}

/// From when a rule counts its lead time: the submission, or a later edit of a field that the rule names. A placeholder that is filled
/// in later buys no time.
fn counted_from(change: &Change, row: &TargetObligation) -> Option<Timestamp> {
    let submitted = change.submitted_at?;
    let edits = change.changed_at.iter();
    let restarts = edits.filter(|edit| row.obligation.duty.is_restarted_by(&edit.field));
    restarts.map(|edit| edit.at).chain([submitted]).max()
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
    let earliest = led_by(row, directory, counted_from(change, row)?)?;
    (start < earliest).then(|| {
        unmet(
            "lead_time",
            format!(
                "{} It can start at {earliest} at the earliest.",
                sentence(&row.obligation.reason)
            ),
            "Plan a later start.",
            logins(directory, &eligible::planners(change, directory)),
        )
    })
}

/// Freezes that overlap `[start, end)` of a change and do not except it.
pub fn freezes_over<'a>(
    change: &'a Change,
    directory: &'a Directory,
    start: Timestamp,
    end: Timestamp,
) -> impl Iterator<Item = &'a Freeze> {
    directory.freezes.iter().filter(move |freeze| {
        freeze.stops_over(change, (start, end))
            && change
                .content
                .targets
                .iter()
                .any(|target| directory.is_frozen_by(freeze, &target.service, &target.environment))
    })
}

/// All conditions due before work begins, except window and hold, which depend on the clock and on people.
pub fn before_start(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let change = &file.change;
    let mut rows = Vec::new();
    if let Some(other) = &file.rejected_elsewhere {
        let key = &other.key;
        rows.push(unmet(
            "rejected_elsewhere",
            format!("{key} was rejected for the same artifact, service and environment."),
            format!("{key} must be revised or cancelled, or a change manager must overrule its rejection."),
            logins(directory, &eligible::lifters(change, other, directory)),
        ));
    }
    rows.extend(closing::all_closed(change, directory));
    rows.extend(led_elsewhere(change, directory));
    rows.extend(watch_unmet(file, directory));
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
            rows.push(task_unmet(task, file, directory, now));
        }
    }
    let dependencies = file.depends_on.iter();
    rows.extend(dependencies.filter_map(|linked| dependency_unmet(file, directory, linked, now)));
    rows.extend(conflicts_unmet(change, directory));
    rows.extend(joint_unmet(change, directory));
    rows
}

/// A service of the change that another system leads: the change here is a shadow for that system and starts nothing.
fn led_elsewhere(change: &Change, directory: &Directory) -> Option<Unmet> {
    let mut targets = change.content.targets.iter();
    let (service, led) = targets.find_map(|target| {
        let service = directory.services.get(&target.service)?;
        Some((&service.key, service.led_by.as_ref()?))
    })?;
    let system = led.kind.label();
    Some(unmet(
        "led_elsewhere",
        format!("{system} manages the changes of {service}, so this change cannot start."),
        format!(
            "Make the change in {system}, or a change manager makes Assent the system of record for {service} \
            again."
        ),
        logins(directory, &directory.with_role(Role::ChangeManager)),
    ))
}

pub(crate) fn condition_unmet(
    condition: &related_records::Condition,
    file: &ChangeFile,
    directory: &Directory,
) -> Unmet {
    let checkers = conditions::checkers(file, directory, condition);
    let satisfy = if checkers.contains(&condition.checker) {
        "Its checker must confirm that it is met.".to_owned()
    } else {
        format!(
            "{} is no longer active here, so the person who took over the check must confirm that it is met.",
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

pub(crate) fn task_unmet(
    task: &related_records::ChangeTask,
    file: &ChangeFile,
    directory: &Directory,
    now: Timestamp,
) -> Unmet {
    let assignee = task.assignee.iter().find(|person| directory.is_active(person));
    let block = Block::of_task(task);
    let people = match assignee {
        Some(person) => vec![person.clone()],
        None if block.is_of_approver() => block.lifters(file, directory, now),
        None => eligible::writers(&file.change, directory),
    };
    unmet(
        "task_open",
        format!("The task “{}” is open.", task.title),
        "Finish the task, or drop it with a reason.",
        logins(directory, &people),
    )
}

/// The targets without a recorded outcome.
pub(crate) fn outcomes_missing(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    if file.change.open_targets().next().is_none() {
        return Vec::new();
    }
    let people = logins(directory, &eligible::implementers(file, directory, now));
    let row = |target: &Target| {
        let record = file.change.target_record(&target.id);
        let (id, service, environment) = (&target.id, &target.service, &target.environment);
        match record.and_then(|record| record.outcome) {
            None => unmet(
                "outcome_missing",
                format!("Target {id} ({service} in {environment}) has no outcome."),
                "Record its outcome.",
                people.clone(),
            ),
            Some(_) => unmet(
                "rollback_failed",
                format!("The rollback of target {id} ({service} in {environment}) failed, so the target remains open."),
                "Roll the target back again or repair it, then record the outcome.",
                people.clone(),
            ),
        }
    };
    file.change.open_targets().map(row).collect()
}

/// All obstacles to a start at this instant: unmet conditions, the window, a freeze now.
pub fn against_start(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Unmet> {
    let change = &file.change;
    let mut rows = before_approved(file, directory, now);
    rows.extend(before_scheduled(file, directory, now));
    rows.extend(before_start(file, directory, now));
    if let (Some(start), Some(end)) = (change.planned_start, change.window_end()) {
        if now < start {
            let text = format!("The window opens at {start}.");
            rows.push(unmet(
                "window_not_open",
                text,
                "Wait until the window opens, or plan another time.",
                logins(directory, &eligible::planners(change, directory)),
            ));
        } else if now >= end && !rows.iter().any(|row| row.code == "window_over") {
            rows.push(unmet(
                "window_over",
                format!("The window ended at {end}."),
                "Plan another time.",
                logins(directory, &eligible::planners(change, directory)),
            ));
        }
        let second = jiff::SignedDuration::from_secs(1);
        let known = rows.iter().any(|row| row.code == "freeze");
        if !known {
            let at_once = (now, now + second);
            let over = stopping_work(change, directory, now).into_iter();
            rows.extend(over.map(|freeze| freeze_unmet(freeze, (change, directory), at_once)));
        }
    }
    rows
}
