//! The runbook of a change: one step at a time, with the latest moment to roll back always in sight.

use acts::change::find_acts::{OpenActs, find_acts};
use acts::report::find_records::{PipelineReport, find_entries, find_pipeline_reports};
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use model::change::change_file::people_in_charge;
use model::change::record::{Change, Step};
use model::change::related_records::{Entry as ActionEntry, WayBack};
use model::change::timers::latest_rollback;
use model::change::work::steps::{Run, StepStatus, UNDO_WITHIN, counted};
use model::core::act::{Act as Verb, actions};
use model::core::enums::{EntryKind, State as Stage};
use model::core::parse;
use model::integration::occurrence::Phase;
use pages::{
    Act, ActContext, ActForm, ActTone, BySteps, Entry, Field, Notice, Place, Rich, RunClock, RunStep, RunUndo, Runbook,
    Tone, minutes,
};

use crate::http::state::AppState;
use crate::web::change::open_acts::context;
use crate::web::change::plan_steps::{length, steps};
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::{free, names as names_of};

/// The most log lines shown under the step.
const SO_FAR: usize = 20;

/// The page.
pub(crate) async fn show_runbook(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Changes, move |view| page(view, &key)).await
}

fn page(view: &mut View<'_, '_, '_>, key: &str) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let file = view.cx.file(key)?;
    view.follow(Some(key));
    let change = &file.change;
    let open = find_acts(view.cx, &file)?;
    let mut entries = find_entries(view.cx, &change.id.0)?;
    entries.sort_by_key(|entry| entry.occurred_at);
    let reports = find_pipeline_reports(view.cx, &change.id.0)?;
    let walk = Walk::of(change, &entries);
    let steps_of = run_steps(view, &walk);
    let current = steps_of
        .iter()
        .position(|step| !step.is_done && !step.is_skipped)
        .filter(|_| walk.is_on);
    let forms = context(view, &file);
    let page = Runbook {
        frame: view.frame.clone(),
        key: change.key.clone(),
        href: view.change_url(&change.key),
        title: change.content.title.clone(),
        is_back: walk.back_since.is_some(),
        instead: instead(change, &walk),
        clocks: clocks(view, change, &walk, current),
        entry_url: format!("{}/implementation/entries", forms.change_url),
        api_url: format!("/api/v1/changes/{}/implementation/entries", change.key),
        once: forms.once.clone(),
        may_record: walk.is_on && open.has(Verb::Record),
        may_begin: current.is_some_and(|place| walk.run.begin_of(number_of(place)).is_none()),
        rollback: steps(view, &change.content.rollback_plan),
        rollback_note: way_back(change),
        watch_until: current
            .and_then(|place| walk.run.watches_until(number_of(place)))
            .filter(|until| *until > view.now())
            .map(|until| until.to_string())
            .unwrap_or_default(),
        undo: undo(view, change, &entries),
        so_far: newest_actions(view, &entries, &reports),
        go_on: go_on(&entries, &forms)
            .filter(|_| walk.is_on && open.has(Verb::Record))
            .into_iter()
            .collect(),
        acts: acts_of(&open, &forms, &walk),
        notices: notices(view, change, &walk),
        steps: steps_of,
        current,
    };
    Ok(page.render())
}

/// Which plan is followed: the plan, or the rollback plan once the way back is taken.
struct Walk<'c> {
    /// Whether the work goes on.
    is_on: bool,
    /// Since when the way back is taken.
    back_since: Option<Timestamp>,
    /// The steps.
    plan: &'c [Step],
    /// The recorded actions of the steps.
    run: Run<'c>,
}

impl<'c> Walk<'c> {
    fn of(change: &'c Change, entries: &'c [ActionEntry]) -> Self {
        let is_on = change.state == Stage::Implementing;
        let back_since = rolls_back_since(entries).filter(|_| is_on);
        let content = &change.content;
        let plan = match back_since {
            Some(_) => &content.rollback_plan,
            None => &content.plan,
        };
        // The kind under which a step of the followed plan is recorded.
        let kind = match back_since {
            Some(_) => EntryKind::Rollback,
            None => EntryKind::Step,
        };
        Self {
            is_on,
            back_since,
            plan,
            run: Run::of(change, kind, entries),
        }
    }
}

/// The number of the step at a place.
fn number_of(place: usize) -> i64 {
    i64::try_from(place).map_or(i64::MAX, |place| place.saturating_add(1))
}

/// The total of the steps, for the outcome form; `None` where no step is recorded.
pub(crate) fn by_steps(change: &Change, entries: &[ActionEntry]) -> Option<BySteps> {
    let run = Run::of(change, EntryKind::Step, entries);
    let tally = run.tally();
    if tally.planned() == tally.all {
        return None;
    }
    let words = format!(
        "Steps: {} done, {} skipped, {} failed, {} open.",
        tally.done,
        tally.skipped,
        tally.failed,
        tally.planned()
    );
    Some(BySteps {
        outcome: run.outcome().map(|it| it.as_str().to_owned()).unwrap_or_default(),
        words,
    })
}

/// The reader's latest recorded step, while it can be undone.
fn undo(view: &View<'_, '_, '_>, change: &Change, entries: &[ActionEntry]) -> Option<RunUndo> {
    if change.state != Stage::Implementing {
        return None;
    }
    let ends = counted(entries).into_iter().filter(|entry| {
        matches!(entry.kind, EntryKind::Step | EntryKind::Rollback) && entry.step.is_some() && entry.by == view.me
    });
    let entry = ends.max_by_key(|entry| entry.at)?;
    let step = usize::try_from(entry.step?).ok()?;
    let plan = match entry.kind {
        EntryKind::Rollback => &change.content.rollback_plan,
        _ => &change.content.plan,
    };
    let title = plan.get(step.checked_sub(1)?)?.title.clone();
    (view.now() <= parse::later(entry.at, UNDO_WITHIN)).then(|| RunUndo {
        entry: entry.id.0.clone(),
        step,
        title,
        is_skipped: entry.skipped,
    })
}

/// Since when a change is rolled back, by its log of actions.
pub(crate) fn rolls_back_since(entries: &[ActionEntry]) -> Option<Timestamp> {
    WayBack::of(entries).map(|back| back.begun.occurred_at)
}

/// The form that takes back a way back begun by mistake, while no step of it is done.
fn go_on(entries: &[ActionEntry], forms: &ActContext) -> Option<ActForm> {
    let back = WayBack::of(entries).filter(|back| !back.is_walked)?;
    let entry_url = format!("{}/implementation/entries", forms.change_url);
    let act = ActForm::new("go-on", "Not rolling back after all", entry_url)
        .field(Field::hidden("next", "runbook"))
        .field(pages::once(forms))
        .field(Field::hidden("kind", "deviation"))
        .field(Field::hidden("withdraws", back.begun.id.as_str()))
        .field(
            Field::textarea("text", "Why the work continues")
                .hint("The owner and the change managers are notified immediately, as they were of the rollback.")
                .required(),
        )
        .submit("Go on with the plan");
    Some(act)
}

fn acts_of(open: &OpenActs, forms: &ActContext, walk: &Walk<'_>) -> Vec<ActForm> {
    let mut acts: Vec<ActForm> = Vec::new();
    if open.has(Verb::Start) {
        acts.push(Act::Start.form(forms).field(Field::hidden("next", "runbook")));
    }
    if walk.is_on && open.has(Verb::Complete) {
        let words = match walk.back_since {
            Some(_) => "Record the outcome: rolled back",
            None => "Record the outcome",
        };
        acts.push(ActForm::link(words, format!("{}#act", forms.change_url)).tone(ActTone::Go));
    }
    acts
}

fn instead(change: &Change, walk: &Walk<'_>) -> String {
    let words = match (change.state, walk.back_since) {
        (Stage::Implementing, Some(_)) if walk.plan.is_empty() => "It has no rollback plan to follow",
        (Stage::Implementing, Some(_)) => "Every rollback step is done",
        (Stage::Implementing, None) if walk.plan.is_empty() => "It has no plan to follow",
        (Stage::Implementing, None) => "Every step is done",
        (Stage::Reviewing | Stage::Closed, _) => "The work is over",
        (Stage::Rejected | Stage::Cancelled, _) => "It was called off",
        _ => "It has not started yet",
    };
    words.to_owned()
}

fn run_steps(view: &View<'_, '_, '_>, walk: &Walk<'_>) -> Vec<RunStep> {
    let standing = |place: usize| walk.run.standing(number_of(place));
    let rows = walk.plan.iter().enumerate().map(|(place, step)| RunStep {
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
        is_done: standing(place) == StepStatus::Done,
        is_skipped: standing(place) == StepStatus::Skipped,
        has_failed: standing(place) == StepStatus::Failed,
        watch_minutes: step
            .minutes
            .filter(|_| step.watch)
            .map(|count| count.to_string())
            .unwrap_or_default(),
    });
    rows.collect()
}

/// Since when the step runs; and by when to turn back, or since when the way back is taken.
fn clocks(view: &View<'_, '_, '_>, change: &Change, walk: &Walk<'_>, current: Option<usize>) -> Vec<RunClock> {
    if !walk.is_on {
        return Vec::new();
    }
    let step = current.and_then(|place| Some((number_of(place), walk.plan.get(place)?)));
    let first = step.and_then(|(number, step)| match walk.run.watches_until(number) {
        Some(until) => Some(watch_until(view, until)),
        None => {
            let since = walk.run.runs_since(number)?;
            Some(runs_since(view, "On this step since", since, step.minutes))
        }
    });
    let second = match walk.back_since {
        Some(since) => Some(runs_since(view, "Rolling back since", since, minutes_back(change))),
        None => latest_rollback(change).map(|latest| turn_by(view, latest)),
    };
    first.into_iter().chain(second).collect()
}

fn hour(view: &View<'_, '_, '_>, at: Timestamp) -> String {
    view.reader.time(at)
}

/// Something that goes on, and how many minutes it was to take.
fn runs_since(view: &View<'_, '_, '_>, label: &str, since: Timestamp, planned: Option<i64>) -> RunClock {
    let due = planned.map(|count| parse::later(since, jiff::SignedDuration::from_mins(count)));
    RunClock {
        label: label.to_owned(),
        time: hour(view, since),
        detail: planned
            .map(|count| format!("of {}", minutes(count.unsigned_abs())))
            .unwrap_or_default(),
        instant: since.to_string(),
        is_late: due.is_some_and(|due| due < view.now()),
    }
}

/// Until when a watch goes on.
fn watch_until(view: &View<'_, '_, '_>, until: Timestamp) -> RunClock {
    let is_over = until <= view.now();
    RunClock {
        label: "Watch until".to_owned(),
        time: hour(view, until),
        detail: if is_over {
            "its minutes have passed"
        } else {
            "then it can be ended"
        }
        .to_owned(),
        instant: if is_over { String::new() } else { until.to_string() },
        is_late: false,
    }
}

/// The latest moment to turn back: it counts until an outcome is recorded, also after the last step.
fn turn_by(view: &View<'_, '_, '_>, latest: Timestamp) -> RunClock {
    let is_late = latest <= view.now();
    let detail = if is_late {
        "it is too late for that now"
    } else {
        "then it is too late"
    };
    RunClock {
        label: "Roll back by".to_owned(),
        time: match view.reader.local(latest).date() == view.reader.local(view.now()).date() {
            true => hour(view, latest),
            false => view.reader.moment(latest),
        },
        detail: detail.to_owned(),
        instant: if is_late { String::new() } else { latest.to_string() },
        is_late,
    }
}

fn minutes_back(change: &Change) -> Option<i64> {
    let content = &change.content;
    let sum: i64 = content.rollback_plan.iter().filter_map(|step| step.minutes).sum();
    content.rollback_minutes.or((sum > 0).then_some(sum))
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

/// The log of actions, oldest first: entries of people and programs, and the reports of pipelines, which are in it automatically.
pub(crate) fn action_log(view: &View<'_, '_, '_>, entries: &[ActionEntry], reports: &[PipelineReport]) -> Vec<Entry> {
    let noted = entries.iter().map(|entry| (entry.occurred_at, noted(view, entry)));
    let told = reports.iter().map(|report| {
        let shown = report_of(report, place(report)).aside(view.moment(report.at));
        (report.at, shown)
    });
    in_time(noted.chain(told).collect())
}

/// The newest of the log, newest first, in short.
fn newest_actions(view: &View<'_, '_, '_>, entries: &[ActionEntry], reports: &[PipelineReport]) -> Vec<Entry> {
    let noted = entries.iter().map(|entry| (entry.occurred_at, so_far(view, entry)));
    let told = reports.iter().map(|report| {
        let when = place(report).text(format!(", {}", view.reader.moment(report.at)));
        (report.at, report_of(report, when))
    });
    let mut shown = in_time(noted.chain(told).collect());
    shown.reverse();
    shown.truncate(SO_FAR);
    shown
}

fn in_time(mut rows: Vec<(Timestamp, Entry)>) -> Vec<Entry> {
    rows.sort_by_key(|(at, _)| *at);
    rows.into_iter().map(|(_, entry)| entry).collect()
}

/// An entry with its author.
fn noted(view: &View<'_, '_, '_>, entry: &ActionEntry) -> Entry {
    let (tone, word) = match entry.kind {
        EntryKind::Step if entry.withdraws.is_some() => (Tone::Wait, "Step reverted"),
        _ if entry.withdraws.is_some() => (Tone::Wait, "Continuing after all"),
        _ if entry.skipped => (Tone::Wait, "Step skipped"),
        EntryKind::Step => (Tone::Ok, "Step"),
        EntryKind::Begin => (Tone::Plain, "Step begun"),
        EntryKind::Deviation => (Tone::Wait, "Deviation"),
        EntryKind::Issue => (Tone::Stop, "Issue"),
        EntryKind::Rollback => (Tone::Wait, "Rollback"),
    };
    let shown = Entry::new(
        tone,
        Rich::new().strong(word).text(format!(" by {}", view.name(&entry.by))),
    )
    .quote(entry.text.as_str())
    .own(entry.by == view.me)
    .aside(view.moment(entry.occurred_at));
    match reported(view, entry) {
        Some(words) => shown.aside(words),
        None => shown,
    }
}

/// A report of a pipeline.
fn report_of(report: &PipelineReport, why: Rich) -> Entry {
    let (tone, words) = match report.phase {
        Phase::Asked | Phase::Other => (Tone::Plain, "Deployment requested"),
        _ if report.is_unauthorized => (Tone::Stop, "Deployment without approval"),
        Phase::Began => (Tone::Plain, "Deployment began"),
        Phase::Succeeded => (Tone::Ok, "Deployment succeeded"),
        Phase::Stopped => (Tone::Wait, "Deployment stopped"),
        Phase::Failed => (Tone::Stop, "Deployment failed"),
        Phase::RolledBack => (Tone::Wait, "Rolled back"),
    };
    Entry::new(tone, words).why(why)
}

/// The connection of a report, with service and environment.
fn place(report: &PipelineReport) -> Rich {
    let from = match report.connection.as_str() {
        "" => Rich::new(),
        name => Rich::new().said(name).text(", "),
    };
    from.said(report.service.as_str())
        .text(", ")
        .said(report.environment.as_str())
}

fn so_far(view: &View<'_, '_, '_>, entry: &ActionEntry) -> Entry {
    let tone = match entry.kind {
        _ if entry.withdraws.is_some() || entry.skipped => Tone::Wait,
        EntryKind::Step => Tone::Ok,
        EntryKind::Begin => Tone::Plain,
        EntryKind::Deviation | EntryKind::Rollback => Tone::Wait,
        EntryKind::Issue => Tone::Stop,
    };
    let why = Rich::new()
        .append(view.person(&entry.by))
        .text(format!(", {}", view.reader.moment(entry.occurred_at)));
    let why = match reported(view, entry) {
        Some(words) => why.text(format!(", {words}")),
        None => why,
    };
    Entry::new(tone, free(&entry.text)).why(why)
}

/// After how much time an entry counts as reported later.
const REPORTED_LATER: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// When an entry was received, where that is later than when it happened, and how far the clock of the device was off.
fn reported(view: &View<'_, '_, '_>, entry: &ActionEntry) -> Option<String> {
    let is_late = entry.at > parse::later(entry.occurred_at, REPORTED_LATER);
    let received = is_late.then(|| format!("received {}", view.reader.moment(entry.at)));
    let clock = entry.clock_ahead_seconds.map(|ahead| {
        let off = minutes(ahead.unsigned_abs().div_ceil(60));
        match ahead > 0 {
            true => format!("device clock {off} ahead"),
            false => format!("device clock {off} behind"),
        }
    });
    let parts: Vec<String> = received.into_iter().chain(clock).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn notices(view: &View<'_, '_, '_>, change: &Change, walk: &Walk<'_>) -> Vec<Notice> {
    let back = walk.back_since.map(|since| {
        let people = people_in_charge(change, &view.directory);
        let names: Vec<String> = people.iter().map(|person| view.name(person)).collect();
        let told = match names.len() {
            1 => names_of(&names).text(" is notified."),
            _ => names_of(&names).text(" are notified."),
        };
        Notice::new(Tone::Stop, told).title(format!("Rolling back since {}", hour(view, since)))
    });
    let hold = change.hold.as_ref().map(|hold| {
        let reason = free(&hold.reason);
        Notice::new(Tone::Stop, reason).title(format!("On hold by {}", view.name(&hold.by)))
    });
    let ran_over = change
        .overrun
        .then(|| Notice::new(Tone::Stop, "Ask for more time on its page, or roll back.").title("Past its planned end"));
    back.into_iter().chain(hold).chain(ran_over).collect()
}
