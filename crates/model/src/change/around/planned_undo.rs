//! The end of a planned undo: recorded, called off, reported by a connected system, or missed.

use jiff::Timestamp;
use serde_json::json;

use crate::change::change_file::Case;
use crate::change::duties::undo::{EARLY, instants, open, undo_unmet};
use crate::change::next_step::check_state;
use crate::change::record::{PlannedUndo, TargetRecord, UndoRecord};
use crate::change::settle::settle;
use crate::change::work::remember_implementer;
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{Outcome, State};
use crate::core::parse::{Reading, TEXT, later};
use crate::core::refusal::Refusal;
use crate::directory::snapshot::logins;

/// Records that the planned undo is done, or calls it off with a reason.
///
/// # Errors
/// 403; 422; 409 where none is declared, where it has ended, before its time, and before the work has succeeded.
pub fn record(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    // Implementers do the undo; the people who may close the change call it off.
    let is_called_off = body.get("done").is_some_and(|said| said == false);
    let act = if is_called_off { Act::Close } else { Act::Complete };
    case.allow(act)?;
    let mut reading = Reading::new(body, "");
    let done = reading.boolean("done").unwrap_or(true);
    let text = reading.text("text", TEXT);
    let said_at = reading.time("occurred_at");
    let occurred_at = said_at.unwrap_or(case.now);
    if occurred_at > case.now {
        reading.wrong("occurred_at", "in_the_future", "`occurred_at` cannot lie ahead.");
    }
    if !done && text.is_none() {
        reading.wrong(
            "text",
            "missing",
            "Give in `text` the reason for cancelling the planned undo.",
        );
    }
    reading.finish()?;
    check_state(case, act)?;
    let undo = declared(case)?;
    match done {
        true => check_done(case, &undo, occurred_at)?,
        false => check_called_off(case)?,
    }
    note(case, done, occurred_at, text);
    settle(case);
    Ok(())
}

fn declared(case: &Case<'_>) -> Result<PlannedUndo, Refusal> {
    let change = case.change();
    let Some(undo) = &change.content.planned_undo else {
        let text = "This change has no planned undo.";
        let satisfy =
            "Reverting without a planned undo is a rollback: record the outcome `rolled_back` (POST …/completion).";
        return Err(Refusal::not_now("no_planned_undo", text, satisfy, Vec::new()));
    };
    if change.undo.is_some() {
        let text = "The planned undo has already ended.";
        return Err(Refusal::not_now(
            "undo_ended",
            text,
            "Nothing remains to be recorded.",
            Vec::new(),
        ));
    }
    Ok(undo.clone())
}

fn check_done(case: &Case<'_>, undo: &PlannedUndo, occurred_at: Timestamp) -> Result<(), Refusal> {
    let change = case.change();
    let has_succeeded = |record: &TargetRecord| record.outcome.is_some_and(Outcome::is_success);
    if !change.target_records.iter().all(has_succeeded) {
        let text = "Only a successful target can be undone as planned.";
        let satisfy = "Record the outcome of each target (POST …/completion); reverting earlier is a rollback.";
        return Err(Refusal::not_now("not_succeeded", text, satisfy, Vec::new()));
    }
    if undo.at > later(occurred_at, EARLY) {
        let text = format!(
            "The undo is planned for {}; reverting so much earlier is a rollback.",
            undo.at
        );
        let satisfy = "Record the outcome `rolled_back` (POST …/completion), or wait until the planned time.";
        return Err(Refusal::not_now("too_early", text, satisfy, Vec::new()));
    }
    if change.break_glass.is_some() {
        let text = "The work began under break-glass, so its planned undo was never approved.";
        let satisfy = "Record the outcome `rolled_back` (POST …/completion).";
        return Err(Refusal::not_now("undo_not_approved", text, satisfy, Vec::new()));
    }
    Ok(())
}

/// Another person than the implementers calls an undo off: an implementer who forgot it must not declare it unnecessary.
fn check_called_off(case: &Case<'_>) -> Result<(), Refusal> {
    let person = case.person();
    let change = case.change();
    let is_of_work = change.implemented_by.contains(&person) || change.content.implementers.contains(&person);
    let in_charge = case.people_in_charge();
    if in_charge.contains(&person) && !is_of_work {
        return Ok(());
    }
    let others: Vec<_> = in_charge
        .into_iter()
        .filter(|it| !change.implemented_by.contains(it) && !change.content.implementers.contains(it))
        .collect();
    let text = "Only an owner or change manager who did none of the work can cancel the planned undo.";
    Err(Refusal::not_allowed("own_work", text).with_others(logins(&case.directory, &others)))
}

/// Notes the end of the undo.
fn note(case: &mut Case<'_>, done: bool, occurred_at: Timestamp, text: Option<String>) {
    let (by, at) = (case.person(), case.now);
    let late = open(case.change()).is_some_and(|undo| undo.at < occurred_at);
    if done {
        remember_implementer(case, &by);
    }
    case.file.change.undo = Some(UndoRecord {
        done,
        occurred_at,
        late,
        text,
        by,
        at,
    });
    let kind = if done {
        "change.undone"
    } else {
        "change.undo_called_off"
    };
    case.emit_at(kind, occurred_at, json!({"late": late}));
}

/// A connected system reports that the planned undo was carried out.
pub fn note_signal(case: &mut Case<'_>, at: Timestamp) {
    if open(case.change()).is_some() {
        note(case, true, at, None);
        settle(case);
    }
}

/// Whether the undo is waited for: work has begun, and nothing of it was taken back or failed.
pub(crate) fn is_awaited(case: &Case<'_>) -> bool {
    let is_begun = matches!(case.change().state, State::Implementing | State::Reviewing);
    is_begun && undo_unmet(&case.file, &case.directory, case.now).is_some()
}

/// Reminds of the undo, and raises the alarm where its time has passed.
pub(crate) fn run(case: &mut Case<'_>) {
    if !is_awaited(case) {
        return;
    }
    for (at, mark) in instants(case.change()) {
        if at <= case.now && case.file.change.tell_once(&mark) {
            notify(case, &mark);
        }
    }
}

fn notify(case: &mut Case<'_>, mark: &str) {
    let Some(undo) = open(case.change()).cloned() else {
        return;
    };
    let key = case.change().key.clone();
    let mut people = case.change().content.implementers.clone();
    people.push(case.change().content.owner.clone());
    if mark.starts_with("undo_soon/") {
        let news = format!("The planned undo of {key} is due at {}.", undo.at);
        case.emit("change.reminded", json!({"about": "undo_due"}));
        for person in people {
            let next = "Carry out the undo at its planned time and record it.";
            case.write_to(&person, "undo_due", mark, news.clone(), next);
        }
        return;
    }
    if case.change().undo_missed_at.is_none() {
        case.file.change.undo_missed_at = Some(case.now);
        case.emit("change.undo_missed", json!({"planned": undo.at}));
    }
    people.extend(case.people_in_charge());
    let news = format!(
        "The planned undo of {key} was due at {} and has not been recorded.",
        undo.at
    );
    for person in people {
        let next = "Carry out the undo now and record it, or cancel it with a reason.";
        case.write_to(&person, "undo_missed", mark, news.clone(), next);
    }
}
