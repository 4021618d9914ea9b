//! The stream of live events.

use acts::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;
use model::core::act;
use store::audit::log;
use store::{Lane, Mode};

use crate::http::address::BASE;
use crate::http::caller::{Caller, Scope};
use crate::http::failure::Failure;
use crate::http::route::query_of;
use crate::http::state::AppState;
use crate::http::{attempts, query_words};
use crate::notify::live_events::{Telling, open};

/// The stream.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route(&format!("{BASE}/stream"), get(stream))
}

/// The index in the header `Last-Event-ID`, if there is one (browsers send an empty header before the first event).
fn last_seen(headers: &HeaderMap) -> Result<Option<i64>, Failure> {
    let Some(value) = headers.get("last-event-id").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let index = value.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok());
    // A client with an invalid index would receive nothing, and would take the silence for no events.
    index.filter(|index| *index >= 0).map(Some).ok_or_else(|| {
        let text = "`Last-Event-ID` must be the `id` of an event of this stream, a whole number.";
        Failure::new(400, "malformed", text)
    })
}

async fn stream(
    State(state): State<AppState>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let last = last_seen(&headers)?;
    let query = query_of(&uri)?;
    let scope = caller.clone();
    let begin = move |cx: &mut Context<'_, '_>| {
        scope.check_scope(Scope::Read)?;
        cx.allow(act::actions::READ)?;
        query_words::check_parameters("/stream", &query)?;
        Ok(log::state(cx.tx)?.map_or(0, |log| log.size))
    };
    let size = state.act(Lane::Pages, &caller, Mode::Read, begin).await?;
    attempts::note_scope_use(&state, &caller, Scope::Read);
    if let Some(last) = last.filter(|last| *last >= size) {
        let text = format!(
            "`Last-Event-ID` {last} lies ahead of this log, which has {size} events: it is of another tenant, or of a time \
             before a restore. Read the events anew, or leave the header away to go on from now."
        );
        return Err(Failure::new(400, "malformed", text));
    }
    let from = last.map_or(size, |last| last.saturating_add(1).max(0));
    Ok(open(state, caller, Telling::Whole, from))
}
