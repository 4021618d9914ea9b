//! Control reports: the enforcement of each control of a framework, and the results of its tests.

use acts::Context;
use acts::compliance::find_violation_trend::find_violation_trend;
use acts::compliance::report_controls::{ReportParameters, Which, report_controls, report_rows};
use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use model::compliance::control_report::ReportFormat;
use model::compliance::framework::{FRAMEWORKS, Framework};
use model::core::act::actions;
use model::core::parse;
use model::core::refusal::Refusal;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::api::shared::records::keyed;
use crate::compliance::{download, file_name, file_of};
use crate::http::address::BASE;
use crate::http::attempts;
use crate::http::caller::{Caller, Scope};
use crate::http::failure::Failure;
use crate::http::handler::get;
use crate::http::route::{Ask, Places, Reply, Route, query_of};
use crate::http::state::AppState;

/// The address of a report as a file.
const FILE: &str = "/control-reports/{framework}/file";

/// Frameworks and their reports.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_control_reports", list).scope(Scope::Audit),
    Route::reads("show_control_report", show).scope(Scope::Audit),
    Route::reads("list_control_report_rows", rows).scope(Scope::Audit),
    Route::reads("list_violation_months", |cx, ask| {
        let months = find_violation_trend(cx)?.into_iter();
        ask.whole(months.map(|month| json!(month)).collect())
    })
    .scope(Scope::Audit),
];

fn list(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::AUDIT)?;
    let item = |framework: &Framework| {
        json!({
            "id": framework.id,
            "title": framework.title,
            "source": framework.source,
            "controls": framework.controls.len(),
        })
    };
    let items: Vec<Value> = FRAMEWORKS.iter().map(item).collect();
    ask.whole(items)
}

fn show(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let [from, to] = ask.query_span("from", "to")?;
    let size = ask.query("size").map(size_of).transpose()?;
    let report = report_controls(cx, ask.place(0), &ReportParameters { from, to, size })?;
    let body = serde_json::to_value(report).map_err(|error| acts::Error::Fault(error.to_string()))?;
    Ok(Reply::ok(body))
}

/// The changes behind a figure, page by page in the order of their keys.
fn rows(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let [from, to] = ask.query_span("from", "to")?;
    let size = ask.query("size").map(size_of).transpose()?;
    let which = Which {
        figure: ask.query("figure"),
        rule: ask.query("rule"),
    };
    let found = report_rows(cx, ask.place(0), &which, &ReportParameters { from, to, size })?;
    keyed(ask, found.rows.iter().map(|row| (row.change.clone(), json!(row))))
}

/// Reports as files, which are no JSON of ours.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route(&format!("{BASE}{FILE}"), get(file))
}

/// The report as a file (`GET …/control-reports/{framework}/file?format=pdf`).
async fn file(
    State(state): State<AppState>,
    caller: Caller,
    mut places: Places,
    uri: Uri,
) -> Result<Response, Failure> {
    let (framework, query) = (places.take(0), query_of(&uri)?);
    let allowed = caller.clone();
    let act = move |cx: &mut Context<'_, '_>| {
        allowed.check_scope(Scope::Audit)?;
        cx.allow(actions::AUDIT)?;
        let (asked, format) = read_query(&query)?;
        let report = report_controls(cx, &framework, &asked)?;
        let look = attempts::look_at_route(cx, ("GET", FILE), None)?;
        Ok((file_name(&report, format), format, file_of(&report, format)?, look))
    };
    let (name, format, bytes, look) = state.act(Lane::Worker, &caller, Mode::Read, act).await?;
    attempts::note_looked(&state, &caller, look).await?;
    attempts::note_scope_use(&state, &caller, Scope::Audit);
    Ok(download(&name, format, bytes))
}

fn read_query(query: &[(String, String)]) -> Result<(ReportParameters, ReportFormat), Refusal> {
    let said = |name: &str| {
        let found = query.iter().find(|(field, value)| field == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    };
    let time = |name: &str| {
        let wrong = |text: &str| {
            let (code, why) = parse::why_no_time(name, text);
            Refusal::field(name, code, why)
        };
        said(name).map(|text| text.parse().map_err(|_| wrong(text))).transpose()
    };
    let format = said("format").and_then(ReportFormat::named).ok_or_else(|| {
        let why = format!("`format` is {}.", ReportFormat::NAMES);
        Refusal::field("format", "unknown", why)
    })?;
    let asked = ReportParameters {
        from: time("from")?,
        to: time("to")?,
        size: said("size").map(size_of).transpose()?,
    };
    Ok((asked, format))
}

pub(crate) fn size_of(text: &str) -> Result<i64, Refusal> {
    text.parse().ok().filter(|size| *size > 0).ok_or_else(|| {
        let why = "`size` is the size of the log at a checkpoint: a whole number above 0.";
        Refusal::field("size", "not_a_number", why)
    })
}
