//! Live events (SSE): events with a place in the log, by their index, so that a range is final once it was read.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use acts::Context;
use axum::response::Response;
use axum::response::sse::Event;
use model::core::act;
use store::audit::event;
use store::{Lane, Mode};
use tokio::sync::mpsc;
use wire::views;

use crate::http::caller::Caller;

use crate::http::failure::Failure;
use crate::http::outside_mask;
use crate::http::state::AppState;
use crate::notify::event_stream::event_stream;

/// How many events one look takes.
const BATCH: i64 = 100;

/// How often a stream looks by itself.
const LOOK: Duration = Duration::from_secs(1);

/// Events that change nothing on a page of the whole tenant: letters, gate requests, and auditors' accesses.
const NO_NEWS: &[&str] = &["message.", "gate.", "auditor_look."];

/// A stream ends after this time, so that its reader has to authenticate again.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// An event ready to be sent: its index, its kind and its text.
struct Line {
    index: i64,
    kind: String,
    text: String,
}

/// The data that a stream sends of each event.
#[derive(Clone)]
pub(crate) enum Telling {
    /// All data of the API, under the event's own name.
    Whole,
    /// For a page: the fact that a change, or the changes and the directory of the tenant, had an event. Browsers deliver
    /// events without a name to every listener, so that a page need not know all names.
    News {
        about: Option<String>,
        /// The events that the page shows already.
        shown: BTreeSet<String>,
    },
}

/// The news of a tenant for a page: of one change by its id, or of all, without events that the page shows already. `from` is
/// the size of the log when the page was made.
pub(crate) fn news(
    state: AppState,
    caller: Caller,
    (about, shown): (Option<String>, BTreeSet<String>),
    from: i64,
) -> Response {
    open(state, caller, Telling::News { about, shown }, from)
}

pub(crate) fn open(state: AppState, caller: Caller, telling: Telling, from: i64) -> Response {
    let (send, receive) = mpsc::channel(64);
    let feed = feed(state, caller, telling, from, send);
    tokio::spawn(async move {
        // A stream that is not read to its end, or whose reader disconnected, ends with its channel.
        let _ = tokio::time::timeout(LIFE, feed).await;
    });
    event_stream(receive)
}

async fn feed(
    state: AppState,
    caller: Caller,
    telling: Telling,
    mut from: i64,
    send: mpsc::Sender<Result<Event, Infallible>>,
) {
    let mut bell = state.bells().listen(&caller.tenant);
    while !send.is_closed() && !state.bells().is_stopping() {
        let Ok((lines, seen)) = look(&state, &caller, &telling, from).await else {
            return;
        };
        let is_full = seen - from >= BATCH;
        from = seen;
        for line in lines {
            let event = Event::default().id(line.index.to_string()).data(line.text);
            let event = match telling {
                Telling::Whole => event.event(line.kind),
                Telling::News { .. } => event,
            };
            if send.send(Ok(event)).await.is_err() {
                return;
            }
        }
        if !is_full {
            let _ = tokio::time::timeout(LOOK, bell.changed()).await;
        }
    }
}

/// The lines of the next events, and the index behind the last event that was looked at.
async fn look(state: &AppState, caller: &Caller, telling: &Telling, from: i64) -> Result<(Vec<Line>, i64), Failure> {
    let (telling, reader) = (telling.clone(), caller.clone());
    let act = move |cx: &mut Context<'_, '_>| {
        reader.check_alive(cx)?;
        cx.allow(act::actions::READ)?;
        let directory = cx.directory()?;
        let scope = cx.scope()?;
        let is_scoped = scope.is_some();
        // An auditor's accesses under a mandate are recorded record by record, which is impossible for a stream.
        let is_bound = scope.is_some_and(|scope| scope.is_bound());
        let events = event::page(cx.tx, from, BATCH)?;
        let seen = from + i64::try_from(events.len()).unwrap_or(BATCH);
        let mut lines = Vec::new();
        for event in events {
            let index = event.seq.unwrap_or(from);
            // A scoped reader gets events of changes in the scope alone.
            if is_bound || is_scoped && (event.subject_table != "change" || cx.change(&event.subject_id).is_err()) {
                continue;
            }
            let text = match &telling {
                Telling::Whole => {
                    let mut shown = views::event(&event.bytes, Some(index), &directory);
                    outside_mask::mask_value(cx, &mut shown)?;
                    shown.to_string()
                }
                Telling::News { shown, .. } if shown.contains(&event.id) => continue,
                Telling::News { about, .. } if is_news(&event, about.as_deref()) => "news".to_owned(),
                Telling::News { .. } => continue,
            };
            lines.push(Line {
                index,
                kind: event.kind,
                text,
            });
        }
        Ok((lines, seen))
    };
    state.act(Lane::Pages, caller, Mode::Read, act).await
}

/// Whether a page should look again. Sent letters and gate decisions change no page of their own.
fn is_news(event: &event::Event, about: Option<&str>) -> bool {
    match about {
        Some(change) => event.subject_table == "change" && event.subject_id == change,
        None => !NO_NEWS.iter().any(|family| event.kind.starts_with(family)),
    }
}
