//! Protocols of the calendar beside REST and pages: CalDAV, and the change calendars of AWS Systems Manager. Both authenticate
//! with the secret of a calendar feed.

mod caldav;
mod calendar_state;

use axum::Router;
use axum::routing::any;

use crate::http::handler::{plain, post};
use crate::http::state::AppState;

/// The routes.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/t/{tenant}/feed/{name}/ssm", post(calendar_state::show))
        .route("/t/{tenant}/caldav", any(plain(caldav::serve)))
        .route("/t/{tenant}/caldav/", any(plain(caldav::serve)))
        .route("/t/{tenant}/caldav/{*rest}", any(plain(caldav::serve)))
}
