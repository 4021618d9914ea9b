//! Connections to outside systems, and their deliveries.

use acts::Context;
use acts::core::connections;
use acts::integration::{edit_connection, set_connection, unmatched_deliveries};
use connect::integration::door;
use model::core::act;
use model::core::refusal::Refusal;
use model::directory::snapshot::{Connection, Directory};
use serde_json::{Value, json};
use store::integration::inbox;
use store::record::Filter;
use wire::views;

use crate::api::shared::records::{page, version_of};
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// Connections.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_connections", |cx, ask| {
        cx.allow(act::actions::SET_CONNECTION)?;
        page::<Connection>(cx, ask, Filter::new(), connection_view)
    })
    .scope(Scope::Admin),
    Route::writes("create_connection", |cx, ask| {
        let (made, secret) = set_connection::create_connection(cx, &ask.body)?;
        let directory = cx.directory()?;
        let mut reply = Reply::created(connection_view(&made, &directory))
            .tagged(made.version)
            .shown_once(&["secret", "signing_secret"]);
        if made.kind != "github" && made.kind != "pagerduty" {
            reply.body["signing_secret"] = json!(door::signing_secret(&secret));
        }
        reply.body["secret"] = json!(secret);
        Ok(reply)
    })
    .scope(Scope::Admin),
    Route::reads("show_connection", |cx, ask| {
        cx.allow(act::actions::SET_CONNECTION)?;
        let found = connections::connection(cx, ask.place(0))?;
        let mut reply = Reply::ok(connection_view(&found, &*cx.directory()?)).tagged(found.version);
        reply.body["refused"] = crate::api::integration::deliveries::refused(cx, ask.place(0))?;
        if let Some(it) = unmatched_deliveries::of_connection(cx, &found)? {
            reply.body["unmatched"] = json!({"count": it.count, "last_at": it.last_at, "text": it.text});
        }
        Ok(reply)
    })
    .scope(Scope::Admin),
    Route::edits("edit_connection", version_of::<Connection>, |cx, ask| {
        let made = edit_connection::edit_connection(cx, ask.place(0), &ask.body)?;
        Ok(Reply::ok(connection_view(&made, &*cx.directory()?)).tagged(made.version))
    })
    .scope(Scope::Admin),
    Route::writes("end_connection", |cx, ask| {
        let ended = set_connection::end_connection(cx, ask.place(0))?;
        Ok(Reply::ok(connection_view(&ended, &*cx.directory()?)))
    })
    .scope(Scope::Admin),
    Route::reads("list_deliveries", deliveries).scope(Scope::Admin),
];

fn connection_view(connection: &Connection, directory: &Directory) -> Value {
    let mut value = views::shown(connection, directory);
    value["hook_path"] = json!(format!("/hooks/{}", connection.id));
    value
}

fn deliveries(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::SET_CONNECTION)?;
    connections::connection(cx, ask.place(0))?;
    const STATES: [&str; 3] = ["waiting", "parked", "done"];
    let state = ask.query("state");
    if let Some(state) = state.filter(|state| !STATES.contains(state)) {
        let text = format!("`{state}` is none of: {}.", STATES.join(", "));
        return Err(Refusal::field("state", "unknown_word", text).into());
    }
    let limit = ask.limit()?;
    let mut found = inbox::list_of(cx.tx, ask.place(0), state, ask.query("after"), limit + 1)?;
    let more = i64::try_from(found.len()).is_ok_and(|count| count > limit);
    found.truncate(usize::try_from(limit).unwrap_or_default());
    let next = found.last().filter(|_| more).map(|row| row.id.clone());
    let items = found.into_iter().map(|row| {
        json!({
            "id": row.id, "delivery_id": row.delivery_id, "event": row.event, "received_at": row.received_at,
            "state": row.state, "tries": row.tries, "reason": row.reason, "result": row.result,
        })
    });
    Ok(ask.page(items.collect(), next))
}
