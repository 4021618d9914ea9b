//! The REST API, `/api/v1`: tables of routes, one file a group, and the few doors that are not plain acts.

mod absences;
mod access_reviews;
mod approvals;
mod around;
mod attestations;
mod boards;
mod break_glass;
mod bulk;
mod calendar;
mod change_replies;
mod changes;
mod configuration;
mod configuration_views;
mod connections;
mod custom_fields;
mod evidence;
mod evidence_file;
mod freezes;
pub(crate) mod gate;
mod gateways;
mod hours;
mod identity;
mod imports;
mod inbound;
mod incidents;
mod keys;
mod log;
mod mapping;
mod outside_looks;
mod ownership_lines;
mod passkeys;
mod people;
mod permits;
mod records;
mod reference;
mod retention;
mod risk_table;
mod services;
mod session;
mod sla_table;
mod stream;
mod telling;
mod templates;
mod tokens;
mod views;
mod webhooks;
mod witnesses;

use axum::Router;

use crate::route::{Route, routes};
use crate::state::AppState;

/// Every table.
pub(crate) const TABLES: &[&[Route]] = &[
    absences::ROUTES,
    access_reviews::ROUTES,
    approvals::ROUTES,
    around::ROUTES,
    attestations::ROUTES,
    boards::ROUTES,
    break_glass::ROUTES,
    calendar::ROUTES,
    changes::ROUTES,
    configuration::ROUTES,
    connections::ROUTES,
    custom_fields::ROUTES,
    freezes::ROUTES,
    gate::ROUTES,
    gateways::ROUTES,
    hours::ROUTES,
    identity::ROUTES,
    imports::ROUTES,
    inbound::ROUTES,
    incidents::ROUTES,
    keys::ROUTES,
    log::ROUTES,
    mapping::ROUTES,
    outside_looks::ROUTES,
    ownership_lines::ROUTES,
    people::ROUTES,
    permits::ROUTES,
    retention::ROUTES,
    risk_table::ROUTES,
    services::ROUTES,
    sla_table::ROUTES,
    telling::ROUTES,
    templates::ROUTES,
    tokens::ROUTES,
    views::ROUTES,
    webhooks::ROUTES,
    witnesses::ROUTES,
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
    use crate::address::BASE;

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
