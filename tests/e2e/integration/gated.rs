//! GitHub queries before it merges and deploys: Assent responds at its API (a small fake one), again by itself when the change
//! moves, only at the configured host, and commits inherit only with an equal tree. GitHub's own library signs the messages to
//! Assent.

use std::process::Command;

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::outside::{Outside, Sent, base64};
use tests::{Place, Server};

const HEAD: &str = "1111111111111111111111111111111111111111";
const NEXT: &str = "2222222222222222222222222222222222222222";
const SQUASH: &str = "3333333333333333333333333333333333333333";
const OTHER: &str = "4444444444444444444444444444444444444444";
const TREE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER_TREE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// Signs as GitHub's library does.
fn signed(secret: &str, body: &str) -> String {
    let modules =
        std::env::var("ASSENT_TEST_NODE_MODULES").expect("run by cargo xtask test, which installs the judges");
    let script = format!(
        "import {{ Webhooks }} from '{modules}/@octokit/webhooks/dist-bundle/index.js';\n\
         const [secret, body] = process.argv.slice(1).map((it) => Buffer.from(it, 'base64').toString());\n\
         console.log(await new Webhooks({{ secret }}).sign(body));"
    );
    let done = Command::new("node")
        .args(["--input-type=module", "-e", &script, "--"])
        .args([base64(secret.as_bytes()), base64(body.as_bytes())])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

struct Hook<'a> {
    server: &'a Server,
    id: String,
    secret: String,
    sent: std::cell::Cell<u32>,
}

impl Hook<'_> {
    fn deliver(&self, event: &str, body: &Value) {
        self.sent.set(self.sent.get() + 1);
        let text = body.to_string();
        let request = ureq::http::Request::builder()
            .method("POST")
            .uri(format!("{}/hooks/{}", self.server.url, self.id))
            .header("Content-Type", "application/json")
            .header("X-GitHub-Event", event)
            .header("X-GitHub-Delivery", format!("{event}-{}", self.sent.get()))
            .header("X-Hub-Signature-256", signed(&self.secret, &text))
            .body(text)
            .unwrap();
        let agent = tests::caller::agent();
        assert_eq!(agent.run(request).unwrap().status().as_u16(), 202, "{event}");
    }
}

fn connect<'a>(server: &'a Server, github: &Outside) -> Hook<'a> {
    let request = json!({
        "kind": "github", "name": "GitHub", "api": {"base": github.url, "token": "ghs_sixteen_letters"},
        "map": [{"repository": "halden/edge-dns", "service": "edge-dns", "environments": {"production": "production"}}],
    });
    let made = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    assert!(made["api"].get("token").is_none(), "{made:#}");
    Hook {
        server,
        id: made["id"].as_str().unwrap().to_owned(),
        secret: made["secret"].as_str().unwrap().to_owned(),
        sent: std::cell::Cell::new(0),
    }
}

fn repository() -> Value {
    json!({"full_name": "halden/edge-dns", "name": "edge-dns", "owner": {"login": "halden"}})
}

fn pull(action: &str, head: &str, before: Option<&str>, key: &str, at: &str) -> Value {
    json!({
        "action": action, "number": 7, "before": before, "repository": repository(), "sender": {"login": "ingrid"},
        "pull_request": {
            "number": 7, "title": format!("{key}: a new zone"), "body": "It is needed.", "state": "open",
            "head": {"sha": head, "ref": "zone"}, "merged": false, "merge_commit_sha": null,
            "user": {"login": "ingrid"}, "updated_at": at,
        },
    })
}

fn push(commit: &str, tree: &str) -> Value {
    json!({
        "ref": "refs/heads/main", "before": OTHER, "after": commit, "commits": [], "repository": repository(),
        "head_commit": {"id": commit, "tree_id": tree}, "pusher": {"name": "ingrid"}, "sender": {"login": "ingrid"},
    })
}

fn rule(github: &Outside, run: &str, commit: &str) -> Value {
    let callback = format!(
        "{}/repos/halden/edge-dns/actions/runs/{run}/deployment_protection_rule",
        github.url
    );
    json!({
        "action": "requested", "environment": "production", "event": "push", "sha": commit, "ref": "main",
        "deployment_callback_url": callback, "repository": repository(), "sender": {"login": "ingrid"},
        "deployment": {"sha": commit, "created_at": "2026-11-20T10:00:00Z"}, "pull_requests": [],
    })
}

/// A change whose target names no commit yet; its window begins on 20 November 2026 at nine.
pub(crate) fn draft(server: &Server) -> String {
    let request = json!({
        "title": "A new zone", "description": "One commit.", "justification": "It is tested.", "complexity": "low",
        "impact": {"data": "none", "availability": "low", "compliance": "none"},
        "targets": [{"service": "edge-dns", "environment": "production"}],
        "planned_start": "2026-11-20T09:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
        "plan": [{"title": "Deploy"}], "rollback_plan": [{"title": "Deploy the old one"}],
    });
    let made = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&request));
    made["key"].as_str().unwrap().to_owned()
}

/// Submits a change where it is a draft, and has it approved with evidence for a commit.
pub(crate) fn approve(server: &Server, key: &str, commit: &str) {
    let requester = server.token("requester");
    let path = format!("/api/v1/changes/{key}");
    if server.must("GET", &path, &requester, None)["state"] == "draft" {
        server.must("POST", &format!("{path}/submission"), &requester, Some(&json!({})));
        let assessment = json!({"dependencies_reviewed": true});
        server.must("POST", &format!("{path}/assessment"), &requester, Some(&assessment));
    }
    let evidence = json!({"kind": "note", "aspect": "functional", "result": "passed", "environment": "staging", "artifact": commit, "text": "ok"});
    server.must("POST", &format!("{path}/evidence"), &requester, Some(&evidence));
    for role in ["owner", "security", "change_manager"] {
        let digest = server.must("GET", &path, &requester, None)["content_digest"].clone();
        let decision = json!({"decision": "approve", "content_digest": digest});
        server.must(
            "POST",
            &format!("{path}/approvals"),
            &server.token(role),
            Some(&decision),
        );
    }
}

fn status_of(one: &Sent, commit: &str, state: &str) -> bool {
    one.path == format!("/repos/halden/edge-dns/statuses/{commit}") && one.json()["state"] == state
}

/// “Re-run” at GitHub requests the result once more; a foreign run has no effect.
fn the_check_is_said_again(github: &Outside, hook: &Hook<'_>) {
    let answers = || {
        github
            .sent()
            .iter()
            .filter(|one| status_of(one, NEXT, "success"))
            .count()
    };
    let before = answers();
    let mut again = json!({
        "action": "rerequested", "repository": repository(), "sender": {"login": "ingrid"},
        "check_run": {"name": "lint", "head_sha": NEXT, "pull_requests": []},
    });
    hook.deliver("check_run", &again);
    again["check_run"]["name"] = json!("assent/change");
    hook.deliver("check_run", &again);
    eventually("it is said again", || answers() == before + 1);
    let suite = json!({
        "action": "rerequested", "repository": repository(), "sender": {"login": "ingrid"},
        "check_suite": {"head_sha": NEXT, "head_branch": "zone", "pull_requests": [{"number": 7}]},
    });
    hook.deliver("check_suite", &suite);
    eventually("and for the suite", || answers() == before + 2);
}

#[test]
fn a_merge_waits_for_its_change_and_a_push_voids_what_was_said() {
    let place = Place::demo("gated_merge");
    let mut server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let github = Outside::start(|_| (201, json!({"id": 1})));
    let hook = connect(&server, &github);
    let key = draft(&server);
    let requester = server.token("requester");
    let path = format!("/api/v1/changes/{key}");
    hook.deliver(
        "pull_request",
        &pull("opened", HEAD, None, &key, "2026-11-20T10:00:00Z"),
    );
    let first = github.wait_for("the merge is held", |one| status_of(one, HEAD, "pending"));
    assert_eq!(first.header("authorization"), "Bearer ghs_sixteen_letters");
    assert_eq!(first.json()["context"], "assent/change");
    assert_eq!(
        server.must("GET", &path, &requester, None)["targets"][0]["commit"],
        HEAD
    );
    approve(&server, &key, HEAD);
    github.wait_for("it is released by itself", |one| status_of(one, HEAD, "success"));
    hook.deliver(
        "pull_request",
        &pull("synchronize", NEXT, Some(HEAD), &key, "2026-11-20T10:01:00Z"),
    );
    github.wait_for("the new head is held", |one| status_of(one, NEXT, "pending"));
    let now = server.must("GET", &path, &requester, None);
    assert_eq!(
        (&now["targets"][0]["commit"], &now["state"]),
        (&json!(NEXT), &json!("authorizing"))
    );
    approve(&server, &key, NEXT);
    github.wait_for("and released when approved anew", |one| status_of(one, NEXT, "success"));
    the_check_is_said_again(&github, &hook);
    // A stranger's request that names the change holds nothing and edits nothing.
    let mut foreign = pull("opened", OTHER, None, &key, "2026-11-20T10:02:00Z");
    foreign["number"] = json!(8);
    foreign["pull_request"]["number"] = json!(8);
    hook.deliver("pull_request", &foreign);
    github.wait_for("it is held", |one| status_of(one, OTHER, "pending"));
    assert_eq!(server.must("GET", &path, &requester, None)["state"], "scheduled");
    let trial = json!({"links": [{"from": "branch"}]});
    let tried = server.must(
        "POST",
        &format!("/api/v1/connections/{}/link-trials", hook.id),
        &server.token("admin"),
        Some(&trial),
    );
    assert_eq!(
        (tried["differ"].as_i64(), tried["questions"].as_array().map(Vec::len)),
        (Some(3), Some(3)),
        "{tried:#}"
    );
}

#[test]
fn a_deployment_waits_at_the_rule_and_a_squash_inherits_only_with_an_equal_tree() {
    let place = Place::demo("gated_rule");
    let mut server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let github = Outside::start(|_| (204, Value::Null));
    let hook = connect(&server, &github);
    let key = draft(&server);
    hook.deliver(
        "pull_request",
        &pull("opened", HEAD, None, &key, "2026-11-20T10:00:00Z"),
    );
    github.wait_for("the merge is held", |one| status_of(one, HEAD, "pending"));
    hook.deliver("push", &push(HEAD, TREE));
    hook.deliver("push", &push(OTHER, OTHER_TREE));
    hook.deliver("deployment_protection_rule", &rule(&github, "17", SQUASH));
    hook.deliver("deployment_protection_rule", &rule(&github, "18", OTHER));
    let of = |run: &str, state: Option<&str>| {
        let (path, state) = (format!("/actions/runs/{run}/"), state.map(str::to_owned));
        move |one: &Sent| one.path.contains(&path) && one.json()["state"].as_str() == state.as_deref()
    };
    let waiting = github.wait_for("the run is told why it waits", of("17", None));
    assert_eq!(waiting.json()["environment_name"], "production");
    approve(&server, &key, HEAD);
    // The squash is known only now: its tree is that of the approved head.
    hook.deliver("push", &push(SQUASH, TREE));
    github.wait_for("the squash goes by itself", of("17", Some("approved")));
    let gate = |commit: &str| {
        let path = format!("/api/v1/gate?service=edge-dns&environment=production&commit={commit}");
        server.ask("GET", &path, Some(&server.token("pipeline")), None).0
    };
    assert_eq!((gate(SQUASH), gate(HEAD), gate(OTHER)), (200, 200, 403));
    let hold = json!({"reason": "The vendor called."});
    server.must(
        "POST",
        &format!("/api/v1/changes/{key}/hold"),
        &server.token("change_manager"),
        Some(&hold),
    );
    github.wait_for("and is stopped again by itself", of("17", Some("rejected")));
    assert!(!github.sent().iter().any(|one| of("18", Some("approved"))(one)));
    let question = json!({"service": "edge-dns", "environment": "production", "commit": SQUASH});
    server.must(
        "POST",
        &format!("/api/v1/changes/{key}/resume"),
        &server.token("change_manager"),
        Some(&json!({})),
    );
    let check = server.must(
        "POST",
        "/api/v1/gate-checks",
        &server.token("pipeline"),
        Some(&question),
    );
    assert_eq!(
        (&check["decision"], &check["change"]),
        (&json!("go"), &json!(key)),
        "{check:#}"
    );
}

#[test]
fn a_callback_to_another_host_is_refused_counted_and_never_called() {
    let place = Place::demo("gated_foreign");
    let server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    let github = Outside::start(|_| (204, Value::Null));
    let elsewhere = Outside::start(|_| (204, Value::Null));
    let hook = connect(&server, &github);
    hook.deliver("deployment_protection_rule", &rule(&elsewhere, "17", HEAD));
    let mut unknown = rule(&github, "18", HEAD);
    unknown["repository"]["full_name"] = json!("halden/other");
    hook.deliver("deployment_protection_rule", &unknown);
    let admin = server.token("admin");
    let shown = format!("/api/v1/connections/{}", hook.id);
    eventually("the refusal is shown", || {
        server.must("GET", &shown, &admin, None)["refused"][0]["code"] == "foreign_callback"
    });
    eventually("both are read", || {
        let list = server.must("GET", &format!("{shown}/deliveries?state=done"), &admin, None);
        list["items"].as_array().is_some_and(|rows| rows.len() == 2)
    });
    assert!(elsewhere.sent().is_empty() && github.sent().is_empty());
    let agent = tests::caller::agent();
    let forged = agent
        .post(format!("{}/hooks/{}", server.url, hook.id))
        .header("X-Hub-Signature-256", "sha256=00")
        .send("{}")
        .unwrap();
    assert_eq!(forged.status().as_u16(), 401);
    let refused = server.must("GET", &shown, &admin, None)["refused"].clone();
    let codes: Vec<&str> = refused
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["bad_signature", "foreign_callback"]);
}

#[test]
fn who_pushes_another_head_does_not_approve_it() {
    let place = Place::demo("gated_pusher");
    let mut server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let github = Outside::start(|_| (201, json!({"id": 1})));
    let hook = connect(&server, &github);
    let key = draft(&server);
    let (requester, owner) = (server.token("requester"), server.token("owner"));
    hook.deliver(
        "pull_request",
        &pull("opened", HEAD, None, &key, "2026-11-20T10:00:00Z"),
    );
    github.wait_for("the merge is held", |one| status_of(one, HEAD, "pending"));
    // The owner, who would approve it, pushes a commit of their own to the same request.
    let mut pushed = pull("synchronize", NEXT, Some(HEAD), &key, "2026-11-20T10:01:00Z");
    pushed["sender"] = json!({"login": server.person("owner")["login"]});
    hook.deliver("pull_request", &pushed);
    github.wait_for("the new head is held", |one| status_of(one, NEXT, "pending"));
    let path = format!("/api/v1/changes/{key}");
    server.must("POST", &format!("{path}/submission"), &requester, Some(&json!({})));
    let assessment = json!({"dependencies_reviewed": true});
    server.must("POST", &format!("{path}/assessment"), &requester, Some(&assessment));
    let now = server.must("GET", &path, &requester, None);
    assert_eq!(now["targets"][0]["commit"], NEXT);
    let decision = json!({"decision": "approve", "content_digest": now["content_digest"]});
    let (status, told) = server.ask("POST", &format!("{path}/approvals"), Some(&owner), Some(&decision));
    assert_eq!(status, 403, "{}", String::from_utf8_lossy(&told));
}
