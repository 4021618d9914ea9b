//! The API's own description: OpenAPI 3.1, made from the tables of routes, so that it cannot fall behind them.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::TABLES;
use crate::route::{BASE, Route};
use crate::state::AppState;

/// Routes that are no rows of a table: method, path, sentence.
const OTHERS: &[(&str, &str, &str)] = &[
    ("GET", "/api/v1/gate-checks/{id}", "Shows a gate check; `wait=60` waits for its turn."),
    ("POST", "/api/v1/changes/{key}/evidence", "Adds evidence: a form with a file, or JSON."),
    ("GET", "/api/v1/changes/{key}/evidence/{id}/file", "Gets the file of a piece of evidence."),
    ("GET", "/api/v1/changes/{key}/bundle", "Exports all that proves a change, as a ZIP."),
    ("POST", "/api/v1/session", "Signs in."),
    ("DELETE", "/api/v1/session", "Signs out."),
    ("POST", "/api/v1/session/step-up", "Shows a fresh factor."),
    ("POST", "/api/v1/people/{login}/password", "Sets a password."),
    ("GET", "/api/v1/stream", "Streams events as they get their place in the log (SSE)."),
    ("GET", "/t/{tenant}/log/key", "The log's verifier keys."),
    ("GET", "/t/{tenant}/log/checkpoint", "The newest checkpoint."),
    ("GET", "/t/{tenant}/.well-known/jwks.json", "The keys that permits are verified with."),
    ("GET", "/t/{tenant}/.well-known/assent-revocations", "The signed list of revoked permits."),
    ("POST", "/hooks/{connection}", "Takes a delivery of an outside system."),
];

/// The description.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/api/openapi.json", get(async || axum::Json(document())))
        .route("/api", get(async || Html(pages::ApiPage::new(&document(), "/api/openapi.json", "/assets").render())))
}

/// The OpenAPI 3.1 document.
pub(crate) fn document() -> Value {
    let mut paths = Map::new();
    for route in TABLES.iter().flat_map(|table| table.iter()) {
        add(&mut paths, route.method, &format!("{BASE}{}", route.path), route.summary, Some(route));
    }
    for (method, path, summary) in OTHERS {
        add(&mut paths, method, path, summary, None);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Assent",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Change enablement: changes, their approvals and evidence, the gate and its permits, and the log that proves them.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": problem_schema()},
            "responses": {"Problem": {
                "description": "It was not done. `code` is stable, `detail` is for people, `unmet` says what would help.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }},
        },
    })
}

fn add(paths: &mut Map<String, Value>, method: &str, path: &str, summary: &str, route: Option<&Route>) {
    let entry = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
    let status = if method == "POST" { "201" } else { "200" };
    let mut operation = json!({
        "summary": summary,
        "tags": [tag(path)],
        "operationId": operation_id(method, path),
        "parameters": parameters(path, method, route),
        "responses": {
            status: {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    });
    if matches!(method, "POST" | "PATCH" | "PUT") {
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        operation["requestBody"] = json!({"content": {kind: {"schema": {"type": "object"}}}});
    }
    entry[method.to_lowercase()] = operation;
}

fn tag(path: &str) -> &str {
    let inner = path.strip_prefix(BASE).unwrap_or(path);
    inner.split('/').find(|part| !part.is_empty()).unwrap_or("api")
}

fn operation_id(method: &str, path: &str) -> String {
    let inner = path.strip_prefix(BASE).unwrap_or(path);
    let words = inner.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(method.to_lowercase()).chain(words.map(str::to_lowercase)).collect::<Vec<_>>().join("_")
}

fn parameters(path: &str, method: &str, route: Option<&Route>) -> Vec<Value> {
    let string = json!({"type": "string"});
    let places = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut found: Vec<Value> =
        places.map(|name| json!({"name": name, "in": "path", "required": true, "schema": string})).collect();
    if method == "POST" {
        found.push(json!({"name": "Idempotency-Key", "in": "header", "schema": string}));
    }
    if route.is_some_and(|route| route.current.is_some()) {
        found.push(json!({"name": "If-Match", "in": "header", "schema": string}));
    }
    found
}

fn problem_schema() -> Value {
    let rows = |fields: &[&str]| {
        let properties: Map<String, Value> =
            fields.iter().map(|field| ((*field).to_owned(), json!({"type": "string"}))).collect();
        json!({"type": "array", "items": {"type": "object", "properties": properties}})
    };
    json!({
        "type": "object",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
            "code": {"type": "string"}, "detail": {"type": "string"},
            "errors": rows(&["field", "code", "text"]),
            "unmet": rows(&["code", "text", "satisfy"]),
            "policies": rows(&["id", "reason"]),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_once_and_ids_are_unique() {
        let document = document();
        let mut ids = std::collections::BTreeSet::new();
        let mut count = 0;
        for methods in document["paths"].as_object().into_iter().flat_map(|paths| paths.values()) {
            for operation in methods.as_object().into_iter().flat_map(|methods| methods.values()) {
                count += 1;
                assert!(ids.insert(operation["operationId"].to_string()), "{operation}");
            }
        }
        assert_eq!(count, TABLES.iter().map(|table| table.len()).sum::<usize>() + OTHERS.len());
    }
}
