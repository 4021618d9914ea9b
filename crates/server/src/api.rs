//! The REST API, `/api/v1`: tables of routes, one file a group, and the few doors that are not plain acts.

mod around;
mod attestations;
mod boards;
mod bulk;
mod changes;
mod configuration;
mod custom_fields;
mod directory;
mod estate;
mod evidence;
mod evidence_file;
pub(crate) mod gate;
mod gateways;
mod identity;
mod imports;
mod inbound;
mod keys;
mod log;
mod mapping;
mod passkeys;
mod reference;
mod session;
pub(crate) mod stream;
mod views;
mod webhooks;
mod witnesses;

pub(crate) use changes::{artifact_of, commit_of};
pub(crate) use inbound::read_again;

use axum::Router;

use crate::address::BASE;
use crate::route::{Route, routes};
use crate::state::AppState;

/// Every table.
pub(crate) const TABLES: &[&[Route]] = &[
    changes::ROUTES,
    around::ROUTES,
    around::ITEMS,
    gate::ROUTES,
    gateways::ROUTES,
    estate::ROUTES,
    estate::ACCESS,
    configuration::ROUTES,
    directory::ROUTES,
    custom_fields::ROUTES,
    views::ROUTES,
    boards::ROUTES,
    identity::ROUTES,
    imports::ROUTES,
    log::ROUTES,
    keys::ROUTES,
    witnesses::ROUTES,
    webhooks::ROUTES,
    inbound::ROUTES,
    mapping::ROUTES,
    attestations::ROUTES,
];

/// The whole API.
pub(crate) fn router() -> Router<AppState> {
    let plain = TABLES
        .iter()
        .fold(Router::new(), |router, table| router.merge(routes(table)));
    plain
        .merge(bulk::router())
        .merge(evidence::router())
        .merge(gateways::router())
        .merge(session::router())
        .merge(passkeys::router())
        .merge(stream::router())
        .merge(log::router())
        .merge(reference::router())
}

/// The part of it that machines ask in numbers.
pub(crate) fn brief() -> Router<AppState> {
    gate::router()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Whatever the tables serve, the document tells; `tests/doors` looks the other way round.
    #[test]
    fn every_row_is_documented_and_stands_once() {
        let told: BTreeSet<(String, String)> = wire::openapi::routes()
            .iter()
            .map(|it| (it.method.to_owned(), it.path.clone()))
            .collect();
        let mut seen = BTreeSet::new();
        let mut untold = Vec::new();
        for route in TABLES.iter().flat_map(|table| table.iter()) {
            let row = (route.method.to_owned(), format!("{BASE}{}", route.path));
            assert!(seen.insert(row.clone()), "{row:?} stands twice");
            assert!(route.summary.ends_with('.'), "{row:?}");
            if !told.contains(&row) {
                untold.push(row);
            }
        }
        assert!(untold.is_empty(), "{untold:#?}");
    }

    /// Whoever follows the document sends `If-Match` where it is asked for, and nowhere else.
    #[test]
    fn the_document_asks_for_if_match_where_the_door_does() {
        let told: BTreeSet<(&str, String)> = wire::openapi::routes()
            .iter()
            .filter(|it| it.is_conditional)
            .map(|it| (it.method, it.path.clone()))
            .collect();
        let asked: BTreeSet<(&str, String)> = TABLES
            .iter()
            .flat_map(|table| table.iter())
            .filter(|route| route.current.is_some())
            .map(|route| (route.method, format!("{BASE}{}", route.path)))
            .collect();
        let differing: Vec<_> = told.symmetric_difference(&asked).collect();
        assert!(differing.is_empty(), "{differing:#?}");
    }
}
