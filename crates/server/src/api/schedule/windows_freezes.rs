//! Maintenance windows and freezes.

use acts::directory::set_service;
use acts::schedule::{edit_span, find_freeze_report, loosen_freeze, preview_freeze, set_freeze, step_freeze};
use model::directory::snapshot::{Freeze, MaintenanceWindow};
use wire::views;

use crate::api::shared::records::{all, loaded, new_one, set, tagged, version_of};
use crate::http::route::{Reply, Route};

/// Windows and freezes.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_windows", all::<MaintenanceWindow>),
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
    Route::reads("list_freezes", all::<Freeze>),
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
