//! Deliveries of outside systems: verified over their raw bytes, kept, and answered. Their effect comes later.

use acts::Room;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use connect::door;
use connect::github::{Secret, Signing};
use jiff::Timestamp;
use model::file::Actor;
use model::refusal::Refusal;
use serde_json::json;
use store::inbox::{self, NewDelivery};
use store::{Lane, Mode};

use crate::body::{Chunks, check_length, read_all};
use crate::failure::Failure;
use crate::files::NewFile;
use crate::route::Places;
use crate::state::AppState;

/// The largest delivery, in bytes: what GitHub sends at most.
const LIMIT: u64 = 25 * 1024 * 1024;
/// How much of a delivery is held in memory before its signature is known, in bytes.
const HELD: usize = 256 * 1024;
/// The largest delivery of a system that does not sign as GitHub does, in bytes: it is read before it is believed.
const OTHERS: u64 = 2 * 1024 * 1024;
/// The longest name of a delivery or of an event, in characters.
const NAME_LIMIT: usize = 200;

/// `POST /hooks/{connection}`.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route("/hooks/{connection}", post(receive))
}

async fn receive(
    State(state): State<AppState>,
    mut places: Places,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let connection = places.take(0);
    check_length(&headers, LIMIT)?;
    let found = find(&state, &connection).await?;
    let now = state.desk().tools().clock.now();
    let bytes = match read_verified(&state, &found, &headers, body, now).await? {
        Ok(bytes) => bytes,
        Err(doubt) => return Err(turn_away(&state, &found.tenant, connection, doubt).await),
    };
    let text = |name: &str| header(&headers, name);
    let digest = proof::crypto::digest_text(&bytes);
    let answer = answer_to(&found.kind, &bytes, &digest);
    let kept = door::keep(&found.kind, &text, bytes).map_err(|aside| {
        Failure::new(
            400,
            "malformed",
            format!("The delivery cannot be kept: {}.", aside.reason),
        )
    })?;
    let delivery_id = Some(kept.delivery_id)
        .filter(|id| !id.is_empty())
        .unwrap_or_else(|| digest.clone());
    if kept.event.len() > NAME_LIMIT || delivery_id.len() > NAME_LIMIT {
        return Err(Failure::new(400, "malformed", "A header of the delivery is too long."));
    }
    // The attributes of a CloudEvent in binary mode stand beside its body, so that a body may well come twice.
    let digest = proof::crypto::digest_text(&kept.body);
    let keep = move |room: &mut Room<'_, '_>| {
        let id = room.new_id()?;
        let delivery = NewDelivery {
            id: &id,
            connection: &connection,
            delivery_id: &delivery_id,
            body_digest: &digest,
            event: &kept.event,
            received_at: room.now,
            body: &kept.body,
        };
        Ok(inbox::receive(room.tx, &delivery)?)
    };
    let is_new = state
        .act_as(Lane::Acts, &found.tenant, Actor::system(), Mode::Write, keep)
        .await?;
    let answer = answer.unwrap_or_else(|| json!({"kept": is_new}));
    Ok((StatusCode::ACCEPTED, axum::Json(answer)).into_response())
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
    let bytes = read_all(body, OTHERS).await?;
    let text = |name: &str| header(headers, name);
    Ok(door::verify(&found.kind, &found.secret, &text, &bytes, now).map(|()| bytes))
}

/// Reads a body and holds it against its signature. Anybody may send one, so until it is known to be signed a long one
/// stands in a file. `None` when it is not signed.
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
                file.write(&chunk).await?;
            }
            None if bytes.len() + chunk.len() <= HELD => bytes.extend_from_slice(&chunk),
            None => {
                let mut begun = NewFile::begin(state).await?;
                begun.write(&std::mem::take(&mut bytes)).await?;
                begun.write(&chunk).await?;
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

/// PagerDuty's senders read the answer; others only its status.
fn answer_to(kind: &str, body: &[u8], digest: &str) -> Option<serde_json::Value> {
    let key = || connect::pagerduty::dedup_key(body).unwrap_or_else(|| digest.to_owned());
    (kind == "pagerduty").then(|| json!({"status": "success", "message": "Event processed", "dedup_key": key()}))
}

/// Counts a delivery that is not the sender's, with its reason, where an administrator sees it.
async fn turn_away(state: &AppState, tenant: &str, connection: String, doubt: door::Doubt) -> Failure {
    state.metrics().note_refused_delivery();
    let count = move |room: &mut Room<'_, '_>| {
        let now = room.now;
        Ok(inbox::turn_away(room.tx, &connection, (doubt.code, doubt.text), now)?)
    };
    match state
        .act_as(Lane::Worker, tenant, Actor::system(), Mode::Write, count)
        .await
    {
        Ok(()) => Failure::new(401, doubt.code, doubt.text),
        Err(failure) => failure,
    }
}

/// A connection that takes deliveries.
struct Found {
    tenant: String,
    kind: String,
    secret: String,
}

/// The tenant, the kind and the secret of a connection that takes deliveries.
async fn find(state: &AppState, connection: &str) -> Result<Found, Failure> {
    let absent = || Failure::from(acts::Error::from(Refusal::not_found("connection")));
    if connection.len() > 64 {
        return Err(absent());
    }
    let id = connection.to_owned();
    let look = move |tx: &mut store::CrossTx<'_>| Ok(store::servers::tenant_of_connection(tx, &id)?);
    let tenant = state.across(Lane::Pages, "whose connection is it", Mode::Read, look);
    let tenant = tenant.await?.ok_or_else(absent)?;
    let id = connection.to_owned();
    let look = move |room: &mut Room<'_, '_>| match acts::set_connection::connection(room, &id) {
        Ok(found) if found.active => Ok(Some((found.kind, acts::set_connection::connection_secret(room, &id)?))),
        Ok(_) | Err(acts::Error::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    };
    let (kind, secret) = state
        .act_as(Lane::Pages, &tenant, Actor::system(), Mode::Read, look)
        .await?
        .ok_or_else(absent)?;
    let secret = String::from_utf8(secret).map_err(|_| Failure::fault(&"a connection's secret is no text"))?;
    Ok(Found { tenant, kind, secret })
}
