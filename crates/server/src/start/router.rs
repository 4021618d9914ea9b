//! All endpoints in one router, and their common parts: an id, a limit, a log line, security headers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{self, HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use connect::integration::traces::{Begun, SpanKind, left_behind};
use serde_json::json;
use tokio::sync::Semaphore;
use tower::ServiceExt;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::http::address::{holds_null, is_page, null_refused};
use crate::http::clock;
use crate::http::concurrency_limit::Turn;
use crate::http::failure::Failure;
use crate::http::request_id::{REQUEST, TRACE};
use crate::http::source::{SOURCE, Source};
use crate::http::state::{AppState, answer_in_time};
use crate::identity::{scim, workloads};
use crate::integration::hooks;
use crate::start::health;
use crate::{api, dialects, gateway, schedule, web};

/// How many requests run at once; further ones get a “retry later”.
const AT_ONCE: usize = 1_024;
/// How many gate requests may run besides: pipelines wait for them, so they are shed last.
const GATE_AT_ONCE: usize = 2_048;
/// A line is written for a request that took longer.
const SLOW: Duration = Duration::from_secs(1);

/// Marks a response that was held back until an event or the end of the caller's wait: its duration does not measure the
/// server.
#[derive(Clone, Copy)]
pub(crate) struct Waited;

/// The resources that pages may load: their own files and nothing else.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Clone)]
struct Turns {
    state: AppState,
    others: Arc<Semaphore>,
    gate: Arc<Semaphore>,
}

/// All endpoints, preceded by the fast path for gate requests that the cache can serve.
#[derive(Clone)]
pub(crate) struct Doors {
    router: Router,
    state: Option<AppState>,
}

impl Doors {
    /// The endpoints while the store is being opened.
    pub(crate) fn closed() -> Self {
        Self::only(health::closed())
    }

    /// The whole server.
    pub(crate) fn open(state: AppState) -> Self {
        Self {
            router: router(state.clone()),
            state: Some(state),
        }
    }

    /// Only these endpoints.
    pub(crate) fn only(router: Router) -> Self {
        Self { router, state: None }
    }

    /// Serves the most frequent request, the gate's, when nothing has to be waited for. This path needs no turn and none of the
    /// layers before the other endpoints.
    pub(crate) fn answer_at_once<B>(&self, request: &http::Request<B>) -> Option<Response> {
        let state = self.state.as_ref()?;
        let began = clock::tick();
        let begun = begin_span(state, request.headers());
        let answer = || api::gate::questions::at_once(state, request.method(), request.uri(), request.headers());
        // After a panic here the request takes the usual path, which reports the failure.
        let mut response = catch_unwind(AssertUnwindSafe(answer)).ok()??;
        let id = request_id(state, request.headers());
        finish(
            state,
            began,
            &id,
            request.method(),
            api::gate::questions::GATE,
            &mut response,
        );
        end_span(
            state,
            begun,
            &id,
            (request.method(), api::gate::questions::GATE),
            &response,
        );
        Some(response)
    }

    /// Answers a request.
    pub(crate) async fn answer(self, mut request: Request) -> Response {
        if let Some(uri) = scim::neat(request.uri()).or_else(|| api::report::exports::as_file(&request)) {
            *request.uri_mut() = uri;
        }
        match self.router.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Counts a response, and gives it the usual headers.
fn finish(state: &AppState, began: Instant, id: &str, method: &Method, route: &str, response: &mut Response) {
    let took = clock::tick().saturating_duration_since(began);
    let status = response.status().as_u16();
    let has_waited = response.extensions().get::<Waited>().is_some();
    let worked = (!has_waited).then_some(took);
    state.metrics().note_answer(route, method.as_str(), status, worked);
    let (ms, method) = (took.as_millis() as u64, method.as_str());
    if worked.is_some_and(|worked| worked > SLOW) || status >= 500 {
        tracing::warn!(id, method, route, status, ms, "answered")
    } else {
        tracing::debug!(id, method, route, status, ms, "answered")
    }
    finish_headers(response.headers_mut(), id, state.is_secure());
}

/// The endpoints as one service.
fn router(state: AppState) -> Router {
    let turns = Turns {
        state: state.clone(),
        others: Arc::new(Semaphore::new(AT_ONCE)),
        gate: Arc::new(Semaphore::new(GATE_AT_ONCE)),
    };
    let talkative = Router::new()
        .merge(api::router())
        .merge(scim::router())
        .merge(workloads::router())
        .merge(schedule::router())
        .merge(dialects::router(
            api::router().merge(api::brief()).with_state(state.clone()),
        ))
        .merge(health::router())
        .merge(web::routes(&state))
        // Compressing a long list blocks other requests of this thread, so the fastest level is used.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest));
    // Frequent requests of machines get short responses, on which compression would be wasted.
    let brief = Router::new()
        .merge(api::brief())
        .merge(hooks::router())
        .merge(gateway::routes());
    talkative
        .merge(brief)
        .fallback(absent)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(turns, attend))
        .with_state(state)
}

async fn absent() -> Response {
    Failure::new(404, "not_found", "There is nothing here.").into_response()
}

async fn wrong_method() -> Response {
    Failure::new(405, "method_not_allowed", "This address does not take this method.").into_response()
}

fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    // The hook has logged the panic's own text, which may contain data that a caller must not see.
    Failure::fault(&"a request panicked").into_response()
}

/// Gives a request its id and its turn, and its response the usual headers.
async fn attend(State(turns): State<Turns>, request: Request, next: Next) -> Response {
    let began = clock::tick();
    let id = request_id(&turns.state, request.headers());
    let (begun, trace) = begin_traced(&turns.state, request.headers());
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("none", MatchedPath::as_str);
    // A page's address is refused by a page, see `web`.
    let mut response = if holds_null(request.uri()) && !is_page(request.uri().path()) {
        null_refused().into_response()
    } else {
        let source = request.extensions().get::<Source>().map(|it| it.0.clone());
        let answer = SOURCE.scope(
            source.unwrap_or_default(),
            answer_in_time(route, take_turn(&turns, route, request, next)),
        );
        REQUEST.scope(id.clone(), TRACE.scope(trace, answer)).await
    };
    finish(&turns.state, began, &id, &method, route, &mut response);
    end_span(&turns.state, begun, &id, (&method, route), &response);
    response
}

/// The trace of a request's caller, from the `traceparent` header.
fn given_trace(headers: &HeaderMap) -> Option<&str> {
    headers.get("traceparent").and_then(|value| value.to_str().ok())
}

/// Begins the span of a request, which goes on with the trace of its caller.
fn begin_span(state: &AppState, headers: &HeaderMap) -> Option<Begun> {
    state.begin_span(given_trace(headers))
}

/// The same, with the `traceparent` that is kept with what the request leaves for later.
fn begin_traced(state: &AppState, headers: &HeaderMap) -> (Option<Begun>, Option<String>) {
    let begun = begin_span(state, headers);
    let left = state
        .traces()
        .and_then(|_| left_behind(begun.as_ref(), given_trace(headers)));
    (begun, left)
}

/// Ends the span of a request. The span names the route and not the address, which contains keys of a tenant.
fn end_span(state: &AppState, begun: Option<Begun>, id: &str, (method, route): (&Method, &str), response: &Response) {
    if begun.is_none() {
        return;
    }
    let (method, status) = (method.as_str(), response.status().as_u16());
    let attributes = vec![
        ("http.request.method", json!(method)),
        ("http.route", json!(route)),
        ("http.response.status_code", json!(status)),
        ("assent.request_id", json!(id)),
    ];
    let what = (SpanKind::Server, format!("{method} {route}"));
    state.end_span(begun, what, attributes, status >= 500);
}

fn request_id(state: &AppState, headers: &HeaderMap) -> String {
    let given = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    let is_plain = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    if let Some(id) = given.filter(is_plain) {
        return id.to_owned();
    }
    state
        .executor()
        .new_id(state.executor().tools().recorder.now())
        .unwrap_or_default()
}

/// Streams and waiting checks hold no thread, so they need no turn.
async fn take_turn(turns: &Turns, route: &str, request: Request, next: Next) -> Response {
    if matches!(
        route,
        "/api/v1/stream" | "/t/{tenant}/live" | "/api/v1/gate-checks/{id}" | "/healthz" | "/readyz"
    ) {
        return next.run(request).await;
    }
    let is_gate = route.starts_with("/gateway/")
        || route == "/envoy.service.auth.v3.Authorization/Check"
        || route.ends_with("/gate")
        || route.ends_with("/gate-checks")
        || route.ends_with("/permit");
    let queue = if is_gate { &turns.gate } else { &turns.others };
    let Some(turn) = Turn::take(queue) else {
        return Failure::busy("overloaded", "The server has too much to do. Ask again soon.").into_response();
    };
    let response = next.run(turn.watch(request)).await;
    turn.end();
    response
}

fn finish_headers(headers: &mut HeaderMap, id: &str, is_secure: bool) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", value);
    }
    let mut usual = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    usual(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY);
    usual(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    usual(header::REFERRER_POLICY, "same-origin");
    usual(header::X_FRAME_OPTIONS, "DENY");
    usual(header::CACHE_CONTROL, "no-store");
    usual(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if is_secure {
        usual(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}
