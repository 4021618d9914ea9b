//! This tenant as a witness of other logs (C2SP tlog-witness). `add-checkpoint` needs no credential, as the signature of the
//! log authenticates a checkpoint.

use acts::Context;
use acts::audit::outside_proofs::witness_log::{Witnessed, witness_log};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use model::change::change_file::Actor;
use model::core::refusal::Refusal;
use proof::note::witness::SIZE_MEDIA_TYPE;
use store::{Lane, Mode};

use crate::http::failure::Failure;
use crate::http::route::Places;
use crate::http::state::AppState;

/// The largest request that is taken, in bytes: a checkpoint with a hundred lines and its proof is far below.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The routes.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route(
        "/t/{tenant}/witness/add-checkpoint",
        post(add_checkpoint).layer(DefaultBodyLimit::max(MAX_BODY_BYTES)),
    )
}

async fn add_checkpoint(State(state): State<AppState>, mut places: Places, body: Bytes) -> Result<Response, Failure> {
    let tenant = places.take(0);
    if store::check_tenant(&tenant).is_err() {
        return Err(acts::Error::from(Refusal::not_found("log")).into());
    }
    let act = move |cx: &mut Context<'_, '_>| witness_log(cx, &body);
    let done = state
        .act_as(Lane::Worker, &tenant, Actor::system(), Mode::Write, act)
        .await?;
    Ok(match done {
        Witnessed::Cosigned(line) => text(StatusCode::OK, line),
        Witnessed::Malformed(why) => text(StatusCode::BAD_REQUEST, format!("{why}\n")),
        Witnessed::UnknownLog => text(
            StatusCode::NOT_FOUND,
            "no log of this origin is watched here\n".to_owned(),
        ),
        Witnessed::NotSigned => {
            let why = "no trusted key of the log signed the checkpoint\n";
            text(StatusCode::FORBIDDEN, why.to_owned())
        }
        Witnessed::Conflict(size) => {
            let kind = [(header::CONTENT_TYPE, SIZE_MEDIA_TYPE)];
            (StatusCode::CONFLICT, kind, format!("{size}\n")).into_response()
        }
        Witnessed::NotConsistent => {
            let why = "the proof does not show that the log only grew\n";
            text(StatusCode::UNPROCESSABLE_ENTITY, why.to_owned())
        }
    })
}

fn text(status: StatusCode, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, text).into_response()
}
