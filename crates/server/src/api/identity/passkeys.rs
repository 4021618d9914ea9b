//! Passkeys for scripts and for other clients than the pages: each ceremony is a challenge and its response.

use acts::identity::set_passkey::Begun;
use axum::Router;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::core::parse::{LINE, Reading};
use model::core::refusal;
use serde_json::json;

use crate::http::address::BASE;
use crate::http::authenticate::check_site;
use crate::http::body::JsonBody;
use crate::http::caller::Caller;
use crate::http::failure::Failure;
use crate::http::handler::post;
use crate::http::route::Places;
use crate::http::source::Source;
use crate::http::state::AppState;
use crate::identity::passkeys;
use crate::identity::sign_in::Origin;

/// Adding a passkey, showing it as fresh factor, signing in with it.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route(&format!("{BASE}/second-factors/passkeys"), post(begin_adding))
        .route(
            &format!("{BASE}/second-factors/passkeys/{{id}}/confirmation"),
            post(finish_adding),
        )
        .route(&format!("{BASE}/session/step-up/passkey"), post(begin_step_up))
        .route(&format!("{BASE}/session/step-up/passkey/{{id}}"), post(step_up))
        .route(&format!("{BASE}/session/passkey"), post(begin_sign_in))
        .route(&format!("{BASE}/session/passkey/{{id}}"), post(sign_in))
}

fn refused(refusal: refusal::Refusal) -> Failure {
    Failure::from(acts::Error::from(refusal))
}

fn begun(begun: Begun) -> Response {
    let view = json!({"id": begun.id, "options": begun.options});
    (StatusCode::CREATED, axum::Json(view)).into_response()
}

/// The authenticator's response in the browser's format, with the other fields of the request.
fn answer_of(body: &JsonBody, tenant: Option<&mut String>) -> Result<Vec<u8>, Failure> {
    let mut reading = Reading::new(&body.fields, "");
    let answer = reading.value("response").cloned();
    if !answer.as_ref().is_some_and(serde_json::Value::is_object) {
        let text = "`response` is what the browser's credential says as JSON.";
        reading.wrong("response", "missing", text);
    }
    if let Some(tenant) = tenant {
        *tenant = reading.needed("tenant", LINE);
    }
    reading.finish().map_err(refused)?;
    Ok(answer.map(|it| it.to_string().into_bytes()).unwrap_or_default())
}

async fn begin_adding(State(state): State<AppState>, caller: Caller, body: JsonBody) -> Result<Response, Failure> {
    let made = passkeys::begin_adding(&state, &caller, body.fields).await?;
    Ok(begun(made))
}

async fn finish_adding(
    State(state): State<AppState>,
    caller: Caller,
    mut places: Places,
    body: JsonBody,
) -> Result<Response, Failure> {
    let answer = answer_of(&body, None)?;
    let codes = passkeys::finish_adding(&state, &caller, places.take(0), answer).await?;
    Ok((StatusCode::CREATED, axum::Json(json!({"recovery_codes": codes}))).into_response())
}

async fn begin_step_up(State(state): State<AppState>, caller: Caller, _body: JsonBody) -> Result<Response, Failure> {
    let made = passkeys::begin_step_up(&state, &caller).await?;
    Ok(begun(made))
}

async fn step_up(
    State(state): State<AppState>,
    caller: Caller,
    mut places: Places,
    body: JsonBody,
) -> Result<Response, Failure> {
    let answer = answer_of(&body, None)?;
    let factor = passkeys::step_up(&state, &caller, places.take(0), answer).await?;
    let view = json!({"stepped_up": true, "factor": factor.kind, "is_second_factor": factor.is_second});
    Ok((StatusCode::CREATED, axum::Json(view)).into_response())
}

/// Another site must not sign a visitor in as another person.
fn check_door(state: &AppState, headers: &HeaderMap) -> Result<(), Failure> {
    if headers.contains_key("sec-fetch-site") || headers.contains_key("origin") {
        check_site(state, headers)?;
    }
    Ok(())
}

async fn begin_sign_in(State(state): State<AppState>, headers: HeaderMap, body: JsonBody) -> Result<Response, Failure> {
    check_door(&state, &headers)?;
    let mut reading = Reading::new(&body.fields, "");
    let tenant = reading.needed("tenant", LINE);
    reading.finish().map_err(refused)?;
    let made = passkeys::begin_sign_in(&state, &tenant).await?;
    Ok(begun(made))
}

async fn sign_in(
    State(state): State<AppState>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
    mut places: Places,
    body: JsonBody,
) -> Result<Response, Failure> {
    check_door(&state, &headers)?;
    let mut tenant = String::new();
    let answer = answer_of(&body, Some(&mut tenant))?;
    let origin = Origin::of(&source, &headers);
    let session = passkeys::sign_in(&state, &origin, &tenant, (places.take(0), answer)).await?;
    let view = json!({"tenant": session.tenant, "expires_at": session.expires_at});
    Ok((
        StatusCode::CREATED,
        [(header::SET_COOKIE, session.cookie)],
        axum::Json(view),
    )
        .into_response())
}
