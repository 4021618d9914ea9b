//! The fields that people still type for a change that a pipeline brought before it can be submitted: at most four. By hand the
//! form has nine (`NINE` of the pages).

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::{Place, Server};

use crate::integration::deliveries;

/// The needs of a normal change's submission (`before_submission` of the model).
const NEEDED: [&str; 7] = [
    "title",
    "description",
    "justification",
    "targets",
    "complexity",
    "planned_start",
    "planned_end",
];
/// The most fields that people type of a change that a pipeline brought.
const MOST_PIPELINE: usize = 4;

/// The draft that brought a build, once the delivery was read.
fn draft_of(server: &Server, short: &str) -> Value {
    let token = server.token("requester");
    let find = || {
        let path = "/api/v1/changes?service=edge-dns&limit=50";
        let found = server.must("GET", path, &token, None);
        let mut items = found["items"].as_array().unwrap().iter();
        let is_it = |it: &&Value| it["title"].as_str().is_some_and(|title| title.contains(short));
        items.find(is_it).cloned()
    };
    eventually("the deployment made a change", || find().is_some());
    find().unwrap()
}

fn absent(change: &Value) -> Vec<&'static str> {
    let is_absent = |field: &&str| match &change[*field] {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    NEEDED.into_iter().filter(is_absent).collect()
}

/// Has a system of another kind deliver, by its secret.
fn deliver(server: &Server, (kind, repository): (&str, &str), body: &Value) {
    let map = json!([{"repository": repository, "service": "edge-dns", "environments": {"production": "production"}}]);
    let request = json!({"kind": kind, "name": kind, "map": map});
    let made = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    let secret = made["secret"].as_str().unwrap();
    let bearer = format!("Bearer {secret}");
    let headers = [
        ("X-Gitlab-Event", "Deployment Hook"),
        ("X-Gitlab-Token", secret),
        ("Authorization", bearer.as_str()),
    ];
    let path = made["hook_path"].as_str().unwrap();
    assert_eq!(
        server.ask_with("POST", path, None, Some(body), &headers).0,
        202,
        "{kind}"
    );
}

#[test]
fn people_type_at_most_four_fields_of_a_change_that_a_pipeline_brought() {
    let place = Place::demo("typed");
    let server = Server::start(&place, true);
    let now = server.server_time();
    let github = deliveries::connect(&server);
    let commit = "a1".repeat(20);
    let deployment = json!({
        "id": 7, "sha": commit, "ref": "main", "task": "deploy", "environment": "production", "payload": {},
        "creator": {"login": "ingrid"}, "created_at": now.to_string(), "updated_at": now.to_string(),
        "url": "https://api.github.example/deployments/7", "description": "Ship it",
    });
    let repository = json!({"full_name": "halden/edge-dns", "name": "edge-dns", "owner": {"login": "halden"}});
    let told =
        json!({"action": "created", "deployment": deployment, "repository": repository, "sender": {"login": "ingrid"}});
    assert_eq!(github.good("deployment", "typed-1", &told), 202);
    let commit = "b2".repeat(20);
    let gitlab = json!({
        "object_kind": "deployment", "status": "created", "status_changed_at": now.strftime("%Y-%m-%d %H:%M:%S +0000").to_string(),
        "deployment_id": 41, "environment": "production", "user": {"username": "ingrid"}, "short_sha": &commit[..8],
        "project": {"id": 19, "path_with_namespace": "halden/edge-dns", "name": "edge-dns"},
        "commit_url": format!("https://gitlab.example/halden/edge-dns/-/commit/{commit}"),
    });
    deliver(&server, ("gitlab", "halden/edge-dns"), &gitlab);
    let artifact = format!("sha256:{}", "c3".repeat(32));
    let plain = json!({
        "id": "run-1", "service": "edge-dns", "environment": "production", "status": "in_progress", "artifact": artifact,
        "at": now.to_string(),
    });
    deliver(&server, ("plain", "edge-dns"), &plain);
    for (kind, short) in [("github", "a1a1a1a1"), ("gitlab", "b2b2b2b2"), ("plain", "c3c3c3c3")] {
        let typed = absent(&draft_of(&server, short));
        assert!(typed.len() <= MOST_PIPELINE, "{kind}: people type {typed:?}");
        assert!(
            !typed.contains(&"title") && !typed.contains(&"targets"),
            "{kind}: {typed:?}"
        );
    }
    assert!(server.stop().success());
}
