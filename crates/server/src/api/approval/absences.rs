//! Who is away, and who speaks for whom.

use acts::approval::{set_absence, set_delegation};
use model::approval::absence::{Absence, Delegation};

use crate::api::shared::records::{all, loaded, new_one, tagged};
use crate::http::route::Route;

/// Absences and delegations.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/absences", "Lists absences.", all::<Absence>),
    Route::post("/absences", "Says that a person is away.", |cx, ask| {
        let made = set_absence::set_absence(cx, &ask.body)?;
        new_one(cx, &made)
    }),
    Route::get("/absences/{id}", "Shows an absence.", loaded::<Absence>),
    Route::delete("/absences/{id}", "Ends an absence.", |cx, ask| {
        let ended = set_absence::end_absence(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
    Route::get("/delegations", "Lists delegations.", all::<Delegation>),
    Route::post("/delegations", "Lets one person speak for another.", |cx, ask| {
        let made = set_delegation::set_delegation(cx, &ask.body)?;
        new_one(cx, &made)
    }),
    Route::get("/delegations/{id}", "Shows a delegation.", loaded::<Delegation>),
    Route::delete("/delegations/{id}", "Ends a delegation.", |cx, ask| {
        let ended = set_delegation::end_delegation(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
];
