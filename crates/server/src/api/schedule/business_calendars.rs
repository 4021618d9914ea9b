//! Business calendars, by which clocks run.

use acts::schedule::set_calendar;
use model::core::act;
use model::core::refusal::Refusal;
use serde_json::Value;
use wire::views;

use crate::api::shared::records::{keyed, made_or_set, merged, tagged};
use crate::http::route::Route;

/// Business calendars.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_calendars", |cx, ask| {
        cx.allow(act::actions::READ)?;
        let directory = cx.directory()?;
        let rows = directory.calendars.values();
        keyed(ask, rows.map(|row| (row.key.clone(), views::shown(row, &directory))))
    }),
    Route::writes("set_calendar", |cx, ask| {
        let key = ask.body.get("key").and_then(Value::as_str).unwrap_or_default();
        let stands = cx.directory()?.calendars.contains_key(key);
        let made = set_calendar::set_calendar(cx, &ask.body);
        made_or_set(cx, ask, stands, made)
    }),
    Route::reads("show_business_calendar", |cx, ask| {
        cx.allow(act::actions::READ)?;
        let directory = cx.directory()?;
        let absent = || Refusal::not_found(format!("calendar {}", ask.place(0)));
        tagged(&directory, directory.calendars.get(ask.place(0)).ok_or_else(absent)?)
    }),
    Route::edits(
        "edit_business_calendar",
        |cx, ask| Ok(cx.directory()?.calendars.get(ask.place(0)).map(|row| row.version)),
        |cx, ask| {
            let old = cx.directory()?.calendars.get(ask.place(0)).cloned();
            let merged = merged(ask, "calendar", old)?;
            let made = set_calendar::set_calendar(cx, &merged)?;
            tagged(&*cx.directory()?, &made)
        },
    ),
];
