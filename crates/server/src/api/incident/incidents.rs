//! Incidents.

use acts::Room;
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
        |room, ask| {
            let made = set_incident::edit_incident(room, ask.place(0), &ask.body)?;
            tagged(&*room.directory()?, &made)
        },
    ),
];

fn incident_version(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(room
        .directory()?
        .incidents
        .get(&ask.place(0).to_uppercase())
        .map(|row: &Incident| row.version))
}
