//! Deliveries of outside systems: verified over their raw bytes, kept, and acknowledged. Their effect comes later.

use std::sync::Arc;

use acts::Context;
use acts::core::row_mac::Came;
use acts::core::{connections, secrets};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use connect::integration::github::{Secret, Signing};
use connect::integration::{door, pagerduty, run_task};
use jiff::Timestamp;
use model::change::change_file::Actor;
use model::core::refusal::Refusal;
use serde_json::json;
use store::integration::inbox::{self, NewDelivery};
use store::{Lane, Mode};

use crate::http::body::{Chunks, check_length, read_all};
use crate::http::failure::Failure;
use crate::http::files::NewFile;
use crate::http::handler::post;
use crate::http::known_connections::{CachedConnection, Found};
use crate::http::route::Places;
use crate::http::state::AppState;

/// The largest delivery, in bytes: GitHub's own limit.
const LIMIT: u64 = 25 * 1024 * 1024;
/// How much of a delivery is held in memory before its signature is known, in bytes.
const HELD: usize = 256 * 1024;
/// The largest delivery of a system that does not sign as GitHub does, in bytes: it is read before it is verified.
const OTHERS: u64 = 2 * 1024 * 1024;
/// The kinds whose delivery covers a whole group of alerts, thousands in the worst outage. Their senders retry no refused
/// delivery.
const GROUPED: &[&str] = &["alertmanager", "grafana"];
/// The longest name of a delivery or of an event, in characters.
const NAME_LIMIT: usize = 200;
/// The longest id of a connection, in characters.
const ID_LIMIT: usize = 64;
/// How often a delivery is judged again because the tenant data changed meanwhile, before its sender has to retry.
const TRIES: usize = 8;

/// `POST /hooks/{connection}`. Clients of PagerDuty take an address and add the path of its Events API v2.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/hooks/{connection}", post(receive))
        .route("/hooks/{connection}/v2/enqueue", post(receive))
}

async fn receive(
    State(state): State<AppState>,
    mut places: Places,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let connection = places.take(0);
    check_length(&headers, LIMIT)?;
    let known = match state.connections().find(&connection) {
        Some(known) => known,
        None => look_up(&state, &connection).await?,
    };
    let now = state.executor().tools().clock.now();
    let bytes = match read_verified(&state, &known.found, &headers, body, now).await? {
        Ok(bytes) => bytes,
        Err(doubt) => {
            // The cached connection may be outdated; then nothing is kept or counted for it.
            let known = look_up(&state, &connection).await?;
            return Err(turn_away(&state, &known.found.tenant, connection, doubt).await);
        }
    };
    let kind = &known.found.kind;
    let text = |name: &str| header(&headers, name);
    let (raw_digest, bytes) = as_kept(&state, &known.found, &connection, bytes)?;
    let answer = response_body(kind, &bytes);
    // Terraform takes nothing but a plain 200 for a yes.
    let status = match kind.as_str() {
        run_task::KIND => StatusCode::OK,
        _ => StatusCode::ACCEPTED,
    };
    let kept = door::keep(kind, &text, bytes).map_err(|aside| {
        Failure::new(
            400,
            "malformed",
            format!("The delivery cannot be kept: {}.", aside.reason),
        )
    })?;
    let delivery_id = Some(kept.delivery_id).filter(|id| !id.is_empty()).unwrap_or(raw_digest);
    if kept.event.len() > NAME_LIMIT || delivery_id.len() > NAME_LIMIT {
        return Err(Failure::new(400, "malformed", "A header of the delivery is too long."));
    }
    let whole = Whole {
        // The attributes of a CloudEvent in binary mode are in headers, so that two deliveries may have the same body.
        body_digest: proof::crypto::digest_text(&kept.body),
        connection,
        delivery_id,
        event: kept.event,
        body: kept.body,
        subject: String::new(),
    };
    let whole = with_subject(kind, whole, now).await?;
    let is_new = keep(&state, known, Arc::new(whole)).await?;
    let answer = answer.unwrap_or_else(|| json!({"kept": is_new}));
    Ok((status, axum::Json(answer)).into_response())
}

/// A delivery's digest, which identifies a delivery without an id of its sender, and its body as it is kept.
fn as_kept(state: &AppState, found: &Found, connection: &str, bytes: Vec<u8>) -> Result<(String, Vec<u8>), Failure> {
    let tools = state.executor().tools();
    match found.kind.as_str() {
        "pagerduty" => {
            let id = state.executor().services().new_id(tools.clock.now());
            let marked = pagerduty::marked(bytes, &id.map_err(|error| Failure::fault(&error))?);
            Ok((proof::crypto::digest_text(&marked), marked))
        }
        run_task::KIND => {
            // The digest is taken before sealing: the sealed text differs each time, so a repeated request would look new.
            let digest = proof::crypto::digest_text(&bytes);
            let seal = |token: &str| secrets::seal_delivered(tools, &found.tenant, connection, token);
            let sealed = run_task::sealed(bytes, seal).map_err(|error| Failure::fault(&error))?;
            Ok((digest, sealed))
        }
        _ => Ok((proof::crypto::digest_text(&bytes), bytes)),
    }
}

/// A delivery with all stored data.
struct Whole {
    connection: String,
    delivery_id: String,
    body_digest: String,
    event: String,
    body: Vec<u8>,
    subject: String,
}

/// Finds the subject of a delivery. A large delivery is read away from the threads that serve requests.
async fn with_subject(kind: &str, whole: Whole, now: Timestamp) -> Result<Whole, Failure> {
    let (kind, is_small) = (kind.to_owned(), whole.body.len() <= HELD);
    let note = move || {
        // Names of outside systems can be long; a digest distinguishes subjects as well.
        let subject = match door::subject_of(&kind, &whole.event, &whole.body, now) {
            subject if subject.is_empty() || subject == inbox::SEVERAL => subject,
            subject => proof::crypto::digest_text(subject.as_bytes()),
        };
        Whole { subject, ..whole }
    };
    if is_small {
        return Ok(note());
    }
    let done = tokio::task::spawn_blocking(note).await;
    done.map_err(|error| Failure::fault(&error))
}

/// Keeps a delivery, in a transaction that checks that the connection is unchanged since the signature was verified; `false`
/// for a repeated delivery.
async fn keep(state: &AppState, mut known: CachedConnection, whole: Arc<Whole>) -> Result<bool, Failure> {
    for _ in 0..TRIES {
        let (whole, generation) = (Arc::clone(&whole), known.generation);
        let connection = whole.connection.clone();
        let keep = move |cx: &mut Context<'_, '_>| {
            if cx.generation()? != generation {
                return Ok(None);
            }
            let id = cx.new_id()?;
            let came = Came {
                id: &id,
                connection: &whole.connection,
                delivery_id: &whole.delivery_id,
                event: &whole.event,
                body_digest: &whole.body_digest,
                subject: &whole.subject,
                received_at: cx.now,
            };
            let mac = came.mac(cx);
            let delivery = NewDelivery {
                id: &id,
                connection: &whole.connection,
                delivery_id: &whole.delivery_id,
                body_digest: &whole.body_digest,
                event: &whole.event,
                received_at: cx.now,
                body: &whole.body,
                subject: &whole.subject,
                mac: &mac,
            };
            Ok(Some(inbox::receive(cx.tx, &delivery)?))
        };
        let tenant = &known.found.tenant;
        let is_new = state
            .act_as(Lane::Acts, tenant, Actor::system(), Mode::Write, keep)
            .await?;
        if let Some(is_new) = is_new {
            return Ok(is_new);
        }
        let again = look_up(state, &connection).await?;
        if again.found != known.found {
            // The signature was held to another secret, or the body read as another kind's.
            return Err(absent());
        }
        known = again;
    }
    Err(Failure::busy(
        "overloaded",
        "People or services are being changed all the time. Send it again soon.",
    ))
}

/// A header's text; empty when it is not there.
fn header(headers: &HeaderMap, name: &str) -> String {
    let found = headers.get(name).and_then(|value| value.to_str().ok());
    found.unwrap_or_default().to_owned()
}

/// Reads a body and holds it to the connection's secret.
async fn read_verified(
    state: &AppState,
    found: &Found,
    headers: &HeaderMap,
    body: Body,
    now: Timestamp,
) -> Result<Result<Vec<u8>, door::Doubt>, Failure> {
    let signature = header(headers, "x-hub-signature-256");
    if found.kind == "github" {
        let secret = Secret::new(found.secret.as_bytes())
            .ok_or_else(|| Failure::fault(&"a connection's secret is too short"))?;
        let read = read_signed(state, body, &secret, &signature).await?;
        return Ok(read.ok_or(door::FORGED));
    }
    let text = |name: &str| header(headers, name);
    // A secret in a header is believed before the body is read.
    let is_known =
        GROUPED.contains(&found.kind.as_str()) && door::verify(&found.kind, &found.secret, &text, &[], now).is_ok();
    let bytes = read_all(body, if is_known { LIMIT } else { OTHERS }).await?;
    Ok(door::verify(&found.kind, &found.secret, &text, &bytes, now).map(|()| bytes))
}

/// Reads a body and verifies its signature. Anybody may send a body, so a long one is kept in a file until its signature is
/// verified. `None` when it is not signed.
async fn read_signed(
    state: &AppState,
    body: Body,
    secret: &Secret,
    signature: &str,
) -> Result<Option<Vec<u8>>, Failure> {
    let mut signing = Signing::begin(std::slice::from_ref(secret));
    let mut chunks = Chunks::new(body, LIMIT);
    let mut bytes = Vec::new();
    let mut file: Option<NewFile> = None;
    while let Some(chunk) = chunks.next().await? {
        signing.update(&chunk);
        match &mut file {
            Some(file) => {
                file.write(chunk).await?;
            }
            None if bytes.len() + chunk.len() <= HELD => bytes.extend_from_slice(&chunk),
            None => {
                let mut begun = NewFile::of(state, std::mem::take(&mut bytes)).await?;
                begun.write(chunk).await?;
                file = Some(begun);
            }
        }
    }
    if !signing.fits(signature) {
        return Ok(None);
    }
    match file {
        Some(mut file) => {
            let whole = file.bytes(usize::try_from(LIMIT).unwrap_or(usize::MAX)).await?;
            whole
                .map(Some)
                .ok_or_else(|| Failure::fault(&"a delivery grew while it was read"))
        }
        None => Ok(Some(bytes)),
    }
}

/// PagerDuty's senders read the body of the response; others only its status.
fn response_body(kind: &str, body: &[u8]) -> Option<serde_json::Value> {
    let key = || pagerduty::dedup_key(body).unwrap_or_else(|| proof::crypto::digest_text(body));
    (kind == "pagerduty").then(|| json!({"status": "success", "message": "Event processed", "dedup_key": key()}))
}

/// Counts an unauthentic delivery, with its reason, for an administrator.
async fn turn_away(state: &AppState, tenant: &str, connection: String, doubt: door::Doubt) -> Failure {
    state.metrics().note_refused_delivery();
    let count = move |cx: &mut Context<'_, '_>| {
        let now = cx.now;
        Ok(inbox::turn_away(cx.tx, &connection, (doubt.code, doubt.text), now)?)
    };
    match state
        .act_as(Lane::Worker, tenant, Actor::system(), Mode::Write, count)
        .await
    {
        Ok(()) => Failure::new(401, doubt.code, doubt.text),
        Err(failure) => failure,
    }
}

fn absent() -> Failure {
    Failure::from(acts::Error::from(Refusal::not_found("connection")))
}

/// Looks a connection up and remembers it.
async fn look_up(state: &AppState, connection: &str) -> Result<CachedConnection, Failure> {
    let found = find(state, connection).await;
    match &found {
        Ok(known) => state.connections().keep(connection, known),
        Err(_) => state.connections().forget(connection),
    }
    found
}

/// The tenant, the kind and the secret of a connection that takes deliveries.
async fn find(state: &AppState, connection: &str) -> Result<CachedConnection, Failure> {
    if connection.len() > ID_LIMIT {
        return Err(absent());
    }
    let id = connection.to_owned();
    let look = move |tx: &mut store::CrossTx<'_>| Ok(store::servers::tenant_of_connection(tx, &id)?);
    let tenant = state.across(Lane::Pages, "whose connection is it", Mode::Read, look);
    let tenant = tenant.await?.ok_or_else(absent)?;
    let id = connection.to_owned();
    let look = move |cx: &mut Context<'_, '_>| {
        let generation = cx.generation()?;
        match connections::connection(cx, &id) {
            Ok(found) if found.active => {
                let secret = connections::connection_secret(cx, &id)?;
                Ok(Some((found.kind, secret, generation)))
            }
            Ok(_) | Err(acts::Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    };
    let (kind, secret, generation) = state
        .act_as(Lane::Pages, &tenant, Actor::system(), Mode::Read, look)
        .await?
        .ok_or_else(absent)?;
    let secret = String::from_utf8(secret).map_err(|_| Failure::fault(&"a connection's secret is no text"))?;
    let found = Arc::new(Found { tenant, kind, secret });
    Ok(CachedConnection { found, generation })
}
