//! Control reports: which control of a framework is enforced how, and what its tests found.

use acts::Context;
use acts::compliance::find_violation_trend::find_violation_trend;
use acts::compliance::report_controls::{Asked, report_controls};
use model::compliance::framework::{FRAMEWORKS, Framework};
use model::core::act::actions;
use model::core::refusal::Refusal;
use serde_json::{Value, json};

use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// Frameworks and their reports.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_control_reports", list).scope(Scope::Audit),
    Route::reads("show_control_report", show).scope(Scope::Audit),
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
    let report = report_controls(cx, ask.place(0), &Asked { from, to, size })?;
    let body = serde_json::to_value(report).map_err(|error| acts::Error::Fault(error.to_string()))?;
    Ok(Reply::ok(body))
}

pub(crate) fn size_of(text: &str) -> Result<i64, Refusal> {
    text.parse().ok().filter(|size| *size > 0).ok_or_else(|| {
        let why = "`size` is the size of the log at a checkpoint: a whole number above 0.";
        Refusal::field("size", "not_a_number", why)
    })
}
