//! The API's own description: OpenAPI 3.1, and a page to read it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::Html;

use crate::http::handler::get;
use crate::http::state::AppState;

/// The path of the document.
const DOCUMENT: &str = "/api/openapi.json";

/// The document and its page.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route(DOCUMENT, get(document)).route("/api", get(page))
}

async fn document(State(state): State<AppState>) -> ([(HeaderName, &'static str); 1], Bytes) {
    ([(header::CONTENT_TYPE, "application/json")], state.description())
}

async fn page(State(state): State<AppState>) -> Html<String> {
    Html(pages::ApiPage::new(&wire::openapi::document(state.public_url()), DOCUMENT, "/assets").render())
}
