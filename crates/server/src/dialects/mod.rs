//! Clients of other systems, unmodified: what they ask in their own protocol becomes requests to the API of this server, with the
//! token that they signed in with. So every permission, scope, rule and limit is that of the API, and so is what the log says.
//! A dialect that a tenant has not switched on answers 404.

mod api;
mod servicenow;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use acts::integration::set_dialect::is_enabled;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use connect::schedule::caldav::password;
use jiff::Timestamp;
use model::core::enums::DialectName;
use serde_json::Value;
use store::{Lane, Mode};

use crate::http::authenticate::Asking;
use crate::http::failure::Failure;
use crate::http::handler::plain;
use crate::http::route::query_of;
use crate::http::state::AppState;
use api::{Api, Refused};

/// The longest body, in bytes.
const BODY_MAX_BYTES: usize = 1024 * 1024;

/// A request in the words of a dialect.
struct Asked {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    /// The body; null without one.
    body: Value,
    api: Api,
    /// The address of this server, without a slash at its end.
    base: String,
    now: Timestamp,
}

impl Asked {
    /// The first value of a field of the query; an empty one counts as absent.
    fn query(&self, name: &str) -> Option<&str> {
        let found = self
            .query
            .iter()
            .find(|(field, value)| field == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }
}

/// An answer in the words of a dialect.
struct Answered {
    status: u16,
    body: Value,
    headers: Vec<(&'static str, String)>,
}

impl Answered {
    fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            headers: Vec::new(),
        }
    }
}

/// What the doors share.
#[derive(Clone)]
struct Doors {
    api: Router,
    /// Whether a client was answered since the start. Before that, a wrong credential learns nothing.
    is_known: Arc<AtomicBool>,
}

/// The doors; `api` is the API of this server.
pub(crate) fn router(api: Router) -> Router<AppState> {
    let doors = Doors {
        api,
        is_known: Arc::new(AtomicBool::new(false)),
    };
    let door = move |State(state): State<AppState>, request: Request| {
        let doors = doors.clone();
        async move { serve(&doors, &state, DialectName::Servicenow, request).await }
    };
    Router::new()
        .route("/api/now/{*rest}", any(plain(door.clone())))
        .route("/api/sn_chg_rest/{*rest}", any(plain(door)))
}

async fn serve(doors: &Doors, state: &AppState, dialect: DialectName, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(token) = token(&parts.headers) else {
        return unknown(doors);
    };
    match is_open(state, dialect, &token).await {
        Ok(true) => doors.is_known.store(true, Ordering::Relaxed),
        Ok(false) => return absent(),
        Err(failure) if failure.status() == 401 => return unknown(doors),
        Err(failure) => return failure.into_response(),
    }
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX_BYTES).await else {
        return refused(&Refused::new(413, "too_large", "The body is longer than 1 MiB."));
    };
    let body = match body.is_empty() {
        true => Ok(Value::Null),
        false => serde_json::from_slice(&body),
    };
    let (body, query) = match (body, query_of(&parts.uri)) {
        (Ok(body), Ok(query)) => (body, query),
        (Err(_), _) => return refused(&Refused::new(400, "malformed", "The body is not JSON.")),
        (_, Err(failure)) => return failure.into_response(),
    };
    let asked = Asked {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query,
        body,
        api: Api::new(doors.api.clone(), &token),
        base: state.public_url().trim_end_matches('/').to_owned(),
        now: state.executor().tools().clock.now(),
    };
    match servicenow::answer(&asked).await {
        Ok(answered) => sent(answered),
        Err(why) => refused(&why),
    }
}

/// The token of a client: as bearer, or as the password of HTTP Basic with any user name. No session opens a dialect.
fn token(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    if let Some(token) = password(text) {
        return Some(token);
    }
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Whether the tenant of a token has switched the dialect on.
async fn is_open(state: &AppState, dialect: DialectName, token: &str) -> Result<bool, Failure> {
    let mut headers = HeaderMap::new();
    let bearer = HeaderValue::from_str(&format!("Bearer {token}"));
    let bearer = bearer.map_err(|_| Failure::new(401, "unauthenticated", "The credential cannot be read."))?;
    headers.insert(header::AUTHORIZATION, bearer);
    let asking = Asking::of(state, Lane::Pages, &Method::GET, &headers).await?;
    asking
        .act(state, Lane::Pages, Mode::Read, move |cx| is_enabled(cx, dialect))
        .await
}

/// The answer to a credential that is absent or wrong.
fn unknown(doors: &Doors) -> Response {
    if !doors.is_known.load(Ordering::Relaxed) {
        return absent();
    }
    let text = "Sign in with a token of Assent, as bearer or as the password of HTTP Basic.";
    let mut response = refused(&Refused::new(401, "unauthenticated", text));
    let realm = HeaderValue::from_static("Basic realm=\"Assent\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    response
}

fn absent() -> Response {
    Failure::new(404, "not_found", "There is nothing here.").into_response()
}

fn refused(why: &Refused) -> Response {
    let mut answered = Answered::new(why.status, servicenow::refusal(why));
    if let Some(seconds) = &why.retry_after {
        answered.headers.push(("retry-after", seconds.clone()));
    }
    sent(answered)
}

fn sent(answered: Answered) -> Response {
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(answered.body)).into_response();
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
        assert_eq!(of("Digest ast_x"), None);
        assert_eq!(token(&HeaderMap::new()), None);
    }
}
