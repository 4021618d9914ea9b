//! Vendors: their notices by REST, page and status page, the finding that names them, and their changes beside internal ones.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{SERVICE, approve, artifact, evidence, request};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

fn login(server: &Server, role: &str) -> String {
    server.person(role)["login"].as_str().unwrap().to_owned()
}

/// A connection of a status page and the vendor whose notices come by it; the hook's path and secret, and the id.
fn vendor(server: &Server) -> (String, String, String) {
    let admin = server.token("admin");
    let request = json!({"kind": "statuspage", "name": "Cartwell's status",
        "map": [{"repository": "Block storage", "service": SERVICE, "environments": {}}]});
    let made = server.must("POST", "/api/v1/connections", &admin, Some(&request));
    let wanted = json!({"key": "cartwell", "name": "Cartwell Hosting", "services": [SERVICE], "contract": "C-17",
        "members": [login(server, "vendor")], "connection": made["id"]});
    let vendor = server.must("POST", "/api/v1/vendors", &admin, Some(&wanted));
    assert_eq!(
        vendor["members"],
        json!([login(server, "vendor")]),
        "people are named by their logins"
    );
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("hook_path"), text("secret"), text("id"))
}

fn deliver(server: &Server, (path, secret, _): &(String, String, String), incident: &Value) {
    let body = json!({"page": {"id": "p1", "status_indicator": "maintenance"}, "incident": incident});
    let request = ureq::http::Request::builder()
        .method("POST")
        .uri(format!("{}{path}", server.url))
        .header("Content-Type", "application/json")
        .header("Authorization", format!("Bearer {secret}"))
        .body(body.to_string())
        .unwrap();
    assert_eq!(tests::caller::agent().run(request).unwrap().status().as_u16(), 202);
}

fn notices(server: &Server) -> Vec<Value> {
    let found = server.must("GET", "/api/v1/vendor-notices?limit=200", &server.token("owner"), None);
    found["items"].as_array().unwrap().clone()
}

fn incident(server: &Server, status: &str, minute: i64) -> Value {
    let at = |minutes: i64| (server.server_time() + SignedDuration::from_mins(minutes)).to_string();
    json!({"id": "m1", "name": "Storage maintenance", "impact": "maintenance", "status": status,
        "scheduled_for": "2035-12-02T20:00:00.000Z", "scheduled_until": "2035-12-02T23:00:00.000Z", "updated_at": at(minute),
        "incident_updates": [], "components": [{"id": "c", "name": "Block storage", "status": "operational"}]})
}

#[test]
fn a_vendor_s_maintenance_is_seen_acknowledged_and_never_approved() {
    let place = Place::demo("vendor-notices");
    let server = Server::start(&place, true);
    let door = vendor(&server);
    deliver(&server, &door, &incident(&server, "scheduled", -9));
    eventually("the notice is kept", || notices(&server).len() == 1);
    let notice = notices(&server).remove(0);
    assert_eq!(
        (&notice["vendor"], &notice["state"], &notice["reference"]),
        (&json!("cartwell"), &json!("announced"), &json!("p1/m1"))
    );
    assert_eq!(notice["unacknowledged"], json!([SERVICE]));

    // A plan in that time meets it; the notice is no change, and has nothing to approve.
    let plan = json!({"targets": [{"service": SERVICE, "environment": "production"}],
        "planned_start": "2035-12-02T21:00:00Z", "planned_end": "2035-12-02T21:30:00Z"});
    let met = server.must(
        "POST",
        "/api/v1/conflict-previews",
        &server.token("requester"),
        Some(&plan),
    );
    let with: Vec<&str> = met["conflicts"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["with"].as_str())
        .collect();
    assert!(
        with.contains(&"Cartwell Hosting: Storage maintenance (impact: degraded)"),
        "{met:#}"
    );
    assert!(notice.get("approvals").is_none());

    // The same again is the same one; one without times is set aside and changes nothing.
    deliver(&server, &door, &incident(&server, "canceled", -5));
    eventually("it is off", || notices(&server)[0]["state"] == "cancelled");
    let mut bare = incident(&server, "scheduled", -4);
    bare["id"] = json!("m2");
    bare.as_object_mut().unwrap().remove("scheduled_for");
    deliver(&server, &door, &bare);
    let admin = server.token("admin");
    eventually("it is set aside", || {
        let parked = format!("/api/v1/connections/{}/deliveries?state=parked", door.2);
        let found = server.must("GET", &parked, &admin, None);
        found.to_string().contains("has no start (scheduled_for)")
    });
    assert_eq!(notices(&server).len(), 1);

    let page = Session::begin(&server, "change_manager")
        .get("/t/halden/vendor-notices")
        .body;
    assert!(page.contains("Storage maintenance") && page.contains("Record a notice"));
    let own = format!(
        "/t/halden/vendor-notices/{}/change",
        notices(&server)[0]["id"].as_str().unwrap()
    );
    let page = Session::begin(&server, "change_manager").get(&own).body;
    assert!(
        page.contains("Cancelled") && !page.contains("Take it up as a change"),
        "{page}"
    );
    let (status, _) = server.get("/api/v1/vendor-notices", Some(&server.token("vendor")));
    assert_eq!(status, 404, "whoever is scoped sees no list of the whole tenant");
    server.wait_for_log();
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

/// A change that this person implements, done; its key.
fn done_by(server: &Server, role: &str, number: u64) -> String {
    let requester = server.token("requester");
    let mut wanted = request("Swap a disk", &artifact(number), server.server_time());
    wanted["implementers"] = json!([login(server, role)]);
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&wanted));
    let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
    let say = |rest: &str, token: &str, body: Value| server.must("POST", &format!("{path}/{rest}"), token, Some(&body));
    say("submission", &requester, json!({}));
    say("assessment", &requester, json!({"dependencies_reviewed": true}));
    say("evidence", &requester, evidence(&artifact(number)));
    for decider in ["owner", "security", "change_manager"] {
        approve(server, &path, decider);
    }
    let token = server.token(role);
    say("implementation", &token, json!({}));
    say("completion", &token, json!({"outcome": "succeeded"}));
    made["key"].as_str().unwrap().to_owned()
}

fn fields(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn a_vendor_s_change_and_an_internal_one_have_the_same_fields_and_evidence() {
    let place = Place::demo("vendor-parity");
    let server = Server::start(&place, true);
    vendor(&server);
    let (theirs, ours) = (
        done_by(&server, "vendor", 88_001),
        done_by(&server, "implementer", 88_002),
    );
    let owner = server.token("owner");
    let read = |key: &str, rest: &str| server.must("GET", &format!("/api/v1/changes/{key}{rest}"), &owner, None);
    let (one, other) = (read(&theirs, ""), read(&ours, ""));
    assert_eq!(fields(&one), fields(&other), "the same facts");
    let files = |key: &str| -> Vec<BTreeSet<String>> {
        let found = read(key, "/evidence");
        found["items"].as_array().unwrap().iter().map(fields).collect()
    };
    assert_eq!(files(&theirs), files(&ours), "the same evidence");
    assert_eq!(files(&theirs).len(), 1);
    let approvals = |key: &str| read(key, "/approvals")["items"].as_array().unwrap().len();
    assert_eq!(approvals(&theirs), approvals(&ours), "the same gates");

    server.wait_for_log();
    let parity = || server.must("GET", "/api/v1/vendors/cartwell/parity?days=7", &owner, None);
    let has =
        |found: &Value, rows: &str, key: &str| found[rows].as_array().unwrap().iter().any(|it| it["change"] == key);
    eventually("both are counted", || {
        let found = parity();
        has(&found, "rows", &theirs) && has(&found, "internal_rows", &ours)
    });
    let found = parity();
    assert!(!has(&found, "internal_rows", &theirs) && !has(&found, "rows", &ours));
    let row = |rows: &str, key: &str| {
        let all = found[rows].as_array().unwrap();
        all.iter().find(|it| it["change"] == key).unwrap().clone()
    };
    let (mut one, mut other) = (row("rows", &theirs), row("internal_rows", &ours));
    (one["change"], other["change"]) = (Value::Null, Value::Null);
    assert_eq!(one, other, "side by side nothing tells them apart");
    let vendor_side = &found["measures"][0]["vendor"];
    assert!(
        vendor_side["of"].as_u64().unwrap() < 10 && vendor_side.get("share").is_none(),
        "{found:#}"
    );
    assert_eq!(found["measures"][0]["verdict"], "not_enough");
    let page = Session::begin(&server, "owner")
        .get("/t/halden/vendors/cartwell/parity")
        .body;
    assert!(page.contains("Too few changes") && page.contains(&theirs));
    let (status, _) = server.get("/api/v1/vendors/cartwell/parity?days=0", Some(&owner));
    assert_eq!(status, 422);
    assert!(server.stop().success());
}
