//! Candidates of an incident: ranked when it is opened, confirmed or cleared by a person with a reason that stays.

use serde_json::{Value, json};
use tests::journey::{SERVICE, artifact, scheduled};
use tests::session::Session;
use tests::{Place, Server};

/// A service of the demo that depends on [`SERVICE`].
const ABOVE: &str = "wms";

fn done(server: &Server, title: &str, number: u64) -> String {
    let path = scheduled(server, title, &artifact(number));
    let implementer = server.token("implementer");
    server.must(
        "POST",
        &format!("{path}/implementation"),
        &implementer,
        Some(&json!({})),
    );
    let body = json!({"outcome": "succeeded"});
    server.must("POST", &format!("{path}/completion"), &implementer, Some(&body));
    path.rsplit('/').next().unwrap().to_owned()
}

fn candidates(server: &Server, incident: &str) -> Value {
    let path = format!("/api/v1/incidents/{incident}/candidates");
    server.must("GET", &path, &server.token("commander"), None)
}

fn row<'a>(found: &'a Value, key: &str) -> &'a Value {
    let rows = found["items"].as_array().unwrap();
    rows.iter()
        .find(|row| row["change"] == key)
        .unwrap_or_else(|| panic!("no {key} in {found:#}"))
}

#[test]
fn candidates_are_found_below_a_service_and_judged_with_a_reason_that_stays() {
    let place = Place::demo("candidates");
    let server = Server::start(&place, true);
    let (one, other) = (
        done(&server, "Sharper labels", 91_001),
        done(&server, "Bolder labels", 91_002),
    );
    let commander = server.token("commander");
    let body = json!({"title": "The warehouse stands still", "severity": 2, "services": [ABOVE]});
    let incident = server.must("POST", "/api/v1/incidents", &commander, Some(&body));
    let key = incident["key"].as_str().unwrap();
    let found = candidates(&server, key);
    assert!(
        row(&found, &one)["verdict"].is_null() && row(&found, &other)["distance"] == 1,
        "{found:#}"
    );
    assert_eq!(found["sure"], false, "two alike: not sure");
    nothing_is_learned_yet(&found, &one);
    hours_are_set(&server, key);
    // The owner of a candidate below the service is notified, not accused.
    let messages = Session::begin(&server, "requester").get("/t/halden/messages").body;
    assert!(messages.contains(&format!("{key} began after")), "{messages}");
    let path = format!("/api/v1/incidents/{key}/candidates");
    let judge = |key: &str, confirmed: bool| json!({"change": key, "confirmed": confirmed, "reason": "The printer's log says so."});
    let (status, _) = server.ask(
        "POST",
        &path,
        Some(&server.token("requester")),
        Some(&judge(&one, true)),
    );
    assert_eq!(status, 403);
    let (status, _) = server.ask(
        "POST",
        &path,
        Some(&commander),
        Some(&json!({"change": one, "confirmed": true})),
    );
    assert_eq!(status, 422, "a verdict has a reason");
    server.must("POST", &path, &commander, Some(&judge(&other, false)));
    let found = server.must("POST", &path, &commander, Some(&judge(&one, true)));
    assert_eq!(row(&found, &one)["verdict"]["confirmed"], true, "{found:#}");
    assert_eq!(row(&found, &other)["verdict"]["reason"], "The printer's log says so.");
    let last = found["items"].as_array().unwrap().last().unwrap();
    assert_eq!(last["change"], other.as_str(), "what was cleared comes last");
    // The confirmed one is read from both sides.
    let change = server.must("GET", &format!("/api/v1/changes/{one}"), &server.token("owner"), None);
    assert!(change.to_string().contains(key), "{change:#}");
    let shown = server.must("GET", &format!("/api/v1/incidents/{key}"), &commander, None);
    assert_eq!(shown["cause_verdicts"].as_array().unwrap().len(), 2, "{shown:#}");
    assert_eq!(shown["change_related"], "confirmed", "{shown:#}");
    page_tells(&server, key);
    // Another verdict does not take the former one away.
    server.must("POST", &path, &commander, Some(&judge(&other, true)));
    let shown = server.must("GET", &format!("/api/v1/incidents/{key}"), &commander, None);
    assert_eq!(shown["cause_verdicts"].as_array().unwrap().len(), 3);
    assert_eq!(
        server
            .ask(
                "GET",
                &format!("/api/v1/incidents/{SERVICE}/candidates"),
                Some(&commander),
                None
            )
            .0,
        404
    );
}

/// An administrator sets how far back a service looks, and a fit of too few verdicts reports that.
fn hours_are_set(server: &Server, incident: &str) {
    let hours = json!({"service": ABOVE, "hours": 9, "reason": "Its batches run at night."});
    let commander = server.token("commander");
    let (status, _) = server.ask("POST", "/api/v1/cause-windows", Some(&commander), Some(&hours));
    assert_eq!(
        status, 403,
        "who leads an incident does not set where its cause is looked for"
    );
    let admin = server.token("admin");
    let mut none = hours.clone();
    none["hours"] = json!(0);
    assert_eq!(
        server.ask("POST", "/api/v1/cause-windows", Some(&admin), Some(&none)).0,
        422
    );
    server.must("POST", "/api/v1/cause-windows", &admin, Some(&hours));
    let found = candidates(server, incident);
    assert_eq!(
        (&found["hours"], &found["windows"][0]["origin"]),
        (&json!(9), &json!("set")),
        "{found:#}"
    );
    server.must("DELETE", &format!("/api/v1/cause-windows/{ABOVE}"), &admin, None);
    let model = server.must(
        "POST",
        "/api/v1/cause-models",
        &server.token("change_manager"),
        Some(&json!({"reason": "A first look."})),
    );
    assert_eq!(
        (&model["gap"], &model["verdicts"]),
        (&json!("too_few"), &json!(0)),
        "{model:#}"
    );
    assert!(model["fit"].is_object() && model["report"].is_null(), "{model:#}");
}

/// Nobody has judged anything, so there is no probability, and the response has the reason.
fn nothing_is_learned_yet(found: &Value, key: &str) {
    assert_eq!(
        (&found["gap"], &row(found, key)["probability_ppm"]),
        (&json!("too_few"), &Value::Null)
    );
    assert_eq!(
        found["windows"],
        json!([{"service": ABOVE, "hours": 4, "origin": "usual"}])
    );
    assert_eq!(found["change_related"], "suspected", "{found:#}");
}

fn page_tells(server: &Server, incident: &str) {
    let page = Session::begin(server, "commander").get(&format!("/t/halden/incidents/{incident}"));
    assert!(
        page.body.contains("Change-related") && page.body.contains("people judged too few candidates"),
        "{}",
        page.body
    );
}
