//! GitLab (a small fake one with its documented API) queries before it merges and deploys and gets a new result when the change
//! moves, each time for one commit; it gets the freezes of its projects, and its own are reported.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::outside::{Outside, Sent};
use tests::{Place, Server};

use crate::integration::gated::{approve, draft};

const HEAD: &str = "1111111111111111111111111111111111111111";
const NEXT: &str = "2222222222222222222222222222222222222222";
const PERIODS: &str = "/api/v4/projects/halden%2Fedge-dns/freeze_periods";
const ALLOW: &[&str] = &["--outgoing-allow", "127.0.0.1"];

/// A connection of GitLab's, as GitLab knows it.
struct Hook<'a> {
    server: &'a Server,
    id: String,
    secret: String,
}

fn connect<'a>(server: &'a Server, gitlab: &Outside) -> Hook<'a> {
    let request = json!({
        "kind": "gitlab", "name": "GitLab", "api": {"base": gitlab.url, "token": "glpat-sixteen-letters"},
        "trusted": ["ingrid"],
        "map": [{"repository": "halden/edge-dns", "service": "edge-dns", "environments": {"production": "production"}}],
    });
    let made = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    assert!(made["api"].get("token").is_none(), "{made:#}");
    Hook {
        server,
        id: made["id"].as_str().unwrap().to_owned(),
        secret: made["secret"].as_str().unwrap().to_owned(),
    }
}

impl Hook<'_> {
    fn send(&self, body: &Value, headers: &[(&str, &str)]) -> u16 {
        let path = format!("/hooks/{}", self.id);
        self.server.ask_with("POST", &path, None, Some(body), headers).0
    }

    /// GitLab's webhooks: the secret itself is in a header.
    fn deliver(&self, event: &str, body: &Value) {
        let headers = [("X-Gitlab-Event", event), ("X-Gitlab-Token", self.secret.as_str())];
        assert_eq!(self.send(body, &headers), 202, "{event}");
    }

    /// Its status checks: they sign the body.
    fn check(&self, body: &Value) {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        let tag = hmac::sign(&key, body.to_string().as_bytes());
        let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(self.send(body, &[("X-Gitlab-Signature", &digits)]), 202);
    }
}

fn project() -> Value {
    json!({"id": 19, "path_with_namespace": "halden/edge-dns", "name": "edge-dns"})
}

fn merge_request(key: &str, head: &str, before: Option<&str>, at: &str) -> Value {
    json!({
        "object_kind": "merge_request", "event_type": "merge_request", "user": {"username": "ingrid"}, "project": project(),
        "external_approval_rule": {"id": 5, "name": "Assent", "external_url": "https://assent.example"},
        "object_attributes": {
            "iid": 7, "title": format!("{key}: a new zone"), "description": "It is needed.", "source_branch": "zone",
            "state": "opened", "action": if before.is_some() { "update" } else { "open" }, "updated_at": at,
            "oldrev": before, "last_commit": {"id": head, "message": "A new zone"},
        },
    })
}

fn blocked(id: u64, commit: &str) -> Value {
    json!({
        "object_kind": "deployment", "status": "blocked", "status_changed_at": "2026-11-20 10:00:00 +0000",
        "deployment_id": id, "environment": "production", "project": project(), "user": {"username": "ingrid"},
        "short_sha": &commit[..8], "commit_url": format!("https://gitlab.example/halden/edge-dns/-/commit/{commit}"),
    })
}

#[test]
fn a_merge_and_a_blocked_deployment_are_answered_at_once_and_again_each_for_its_commit() {
    let place = Place::demo("gitlab_asks");
    let mut server = Server::start_with(&place, true, ALLOW);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let gitlab = Outside::start(|_| (201, json!({"id": 1})));
    let hook = connect(&server, &gitlab);
    let key = draft(&server);
    let said = |commit: &'static str, status: &'static str| {
        move |one: &Sent| {
            let body = one.json();
            one.path == "/api/v4/projects/19/merge_requests/7/status_check_responses"
                && (&body["sha"], &body["status"]) == (&json!(commit), &json!(status))
        }
    };
    hook.check(&merge_request(&key, HEAD, None, "2026-11-20T10:00:00Z"));
    let first = gitlab.wait_for("the merge is held at once", said(HEAD, "pending"));
    assert_eq!(first.header("private-token"), "glpat-sixteen-letters");
    assert_eq!(first.json()["external_status_check_id"], 5);
    hook.deliver("Deployment Hook", &blocked(41, HEAD));
    approve(&server, &key, HEAD);
    gitlab.wait_for("the merge is released by itself", said(HEAD, "passed"));
    let decided = |id: u64, status: &'static str| {
        let path = format!("/api/v4/projects/19/deployments/{id}/approval");
        move |one: &Sent| one.path == path && one.json()["status"] == status
    };
    gitlab.wait_for("and so is the deployment", decided(41, "approved"));
    hook.check(&merge_request(&key, NEXT, Some(HEAD), "2026-11-20T10:01:00Z"));
    gitlab.wait_for("another head is held", said(NEXT, "pending"));
    assert!(!gitlab.sent().iter().any(said(NEXT, "passed")));
    hook.deliver("Deployment Hook", &blocked(42, NEXT));
    approve(&server, &key, NEXT);
    gitlab.wait_for("and released when approved anew", said(NEXT, "passed"));
    gitlab.wait_for("with its own deployment", decided(42, "approved"));
    let manager = server.token("change_manager");
    let hold = json!({"reason": "The vendor called."});
    server.must("POST", &format!("/api/v1/changes/{key}/hold"), &manager, Some(&hold));
    gitlab.wait_for("which is stopped by itself", decided(42, "rejected"));
    let forged = json!({"object_kind": "push"});
    assert_eq!(hook.send(&forged, &[("X-Gitlab-Token", "another secret of ours")]), 401);
    assert_eq!(hook.send(&forged, &[("X-Gitlab-Signature", &"0".repeat(64))]), 401);
}

/// A GitLab that keeps freeze periods, with one that somebody else made.
fn keeper() -> (Outside, Arc<Mutex<Vec<Value>>>) {
    let periods = Arc::new(Mutex::new(vec![
        json!({"id": 1, "freeze_start": "0 23 * * 5", "freeze_end": "0 8 * * 1", "cron_timezone": "Europe/Berlin"}),
    ]));
    let kept = periods.clone();
    let answers = move |sent: &Sent| {
        let mut periods = kept.lock().unwrap();
        let id: Option<u64> = sent.path.rsplit('/').next().and_then(|last| last.parse().ok());
        let place = periods.iter().position(|it| it["id"].as_u64() == id && id.is_some());
        match (sent.method.as_str(), place) {
            ("GET", _) if sent.path.starts_with(PERIODS) => (200, json!(*periods)),
            ("POST", _) if sent.path == PERIODS => {
                let mut made = sent.json();
                made["id"] = json!(periods.len() + 100);
                periods.push(made.clone());
                (201, made)
            }
            ("DELETE", Some(place)) => {
                periods.remove(place);
                (204, Value::Null)
            }
            _ => (404, json!({"message": "404 Not found"})),
        }
    };
    (Outside::start(answers), periods)
}

/// An hour from here on, as GitLab writes it.
fn period(from: Timestamp) -> String {
    let cron = |at: Timestamp| at.to_zoned(TimeZone::UTC).strftime("%-M %-H %-d %-m *").to_string();
    format!("{} to {}", cron(from), cron(from + SignedDuration::from_hours(1)))
}

#[test]
fn freezes_are_brought_to_gitlab_and_taken_back_and_its_own_are_told() {
    let place = Place::demo("gitlab_freezes");
    let mut server = Server::start_with(&place, true, ALLOW);
    // Ahead of every lease that the demo's server left.
    let now = server.server_time() + SignedDuration::from_mins(2);
    server.hold_clock(now);
    let listener = Outside::start(|_| (204, Value::Null));
    let hook = json!({"name": "chat", "url": listener.url, "kinds": ["connection.*"]});
    server.must("POST", "/api/v1/webhooks", &server.token("admin"), Some(&hook));
    let (gitlab, periods) = keeper();
    connect(&server, &gitlab);
    let told = listener.wait_for("somebody else's period is told", |one| {
        one.json()["type"] == "assent.connection.freeze_periods_read"
    });
    assert_eq!(told.json()["data"]["data"]["periods"], 1, "{:#}", told.json());
    // The demo has a freeze of its own over everything.
    eventually("the demo's freeze stands at GitLab", || {
        periods.lock().unwrap().len() == 2
    });
    let manager = server.token("change_manager");
    let freeze = |from: Timestamp, service: &str| {
        let to = from + SignedDuration::from_hours(1);
        let body = json!({
            "title": "Quiet", "starts_at": from.to_string(), "ends_at": to.to_string(), "services": [service],
            "environments": ["production"],
        });
        let made = server.must("POST", "/api/v1/freezes", &manager, Some(&body));
        made["id"].as_str().unwrap().to_owned()
    };
    let stands = || -> Vec<String> {
        let kept = periods.lock().unwrap();
        let line = |it: &Value| format!("{} to {}", it["freeze_start"], it["freeze_end"]).replace('"', "");
        kept.iter().skip(2).map(line).collect()
    };
    let hours = |count: i64| now + SignedDuration::from_hours(count);
    let later = freeze(hours(24 * 33), "edge-dns");
    eventually("the freeze stands at GitLab", || stands() == [period(hours(24 * 33))]);
    freeze(hours(24 * 2), "label-print");
    freeze(hours(24 * 500), "edge-dns");
    freeze(hours(1), "edge-dns");
    let both = [period(hours(24 * 33)), period(hours(1))];
    eventually("the next one stands beside it", || stands() == both);
    let path = format!("/api/v1/freezes/{later}");
    let moved = hours(24 * 40);
    let times = json!({
        "starts_at": moved.to_string(), "ends_at": (moved + SignedDuration::from_hours(1)).to_string(),
        "edit_reason": "It is quiet later.",
    });
    // There is no other who may set freezes, so the same person confirms.
    let confirm = || server.must("POST", &format!("{path}/confirmation"), &manager, Some(&json!({})));
    let (status, told) = server.ask_with("PATCH", &path, Some(&manager), Some(&times), &[("If-Match", "*")]);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&told));
    confirm();
    let both = [period(hours(1)), period(moved)];
    eventually("what was moved stands at its new time alone", || stands() == both);
    server.must("DELETE", &path, &manager, Some(&json!({"reason": "It is over."})));
    confirm();
    eventually("what was taken back is gone", || stands() == both[..1]);
    server.advance(2 * 3_600);
    eventually("what is over is gone", || stands().is_empty());
    let made = gitlab.sent().iter().filter(|one| one.method == "POST").count();
    assert_eq!(made, 4, "each was made once: {:#?}", gitlab.sent());
    assert_eq!(periods.lock().unwrap().len(), 2, "theirs stays");
}

/// When a call is made, or made again.
fn time(call: &Value) -> Timestamp {
    call["run_at"].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_project_that_refuses_is_tried_again_alone() {
    let place = Place::demo("gitlab_refuses");
    let mut server = Server::start_with(&place, true, ALLOW);
    let now = server.server_time() + SignedDuration::from_mins(2);
    server.hold_clock(now);
    let refusals = AtomicUsize::new(2);
    let gitlab = Outside::start(move |sent| {
        let takes = |left: usize| left.checked_sub(1);
        let is_closed = sent.path.contains("halden%2Fclosed");
        if is_closed && refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, takes).is_ok() {
            return (503, json!({"message": "503 Service Unavailable"}));
        }
        match sent.method.as_str() {
            "GET" => (200, json!([])),
            _ => (201, json!({"id": 1})),
        }
    });
    let mapped =
        |name: &str| json!({"repository": name, "service": "edge-dns", "environments": {"production": "production"}});
    let request = json!({
        "kind": "gitlab", "name": "GitLab", "api": {"base": gitlab.url, "token": "glpat-sixteen-letters"},
        "map": [mapped("halden/closed"), mapped("halden/edge-dns")],
    });
    server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    let count = |method: &str, project: &str| {
        let of = |one: &&Sent| one.method == method && one.path.contains(&format!("{project}/freeze_periods"));
        gitlab.sent().iter().filter(of).count()
    };
    let mut held = now;
    for tries in 1..=2 {
        // A client under way would begin the pause only after the clock was moved.
        eventually("it waits for the next try", || {
            let calls = server.must("GET", "/api/v1/calls?state=waiting", &server.token("admin"), None);
            let waits = |it: &Value| it["tries"] == tries && time(it) > held;
            calls["items"].as_array().unwrap().iter().any(waits)
        });
        server.advance(20);
        held += SignedDuration::from_secs(20);
    }
    eventually("the demo's freeze stands there", || count("POST", "closed") == 1);
    assert_eq!((count("GET", "edge-dns"), count("POST", "edge-dns")), (1, 1));
}
