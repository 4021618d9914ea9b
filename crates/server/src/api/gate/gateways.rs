//! The data about gateways: requests of admission control, running workloads, and refused gate requests.

use acts::Context;
use acts::gate::{gate_waits, running, shown_permit};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use model::core::act::actions;
use model::core::body::Body;
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::gate::coverage;
use serde_json::{Value, json};
use store::gate::gate_use;
use store::{Lane, Mode};
use wire::views;

use crate::api::gate::questions::{gate_reply, read_question};
use crate::http::address::BASE;
use crate::http::attempts;
use crate::http::body::JsonBody;
use crate::http::caller::{Caller, Scope};
use crate::http::failure::Failure;
use crate::http::handler::post;
use crate::http::route::{Ask, Reply, Route};
use crate::http::state::AppState;

/// Admission, running workloads, and refused requests.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("ask_admission", ask_admission)
        .scope(Scope::Gate)
        .lane(Lane::Gate),
    Route::reads("list_running", list_running)
        .scope(Scope::Gate)
        .lane(Lane::Gate),
    Route::reads("list_gate_refusals", list_refusals),
    Route::reads("list_coverage", list_coverage),
    Route::reads("list_completeness", list_unmatched),
    Route::reads("list_gate_waits", list_waits),
];

/// How many days the lists look back by default.
const DAYS: i64 = 30;
/// The longest look back, in days.
const MOST_DAYS: i64 = 366;

/// The days of the query.
fn days(ask: &Ask, usual: i64) -> acts::Result<i64> {
    let Some(text) = ask.query("days") else {
        return Ok(usual);
    };
    let found = text.parse::<i64>().ok().filter(|days| (1..=MOST_DAYS).contains(days));
    let wrong = || {
        Refusal::field(
            "days",
            "out_of_range",
            format!("`days` lies between 1 and {MOST_DAYS}."),
        )
    };
    Ok(found.ok_or_else(wrong)?)
}

fn list_coverage(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::READ)?;
    let days = days(ask, coverage::SILENT_DAYS)?;
    let wanted = ask.query("service").map(str::to_owned);
    let rows = acts::gate::coverage::watched(cx)?;
    let items = rows
        .iter()
        .filter(|row| wanted.as_ref().is_none_or(|service| &row.service == service))
        .map(|row| {
            let mut value = json!(row);
            value["findings"] = json!(coverage::findings(row, days, cx.now));
            value
        })
        .collect();
    ask.whole(items)
}

fn list_unmatched(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::READ)?;
    let from = cx.now - SignedDuration::from_hours(24 * days(ask, DAYS)?);
    let rows = acts::gate::coverage::unmatched(cx, from)?;
    ask.whole(rows.iter().map(|row| json!(row)).collect())
}

fn list_waits(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::READ)?;
    let from = cx.now - SignedDuration::from_hours(24 * days(ask, DAYS)?);
    let spans =
        |it: gate_waits::Spans| json!({"p50_ms": it.p50, "p95_ms": it.p95, "longest_ms": it.longest, "sum_ms": it.sum});
    let items = gate_waits::gate_waits(cx, from)?
        .into_iter()
        .map(|row| {
            json!({
                "pipeline": row.pipeline, "service": row.service, "environment": row.environment, "checks": row.checks,
                "people": spans(row.people), "queue": spans(row.queue), "decision": spans(row.decision),
            })
        })
        .collect();
    ask.whole(items)
}

/// The route on which a companion reports requests that it could not turn into gate requests.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route(&format!("{BASE}/gate-refusals"), post(report_refusal))
}

fn ask_admission(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::ASK_GATE)?;
    let fields: Body = ask
        .query
        .iter()
        .map(|(field, value)| (field.clone(), Value::String(value.clone())))
        .collect();
    let mut reading = Reading::new(&fields, "");
    let question = read_question(&mut reading);
    let permit = reading.text("permit", 255);
    reading.finish()?;
    let (mut answer, is_running) = running::admit(cx, &question)?;
    if !is_running {
        answer = shown_permit::check_shown(cx, &question, permit.as_deref(), answer)?;
    }
    let mut reply = gate_reply(cx, &answer);
    reply.body["basis"] = json!(if is_running { "running" } else { "gate" });
    Ok(reply)
}

fn list_running(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::ASK_GATE)?;
    let rows = running::list(cx, ask.query("service"), ask.query("environment"))?;
    let directory = cx.directory()?;
    let items = rows.iter().map(|row| views::shown(row, &directory)).collect();
    // A companion checks that its token is of the tenant whose permits it verifies.
    Ok(ask.whole(items)?.with("assent-tenant", cx.tenant()))
}

fn list_refusals(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::AUDIT)?;
    let rows = gate_use::refused(cx.tx, ask.reach()?)?;
    let items = rows
        .iter()
        .map(|row| {
            json!({
                "door": row.door, "service": row.service, "environment": row.environment, "code": row.code,
                "subject": row.subject, "text": row.text, "asked": row.asked,
                "first_at": row.first_at, "last_at": row.last_at,
            })
        })
        .collect();
    ask.placed(items)
}

async fn report_refusal(State(state): State<AppState>, caller: Caller, body: JsonBody) -> Result<Response, Failure> {
    let who = caller.clone();
    let allowed = move |cx: &mut Context<'_, '_>| {
        who.check_scope(Scope::Gate)?;
        cx.allow(actions::ASK_GATE)
    };
    state.act(Lane::Gate, &caller, Mode::Read, allowed).await?;
    attempts::note_scope_use(&state, &caller, Scope::Gate);
    let mut reading = Reading::new(&body.fields, "");
    let door = reading.needed("door", LINE);
    let code = reading.needed("code", 64);
    let subject = reading.text("subject", 1_000).unwrap_or_default();
    let text = reading.text("text", 1_000).unwrap_or_default();
    reading.finish().map_err(acts::Error::from)?;
    crate::gateway::note_unclear(&state, &caller.tenant, &door, &code, &subject, &text);
    Ok((StatusCode::ACCEPTED, axum::Json(json!({"counted": true}))).into_response())
}
