//! One table row per route: its path, its scope, its act. One handler does the common work of all endpoints.

mod agents;
mod paging;
mod row;

use std::sync::Arc;

use acts::Context;
use acts::gate::answer;
use axum::Router;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::on;
use model::change::record;
use model::core::body::Body;
use model::core::ids::RecordId;
use model::core::refusal::Refusal;
use model::core::{act, parse};
use serde_json::{Map, Value, json};
use store::idempotency::{self, RequestKey, SavedAnswer};
use store::{Lane, Mode};
use wire::problem::IF_MATCH_NEEDED;

use crate::http::address::BASE;
use crate::http::authenticate::GateCaller;
use crate::http::body::JsonBody;
use crate::http::caller::{Caller, Scope};
use crate::http::failure::Failure;
use crate::http::percent::is_utf8;
use crate::http::state::AppState;
use crate::http::{attempts, outside_mask, query_words, scoped};

pub(crate) use row::{Before, Route};

/// The longest idempotency key, in characters.
const KEY_LIMIT: usize = 200;

/// The parts of a request that acts may see.
pub(crate) struct Ask {
    /// The values of the path's places, in order.
    pub places: Vec<String>,
    /// The query.
    pub query: Vec<(String, String)>,
    /// The body's fields.
    pub body: Body,
    path: String,
    if_match: Option<String>,
    /// Whether the caller wants something new alone: `If-None-Match: *`.
    wants_new: bool,
}

impl Ask {
    /// Refuses to set an existing record where the caller wants a new one only. A caller who may not set it at all gets that
    /// refusal first.
    ///
    /// # Errors
    /// The act's own 403 and 404; 412.
    pub(crate) fn check_wants_known<T>(&self, made: &acts::Result<T>) -> acts::Result<()> {
        let is_first = matches!(
            made,
            Err(acts::Error::Refused(
                Refusal::NotFound { .. } | Refusal::NotAllowed { .. }
            ))
        );
        if is_first || !self.wants_new {
            return Ok(());
        }
        let text = "It is there already, and `If-None-Match: *` asks for a new one. Read it and change it with PATCH, or send \
                    the request without that header to set it.";
        Err(Refusal::Stale { text: text.to_owned() }.into())
    }

    /// The value of the path's n-th place.
    pub(crate) fn place(&self, number: usize) -> &str {
        self.places.get(number).map_or("", String::as_str)
    }

    /// The first value of a field of the query; an empty one counts as absent.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(field, value)| field == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// All values of a field of the query, also those joined by commas.
    pub(crate) fn queries(&self, name: &str) -> Vec<String> {
        let values = self.query.iter().filter(|(field, _)| field == name);
        let parts = values.flat_map(|(_, value)| value.split(','));
        parts
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A time in the query.
    ///
    /// # Errors
    /// 422.
    pub(crate) fn query_time(&self, name: &str) -> acts::Result<Option<jiff::Timestamp>> {
        let Some(text) = self.query(name) else { return Ok(None) };
        let wrong = |_| {
            let (code, text) = parse::why_no_time(name, text);
            Refusal::field(name, code, text)
        };
        Ok(Some(text.parse().map_err(wrong)?))
    }

    /// Two times from the query that limit a span. A reversed span would match nothing, which reads like a valid result, so it
    /// is refused.
    ///
    /// # Errors
    /// 422.
    pub(crate) fn query_span(&self, from: &str, to: &str) -> acts::Result<[Option<jiff::Timestamp>; 2]> {
        let span = [self.query_time(from)?, self.query_time(to)?];
        if let [Some(begin), Some(end)] = span
            && end < begin
        {
            let text = format!("`{to}` must not lie before `{from}`.");
            return Err(Refusal::field(to, "out_of_order", text).into());
        }
        Ok(span)
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// The version behind the ETag.
    pub etag: Option<i64>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// Fields of the body that are shown once: a repeated request does not get them.
    pub once: &'static [&'static str],
    /// The permit whose signed form is in the body's field `permit`. The form opens a gate, so only the permit's id is kept.
    pub permit: Option<RecordId>,
    /// The permit that was used up: a repeated request is not answered from it once the permit is dead.
    pub used: Option<RecordId>,
}

impl Reply {
    /// 200 with a body.
    pub(crate) fn ok(body: Value) -> Self {
        Self {
            status: 200,
            body,
            etag: None,
            headers: Vec::new(),
            once: &[],
            permit: None,
            used: None,
        }
    }

    /// 201 with a body.
    pub(crate) fn created(body: Value) -> Self {
        Self {
            status: 201,
            ..Self::ok(body)
        }
    }

    /// With an ETag.
    pub(crate) fn tagged(mut self, version: i64) -> Self {
        self.etag = Some(version);
        self
    }

    /// With fields that are shown once.
    pub(crate) fn shown_once(mut self, fields: &'static [&'static str]) -> Self {
        self.once = fields;
        self
    }

    /// With a permit's signed form in the field `permit`, which a repeated request gets signed anew.
    pub(crate) fn with_permit(mut self, permit: Option<RecordId>) -> Self {
        self.permit = permit;
        self
    }

    /// About a permit that was used up.
    pub(crate) fn using(mut self, permit: RecordId) -> Self {
        self.used = Some(permit);
        self
    }

    /// With a header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = (status, axum::Json(self.body)).into_response();
        let headers = response.headers_mut();
        if let Some(version) = self.etag {
            insert(headers, "etag", &format!("\"{version}\""));
        }
        for (name, value) in self.headers {
            insert(headers, name, &value);
        }
        response
    }
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Routes for a table.
pub(crate) fn routes(table: &'static [Route]) -> Router<AppState> {
    let mut router = Router::new();
    for route in table {
        let path = format!("{BASE}{}", route.path);
        let handler =
            move |state, asking, uri, path, headers, body| handle(route, state, asking, uri, path, headers, body);
        router = router.route(&path, on(route.filter(), handler));
    }
    router
}

/// The values of a path's places, in order.
pub(crate) struct Places(pub Vec<String>);

impl FromRequestParts<AppState> for Places {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Failure> {
        let places = Path::<Vec<String>>::from_request_parts(parts, state).await;
        places
            .map(|Path(places)| Self(places))
            .map_err(|_| Failure::new(400, "malformed", "The address cannot be read."))
    }
}

impl Places {
    /// The n-th value.
    pub(crate) fn take(&mut self, number: usize) -> String {
        self.0.get_mut(number).map(std::mem::take).unwrap_or_default()
    }
}

async fn handle(
    route: &'static Route,
    State(state): State<AppState>,
    asking: GateCaller,
    uri: Uri,
    Places(places): Places,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Failure> {
    tracing::debug!(doing = route.summary, "an act was asked for");
    let query = query_of(&uri)?;
    let if_match = headers
        .get(header::IF_MATCH)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let wants_new = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes().trim_ascii() == b"*");
    let path = uri.path().to_owned();
    let ask = Arc::new(Ask {
        places,
        query,
        body: body.fields,
        path: path.clone(),
        if_match,
        wants_new,
    });
    let key = match route.method {
        "POST" if !route.looks => idempotency_key(&headers)?,
        _ => None,
    };
    let once = Once {
        credential: asking.caller().credential_id().to_owned(),
        path,
        key,
        body_digest: body.digest,
    };
    let caller = Arc::clone(asking.caller());
    let asked = Arc::clone(&caller);
    let tenant = (route.path == "/admission").then(|| asked.tenant.clone());
    read_before(route, &state, &caller).await;
    let noted = (route.mode() == Mode::Write).then(|| (Arc::clone(&asked), Arc::clone(&ask)));
    let act = move |cx: &mut Context<'_, '_>| {
        let reply = match once.judged_again(cx, route, &asked)? {
            Some(reply) => reply,
            None => once.run(cx, |cx| guarded(cx, route, &asked, &ask))?,
        };
        let about = route.is_about_change().then(|| ask.place(0));
        let look = attempts::look_at_route(cx, (route.method, route.path), about)?;
        Ok((Given::by(route, reply), look))
    };
    let answer = asking.act(&state, route.lane, route.mode(), act).await;
    if let (Err(failure), Some((caller, ask))) = (&answer, &noted) {
        let change = route.is_about_change().then(|| ask.place(0).to_owned());
        let what = format!("{} {}", route.method, route.path);
        attempts::note(&state, caller, what, change, failure).await;
    }
    let (given, look) = answer?;
    attempts::note_looked(&state, &caller, look).await?;
    attempts::note_scope_use(&state, &caller, route.scope);
    let reply = match given {
        Given::Written(response) => return Ok(response),
        Given::Plain(reply) => reply,
    };
    if let Some(tenant) = tenant {
        crate::gateway::note_plain(&state, &tenant, &uri, &headers, &reply.body);
    }
    Ok(reply.into_response())
}

/// Reads the data that the act of a route needs. Errors of the request are reported by the act itself.
async fn read_before(route: &Route, state: &AppState, caller: &Caller) {
    if let Some(before) = route.before {
        let _ = state.act(Lane::Pages, caller, Mode::Read, before).await;
    }
}

/// The result of a lane for its endpoint.
enum Given {
    /// To be serialised by the endpoint, which spares the single writing thread.
    Plain(Reply),
    /// Already serialised: a long list takes milliseconds, in which the async thread would serve no other request.
    Written(Response),
}

impl Given {
    fn by(route: &Route, reply: Reply) -> Self {
        if route.lane == Lane::Pages && route.mode() == Mode::Read {
            return Self::Written(reply.into_response());
        }
        Self::Plain(reply)
    }
}

/// The query's pairs.
///
/// # Errors
/// 400.
pub(crate) fn query_of(uri: &Uri) -> Result<Vec<(String, String)>, Failure> {
    let query = uri.query().unwrap_or_default();
    if !is_utf8(query.as_bytes()) {
        let text = "The query cannot be read: it is not UTF-8.";
        return Err(Failure::new(400, "malformed", text));
    }
    Ok(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

/// The caller's idempotency key.
///
/// # Errors
/// 400.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Failure::new(400, "malformed", "Send one idempotency key, not several."));
    }
    let text = value.to_str().unwrap_or_default().trim();
    if text.is_empty() || text.len() > KEY_LIMIT {
        let text = format!("An idempotency key has 1 to {KEY_LIMIT} plain characters.");
        return Err(Failure::new(400, "malformed", text));
    }
    Ok(Some(text.to_owned()))
}

/// Checks in order: absent or hidden, the scope, the act's own permission check, the precondition. Then runs the act.
fn guarded(cx: &mut Context<'_, '_>, route: &Route, caller: &Caller, ask: &Ask) -> acts::Result<Reply> {
    if route.is_about_change() {
        see_change_as(cx, caller, ask.place(0), route.scope)?;
    }
    agents::check_door(cx, route)?;
    scoped::check_door(cx, route.method, route.path)?;
    caller.check_scope(route.scope)?;
    let Some(current) = route.current else {
        return run_route(cx, route, ask);
    };
    let version = current(cx, ask)?;
    let answer = run_route(cx, route, ask);
    if let Err(acts::Error::Refused(Refusal::NotFound { .. } | Refusal::NotAllowed { .. })) = &answer {
        return answer;
    }
    if let Err(acts::Error::Store(_) | acts::Error::Fault(_) | acts::Error::Proof(_)) = &answer {
        return answer;
    }
    check_precondition(ask.if_match.as_deref(), version)?;
    answer
}

/// One page of a list for an endpoint that returns more than one list; needs the rights of the list's own endpoint and of this
/// one.
///
/// # Errors
/// The errors of both endpoints, or the store's.
pub(crate) fn list_page(
    cx: &mut Context<'_, '_>,
    door: &str,
    (route, caller): (&Route, &Caller),
    query: &[(String, String)],
) -> acts::Result<Value> {
    scoped::check_door(cx, "GET", door)?;
    let ask = Ask {
        places: Vec::new(),
        query: query.to_vec(),
        body: Body::new(),
        path: route.path.to_owned(),
        if_match: None,
        wants_new: false,
    };
    Ok(guarded(cx, route, caller, &ask)?.body)
}

/// The act's result, then a refusal of unknown query parameters. The refusal rolls the act back.
fn run_route(cx: &mut Context<'_, '_>, route: &Route, ask: &Ask) -> acts::Result<Reply> {
    match (route.act)(cx, ask) {
        Ok(mut reply) => {
            query_words::check((route.method, route.path), &ask.query)?;
            reply.body = scoped::inside(cx, route.path, reply.body)?;
            Ok(reply)
        }
        Err(acts::Error::Refused(Refusal::Invalid(mut errors))) => {
            if let Err(Refusal::Invalid(unknown)) = query_words::check((route.method, route.path), &ask.query) {
                errors.extend(unknown);
            }
            let error = Refusal::Invalid(errors).into();
            Err(outside_mask::mask_error(cx, error, (&ask.body, &ask.query)))
        }
        Err(error) => Err(outside_mask::mask_error(cx, error, (&ask.body, &ask.query))),
    }
}

/// The change that a request names, for an endpoint with this scope. A credential that may not read is refused whether or not
/// the change exists; one that may read first learns that it is absent.
pub(crate) fn see_change_as(
    cx: &mut Context<'_, '_>,
    caller: &Caller,
    key: &str,
    scope: Scope,
) -> acts::Result<record::Change> {
    if caller.check_scope(Scope::Read).is_err() {
        caller.check_scope(scope)?;
    }
    let change = see_change(cx, key)?;
    caller.check_scope(scope)?;
    Ok(change)
}

/// A change, if the caller may see it; a hidden change is absent.
pub(crate) fn see_change(cx: &mut Context<'_, '_>, key: &str) -> acts::Result<record::Change> {
    match cx.allow(act::actions::READ) {
        Err(acts::Error::Refused(_)) => Err(Refusal::not_found(format!("change {key}")).into()),
        Err(error) => Err(error),
        Ok(()) => cx.change(key),
    }
}

fn check_precondition(if_match: Option<&str>, version: Option<i64>) -> Result<(), Refusal> {
    let Some(version) = version else { return Ok(()) };
    let Some(text) = if_match else {
        let text = "Say in `If-Match` which version you read.";
        return Err(Refusal::not_now(
            IF_MATCH_NEEDED,
            text,
            "Read it, and send its ETag in `If-Match`.",
            Vec::new(),
        ));
    };
    let tag = format!("\"{version}\"");
    if text.split(',').map(str::trim).any(|asked| asked == "*" || asked == tag) {
        return Ok(());
    }
    // A number without its quotation marks, or marked as weak, never fits: to read again would not help.
    let is_tag = |asked: &str| asked.len() > 1 && asked.starts_with('"') && asked.ends_with('"');
    if let Some(other) = text.split(',').map(str::trim).find(|asked| !is_tag(asked)) {
        let text = format!(
            "`{other}` in `If-Match` is no ETag. Send it as it came, with its quotation marks and nothing before them; \
            it is now {tag}."
        );
        return Err(Refusal::Stale { text });
    }
    Err(Refusal::Stale {
        text: format!("It has changed meanwhile; it is now at version {tag}. Read it again."),
    })
}

/// A request that may come twice.
#[derive(Clone)]
pub(crate) struct Once {
    /// The credential's id.
    pub credential: String,
    /// The path.
    pub path: String,
    /// The caller's key, if there is one.
    pub key: Option<String>,
    /// `sha256:…` of the body.
    pub body_digest: String,
}

impl Once {
    /// Returns the kept response, or runs the act and keeps its response in the same transaction.
    pub(crate) fn run(
        &self,
        cx: &mut Context<'_, '_>,
        act: impl FnOnce(&mut Context<'_, '_>) -> acts::Result<Reply>,
    ) -> acts::Result<Reply> {
        let Some(key) = &self.key else { return act(cx) };
        if let Some(reply) = self.known(cx)? {
            return Ok(reply);
        }
        let request = self.request(key);
        let reply = act(cx)?;
        let answer = SavedAnswer {
            body_digest: self.body_digest.clone(),
            status: i64::from(reply.status),
            answer: kept(&reply).to_string(),
        };
        idempotency::save(cx.tx, &request, &answer, cx.recorded_at)?;
        Ok(reply)
    }

    /// For a route that evaluates again: its present response, if this request was done before.
    fn judged_again(&self, cx: &mut Context<'_, '_>, route: &Route, caller: &Caller) -> acts::Result<Option<Reply>> {
        let (Some(key), Some(again)) = (&self.key, route.again) else {
            return Ok(None);
        };
        let Some(saved) = idempotency::load(cx.tx, &self.request(key))? else {
            return Ok(None);
        };
        if saved.body_digest != self.body_digest {
            return Err(acts::Error::KeyReused);
        }
        caller.check_scope(route.scope)?;
        let kept: Value = serde_json::from_str(&saved.answer)?;
        let reply = again(cx, &kept["body"])?;
        Ok(Some(reply.with(REPLAYED, "true")))
    }

    /// The kept response, if this request was done before.
    ///
    /// # Errors
    /// Another body under the same key, or the store's.
    pub(crate) fn known(&self, cx: &mut Context<'_, '_>) -> acts::Result<Option<Reply>> {
        let Some(key) = &self.key else { return Ok(None) };
        match idempotency::load(cx.tx, &self.request(key))? {
            Some(saved) if saved.body_digest != self.body_digest => Err(acts::Error::KeyReused),
            Some(saved) => replayed(cx, &saved).map(Some),
            None => Ok(None),
        }
    }

    fn request<'a>(&'a self, key: &'a str) -> RequestKey<'a> {
        RequestKey {
            credential: &self.credential,
            method: "POST",
            path: &self.path,
            key,
        }
    }
}

/// The header that marks the response to a repeated request.
const REPLAYED: &str = "idempotent-replayed";
/// Headers that the response to a repeated request gets as well.
const REPEATED: [&str; 2] = ["location", "assent-decision"];

fn kept(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    if let Value::Object(map) = &mut body {
        for field in reply.once {
            map.remove(*field);
        }
        if reply.permit.is_some() {
            map.insert("permit".to_owned(), Value::Null);
        }
    }
    let headers: Map<String, Value> = REPEATED
        .iter()
        .filter_map(|name| reply.headers.iter().find(|(it, _)| it == name))
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let mut kept = json!({"body": body, "etag": reply.etag, "permit": reply.permit, "used": reply.used});
    if let Value::Object(map) = &mut kept {
        map.extend(headers);
    }
    kept
}

fn replayed(cx: &mut Context<'_, '_>, saved: &SavedAnswer) -> acts::Result<Reply> {
    let mut kept: Value = serde_json::from_str(&saved.answer)?;
    if let Some(permit) = kept["permit"].as_str().map(str::to_owned) {
        kept["body"]["permit"] = json!(answer::sign_again(cx, &permit)?);
    }
    if let Some(permit) = kept["used"].as_str().map(str::to_owned) {
        answer::check_alive(cx, &permit)?;
    }
    let status = u16::try_from(saved.status).unwrap_or(200);
    let reply = Reply {
        status,
        etag: kept["etag"].as_i64(),
        ..Reply::ok(kept["body"].clone())
    };
    let reply = REPEATED.iter().fold(reply, |reply, name| match kept[*name].as_str() {
        Some(value) => reply.with(name, value.to_owned()),
        None => reply,
    });
    Ok(reply.with(REPLAYED, "true"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn ask(query: &[(&str, &str)]) -> Ask {
        let query = query
            .iter()
            .map(|(field, value)| ((*field).to_owned(), (*value).to_owned()))
            .collect();
        Ask {
            places: Vec::new(),
            query,
            body: Body::new(),
            path: "/api/v1/changes".to_owned(),
            wants_new: false,
            if_match: None,
        }
    }

    #[test]
    fn a_request_has_one_idempotency_key() {
        let mut headers = HeaderMap::new();
        assert_eq!(idempotency_key(&headers).ok().flatten(), None);
        headers.append("idempotency-key", "one".parse().unwrap());
        assert_eq!(idempotency_key(&headers).ok().flatten().as_deref(), Some("one"));
        headers.append("idempotency-key", "two".parse().unwrap());
        assert_eq!(idempotency_key(&headers).err().map(|it| it.problem.status), Some(400));
    }

    #[test]
    fn preconditions_follow_the_standard() {
        assert!(check_precondition(Some("\"3\""), Some(3)).is_ok());
        assert!(check_precondition(Some("\"1\", \"3\""), Some(3)).is_ok());
        assert!(check_precondition(Some("*"), Some(3)).is_ok());
        assert!(check_precondition(None, None).is_ok());
        assert_eq!(check_precondition(None, Some(3)).unwrap_err().code(), IF_MATCH_NEEDED);
        assert_eq!(
            check_precondition(Some("W/\"3\""), Some(3)).unwrap_err().code(),
            "stale"
        );
        assert_eq!(check_precondition(Some("3"), Some(3)).unwrap_err().code(), "stale");
        for (sent, told) in [("3", "no ETag"), ("W/\"3\"", "no ETag"), ("\"2\"", "changed meanwhile")] {
            let Err(Refusal::Stale { text }) = check_precondition(Some(sent), Some(3)) else {
                panic!("`{sent}` is taken")
            };
            assert!(text.contains(told), "{sent}: {text}");
        }
    }

    #[test]
    fn lists_say_where_the_next_page_begins() {
        let ask = ask(&[("state", "draft"), ("after", "9"), ("q", "a b&c")]);
        let reply = ask.page(vec![json!(1)], Some("7".to_owned()));
        assert_eq!(
            reply.headers[0].1,
            "</api/v1/changes?state=draft&q=a%20b%26c&after=7>; rel=\"next\""
        );
        assert_eq!(reply.body["next"], "7");
        assert!(ask.page(Vec::new(), None).headers.is_empty());
    }

    #[test]
    fn limits_are_bounded() {
        assert_eq!(ask(&[]).limit().unwrap(), 50);
        assert_eq!(ask(&[("limit", "200")]).limit().unwrap(), 200);
        for bad in ["0", "201", "x", "-1"] {
            assert!(ask(&[("limit", bad)]).limit().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_span_the_wrong_way_round_is_refused() {
        let (early, late) = ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");
        assert!(ask(&[("from", early), ("to", late)]).query_span("from", "to").is_ok());
        assert!(ask(&[("from", early), ("to", early)]).query_span("from", "to").is_ok());
        assert!(ask(&[("to", early)]).query_span("from", "to").is_ok());
        assert!(ask(&[("from", late), ("to", early)]).query_span("from", "to").is_err());
    }

    #[test]
    fn what_is_shown_once_is_not_kept() {
        let reply = Reply::created(json!({"id": "1", "secret": "s"})).shown_once(&["secret"]);
        assert_eq!(kept(&reply)["body"], json!({"id": "1"}));
    }
}
