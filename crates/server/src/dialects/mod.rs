//! Endpoints for unmodified clients of other systems: each request in their protocol becomes requests to the API of this
//! server, with the token that the client signed in with. So the API's permissions, scopes, rules, limits and log entries
//! apply. A dialect that a tenant has not switched on returns 404.

mod api;
mod gating;
mod jira;
mod kosli;
mod runs;
mod servicenow;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use acts::integration::set_dialect::is_enabled;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use connect::schedule::caldav::password;
use jiff::Timestamp;
use model::core::enums::DialectName;
use serde_json::Value;
use store::{Lane, Mode};

use crate::http::authenticate::GateCaller;
use crate::http::failure::Failure;
use crate::http::handler::plain;
use crate::http::route::query_of;
use crate::http::state::AppState;
use api::{Api, Refused};

/// The longest body, in bytes.
const BODY_MAX_BYTES: usize = 1024 * 1024;
/// The longest file that a client attaches, in bytes.
const FILE_MAX_BYTES: usize = 16 * 1024 * 1024;

/// A request in a dialect's format.
struct DialectRequest {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    /// The body; null without one.
    body: Value,
    /// The body where it is a file.
    file: Option<File>,
    api: Api,
    /// The address of this server, without a slash at its end.
    base: String,
    now: Timestamp,
}

impl DialectRequest {
    /// The first value of a field of the query; an empty one counts as absent.
    fn query(&self, name: &str) -> Option<&str> {
        let found = self
            .query
            .iter()
            .find(|(field, value)| field == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }
}

/// A file that a client sends.
struct File {
    media_type: String,
    bytes: Bytes,
}

/// A response in a dialect's format.
struct DialectResponse {
    status: u16,
    body: Value,
    headers: Vec<(&'static str, String)>,
    /// The response's body where it is a file; it replaces the JSON body.
    bytes: Option<Vec<u8>>,
}

impl DialectResponse {
    fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            headers: Vec::new(),
            bytes: None,
        }
    }
}

/// The state that the endpoints share.
#[derive(Clone)]
struct Doors {
    api: Router,
    /// Whether any client was served since the start. Before that, a wrong credential gets no details.
    is_known: Arc<AtomicBool>,
}

/// The endpoints of all dialects; `api` is the API of this server.
pub(crate) fn router(api: Router) -> Router<AppState> {
    let doors = Doors {
        api,
        is_known: Arc::new(AtomicBool::new(false)),
    };
    let door = |dialect: DialectName| {
        let doors = doors.clone();
        move |State(state): State<AppState>, request: Request| {
            let doors = doors.clone();
            async move { serve(&doors, &state, dialect, request).await }
        }
    };
    let (servicenow, devops, jira, kosli) = (
        door(DialectName::Servicenow),
        door(DialectName::ServicenowDevops),
        door(DialectName::Jira),
        door(DialectName::Kosli),
    );
    let exchange = move |State(state): State<AppState>, request: Request| {
        let doors = doors.clone();
        async move { exchange(&doors, &state, request).await }
    };
    Router::new()
        .route("/api/now/{*rest}", any(plain(servicenow.clone())))
        .route("/api/sn_chg_rest/{*rest}", any(plain(servicenow)))
        .route("/api/sn_devops/{*rest}", any(plain(devops)))
        .route("/rest/deployments/{*rest}", any(plain(jira.clone())))
        .route("/rest/builds/{*rest}", any(plain(jira.clone())))
        .route("/jira/{*rest}", any(plain(jira)))
        .route("/oauth/token", any(plain(exchange)))
        .route("/api/v2/attestations/{*rest}", any(plain(kosli.clone())))
        .route("/api/v2/artifacts/{*rest}", any(plain(kosli.clone())))
        .route("/api/v2/asserts/{*rest}", any(plain(kosli)))
}

async fn serve(doors: &Doors, state: &AppState, dialect: DialectName, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(token) = token(&parts.headers) else {
        return unknown(doors, dialect);
    };
    match is_open(state, dialect, &token).await {
        Ok(true) => doors.is_known.store(true, Ordering::Relaxed),
        Ok(false) => return absent(),
        Err(failure) if failure.status() == 401 => return unknown(doors, dialect),
        Err(failure) => return failure.into_response(),
    }
    let takes_file = dialect == DialectName::Servicenow && servicenow::takes_file(&parts.method, parts.uri.path());
    let most = if takes_file { FILE_MAX_BYTES } else { BODY_MAX_BYTES };
    let Ok(body) = axum::body::to_bytes(body, most).await else {
        let text = format!("The body is longer than {} MiB.", most >> 20);
        return refused(dialect, &Refused::new(413, "too_large", text));
    };
    let file = (takes_file && !body.is_empty()).then(|| File {
        media_type: media_type(&parts.headers),
        bytes: body.clone(),
    });
    let body = match body.is_empty() || takes_file {
        true => Ok(Value::Null),
        false if dialect == DialectName::Kosli && is_of_type(&parts.headers, "multipart/form-data") => {
            kosli::read_form(&parts.headers, body).await
        }
        false => {
            let wrong = |_| Refused::new(400, "malformed", "The body is not JSON.");
            serde_json::from_slice(&body).map_err(wrong)
        }
    };
    let (body, query) = match (body, query_of(&parts.uri)) {
        (Ok(body), Ok(query)) => (body, query),
        (Err(why), _) => return refused(dialect, &why),
        (_, Err(failure)) => return failure.into_response(),
    };
    let asked = DialectRequest {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query,
        body,
        file,
        api: Api::new(doors.api.clone(), &token),
        base: state.public_url().trim_end_matches('/').to_owned(),
        now: state.executor().tools().clock.now(),
    };
    let answered = match dialect {
        DialectName::Servicenow => servicenow::answer(&asked).await,
        DialectName::ServicenowDevops => servicenow::devops::answer(&asked).await,
        DialectName::Jira => jira::answer(&asked).await,
        DialectName::Kosli => kosli::answer(&asked).await,
    };
    match answered {
        Ok(answered) => sent(answered),
        Err(why) => refused(dialect, &why),
    }
}

/// Exchanges the credentials of a client of Jira for a bearer token, which is the client's token of Assent: the bearer token
/// has the same rights.
async fn exchange(doors: &Doors, state: &AppState, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_MAX_BYTES).await.unwrap_or_default();
    let is_form = is_of_type(&parts.headers, "application/x-www-form-urlencoded");
    let credentials = jira::oauth::read(&body, is_form);
    match is_open(state, DialectName::Jira, &credentials.secret).await {
        Ok(true) => doors.is_known.store(true, Ordering::Relaxed),
        Ok(false) => return absent(),
        Err(failure) if failure.status() == 401 && doors.is_known.load(Ordering::Relaxed) => {
            return sent(jira::oauth::denied());
        }
        Err(failure) if failure.status() == 401 => return absent(),
        Err(failure) => return failure.into_response(),
    }
    match parts.method {
        Method::POST => sent(jira::oauth::granted(&credentials)),
        _ => refused(
            DialectName::Jira,
            &Refused::new(405, "method_not_allowed", "Send POST."),
        ),
    }
}

/// Whether a body is of a media type, with any parameters.
fn is_of_type(headers: &HeaderMap, kind: &str) -> bool {
    let found = headers.get(header::CONTENT_TYPE);
    found.is_some_and(|it| it.as_bytes().starts_with(kind.as_bytes()))
}

/// The media type of a file, where it is a plain one; the client's text becomes part of a form's head.
fn media_type(headers: &HeaderMap) -> String {
    let said = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let plain = said.map(|it| it.split(';').next().unwrap_or_default().trim());
    let is_plain = |it: &&str| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "/+-._".contains(c);
        it.contains('/') && it.chars().all(is_word)
    };
    plain.filter(is_plain).unwrap_or("application/octet-stream").to_owned()
}

/// The token of a client: as bearer, as the password of HTTP Basic with any user name, or as a token of ServiceNow DevOps behind
/// the id of a tool. No session opens a dialect.
fn token(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    if let Some(token) = password(text) {
        return Some(token);
    }
    let (scheme, token) = text.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("sn_devops.DevOpsToken") {
        return token.split_once(':').map(|(_, token)| token.trim().to_owned());
    }
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Whether the tenant of a token has switched the dialect on.
async fn is_open(state: &AppState, dialect: DialectName, token: &str) -> Result<bool, Failure> {
    let mut headers = HeaderMap::new();
    let bearer = HeaderValue::from_str(&format!("Bearer {token}"));
    let bearer = bearer.map_err(|_| Failure::new(401, "unauthenticated", "The credential cannot be read."))?;
    headers.insert(header::AUTHORIZATION, bearer);
    let asking = GateCaller::of(state, Lane::Pages, &Method::GET, &headers).await?;
    asking
        .act(state, Lane::Pages, Mode::Read, move |cx| is_enabled(cx, dialect))
        .await
}

/// The response to a missing or wrong credential.
fn unknown(doors: &Doors, dialect: DialectName) -> Response {
    if !doors.is_known.load(Ordering::Relaxed) {
        return absent();
    }
    let text = "Sign in with a token of Assent, as bearer or as the password of HTTP Basic.";
    let mut response = refused(dialect, &Refused::new(401, "unauthenticated", text));
    let realm = HeaderValue::from_static("Basic realm=\"Assent\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    response
}

fn absent() -> Response {
    Failure::new(404, "not_found", "There is nothing here.").into_response()
}

fn refused(dialect: DialectName, why: &Refused) -> Response {
    let mut answered = match dialect {
        DialectName::Servicenow => DialectResponse::new(why.status, servicenow::refusal(why)),
        DialectName::ServicenowDevops => servicenow::devops::refusal(why),
        DialectName::Jira => DialectResponse::new(why.status, jira::refusal(why)),
        DialectName::Kosli => DialectResponse::new(why.status, kosli::refusal(why)),
    };
    if let Some(seconds) = &why.retry_after {
        answered.headers.push(("retry-after", seconds.clone()));
    }
    sent(answered)
}

fn sent(answered: DialectResponse) -> Response {
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match answered.bytes {
        Some(bytes) => (status, bytes).into_response(),
        None => (status, axum::Json(answered.body)).into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in answered.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::token;

    fn of(text: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static(text));
        token(&headers)
    }

    #[test]
    fn a_token_is_a_bearer_or_the_password_of_basic() {
        assert_eq!(of("Bearer ast_x").as_deref(), Some("ast_x"));
        // `any:ast_x`
        assert_eq!(of("Basic YW55OmFzdF94").as_deref(), Some("ast_x"));
        assert_eq!(of("sn_devops.DevOpsToken 5fae:ast_x").as_deref(), Some("ast_x"));
        assert_eq!(of("sn_devops.DevOpsToken ast_x"), None);
        assert_eq!(of("Digest ast_x"), None);
        assert_eq!(token(&HeaderMap::new()), None);
    }
}
