//! What the clock makes due: read from the change itself, so that a timer carries nothing and may run twice.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::change::Change;
use crate::file::Case;
use crate::ids::PersonId;
use crate::requirement::before_closure;
use crate::settle::{revoke_permits, settle, is_forward};
use crate::verbs::after::{close_now, mark_unauthorized};
use crate::words::{Kind, Outcome, State};

/// An unanswered request for more time is an overrun after this long.
const EXTENSION_MINUTES: i64 = 15;
/// People are told of an overrun this often.
const OVERRUN_MINUTES: i64 = 15;
/// Validation should come within a day of the work's end, and the review within five.
const VALIDATION_HOURS: i64 = 24;
/// See [`VALIDATION_HOURS`].
const REVIEW_HOURS: i64 = 5 * 24;

/// The latest moment to roll back and still end inside the window.
pub fn latest_rollback(change: &Change) -> Option<Timestamp> {
    let minutes = change.content.rollback_minutes.or_else(|| {
        let sum: i64 = change.content.rollback_plan.iter().filter_map(|step| step.minutes).sum();
        (sum > 0).then_some(sum)
    })?;
    change.window_end()?.checked_sub(SignedDuration::from_mins(minutes)).ok()
}

/// The next instant at which something may be due; `None` when nothing is ahead.
pub fn next_due(case: &Case<'_>) -> Option<Timestamp> {
    instants(case).into_iter().filter(|instant| *instant > case.now).min()
}

fn instants(case: &Case<'_>) -> Vec<Timestamp> {
    let change = case.change();
    let mut found: Vec<Option<Timestamp>> = Vec::new();
    if let Some(hold) = &change.hold {
        found.push(hold.until);
        if change.state == State::Scheduled {
            found.push(change.planned_end);
        }
        return found.into_iter().flatten().collect();
    }
    match change.state {
        State::Authorizing | State::Approved | State::Scheduled => {
            found.push(change.planned_start);
            found.push(change.planned_end);
            found.extend(change.requests.iter().filter(|r| r.acknowledged_at.is_none()).map(|r| Some(r.acknowledge_by)));
            let valid = case.file.standing().flat_map(|approval| &approval.counted_for).map(|row| row.valid_until);
            found.extend(valid);
        }
        State::Implementing => {
            found.push(latest_rollback(change));
            found.push(change.window_end());
            let asked = change.extension.as_ref().filter(|extension| extension.decision.is_none());
            found.push(asked.map(|extension| extension.at + SignedDuration::from_mins(EXTENSION_MINUTES)));
            found.push(change.lawful_break_glass().map(|glass| glass.until));
            if change.overrun {
                found.push(Some(case.now + SignedDuration::from_mins(OVERRUN_MINUTES)));
            }
            found.extend(freeze_edges(case));
        }
        State::Reviewing => {
            let end = change.actual_end.unwrap_or(change.updated_at);
            found.push(Some(end + SignedDuration::from_hours(VALIDATION_HOURS)));
            found.push(Some(end + SignedDuration::from_hours(REVIEW_HOURS)));
            found.push(change.retrospective.as_ref().map(|retro| retro.confirm_by));
            found.push(change.lawful_break_glass().map(|glass| glass.until));
            found.push(watch_end(case));
        }
        _ => {}
    }
    if change.state.is_before_start() {
        let waiting = change.break_glass.as_ref().filter(|glass| !glass.ended);
        found.push(waiting.map(|glass| glass.until));
    }
    found.into_iter().flatten().collect()
}

fn freeze_edges(case: &Case<'_>) -> Vec<Option<Timestamp>> {
    case.directory.freezes.iter().flat_map(|freeze| [Some(freeze.starts_at), Some(freeze.ends_at)]).collect()
}

fn watch_end(case: &Case<'_>) -> Option<Timestamp> {
    let change = case.change();
    let template = change.content.template.as_ref().filter(|_| change.content.kind == Kind::Standard)?;
    let minutes = case.directory.templates.get(&template.key).map_or(60, |found| found.watch_minutes);
    change.actual_end.map(|end| end + SignedDuration::from_mins(minutes))
}

/// Does what is due now. Running it twice at the same instant does nothing the second time.
pub fn run(case: &mut Case<'_>) {
    end_hold_reminder(case);
    if case.change().is_on_hold() {
        settle(case);
        return;
    }
    unacknowledged(case);
    window_opens(case);
    latest_rollback_passes(case);
    overrun(case);
    end_break_glass(case);
    after_the_work(case);
    settle(case);
}

fn end_hold_reminder(case: &mut Case<'_>) {
    let Some(hold) = case.change().hold.clone() else { return };
    let Some(until) = hold.until.filter(|until| *until <= case.now) else { return };
    if !case.file.change.tell_once(&format!("hold/{until}")) {
        return;
    }
    case.tell("change.hold_ended", json!({"until": until.to_string()}));
    let news = format!("The hold of {} was meant to last until {until}.", case.change().key);
    for person in [hold.by, case.change().content.owner.clone()] {
        case.write_to(&person, "hold_ended", &until.to_string(), news.clone(), "Resume it, or hold it for longer.");
    }
}

fn unacknowledged(case: &mut Case<'_>) {
    let now = case.now;
    let late: Vec<(PersonId, String, Timestamp)> = case
        .change()
        .requests
        .iter()
        .filter(|request| request.acknowledged_at.is_none() && request.acknowledge_by <= now)
        .map(|request| (request.person.clone(), request.rule.clone(), request.acknowledge_by))
        .collect();
    for (person, rule, by) in late {
        if !case.file.change.tell_once(&format!("unacknowledged/{rule}/{person}/{by}")) {
            continue;
        }
        case.tell("approval.unacknowledged", json!({"person": person, "rule": rule}));
        let mark = format!("{rule}/{by}");
        let news = format!("{} still waits for your word.", case.change().key);
        case.write_to(&person, "reminder", &mark, news, "Acknowledge it, decide, or return it with a question.");
        let (owner, name) = (case.change().content.owner.clone(), case.name(&person));
        let news = format!("{name} has not acknowledged {}.", case.change().key);
        case.write_to(&owner, "unacknowledged", &format!("{mark}/{person}"), news, "Ask them, or another who may decide.");
    }
}

fn window_opens(case: &mut Case<'_>) {
    let change = case.change();
    let Some(start) = change.planned_start.filter(|start| *start <= case.now) else { return };
    if change.state != State::Scheduled || !case.file.change.tell_once(&format!("window_opens/{start}")) {
        return;
    }
    case.tell("change.window_opened", json!({"at": start.to_string()}));
    let news = format!("The window of {} is open.", case.change().key);
    for person in case.change().content.implementers.clone() {
        case.write_to(&person, "window_opens", &start.to_string(), news.clone(), "Start it, or put it on hold.");
    }
}

fn latest_rollback_passes(case: &mut Case<'_>) {
    let change = case.change();
    let Some(moment) = latest_rollback(change).filter(|moment| *moment <= case.now) else { return };
    if change.state != State::Implementing || !case.file.change.tell_once(&format!("latest_rollback/{moment}")) {
        return;
    }
    case.tell("change.latest_rollback_passed", json!({"at": moment.to_string()}));
    let mut people = case.change().content.implementers.clone();
    people.extend(case.people_in_charge());
    let news = format!("{} can no longer be rolled back inside its window.", case.change().key);
    for person in people {
        case.write_to(&person, "latest_rollback", &moment.to_string(), news.clone(), "Decide now: finish, take the way back, or ask for more time.");
    }
}

fn overrun(case: &mut Case<'_>) {
    if case.change().state != State::Implementing || case.change().lawful_break_glass().is_some() {
        return;
    }
    let now = case.now;
    let change = case.change();
    let asked = change.extension.as_ref().filter(|extension| extension.decision.is_none());
    let unanswered = asked.is_some_and(|e| e.at + SignedDuration::from_mins(EXTENSION_MINUTES) <= now);
    let Some(end) = change.window_end().filter(|end| *end <= now || unanswered) else { return };
    if !change.overrun {
        case.file.change.overrun = true;
        case.tell("change.overrun", json!({"end": end.to_string()}));
        revoke_permits(case, "the change overran its window", is_forward);
    }
    let quarter = now.duration_since(end).as_mins().max(0) / OVERRUN_MINUTES;
    if !case.file.change.tell_once(&format!("overrun/{end}/{quarter}")) {
        return;
    }
    let mut people = case.people_in_charge();
    people.extend(case.change().content.implementers.iter().cloned());
    let news = format!("{} is past its end, {end}, and still under way.", case.change().key);
    for person in people {
        case.write_to(&person, "overrun", &format!("{end}/{quarter}"), news.clone(), "Complete it, take the way back, or decide on more time.");
    }
}

fn end_break_glass(case: &mut Case<'_>) {
    let now = case.now;
    let Some(glass) = case.file.change.break_glass.as_mut().filter(|glass| !glass.ended && glass.until <= now) else {
        return;
    };
    glass.ended = true;
    let until = glass.until;
    case.tell("break_glass.ended", json!({"until": until.to_string()}));
    revoke_permits(case, "the break-glass has ended", is_forward);
    let news = format!("The break-glass of {} has ended.", case.change().key);
    for person in case.people_in_charge() {
        case.write_to(&person, "break_glass_ended", &until.to_string(), news.clone(), "Complete the change; another person validates it.");
    }
}

fn after_the_work(case: &mut Case<'_>) {
    if case.change().state != State::Reviewing {
        return;
    }
    let now = case.now;
    let change = case.change();
    let end = change.actual_end.unwrap_or(change.updated_at);
    let late_confirmation =
        change.retrospective.as_ref().is_some_and(|retro| retro.confirmation.is_none() && retro.confirm_by <= now);
    if late_confirmation {
        mark_unauthorized(case, "unanswered");
    }
    if watch_end(case).is_some_and(|until| until <= now) && closes_by_itself(case) {
        close_now(case);
        return;
    }
    let rows = before_closure(&case.file, &case.directory);
    let missing = |code: &str| rows.iter().any(|row| row.code == code);
    let late = |hours: i64| end + SignedDuration::from_hours(hours) <= now;
    let (validation, review) = (missing("validation_missing") && late(VALIDATION_HOURS), missing("review_missing") && late(REVIEW_HOURS));
    if validation {
        remind(case, "validation_due", "has not been validated", "Say whether it works.");
    }
    if review {
        remind(case, "review_due", "has not been reviewed", "Write the post-implementation review.");
    }
}

fn closes_by_itself(case: &Case<'_>) -> bool {
    let change = case.change();
    change.content.kind == Kind::Standard
        && change.outcome == Some(Outcome::Succeeded)
        && before_closure(&case.file, &case.directory).is_empty()
}

fn remind(case: &mut Case<'_>, topic: &'static str, what: &str, next: &'static str) {
    if !case.file.change.tell_once(topic) {
        return;
    }
    case.tell("change.reminded", json!({"about": topic}));
    let news = format!("{} {what}.", case.change().key);
    let mut people: Vec<PersonId> = case.change().content.tester.iter().cloned().collect();
    people.extend(case.people_in_charge());
    for person in people {
        case.write_to(&person, topic, "1", news.clone(), next);
    }
}
