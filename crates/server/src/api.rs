//! The REST API, `/api/v1`: tables of routes, one file a group, and the few endpoints that are no plain acts.

mod approval;
mod audit;
mod cab;
pub(crate) mod change;
mod compliance;
mod directory;
pub(crate) mod emergency;
pub(crate) mod gate;
mod identity;
mod incident;
pub(crate) mod integration;
mod notify;
mod policy;
pub(crate) mod report;
mod risk;
mod schedule;
mod shared;

use std::sync::OnceLock;

use axum::Router;

use crate::http::route::{Route, routes};
use crate::http::state::AppState;

/// Every route of a table, with the description of its row in `wire`.
pub(crate) fn rows() -> &'static [Route] {
    static ROWS: OnceLock<Vec<Route>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let own = TABLES.iter().flat_map(|table| table.iter());
        own.chain(&shared::nouns::routes()).map(Route::with_row).collect()
    })
}

const TABLES: &[&[Route]] = &[
    approval::absences::ROUTES,
    directory::access_reviews::ROUTES,
    approval::approvals::ROUTES,
    change::items::ROUTES,
    gate::attestations::ROUTES,
    cab::boards::ROUTES,
    cab::lessons::ROUTES,
    cab::meetings::ROUTES,
    emergency::break_glass::ROUTES,
    emergency::cards::ROUTES,
    schedule::calendar::ROUTES,
    change::changes::ROUTES,
    policy::configurations::ROUTES,
    integration::connections::ROUTES,
    schedule::windows_freezes::ROUTES,
    gate::questions::ROUTES,
    gate::gateways::ROUTES,
    schedule::business_calendars::ROUTES,
    schedule::planning::ROUTES,
    identity::sign_in_methods::ROUTES,
    directory::imports::ROUTES,
    integration::deliveries::ROUTES,
    incident::incidents::ROUTES,
    incident::learning::ROUTES,
    audit::keys::ROUTES,
    audit::log::ROUTES,
    audit::samples::ROUTES,
    audit::mandates::ROUTES,
    policy::mapping::ROUTES,
    directory::ownership_lines::ROUTES,
    directory::people::ROUTES,
    gate::permits::ROUTES,
    compliance::control_reports::ROUTES,
    compliance::reconciliation::ROUTES,
    compliance::archive::ROUTES,
    compliance::retention::ROUTES,
    risk::adjustments::ROUTES,
    risk::affected::ROUTES,
    risk::forecasts::ROUTES,
    risk::matrix::ROUTES,
    risk::risk_table::ROUTES,
    directory::services::ROUTES,
    directory::vendors::ROUTES,
    change::versions::ROUTES,
    change::waves::ROUTES,
    approval::sla_table::ROUTES,
    incident::major_severity::ROUTES,
    incident::watch_table::ROUTES,
    incident::drift::ROUTES,
    incident::what_changed::ROUTES,
    notify::action_items::ROUTES,
    notify::communications::ROUTES,
    notify::preferences::ROUTES,
    change::templates::ROUTES,
    identity::tokens::ROUTES,
    report::metrics::ROUTES,
    report::metric_parts::ROUTES,
    report::dashboards::ROUTES,
    report::saved_views::ROUTES,
    report::search::ROUTES,
    integration::webhooks::ROUTES,
    integration::sinks::ROUTES,
    integration::foreign::ROUTES,
    integration::history::ROUTES,
    audit::witnesses::ROUTES,
];

/// The whole API.
pub(crate) fn router() -> Router<AppState> {
    routes(rows())
        .merge(change::bulk::router())
        .merge(change::evidence::router())
        .merge(gate::gateways::router())
        .merge(identity::session::router())
        .merge(identity::passkeys::router())
        .merge(incident::monitoring::router())
        .merge(notify::stream::router())
        .merge(audit::log::router())
        .merge(audit::samples::router())
        .merge(compliance::control_reports::router())
        .merge(cab::boards::router())
        .merge(audit::witness::router())
        .merge(report::dashboards::router())
        .merge(report::exports::router())
        .merge(shared::openapi::router())
}

/// The routes that machines call frequently.
pub(crate) fn brief() -> Router<AppState> {
    gate::questions::router()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::address::BASE;

    /// The document lists all routes of the tables; `tests/doors` checks the other direction.
    #[test]
    fn every_row_is_documented_and_stands_once() {
        let told: BTreeSet<(String, String)> = wire::openapi::routes()
            .iter()
            .map(|it| (it.method.to_owned(), it.path.clone()))
            .collect();
        let mut seen = BTreeSet::new();
        let mut untold = Vec::new();
        for route in rows() {
            let row = (route.method.to_owned(), format!("{BASE}{}", route.path));
            assert!(seen.insert(row.clone()), "{row:?} stands twice");
            if !told.contains(&row) {
                untold.push(row);
            }
        }
        assert!(untold.is_empty(), "{untold:#?}");
    }

    /// A client that follows the document sends `If-Match` where it is required, and nowhere else.
    #[test]
    fn the_document_asks_for_if_match_where_the_door_does() {
        let told: BTreeSet<(&str, String)> = wire::openapi::routes()
            .iter()
            .filter(|it| it.is_conditional)
            .map(|it| (it.method, it.path.clone()))
            .collect();
        let asked: BTreeSet<(&str, String)> = rows()
            .iter()
            .filter(|route| route.current.is_some())
            .map(|route| (route.method, format!("{BASE}{}", route.path)))
            .collect();
        let differing: Vec<_> = told.symmetric_difference(&asked).collect();
        assert!(differing.is_empty(), "{differing:#?}");
    }
}
