//! The REST API, `/api/v1`: tables of routes, one file a group, and the few doors that are not plain acts.

mod around;
mod changes;
mod estate;
mod evidence;
mod gate;
mod log;
mod reference;
mod session;
mod stream;

use axum::Router;

use crate::route::{Route, routes};
use crate::state::AppState;

/// Every table, for the router and for the reference.
pub(crate) const TABLES: &[&[Route]] =
    &[changes::ROUTES, around::ROUTES, around::ITEMS, gate::ROUTES, estate::ROUTES, estate::ACCESS, log::ROUTES];

/// The whole API.
pub(crate) fn router() -> Router<AppState> {
    let plain = TABLES.iter().fold(Router::new(), |router, table| router.merge(routes(table)));
    plain
        .merge(evidence::router())
        .merge(gate::router())
        .merge(session::router())
        .merge(stream::router())
        .merge(log::router())
        .merge(reference::router())
}
