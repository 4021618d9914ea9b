//! A trial of the rules that map drift to services.

use acts::Context;
use acts::incident::set_drift::try_rules;
use model::core::act::actions;
use model::core::refusal::Refusal;
use model::incident::drift::ADDRESS;
use serde_json::{Value, json};
use wire::views;

use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The trial.
pub(crate) const ROUTES: &[Route] = &[Route::reads("try_drift_rules", matches).scope(Scope::Admin)];

fn matches(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::SET_CONNECTION)?;
    let needed = |name: &str| {
        let text = format!("`{name}` is missing.");
        ask.query(name).ok_or_else(|| Refusal::field(name, "missing", text))
    };
    let (connection, address) = (needed("connection")?, needed("address")?);
    if address.len() > ADDRESS {
        return Err(Refusal::field("address", "too_long", format!("`address` has at most {ADDRESS} bytes.")).into());
    }
    let (rule, baselines) = try_rules(cx, connection, address)?;
    let directory = cx.directory()?;
    let baselines: Vec<Value> = baselines.iter().map(|it| views::shown(it, &directory)).collect();
    Ok(Reply::ok(json!({
        "address": address,
        "rule": rule.map(|it| views::shown(&it, &directory)),
        "baselines": baselines,
    })))
}
