//! Incidents.

use acts::Context;
use acts::incident::set_incident;
use acts::report::find_changes::find_naming;
use model::core::act::actions;
use model::core::refusal::Refusal;
use model::directory::snapshot::Incident;
use serde_json::json;
use wire::views;

use crate::api::shared::records::{keyed, known, new_one, set, tagged};
use crate::http::route::{Ask, Reply, Route};

/// Incidents.
pub(crate) const ROUTES: &[Route] = &[
    known!("list_incidents", |it| {
        it.incidents
            .values()
            .map(|row| (row.key.clone(), views::shown(row, &it)))
    }),
    set!("open_incident", set_incident::open_incident),
    Route::reads("show_incident", incident),
    Route::edits("edit_incident", incident_version, |cx, ask| {
        let made = set_incident::edit_incident(cx, ask.place(0), &ask.body)?;
        tagged(&*cx.directory()?, &made)
    }),
];

fn incident(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::READ)?;
    let (directory, key) = (cx.visible()?, ask.place(0));
    let found = directory.incidents.get(&key.to_uppercase());
    let incident = found.ok_or_else(|| Refusal::not_found(format!("incident {key}")))?;
    let mut shown = views::shown(incident, &directory);
    let changes = find_naming(cx, incident)?.into_iter();
    shown["changes"] = changes.map(|row| json!({"key": row.key, "state": row.state})).collect();
    Ok(Reply::ok(shown).tagged(incident.version))
}

fn incident_version(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(cx
        .directory()?
        .incidents
        .get(&ask.place(0).to_uppercase())
        .map(|row: &Incident| row.version))
}
