//! Live events (SSE): those that have their place in the log, by their index, so that a range once read is final.

use std::convert::Infallible;
use std::time::Duration;

use acts::Room;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use store::{Lane, Mode};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use wire::views;

use crate::caller::{Caller, Scope};
use crate::failure::Failure;
use crate::route::BASE;
use crate::state::AppState;

/// How many events one look takes.
const BATCH: i64 = 100;
/// How often a stream looks by itself.
const LOOK: Duration = Duration::from_secs(1);
/// After how many quiet looks a stream ends, so that its reader shows its credential again.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// The stream.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route(&format!("{BASE}/stream"), get(stream))
}

/// An event ready to be sent: its index, its kind and its text.
struct Line {
    index: i64,
    kind: String,
    text: String,
}

async fn stream(State(state): State<AppState>, caller: Caller, headers: HeaderMap) -> Result<Response, Failure> {
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
    let scope = caller.clone();
    let begin = move |room: &mut Room<'_, '_>| {
        scope.check_scope(Scope::Read)?;
        room.allow(model::act::actions::READ)?;
        Ok(store::log::state(room.tx)?.map_or(0, |log| log.size))
    };
    let size = state.act(Lane::Pages, &caller, Mode::Read, begin).await?;
    let from = last.map_or(size, |last| last.saturating_add(1).max(0));
    let (send, receive) = mpsc::channel(64);
    let feed = feed(state, caller, from, send);
    tokio::spawn(async move {
        // A stream that is not read to its end, or whose reader went away, ends with its channel.
        let _ = tokio::time::timeout(LIFE, feed).await;
    });
    Ok(Sse::new(ReceiverStream::new(receive))
        .keep_alive(KeepAlive::default())
        .into_response())
}

async fn feed(state: AppState, caller: Caller, mut from: i64, send: mpsc::Sender<Result<Event, Infallible>>) {
    let mut bell = state.bells().listen(&caller.tenant);
    while !send.is_closed() && !state.bells().is_stopping() {
        let Ok(lines) = look(&state, &caller, from).await else {
            return;
        };
        let is_full = i64::try_from(lines.len()).is_ok_and(|count| count == BATCH);
        for line in lines {
            from = line.index + 1;
            let event = Event::default()
                .id(line.index.to_string())
                .event(line.kind)
                .data(line.text);
            if send.send(Ok(event)).await.is_err() {
                return;
            }
        }
        if !is_full {
            let _ = tokio::time::timeout(LOOK, bell.changed()).await;
        }
    }
}

async fn look(state: &AppState, caller: &Caller, from: i64) -> Result<Vec<Line>, Failure> {
    let act = move |room: &mut Room<'_, '_>| {
        room.allow(model::act::actions::READ)?;
        let directory = room.directory()?;
        let events = store::event::page(room.tx, from, BATCH)?;
        let line = |event: store::event::Event| {
            let index = event.seq.unwrap_or(from);
            let text = views::event(&event.bytes, Some(index), &directory).to_string();
            Line {
                index,
                kind: event.kind,
                text,
            }
        };
        Ok(events.into_iter().map(line).collect())
    };
    state.act(Lane::Pages, caller, Mode::Read, act).await
}
