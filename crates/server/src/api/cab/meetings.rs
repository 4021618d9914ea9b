//! Boards: their meetings, with attendance and conflicts of interest, who is on call for them, and trainings.

use acts::cab::{meetings, on_call, training};
use model::cab::meeting::{Meeting, OnCall};
use model::cab::training::Training;

use crate::api::shared::records::{all, loaded, new_one, tagged};
use crate::http::caller::Scope;
use crate::http::route::Route;

/// Meetings, times on call, trainings.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/meetings", "Lists meetings of boards.", all::<Meeting>),
    Route::get("/meetings/{id}", "Shows a meeting.", loaded::<Meeting>),
    Route::post("/meetings", "Opens a meeting of a board.", |cx, ask| {
        let made = meetings::open_meeting(cx, &ask.body)?;
        new_one(cx, &made)
    }),
    Route::post("/meetings/{id}/attendance", "Says that one is there.", |cx, ask| {
        let meeting = meetings::attend_meeting(cx, ask.place(0), &ask.body)?;
        new_one(cx, &meeting)
    }),
    Route::delete(
        "/meetings/{id}/attendance",
        "Says that one is there no more.",
        |cx, ask| {
            let meeting = meetings::leave_meeting(cx, ask.place(0))?;
            tagged(&*cx.directory()?, &meeting)
        },
    ),
    Route::post(
        "/meetings/{id}/conflicts",
        "Declares a conflict of interest about a change.",
        |cx, ask| {
            let meeting = meetings::declare_conflict(cx, ask.place(0), &ask.body)?;
            new_one(cx, &meeting)
        },
    ),
    Route::delete("/meetings/{id}", "Ends a meeting.", |cx, ask| {
        let ended = meetings::end_meeting(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
    Route::get("/trainings", "Lists trainings.", all::<Training>),
    Route::get("/trainings/{id}", "Shows a training.", loaded::<Training>),
    Route::post("/trainings", "Says that a person is trained.", |cx, ask| {
        let made = training::set_training(cx, &ask.body)?;
        new_one(cx, &made)
    })
    .scope(Scope::Admin),
    Route::delete("/trainings/{id}", "Ends a training.", |cx, ask| {
        let ended = training::end_training(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    })
    .scope(Scope::Admin),
    Route::get("/on-call", "Lists who is on call, and when.", all::<OnCall>),
    Route::get("/on-call/{id}", "Shows a time on call.", loaded::<OnCall>),
    Route::post("/on-call", "Says that a member of a board is on call.", |cx, ask| {
        let made = on_call::set_on_call(cx, &ask.body)?;
        new_one(cx, &made)
    }),
    Route::delete("/on-call/{id}", "Ends a time on call.", |cx, ask| {
        let ended = on_call::end_on_call(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
];
