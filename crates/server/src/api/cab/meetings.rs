//! Boards: their meetings, with attendance and conflicts of interest, their on-call rota, and trainings.

use acts::Context;
use acts::cab::import_on_call::import_on_call;
use acts::cab::{meetings, on_call, training};
use connect::schedule::ical;
use model::cab::meeting::{Meeting, OnCall};
use model::cab::training::Training;
use model::core::act::actions;
use model::core::ids::GroupKey;
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::unknown_name;
use serde_json::json;

use crate::api::shared::records::{all, loaded, new_one, tagged};
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The longest calendar, in bytes.
const CALENDAR: usize = 1 << 19;

/// Meetings, times on call, trainings.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_meetings", all::<Meeting>),
    Route::reads("show_meeting", loaded::<Meeting>),
    Route::writes("open_meeting", |cx, ask| {
        let made = meetings::open_meeting(cx, &ask.body)?;
        new_one(cx, &made)
    }),
    Route::writes("attend_meeting", |cx, ask| {
        let meeting = meetings::attend_meeting(cx, ask.place(0), &ask.body)?;
        new_one(cx, &meeting)
    }),
    Route::writes("leave_meeting", |cx, ask| {
        let meeting = meetings::leave_meeting(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &meeting)
    }),
    Route::writes("declare_conflict", |cx, ask| {
        let meeting = meetings::declare_conflict(cx, ask.place(0), &ask.body)?;
        new_one(cx, &meeting)
    }),
    Route::writes("end_meeting", |cx, ask| {
        let ended = meetings::end_meeting(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
    Route::reads("list_trainings", all::<Training>),
    Route::reads("show_training", loaded::<Training>),
    Route::writes("set_training", |cx, ask| {
        let made = training::set_training(cx, &ask.body)?;
        new_one(cx, &made)
    })
    .scope(Scope::Admin),
    Route::writes("end_training", |cx, ask| {
        let ended = training::end_training(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    })
    .scope(Scope::Admin),
    Route::reads("list_on_call", all::<OnCall>),
    Route::reads("show_on_call", loaded::<OnCall>),
    Route::writes("set_on_call", |cx, ask| {
        let made = on_call::set_on_call(cx, &ask.body)?;
        new_one(cx, &made)
    }),
    Route::writes("import_on_call", import),
    Route::writes("end_on_call", |cx, ask| {
        let ended = on_call::end_on_call(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
];

/// Times on call from an iCalendar text.
fn import(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::SET_MEETING)?;
    let mut reading = Reading::new(&ask.body, "");
    let group = GroupKey(reading.needed("group", LINE));
    let directory = cx.directory()?;
    if !group.as_str().is_empty() && !directory.groups.contains_key(&group) {
        reading.wrong("group", "unknown", unknown_name::group(&directory, group.as_str()));
    }
    let text = reading.needed("text", CALENDAR);
    reading.finish()?;
    let (events, left_out) = ical::events(&text, cx.now).map_err(|problem| {
        let text = format!("Line {}: {}.", problem.line, problem.text);
        acts::Error::from(Refusal::field("text", "not_ical", text))
    })?;
    let told = import_on_call(cx, &group, &events)?;
    Ok(Reply::created(json!({
        "added": told.added, "known": told.known, "ended": told.ended, "left_out": left_out,
    })))
}
