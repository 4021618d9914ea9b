//! The authors of a change's commits, from a signed push of GitHub's: a stranger blocks by name on every route, the command
//! line shows the name, and a committer is no peer.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::{Place, Server};

use crate::integration::deliveries::{Hook, connect};
use crate::policy::mapping::assent;

const BEFORE: &str = "1111111111111111111111111111111111111111";
const COMMIT: &str = "2222222222222222222222222222222222222222";

/// A high-risk change for a commit, with all approvals there: it waits for nobody.
fn ready(server: &Server) -> String {
    let requester = server.token("requester");
    let request = json!({
        "title": "Another resolver", "description": "Faster.", "justification": "People wait.", "complexity": "high",
        "impact": {"data": "none", "availability": "high", "compliance": "none"},
        "targets": [{"service": "edge-dns", "environment": "production", "commit": COMMIT}],
        "planned_start": "2026-11-20T09:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
        "plan": [{"title": "Deploy"}], "rollback_plan": [{"title": "Deploy the old one"}],
    });
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&request));
    let key = made["key"].as_str().unwrap().to_owned();
    crate::integration::gated::approve(server, &key, COMMIT);
    peer_review(server, &key, "commander");
    key
}

fn peer_review(server: &Server, key: &str, role: &str) {
    let path = format!("/api/v1/changes/{key}");
    let digest = server.must("GET", &path, &server.token(role), None)["content_digest"].clone();
    let words = json!({"verdict": "agree", "content_digest": digest, "text": "Read."});
    server.must(
        "POST",
        &format!("{path}/peer-reviews"),
        &server.token(role),
        Some(&words),
    );
}

/// POSTs as somebody; the status and the body.
fn asked(server: &Server, path: &str, role: &str, body: &Value) -> (u16, Value) {
    let (status, bytes) = server.ask("POST", path, Some(&server.token(role)), Some(body));
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

fn push(hook: &Hook<'_>, id: &str, author: &Value) {
    let body = json!({
        "ref": "refs/heads/main", "before": BEFORE, "after": COMMIT,
        "commits": [{"id": COMMIT, "message": "Faster", "author": author, "committer": author}],
        "repository": {"full_name": "halden/edge-dns", "name": "edge-dns", "owner": {"login": "halden"}},
        "pusher": {"name": "mona-l"}, "sender": {"login": "mona-l"},
    });
    assert_eq!(hook.good("push", id, &body), 202);
}

#[test]
fn a_committer_who_is_nobody_here_blocks_until_the_command_line_says_who_it_is() {
    let place = Place::demo("committers");
    let mut server = Server::start(&place, true);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let hook = connect(&server);
    let key = ready(&server);
    let (requester, admin) = (server.token("requester"), server.token("admin"));
    let path = format!("/api/v1/changes/{key}");
    let state = || server.must("GET", &path, &requester, None)["state"].clone();
    let gate = || {
        let path = format!("/api/v1/gate?service=edge-dns&environment=production&commit={COMMIT}");
        server.ask("GET", &path, Some(&server.token("pipeline")), None).0
    };
    assert_eq!((state(), gate()), (json!("scheduled"), 200));

    push(
        &hook,
        "one",
        &json!({"name": "Mona Lind", "email": "Mona@Home.example", "username": "mona-l"}),
    );
    eventually("the change goes back", || state() == "authorizing");
    assert_eq!(gate(), 403);
    let owed = server.must("GET", &format!("{path}/requirements"), &requester, None);
    let rows: Vec<&Value> = owed["items"].as_array().unwrap().iter().collect();
    let row = rows
        .iter()
        .find(|row| row["text"].as_str().unwrap().contains("Mona Lind"))
        .unwrap();
    assert_eq!(row["code"], "committer_unknown");
    let text = row["text"].as_str().unwrap();
    assert!(text.contains("Mona Lind") && text.contains("github:mona-l"), "{row:#}");
    assert!(
        row["satisfy"].as_str().unwrap().contains("assent person account"),
        "{row:#}"
    );
    // No permit either for a request with other values.
    let question = json!({"service": "edge-dns", "environment": "production", "commit": COMMIT});
    let check = server.must(
        "POST",
        "/api/v1/gate-checks",
        &server.token("pipeline"),
        Some(&question),
    );
    assert_eq!((&check["decision"], &check["permit"]), (&json!("stop"), &Value::Null));

    let person = json!({"login": "mona", "name": "Mona Lind"});
    server.must("POST", "/api/v1/people", &admin, Some(&person));
    let (code, told) = assent(
        &server,
        "admin",
        &["person", "account", "mona", "--add", "github:Mona-L"],
    );
    assert_eq!((code, &told["accounts"]), (0, &json!(["github:Mona-L"])), "{told:#}");
    assert_eq!((state(), gate()), (json!("scheduled"), 200));
    let other = json!({"login": "mona2", "name": "Mona", "accounts": ["github:mona-l"]});
    let (status, told) = asked(&server, "/api/v1/people", "admin", &other);
    assert_eq!(
        (status, &told["errors"][0]["code"]),
        (422, &json!("not_unique")),
        "{told:#}"
    );

    a_peer_who_committed_is_no_peer(&server, &hook, &key);
    server.wait_for_log();
}

/// The peer who read it turns out to have made the commit: another must read it, and the peer themselves may not.
fn a_peer_who_committed_is_no_peer(server: &Server, hook: &Hook<'_>, key: &str) {
    let (requester, admin) = (server.token("requester"), server.token("admin"));
    let path = format!("/api/v1/changes/{key}");
    let state = || server.must("GET", &path, &requester, None)["state"].clone();
    let peer = server.person("commander")["login"].as_str().unwrap().to_owned();
    let account = server.must("GET", &format!("/api/v1/people/{peer}"), &admin, None)["accounts"][0].clone();
    let account = account.as_str().unwrap().trim_start_matches("github:").to_owned();
    push(
        hook,
        "two",
        &json!({"name": "A Peer", "email": "peer@home.example", "username": account}),
    );
    eventually("the change goes back", || state() == "authorizing");
    let digest = server.must("GET", &path, &requester, None)["content_digest"].clone();
    let words = json!({"verdict": "agree", "content_digest": digest, "text": "Read."});
    let (status, told) = asked(server, &format!("{path}/peer-reviews"), "commander", &words);
    assert_eq!(status, 403, "{told:#}");
    // Nor does their account go by another name: it is theirs until an administrator gives it to somebody else.
    let (code, _) = assent(
        server,
        "admin",
        &["person", "account", "mona", "--add", &format!("github:{account}")],
    );
    assert_eq!(code, 1);
}
