//! The endpoints for callers that are scoped to services: a person such as a vendor, or a token. Each endpoint in this list
//! shows only records inside the scope. All others are closed to scoped callers, so a new endpoint needs a review before it
//! shows them anything.

use acts::Context;
use model::core::ids::ServiceKey;
use model::core::refusal::Refusal;
use model::directory::outside_names::OTHER_CHANGE;
use model::directory::scope::{self, Scope};
use serde_json::Value;

use crate::http::outside_mask::mask_value;

/// API endpoints that show records inside a scope, and the caller's own records. A `*` matches any continuation.
const OPEN: &[&str] = &[
    "GET /me",
    "* /session*",
    "* /sessions*",
    "* /second-factors*",
    "GET /tenant",
    "* /changes*",
    "* /permits/*",
    "GET /gate",
    "* /gate-checks*",
    "GET /services",
    "GET /services/{key}",
    "GET /config-items",
    "GET /config-items/{key}",
    "GET /environments*",
    "GET /incidents",
    "GET /incidents/{key}",
    "GET /what-changed",
    "GET /what-changed/annotations",
    "GET /windows",
    "GET /windows/{id}",
    "GET /freezes",
    "GET /freezes/{id}",
    "GET /calendar",
    "GET /templates",
    "GET /templates/{key}",
    "PUT /people/{login}/password",
    "* /messages*",
    "GET /action-items",
    "GET /action-items/{key}",
    "POST /action-items/{key}/acknowledgement",
    "POST /action-items/{key}/settlement",
    "GET /lessons",
    "GET /lessons/{id}",
    "* /lesson-attempts*",
    "GET /search",
];
/// Endpoints among these that show more than the named change: the bundle of a change contains events of people and freezes.
const CLOSED: &[&str] = &["/changes/{key}/bundle"];
/// Pages of which the same is true, below the tenant's address.
const PAGES: &[&str] = &[
    "",
    "/",
    "/sign-in*",
    "/sign-out",
    "/step-up*",
    "/passkey*",
    "/account*",
    "/telling",
    "/messages",
    "/inbox*",
    "/lessons*",
    "/help",
    "/picks/services",
    "/search",
    "/live",
    "/changes*",
    "/calendar",
    "/calendar/feed*",
    "/feed/*",
    "/caldav*",
    "/assets/*",
];
/// Pages among these that show more than the named change.
const CLOSED_PAGES: &[&str] = &["/affected", "/clone"];

/// Endpoints of the API for auditors with a mandate: changes, to read, and the auditor's own records.
const MANDATE: &[&str] = &[
    "GET /me",
    "* /session*",
    "* /sessions*",
    "* /second-factors*",
    "PUT /people/{login}/password",
    "GET /tenant",
    "GET /changes",
    "GET /changes/*",
    "GET /services",
    "GET /services/{key}",
    "GET /environments*",
    "GET /search",
];
/// Pages of which the same is true.
const MANDATE_PAGES: &[&str] = &[
    "",
    "/",
    "/sign-in*",
    "/sign-out",
    "/step-up*",
    "/passkey*",
    "/account*",
    "/help",
    "/live",
    "/search",
    "/changes",
    "/changes/*",
    "/assets/*",
];

/// Whether an endpoint of the API is open to auditors with a mandate.
pub(crate) fn is_open_to_mandate(method: &str, path: &str) -> bool {
    is_open(method, path) && MANDATE.iter().any(|row| is_row(row, method, path))
}

/// Whether a page is.
pub(crate) fn is_page_open_to_mandate(path: &str) -> bool {
    is_page_open(path) && MANDATE_PAGES.iter().any(|pattern| fits(pattern, path))
}

fn is_row(row: &str, method: &str, path: &str) -> bool {
    let (wanted, pattern) = row.split_once(' ').unwrap_or(("*", row));
    (wanted == "*" || wanted == method) && fits(pattern, path)
}

/// Whether an endpoint of the API is open to scoped callers.
pub(crate) fn is_open(method: &str, path: &str) -> bool {
    !CLOSED.contains(&path) && OPEN.iter().any(|row| is_row(row, method, path))
}

/// Whether a page is open to scoped callers; `path` is the part behind the tenant's address.
pub(crate) fn is_page_open(path: &str) -> bool {
    let is_closed = CLOSED_PAGES.iter().any(|end| path.ends_with(end));
    !is_closed && PAGES.iter().any(|pattern| fits(pattern, path))
}

fn fits(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(begin) => path
            .strip_prefix(begin)
            .is_some_and(|rest| begin.ends_with('/') || rest.is_empty() || rest.starts_with(['/', '.'])),
        None => pattern == path,
    }
}

/// Refuses an endpoint that shows more than the scope, as if it were absent. An endpoint that creates a record names no
/// existing one, so its refusal may state the reason.
///
/// # Errors
/// [`Refusal::NotFound`], [`Refusal::NotAllowed`], or the store's.
pub(crate) fn check_door(cx: &mut Context<'_, '_>, method: &str, path: &str) -> acts::Result<()> {
    let Some(scope) = cx.scope()? else { return Ok(()) };
    if scope.is_bound() && !is_open_to_mandate(method, path) {
        return Err(Refusal::not_found("such page for an auditor with a mandate").into());
    }
    if is_open(method, path) {
        return Ok(());
    }
    if method != "GET" && !path.contains('{') {
        return Err(scope::refusal().into());
    }
    Err(Refusal::not_found("such page for who is scoped to services").into())
}

/// Reduces a response to the caller's scope: items outside it are left out of lists, and a single record outside it is absent.
///
/// # Errors
/// [`Refusal::NotFound`], or the store's.
pub(crate) fn inside(cx: &mut Context<'_, '_>, path: &str, mut body: Value) -> acts::Result<Value> {
    let Some(scope) = cx.scope()? else {
        return Ok(body);
    };
    if is_own(path) {
        return Ok(body);
    }
    // The caller's own gate request is shown in full, without the names of the other records that its decision rests on.
    if !path.starts_with("/gate") {
        if !is_inside(&scope, &body) {
            return Err(Refusal::not_found("such record").into());
        }
        leave_out(&scope, &mut body);
    }
    mask_value(cx, &mut body)?;
    if path.starts_with("/gate") && body["change"] == OTHER_CHANGE {
        body["change"] = Value::Null;
    }
    Ok(body)
}

/// Whether an endpoint is about the reader alone: it shows their own scope in full.
fn is_own(path: &str) -> bool {
    path == "/me"
        || ["/session", "/sessions"]
            .iter()
            .any(|own| fits(&format!("{own}*"), path))
}

fn is_inside(scope: &Scope, value: &Value) -> bool {
    if let Some(service) = value["service"].as_str() {
        return scope.has(service);
    }
    if let Some(targets) = value["targets"].as_array().filter(|targets| !targets.is_empty()) {
        return targets
            .iter()
            .all(|target| target["service"].as_str().is_none_or(|it| scope.has(it)));
    }
    let named = value["services"]
        .as_array()
        .map(|rows| rows.iter().filter_map(Value::as_str));
    let named: Option<Vec<ServiceKey>> = named.map(|rows| rows.map(ServiceKey::from).collect());
    named.is_none_or(|named| scope.touches(&named.into_iter().collect()))
}

fn leave_out(scope: &Scope, value: &mut Value) {
    match value {
        Value::Array(rows) => {
            rows.retain(|row| is_inside(scope, row));
            rows.iter_mut().for_each(|row| leave_out(scope, row));
        }
        Value::Object(map) => {
            for (field, inner) in map.iter_mut() {
                match inner.as_array_mut().filter(|_| field == "services") {
                    Some(rows) => rows.retain(|row| row.as_str().is_none_or(|it| scope.has(it))),
                    None => leave_out(scope, inner),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_closed_unless_it_stands_in_the_list() {
        for (method, path) in [
            ("GET", "/changes"),
            ("POST", "/changes/{key}/comments"),
            ("GET", "/sessions"),
            ("GET", "/gate"),
            ("POST", "/gate-checks/{id}/permit"),
        ] {
            assert!(is_open(method, path), "{method} {path}");
        }
        for (method, path) in [
            ("POST", "/services"),
            ("GET", "/people"),
            ("GET", "/ownerships"),
            ("GET", "/dependencies"),
            ("GET", "/gate-refusals"),
            ("GET", "/gate-waits"),
            ("GET", "/exports/{noun}"),
            ("GET", "/changes/{key}/bundle"),
            ("GET", "/a-door-to-come"),
        ] {
            assert!(!is_open(method, path), "{method} {path}");
        }
        assert!(is_page_open("/changes/CHG-7/runbook") && is_page_open("/changes.csv") && is_page_open("/"));
        for path in [
            "/services",
            "/people",
            "/freezes",
            "/changes/CHG-7/affected",
            "/gate-checks",
            "/ownership",
        ] {
            assert!(!is_page_open(path), "{path}");
        }
    }
}
