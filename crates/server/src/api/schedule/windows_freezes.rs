//! Maintenance windows and freezes.

use acts::Context;
use acts::directory::set_service;
use acts::schedule::{edit_span, find_freeze_report, loosen_freeze, preview_freeze, set_freeze, step_freeze};
use jiff::Timestamp;
use model::core::act::actions;
use model::core::enums::FreezeStage;
use model::core::ids::ServiceKey;
use model::directory::snapshot::{Freeze, MaintenanceWindow};
use wire::views;

use crate::api::shared::records::{
    filtered, filters_outside_scope, is_of, is_titled, loaded, new_one, set, state_filter, tagged, version_of,
};
use crate::http::route::{Ask, Reply, Route};

/// Windows and freezes.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_windows", windows),
    set!("set_window", set_service::set_window),
    Route::reads("show_window", loaded::<MaintenanceWindow>),
    Route::edits("edit_window", version_of::<MaintenanceWindow>, |cx, ask| {
        let made = edit_span::edit_window(cx, ask.place(0), &ask.body)?;
        tagged(&*cx.directory()?, &made)
    }),
    Route::writes("end_window", |cx, ask| {
        let ended = set_service::end_window(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
    Route::reads("list_freezes", freezes),
    set!("set_freeze", set_freeze::set_freeze),
    Route::writes("except_from_freeze", |cx, ask| {
        let made = set_freeze::except_from_freeze(cx, ask.place(0), &ask.body)?;
        new_one(cx, &made)
    }),
    Route::writes("withdraw_exception", |cx, ask| {
        let freeze = set_freeze::withdraw_exception(cx, ask.place(0), ask.place(1))?;
        tagged(&*cx.directory()?, &freeze)
    }),
    Route::writes("preview_freeze", |cx, ask| {
        let preview = preview_freeze::preview_freeze(cx, &ask.body)?;
        Ok(Reply::ok(views::shown(&preview, &*cx.directory()?)))
    }),
    Route::reads("show_freeze_preview", |cx, ask| {
        let preview = preview_freeze::preview_of(cx, ask.place(0))?;
        Ok(Reply::ok(views::shown(&preview, &*cx.directory()?)))
    }),
    Route::reads("show_freeze_report", |cx, ask| {
        let report = find_freeze_report::find_freeze_report(cx, ask.place(0))?;
        Ok(Reply::ok(views::shown(&report, &*cx.directory()?)))
    }),
    Route::writes("answer_freeze", |cx, ask| {
        let signed = step_freeze::answer_freeze(cx, ask.place(0), &ask.body)?;
        new_one(cx, &signed)
    }),
    Route::writes("announce_freeze", |cx, ask| {
        let signed = step_freeze::announce_freeze(cx, ask.place(0), &ask.body)?;
        new_one(cx, &signed)
    }),
    Route::reads("show_freeze", loaded::<Freeze>),
    Route::edits("edit_freeze", version_of::<Freeze>, |cx, ask| {
        let made = edit_span::edit_freeze(cx, ask.place(0), &ask.body)?;
        tagged(&*cx.directory()?, &made)
    }),
    Route::writes("end_freeze", |cx, ask| {
        let proposed = loosen_freeze::end_freeze(cx, ask.place(0), &ask.body)?;
        tagged(&*cx.directory()?, &proposed)
    }),
    Route::writes("confirm_loosening", |cx, ask| {
        let confirmed = loosen_freeze::confirm_loosening(cx, ask.place(0))?;
        new_one(cx, &confirmed)
    }),
];

/// The states of a window.
const STATES: [&str; 4] = ["ahead", "on", "over", "ended"];

fn state_of(window: &MaintenanceWindow, now: Timestamp) -> &'static str {
    let is_on = window.spans().any(|span| span.starts_at <= now && now < span.ends_at);
    match (window.ended, is_on, window.spans().any(|span| span.starts_at > now)) {
        (true, ..) => "ended",
        (false, true, _) => "on",
        (false, false, true) => "ahead",
        (false, false, false) => "over",
    }
}

fn windows(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::READ)?;
    let (state, now) = (state_filter(ask, &STATES)?, cx.now);
    if filters_outside_scope(cx, ask)? {
        return Ok(ask.page(Vec::new(), None));
    }
    let wanted = |it: &MaintenanceWindow| {
        is_of(ask, &it.services) && is_titled(ask, &it.title) && state.is_none_or(|word| word == state_of(it, now))
    };
    filtered(cx, ask, wanted, views::shown)
}

fn freezes(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::READ)?;
    let stages: Vec<&str> = FreezeStage::ALL.iter().map(|stage| stage.as_str()).collect();
    let (state, now) = (state_filter(ask, &stages)?, cx.now);
    if filters_outside_scope(cx, ask)? {
        return Ok(ask.page(Vec::new(), None));
    }
    let directory = cx.directory()?;
    let service = ask.query("service").filter(|key| !key.is_empty()).map(ServiceKey::from);
    let wanted = |it: &Freeze| {
        directory.is_about(it, service.as_ref(), None)
            && is_titled(ask, &it.title)
            && state.is_none_or(|word| word == it.stage(now).as_str())
    };
    filtered(cx, ask, wanted, views::shown)
}
