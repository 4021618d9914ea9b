//! An alert while a normal change is watched holds its closing: Debian's Alertmanager, unmodified, sends it.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{artifact, scheduled};
use tests::{Place, Server};

use crate::incident::alerts::Alertmanager;

fn named(server: &Server, summary: &str) -> Vec<Value> {
    let found = server.must("GET", "/api/v1/incidents?limit=200", &server.token("commander"), None);
    let mut rows = found["items"].as_array().unwrap().clone();
    rows.retain(|row| row["title"] == summary);
    rows
}

fn review(server: &Server, path: &str, more: &Value) -> (u16, String) {
    let mut body = json!({
        "objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "As planned.",
        "cause": "outside_system",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (code, answer) = server.ask(
        "POST",
        &format!("{path}/review"),
        Some(&server.token("owner")),
        Some(&body),
    );
    (code, String::from_utf8_lossy(&answer).into_owned())
}

fn close(server: &Server, path: &str) -> (u16, String) {
    let path = format!("{path}/closure");
    let (code, answer) = server.ask("POST", &path, Some(&server.token("owner")), Some(&json!({})));
    (code, String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn an_alert_in_the_watch_of_a_normal_change_holds_its_closing_until_a_review_addresses_it() {
    let place = Place::demo("watched");
    let server = Server::start(&place, true);
    let request = json!({
        "kind": "alertmanager", "name": "Prometheus",
        "map": [{"repository": "printer", "service": "label-print", "environments": {}}],
    });
    let hook = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    let folder = tempfile::tempdir().unwrap();
    let sender = Alertmanager::start(&server, &hook, folder.path());
    let path = scheduled(&server, "Sharper labels", &artifact(312));
    let (implementer, owner) = (server.token("implementer"), server.token("owner"));
    server.must(
        "POST",
        &format!("{path}/implementation"),
        &implementer,
        Some(&json!({})),
    );
    let done = json!({"outcome": "succeeded"});
    server.must("POST", &format!("{path}/completion"), &implementer, Some(&done));
    let works = json!({"result": "works", "text": "A hundred labels."});
    server.must("POST", &format!("{path}/validation"), &owner, Some(&works));
    assert_eq!(review(&server, &path, &json!({})).0, 201);
    let began = server.server_time().to_string();
    for pod in 0..3 {
        sender.alert(&json!({
            "labels": {"alertname": "BlankLabels", "service": "printer", "severity": "critical", "pod": pod.to_string()},
            "annotations": {"summary": "Labels come out blank"}, "startsAt": began,
        }));
    }
    sender.alert(&json!({
        "labels": {"alertname": "Watchdog", "service": "printer", "severity": "none"},
        "annotations": {"summary": "The watchdog barks"}, "startsAt": began,
    }));
    let shown = || server.must("GET", &path, &owner, None);
    eventually("the change took note", || shown()["watch_incidents"].is_array());
    let incident = named(&server, "Labels come out blank").remove(0)["key"].clone();
    assert_eq!(shown()["watch_incidents"][0]["incident"], incident);
    let draft = server.must("GET", &format!("{path}/review-draft"), &owner, None);
    assert_eq!(
        draft["objectives_met"], false,
        "an incident of the watch is open: {draft:#}"
    );
    assert!(draft["facts"]["planned"]["planned_end"].is_string(), "{draft:#}");
    let (code, told) = close(&server, &path);
    assert!(code == 409 && told.contains("incident_not_addressed"), "{code} {told}");
    assert_eq!(review(&server, &path, &json!({"incidents": ["INC-99999"]})).0, 422);
    assert_eq!(review(&server, &path, &json!({"incidents": [incident]})).0, 201);
    let (code, told) = close(&server, &path);
    assert_eq!(code, 201, "{told}");
    // Found later, the cause revises the closed change.
    assert_eq!(shown()["succeeded"], true);
    let link = json!({"kind": "caused", "to": incident});
    server.must("POST", &format!("{path}/links"), &owner, Some(&link));
    let after = shown();
    assert_eq!(
        (&after["succeeded"], &after["state"]),
        (&json!(false), &json!("closed"))
    );
    assert_eq!(after["outcome"], "succeeded_with_issues");
    assert_eq!(after["reviews"].as_array().unwrap().last().unwrap()["addendum"], true);
    // Three pods of one group are one incident, and a watchdog opens none.
    assert_eq!(named(&server, "Labels come out blank").len(), 1);
    assert!(named(&server, "The watchdog barks").is_empty());
}
