//! Classifies request paths: the base of the API, the pages, and paths that no resource can have.

use axum::http::Uri;

use crate::http::failure::Failure;

/// The base path of the API.
pub(crate) const BASE: &str = "/api/v1";

/// First path segments below a tenant that serve programs rather than pages.
const OF_PROGRAMS: [&str; 4] = ["scim", "log", ".well-known", "token"];

/// Whether an address is one of a page.
pub(crate) fn is_page(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/t/") else {
        return path == "/" || path == "/sign-in";
    };
    let place = rest.split('/').nth(1).unwrap_or_default();
    !OF_PROGRAMS.contains(&place)
}

/// No text of a database holds U+0000, so nothing has such a name; PostgreSQL calls the question itself a fault.
pub(crate) fn holds_null(uri: &Uri) -> bool {
    uri.path().contains("%00") || uri.query().is_some_and(|query| query.contains("%00"))
}

/// The response to such an address.
pub(crate) fn null_refused() -> Failure {
    Failure::new(400, "malformed", "The address cannot be read: it holds U+0000.")
}
