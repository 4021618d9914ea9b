//! The planned undo: the inverse that a change declares with its time, such as “read-only until 04:00”. It is expected, announced
//! and recorded, and missing it raises an alarm; it is neither a rollback nor a failure.
//!
//! It is part of *what*, so it is declared before the work and covered by the approvals. What is taken back before its time, and
//! what began by a break-glass, that is without those approvals, is a rollback by whatever name.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::change::change_file::{Case, ChangeFile};
use crate::change::eligible;
use crate::change::next_step::check_state;
use crate::change::read_content::Input;
use crate::change::record::{Change, Content, PlannedUndo, TargetRecord, UndoRecord};
use crate::change::settle::settle;
use crate::change::work::remember_implementer;
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{Outcome, State};
use crate::core::ids::TargetId;
use crate::core::parse::{LINE, Reading, TEXT, later};
use crate::core::refusal::Refusal;
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, logins};

/// So long before its time an undo may begin and still be the planned one.
pub const EARLY: SignedDuration = SignedDuration::from_mins(30);
/// So long before its time people are reminded.
const REMINDER: SignedDuration = SignedDuration::from_mins(30);
/// So long after its time people are told a second time that it was missed.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// The longest time between the planned start and the undo.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 92);

/// Reads `planned_undo`.
pub(crate) fn read(reading: &mut Reading<'_>) -> Option<PlannedUndo> {
    reading.object("planned_undo", |inner| PlannedUndo {
        text: inner.needed("text", LINE),
        // Reading ends in a refusal where the time is missing, so what is put in its place is never kept.
        at: inner.needed_time("at").unwrap_or(Timestamp::UNIX_EPOCH),
    })
}

/// The undo lies after the start, within a quarter, and belongs to work that is still ahead.
pub(crate) fn check(reading: &mut Reading<'_>, input: &Input, keep: Option<&Content>) {
    let Some(undo) = &input.content.planned_undo else {
        return;
    };
    if reading
        .errors
        .iter()
        .any(|error| error.field.starts_with("planned_undo"))
    {
        return;
    }
    if input.retrospective.is_some() {
        let text = "Work that is done declares no undo: nobody decided on it before.";
        return reading.wrong("planned_undo", "not_allowed", text);
    }
    let is_kept = keep.is_some_and(|old| old.planned_undo.as_ref() == Some(undo));
    let Some(start) = input.planned_start else { return };
    if undo.at <= start {
        let text = "`planned_undo.at` must lie after `planned_start`.";
        reading.wrong("planned_undo.at", "out_of_order", text);
    } else if !is_kept && undo.at > later(start, LONGEST) {
        let text = "`planned_undo.at` lies 92 days after `planned_start` at most; a later undo is a change of its own.";
        reading.wrong("planned_undo.at", "out_of_range", text);
    }
}

/// The undo that is declared and has neither been done nor called off.
pub fn open(change: &Change) -> Option<&PlannedUndo> {
    change.content.planned_undo.as_ref().filter(|_| change.undo.is_none())
}

/// Whether what takes a target back at a time is its planned undo: declared, approved, due by then, and of a target that had
/// succeeded.
pub fn is_expected(change: &Change, target: &TargetId, at: Timestamp) -> bool {
    let has_succeeded = change
        .target_record(target)
        .is_some_and(|record| record.outcome.is_some_and(Outcome::is_success));
    let is_due = |undo: &PlannedUndo| undo.at <= later(at, EARLY);
    has_succeeded && change.break_glass.is_none() && change.content.planned_undo.as_ref().is_some_and(is_due)
}

/// Records that the planned undo is done, or calls it off with a reason.
///
/// # Errors
/// 403; 422; 409 where none is declared, where it has ended, before its time, and before the work has succeeded.
pub fn record(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    // Implementers do the undo; whoever may close the change calls it off.
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
        reading.wrong("text", "missing", "Say in `text` why the undo is called off.");
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
        let text = "This change declares no undo.";
        let satisfy =
            "What is taken back without one is a rollback: state the outcome `rolled_back` (POST …/completion).";
        return Err(Refusal::not_now("no_planned_undo", text, satisfy, Vec::new()));
    };
    if change.undo.is_some() {
        let text = "The planned undo has ended already.";
        return Err(Refusal::not_now(
            "undo_ended",
            text,
            "Nothing is left to record.",
            Vec::new(),
        ));
    }
    Ok(undo.clone())
}

fn check_done(case: &Case<'_>, undo: &PlannedUndo, occurred_at: Timestamp) -> Result<(), Refusal> {
    let change = case.change();
    let has_succeeded = |record: &TargetRecord| record.outcome.is_some_and(Outcome::is_success);
    if !change.target_records.iter().all(has_succeeded) {
        let text = "Only what has succeeded is undone as planned.";
        let satisfy = "State how each target ended (POST …/completion); what is taken back before is a rollback.";
        return Err(Refusal::not_now("not_succeeded", text, satisfy, Vec::new()));
    }
    if undo.at > later(occurred_at, EARLY) {
        let text = format!(
            "The undo is planned for {}; what is taken back so long before is a rollback.",
            undo.at
        );
        let satisfy = "State the outcome `rolled_back` (POST …/completion), or wait for its time.";
        return Err(Refusal::not_now("too_early", text, satisfy, Vec::new()));
    }
    if change.break_glass.is_some() {
        let text = "The work began by a break-glass, so nobody approved its undo.";
        let satisfy = "State the outcome `rolled_back` (POST …/completion).";
        return Err(Refusal::not_now("undo_not_approved", text, satisfy, Vec::new()));
    }
    Ok(())
}

/// Another than the implementers calls an undo off: whoever forgot it must not say that it was not needed.
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
    let text = "The owner or a change manager calls an undo off, who did none of the work.";
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
    case.tell_at(kind, occurred_at, json!({"late": late}));
}

/// A connected system tells that the planned undo was carried out.
pub fn note_signal(case: &mut Case<'_>, at: Timestamp) {
    if open(case.change()).is_some() {
        note(case, true, at, None);
        settle(case);
    }
}

/// What the planned undo still asks before the change closes.
pub(crate) fn undo_unmet(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Option<Unmet> {
    let change = &file.change;
    // What was rolled back has nothing left to undo.
    let is_there = |record: &TargetRecord| record.outcome.is_none_or(Outcome::is_success) && !record.was_rolled_back();
    let undo = open(change).filter(|_| change.target_records.iter().any(is_there))?;
    let text = match undo.at <= now {
        true => format!("The undo that was planned for {} is not recorded.", undo.at),
        false => format!("The undo is planned for {}.", undo.at),
    };
    Some(unmet(
        "undo_open",
        text,
        "Carry it out at its time and record it (POST …/undo), or have it called off by the owner or a change manager.",
        logins(directory, &eligible::implementers(file, directory, now)),
    ))
}

/// The instants of the undo: its reminder, its time, and an hour later.
pub(crate) fn instants(change: &Change) -> Vec<(Timestamp, String)> {
    let Some(undo) = open(change) else { return Vec::new() };
    let remind = undo.at.checked_sub(REMINDER).unwrap_or(undo.at);
    let rows = [("soon", remind), ("missed", undo.at), ("still", later(undo.at, AGAIN))];
    rows.map(|(what, at)| (at, format!("undo_{what}/{}", undo.at))).into()
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
        let news = format!("{key} is to be undone at {}.", undo.at);
        case.tell("change.reminded", json!({"about": "undo_due"}));
        for person in people {
            let next = "Carry the undo out at its time, and record it.";
            case.write_to(&person, "undo_due", mark, news.clone(), next);
        }
        return;
    }
    if case.change().undo_missed_at.is_none() {
        case.file.change.undo_missed_at = Some(case.now);
        case.tell("change.undo_missed", json!({"planned": undo.at}));
    }
    people.extend(case.people_in_charge());
    let news = format!("{key} was to be undone at {}, and nobody has recorded it.", undo.at);
    for person in people {
        let next = "Carry the undo out now and record it, or call it off with a reason.";
        case.write_to(&person, "undo_missed", mark, news.clone(), next);
    }
}
