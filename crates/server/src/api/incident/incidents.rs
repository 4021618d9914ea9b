//! Incidents.

use acts::Context;
use acts::incident::set_incident;
use model::directory::snapshot::Incident;
use wire::views;

use crate::api::shared::records::{keyed, known, new_one, one, set, tagged};
use crate::http::route::{Ask, Route};
use model::core::refusal::Refusal;

/// Incidents.
pub(crate) const ROUTES: &[Route] = &[
    known!("/incidents", "Lists incidents.", |it| {
        it.incidents
            .values()
            .map(|row| (row.key.clone(), views::shown(row, &it)))
    }),
    set!("/incidents", "Opens an incident.", set_incident::open_incident),
    one!("/incidents/{key}", "Shows an incident.", "incident", |it, key| it
        .incidents
        .get(&key.to_uppercase())),
    Route::patch(
        "/incidents/{key}",
        "Changes or resolves an incident.",
        incident_version,
        |cx, ask| {
            let made = set_incident::edit_incident(cx, ask.place(0), &ask.body)?;
            tagged(&*cx.directory()?, &made)
        },
    ),
];

fn incident_version(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(cx
        .directory()?
        .incidents
        .get(&ask.place(0).to_uppercase())
        .map(|row: &Incident| row.version))
}
