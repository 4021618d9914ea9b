//! From outages to a lasting fix: links read from both ends, reviews that must be complete, a problem from three failures, and pages
//! for all of it.

use serde_json::{Value, json};
use tests::journey::{SERVICE, artifact, scheduled};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

fn post(server: &Server, role: &str, path: &str, body: &Value) -> Value {
    server.must("POST", &format!("/api/v1{path}"), &server.token(role), Some(body))
}

fn get(server: &Server, role: &str, path: &str) -> Value {
    server.must("GET", &format!("/api/v1{path}"), &server.token(role), None)
}

fn status(server: &Server, role: &str, path: &str, body: &Value) -> u16 {
    server
        .ask("POST", &format!("/api/v1{path}"), Some(&server.token(role)), Some(body))
        .0
}

fn incident(server: &Server, title: &str) -> String {
    let body = json!({"title": title, "severity": 3, "services": [SERVICE]});
    let made = post(server, "commander", "/incidents", &body);
    made["key"].as_str().unwrap().to_owned()
}

/// A change whose work succeeded; its key.
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

fn review(key: &str) -> Value {
    json!({"incident_key": key, "summary": "The queue was full.", "cause": "capacity", "is_complete": true})
}

#[test]
fn an_outage_is_linked_reviewed_and_becomes_a_problem_with_a_fix() {
    let place = Place::demo("learning");
    let server = Server::start(&place, true);
    let change = done(&server, "Sharper labels", 93_001);
    let first = incident(&server, "Labels stop");
    is_linked_from_both_ends(&server, &change, &first);
    is_reviewed(&server, &change, &first);
    for title in ["Labels stop again", "Labels stop still"] {
        let key = incident(&server, title);
        post(&server, "change_manager", "/incident-reviews", &review(&key));
    }
    let problem = becomes_a_problem(&server);
    has_pages(&server, &first, &problem);
    server.wait_for_log();
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

fn is_linked_from_both_ends(server: &Server, change: &str, incident: &str) {
    let body = json!({"from": change, "kind": "caused", "to": incident, "reason": "The log says so."});
    assert_eq!(status(server, "requester", "/record-links", &body), 403);
    let link = post(server, "change_manager", "/record-links", &body);
    assert_eq!(
        (&link["is_of_change"], &link["origin"]),
        (&json!(true), &json!("person")),
        "{link:#}"
    );
    assert_eq!(
        status(server, "change_manager", "/record-links", &body),
        422,
        "it is there already"
    );
    let reads = |key: &str| {
        let found = get(server, "owner", &format!("/record-links/of/{key}"));
        found["items"][0]["reads"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(
        (reads(change), reads(incident)),
        ("caused".to_owned(), "caused by".to_owned())
    );
    // The change's own links match, and its outcome is revised.
    let shown = get(server, "owner", &format!("/changes/{change}"));
    assert_eq!(shown["outcome"], "succeeded_with_issues", "{shown:#}");
}

fn is_reviewed(server: &Server, change: &str, incident: &str) {
    assert_eq!(
        status(server, "change_manager", "/incident-reviews", &review(incident)),
        409
    );
    let draft = get(server, "owner", &format!("/incident-reviews/{incident}/draft"));
    assert_eq!(draft["changes"][0]["key"], change, "{draft:#}");
    assert!(
        draft["changes"][0]["decided_by"]
            .as_array()
            .is_some_and(|it| !it.is_empty())
    );
    let answer = json!({"incident_key": incident, "change_key": change, "rating": "too_low", "steps_adequate": false});
    post(server, "change_manager", "/review-answers", &answer);
    post(server, "change_manager", "/incident-reviews", &review(incident));
    let owner = server.person("owner")["login"].clone();
    let due = (server.server_time() + jiff::SignedDuration::from_hours(240)).to_string();
    let action = json!({"title": "Bound the queue", "owner": owner, "due_at": due});
    post(
        server,
        "change_manager",
        &format!("/incident-reviews/{incident}/actions"),
        &action,
    );
    let draft = get(server, "owner", &format!("/incident-reviews/{incident}/draft"));
    let text = draft["markdown"].as_str().unwrap();
    for wanted in ["The queue was full.", "Bound the queue", "Not enough capacity", change] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert_eq!(draft["missing"], json!([]));
}

fn becomes_a_problem(server: &Server) -> String {
    post(server, "change_manager", "/problem-searches", &json!({}));
    let found = get(server, "owner", "/problems");
    // The demo's own history may have others.
    let is_ours = |it: &&Value| it["cause"] == "capacity" && it["services"] == json!([SERVICE]);
    let problems: Vec<&Value> = found["items"].as_array().unwrap().iter().filter(is_ours).collect();
    assert_eq!(problems.len(), 1, "{found:#}");
    assert_eq!(
        (&problems[0]["state"], problems[0]["cases"].as_array().unwrap().len()),
        (&json!("proposed"), 3)
    );
    let key = problems[0]["key"].as_str().unwrap().to_owned();
    let decide = format!("/problems/{key}/decisions");
    assert_eq!(
        status(server, "change_manager", &decide, &json!({"accepted": false})),
        422,
        "it is dismissed with a reason"
    );
    let accepted = post(server, "change_manager", &decide, &json!({"accepted": true}));
    let fix = get(
        server,
        "owner",
        &format!("/changes/{}", accepted["fix"].as_str().unwrap()),
    );
    assert_eq!(
        (&fix["state"], &fix["targets"][0]["service"]),
        (&json!("draft"), &json!(SERVICE))
    );
    let judge = format!("/problems/{key}/judgements");
    let helped = json!({"helped": true, "reason": "Quiet."});
    assert_eq!(
        status(server, "change_manager", &judge, &helped),
        409,
        "it has not been fixed yet"
    );
    key
}

fn has_pages(server: &Server, incident: &str, problem: &str) {
    let manager = Session::begin(server, "change_manager");
    let page = |path: &str| manager.get(&format!("/t/halden{path}")).body;
    let shown = page(&format!("/incidents/{incident}"));
    assert!(shown.contains("Linked records") && shown.contains(problem), "{shown}");
    let shown = page(&format!("/incidents/{incident}/review"));
    for wanted in [
        "The queue was full.",
        "Bound the queue",
        problem,
        "a step or check was missing",
    ] {
        assert!(shown.contains(wanted), "{wanted}");
    }
    assert!(page(&format!("/incidents/{incident}/review.md")).starts_with("# Review of"));
    let pdf = format!("/t/halden/incidents/{incident}/review.pdf");
    assert_eq!(Session::begin(server, "change_manager").get(&pdf).status, 200);
    assert!(page("/problems").contains(problem));
    assert!(page(&format!("/problems/{problem}")).contains("Recurrence"));
    assert!(page("/causes").contains("Not enough capacity"));
    // The form does what the API does.
    let form = manager.form(
        &format!("/t/halden/incidents/{incident}/links"),
        &[("kind", "related"), ("to", "jira:OPS-7"), ("reason", "Same queue.")],
    );
    assert_eq!(form.status, 303);
    assert!(page(&format!("/incidents/{incident}")).contains("jira:OPS-7"));
    let reader = Session::begin(server, "requester");
    let shown = reader.get(&format!("/t/halden/problems/{problem}")).body;
    assert!(!shown.contains("/judgements"), "who may not judge sees no form");
}
