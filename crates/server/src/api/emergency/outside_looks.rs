//! Looks from outside at a small team's work.

use acts::emergency::outside_look;
use model::emergency::outside_look::OutsideLook;

use crate::api::shared::records::{all, loaded, new_one};
use crate::http::route::Route;

/// Looks from outside.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/outside-looks", "Lists looks from outside.", all::<OutsideLook>),
    Route::post(
        "/outside-looks",
        "Records a look from outside at a small team's work.",
        |cx, ask| {
            let made = outside_look::look_outside(cx, &ask.body)?;
            new_one(cx, &made)
        },
    ),
    Route::get(
        "/outside-looks/{id}",
        "Shows a look from outside.",
        loaded::<OutsideLook>,
    ),
];
