//! The search over records, acts and pages.

use acts::Context;
use model::core::act::actions;
use serde_json::{Value, json};

use crate::http::route::{Ask, Reply, Route};
use crate::report::completions::complete;
use crate::report::search::{Item, search};

/// The search.
pub(crate) const ROUTES: &[Route] = &[Route::reads("search_records", find)];

fn find(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::READ)?;
    let text = ask.query("q").unwrap_or_default();
    let items: Vec<Value> = search(cx, text, "")?.iter().map(view).collect();
    let directory = cx.visible()?;
    let completions: Vec<String> = complete(text, &directory).into_iter().map(|it| it.text).collect();
    Ok(Reply::ok(json!({"items": items, "completions": completions})))
}

fn view(item: &Item) -> Value {
    let mut shown = json!({
        "kind": item.kind, "key": item.key, "title": item.title, "state": item.state, "path": item.path,
    });
    if let Some(outcome) = item.outcome {
        shown["outcome"] = json!(outcome.as_str());
    }
    shown
}
