//! The owner of a place, and the reason.

use acts::Context;
use model::core::act;
use model::core::enums::OwnershipRole;
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::core::refusal::Refusal;
use model::directory::basis::Holder;
use model::directory::holders::Line;
use model::directory::ownership_matrix::Place;
use model::directory::snapshot::{Directory, Person};
use serde_json::{Value, json};
use wire::views;

use crate::http::route::{Ask, Reply, Route};

/// The lines of the ownership matrix.
pub(crate) const ROUTES: &[Route] = &[Route::reads("show_ownership_lines", lines)];

/// The place that a query names.
struct OwnedPlace {
    service: ServiceKey,
    environment: EnvironmentKey,
    items: Vec<String>,
}

fn place(directory: &Directory, ask: &Ask) -> acts::Result<OwnedPlace> {
    let needed = |field: &str| {
        let missing = || Refusal::field(field, "missing", format!("`{field}` is missing."));
        ask.query(field).map(str::to_owned).ok_or_else(missing)
    };
    let service = ServiceKey(needed("service")?);
    if !directory.services.contains_key(&service) {
        return Err(Refusal::not_found(format!("service {service}")).into());
    }
    let environment = EnvironmentKey(needed("environment")?);
    if !directory.environments.contains_key(&environment) {
        return Err(Refusal::not_found(format!("environment {environment}")).into());
    }
    Ok(OwnedPlace {
        service,
        environment,
        items: ask.queries("config_item"),
    })
}

fn lines(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::READ)?;
    let directory = cx.directory()?;
    let asked = place(&directory, ask)?;
    let now = ask.query_time("at")?.unwrap_or(cx.now);
    let roles: Vec<OwnershipRole> = match ask.query("role") {
        Some(word) => vec![
            word.parse()
                .map_err(|text: String| Refusal::field("role", "unknown_word", text))?,
        ],
        None => OwnershipRole::ALL.to_vec(),
    };
    let place = Place {
        service: &asked.service,
        environment: &asked.environment,
        items: &asked.items,
    };
    let parts = roles.iter().map(|role| {
        let asked_now = directory.holders_at(&place, *role, now);
        let lines = directory.lines(&place, *role, now);
        json!({
            "role": role,
            "asked": asked_now.iter().map(|holder| holder_view(holder, &directory)).collect::<Vec<_>>(),
            "lines": lines.iter().map(|line| line_view(line, &directory)).collect::<Vec<_>>(),
        })
    });
    let mut told = json!({
        "service": asked.service, "environment": asked.environment, "config_items": asked.items,
        "at": now, "parts": parts.collect::<Vec<Value>>(),
    });
    // A target may name an item that the directory does not hold, so a query for such an item is no error; it is listed as
    // unknown.
    let is_unknown = |key: &&String| !directory.config_items.contains_key(*key);
    let unknown: Vec<&String> = asked.items.iter().filter(is_unknown).collect();
    if !unknown.is_empty() {
        told["unknown_config_items"] = json!(unknown);
    }
    Ok(Reply::ok(told))
}

fn line_view(line: &Line, directory: &Directory) -> Value {
    let idle = line.idle.iter().map(|(row, why)| json!({"ownership": row, "why": why}));
    json!({
        "scope": line.scope, "environment": line.environment, "path": line.path,
        "holders": line.holders.iter().map(|holder| holder_view(holder, directory)).collect::<Vec<_>>(),
        "idle": idle.collect::<Vec<Value>>(),
    })
}

fn holder_view(holder: &Holder, directory: &Directory) -> Value {
    let login = directory
        .people
        .get(&holder.person)
        .map_or("", |person: &Person| person.login.as_str());
    json!({"person": login, "why": holder.why, "basis": views::shown(&holder.basis, directory)})
}
