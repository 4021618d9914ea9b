//! Deliveries of an outside system: verified, kept once, and later taken by a worker.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use connect::github::Secret;
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
