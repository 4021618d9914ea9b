//! The inputs of a figure, and the map of the paths that changes took.

use acts::Context;
use acts::report::export_event_log::find_process_map;
use acts::report::find_figures::find_sensitivity;
use acts::report::metric_query::read_query;
use model::report::process_map::ProcessMap;
use model::report::sensitivity::Variant;
use serde_json::{Value, json};

use crate::api::report::metrics::{WINDOW_OF_LOG, figure_value, named, unit};
use crate::http::route::{Ask, Reply, Route};

/// The parts of metrics that have routes of their own.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_sensitivity", sensitivity),
    Route::reads("show_process_map", process_map),
];

/// The sensitivity of a figure to its window and to the definition of a failure.
fn sensitivity(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let query = read_query(ask.place(0), cx.now, |name| ask.query(name))?;
    let rows = find_sensitivity(cx, &query)?;
    Ok(Reply::ok(json!({
        "definition": named(query.definition), "unit": unit(query.definition.formula),
        "from": query.window.from.to_string(), "to": query.window.to.to_string(),
        "rows": rows.iter().map(variant_value).collect::<Vec<Value>>(),
    })))
}

fn variant_value(it: &Variant) -> Value {
    let mut value = figure_value(&it.figure);
    value.insert("varied".to_owned(), json!(it.varied.as_str()));
    value.insert("varied_to".to_owned(), json!(it.varied.value()));
    value.insert("is_defined".to_owned(), json!(it.is_defined));
    Value::Object(value)
}

/// The paths that changes took through the lifecycle.
fn process_map(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let query = read_query(WINDOW_OF_LOG, cx.now, |name| ask.query(name))?;
    let (map, created) = find_process_map(cx, query.window, &query.filter)?;
    let mut value = map_value(&map);
    value["created"] = json!(created);
    value["from"] = json!(query.window.from.to_string());
    value["to"] = json!(query.window.to.to_string());
    Ok(Reply::ok(value))
}

fn map_value(map: &ProcessMap) -> Value {
    let steps = map
        .steps
        .iter()
        .map(|it| json!({"step": it.step, "changes": it.changes}));
    let moves = map
        .moves
        .iter()
        .map(|it| json!({"from": it.from, "to": it.to, "count": it.count, "median_minutes": it.median}));
    let paths = map
        .paths
        .iter()
        .map(|it| json!({"steps": it.steps, "changes": it.changes, "keys": it.keys}));
    json!({
        "changes": map.changes, "other": map.other, "steps": steps.collect::<Vec<Value>>(),
        "moves": moves.collect::<Vec<Value>>(), "paths": paths.collect::<Vec<Value>>(),
    })
}
