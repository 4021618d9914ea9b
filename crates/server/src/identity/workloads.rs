//! The token exchange for jobs of pipelines: a job presents its platform's token and gets a token of ours, valid for some
//! minutes (OAuth 2.0 Token Exchange, RFC 8693). Requests and refusals have OAuth's format (RFC 6749 section 5.2).

use acts::Context;
use acts::identity::set_workload::{NewEntry, Shown, enter, trusting};
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Router};
use connect::identity::workload::{self, Keys, Verified};
use model::change::change_file::Actor;
use model::integration::workload::Workload;
use serde_json::json;
use store::{Lane, Mode};

use crate::http::attempts;
use crate::http::authenticate::ends_by;
use crate::http::body::{FORM_LIMIT, buffered};
use crate::http::failure::Failure;
use crate::http::handler::post;
use crate::http::state::AppState;
use crate::identity::providers;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The token types that may be exchanged.
const SUBJECTS: &[&str] = &[
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:id_token",
];

/// The routes.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route("/t/{tenant}/token", post(exchange))
}

/// A refusal in OAuth's format.
struct No(Failure, &'static str);

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let Self(failure, error) = self;
        let status = match failure.status() {
            401 | 403 | 404 | 422 => 400,
            other => other,
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        let problem = &failure.problem;
        let body = json!({"error": error, "error_description": problem.detail, "code": problem.code});
        let mut response = (status, axum::Json(body)).into_response();
        if let Some(seconds) = failure.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Failure> for No {
    fn from(failure: Failure) -> Self {
        let error = match failure.status() {
            429 | 502 | 503 | 500 => "temporarily_unavailable",
            _ => "invalid_grant",
        };
        Self(failure, error)
    }
}

fn malformed(text: &str) -> No {
    No(Failure::new(400, "malformed", text), "invalid_request")
}

async fn exchange(State(state): State<AppState>, Path(tenant): Path<String>, request: Request) -> Result<Response, No> {
    let request = buffered(&state, request, FORM_LIMIT).await?;
    let token = subject_token(Form::from_request(request, &state).await)?;
    let entry = let_in(&state, &tenant, &token).await?;
    Ok(token_response(&entry, state.executor().tools().clock.now()))
}

/// The token in the request's form.
fn subject_token(form: Result<Form<Vec<(String, String)>>, FormRejection>) -> Result<String, No> {
    let unreadable = |_| malformed("Send a form (application/x-www-form-urlencoded).");
    let Form(pairs) = form.map_err(unreadable)?;
    let one = |name: &str| {
        let mut found = pairs
            .iter()
            .filter(|(field, _)| field == name)
            .map(|(_, value)| value.as_str());
        match (found.next(), found.next()) {
            (Some(value), None) if !value.is_empty() => Ok(value.to_owned()),
            _ => Err(malformed(&format!("Send `{name}`, once."))),
        }
    };
    if one("grant_type")? != GRANT {
        let failure = Failure::new(400, "malformed", format!("The only grant is `{GRANT}`."));
        return Err(No(failure, "unsupported_grant_type"));
    }
    if !SUBJECTS.contains(&one("subject_token_type")?.as_str()) {
        return Err(malformed(&format!(
            "`subject_token_type` is one of: {}.",
            SUBJECTS.join(", ")
        )));
    }
    one("subject_token")
}

async fn let_in(state: &AppState, tenant: &str, token: &str) -> Result<NewEntry, Failure> {
    let nobody = || Failure::new(403, "not_trusted", "Nobody here trusts a token of this issuer.");
    store::check_tenant(tenant).map_err(|_| nobody())?;
    let issuer =
        workload::issuer_of(token).ok_or_else(|| Failure::new(403, "bad_token", "This is no token of a platform."))?;
    let asked = issuer.clone();
    let find = move |cx: &mut Context<'_, '_>| trusting(cx, &asked);
    let found = state
        .act_as(Lane::Pages, tenant, Actor::system(), Mode::Read, find)
        .await;
    // An unknown tenant and one without trusted workloads get the same response.
    let found: Vec<Workload> = found.unwrap_or_default();
    if found.is_empty() {
        return Err(nobody());
    }
    let (key, told) = match verified(state, &issuer, token, &found).await {
        Ok(known) => known,
        Err(failure) => {
            attempts::note_workload(state, tenant, &found[0], &failure).await;
            return Err(failure);
        }
    };
    let wanted = key.clone();
    let shown = std::sync::Arc::new(Shown {
        claims: told.claims,
        once: told.once,
        expires_at: told.expires_at,
    });
    let write = move |cx: &mut Context<'_, '_>| enter(cx, &wanted, &shown);
    let entered = state
        .act_as(Lane::Acts, tenant, Actor::system(), Mode::Write, write)
        .await;
    if let Err(failure) = &entered {
        let refusing = found.iter().find(|it| it.key == key).unwrap_or(&found[0]);
        attempts::note_workload(state, tenant, refusing, failure).await;
    }
    entered
}

/// The workload that trusts a token, by its key, and the token's claims. Where none does, the first that the token was meant
/// for, so that its refusal names the claim.
async fn verified(
    state: &AppState,
    issuer: &str,
    token: &str,
    found: &[Workload],
) -> Result<(String, Verified), Failure> {
    // Expired tokens are forgotten, so after the clock is set back such a token would be accepted a second time. This clock
    // never goes back.
    let now = ends_by(state);
    let keys = providers::workload_keys(state, issuer, false).await?;
    let mut told = check(token, &keys, issuer, found, now);
    if told
        .as_ref()
        .is_err_and(|failure| failure.problem.code == "wrong_signature")
    {
        // The platform may have taken a new key into use since its keys were read.
        let fresh = providers::workload_keys(state, issuer, true).await?;
        told = check(token, &fresh, issuer, found, now);
    }
    told
}

fn check(
    token: &str,
    keys: &Keys,
    issuer: &str,
    found: &[Workload],
    now: jiff::Timestamp,
) -> Result<(String, Verified), Failure> {
    let mut first: Option<(String, Verified)> = None;
    let mut refusal = None;
    for one in found {
        match workload::verify(token, keys, (issuer, &one.meant_for), now) {
            Ok(told) if one.misfit(&told.claims).is_none() => return Ok((one.key.clone(), told)),
            Ok(told) => first = first.or(Some((one.key.clone(), told))),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    match (first, refusal) {
        (Some(first), _) => Ok(first),
        (None, Some(error)) => Err(Failure::new(403, error.code, error.text)),
        (None, None) => Err(Failure::new(403, "not_trusted", "Nobody here trusts this token.")),
    }
}

fn token_response(entry: &NewEntry, now: jiff::Timestamp) -> Response {
    let scopes: Vec<&str> = entry.workload.scopes.iter().map(String::as_str).collect();
    let body = json!({
        "access_token": entry.secret, "issued_token_type": ACCESS, "token_type": "Bearer",
        "expires_in": entry.expires_at.duration_since(now).as_secs(), "scope": scopes.join(" "),
    });
    let mut response = (StatusCode::OK, axum::Json(body)).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
