//! Live updates for open pages: a stream with the message “look again”, for one change or for everything.
//!
//! The stream carries nothing else. The page requests itself anew, so that the content passes the same endpoint, the same
//! rights and the same template as the first time.

use std::collections::BTreeSet;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use model::core::act::actions;
use store::audit::log;
use store::{Lane, Mode};

use crate::http::state::AppState;
use crate::notify::live_events;
use crate::web::shared::problem::bare_problem;
use crate::web::shared::view::Visitor;

/// The page's subscription.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct LiveQuery {
    about: Option<String>,
    from: Option<i64>,
    /// The events without a place that the page showed when it was made, a point between two.
    shown: Option<String>,
}

/// The stream behind a page.
pub(crate) async fn stream(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(asked): Query<LiveQuery>,
    headers: HeaderMap,
) -> Response {
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
    let from = last.map(|last| last.saturating_add(1)).or(asked.from);
    let shown = asked.shown.as_deref().unwrap_or_default().split('.');
    let shown: BTreeSet<String> = shown.map(str::to_owned).collect();
    let begin = move |cx: &mut acts::Context<'_, '_>| {
        cx.allow(actions::READ)?;
        let about = match &asked.about {
            Some(key) => Some(cx.file(key)?.change.id.0),
            None => None,
        };
        Ok((about, log::state(cx.tx)?.map_or(0, |log| log.size)))
    };
    match state.act(Lane::Pages, &visitor.caller, Mode::Read, begin).await {
        // An index beyond the log's end is of another log; that page gets updates from now on.
        Ok((about, size)) => {
            let from = from.unwrap_or(size).clamp(0, size);
            live_events::news(state, visitor.caller, (about, shown), from)
        }
        Err(failure) => bare_problem(&failure),
    }
}
