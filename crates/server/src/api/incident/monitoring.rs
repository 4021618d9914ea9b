//! The state of the files for Prometheus and of its last reload, with the raised monitors.

use acts::Context;
use acts::incident::raise_monitors::{Placed, find_placed};
use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::http::address::BASE;
use crate::http::caller::{Caller, Scope};
use crate::http::failure::Failure;
use crate::http::handler::get;
use crate::http::route::{Reply, query_of};
use crate::http::scoped::check_door;
use crate::http::state::AppState;
use crate::http::{attempts, query_words};
use crate::integration::monitoring_state::Seen;

const PATH: &str = "/monitoring-state";

/// The endpoint. It is no plain act, because the state is in the memory of this server.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route(&format!("{BASE}{PATH}"), get(monitoring_state))
}

async fn monitoring_state(State(state): State<AppState>, caller: Caller, uri: Uri) -> Result<Response, Failure> {
    let query = query_of(&uri)?;
    let seen = state.monitoring().seen(&caller.tenant);
    let asking = caller.clone();
    let act = move |cx: &mut Context<'_, '_>| {
        check_door(cx, "GET", PATH)?;
        asking.check_scope(Scope::Read)?;
        let placed = find_placed(cx)?;
        query_words::check_parameters(PATH, &query)?;
        Ok(view(&seen, &placed))
    };
    let body = state.act(Lane::Pages, &caller, Mode::Read, act).await?;
    attempts::note_scope_use(&state, &caller, Scope::Read);
    Ok(Reply::ok(body).into_response())
}

fn view(seen: &Seen, placed: &[Placed]) -> Value {
    let (place, files, reload) = (seen.place.as_ref(), seen.files.as_ref(), seen.reload.as_ref());
    json!({
        "folder": place.map(|it| it.folder.as_str()),
        "reloads": place.is_some_and(|it| it.reloads),
        "files_checked_at": files.map(|it| it.checked.at),
        "files_failed": files.and_then(|it| it.checked.failed.as_deref()),
        "files_written_at": files.and_then(|it| it.written_at),
        "reload_at": reload.map(|it| it.at),
        "reload_failed": reload.and_then(|it| it.failed.as_deref()),
        "left_out": files.map(|it| it.left_out.iter().collect::<Vec<_>>()).unwrap_or_default(),
        "raised": placed,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use jiff::Timestamp;

    use super::*;
    use crate::integration::monitoring_state::{Configured, MonitoringState};

    #[test]
    fn the_state_tells_of_a_failed_reload_and_of_rules_that_are_left_out() {
        let at: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let state = MonitoringState::default();
        let bare = view(&state.seen("acme"), &[]);
        assert_eq!(
            (&bare["folder"], &bare["reloads"], &bare["left_out"]),
            (&Value::Null, &json!(false), &json!([]))
        );
        state.configure(Some(Configured {
            folder: "/srv/prometheus".to_owned(),
            reloads: true,
        }));
        state.note_files("acme", at, Ok(true), ["bad".to_owned()]);
        state.note_reload(at, &Err("it answered 500".to_owned()));
        let told = view(&state.seen("acme"), &[]);
        assert_eq!(told["folder"], "/srv/prometheus");
        assert_eq!(told["files_written_at"], "2026-11-20T10:00:00Z");
        assert_eq!(told["reload_failed"], "it answered 500");
        assert_eq!(told["left_out"], json!(["bad"]));
    }
}
