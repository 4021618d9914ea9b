//! The API's own description: OpenAPI 3.1, and a page to read it.

use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;
use serde_json::Value;

use crate::state::AppState;

/// Where the document stands.
const DOCUMENT: &str = "/api/openapi.json";

/// The document and its page.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route(DOCUMENT, get(document)).route("/api", get(page))
}

async fn document(State(state): State<AppState>) -> axum::Json<Value> {
    axum::Json(wire::openapi::document(state.public_url()))
}

async fn page(State(state): State<AppState>) -> Html<String> {
    Html(pages::ApiPage::new(&wire::openapi::document(state.public_url()), DOCUMENT, "/assets").render())
}
