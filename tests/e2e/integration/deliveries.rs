//! GitHub's deliveries, signed as GitHub signs: doubled, in the wrong order, forged, and every example that it publishes.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};
use tests::faults::eventually;
pub(crate) use tests::outside::github_signature as signature;
use tests::{Place, Server};

const COMMIT: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

/// A connection as its outside system knows it.
pub struct Hook<'a> {
    server: &'a Server,
    /// Where it delivers.
    pub path: String,
    /// Its signing key.
    pub secret: String,
}

impl Hook<'_> {
    fn deliver(&self, event: &str, id: &str, body: &[u8], signed: &str) -> u16 {
        let request = ureq::http::Request::builder()
            .method("POST")
            .uri(format!("{}{}", self.server.url, self.path))
            .header("Content-Type", "application/json")
            .header("X-GitHub-Event", event)
            .header("X-GitHub-Delivery", id)
            .header("X-Hub-Signature-256", signed)
            .body(body)
            .unwrap();
        let agent = tests::caller::agent();
        agent.run(request).unwrap().status().as_u16()
    }

    /// Delivers a body with its signature; the status.
    pub fn good(&self, event: &str, id: &str, body: &Value) -> u16 {
        let bytes = serde_json::to_vec(body).unwrap();
        self.deliver(event, id, &bytes, &signature(&self.secret, &bytes))
    }
}

/// A connection of GitHub's for the demo.
pub fn connect(server: &Server) -> Hook<'_> {
    connect_for(server, &["edge-dns"])
}

/// The same for services, each with a repository of its name.
pub fn connect_for<'a>(server: &'a Server, services: &[&str]) -> Hook<'a> {
    let row = |service: &&str| json!({"repository": format!("halden/{service}"), "service": service, "environments": {"production": "production"}});
    connect_map(server, &services.iter().map(row).collect())
}

/// The same with an API that responds.
pub fn connect_answered<'a>(server: &'a Server, base: &str) -> Hook<'a> {
    let map =
        json!([{"repository": "halden/edge-dns", "service": "edge-dns", "environments": {"production": "production"}}]);
    let api = json!({"base": base, "token": "ghs_sixteen_letters"});
    made(
        server,
        &json!({"kind": "github", "name": "GitHub", "map": map, "api": api}),
    )
}

/// The same with a map of one's own.
pub fn connect_map<'a>(server: &'a Server, map: &Value) -> Hook<'a> {
    let request = json!({"kind": "github", "name": "GitHub", "map": map});
    made(server, &request)
}

fn made<'a>(server: &'a Server, request: &Value) -> Hook<'a> {
    let made = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(request));
    Hook {
        server,
        path: made["hook_path"].as_str().unwrap().to_owned(),
        secret: made["secret"].as_str().unwrap().to_owned(),
    }
}

fn repository() -> Value {
    json!({"full_name": "halden/edge-dns", "name": "edge-dns", "owner": {"login": "halden"}})
}

fn deployment() -> Value {
    json!({
        "id": 4711, "sha": COMMIT, "ref": "main", "task": "deploy", "environment": "production", "payload": {},
        "creator": {"login": "ingrid"}, "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z",
        "url": "https://api.github.example/deployments/4711", "description": "Ship it",
    })
}

fn asked() -> Value {
    json!({"action": "created", "deployment": deployment(), "repository": repository(), "sender": {"login": "ingrid"}})
}

fn status(id: u64, state: &str) -> Value {
    json!({
        "action": "created", "deployment": deployment(), "repository": repository(), "sender": {"login": "ingrid"},
        "deployment_status": {
            "id": id, "state": state, "environment": "production", "creator": {"login": "ingrid"}, "description": "",
            "created_at": "2026-11-20T10:05:00Z", "updated_at": "2026-11-20T10:05:00Z",
        },
    })
}

/// Changes that name the commit.
fn changes(server: &Server) -> Vec<Value> {
    let token = server.token("requester");
    let list = server.must("GET", "/api/v1/changes?service=edge-dns&limit=200", &token, None);
    let keys: Vec<String> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["key"].as_str().unwrap().to_owned())
        .collect();
    keys.iter()
        .map(|key| server.must("GET", &format!("/api/v1/changes/{key}"), &token, None))
        .filter(|change| {
            change["targets"]
                .as_array()
                .unwrap()
                .iter()
                .any(|target| target["commit"] == COMMIT)
        })
        .collect()
}

/// A change of the commit that waits for its approvals; its path.
pub(crate) fn waiting(server: &Server) -> String {
    waiting_with(server, COMMIT)
}

/// The same of any commit.
pub(crate) fn waiting_with(server: &Server, commit: &str) -> String {
    let requester = server.token("requester");
    let request = json!({
        "title": "Ship the new zone", "description": "One commit.", "justification": "It is tested.", "complexity": "low",
        "impact": {"data": "none", "availability": "low", "compliance": "none"},
        "targets": [{"service": "edge-dns", "environment": "production", "commit": commit}],
        "planned_start": "2026-11-20T09:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
        "plan": [{"title": "Deploy"}], "rollback_plan": [{"title": "Deploy the old one"}],
    });
    let key = server.must("POST", "/api/v1/changes", &requester, Some(&request))["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/changes/{key}");
    server.must("POST", &format!("{path}/submission"), &requester, Some(&json!({})));
    server.must(
        "POST",
        &format!("{path}/assessment"),
        &requester,
        Some(&json!({"dependencies_reviewed": true})),
    );
    let evidence = json!({"kind": "note", "aspect": "functional", "result": "passed", "environment": "staging", "artifact": commit, "text": "ok"});
    server.must("POST", &format!("{path}/evidence"), &requester, Some(&evidence));
    path
}

/// Everybody approves it.
pub(crate) fn approve_all(server: &Server, path: &str) {
    for role in ["owner", "security", "change_manager"] {
        tests::journey::approve(server, path, role);
    }
}

#[test]
fn a_deployment_told_twice_and_in_the_wrong_order_is_one_change_with_one_outcome() {
    let place = Place::demo("deliveries");
    let mut server = Server::start(&place, true);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let path = waiting(&server);
    approve_all(&server, &path);
    // The deployment took place five minutes later; GitHub reports it another five minutes later.
    server.hold_clock("2026-11-20T10:10:00Z".parse().unwrap());
    let requester = server.token("requester");
    let hook = connect(&server);
    for (event, id, body) in [
        ("deployment_status", "d-3", status(9002, "success")),
        ("deployment_status", "d-2", status(9001, "in_progress")),
        ("deployment", "d-1", asked()),
        ("deployment", "d-1", asked()),
        ("deployment_status", "d-2b", status(9001, "in_progress")),
        ("deployment_status", "d-3", status(9002, "success")),
    ] {
        assert_eq!(hook.good(event, id, &body), 202, "{event} {id}");
    }
    eventually("the change is in review", || {
        server.must("GET", &path, &requester, None)["state"] == "reviewing"
    });
    let found = changes(&server);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["outcome"], "succeeded");
    assert_eq!(found[0]["targets"][0]["outcome"], "succeeded");
}

/// A delivery may come long after its event: approvals that were given in between make nothing lawful.
#[test]
fn approvals_given_later_make_no_earlier_start_lawful() {
    let place = Place::demo("later");
    let mut server = Server::start(&place, true);
    server.hold_clock("2026-11-20T10:20:00Z".parse().unwrap());
    let path = waiting(&server);
    approve_all(&server, &path);
    let (requester, hook) = (server.token("requester"), connect(&server));
    // It began at 10:05, when nobody had approved it, and by more than clocks may differ.
    assert_eq!(hook.good("deployment_status", "l-1", &status(9001, "in_progress")), 202);
    eventually("the deployment stands as unauthorized on the change", || {
        let events = server.must("GET", &format!("{path}/events"), &requester, None);
        events.to_string().contains("deployment.unauthorized")
    });
    assert_eq!(server.must("GET", &path, &requester, None)["state"], "scheduled");
}

/// Every example that GitHub's own package has, with its event.
pub(crate) fn examples() -> Vec<(String, Value)> {
    let modules =
        std::env::var("ASSENT_TEST_NODE_MODULES").expect("run by cargo xtask test, which installs the examples");
    let print = "const all = require('@octokit/webhooks-examples'); const list = all.default ?? all; for (const e of list) for (const x of e.examples) console.log(JSON.stringify([e.name, x]))";
    let out = Command::new("node")
        .args(["-e", print])
        .env("NODE_PATH", &modules)
        .current_dir(&modules)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let rows = String::from_utf8(out.stdout).unwrap();
    let example = |line: &str| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        (row[0].as_str().unwrap().to_owned(), row[1].take())
    };
    rows.lines().map(example).collect()
}

/// None is lost silently: each message was kept once, and each was worked off with a result or set aside with a reason.
fn must_be_done_or_set_aside(sent: &[(String, Value)], kept: &[Value]) {
    // A signature covers the body alone, so the same body again is the same delivery.
    let bodies: BTreeSet<String> = sent.iter().map(|(_, body)| body.to_string()).collect();
    assert_eq!(kept.len(), bodies.len());
    let says = |row: &Value, name: &str| row[name].as_str().is_some_and(|words| !words.is_empty());
    let count = |state: &str, name: &str| kept.iter().filter(|it| it["state"] == state && says(it, name)).count();
    let (done, aside) = (count("done", "result"), count("parked", "reason"));
    assert_eq!(done + aside, kept.len(), "a row has no word: {kept:#?}");
}

/// Everything that a connection was sent and that is kept, page by page.
fn kept_deliveries(server: &Server, hook: &Hook<'_>) -> Vec<Value> {
    let (admin, id) = (server.token("admin"), hook.path.trim_start_matches("/hooks/"));
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/connections/{id}/deliveries?limit=200{after}");
        let page = server.must("GET", &path, &admin, None);
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}

#[test]
fn forged_deliveries_are_refused_and_real_examples_are_kept() {
    let place = Place::demo("examples");
    let server = Server::start(&place, true);
    let hook = connect(&server);
    let body = serde_json::to_vec(&asked()).unwrap();
    assert_eq!(
        hook.deliver("deployment", "x-1", &body, &signature("another secret", &body)),
        401
    );
    assert_eq!(hook.deliver("deployment", "x-2", &body, "sha1=00"), 401);
    let unknown = Hook {
        server: &server,
        path: "/hooks/0192aaaa-0000-7000-8000-000000000000".into(),
        secret: String::new(),
    };
    assert_eq!(unknown.deliver("deployment", "x-3", &body, "sha256=00"), 404);
    let all = examples();
    for (n, (event, body)) in all.iter().enumerate() {
        let bytes = serde_json::to_vec(body).unwrap();
        let status = hook.deliver(event, &format!("example-{n}"), &bytes, &signature(&hook.secret, &bytes));
        assert_eq!(status, 202, "{event} number {n}");
    }
    assert!(all.len() >= 300, "only {} examples", all.len());
    let deliveries = || kept_deliveries(&server, &hook);
    eventually("no delivery waits", || {
        deliveries().iter().all(|it| it["state"] != "waiting")
    });
    must_be_done_or_set_aside(&all, &deliveries());
    assert_eq!(server.get("/readyz", None).0, 200);
}
