//! The gate: the plain question, recorded checks, waiting for a turn, collecting a permit.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use acts::Context;
use acts::core::gate_question::Question;
use acts::gate::answer::{self, Checked};
use acts::gate::{consume_permit, shown_permit};
use acts::report::find_records::{CheckQuery, find_gate_checks};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use jiff::{SignedDuration, Timestamp};
use model::change::read_content::tidy_digest;
use model::change::related_records::GateCheck;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{CheckState, GateDecision};
use model::core::parse::{LINE, Reading};
use model::core::refusal::{FieldError, Refusal};
use model::directory::outside_names::OTHER_CHANGE;
use model::gate::answer::Answer;
use serde_json::{Value, json};
use store::{Lane, Mode};
use tokio::sync::mpsc;
use wire::views;

use crate::api::shared::change_replies;
use crate::api::shared::records::state_filter;
use crate::http::address::BASE;
use crate::http::authenticate::GateCaller;
use crate::http::caller::{Caller, Scope};

use crate::http::failure::Failure;
use crate::http::handler::get;
use crate::http::outside_mask::{mask_answer, mask_value};
use crate::http::route::{Ask, Places, Reply, Route, query_of};
use crate::http::state::AppState;
use crate::http::{attempts, clock, query_words};
use crate::notify::event_stream::event_stream;
use crate::start::router::Waited;

/// How far ahead a check may wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24 * 7);
/// How long one request may wait for a turn, in seconds.
const LONGEST_POLL: u64 = 60;
/// The most headers in a response to the plain gate request.
const HEADERS: usize = 12;
/// How often a waiting request looks by itself: another server may have committed.
const LOOK: Duration = Duration::from_secs(1);

/// Asking, and collecting.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_gate_checks", list),
    Route::writes("create_gate_check", check)
        .scope(Scope::Gate)
        .lane(Lane::Gate)
        .judged_again(check_again),
    Route::writes("collect_permit", collect)
        .scope(Scope::Gate)
        .lane(Lane::Gate)
        .judged_again(collect_again),
    Route::writes("consume_permit", consume)
        .scope(Scope::Gate)
        .lane(Lane::Gate),
];

/// Waiting for a turn holds neither a thread nor a connection, so that route is no plain act. The plain gate request is none
/// either, because it is the most frequent: it needs no key, no version and no body, and it is counted.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route(GATE, get(ask_gate))
        .route(&format!("{BASE}/gate-checks/{{id}}"), get(show_check))
        .route(&format!("{BASE}/gate-checks/{{id}}/stream"), get(follow_check))
}

pub(crate) fn read_question(reading: &mut Reading<'_>) -> Question {
    let (change, purpose) = (reading.text("change", LINE), reading.word("purpose"));
    Question {
        change,
        purpose,
        ..read_target(reading)
    }
}

/// The target of the deployment: artifact and place.
fn read_target(reading: &mut Reading<'_>) -> Question {
    let question = Question {
        service: reading.needed("service", LINE),
        environment: reading.needed("environment", LINE),
        artifact: reading.text("artifact", 255).map(tidy_digest),
        commit: reading.text("commit", 64).map(|commit| commit.to_lowercase()),
        change: None,
        purpose: None,
        member: reading.text("member", LINE),
    };
    if question.artifact.is_none() && question.commit.is_none() && reading.errors.is_empty() {
        reading.wrong(
            "artifact",
            "missing",
            "Name the `artifact` by its digest, or the `commit`.",
        );
    }
    question
}

/// The path of the plain question.
pub(crate) const GATE: &str = "/api/v1/gate";

/// The response to a plain gate request from the cache; `None` when it has to take the usual path.
pub(crate) fn at_once(state: &AppState, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    if uri.path() != GATE || method != Method::GET {
        return None;
    }
    let (question, None) = parse_query(query_of(uri).ok()?).ok()? else {
        return None;
    };
    let asking = GateCaller::of_known(state, headers)?;
    let (answer, now) = asking.ask_at_once(state, &question).ok()??;
    crate::gateway::count_decision(state, &asking.caller().tenant, headers, &question, &answer);
    Some(gate_response(&answer, now))
}

/// `GET /gate`: whether a deployment may go. Writes nothing. Requests that the cache could serve do not come here.
async fn ask_gate(
    State(state): State<AppState>,
    asking: GateCaller,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let asked = Arc::new(parse_query(query_of(&uri)?));
    let (caller, about) = (Arc::clone(asking.caller()), Arc::clone(&asked));
    let act = move |cx: &mut Context<'_, '_>| {
        caller.check_scope(Scope::Gate)?;
        answer::may_ask(cx)?;
        // A caller without the permission gets that refusal first, before errors in the request.
        let (question, permit) = about.as_ref().as_ref().map_err(Clone::clone)?;
        let answer = answer::ask(cx, question)?;
        let answer = shown_permit::check_shown(cx, question, permit.as_deref(), answer)?;
        let mut answer = answer::check_unspent(cx, question, answer)?;
        mask_answer(cx, &mut answer)?;
        Ok((answer, cx.now))
    };
    let caller = Arc::clone(asking.caller());
    let (answer, now) = asking.act(&state, Lane::Gate, Mode::Read, act).await?;
    attempts::note_scope_use(&state, &caller, Scope::Gate);
    if let Ok((question, _)) = asked.as_ref() {
        crate::gateway::count_decision(&state, &caller.tenant, &headers, question, &answer);
    }
    Ok(gate_response(&answer, now))
}

/// The gate request in a query, with the permit that is shown beside it.
fn parse_query(query: Vec<(String, String)>) -> Result<(Question, Option<String>), Refusal> {
    let (mut fields, mut twice) = (Body::new(), Vec::new());
    for (field, value) in query {
        if fields.insert(field.clone(), Value::String(value)).is_some() {
            // The gate must not guess which of two values was meant.
            twice.push(FieldError::new(
                field.as_str(),
                "not_unique",
                format!("`{field}` stands there twice."),
            ));
        }
    }
    let mut reading = Reading::new(&fields, "");
    reading.errors = twice;
    let question = read_question(&mut reading);
    let permit = reading.text("permit", 255);
    reading.finish()?;
    Ok((question, permit))
}

/// 200 or 403, with headers for proxies that drop the body.
fn gate_response(answer: &Answer, now: Timestamp) -> Response {
    let text = views::gate_answer_text(answer, &now.to_string());
    let status = match answer.decision {
        GateDecision::Go => StatusCode::OK,
        _ => StatusCode::FORBIDDEN,
    };
    let mut response = (
        status,
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        text,
    )
        .into_response();
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in answer_headers(answer) {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// The headers that repeat the body's content.
fn answer_headers(answer: &Answer) -> impl Iterator<Item = (&'static str, String)> {
    let change = answer.change.clone().map(|change| ("assent-change", change));
    change.into_iter().chain([
        ("assent-decision", answer.decision.as_str().to_owned()),
        ("assent-reasons", crate::gateway::reasons_line(&answer.reasons)),
    ])
}

/// The same, as the response of a route of the table.
pub(crate) fn gate_reply(cx: &Context<'_, '_>, answer: &Answer) -> Reply {
    let mut reply = Reply::ok(views::gate_answer(answer, &cx.now.to_string()));
    reply.status = if answer.decision == GateDecision::Go { 200 } else { 403 };
    answer_headers(answer)
        .fold(reply, |reply, (name, value)| reply.with(name, value))
        .with("cache-control", "no-store")
}

fn list(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::READ)?;
    let limit = ask.limit()?;
    let states: Vec<&str> = CheckState::ALL.iter().map(|state| state.as_str()).collect();
    let state = state_filter(ask, &states)?;
    let query = CheckQuery {
        before: ask.query("after").map(str::to_owned),
        service: ask.query("service").filter(|key| !key.is_empty()).map(str::to_owned),
        state: CheckState::ALL.iter().copied().find(|it| Some(it.as_str()) == state),
    };
    let mut rows = find_gate_checks(cx, &query, limit + 1)?;
    let has_more = i64::try_from(rows.len()).is_ok_and(|count| count > limit);
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let next = rows.last().filter(|_| has_more).map(|row| row.id.0.clone());
    let directory = cx.directory()?;
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut view = views::gate_check(row, None, &directory);
        mask_value(cx, &mut view)?;
        if view["change"] == OTHER_CHANGE {
            view["change"] = Value::Null;
        }
        items.push(view);
    }
    Ok(ask.page(items, next))
}

fn check(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::ASK_GATE)?;
    let mut reading = Reading::new(&ask.body, "");
    let question = read_question(&mut reading);
    let wait_until = read_wait(&mut reading, cx.now);
    reading.finish()?;
    let checked = answer::check(cx, &question, wait_until)?;
    check_reply(cx, checked)
}

/// A repeated request under the same key: the same check is evaluated again, so that an outdated decision opens nothing.
fn check_again(cx: &mut Context<'_, '_>, kept: &Value) -> acts::Result<Reply> {
    cx.allow(act::actions::ASK_GATE)?;
    let checked = answer::check_again(cx, kept["id"].as_str().unwrap_or_default())?;
    check_reply(cx, checked)
}

fn check_reply(cx: &mut Context<'_, '_>, checked: Checked) -> acts::Result<Reply> {
    let view = given(cx, &checked)?;
    let reply = Reply::created(view).with("assent-decision", checked.check.decision.as_str());
    Ok(reply.with_permit(checked.check.permit))
}

/// A check with its permit and its target: the deploying system reports the outcome by the target's name.
fn given(cx: &mut Context<'_, '_>, checked: &Checked) -> acts::Result<Value> {
    let directory = cx.directory()?;
    let mut view = views::gate_check_now(&checked.check, checked.permit.as_deref(), &directory);
    if let Some(target) = shown_permit::target_of(cx, &checked.check)? {
        view["target"] = json!(target);
    }
    Ok(view)
}

fn read_wait(reading: &mut Reading<'_>, now: Timestamp) -> Option<Timestamp> {
    let seconds = reading.integer("wait_seconds", 1..=LONGEST_WAIT.as_secs());
    let until = reading.time("wait_until");
    if seconds.is_some() && until.is_some() {
        reading.wrong(
            "wait_seconds",
            "not_allowed",
            "Say `wait_until` or `wait_seconds`, not both.",
        );
    }
    let until = until.or_else(|| seconds.map(|seconds| now + SignedDuration::from_secs(seconds)))?;
    if until <= now {
        reading.wrong("wait_until", "in_the_past", "`wait_until` must lie ahead.");
    }
    if until > now + LONGEST_WAIT {
        reading.wrong("wait_until", "out_of_range", "A check waits for at most 7 days.");
    }
    Some(until)
}

fn collect(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::ASK_GATE)?;
    own_check(cx, ask.place(0))?;
    let collected = answer::collect(cx, ask.place(0));
    collected_reply(cx, change_replies::without_parameters(ask, collected)?)
}

/// A permit collected before under the same key is shown only while the gate is open. This also holds where the leading system
/// let the deployment go, which issues no permit that could be dead.
fn collect_again(cx: &mut Context<'_, '_>, kept: &Value) -> acts::Result<Reply> {
    cx.allow(act::actions::ASK_GATE)?;
    let id = kept["id"].as_str().unwrap_or_default();
    own_check(cx, id)?;
    let checked = answer::collect(cx, id)?;
    collected_reply(cx, checked)
}

fn collected_reply(cx: &mut Context<'_, '_>, checked: Checked) -> acts::Result<Reply> {
    let view = given(cx, &checked)?;
    Ok(Reply::created(view).with_permit(checked.check.permit))
}

fn consume(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::ASK_GATE)?;
    let mut reading = Reading::new(&ask.body, "");
    let question = read_target(&mut reading);
    reading.finish()?;
    let permit = consume_permit::consume_permit(cx, ask.place(0), &question)?;
    let change = cx.change(&permit.change_key)?;
    let mut value = views::item(&permit, change.state, &*cx.directory()?);
    value["jti"] = json!(permit.id);
    Ok(Reply::created(value).using(permit.id))
}

/// A check belongs to its caller: no other caller may collect its permit.
fn own_check(cx: &mut Context<'_, '_>, id: &str) -> acts::Result<GateCheck> {
    let check = answer::load_check(cx, id)?;
    if check.by != cx.actor.person {
        return Err(Refusal::not_allowed("not_yours", "Only who asked collects the permit.").into());
    }
    Ok(check)
}

/// `GET /gate-checks/{id}?wait=60`: returns at once when the check is settled or has changed, else when it changes or the wait
/// is over. With `seen`, the last `checked_at` of the client, a change of the reasons returns as well.
async fn show_check(
    State(state): State<AppState>,
    caller: Caller,
    mut places: Places,
    uri: Uri,
) -> Result<Response, Failure> {
    let (query, id) = (query_of(&uri)?, places.take(0));
    let begun = tokio::time::Instant::from_std(clock::tick());
    let mut bell = state.bells().listen(&caller.tenant);
    let seen = query.iter().find(|(field, _)| field == "seen").map(|(_, value)| value);
    let mut has_waited = None;
    loop {
        let (is_waiting, view) = look(&state, &caller, &id).await?;
        // A caller who may not see the check gets that refusal first.
        let end = begun + poll_of(&query).map_err(acts::Error::from)?;
        let now = tokio::time::Instant::from_std(clock::tick());
        let is_news = seen.as_ref().is_some_and(|seen| view["checked_at"] != **seen);
        if !is_waiting || is_news || now >= end || state.bells().is_stopping() {
            let answer = (StatusCode::OK, has_waited.map(Extension), axum::Json(view));
            return Ok(answer.into_response());
        }
        has_waited = Some(Waited);
        // The notifier reports writes of this server at once and those of other servers soon after; the pause covers missed
        // notifications.
        let _ = tokio::time::timeout((end - now).min(LOOK), bell.changed()).await;
    }
}

/// The wait that a request names, cut to the longest wait.
fn poll_of(query: &[(String, String)]) -> Result<Duration, Refusal> {
    query_words::check_parameters("/gate-checks/{id}", query)?;
    let Some((_, value)) = query.iter().find(|(field, _)| field == "wait") else {
        return Ok(Duration::ZERO);
    };
    let wrong = || {
        let text = format!("`wait` is a whole number of seconds; more than {LONGEST_POLL} count as {LONGEST_POLL}.");
        Refusal::field("wait", "out_of_range", text)
    };
    let seconds = value.parse::<u64>().map_err(|_| wrong())?;
    Ok(Duration::from_secs(seconds.min(LONGEST_POLL)))
}

/// Follows a check: its view at once, then at each change, until it waits no more.
async fn follow_check(State(state): State<AppState>, caller: Caller, mut places: Places) -> Result<Response, Failure> {
    let id = places.take(0);
    let first = look(&state, &caller, &id).await?;
    let (send, receive) = mpsc::channel(8);
    tokio::spawn(stream_decisions(state, caller, id, first, send));
    Ok(event_stream(receive))
}

async fn stream_decisions(
    state: AppState,
    caller: Caller,
    id: String,
    first: (bool, Value),
    send: mpsc::Sender<Result<Event, Infallible>>,
) {
    let mut bell = state.bells().listen(&caller.tenant);
    let (mut is_waiting, mut view) = first;
    let mut told = Value::Null;
    loop {
        if view != told {
            let event = Event::default().event("gate_check").data(view.to_string());
            if send.send(Ok(event)).await.is_err() {
                return;
            }
            told = view;
        }
        if !is_waiting || send.is_closed() || state.bells().is_stopping() {
            return;
        }
        let _ = tokio::time::timeout(LOOK, bell.changed()).await;
        let Ok(found) = look(&state, &caller, &id).await else {
            return;
        };
        (is_waiting, view) = found;
    }
}

async fn look(state: &AppState, caller: &Caller, id: &str) -> Result<(bool, Value), Failure> {
    let (id, asked) = (id.to_owned(), caller.clone());
    let act = move |cx: &mut Context<'_, '_>| {
        // A wait may last for days; a credential that ended meanwhile gets no data any more.
        asked.check_alive(cx)?;
        let check = match cx.allow(act::actions::ASK_GATE) {
            Ok(()) => answer::load_check(cx, &id)?,
            Err(acts::Error::Refused(_)) => return Err(Refusal::not_found("gate check").into()),
            Err(fault) => return Err(fault),
        };
        asked.check_scope(Scope::Gate)?;
        let directory = cx.directory()?;
        let mut view = match check.state {
            CheckState::Waiting => views::gate_check_now(&check, None, &directory),
            _ => views::gate_check(&check, None, &directory),
        };
        mask_value(cx, &mut view)?;
        Ok((check.state == CheckState::Waiting, view))
    };
    let found = state.act(Lane::Gate, caller, Mode::Read, act).await?;
    attempts::note_scope_use(state, caller, Scope::Gate);
    Ok(found)
}
