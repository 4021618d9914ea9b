//! Sinks of the log.

use acts::Context;
use acts::integration::set_sink;
use model::core::act;
use model::integration::sink::Sink;
use serde_json::json;
use store::audit::log;
use store::integration::sink as states;
use store::record::Filter;
use wire::views;

use crate::api::shared::records::page;
use crate::http::caller::Scope;
use crate::http::route::{Reply, Route};

/// Sinks, how far each is, and how to move one.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_sinks", |cx, ask| {
        cx.allow(act::actions::SET_CONNECTION)?;
        page::<Sink>(cx, ask, Filter::new(), views::shown)
    })
    .scope(Scope::Admin),
    Route::writes("create_sink", |cx, ask| {
        let made = set_sink::create_sink(cx, &ask.body)?;
        let directory = cx.directory()?;
        Ok(Reply::created(views::shown(&made, &directory)).tagged(made.version))
    })
    .scope(Scope::Admin),
    Route::reads("show_sink", |cx, ask| {
        cx.allow(act::actions::SET_CONNECTION)?;
        let found = set_sink::sink(cx, ask.place(0))?;
        shown(cx, &found)
    })
    .scope(Scope::Admin),
    Route::edits(
        "edit_sink",
        |cx, ask| Ok(Some(set_sink::sink(cx, ask.place(0))?.version)),
        |cx, ask| {
            let made = set_sink::edit_sink(cx, ask.place(0), &ask.body)?;
            shown(cx, &made)
        },
    )
    .scope(Scope::Admin),
    Route::writes("end_sink", |cx, ask| {
        let ended = set_sink::end_sink(cx, ask.place(0))?;
        shown(cx, &ended)
    })
    .scope(Scope::Admin),
    Route::writes("move_sink", |cx, ask| {
        let moved = set_sink::move_sink(cx, ask.place(0), &ask.body)?;
        let mut reply = shown(cx, &moved)?;
        reply.status = 201;
        Ok(reply)
    })
    .scope(Scope::Admin),
];

fn shown(cx: &mut Context<'_, '_>, sink: &Sink) -> acts::Result<Reply> {
    let directory = cx.directory()?;
    let mut value = views::shown(sink, &directory);
    let size = log::state(cx.tx)?.map_or(0, |log| log.size);
    if let Some(state) = states::state(cx.tx, sink.id.as_str())? {
        value["state"] = json!({
            "next_index": state.position,
            "last_index": state.sent,
            "behind": (size - state.position).max(0),
            "failing_since": state.failing_since,
            "next_try_at": state.failing_since.map(|_| state.run_at),
            "last_error": state.last_error,
            "delivered_at": state.delivered_at,
        });
    }
    Ok(Reply::ok(value).tagged(sink.version))
}
