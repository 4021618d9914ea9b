//! Style sheets, script and icon: built in, kept by browsers for a year under an address that changes with the bytes.

use axum::extract::{Path, Query};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The version in the address of an asset.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Version {
    v: Option<String>,
}

/// Serves one asset; with the present version in its address a browser can cache it for ever.
pub(crate) async fn serve(Path(name): Path<String>, Query(version): Query<Version>, headers: HeaderMap) -> Response {
    let Some(asset) = pages::assets::get(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let is_present = version.v.as_deref() == Some(asset.etag.trim_matches('"'));
    let keep = if is_present {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = match known {
        Some(known) if known.contains(asset.etag) => StatusCode::NOT_MODIFIED.into_response(),
        _ => asset.bytes.into_response(),
    };
    let mut set = |name, value| {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_TYPE, asset.content_type);
    set(header::ETAG, asset.etag);
    set(header::CACHE_CONTROL, keep);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}
