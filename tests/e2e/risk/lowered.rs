//! Risk cannot be lowered by claims, on any route, and a change in flight is judged like the same change made now.

use serde_json::{Value, json};
use tests::journey::{approve, artifact, evidence, request, waiting_for_approval};
use tests::{Place, Server};

use crate::approval::attacks::{ask, below};
use crate::platform::crash::must_verify;

/// A change of one service that states nothing grave.
fn harmless(server: &Server, service: &str, digest: &str) -> Value {
    let mut body = request("A small thing", digest, server.server_time());
    body["targets"] = json!([{"service": service, "environment": "production", "artifact": digest}]);
    body["impact"] = json!({"data": "none", "availability": "none", "compliance": "none"});
    body
}

fn shown(server: &Server, path: &str) -> Value {
    server.must("GET", path, &server.token("auditor"), None)
}

fn stands(server: &Server, path: &str) -> (String, String) {
    let shown = shown(server, path);
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    (word(&shown["state"]), word(&shown["risk"]["level"]))
}

fn at(state: &str, level: &str) -> (String, String) {
    (state.to_owned(), level.to_owned())
}

fn approve_all(server: &Server, path: &str) {
    for role in ["owner", "security", "change_manager"] {
        approve(server, path, role);
    }
}

fn gate(server: &Server, service: &str, digest: &str) -> u16 {
    let question = format!("/api/v1/gate?service={service}&environment=production&artifact={digest}");
    server.get(&question, Some(&server.token("pipeline"))).0
}

#[test]
fn a_lower_value_counts_once_an_approver_accepts_it() {
    let place = Place::demo("risk_lowered");
    let server = Server::start(&place, true);
    let digest = artifact(8_100);
    let path = waiting_for_approval(&server, &harmless(&server, "ledger-db", &digest), &digest);
    assert_eq!(stands(&server, &path), at("authorizing", "high"));
    let lowered = shown(&server, &path)["risk"]["lowered"].clone();
    let facts: Vec<&str> = lowered
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["fact"].as_str().unwrap())
        .collect();
    assert_eq!(
        facts,
        [
            "touches",
            "complexity",
            "impact.data",
            "impact.availability",
            "impact.compliance"
        ]
    );
    approve_all(&server, &path);
    assert_eq!(
        stands(&server, &path),
        at("authorizing", "high"),
        "three plain words lower nothing"
    );
    assert_eq!(gate(&server, "ledger-db", &digest), 403);
    // Neither does an edit, nor a level against the table from the one who wrote it.
    let edit = json!({"impact": {"data": "none"}, "complexity": "low", "touches": []});
    assert_eq!(
        ask(&server, &server.token("requester"), "PATCH", below(&path), &edit).0,
        200
    );
    assert_eq!(stands(&server, &path).1, "high");
    approve_all(&server, &path);
    let now = shown(&server, &path)["content_digest"].clone();
    let accepts = |fields: &Value, reason: &str| {
        let lowering = json!({"fields": fields, "reason": reason});
        let word = json!({"decision": "approve", "content_digest": now, "lowering": lowering});
        ask(
            &server,
            &server.token("owner"),
            "POST",
            &format!("{}/approvals", below(&path)),
            &word,
        )
    };
    let (status, answer) = accepts(&json!(facts), " ");
    assert_eq!(status, 422, "{answer}");
    let (status, answer) = accepts(&json!(facts), "It only adds a comment to a table.");
    assert_eq!(status, 201, "{answer}");
    assert_eq!(stands(&server, &path), at("scheduled", "low"));
    assert_eq!(gate(&server, "ledger-db", &digest), 200);
    must_verify(&server);
}

#[test]
fn what_a_service_becomes_after_submission_counts() {
    let place = Place::demo("risk_in_flight");
    let server = Server::start(&place, true);
    let admin = server.token("admin");
    let set = |facts: Value| server.must("POST", "/api/v1/services", &admin, Some(&facts));
    set(json!({"key": "quiet", "name": "Quiet", "criticality": "low"}));
    let digest = artifact(8_200);
    let mut body = harmless(&server, "quiet", &digest);
    body["complexity"] = json!("medium");
    let path = waiting_for_approval(&server, &body, &digest);
    approve_all(&server, &path);
    assert_eq!(stands(&server, &path), at("scheduled", "low"));
    assert_eq!(gate(&server, "quiet", &digest), 200);
    set(json!({"key": "quiet", "criticality": "critical", "regimes": ["sox"]}));
    assert_eq!(stands(&server, &path), at("authorizing", "high"), "no peer has read it");
    assert_eq!(gate(&server, "quiet", &digest), 403);
    set(json!({"key": "quiet", "criticality": "low", "regimes": []}));
    assert_eq!(stands(&server, &path), at("scheduled", "low"));
    // Later dependents count as well, and later contents.
    server.must(
        "POST",
        "/api/v1/dependencies",
        &admin,
        Some(&json!({"from": "ledger-db", "to": "quiet"})),
    );
    assert_eq!(
        stands(&server, &path),
        at("assessing", "high"),
        "it reaches more than was assessed, so the assessment is due again"
    );
    assert_eq!(gate(&server, "quiet", &digest), 403);
    must_verify(&server);
}

#[test]
fn what_is_reached_is_looked_at_and_left_out_by_name() {
    let place = Place::demo("risk_reached");
    let server = Server::start(&place, true);
    let requester = server.token("requester");
    let digest = artifact(8_300);
    let made = server.must(
        "POST",
        "/api/v1/changes",
        &requester,
        Some(&harmless(&server, "backup", &digest)),
    );
    let path = format!("/changes/{}", made["key"].as_str().unwrap());
    assert_eq!(
        made["risk"]["level"], "high",
        "a critical service depends on it, and nothing is known of its earlier changes: {made}"
    );
    assert_eq!(
        ask(&server, &requester, "POST", &format!("{path}/submission"), &json!({})).0,
        201
    );
    let assessment = format!("{path}/assessment");
    let (status, answer) = ask(&server, &requester, "POST", &assessment, &json!({}));
    assert_eq!(
        (status, &answer["unmet"][0]["code"]),
        (409, &json!("dependencies_not_reviewed")),
        "{answer}"
    );
    let left_out = |item: &str| json!({"dependencies_reviewed": true, "excluded": [{"item": item, "reason": "It reads nothing."}]});
    let (status, answer) = ask(&server, &requester, "POST", &assessment, &left_out("label-print"));
    assert_eq!(
        (status, &answer["errors"][0]["code"]),
        (422, &json!("not_reached")),
        "{answer}"
    );
    let (status, answer) = ask(&server, &requester, "POST", &assessment, &left_out("ledger-db"));
    assert_eq!(status, 201, "{answer}");
    server.must(
        "POST",
        &format!("/api/v1{path}/evidence"),
        &requester,
        Some(&evidence(&digest)),
    );
}

#[test]
fn an_emergency_of_high_risk_is_read_by_a_peer_before_it_closes() {
    let place = Place::demo("risk_afterwards");
    let server = Server::start(&place, true);
    let implementer = server.token("implementer");
    let must = |token: &str, path: &str, body: Value| server.must("POST", path, token, Some(&body));
    let emergency = json!({
        "kind": "emergency", "title": "Bring the ledger back", "description": "It stands still.", "complexity": "high",
        "justification": "Nobody can book.", "threat": "The books stay open.",
        "targets": [{"service": "ledger-db", "environment": "production"}],
        "plan": [{"title": "Restart it", "minutes": 5}], "rollback_plan": [{"title": "Stop it", "minutes": 5}],
        "tester": "ingrid", "implementers": ["tomasz"],
    });
    let made = must(&implementer, "/api/v1/changes", emergency);
    let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
    must(&implementer, &format!("{path}/submission"), json!({}));
    must(&implementer, &format!("{path}/assessment"), json!({}));
    for role in ["owner", "security", "change_manager"] {
        approve(&server, &path, role);
    }
    must(&implementer, &format!("{path}/implementation"), json!({}));
    must(
        &implementer,
        &format!("{path}/completion"),
        json!({"outcome": "succeeded"}),
    );
    let requester = server.token("requester");
    must(
        &requester,
        &format!("{path}/validation"),
        json!({"result": "works", "text": "Bookings go through."}),
    );
    let note = json!({"kind": "note", "aspect": "functional", "result": "passed", "name": "Bookings", "environment": "production", "text": "12 of 12"});
    must(&implementer, &format!("{path}/evidence"), note);
    let manager = server.token("change_manager");
    let review = json!({"objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "It came back.", "dependencies_reviewed": true});
    must(&manager, &format!("{path}/review"), review);
    let (status, answer) = ask(
        &server,
        &manager,
        "POST",
        &format!("{}/closure", below(&path)),
        &json!({}),
    );
    assert_eq!(
        (status, &answer["unmet"][0]["code"]),
        (409, &json!("peer_review_missing")),
        "{answer}"
    );
    let digest = shown(&server, &path)["content_digest"].clone();
    let read = json!({"verdict": "agree", "text": "It was the right thing.", "content_digest": digest});
    must(&server.token("commander"), &format!("{path}/peer-reviews"), read);
    must(&manager, &format!("{path}/closure"), json!({}));
    must_verify(&server);
}
