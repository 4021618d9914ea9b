//! Permits of a change.

use acts::Context;
use acts::gate::verbs;
use model::change::related_records::Permit;
use model::core::body::Body;
use model::core::ids::RecordId;
use model::core::refusal::Refusal;
use serde_json::json;
use store::record::{self, Filter};
use wire::views;

use crate::api::shared::change_replies::item;
use crate::api::shared::records::page;
use crate::http::route::{Ask, Reply, Route};

/// Permits.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_permits", permits),
    Route::writes("issue_permit", issue_permit),
    Route::writes("revoke_permit", revoke_permit),
    Route::writes("lift_revocation", lift_revocation),
];

fn issue_permit(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let (permit, token) = verbs::issue_permit(cx, ask.place(0), &ask.body)?;
    let change = cx.change(ask.place(0))?;
    let mut value = item::<Permit>(cx, &change, &permit.id)?;
    value["jti"] = json!(permit.id);
    value["permit"] = json!(token);
    Ok(Reply::created(value).with_permit(Some(permit.id)))
}

fn permits(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let change = cx.change(ask.place(0))?;
    page::<Permit>(
        cx,
        ask,
        Filter::new().equals("change_id", change.id.as_str()),
        |permit, directory| {
            let mut value = views::listed(permit, directory);
            value["jti"] = json!(permit.id);
            value
        },
    )
}

type Verb = fn(&mut Context<'_, '_>, &str, &RecordId, &Body) -> acts::Result<()>;

fn revoke_permit(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    on_permit(cx, ask, verbs::revoke_permit)
}

fn lift_revocation(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    on_permit(cx, ask, verbs::lift_revocation)
}

fn on_permit(cx: &mut Context<'_, '_>, ask: &Ask, verb: Verb) -> acts::Result<Reply> {
    let found = record::load::<Permit>(cx.tx, ask.place(0))?.ok_or_else(|| Refusal::not_found("permit"))?;
    let permit = found.record;
    verb(cx, &permit.change_key, &permit.id, &ask.body)?;
    let change = cx.change(&permit.change_key)?;
    Ok(Reply::created(item::<Permit>(cx, &change, &permit.id)?))
}
