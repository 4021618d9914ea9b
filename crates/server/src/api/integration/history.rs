//! The import of another system's past.

use acts::Context;
use acts::integration::beside::import_history::{Imported, import_history};
use connect::integration::history;
use model::core::act::actions::SET_CONNECTION;
use model::core::body::Body;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::integration::imported_change::MOST_TEXT;
use serde_json::{Value, json};

use crate::http::route::{Ask, Reply, Route};

/// The import.
pub(crate) const ROUTES: &[Route] = &[Route::writes("import_history", import)];

fn import(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    Ok(Reply::ok(describe(&import_text(cx, &ask.body)?)))
}

/// Imports the text of a request; reads it only for a person who may import.
pub(crate) fn import_text(cx: &mut Context<'_, '_>, body: &Body) -> acts::Result<Imported> {
    cx.allow(SET_CONNECTION)?;
    let mut reading = Reading::new(body, "");
    let source = reading.needed_technical("source", 64);
    let format = reading.text("format", 10).unwrap_or_else(|| "csv".to_owned());
    if !matches!(format.as_str(), "csv" | "json") {
        reading.wrong("format", "unknown_word", "`format` is csv or json.");
    }
    let text = reading.needed("text", MOST_TEXT);
    let is_dry_run = reading.boolean("dry_run").unwrap_or_default();
    reading.finish()?;
    let rows = history::rows(&text, format == "json").map_err(|problem| {
        let text = format!("Line {}: {}.", problem.line, problem.text);
        acts::Error::from(Refusal::field("text", "not_readable", text))
    })?;
    import_history(cx, &source, (&rows, is_dry_run))
}

fn describe(imported: &Imported) -> Value {
    let problems = imported
        .problems
        .iter()
        .map(|it| json!({"line": it.line, "field": it.error.field, "code": it.error.code, "text": it.error.text}));
    json!({"added": imported.added, "known": imported.known, "problems": problems.collect::<Vec<_>>()})
}
