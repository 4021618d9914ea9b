//! Permits of a change.

use acts::Room;
use acts::gate::verbs;
use model::change::related_records::Permit;
use model::core::refusal::Refusal;
use serde_json::json;
use store::record::{self, Filter};
use wire::views;

use crate::api::shared::change_replies::item;
use crate::api::shared::records::page;
use crate::http::route::{Ask, Reply, Route};

/// Permits.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/changes/{key}/permits", "Lists permits.", permits),
    Route::post(
        "/changes/{key}/permits",
        "Gives a permit ahead of the window.",
        issue_permit,
    ),
    Route::post("/permits/{jti}/revocation", "Revokes a permit.", revoke_permit),
];

fn issue_permit(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let (permit, token) = verbs::issue_permit(room, ask.place(0), &ask.body)?;
    let change = room.change(ask.place(0))?;
    let mut value = item::<Permit>(room, &change, &permit.id)?;
    value["jti"] = json!(permit.id);
    value["permit"] = json!(token);
    Ok(Reply::created(value).with_permit(Some(permit.id)))
}

fn permits(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let change = room.change(ask.place(0))?;
    page::<Permit>(
        room,
        ask,
        Filter::new().equals("change_id", change.id.as_str()),
        |permit, directory| {
            let mut value = views::listed(permit, directory);
            value["jti"] = json!(permit.id);
            value
        },
    )
}

fn revoke_permit(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let found = record::load::<Permit>(room.tx, ask.place(0))?.ok_or_else(|| Refusal::not_found("permit"))?;
    let permit = found.record;
    verbs::revoke_permit(room, &permit.change_key, &permit.id, &ask.body)?;
    let change = room.change(&permit.change_key)?;
    Ok(Reply::created(item::<Permit>(room, &change, &permit.id)?))
}
