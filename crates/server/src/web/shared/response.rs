//! The form of a response: a page, or a redirect to another one.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use crate::http::percent::{escaped, segment};

/// Where the files of the pages are served.
pub(crate) const ASSETS: &str = "/assets";

/// The base address of a tenant's pages. The tenant part of a request may be any text, and becomes part of another address.
pub(crate) fn base(tenant: &str) -> String {
    format!("/t/{}", segment(tenant))
}

/// Redirects a reader to the sign-in page, and remembers the requested page.
pub(crate) fn to_sign_in(tenant: &str, wanted: &str) -> Response {
    let next = if wanted.is_empty() {
        String::new()
    } else {
        format!("?next={}", escaped(wanted))
    };
    Redirect::to(&format!("{}/sign-in{next}", base(tenant))).into_response()
}

/// A safe return address within this server: a path, nothing else.
pub(crate) fn safe_next<'a>(next: &'a str, otherwise: &'a str) -> &'a str {
    let is_path = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    if is_path && next.chars().all(|c| c.is_ascii_graphic()) {
        next
    } else {
        otherwise
    }
}

/// A page on its way out.
pub(crate) fn html(status: u16, page: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, pages::CONTENT_SECURITY_POLICY);
    set(header::CACHE_CONTROL, "no-store");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    response
}

/// Sends the reader on after a form was taken.
pub(crate) fn see(path: &str) -> Response {
    Redirect::to(path).into_response()
}
