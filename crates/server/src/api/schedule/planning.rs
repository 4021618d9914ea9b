//! Planning beside others: conflicts of a plan, free times, precedents, and the import of other calendars.

use acts::Context;
use acts::schedule::change_conflicts::{find_change_conflicts, preview_conflicts};
use acts::schedule::frozen_times::{Denied, find_denied};
use acts::schedule::keep_conflicts::precedents;
use acts::schedule::offer_slots::{find_change_slots, find_slots};
use acts::schedule::read_calendars::keep_credential;
use acts::schedule::set_outside_calendar::import_events;
use acts::{core::noun, core::noun::PlainNoun};
use connect::schedule::{ical, sync_windows};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::schedule::conflict_record::Conflict;
use model::schedule::conflicts::Found;
use model::schedule::offer::Slot;
use model::schedule::outside_calendar::OutsideCalendar;
use serde_json::{Value, json};
use wire::views;

use crate::http::route::{Ask, Reply, Route};

/// The longest iCalendar text, in characters; the body's own limit comes first.
const TEXT: usize = 4 << 20;

/// Conflicts, free times, imports.
pub(crate) const ROUTES: &[Route] = &[
    Route::writes("preview_conflicts", |cx, ask| {
        let found = preview_conflicts(cx, &ask.body)?;
        describe(cx, &found)
    }),
    Route::reads("show_change_conflicts", |cx, ask| {
        let found = find_change_conflicts(cx, ask.place(0))?;
        describe(cx, &found)
    }),
    Route::writes("find_slots", |cx, ask| {
        let slots = find_slots(cx, &ask.body)?;
        offered(cx, &slots)
    }),
    Route::reads("show_change_slots", |cx, ask| {
        let slots = find_change_slots(cx, ask.place(0))?;
        offered(cx, &slots)
    }),
    Route::reads("show_precedents", |cx, ask| {
        let conflict = noun::show::<Conflict>(cx, ask.place(0))?;
        let like = precedents(cx, &conflict)?;
        let directory = cx.visible()?;
        let values: Vec<Value> = like.iter().map(|it| views::shown(it, &directory)).collect();
        Ok(Reply::ok(json!({"conflicts": values})))
    }),
    Route::writes("import_outside_calendar", import),
    Route::reads("show_sync_windows", |cx, ask| {
        let denied = find_denied(cx, ask.query("environment"))?;
        let windows: Vec<Value> = denied.into_iter().filter_map(|it| window(cx, it)).collect();
        Ok(Reply::ok(json!({"sync_windows": windows})))
    }),
    Route::writes("set_calendar_credential", |cx, ask| {
        let calendar = keep_credential(cx, ask.place(0), &ask.body)?;
        Ok(Reply::ok(shown(cx, &calendar)?))
    }),
];

/// Conflicts with each reason in a sentence.
fn describe(cx: &mut Context<'_, '_>, found: &[Found]) -> acts::Result<Reply> {
    let directory = cx.visible()?;
    let values: Vec<Value> = found
        .iter()
        .map(|it| {
            let mut value = views::shown(it, &directory);
            value["why"] = it.met.iter().map(|met| met.sentence()).collect();
            value
        })
        .collect();
    Ok(Reply::ok(json!({"conflicts": values})))
}

fn offered(cx: &mut Context<'_, '_>, slots: &[Slot]) -> acts::Result<Reply> {
    let directory = cx.visible()?;
    let values: Vec<Value> = slots.iter().map(|it| views::shown(it, &directory)).collect();
    Ok(Reply::ok(json!({"slots": values})))
}

fn import(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(model::core::act::actions::SET_WINDOW)?;
    let mut reading = Reading::new(&ask.body, "");
    let text = reading.needed("text", TEXT);
    reading.finish()?;
    let (events, left_out) = ical::events(&text, cx.now).map_err(|problem| {
        let text = format!("Line {}: {}.", problem.line, problem.text);
        acts::Error::from(Refusal::field("text", "not_ical", text))
    })?;
    let calendar = import_events(cx, ask.place(0), &events)?;
    let mut value = shown(cx, &calendar)?;
    value["left_out"] = json!(left_out);
    Ok(Reply::created(value))
}

fn window(cx: &Context<'_, '_>, denied: Denied) -> Option<Value> {
    let denied = sync_windows::Denied {
        starts_at: denied.starts_at,
        ends_at: denied.ends_at,
        applications: denied.applications,
    };
    sync_windows::window(&denied, cx.now)
}

/// A calendar with the count of its events.
fn shown(cx: &mut Context<'_, '_>, calendar: &OutsideCalendar) -> acts::Result<Value> {
    let directory = cx.visible()?;
    let mut values = vec![views::shown(calendar, &directory)];
    OutsideCalendar::complete(cx, std::slice::from_ref(calendar), &mut values)?;
    Ok(values.pop().unwrap_or_default())
}
