//! The runbook of a change: one step at a time, with the latest moment to roll back always in sight.

use acts::find_acts::find_acts;
use acts::find_records::find_entries;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use model::act::{Act as Verb, actions};
use model::change::Change;
use model::due::latest_rollback;
use model::records::Entry as ActionEntry;
use model::words::{EntryKind, State as Stage};
use pages::{Act, ActForm, ActTone, Entry, Field, Notice, Place, Rich, RunClock, RunStep, Runbook, Tone, minutes};

use super::acts_open::context;
use super::plan_steps::{length, steps};
use super::view::{View, Visitor, show};
use crate::state::AppState;

/// How many lines of the log of actions stand under the step.
const SO_FAR: usize = 20;

/// The page.
pub(super) async fn show_runbook(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Changes, move |view| page(view, &key)).await
}

fn page(view: &mut View<'_, '_, '_>, key: &str) -> acts::Result<String> {
    view.room.allow(actions::READ)?;
    let file = view.room.file(key)?;
    view.follow(Some(key));
    let change = &file.change;
    let open = find_acts(view.room, &file)?;
    let mut entries = find_entries(view.room, &change.id.0)?;
    entries.sort_by_key(|entry| entry.occurred_at);
    let is_on = change.state == Stage::Implementing;
    let steps_of = run_steps(view, change, &entries);
    let current = steps_of.iter().position(|step| !step.is_done).filter(|_| is_on);
    let mut acts: Vec<ActForm> = Vec::new();
    let forms = context(view, &file);
    if open.has(Verb::Start) {
        acts.push(Act::Start.form(&forms).field(Field::hidden("next", "runbook")));
    }
    if is_on && open.has(Verb::Complete) {
        acts.push(ActForm::link("Tell the outcome", format!("{}#act", forms.change_url)).tone(ActTone::Go));
    }
    let page = Runbook {
        frame: view.frame.clone(),
        key: change.key.clone(),
        href: view.change_url(&change.key),
        title: change.content.title.clone(),
        instead: instead(change, steps_of.is_empty()),
        clocks: clocks(
            view,
            change,
            &entries,
            current.and_then(|place| change.content.plan.get(place)),
        ),
        entry_url: format!("{}/implementation/entries", forms.change_url),
        api_url: format!("/api/v1/changes/{}/implementation/entries", change.key),
        may_record: open.has(Verb::Record) && current.is_some(),
        rollback: steps(view, &change.content.rollback_plan),
        rollback_note: way_back(change),
        so_far: entries
            .iter()
            .rev()
            .take(SO_FAR)
            .map(|entry| so_far(view, entry))
            .collect(),
        acts,
        notices: notices(view, change),
        steps: steps_of,
        current,
    };
    Ok(page.render())
}

fn instead(change: &Change, is_empty: bool) -> String {
    let words = match change.state {
        Stage::Implementing if is_empty => "It has no plan to follow",
        Stage::Implementing => "Every step is done",
        Stage::Reviewing | Stage::Closed => "The work is over",
        Stage::Rejected | Stage::Cancelled => "It was called off",
        _ => "It has not started yet",
    };
    words.to_owned()
}

fn run_steps(view: &View<'_, '_, '_>, change: &Change, entries: &[ActionEntry]) -> Vec<RunStep> {
    let is_done = |number: usize| {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        entries
            .iter()
            .any(|entry| entry.kind == EntryKind::Step && entry.step == Some(number))
    };
    let rows = change.content.plan.iter().enumerate().map(|(place, step)| RunStep {
        title: step.title.clone(),
        who: step
            .doer
            .as_deref()
            .map(|doer| view.waits_on(doer))
            .or_else(|| step.team.clone())
            .unwrap_or_default(),
        check: step.check.clone().unwrap_or_default(),
        length: step
            .minutes
            .map(|count| minutes(count.unsigned_abs()))
            .unwrap_or_default(),
        is_done: is_done(place + 1),
    });
    rows.collect()
}

fn clocks(
    view: &View<'_, '_, '_>,
    change: &Change,
    entries: &[ActionEntry],
    step: Option<&model::change::Step>,
) -> Vec<RunClock> {
    let mut clocks = Vec::new();
    let hour = |at: Timestamp| view.reader.local(at).strftime("%H:%M").to_string();
    let last = entries
        .iter()
        .rev()
        .find(|entry| entry.kind == EntryKind::Step)
        .map(|entry| entry.occurred_at);
    if let (Some(since), Some(step)) = (last.or(change.actual_start), step) {
        let of = step
            .minutes
            .map(|count| format!("of {}", minutes(count.unsigned_abs())))
            .unwrap_or_default();
        let due = step
            .minutes
            .map(|count| model::reading::later(since, jiff::SignedDuration::from_mins(count)));
        clocks.push(RunClock {
            label: "On this step since".to_owned(),
            time: hour(since),
            detail: of,
            instant: since.to_string(),
            is_late: due.is_some_and(|due| due < view.now()),
        });
    }
    if let Some(latest) = latest_rollback(change).filter(|_| step.is_some()) {
        let is_late = latest <= view.now();
        clocks.push(RunClock {
            label: "Roll back by".to_owned(),
            time: hour(latest),
            detail: if is_late {
                "it is too late for that now"
            } else {
                "then it is too late"
            }
            .to_owned(),
            instant: if is_late { String::new() } else { latest.to_string() },
            is_late,
        });
    }
    clocks
}

fn way_back(change: &Change) -> String {
    let content = &change.content;
    let told = content.rollback_minutes.map(|count| minutes(count.unsigned_abs()));
    let told = told.unwrap_or_else(|| length(&content.rollback_plan));
    match (told.is_empty(), &content.no_rollback_reason) {
        (true, Some(_)) => "there is none".to_owned(),
        (true, None) => "no gate stops it".to_owned(),
        (false, _) => format!("{told}, no gate stops it"),
    }
}

fn so_far(view: &View<'_, '_, '_>, entry: &ActionEntry) -> Entry {
    let tone = match entry.kind {
        EntryKind::Step => Tone::Ok,
        EntryKind::Deviation => Tone::Wait,
        EntryKind::Issue => Tone::Stop,
    };
    let why = Rich::new()
        .said(view.name(&entry.by))
        .text(format!(", {}", view.reader.moment(entry.occurred_at)));
    Entry::new(tone, Rich::new().said(entry.text.as_str())).why(why)
}

fn notices(view: &View<'_, '_, '_>, change: &Change) -> Vec<Notice> {
    let hold = change.hold.as_ref().map(|hold| {
        let reason = Rich::new().said(hold.reason.as_str());
        Notice::new(Tone::Stop, reason).title(format!("On hold by {}", view.name(&hold.by)))
    });
    let ran_over = change.overrun.then(|| {
        Notice::new(Tone::Stop, "Ask for more time on its page, or roll back.").title("It runs over its time")
    });
    hold.into_iter().chain(ran_over).collect()
}
