//! Communication before the start of a change: its announcement, the recipients that acknowledged it, and the teams that
//! confirmed their readiness. All of it belongs to one planned start; another start needs it anew.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use crate::change::change_file::Case;
use crate::change::duties::communication::ready_people;
use crate::change::next_step::check_state;
use crate::change::settle::settle;
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::ids::PersonId;
use crate::core::parse::Reading;
use crate::core::refusal::Refusal;
use crate::directory::snapshot::logins;
use crate::notify::communicated::{Communicated, SaidReady};

/// The communication about the present planned start.
fn present<'c>(case: &'c mut Case<'_>) -> Option<&'c mut Communicated> {
    let starts_at = case.change().planned_start?;
    let kept = &mut case.file.change.communicated;
    // The communication about another start does not count for this one.
    if kept.as_ref().is_none_or(|it| it.starts_at != starts_at) {
        *kept = Some(Communicated {
            starts_at,
            announced_at: None,
            asked_people: BTreeSet::new(),
            acknowledged_people: BTreeSet::new(),
            ready: Vec::new(),
        });
    }
    kept.as_mut()
}

/// Records that a start was announced, and the people who must acknowledge it; ignores a start that is no longer planned.
pub fn note_announced(case: &mut Case<'_>, starts_at: Timestamp, asked: &BTreeSet<PersonId>) {
    let now = case.now;
    if case.change().planned_start != Some(starts_at) {
        return;
    }
    let Some(known) = present(case) else { return };
    let before = known.clone();
    known.announced_at.get_or_insert(now);
    known.asked_people.extend(asked.iter().cloned());
    if *known == before {
        return;
    }
    let count = known.asked_people.len();
    case.emit("change.announced", json!({"starts_at": starts_at, "asked": count}));
    settle(case);
}

/// Records that a recipient has acknowledged the present start.
pub fn note_acknowledged(case: &mut Case<'_>, person: &PersonId) {
    let start = case.change().planned_start;
    let known = case.file.change.communicated.as_mut();
    let Some(known) = known.filter(|it| Some(it.starts_at) == start) else {
        return;
    };
    if !known.asked_people.contains(person) || !known.acknowledged_people.insert(person.clone()) {
        return;
    }
    let starts_at = known.starts_at;
    case.emit("change.acknowledged", json!({"starts_at": starts_at, "person": person}));
    settle(case);
}

/// Records that the actor's team is ready for the planned start, or withdraws that (`ready` is false).
///
/// # Errors
/// 403; 409 for a person whom no rule names, after the start and without planned times; 422.
pub fn say_ready(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.allow(Act::Comment)?;
    let mut reading = Reading::new(body, "");
    let is_ready = reading.boolean("ready").unwrap_or(true);
    reading.finish()?;
    check_state(case, Act::Comment)?;
    let person = case.person();
    let asked = ready_people(&case.file, &case.directory, case.now);
    if !asked.contains(&person) {
        let others = logins(&case.directory, &asked.into_iter().collect::<Vec<_>>());
        let text = "No rule of this change requires you to confirm that your team is ready.";
        return Err(Refusal::not_now("not_asked", text, "Add a comment instead.", others));
    }
    if !case.change().state.is_before_start() {
        let text = "The change has started, so readiness can no longer be confirmed.";
        return Err(Refusal::not_now("started", text, "Add a comment instead.", Vec::new()));
    }
    let (now, start) = (case.now, case.change().planned_start);
    let known = case.change().communicated.as_ref();
    let said = known.filter(|it| Some(it.starts_at) == start).map(|it| &it.ready);
    let was_ready = said.is_some_and(|ready| ready.iter().any(|it| it.person == person));
    if was_ready == is_ready {
        return Ok(());
    }
    let Some(known) = present(case) else {
        let text = "The change has no planned start, so readiness cannot be confirmed.";
        let satisfy = "Set `planned_start` and `planned_end` first.";
        return Err(Refusal::not_now("not_planned", text, satisfy, Vec::new()));
    };
    known.ready.retain(|it| it.person != person);
    if is_ready {
        known.ready.push(SaidReady {
            person: person.clone(),
            at: now,
        });
    }
    let data = json!({"starts_at": known.starts_at, "person": person, "ready": is_ready});
    case.emit("change.readiness_stated", data);
    settle(case);
    Ok(())
}
