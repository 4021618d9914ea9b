//! Change systems beside this one: their credential, and a comparison of their decisions with the rules here.

use acts::Context;
use acts::integration::beside::report_differences::{Counted, Report, report_differences};
use acts::integration::beside::set_foreign_system::keep_credential;
use model::core::enums::ForeignDifference;
use model::core::refusal::Refusal;
use serde_json::{Value, json};
use wire::views;

use crate::http::route::{Ask, Reply, Route};

/// Credential and comparison.
pub(crate) const ROUTES: &[Route] = &[
    Route::writes("set_foreign_credential", |cx, ask| {
        let system = keep_credential(cx, ask.place(0), &ask.body)?;
        let directory = cx.visible()?;
        Ok(Reply::ok(views::shown(&system, &directory)))
    }),
    Route::reads("show_foreign_differences", compare),
];

fn compare(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let difference = match ask.query("difference") {
        None => ForeignDifference::WouldStop,
        Some(word) => word.parse().map_err(|why: String| {
            acts::Error::from(Refusal::field("difference", "unknown_word", format!("{why}.")))
        })?,
    };
    let limit = ask.limit()?;
    let report = report_differences(cx, ask.place(0), (difference, ask.query("after"), limit))?;
    let directory = cx.visible()?;
    let changes: Vec<Value> = report.changes.iter().map(|it| views::shown(it, &directory)).collect();
    Ok(Reply::ok(body(&report, changes)))
}

fn body(report: &Report, changes: Vec<Value>) -> Value {
    let mut value = json!({
        "system": report.system.id, "name": report.system.name, "is_whole": report.is_whole,
        "rules": counted(&report.rules), "services": counted(&report.services), "changes": changes,
    });
    for (word, count) in &report.counts {
        value[word.as_str()] = json!(count);
    }
    if let Some(at) = report.system.read_until {
        value["read_until"] = json!(at);
    }
    if let Some(next) = &report.next {
        value["next"] = json!(next);
    }
    value
}

fn counted(rows: &[Counted]) -> Vec<Value> {
    let row = |it: &Counted| json!({"key": it.key, "count": it.count});
    rows.iter().map(row).collect()
}
