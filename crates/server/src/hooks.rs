//! Deliveries of outside systems: verified over their raw bytes, kept, and answered. Their effect comes later.

use acts::Room;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use connect::github::{Secret, Signing};
use model::file::Actor;
use model::refusal::Refusal;
use serde_json::json;
use store::inbox::{self, NewDelivery};
use store::{Lane, Mode};

use crate::body::{Chunks, check_length};
use crate::failure::Failure;
use crate::files::NewFile;
use crate::route::Places;
use crate::state::AppState;

/// The largest delivery, in bytes: what GitHub sends at most.
const LIMIT: u64 = 25 * 1024 * 1024;
/// How much of a delivery is held in memory before its signature is known, in bytes.
const HELD: usize = 256 * 1024;
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
    let (tenant, secret) = find(&state, &connection).await?;
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let bytes = read_signed(&state, body, &secret, &text("x-hub-signature-256")).await?;
    let event = text("x-github-event");
    let digest = proof::crypto::digest_text(&bytes);
    let delivery_id = Some(text("x-github-delivery"))
        .filter(|id| !id.is_empty())
        .unwrap_or_else(|| digest.clone());
    if event.len() > NAME_LIMIT || delivery_id.len() > NAME_LIMIT {
        return Err(Failure::new(400, "malformed", "A header of the delivery is too long."));
    }
    let keep = move |room: &mut Room<'_, '_>| {
        let id = room.new_id()?;
        let delivery = NewDelivery {
            id: &id,
            connection: &connection,
            delivery_id: &delivery_id,
            body_digest: &digest,
            event: &event,
            received_at: room.now,
            body: &bytes,
        };
        Ok(inbox::receive(room.tx, &delivery)?)
    };
    let is_new = state
        .act_as(Lane::Acts, &tenant, Actor::system(), Mode::Write, keep)
        .await?;
    Ok((StatusCode::ACCEPTED, axum::Json(json!({"kept": is_new}))).into_response())
}

/// Reads a body and holds it against its signature. Anybody may send one, so until it is known to be signed a long one
/// stands in a file.
async fn read_signed(state: &AppState, body: Body, secret: &Secret, signature: &str) -> Result<Vec<u8>, Failure> {
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
        state.metrics().note_refused_delivery();
        return Err(Failure::new(
            401,
            "bad_signature",
            "The signature does not fit the body and this connection's secret.",
        ));
    }
    match file {
        Some(mut file) => {
            let whole = file.bytes(usize::try_from(LIMIT).unwrap_or(usize::MAX)).await?;
            whole.ok_or_else(|| Failure::fault(&"a delivery grew while it was read"))
        }
        None => Ok(bytes),
    }
}

/// The tenant and the secret of a connection that takes deliveries.
async fn find(state: &AppState, connection: &str) -> Result<(String, Secret), Failure> {
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
        Ok(found) if found.active => Ok(Some(acts::set_connection::connection_secret(room, &id)?)),
        Ok(_) | Err(acts::Error::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    };
    let secret = state
        .act_as(Lane::Pages, &tenant, Actor::system(), Mode::Read, look)
        .await?
        .ok_or_else(absent)?;
    let secret = Secret::new(&secret).ok_or_else(|| Failure::fault(&"a connection's secret is too short"))?;
    Ok((tenant, secret))
}
