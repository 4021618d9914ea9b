//! The reach of a change, from the outside: by REST, on the command line and on the page; and planned undos.

use serde_json::json;
use tests::journey::{SERVICE, approve, artifact, request, waiting_for_approval};
use tests::{Place, Server};

use crate::approval::attacks::{ask, below};
use crate::platform::crash::must_verify;

#[test]
fn a_graph_that_grows_after_the_assessment_makes_it_due_again() {
    let place = Place::demo("reach_grows");
    let server = Server::start(&place, true);
    let (admin, requester) = (server.token("admin"), server.token("requester"));
    let digest = artifact(8_901);
    let path = waiting_for_approval(&server, &request("Labels", &digest, server.server_time()), &digest);
    for role in ["owner", "security", "change_manager"] {
        approve(&server, &path, role);
    }
    let reach = || server.must("GET", &format!("{path}/affected"), &requester, None);
    let before = reach();
    assert_eq!(before["assessed"]["digest"], before["digest"], "{before:#}");
    assert!(before.get("grown").is_none(), "{before:#}");
    let row = before["outage"]["items"][0].clone();
    assert_eq!(row["path"][0], SERVICE, "{row}");
    server.must(
        "POST",
        "/api/v1/services",
        &admin,
        Some(&json!({"key": "reach-new", "name": "New"})),
    );
    let arrow = json!({"from": "reach-new", "to": SERVICE, "kind": "stores_in", "environments": ["staging"]});
    server.must("POST", "/api/v1/dependencies", &admin, Some(&arrow));
    assert!(reach().get("grown").is_none(), "the arrow holds in staging alone");
    let arrow = json!({"from": "reach-new", "to": SERVICE, "kind": "stores_in", "environments": []});
    server.must("POST", "/api/v1/dependencies", &admin, Some(&arrow));
    let after = reach();
    assert_eq!(after["grown"]["things"], json!(["service:reach-new"]), "{after:#}");
    assert_eq!(after["data"]["items"][0]["key"], "reach-new", "{after:#}");
    let shown = server.must("GET", &path, &requester, None);
    assert_eq!(shown["state"], "assessing");
    assert!(shown["reach"]["grown_at"].is_string(), "{shown:#}");
    let (status, answer) = ask(
        &server,
        &requester,
        "POST",
        &format!("{}/assessment", below(&path)),
        &json!({}),
    );
    assert_eq!(status, 409, "{answer}");
    let codes: Vec<&str> = answer["unmet"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["code"].as_str())
        .collect();
    assert!(codes.contains(&"reach_grown"), "{answer}");
    let looked = json!({"dependencies_reviewed": true});
    server.must("POST", &format!("{path}/assessment"), &requester, Some(&looked));
    let shown = server.must("GET", &path, &requester, None);
    assert_eq!(shown["state"], "scheduled", "its approvals stand: {shown:#}");
    must_verify(&server);
}

#[test]
fn a_planned_undo_is_no_rollback_and_is_told_once() {
    let place = Place::demo("planned_undo");
    let mut server = Server::start(&place, true);
    let now = server.server_time();
    server.hold_clock(now);
    let digest = artifact(8_902);
    let mut body = request("Read-only for a night", &digest, now);
    body["planned_undo"] =
        json!({"text": "Writes go through again", "at": (now + jiff::SignedDuration::from_hours(4)).to_string()});
    let path = waiting_for_approval(&server, &body, &digest);
    for role in ["owner", "security", "change_manager"] {
        approve(&server, &path, role);
    }
    let implementer = server.token("implementer");
    let must = |rest: &str, body| server.must("POST", &format!("{path}{rest}"), &implementer, Some(&body));
    must("/implementation", json!({}));
    must("/completion", json!({"outcome": "succeeded"}));
    let until = (now + jiff::SignedDuration::from_hours(6)).to_string();
    let calendar = format!(
        "/api/v1/calendar?from={}&to={until}",
        now + jiff::SignedDuration::from_hours(3)
    );
    let undos = |server: &Server| {
        let found = server.must("GET", &calendar, &implementer, None);
        let mut rows = found["items"].as_array().unwrap().clone();
        rows.retain(|row| row["kind"] == "undo");
        rows
    };
    assert_eq!(
        undos(&server)[0]["title"],
        "Writes go through again",
        "its window lies before"
    );
    let undo = format!("{}/undo", below(&path));
    let (status, answer) = ask(&server, &implementer, "POST", &undo, &json!({}));
    assert_eq!((status, &answer["code"]), (409, &json!("too_early")), "{answer}");
    server.advance(4 * 3_600 + 60);
    let missed = tests::held::awaited(|| {
        let shown = server.must("GET", &path, &implementer, None);
        shown["undo_missed_at"].is_string().then_some(())
    });
    assert!(missed.is_some(), "nobody raised the alarm");
    let (status, answer) = ask(&server, &implementer, "POST", &undo, &json!({"text": "Writable"}));
    assert_eq!(status, 201, "{answer}");
    let shown = server.must("GET", &path, &implementer, None);
    assert_eq!(
        (&shown["undo"]["late"], &shown["succeeded"]),
        (&json!(true), &json!(true)),
        "{shown:#}"
    );
    assert_eq!(undos(&server).len(), 0, "what is undone lies in no calendar");
    must_verify(&server);
}
