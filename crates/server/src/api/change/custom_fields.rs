//! Fields that a tenant adds to its changes.

use acts::change::set_custom_field;
use model::core::act;
use model::core::refusal::Refusal;
use wire::views;

use crate::api::shared::records::{keyed, new_one, tagged};
use crate::http::route::Route;

/// The fields.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/custom-fields", "Lists the fields of one's own.", |cx, ask| {
        cx.allow(act::actions::READ)?;
        let directory = cx.directory()?;
        let rows = directory.custom_fields.values();
        keyed(ask, rows.map(|row| (row.key.clone(), views::shown(row, &directory))))
    }),
    Route::get("/custom-fields/{key}", "Shows a field of one's own.", |cx, ask| {
        cx.allow(act::actions::READ)?;
        let directory = cx.directory()?;
        let absent = || Refusal::not_found(format!("field {}", ask.place(0)));
        tagged(
            &directory,
            directory.custom_fields.get(ask.place(0)).ok_or_else(absent)?,
        )
    }),
    Route::post("/custom-fields", "Adds a field to changes, or sets one.", |cx, ask| {
        let made = set_custom_field::set_custom_field(cx, &ask.body)?;
        new_one(cx, &made)
    }),
    Route::delete("/custom-fields/{key}", "Takes a field out of use.", |cx, ask| {
        let ended = set_custom_field::end_custom_field(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
];
