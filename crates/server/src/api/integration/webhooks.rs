//! Outgoing webhooks.

use acts::Context;
use acts::integration::set_webhook;
use connect::integration::standard_webhooks;
use model::core::act;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::integration::webhook::Webhook;
use serde_json::{Value, json};
use store::integration::webhook;
use store::record::Filter;
use wire::views;

use crate::api::shared::records::page;
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// Webhooks, their deliveries, and how to send them again.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_webhooks", |cx, ask| {
        cx.allow(act::actions::SET_CONNECTION)?;
        page::<Webhook>(cx, ask, Filter::new(), views::shown)
    })
    .scope(Scope::Admin),
    Route::writes("create_webhook", |cx, ask| {
        let (made, secret) = set_webhook::create_webhook(cx, &ask.body)?;
        with_secret(cx, &made, &secret)
    })
    .scope(Scope::Admin),
    Route::reads("show_webhook", |cx, ask| {
        cx.allow(act::actions::SET_CONNECTION)?;
        let found = set_webhook::webhook(cx, ask.place(0))?;
        shown(cx, &found)
    })
    .scope(Scope::Admin),
    Route::edits(
        "edit_webhook",
        |cx, ask| Ok(Some(set_webhook::webhook(cx, ask.place(0))?.version)),
        |cx, ask| {
            let made = set_webhook::edit_webhook(cx, ask.place(0), &ask.body)?;
            shown(cx, &made)
        },
    )
    .scope(Scope::Admin),
    Route::writes("end_webhook", |cx, ask| {
        let ended = set_webhook::end_webhook(cx, ask.place(0))?;
        shown(cx, &ended)
    })
    .scope(Scope::Admin),
    Route::writes("rotate_webhook_secret", |cx, ask| {
        let (made, secret) = set_webhook::rotate_secret(cx, ask.place(0))?;
        with_secret(cx, &made, &secret)
    })
    .scope(Scope::Admin),
    Route::reads("list_webhook_deliveries", deliveries).scope(Scope::Admin),
    Route::writes("replay_webhook", |cx, ask| {
        let count = set_webhook::replay_webhook(cx, ask.place(0), &ask.body)?;
        Ok(Reply::created(json!({"deliveries": count})))
    })
    .scope(Scope::Admin),
];

fn shown(cx: &mut Context<'_, '_>, webhook: &Webhook) -> acts::Result<Reply> {
    let directory = cx.directory()?;
    let mut value = view(webhook, &directory);
    if let Some(state) = webhook::state(cx.tx, webhook.id.as_str())? {
        value["state"] = json!({
            "next_index": state.position,
            "failing_since": state.failing_since,
            "next_try_at": state.failing_since.map(|_| state.run_at),
            "last_status": state.last_status,
            "last_error": state.last_error,
            "delivered_at": state.delivered_at,
        });
    }
    Ok(Reply::ok(value).tagged(webhook.version))
}

fn view(webhook: &Webhook, directory: &Directory) -> Value {
    views::shown(webhook, directory)
}

fn with_secret(cx: &mut Context<'_, '_>, webhook: &Webhook, secret: &[u8]) -> acts::Result<Reply> {
    let directory = cx.directory()?;
    let mut reply = Reply::created(view(webhook, &directory))
        .tagged(webhook.version)
        .shown_once(&["secret"]);
    // Chat messages are not signed.
    if webhook.format.is_usual() {
        reply.body["secret"] = json!(standard_webhooks::secret_text(secret));
    }
    Ok(reply)
}

fn deliveries(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let found = set_webhook::webhook(cx, ask.place(0))?;
    let state = ask.query("state").unwrap_or("waiting");
    if !["waiting", "delivered", "dead"].contains(&state) {
        let text = "`state` is `waiting`, `delivered` or `dead`.";
        return Err(Refusal::field("state", "unknown_word", text).into());
    }
    let before = match ask.query("after") {
        Some(text) => text
            .parse()
            .map_err(|_| Refusal::field("after", "not_a_number", "`after` is what `next` said."))?,
        None => i64::MAX,
    };
    let limit = ask.limit()?;
    let mut rows = webhook::list(cx.tx, found.id.as_str(), state, before, limit + 1)?;
    let most = usize::try_from(limit).unwrap_or_default();
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(|row| row.seq.to_string());
    let items = rows
        .iter()
        .map(|row| {
            json!({
                "index": row.seq, "event": row.event_id, "kind": row.kind, "state": row.state, "tries": row.tries,
                "queued_at": row.queued_at, "next_try_at": (row.state == "waiting").then_some(row.run_at),
                "last_status": row.last_status, "last_error": row.last_error, "ended_at": row.ended_at,
            })
        })
        .collect();
    Ok(ask.page(items, next))
}
