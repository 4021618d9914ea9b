//! Sessions for the command line and for scripts that sign in as a person; and passwords.

use acts::Context;
use acts::directory::set_person;
use axum::Router;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::core::parse::{LINE, Reading};
use model::core::refusal;
use serde_json::json;
use store::{Lane, Mode};

use crate::http::address::BASE;
use crate::http::attempts;
use crate::http::authenticate::check_site;
use crate::http::body::JsonBody;
use crate::http::caller::{self, Caller};
use crate::http::failure::Failure;
use crate::http::handler::{get, plain, post};
use crate::http::route::Places;
use crate::http::source::Source;
use crate::http::state::AppState;
use crate::identity::sign_in::{self, Origin, Shown};
use crate::identity::{other_tenants, password};

/// Signing in, the fresh factor, signing out, passwords.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route(&format!("{BASE}/session"), post(begin).delete(plain(end)))
        .route(&format!("{BASE}/session/tenants"), get(tenants))
        .route(&format!("{BASE}/session/step-up"), post(step_up))
        .route(
            &format!("{BASE}/people/{{login}}/password"),
            post(set_password).put(set_password),
        )
}

fn refused(refusal: refusal::Refusal) -> Failure {
    Failure::from(acts::Error::from(refusal))
}

async fn begin(
    State(state): State<AppState>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Failure> {
    // Without a cookie no session can be misused, but another site must not sign a visitor in as another person.
    if headers.contains_key("sec-fetch-site") || headers.contains_key("origin") {
        check_site(&state, &headers)?;
    }
    let mut reading = Reading::new(&body.fields, "");
    let tenant = reading.needed("tenant", LINE);
    let login = reading.needed("login", LINE);
    let password = reading.needed("password", password::LONGEST_BYTES);
    reading.finish().map_err(refused)?;
    let origin = Origin::of(&source, &headers);
    let session = sign_in::sign_in(&state, &origin, &tenant, &login, &password).await?;
    let view =
        json!({"tenant": session.tenant, "login": login.trim().to_lowercase(), "expires_at": session.expires_at});
    let told = (
        StatusCode::CREATED,
        [(header::SET_COOKIE, session.cookie)],
        axum::Json(view),
    );
    let mut response = told.into_response();
    let device = session
        .device
        .as_deref()
        .and_then(|device| HeaderValue::from_str(device).ok());
    if let Some(device) = device {
        response.headers_mut().append(header::SET_COOKIE, device);
    }
    Ok(response)
}

async fn step_up(State(state): State<AppState>, caller: Caller, body: JsonBody) -> Result<Response, Failure> {
    let mut reading = Reading::new(&body.fields, "");
    let password = reading.text("password", password::LONGEST_BYTES);
    let code = reading.text("code", LINE);
    let recovery = reading.text("recovery_code", LINE);
    if [&password, &code, &recovery].into_iter().flatten().count() != 1 {
        let text = "Send one of `password`, `code` and `recovery_code`.";
        reading.wrong("password", "missing", text);
    }
    reading.finish().map_err(refused)?;
    let shown = match (password, code, recovery) {
        (Some(password), ..) => Shown::Password(password),
        (_, Some(code), _) => Shown::Code(code),
        (.., recovery) => Shown::Recovery(recovery.unwrap_or_default()),
    };
    let factor = sign_in::step_up(&state, &caller, shown).await?;
    let view = json!({"stepped_up": true, "factor": factor.kind, "is_second_factor": factor.is_second});
    Ok((StatusCode::CREATED, axum::Json(view)).into_response())
}

/// The tenants that know the caller, each with its sign-in address.
async fn tenants(State(state): State<AppState>, caller: Caller) -> Result<Response, Failure> {
    let found = other_tenants::known_in(&state, &caller).await?;
    let items: Vec<serde_json::Value> = found
        .iter()
        .map(|it| json!({"tenant": it.tenant, "name": it.name, "is_acting": it.is_acting, "door": it.door()}))
        .collect();
    Ok((StatusCode::OK, axum::Json(json!({"items": items, "next": null}))).into_response())
}

async fn end(State(state): State<AppState>, caller: Caller) -> Result<Response, Failure> {
    let cookie = sign_in::end_session(&state, &caller).await?;
    Ok((
        StatusCode::OK,
        [(header::SET_COOKIE, cookie)],
        axum::Json(json!({"ended": true})),
    )
        .into_response())
}

async fn set_password(
    State(state): State<AppState>,
    caller: Caller,
    mut places: Places,
    method: Method,
    body: JsonBody,
) -> Result<Response, Failure> {
    let login = places.take(0);
    let mut reading = Reading::new(&body.fields, "");
    let password = reading.needed("password", password::LONGEST_BYTES);
    reading.finish().map_err(refused)?;
    let phc = sign_in::hash_password(&state, &password).await?;
    let scope = caller.clone();
    let act = move |cx: &mut Context<'_, '_>| {
        scope.check_scope(caller::Scope::Admin)?;
        set_person::set_password(cx, &login, &phc)
    };
    state.act(Lane::Acts, &caller, Mode::Write, act).await?;
    attempts::note_scope_use(&state, &caller, caller::Scope::Admin);
    let status = if method == Method::POST {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, axum::Json(json!({"set": true}))).into_response())
}
