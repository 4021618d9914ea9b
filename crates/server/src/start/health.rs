//! Whether it lives, whether it is ready, and its figures: all without a credential.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use store::{Lane, Mode, SYSTEM_TENANT};

use crate::http::failure::Failure;
use crate::http::state::AppState;

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Steps of a time service back by less than this are not told, in seconds.
const CLOCK_SLACK_SECONDS: i64 = 5;

/// `/healthz`, `/readyz`, `/metrics`.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// The doors while the house is being opened.
pub(crate) fn closed() -> Router {
    let not_yet = async || Failure::busy("starting", "The server is starting.").into_response();
    Router::new().route("/healthz", get(alive)).fallback(not_yet)
}

async fn alive() -> Response {
    axum::Json(json!({"status": "alive"})).into_response()
}

async fn ready(State(state): State<AppState>) -> Result<Response, Failure> {
    let away = || Failure::busy("unavailable", "The database does not answer.");
    let look = state.across(Lane::Pages, "is the store there", Mode::Read, |tx| {
        Ok(store::servers::tenants(tx)?)
    });
    let Ok(Ok(tenants)) = tokio::time::timeout(PATIENCE, look).await else {
        return Err(away());
    };
    if let Some(lost) = lost_tenant(&state, &tenants) {
        let what =
            format!("The rows of the tenant `{lost}` are gone, but its log was seen; `assent doctor` says more.");
        return Err(Failure::busy("tenant_lost", what));
    }
    Ok(axum::Json(json!({"is_ready": true, "reasons": reasons(&state)})).into_response())
}

/// A tenant whose log this server saw and whose rows are gone.
fn lost_tenant(state: &AppState, tenants: &[String]) -> Option<String> {
    let seen = state.executor().tools().seen_logs.tenants();
    let is_lost = |tenant: &String| tenant != SYSTEM_TENANT && !tenants.contains(tenant);
    seen.into_iter().find(is_lost)
}

/// What people should see to although the server answers.
fn reasons(state: &AppState) -> Vec<String> {
    let behind = state.executor().services().set_back();
    if behind.as_secs() < CLOCK_SLACK_SECONDS {
        return Vec::new();
    }
    vec![format!(
        "The clock was set back by {} seconds. Tokens, sessions and delegations that had ended stay ended. Set the clock right; \
         if it was ahead before, stop the server and move `seen-clock` out of the data folder.",
        behind.as_secs()
    )]
}

async fn metrics(State(state): State<AppState>) -> Response {
    for lane in Lane::ALL {
        state
            .metrics()
            .note_lane(lane.name(), state.executor().tools().store.waiting(lane));
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], state.metrics().text()).into_response()
}
