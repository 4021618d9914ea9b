//! Looks from outside at a small team's work.

use model::outside_look::OutsideLook;

use super::records::{all, loaded, new_one};
use crate::route::Route;

/// Looks from outside.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/outside-looks", "Lists looks from outside.", all::<OutsideLook>),
    Route::post(
        "/outside-looks",
        "Records a look from outside at a small team's work.",
        |room, ask| {
            let made = acts::look_outside::look_outside(room, &ask.body)?;
            new_one(room, &made)
        },
    ),
    Route::get(
        "/outside-looks/{id}",
        "Shows a look from outside.",
        loaded::<OutsideLook>,
    ),
];
