//! Absences and delegations.

use acts::approval::{set_absence, set_delegation};
use model::approval::absence::{Absence, Delegation};

use crate::api::shared::records::{all, loaded, new_one, tagged};
use crate::http::route::Route;

/// Absences and delegations.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_absences", all::<Absence>),
    Route::writes("set_absence", |cx, ask| {
        let made = set_absence::set_absence(cx, &ask.body)?;
        new_one(cx, &made)
    }),
    Route::reads("show_absence", loaded::<Absence>),
    Route::writes("end_absence", |cx, ask| {
        let ended = set_absence::end_absence(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
    Route::reads("list_delegations", all::<Delegation>),
    Route::writes("set_delegation", |cx, ask| {
        let made = set_delegation::set_delegation(cx, &ask.body)?;
        new_one(cx, &made)
    }),
    Route::reads("show_delegation", loaded::<Delegation>),
    Route::writes("end_delegation", |cx, ask| {
        let ended = set_delegation::end_delegation(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
];
