//! Tasks: work given to people, which holds its step while open.

use jiff::Timestamp;
use serde_json::json;

use crate::change::blocks::{self, Block};
use crate::change::change_file::Case;
use crate::change::next_step::check_state;
use crate::change::read_content::{person, refuse_departed};
use crate::change::related_records::ChangeTask;
use crate::change::settle::settle;
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{TaskKind, TaskState};
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::{LINE, Reading, TEXT};
use crate::core::refusal::Refusal;

/// Adds a task.
///
/// # Errors
/// 403, 422, 409.
pub fn add(case: &mut Case<'_>, body: &Body) -> Result<RecordId, Refusal> {
    case.allow(Act::AddTask)?;
    let directory = case.directory.clone();
    let mut reading = Reading::new(body, "");
    let kind = reading.needed_word("kind", TaskKind::Prepare);
    let title = reading.needed("title", LINE);
    let assignee = person(&mut reading, "assignee", &directory);
    if let Some(assignee) = &assignee {
        refuse_departed(&mut reading, "assignee", assignee, &directory);
    }
    let depends_on = depends_on(case, &mut reading);
    let mandatory = reading.boolean("mandatory").unwrap_or(true);
    let planned_start = reading.time("planned_start");
    let planned_end = reading.time("planned_end");
    if let (Some(start), Some(end)) = (planned_start, planned_end)
        && end < start
    {
        reading.wrong(
            "planned_end",
            "out_of_order",
            "`planned_end` must not lie before `planned_start`.",
        );
    }
    reading.finish()?;
    check_state(case, Act::AddTask)?;
    let (id, change, by, at) = (case.new_id(), case.change_id(), case.person(), case.now);
    let set_under = blocks::rules_of(&case.file, &case.directory, &by, at);
    case.emit("task.added", json!({"task": id, "kind": kind, "assignee": assignee}));
    if let Some(assignee) = &assignee {
        let news = format!("You have been assigned a {kind} task on {}.", case.change().key);
        case.write_to(
            assignee,
            "task",
            id.as_str(),
            news,
            "Complete the task, then mark it as done.",
        );
    }
    case.file.tasks.push(ChangeTask {
        id: id.clone(),
        version: 0,
        change,
        kind,
        title,
        assignee,
        depends_on,
        mandatory,
        state: TaskState::Open,
        planned_start,
        planned_end,
        actual_start: None,
        actual_end: None,
        text: None,
        done_by: None,
        set_under,
        by,
        at,
    });
    settle(case);
    Ok(id)
}

fn depends_on(case: &Case<'_>, reading: &mut Reading<'_>) -> Vec<RecordId> {
    let ids = reading.texts("depends_on", LINE).unwrap_or_default();
    let mut found = Vec::new();
    for (place, id) in ids.into_iter().map(RecordId).enumerate() {
        if case.file.tasks.iter().any(|task| task.id == id) {
            found.push(id);
        } else {
            reading.wrong(
                &format!("depends_on[{place}]"),
                "unknown",
                format!("There is no task `{id}`."),
            );
        }
    }
    found
}

/// Moves a task on: actual times, done, or dropped with a reason; or assigns the task to another person, which an assignee
/// alone may not do.
///
/// # Errors
/// 403, 404, 422, 409 when a task before it is open.
pub fn update(case: &mut Case<'_>, task: &RecordId, body: &Body) -> Result<(), Refusal> {
    let Some(known) = case.file.tasks.iter().find(|row| &row.id == task).cloned() else {
        return Err(Refusal::not_found("such task"));
    };
    let assignee = known.assignee.clone();
    if assignee.as_ref() != Some(&case.actor.person) || body.contains_key("assignee") {
        case.allow(Act::UpdateTask)?;
    }
    blocks::check_lift(case, of_lift(&known, body), "task")?;
    let mut reading = Reading::new(body, "");
    let directory = case.directory.clone();
    let next = person(&mut reading, "assignee", &directory);
    if let Some(next) = &next {
        refuse_departed(&mut reading, "assignee", next, &directory);
    }
    let state: Option<TaskState> = reading.word("state");
    let actual_start = reading.time("actual_start");
    let actual_end = reading.time("actual_end");
    let text = reading.text("text", TEXT);
    if state == Some(TaskState::Dropped) && text.is_none() {
        reading.wrong("text", "missing", "Give in `text` the reason for dropping the task.");
    }
    let reopens = state == Some(TaskState::Open);
    check_times(case, task, &mut reading, (actual_start, actual_end), reopens);
    reading.finish()?;
    check_state(case, Act::UpdateTask)?;
    check_order(case, task, state)?;
    let (now, by) = (case.now, case.person());
    for row in case.file.tasks.iter_mut().filter(|row| &row.id == task) {
        row.state = state.unwrap_or(row.state);
        if next.is_some() {
            row.assignee.clone_from(&next);
        }
        row.actual_start = actual_start.or(row.actual_start);
        row.actual_end = actual_end.or(row.actual_end.filter(|_| !reopens));
        if row.state == TaskState::Done {
            row.actual_end.get_or_insert(now);
        }
        match state {
            Some(TaskState::Open) => row.done_by = None,
            Some(_) => row.done_by = Some(by.clone()),
            None => {}
        }
        if text.is_some() {
            row.text.clone_from(&text);
        }
    }
    case.emit("task.updated", describe(task, state, next.as_ref()));
    if let Some(next) = next.filter(|next| assignee.as_ref() != Some(next)) {
        let news = format!("A task on {} has been assigned to you.", case.change().key);
        case.write_to(
            &next,
            "task",
            task.as_str(),
            news,
            "Complete the task, then mark it as done.",
        );
    }
    settle(case);
    Ok(())
}

/// The assignee of a task may do it but not reassign it: that is for its setter and the setter's equals.
fn of_lift<'t>(task: &'t ChangeTask, body: &Body) -> Block<'t> {
    let block = Block::of_task(task);
    match body.contains_key("assignee") {
        true => Block {
            assignee: None,
            ..block
        },
        false => block,
    }
}

fn describe(task: &RecordId, state: Option<TaskState>, next: Option<&PersonId>) -> serde_json::Value {
    match next {
        Some(next) => json!({"task": task, "state": state, "assignee": next}),
        None => json!({"task": task, "state": state}),
    }
}

/// Times of finished work lie in the past, and the end is after the begin. A reopened task has no end.
fn check_times(
    case: &Case<'_>,
    task: &RecordId,
    reading: &mut Reading<'_>,
    (start, end): (Option<Timestamp>, Option<Timestamp>),
    reopens: bool,
) {
    for (field, time) in [("actual_start", start), ("actual_end", end)] {
        if time.is_some_and(|time| time > case.now) {
            reading.wrong(field, "in_the_future", format!("`{field}` cannot lie ahead."));
        }
    }
    let known = case.file.tasks.iter().find(|row| &row.id == task);
    let began = start.or(known.and_then(|row| row.actual_start));
    let ended = end.or(known.and_then(|row| row.actual_end).filter(|_| !reopens));
    let (Some(began), Some(ended)) = (began, ended) else {
        return;
    };
    if ended < began && (start.is_some() || end.is_some()) {
        let field = if end.is_some() { "actual_end" } else { "actual_start" };
        reading.wrong(field, "out_of_order", "The end lies before the start.");
    }
}

fn check_order(case: &Case<'_>, task: &RecordId, state: Option<TaskState>) -> Result<(), Refusal> {
    if state != Some(TaskState::Done) {
        return Ok(());
    }
    let needed = case
        .file
        .tasks
        .iter()
        .find(|row| &row.id == task)
        .map(|row| row.depends_on.clone())
        .unwrap_or_default();
    let open = case
        .file
        .tasks
        .iter()
        .find(|row| needed.contains(&row.id) && row.state == TaskState::Open);
    match open {
        None => Ok(()),
        Some(first) => Err(Refusal::not_now(
            "task_before_open",
            format!("The task “{}” must be finished first and is still open.", first.title),
            "Finish that task first.",
            first
                .assignee
                .iter()
                .map(|person| case.directory.login(person))
                .collect(),
        )),
    }
}
