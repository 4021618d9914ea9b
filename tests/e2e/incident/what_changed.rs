//! “What changed?”: one query about a service and its dependencies, by REST, as annotations, on the page and on the command
//! line.

use std::process::Command;

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::journey::{SERVICE, artifact, scheduled};
use tests::session::Session;
use tests::{Place, Server};

/// A service of the demo that depends on [`SERVICE`].
const ABOVE: &str = "wms";

fn asked(server: &Server, role: &str, query: &str) -> (u16, Value) {
    let (status, bytes) = server.get(&format!("/api/v1/what-changed{query}"), Some(&server.token(role)));
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// A change whose work is done; its key.
fn done(server: &Server, title: &str, number: u64, outcome: &str) -> String {
    let path = scheduled(server, title, &artifact(number));
    let implementer = server.token("implementer");
    server.must(
        "POST",
        &format!("{path}/implementation"),
        &implementer,
        Some(&json!({})),
    );
    let body = json!({"outcome": outcome});
    server.must("POST", &format!("{path}/completion"), &implementer, Some(&body));
    path.rsplit('/').next().unwrap().to_owned()
}

/// Of a ranking the rows of these changes: the demo's own changes are there as well.
fn rows(answer: &Value, keys: &[&str]) -> Vec<Value> {
    let mut rows = answer["items"].as_array().unwrap().clone();
    rows.retain(|row| keys.iter().any(|key| row["change"] == *key));
    rows
}

#[test]
fn what_changed_on_a_service_and_below_it_is_ranked_and_bounded_by_time() {
    let place = Place::demo("what-changed");
    let server = Server::start(&place, true);
    let began: Timestamp = server.server_time();
    let good = done(&server, "Sharper labels", 90_001, "succeeded");
    let bad = done(&server, "Bolder labels", 90_002, "rolled_back");
    let keys = [good.as_str(), bad.as_str()];
    let (status, own) = asked(&server, "owner", &format!("?service={SERVICE}"));
    assert_eq!(status, 200, "{own:#}");
    let found = rows(&own, &keys);
    assert_eq!(found.len(), 2, "{own:#}");
    assert_eq!(
        (&found[0]["change"], &found[0]["failed"]),
        (&json!(bad), &json!(true)),
        "the failure comes first"
    );
    assert!(found.iter().all(|row| row["distance"] == 0), "{found:#?}");
    let (_, above) = asked(&server, "owner", &format!("?service={ABOVE}&hours=2"));
    let far = rows(&above, &keys);
    assert!(
        far.len() == 2 && far.iter().all(|row| row["distance"] == 1),
        "{above:#}"
    );
    assert!(far[0]["score"].as_i64() < found[0]["score"].as_i64());
    // Before the work began nothing of it is listed.
    let (_, before) = asked(&server, "owner", &format!("?service={SERVICE}&before={began}"));
    assert!(rows(&before, &keys).is_empty(), "{before:#}");
    let path = format!(
        "/annotations?service={SERVICE}&from={}&to={}",
        began.as_millisecond() - 60_000,
        server.server_time().as_millisecond() + 60_000
    );
    let (status, annotations) = asked(&server, "owner", &path);
    assert_eq!(status, 200, "{annotations:#}");
    let mut titles = annotations["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["title"].as_str().unwrap());
    assert!(
        titles.any(|title| title == format!("{bad}: Bolder labels")),
        "{annotations:#}"
    );
    let page = Session::begin(&server, "owner").get(&format!("/t/halden/what-changed?service={ABOVE}"));
    assert!(page.status == 200 && page.body.contains(&bad) && page.body.contains("Bolder labels"));
    let told = Command::new(tests::binary())
        .args(["what-changed", ABOVE, "--server", &server.url])
        .env("ASSENT_TOKEN", server.token("owner"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&told.stdout);
    assert!(
        told.status.success() && text.contains(&bad),
        "{text} {}",
        String::from_utf8_lossy(&told.stderr)
    );
}

#[test]
fn a_question_that_cannot_be_answered_is_refused_and_a_vendor_asks_about_their_own_services_alone() {
    let place = Place::demo("what-changed-refused");
    let server = Server::start(&place, true);
    for (query, field) in [
        ("", "service"),
        ("?service=lable-print", "service"),
        ("?item=nothing", "item"),
        ("?service=label-print&hours=0", "hours"),
        ("?service=label-print&hours=all", "hours"),
        ("?service=label-print&before=yesterday", "before"),
        ("/annotations?service=label-print&from=2000&to=1000", "to"),
    ] {
        let (status, told) = asked(&server, "owner", query);
        assert_eq!(
            (status, &told["errors"][0]["field"]),
            (422, &json!(field)),
            "{query}: {told:#}"
        );
    }
    let key = done(&server, "Sharper labels", 90_003, "succeeded");
    let (status, own) = asked(&server, "vendor", &format!("?service={SERVICE}"));
    assert_eq!((status, rows(&own, &[&key]).len()), (200, 1), "{own:#}");
    let (status, told) = asked(&server, "vendor", &format!("?service={ABOVE}"));
    assert_eq!(status, 422, "what lies outside is unknown: {told:#}");
}
