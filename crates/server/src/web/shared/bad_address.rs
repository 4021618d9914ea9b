//! Addresses that cannot be read: a request for a page gets a page with the error.

use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;

use crate::http::address::{holds_null, is_page, null_refused};
use crate::http::failure::Failure;
use crate::http::percent::is_utf8;
use crate::web::shared::problem::bare_problem;

/// Refuses requests that no page can read, and turns the refusals of axum's path and query parsers into pages too.
pub(crate) async fn refuse(request: Request, next: Next) -> Response {
    let is_page = is_page(request.uri().path());
    if is_page && holds_null(request.uri()) {
        return bare_problem(&null_refused());
    }
    let is_asked = is_page && request.method().is_safe();
    if is_page && !is_utf8(request.uri().query().unwrap_or_default().as_bytes()) {
        return unreadable();
    }
    let response = next.run(request).await;
    if !is_asked || response.status().as_u16() != 400 || !is_plain(&response) {
        return response;
    }
    unreadable()
}

fn unreadable() -> Response {
    let text = "The address cannot be read: a parameter is given twice, or has an invalid value.";
    bare_problem(&Failure::new(400, "malformed", text))
}

fn is_plain(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/plain"))
}
