//! The packs of the demo's months: each figure, and each list, is a count of the rows that it opens.

use jiff::Span;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::session::Session;
use tests::{Place, Server};

use crate::report::figures::{all, words};

/// The most rows of a list in a pack, and of a list on the page of a figure.
const MOST_IN_PACK: usize = 100;
const MOST_ON_PAGE: usize = 500;

/// The rows that a figure opens by the API, from the address that the pack names.
fn rows_behind(server: &Server, address: &str) -> Vec<Value> {
    let (metric, query) = address.split_once('?').unwrap();
    all(server, &format!("/api/v1{metric}/rows?{query}"))
}

/// The figure equals its rows, and its page shows them; of how many it is.
fn must_open_its_rows(server: &Server, reader: &Session<'_>, figure: &Value) -> i64 {
    let address = figure["rows"].as_str().unwrap();
    let rows = rows_behind(server, address);
    let found = words(&rows);
    let count = |word: &str| found.get(word).copied().unwrap_or_default();
    assert_eq!(figure["hits"], json!(count("hit")), "{address}: {figure}");
    assert_eq!(figure["of"], json!(count("hit") + count("miss")), "{address}: {figure}");
    let page = reader.get(&format!("/t/halden{address}"));
    assert_eq!(page.status, 200, "{address}");
    let counted = rows
        .iter()
        .filter(|row| row["counted"] == "hit" || row["counted"] == "miss");
    for row in counted.take(MOST_ON_PAGE) {
        let key = row["key"].as_str().unwrap();
        assert!(
            page.body.contains(&format!("/changes/{key}\"")),
            "{address} without {key}"
        );
    }
    count("hit") + count("miss")
}

/// A list of the pack holds the hits among the rows of its metric, all of them or as many as fit.
fn must_list_its_hits(server: &Server, pack: &Value, (list, metric): (&str, &str)) {
    let span = |name: &str| pack[name].as_str().unwrap().to_owned();
    let rows = rows_behind(
        server,
        &format!("/metrics/{metric}?from={}&to={}", span("from"), span("to")),
    );
    let keys = |rows: &[Value], field: &str| -> Vec<String> {
        let found = rows.iter().filter(|row| field != "key" || row["counted"] == "hit");
        found.map(|row| row[field].as_str().unwrap().to_owned()).collect()
    };
    let (mut hits, mut listed) = (keys(&rows, "key"), keys(pack[list].as_array().unwrap(), "change_key"));
    hits.truncate(MOST_IN_PACK);
    hits.sort();
    listed.sort();
    assert_eq!(listed, hits, "{list} of {}", pack["month"]);
}

#[test]
fn every_figure_of_a_pack_equals_the_rows_that_it_opens() {
    let place = Place::demo("packs");
    let server = Server::start(&place, true);
    let token = server.token("executive");
    eventually("the figures reach the end of the log", || {
        let shown = server.must("GET", "/api/v1/metrics/success_share", &token, None);
        shown["projected_to"] == shown["log_size"] && shown["of"].as_i64().is_some_and(|of| of > 0)
    });
    let reader = Session::begin(&server, "executive");
    let now = server.server_time();
    let mut counted = 0;
    let first = now.to_zoned(TimeZone::UTC).date().first_of_month();
    // Of the quarter that the demo fills: the month under way, and the two before it.
    for before in 0..3 {
        let month = first.checked_sub(Span::new().months(before)).unwrap();
        let month = month.strftime("%Y-%m").to_string();
        let pack = server.must("GET", &format!("/api/v1/board-packs/{month}"), &token, None);
        let figures = pack["figures"].as_array().unwrap();
        assert_eq!(figures.len(), 7, "{pack}");
        let of = figures.iter().map(|it| must_open_its_rows(&server, &reader, it));
        counted += of.sum::<i64>();
        for list in [("failures", "change_failure_rate"), ("emergencies", "emergency_volume")] {
            must_list_its_hits(&server, &pack, list);
        }
    }
    assert!(counted > 20, "{counted} rows are behind the figures of a quarter");
}
