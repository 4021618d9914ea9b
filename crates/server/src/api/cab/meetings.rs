//! Boards: their meetings, with attendance and conflicts of interest, who is on call for them, and trainings.

use acts::cab::meetings;
use acts::cab::on_call;
use acts::cab::training;
use model::cab::meeting::{Meeting, OnCall};
use model::cab::training::Training;

use crate::api::shared::records::{all, loaded, new_one, tagged};
use crate::http::caller::Scope;
use crate::http::route::Route;

/// Meetings, times on call, trainings.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/meetings", "Lists meetings of boards.", all::<Meeting>),
    Route::get("/meetings/{id}", "Shows a meeting.", loaded::<Meeting>),
    Route::post("/meetings", "Opens a meeting of a board.", |room, ask| {
        let made = meetings::open_meeting(room, &ask.body)?;
        new_one(room, &made)
    }),
    Route::post("/meetings/{id}/attendance", "Says that one is there.", |room, ask| {
        let meeting = meetings::attend_meeting(room, ask.place(0), &ask.body)?;
        new_one(room, &meeting)
    }),
    Route::delete(
        "/meetings/{id}/attendance",
        "Says that one is there no more.",
        |room, ask| {
            let meeting = meetings::leave_meeting(room, ask.place(0))?;
            tagged(&*room.directory()?, &meeting)
        },
    ),
    Route::post(
        "/meetings/{id}/conflicts",
        "Declares a conflict of interest about a change.",
        |room, ask| {
            let meeting = meetings::declare_conflict(room, ask.place(0), &ask.body)?;
            new_one(room, &meeting)
        },
    ),
    Route::delete("/meetings/{id}", "Ends a meeting.", |room, ask| {
        let ended = meetings::end_meeting(room, ask.place(0))?;
        tagged(&*room.directory()?, &ended)
    }),
    Route::get("/trainings", "Lists trainings.", all::<Training>),
    Route::get("/trainings/{id}", "Shows a training.", loaded::<Training>),
    Route::post("/trainings", "Says that a person is trained.", |room, ask| {
        let made = training::set_training(room, &ask.body)?;
        new_one(room, &made)
    })
    .scope(Scope::Admin),
    Route::delete("/trainings/{id}", "Ends a training.", |room, ask| {
        let ended = training::end_training(room, ask.place(0))?;
        tagged(&*room.directory()?, &ended)
    })
    .scope(Scope::Admin),
    Route::get("/on-call", "Lists who is on call, and when.", all::<OnCall>),
    Route::get("/on-call/{id}", "Shows a time on call.", loaded::<OnCall>),
    Route::post("/on-call", "Says that a member of a board is on call.", |room, ask| {
        let made = on_call::set_on_call(room, &ask.body)?;
        new_one(room, &made)
    }),
    Route::delete("/on-call/{id}", "Ends a time on call.", |room, ask| {
        let ended = on_call::end_on_call(room, ask.place(0))?;
        tagged(&*room.directory()?, &ended)
    }),
];
