//! Who is away, and who speaks for whom.

use acts::approval::set_absence;
use acts::approval::set_delegation;
use model::approval::absence::{Absence, Delegation};

use crate::api::shared::records::{all, loaded, new_one, tagged};
use crate::http::route::Route;

/// Absences and delegations.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/absences", "Lists absences.", all::<Absence>),
    Route::post("/absences", "Says that a person is away.", |room, ask| {
        let made = set_absence::set_absence(room, &ask.body)?;
        new_one(room, &made)
    }),
    Route::get("/absences/{id}", "Shows an absence.", loaded::<Absence>),
    Route::delete("/absences/{id}", "Ends an absence.", |room, ask| {
        let ended = set_absence::end_absence(room, ask.place(0))?;
        tagged(&*room.directory()?, &ended)
    }),
    Route::get("/delegations", "Lists delegations.", all::<Delegation>),
    Route::post("/delegations", "Lets one person speak for another.", |room, ask| {
        let made = set_delegation::set_delegation(room, &ask.body)?;
        new_one(room, &made)
    }),
    Route::get("/delegations/{id}", "Shows a delegation.", loaded::<Delegation>),
    Route::delete("/delegations/{id}", "Ends a delegation.", |room, ask| {
        let ended = set_delegation::end_delegation(room, ask.place(0))?;
        tagged(&*room.directory()?, &ended)
    }),
];
