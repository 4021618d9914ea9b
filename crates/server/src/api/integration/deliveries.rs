//! Results of deliveries: one shown with its result, one read again, the requests of outside systems, rules tried on past
//! deliveries.

use acts::Context;
use acts::core::connections;
use acts::integration::set_connection;
use connect::integration::door;
use model::core::{act, parse};
use model::directory::records;
use model::gate::provenance::{self, OutsideCheck};
use model::integration::signal::Signal;
use serde_json::{Value, json};
use store::integration::{call, inbox};
use store::record::Filter;
use wire::views;

use crate::api::shared::records::page;
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};
use crate::integration::read_again::{delivery, read_again};

/// The most past deliveries that one trial reads.
const MOST: i64 = 200;

/// Single deliveries, and requests of outside systems.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_delivery", shown).scope(Scope::Admin),
    Route::writes("replay_delivery", replay).scope(Scope::Admin),
    Route::reads("list_outside_checks", |cx, ask| {
        cx.allow(act::actions::READ)?;
        page::<OutsideCheck>(cx, ask, Filter::new(), views::shown)
    }),
    Route::reads("list_calls", calls).scope(Scope::Admin),
    Route::writes("try_links", try_links).scope(Scope::Admin),
];

/// The deliveries that a connection refused.
pub(crate) fn refused(cx: &mut Context<'_, '_>, connection: &str) -> acts::Result<Value> {
    let rows = inbox::turned_away(cx.tx, connection)?;
    let told = rows.iter().map(|it| {
        json!({"code": it.code, "text": it.text, "count": it.count, "first_at": it.first_at, "last_at": it.last_at})
    });
    Ok(told.collect())
}

/// A delivery for people: the signals in it are shown, its raw body is not.
fn view(cx: &mut Context<'_, '_>, row: &inbox::Delivery) -> acts::Result<Value> {
    let kind = connections::connection(cx, &row.connection)?.kind;
    let read = door::read(&kind, &row.event, &row.body, row.received_at);
    let (signals, complaint) = match read {
        Ok(signals) => {
            let complaint = signals.iter().find_map(Signal::complaint).map(str::to_owned);
            (json!(signals), complaint)
        }
        Err(aside) => (json!([]), Some(aside.reason)),
    };
    Ok(json!({
        "id": row.id, "connection": row.connection, "delivery_id": row.delivery_id, "event": row.event,
        "received_at": row.received_at, "state": row.state, "tries": row.tries, "reason": row.reason,
        "result": row.result, "signals": signals, "complaint": complaint,
    }))
}

fn shown(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let row = delivery(cx, ask.place(0))?;
    Ok(Reply::ok(view(cx, &row)?))
}

/// Reads a delivery again in this very transaction, so that the response shows the result.
fn replay(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let before = delivery(cx, ask.place(0))?.result;
    let (signals, result) = read_again(cx, ask.place(0))?;
    let mut body = json!({"id": ask.place(0), "signals": signals, "result": result});
    body["before"] = json!(before);
    Ok(Reply::created(body))
}

fn calls(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let state = ask.query("state").unwrap_or("parked");
    let rows = call::list(cx.tx, state, ask.reach()?)?;
    let items = rows.iter().map(|row| {
        json!({"id": row.id, "kind": row.kind, "subject": row.subject, "tries": row.tries, "run_at": row.run_at,
            "state": row.state, "last_error": row.last_error})
    });
    ask.placed(items.collect())
}

/// The changes that proposed rules find for past deliveries, beside those of the present rules.
fn try_links(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::SET_CONNECTION)?;
    let connection = connections::connection(cx, ask.place(0))?;
    let mut reading = parse::Reading::new(&ask.body, "");
    let rules = reading.objects("links", set_connection::read_link).unwrap_or_default();
    let last = reading.integer("last", 1..=MOST).unwrap_or(50);
    reading.finish()?;
    let mut rows = Vec::new();
    for row in inbox::of_connection(cx.tx, connection.id.as_str(), last)? {
        let Ok(signals) = door::read(&connection.kind, &row.event, &row.body, row.received_at) else {
            continue;
        };
        for signal in signals {
            let (texts, commit) = match signal {
                // A repeated request names no new change.
                Signal::Ask(question) if !question.is_repeat => (question.texts, question.commit),
                Signal::RunTask(question) => (question.texts, question.commit),
                _ => continue,
            };
            let find = |rules: &[records::LinkRule]| provenance::find_change(rules, &texts);
            let (now, then) = (find(&connection.links), find(&rules));
            rows.push(json!({
                "delivery": row.id, "event": row.event, "received_at": row.received_at, "commit": commit,
                "now": now.as_ref().map(|it| &it.0), "found_by_now": now.as_ref().map(|it| &it.1),
                "proposed": then.as_ref().map(|it| &it.0), "found_by": then.as_ref().map(|it| &it.1),
                "differs": now.as_ref().map(|it| &it.0) != then.as_ref().map(|it| &it.0),
            }));
        }
    }
    let differ = rows.iter().filter(|row| row["differs"] == true).count();
    Ok(Reply::created(json!({"questions": rows, "differ": differ})))
}
