//! Deliveries of an outside system: verified, kept once, and later taken by a worker.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use connect::integration::github::Secret;
use connect::integration::{door, standard_webhooks};
use serde_json::{Value, json};

use crate::world::{Answer, World};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn connection(world: &World) -> (String, Secret) {
    let map = json!([{"repository": "acme/shop", "service": "booking-api", "environments": {"prod": "production"}}]);
    let made = world
        .post(
            "adam",
            "/connections",
            &json!({"kind": "github", "name": "GitHub", "map": map}),
        )
        .expect(201);
    let secret = Secret::new(made["secret"].as_str().unwrap().as_bytes()).unwrap();
    (made["hook_path"].as_str().unwrap().to_owned(), secret)
}

fn deployment() -> Vec<u8> {
    let body = json!({
        "action": "created",
        "deployment": {
            "id": 7, "sha": COMMIT, "ref": "main", "task": "deploy", "payload": {}, "environment": "prod",
            "description": "ship it", "creator": {"login": "robot"}, "created_at": "2026-01-02T03:04:05Z",
            "url": "https://example.org/deployments/7",
        },
        "repository": {"full_name": "acme/shop", "id": 1, "owner": {"login": "acme"}},
        "sender": {"login": "ada"},
    });
    body.to_string().into_bytes()
}

fn deliver(world: &World, path: &str, id: &str, signature: &str, event: &str, body: &[u8]) -> Answer {
    let ask = world
        .ask("POST", path)
        .header("x-github-event", event)
        .header("x-github-delivery", id);
    ask.header("x-hub-signature-256", signature)
        .bytes("application/json", body)
        .send()
}

#[test]
fn a_deployment_becomes_a_draft_once() {
    let world = World::new();
    let (path, secret) = connection(&world);
    let body = deployment();
    let signature = secret.sign(&body);
    assert_eq!(
        deliver(&world, &path, "d1", &signature, "deployment", &body).expect(202)["kept"],
        true
    );
    assert_eq!(
        deliver(&world, &path, "d1", &signature, "deployment", &body).expect(202)["kept"],
        false
    );
    assert_eq!(
        deliver(&world, &path, "d2", &signature, "deployment", &body).expect(202)["kept"],
        false
    );
    let found = loop {
        let list = world.get("rita", "/changes").expect(200)["items"].clone();
        if list.as_array().is_some_and(|rows| !rows.is_empty()) {
            break list;
        }
    };
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["state"], "draft");
    assert_eq!(found[0]["targets"][0]["commit"], COMMIT);
    assert_eq!(found[0]["requester"], "adam");
}

#[test]
fn bad_signatures_and_unknown_connections_are_turned_away() {
    let world = World::new();
    let (path, secret) = connection(&world);
    let body = deployment();
    deliver(&world, &path, "d1", &secret.sign(b"other"), "deployment", &body).problem(401, "bad_signature");
    deliver(&world, &path, "d1", "", "deployment", &body).problem(401, "bad_signature");
    deliver(&world, "/hooks/nowhere", "d1", &secret.sign(&body), "deployment", &body).problem(404, "not_found");
    let figures = String::from_utf8(world.ask("GET", "/metrics").send().body).unwrap();
    assert!(figures.contains("assent_hook_refused_total 2"), "{figures}");
    let ended = world
        .as_person("adam", "DELETE", &path.replace("/hooks", "/connections"))
        .send();
    ended.expect(200);
    deliver(&world, &path, "d1", &secret.sign(&body), "deployment", &body).problem(404, "not_found");
}

#[test]
fn a_connection_is_known_anew_after_the_estate_was_written() {
    let world = World::new();
    let (path, secret) = connection(&world);
    let sent = |id: &str, body: &[u8]| deliver(&world, &path, id, &secret.sign(body), "deployment", body);
    assert_eq!(sent("d1", &deployment()).expect(202)["kept"], true);
    // The cache of the connection is older than the estate now.
    world
        .post("adam", "/services", &json!({"key": "late-comer", "criticality": "low"}))
        .expect(201);
    assert_eq!(sent("d2", b"{\"zen\": \"another\"}").expect(202)["kept"], true);
    let end = world.as_person("adam", "DELETE", &path.replace("/hooks", "/connections"));
    end.send().expect(200);
    sent("d3", b"{\"zen\": \"a third\"}").problem(404, "not_found");
    // A signature of nobody's is counted at no connection that is over.
    deliver(&world, &path, "d4", "sha256=00", "deployment", b"{}").problem(404, "not_found");
}

#[test]
fn what_cannot_be_read_is_set_aside_for_an_administrator() {
    let world = World::new();
    let (path, secret) = connection(&world);
    let body = b"{\"deployment\": 7}";
    deliver(&world, &path, "d1", &secret.sign(body), "deployment", body).expect(202);
    let list = path.replace("/hooks", "/connections") + "/deliveries?state=parked";
    let parked = loop {
        let found = world.get("adam", &list).expect(200)["items"].clone();
        if found != Value::Array(Vec::new()) {
            break found;
        }
    };
    assert_eq!(parked[0]["delivery_id"], "d1");
    assert!(parked[0]["reason"].is_string());
}

/// Sends a body that is signed as Standard Webhooks defines, at a time.
fn deliver_at(world: &World, path: &str, secret: &str, at: jiff::Timestamp, body: &Value) -> Answer {
    let bytes = body.to_string().into_bytes();
    let text = door::signing_secret(secret).unwrap();
    let key = standard_webhooks::key(&text).unwrap();
    let mut ask = world.ask("POST", path);
    for (name, value) in standard_webhooks::headers(&[key], "m1", at, &bytes) {
        ask = ask.header(&name, &value);
    }
    ask.bytes("application/json", &bytes).send()
}

/// The finished deliveries of a connection, once there are so many.
fn read_ones(world: &World, path: &str, state: &str, count: usize) -> Vec<Value> {
    let list = format!("{}/deliveries?state={state}", path.replace("/hooks", "/connections"));
    loop {
        let found = world.get("adam", &list).expect(200)["items"].clone();
        if let Some(rows) = found.as_array().filter(|rows| rows.len() >= count) {
            return rows.clone();
        }
    }
}

#[test]
fn what_is_not_the_senders_or_not_for_us_is_counted_and_shown_with_its_reason() {
    let world = World::new();
    let map = json!([{"repository": "shop", "service": "booking-api", "environments": {"prod": "production"}}]);
    let request = json!({"kind": "plain", "name": "Pipelines", "map": map});
    let made = world.post("adam", "/connections", &request).expect(201);
    let (path, secret) = (made["hook_path"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let told = |service: &str| {
        json!({
            "id": "run-1", "service": service, "environment": "prod", "status": "success", "commit": COMMIT,
            "at": "2026-11-20T10:00:00Z",
        })
    };
    let date = world.ask("GET", "/healthz").send();
    let now = jiff::fmt::rfc2822::parse(date.header("date")).unwrap().timestamp();
    let old = now - jiff::SignedDuration::from_hours(1);
    deliver_at(&world, path, secret, old, &told("shop")).problem(401, "old_timestamp");
    let foreign = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";
    deliver_at(&world, path, foreign, now, &told("shop")).problem(401, "bad_signature");
    let unsigned = world.ask("POST", path).json(&told("shop")).send();
    unsigned.problem(401, "bad_signature");
    let shown = world.get("adam", &path.replace("/hooks", "/connections")).expect(200);
    let mut refused: Vec<(&str, i64)> = shown["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["code"].as_str().unwrap(), row["count"].as_i64().unwrap()))
        .collect();
    refused.sort_unstable();
    assert_eq!(refused, [("bad_signature", 2), ("old_timestamp", 1)], "{shown}");
    // A repository that no row of the map names makes nothing, and the response reports that.
    deliver_at(&world, path, secret, now, &told("elsewhere")).expect(202);
    let done = read_ones(&world, path, "done", 1);
    let result = done[0]["result"].as_str().unwrap();
    assert!(
        result.contains("elsewhere") && result.contains("mapped to nothing"),
        "{result}"
    );
    assert_eq!(world.get("rita", "/changes").expect(200)["items"], json!([]));
}

#[test]
fn a_body_of_another_event_is_set_aside_and_a_changed_field_leaves_a_complaint_beside_the_rest() {
    let world = World::new();
    let (path, secret) = connection(&world);
    let send = |id: &str, event: &str, body: &Value| {
        let bytes = body.to_string().into_bytes();
        deliver(&world, &path, id, &secret.sign(&bytes), event, &bytes).expect(202);
    };
    let asked: Value = serde_json::from_slice(&deployment()).unwrap();
    send("m1", "push", &asked);
    let parked = read_ones(&world, &path, "parked", 1);
    assert!(
        parked[0]["reason"].as_str().is_some_and(|why| !why.is_empty()),
        "{parked:#?}"
    );
    assert_eq!(world.get("rita", "/changes").expect(200)["items"], json!([]));
    // The push itself is read; the tree, of which the vendor made a number, is not.
    let repository = json!({"full_name": "acme/shop", "name": "shop", "id": 1, "owner": {"login": "acme"}});
    let push = json!({
        "ref": "refs/heads/main", "before": COMMIT, "after": COMMIT, "commits": [], "repository": repository,
        "head_commit": {"id": COMMIT, "tree_id": 7}, "pusher": {"name": "ada"}, "sender": {"login": "ada"},
    });
    send("m2", "push", &push);
    let done = read_ones(&world, &path, "done", 1);
    let result = done[0]["result"].as_str().unwrap();
    assert!(
        result.contains("noted: push to refs/heads/main") && result.contains("complaint: a part of push"),
        "{result}"
    );
    let id = done[0]["id"].as_str().unwrap();
    let shown = world.get("adam", &format!("/deliveries/{id}")).expect(200);
    assert!(shown["complaint"].is_string(), "{shown}");
}

/// An alert that fires, as Alertmanager sends it.
fn firing(number: usize, description: &str) -> Value {
    json!({
        "status": "firing", "labels": {"alertname": "Belt", "service": "booking-api", "severity": "warning"},
        "annotations": {"summary": "Belts stand still", "description": description},
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": format!("{number:016x}"),
    })
}

/// A delivery of Alertmanager's with so many alerts of a group.
fn firing_group(name: &str, count: usize, description: &str) -> String {
    let alerts: Vec<Value> = (0..count).map(|number| firing(number, description)).collect();
    let key = format!("{{}}:{{alertname=\"{name}\"}}");
    json!({"version": "4", "groupKey": key, "status": "firing", "alerts": alerts}).to_string()
}

#[test]
fn ten_thousand_alerts_are_one_delivery_and_one_incident_and_one_more_is_set_aside_whole() {
    let world = World::new();
    let wanted = json!({"kind": "alertmanager", "name": "Prometheus", "map": []});
    let made = world.post("adam", "/connections", &wanted).expect(201);
    let (path, secret) = (made["hook_path"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let body = firing_group("Belt", 10_000, &"x".repeat(400));
    assert!(body.len() > 5 * 1024 * 1024);
    let send = |token: &str, body: &str| {
        let ask = world
            .ask("POST", path)
            .header("authorization", &format!("Bearer {token}"));
        ask.bytes("application/json", body.as_bytes()).send()
    };
    send("guessed", "{}").problem(401, "bad_signature");
    assert_eq!(send(secret, &body).expect(202)["kept"], true);
    read_ones(&world, path, "done", 1);
    // The limit is a count: shorter alerts are no way past it. The delivery stays as it came, with the reason.
    let over = firing_group("Sorter", 10_001, "");
    assert!(over.len() < body.len());
    assert_eq!(send(secret, &over).expect(202)["kept"], true);
    let parked = read_ones(&world, path, "parked", 1);
    let reason = parked[0]["reason"].as_str().unwrap();
    assert!(reason.contains("the delivery holds too many alerts"), "{reason}");
    let found = world.get("rita", "/incidents").expect(200)["items"].clone();
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found[0]["services"], json!(["booking-api"]));
    // What is split as the limit demands is taken.
    assert_eq!(send(secret, &firing_group("Sorter", 1, "")).expect(202)["kept"], true);
    read_ones(&world, path, "done", 2);
    let found = world.get("rita", "/incidents").expect(200)["items"].clone();
    assert_eq!(found.as_array().unwrap().len(), 2, "{found}");
}
