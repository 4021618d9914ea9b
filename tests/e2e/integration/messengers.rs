//! Two systems report one deployment in the wrong order; a connection whose deliveries match nothing is shown as such; rows
//! that can never match and requests of strangers are refused.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::outside::Outside;
use tests::session::Session;
use tests::{Place, Server};

use crate::integration::deliveries::{Hook, approve_all, connect, connect_answered, waiting};
use crate::integration::gated::draft;

const COMMIT: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const HEAD: &str = "1111111111111111111111111111111111111111";

fn github(state: &str, id: u64, at: &str) -> Value {
    let deployment = json!({
        "id": 4711, "sha": COMMIT, "ref": "main", "task": "deploy", "environment": "production", "payload": {},
        "creator": {"login": "ingrid"}, "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z",
        "url": "https://api.github.example/deployments/4711", "description": "Ship it",
    });
    json!({
        "action": "created", "deployment": deployment, "sender": {"login": "ingrid"},
        "repository": {"id": 17, "full_name": "halden/edge-dns", "name": "edge-dns", "owner": {"login": "halden"}},
        "deployment_status": {
            "id": id, "state": state, "environment": "production", "creator": {"login": "ingrid"}, "description": "",
            "created_at": at, "updated_at": at,
        },
    })
}

fn gitlab(status: &str, at: &str) -> Value {
    json!({
        "object_kind": "deployment", "status": status, "status_changed_at": at, "deployment_id": 41,
        "environment": "production", "user": {"username": "ingrid"}, "short_sha": &COMMIT[..8],
        "project": {"id": 19, "path_with_namespace": "halden/edge-dns", "name": "edge-dns"},
        "commit_url": format!("https://gitlab.example/halden/edge-dns/-/commit/{COMMIT}"),
    })
}

/// A connection of another kind than GitHub's, as its system knows it.
struct Other {
    path: String,
    id: String,
    secret: String,
}

fn other(server: &Server, kind: &str, map: &Value) -> Other {
    let request = json!({"kind": kind, "name": format!("The {kind}"), "map": map});
    let made = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    Other {
        path: text("hook_path"),
        id: text("id"),
        secret: text("secret"),
    }
}

impl Other {
    fn deliver(&self, server: &Server, body: &Value) {
        let bearer = format!("Bearer {}", self.secret);
        let headers = [
            ("X-Gitlab-Token", self.secret.as_str()),
            ("Authorization", bearer.as_str()),
        ];
        assert_eq!(server.ask_with("POST", &self.path, None, Some(body), &headers).0, 202);
    }

    fn shown(&self, server: &Server) -> Value {
        let path = format!("/api/v1/connections/{}", self.id);
        server.must("GET", &path, &server.token("admin"), None)
    }
}

fn mapped() -> Value {
    json!([{"repository": "halden/edge-dns", "service": "edge-dns", "environments": {"production": "production"}}])
}

#[test]
fn two_systems_and_a_refused_run_leave_one_change_with_one_outcome() {
    let place = Place::demo("messengers");
    let mut server = Server::start(&place, true);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let path = waiting(&server);
    approve_all(&server, &path);
    server.hold_clock("2026-11-20T10:20:00Z".parse().unwrap());
    let requester = server.token("requester");
    let (hub, lab) = (connect(&server), other(&server, "gitlab", &mapped()));
    let all = || server.must("GET", "/api/v1/changes?service=edge-dns&limit=200", &requester, None)["items"].clone();
    let before = all().as_array().unwrap().len();
    // A run that was refused before its first step ends nothing.
    assert_eq!(
        hub.good(
            "deployment_status",
            "m-0",
            &github("failure", 1, "2026-11-20T10:01:00Z")
        ),
        202
    );
    lab.deliver(&server, &gitlab("success", "2026-11-20 10:09:00 +0000"));
    assert_eq!(
        hub.good(
            "deployment_status",
            "m-1",
            &github("success", 3, "2026-11-20T10:10:00Z")
        ),
        202
    );
    assert_eq!(
        hub.good(
            "deployment_status",
            "m-2",
            &github("in_progress", 2, "2026-11-20T10:05:00Z")
        ),
        202
    );
    lab.deliver(&server, &gitlab("running", "2026-11-20 10:04:00 +0000"));
    eventually("the beginning is the earlier one", || {
        server.must("GET", &path, &requester, None)["actual_start"] == "2026-11-20T10:04:00Z"
    });
    let change = server.must("GET", &path, &requester, None);
    assert_eq!(
        (&change["state"], &change["outcome"]),
        (&json!("reviewing"), &json!("succeeded"))
    );
    assert_eq!(all().as_array().unwrap().len(), before, "a draft is left");
    let auditor = server.token("auditor");
    let found = server.must("GET", "/api/v1/completeness?limit=200&days=30", &auditor, None);
    assert!(!found["items"].to_string().contains(COMMIT), "{found:#}");
}

#[test]
fn a_connection_whose_deliveries_match_nothing_says_so_until_one_does() {
    let place = Place::demo("unmatched");
    let server = Server::start(&place, true);
    let admin = server.token("admin");
    let never = json!([
        {"repository": "printer", "service": "label-print", "environments": {"prod": "production"}},
        {"repository": "Printer", "service": "edge-dns", "environments": {"PROD": "production"}},
        {"repository": "nowhere", "service": "edge-dns", "environments": {}},
    ]);
    let request = json!({"kind": "plain", "name": "Never", "map": never});
    let (status, told) = server.ask("POST", "/api/v1/connections", Some(&admin), Some(&request));
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(status, 422, "{told:#}");
    let fields: Vec<&Value> = told["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["field"])
        .collect();
    assert_eq!(fields, ["map[1]", "map[2]"], "{told:#}");
    let map = json!([{"repository": "printer", "service": "label-print", "environments": {"prod": "production"}}]);
    let plain = other(&server, "plain", &map);
    let report = |environment: &str, id: &str| json!({"id": id, "service": "printer", "environment": environment, "status": "queued", "commit": COMMIT});
    plain.deliver(&server, &report("production", "run-1"));
    eventually("it is told", || plain.shown(&server)["unmatched"]["count"] == 1);
    assert!(
        plain.shown(&server)["unmatched"]["text"]
            .as_str()
            .unwrap()
            .contains("printer to production")
    );
    let page = Session::begin(&server, "admin").get(&format!("/t/halden/connections/{}", plain.id));
    assert!(page.body.contains("Its deliveries match nothing"), "{}", page.body);
    plain.deliver(&server, &report("prod", "run-2"));
    eventually("one matched", || plain.shown(&server).get("unmatched").is_none());
}

fn pull(key: &str, from: &str, sender: &str, head: &str) -> Value {
    json!({
        "action": "opened", "number": 7, "sender": {"login": sender},
        "repository": {"full_name": "halden/edge-dns", "name": "edge-dns", "owner": {"login": "halden"}},
        "pull_request": {
            "number": 7, "title": format!("{key}: a new zone"), "body": "It is needed.", "state": "open",
            "head": {"sha": head, "ref": "zone", "repo": {"full_name": from}}, "merged": false, "merge_commit_sha": null,
            "user": {"login": sender}, "updated_at": "2026-11-20T10:00:00Z",
        },
    })
}

/// Whether a pull request wrote its head into the change that it names.
fn binds(server: &Server, hub: &Hook<'_>, (from, sender): (&str, &str), id: &str) -> bool {
    let key = draft(server);
    let requester = server.token("requester");
    let body = pull(&key, from, sender, HEAD);
    assert_eq!(hub.good("pull_request", id, &body), 202);
    let admin = server.token("admin");
    let connection = hub.path.trim_start_matches("/hooks/");
    let list = format!("/api/v1/connections/{connection}/deliveries?state=done&limit=200");
    eventually("it is read", || {
        let list = server.must("GET", &list, &admin, None);
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["delivery_id"] == id)
    });
    let change = server.must("GET", &format!("/api/v1/changes/{key}"), &requester, None);
    change["targets"][0]["commit"] == HEAD
}

#[test]
fn forks_and_strangers_bind_nothing_unless_the_connection_names_them() {
    let place = Place::demo("strangers");
    let mut server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let outside = Outside::start(|_| (201, json!({"id": 1})));
    let hub = connect_answered(&server, &outside.url);
    assert!(binds(&server, &hub, ("halden/edge-dns", "ingrid"), "s-1"));
    assert!(
        !binds(&server, &hub, ("halden/edge-dns", "mallory"), "s-2"),
        "a stranger"
    );
    assert!(!binds(&server, &hub, ("ingrid/edge-dns", "ingrid"), "s-3"), "a fork");
    let connection = format!("/api/v1/connections/{}", hub.path.trim_start_matches("/hooks/"));
    let trusted = json!({"trusted": ["mallory", "mallory/edge-dns"]});
    let (status, told) = server.ask_with(
        "PATCH",
        &connection,
        Some(&server.token("admin")),
        Some(&trusted),
        &[("If-Match", "*")],
    );
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&told));
    assert!(
        binds(&server, &hub, ("mallory/edge-dns", "mallory"), "s-4"),
        "they are named"
    );
    assert!(
        !binds(&server, &hub, ("eve/edge-dns", "mallory"), "s-5"),
        "another fork is not"
    );
}
