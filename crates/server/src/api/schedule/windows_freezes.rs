//! Maintenance windows and freezes.

use acts::directory::set_service;
use acts::schedule::{edit_span, find_freeze_report, loosen_freeze, preview_freeze, set_freeze, step_freeze};
use model::directory::snapshot::{Freeze, MaintenanceWindow};
use wire::views;

use crate::api::shared::records::{all, loaded, new_one, set, tagged, version_of};
use crate::http::route::{Reply, Route};

/// Windows and freezes.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/windows", "Lists maintenance windows.", all::<MaintenanceWindow>),
    set!("/windows", "Sets a maintenance window.", set_service::set_window),
    Route::get(
        "/windows/{id}",
        "Shows a maintenance window.",
        loaded::<MaintenanceWindow>,
    ),
    Route::patch(
        "/windows/{id}",
        "Changes a maintenance window.",
        version_of::<MaintenanceWindow>,
        |cx, ask| {
            let made = edit_span::edit_window(cx, ask.place(0), &ask.body)?;
            tagged(&*cx.directory()?, &made)
        },
    ),
    Route::delete("/windows/{id}", "Takes a maintenance window back.", |cx, ask| {
        let ended = set_service::end_window(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
    Route::get("/freezes", "Lists freezes.", all::<Freeze>),
    set!("/freezes", "Sets a freeze.", set_freeze::set_freeze),
    Route::post("/freezes/{id}/exceptions", "Lets a change pass a freeze.", |cx, ask| {
        let made = set_freeze::except_from_freeze(cx, ask.place(0), &ask.body)?;
        new_one(cx, &made)
    }),
    Route::delete(
        "/freezes/{id}/exceptions/{change}",
        "Lets a change no longer pass a freeze.",
        |cx, ask| {
            let freeze = set_freeze::withdraw_exception(cx, ask.place(0), ask.place(1))?;
            tagged(&*cx.directory()?, &freeze)
        },
    ),
    Route::post(
        "/freeze-previews",
        "Shows what a freeze would hit, and writes nothing.",
        |cx, ask| {
            let preview = preview_freeze::preview_freeze(cx, &ask.body)?;
            Ok(Reply::ok(views::shown(&preview, &*cx.directory()?)))
        },
    ),
    Route::get("/freezes/{id}/preview", "Shows what a freeze hits now.", |cx, ask| {
        let preview = preview_freeze::preview_of(cx, ask.place(0))?;
        Ok(Reply::ok(views::shown(&preview, &*cx.directory()?)))
    }),
    Route::get("/freezes/{id}/report", "Shows what a freeze did.", |cx, ask| {
        let report = find_freeze_report::find_freeze_report(cx, ask.place(0))?;
        Ok(Reply::ok(views::shown(&report, &*cx.directory()?)))
    }),
    Route::post(
        "/freezes/{id}/agreement",
        "Signs the answer of a freeze's business owner.",
        |cx, ask| {
            let signed = step_freeze::answer_freeze(cx, ask.place(0), &ask.body)?;
            new_one(cx, &signed)
        },
    ),
    Route::post(
        "/freezes/{id}/announcement",
        "Announces a freeze; it counts from now on.",
        |cx, ask| {
            let signed = step_freeze::announce_freeze(cx, ask.place(0), &ask.body)?;
            new_one(cx, &signed)
        },
    ),
    Route::get("/freezes/{id}", "Shows a freeze.", loaded::<Freeze>),
    Route::patch("/freezes/{id}", "Changes a freeze.", version_of::<Freeze>, |cx, ask| {
        let made = edit_span::edit_freeze(cx, ask.place(0), &ask.body)?;
        tagged(&*cx.directory()?, &made)
    }),
    Route::delete("/freezes/{id}", "Proposes to end a freeze.", |cx, ask| {
        let proposed = loosen_freeze::end_freeze(cx, ask.place(0), &ask.body)?;
        tagged(&*cx.directory()?, &proposed)
    }),
    Route::post(
        "/freezes/{id}/confirmation",
        "Confirms that a freeze is ended or shortened.",
        |cx, ask| {
            let confirmed = loosen_freeze::confirm_loosening(cx, ask.place(0))?;
            new_one(cx, &confirmed)
        },
    ),
];
