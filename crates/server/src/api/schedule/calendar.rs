//! The times of changes: setting them, and the calendar.

use acts::Context;
use acts::change::verbs;
use acts::report::find_changes;
use acts::report::find_undos::find_undos;
use jiff::Timestamp;
use model::change::duties::undo;
use model::core::act;
use model::core::enums::State;
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::schedule::repeat::Occurrence;
use serde_json::{Value, json};
use store::change::changes;
use wire::views;

use crate::api::shared::change_replies::{current, show};
use crate::http::route::{Ask, Reply, Route};

/// The calendar.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_calendar", calendar),
    Route::edits("schedule_change", current, |cx, ask| {
        verbs::schedule_change(cx, ask.place(0), &ask.body)?;
        show(cx, ask.place(0))
    }),
];

/// How many changes a calendar reads at once.
const CALENDAR_PAGE: i64 = 1_000;

/// How many changes a calendar holds at most.
const CALENDAR_CHANGES: usize = 20_000;

fn calendar(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::READ)?;
    let [from, to] = ask.query_span("from", "to")?;
    let from = from.unwrap_or(cx.now);
    let to = to
        .or_else(|| from.checked_add(jiff::SignedDuration::from_hours(24 * 31)).ok())
        .unwrap_or(Timestamp::MAX);
    let (service, environment) = (
        ask.query("service").map(str::to_owned),
        ask.query("environment").map(str::to_owned),
    );
    let filter = changes::ChangeFilter {
        planned_to: Some(to),
        service: service.clone(),
        environment: environment.clone(),
        states: State::ALL
            .iter()
            .filter(|state| state.is_open())
            .map(ToString::to_string)
            .collect(),
        ..Default::default()
    };
    let directory = cx.visible()?;
    let filter = find_changes::inside(cx, &filter)?.into_owned();
    let mut entries = Vec::new();
    for row in every_change(cx, &filter)? {
        let (Some(starts_at), Some(ends_at)) = (row.planned_start, row.planned_end) else {
            continue;
        };
        if ends_at <= from {
            continue;
        }
        entries.push(json!({
            "kind": "change", "key": row.key, "title": row.title, "starts_at": starts_at, "ends_at": ends_at,
            "state": row.state, "risk": row.risk, "on_hold": row.on_hold,
        }));
    }
    let of = changes::ChangeFilter {
        service: service.clone(),
        environment: environment.clone(),
        ..Default::default()
    };
    for change in find_undos(cx, of, (from, to))? {
        let planned = change.content.planned_undo.as_ref().zip(undo::ahead(&change));
        if let Some((declared, (starts_at, ends_at))) = planned {
            entries.push(json!({
                "kind": "undo", "key": change.key, "title": declared.text, "starts_at": starts_at, "ends_at": ends_at,
                "state": change.state, "risk": change.risk.level, "on_hold": change.hold.is_some(),
            }));
        }
    }
    let (service, place) = (service.map(ServiceKey), environment.map(EnvironmentKey));
    for (kind, mut value) in spans(&directory, (from, to), (service.as_ref(), place.as_ref())) {
        value["kind"] = json!(kind);
        entries.push(value);
    }
    entries.sort_by_key(|entry| entry["starts_at"].to_string());
    ask.whole(entries)
}

/// The changes of a filter, read page by page. A cut calendar would show free days that are not free, so a calendar with too
/// many changes is refused.
fn every_change(cx: &mut Context<'_, '_>, filter: &changes::ChangeFilter) -> acts::Result<Vec<changes::ChangeRow>> {
    let mut found: Vec<changes::ChangeRow> = Vec::new();
    loop {
        let after = found.last().map(|row| row.number);
        let page = changes::list_changes(cx.tx, filter, CALENDAR_PAGE, after)?;
        let is_last = i64::try_from(page.len()).unwrap_or(i64::MAX) < CALENDAR_PAGE;
        found.extend(page);
        if found.len() > CALENDAR_CHANGES {
            let text = format!(
                "More than {CALENDAR_CHANGES} changes lie in that span: ask for a shorter one, or for one service or environment."
            );
            return Err(Refusal::field("to", "too_many", text).into());
        }
        if is_last {
            return Ok(found);
        }
    }
}

/// Freezes and windows that overlap a span of time, filtered by service and environment on request.
fn spans(
    directory: &Directory,
    (from, to): (Timestamp, Timestamp),
    (service, place): (Option<&ServiceKey>, Option<&EnvironmentKey>),
) -> Vec<(&'static str, Value)> {
    let freezes = directory.freezes.iter();
    let freezes = freezes.filter(|row| directory.is_about(row, service, place));
    let freezes = freezes.flat_map(|row| {
        let times = row
            .over(from, to)
            .map(|time| one_of(views::shown(row, directory), time));
        times.map(|value| ("freeze", value)).collect::<Vec<_>>()
    });
    let windows = directory.windows.iter().filter(|row| {
        let is_of = service.is_none_or(|key| row.services.is_empty() || row.services.contains(key));
        is_of && place.is_none_or(|key| row.environments.is_empty() || row.environments.contains(key))
    });
    let windows = windows.flat_map(|row| {
        let times = row.spans().filter(|time| time.overlaps(from, to));
        let times = times.map(|time| one_of(views::shown(row, directory), time));
        times.map(|value| ("window", value)).collect::<Vec<_>>()
    });
    freezes.chain(windows).collect()
}

/// One occurrence of a record that may have several, without the list of them.
fn one_of(mut shown: Value, time: Occurrence) -> Value {
    if let Value::Object(map) = &mut shown {
        map.remove("occurrences");
        map.insert("starts_at".to_owned(), json!(time.starts_at));
        map.insert("ends_at".to_owned(), json!(time.ends_at));
    }
    shown
}
