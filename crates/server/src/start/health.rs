//! Liveness and readiness, without a credential; figures and the reasons of readiness for direct connections and for the token of
//! the settings alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use acts::audit::find_lost_tenants::noted_tenants;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use model::change::change_file::Actor;
use serde_json::json;
use store::{Lane, Mode, SYSTEM_TENANT};

use crate::http::clock::tick;
use crate::http::failure::Failure;
use crate::http::state::AppState;
use crate::start::text_format;

/// How long the store may take to respond.
const PATIENCE: Duration = Duration::from_secs(3);

/// Backward steps of a time service below this many seconds are not reported.
const CLOCK_SLACK_SECONDS: i64 = 5;

/// How often the system's log is read for the tenants that it names.
const NOTED_FOR: Duration = Duration::from_secs(60);

/// The tenants that the system's log names, as it was read last.
#[derive(Default)]
struct NotedTenants(Mutex<Option<(Instant, Vec<String>)>>);

impl NotedTenants {
    /// Reads them anew once a minute; while the store is away, those that were read before count.
    async fn names(&self, state: &AppState) -> Vec<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = tick();
        if let Some((read_at, names)) = &known
            && now.saturating_duration_since(*read_at) < NOTED_FOR
        {
            return names.clone();
        }
        let read = state.act_as(Lane::Pages, SYSTEM_TENANT, Actor::system(), Mode::Read, noted_tenants);
        let Ok(Ok(names)) = tokio::time::timeout(PATIENCE, read).await else {
            return known.map(|(_, names)| names).unwrap_or_default();
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, names.clone()));
        names
    }
}

/// `/healthz`, `/readyz`, `/metrics`.
pub(crate) fn router() -> Router<AppState> {
    let noted = Arc::new(NotedTenants::default());
    let ready = move |State(state): State<AppState>, request: Request| {
        let (noted, is_inside) = (noted.clone(), state.is_inside(&request));
        async move {
            let told = ready(&state, &noted).await;
            if is_inside { told } else { outside(told) }
        }
    };
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// The endpoints while the store is being opened.
pub(crate) fn closed() -> Router {
    let not_yet = async || Failure::busy("starting", "The server is starting.").into_response();
    Router::new().route("/healthz", get(alive)).fallback(not_yet)
}

async fn alive() -> Response {
    axum::Json(json!({"status": "alive"})).into_response()
}

/// The response without its reasons, which name tenants, changes and the state of the host.
fn outside(told: Result<Response, Failure>) -> Result<Response, Failure> {
    match told {
        Ok(_) => Ok(axum::Json(json!({"is_ready": true})).into_response()),
        Err(failure) => {
            let what = "The server takes no work now. Its own host, and whoever has the token for its figures, gets the reason.";
            Err(Failure::busy(&failure.problem.code, what))
        }
    }
}

async fn ready(state: &AppState, noted: &NotedTenants) -> Result<Response, Failure> {
    let away = || Failure::busy("unavailable", "The database does not answer.");
    let look = state.across(Lane::Pages, "is the store there", Mode::Read, |tx| {
        Ok(store::servers::tenants(tx)?)
    });
    let Ok(Ok(tenants)) = tokio::time::timeout(PATIENCE, look).await else {
        return Err(away());
    };
    let noted = noted.names(state).await;
    if let Some(lost) = lost_tenant(state, &tenants, noted) {
        let what =
            format!("The rows of the tenant `{lost}` are gone, but its log was seen; `assent doctor` says more.");
        return Err(Failure::busy("tenant_lost", what));
    }
    if let Some((_, why)) = state.executor().services().closed().logs().into_iter().next() {
        let what = format!("Nothing is placed in a log and no permit is given: {why}. `assent doctor` says more.");
        return Err(Failure::busy("log_set_back", what));
    }
    check_writes(state).await?;
    Ok(axum::Json(json!({"is_ready": true, "reasons": reasons(state)})).into_response())
}

/// Writes a row and removes it again, unless something was written recently: a full or read-only disk still serves reads.
async fn check_writes(state: &AppState) -> Result<(), Failure> {
    if !state.proved_writes().is_due(tick()) {
        return Ok(());
    }
    let now = state.executor().tools().recorder.now();
    let write = state.across(Lane::Acts, "can anything be written", Mode::Write, move |tx| {
        Ok(store::servers::prove_writes(tx, now)?)
    });
    match tokio::time::timeout(PATIENCE, write).await {
        Ok(Ok(())) => {
            state.proved_writes().note(tick());
            Ok(())
        }
        _ => Err(Failure::busy(
            "writes_fail",
            "Nothing can be written to the database; reads are answered.",
        )),
    }
}

/// A tenant whose log is known to this server or to the system's log, and whose rows are missing.
fn lost_tenant(state: &AppState, tenants: &[String], noted: Vec<String>) -> Option<String> {
    let seen = state.executor().tools().seen_logs.tenants();
    let is_lost = |tenant: &String| tenant != SYSTEM_TENANT && !tenants.contains(tenant);
    seen.into_iter().chain(noted).find(is_lost)
}

/// Problems that need attention although the server works.
fn reasons(state: &AppState) -> Vec<String> {
    let services = state.executor().services();
    let mut reasons = Vec::new();
    let behind = services.set_back();
    if behind.as_secs() >= CLOCK_SLACK_SECONDS {
        reasons.push(format!(
            "The clock was set back by {} seconds. Tokens, sessions and delegations that had ended stay ended. Set the clock \
             right; if it was ahead before, stop the server and move `seen-clock` out of the data folder.",
            behind.as_secs()
        ));
    }
    if let (count, Some((tenant, change, what))) = services.closed().changes() {
        reasons.push(format!(
            "The log does not give what {count} changes were let through for; the gate is closed for them. The first is {change} \
             of {tenant}: {what} `assent audit replay` says more."
        ));
    }
    reasons
}

async fn metrics(State(state): State<AppState>, request: Request) -> Response {
    if !state.is_inside(&request) {
        let text = "Figures are for direct connections from `metrics_from`, and for the bearer of `metrics_token`.";
        return Failure::new(401, "unauthenticated", text).into_response();
    }
    for lane in Lane::ALL {
        state
            .metrics()
            .note_lane(lane.name(), state.executor().tools().store.waiting(lane));
    }
    state.metrics().note_copy_lag(state.executor().tools().recorder.now());
    let told = state.metrics().text();
    if text_format::is_wanted(request.headers()) {
        return (
            [(header::CONTENT_TYPE, text_format::KIND), (header::VARY, "accept")],
            text_format::text_format(&told),
        )
            .into_response();
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind), (header::VARY, "accept")], told).into_response()
}
