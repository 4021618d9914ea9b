//! Runs of Terraform query by a run task: signed over the raw body, the response at the address that they name where it is the
//! configured host's, progress while they wait, and one result with every reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::outside::{Outside, Sent};
use tests::{Place, Server};

use crate::integration::gated;

const COMMIT: &str = "7d8fb2a2d601edebdb7a59ad2088a96673637d22";
const STRANGE: &str = "8d8fb2a2d601edebdb7a59ad2088a96673637d22";
const TOKEN: &str = "4QEuyyxug1f2rw.atlasv1.iDyxqhXGVZ0ykes53YdQyHyYtFOrdAWNBxcVUgWvzb64NFHjcquu8gJM";

struct Task<'a> {
    server: &'a Server,
    id: String,
    secret: String,
}

fn signature(secret: &str, body: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA512, secret.as_bytes());
    let tag = ring::hmac::sign(&key, body.as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl<'a> Task<'a> {
    fn connect(server: &'a Server, base: &str) -> Self {
        let request = json!({
            "kind": "terraform_task", "name": "Terraform", "api": {"base": base},
            "trusted": ["pipeline-bot"],
            "map": [{"repository": "halden/edge-dns-*", "service": "edge-dns", "environments": {"prod": "production"}}],
        });
        let path = "/api/v1/connections";
        assert_eq!(
            server
                .ask("POST", path, Some(&server.token("pipeline")), Some(&request))
                .0,
            403
        );
        let made = server.must("POST", path, &server.token("admin"), Some(&request));
        Self {
            server,
            id: made["id"].as_str().unwrap().to_owned(),
            secret: made["secret"].as_str().unwrap().to_owned(),
        }
    }

    fn send(&self, body: &Value, signature: &str, more: (&str, &str)) -> u16 {
        let request = ureq::http::Request::post(format!("{}/hooks/{}", self.server.url, self.id))
            .header("Content-Type", "application/json")
            .header("User-Agent", "TFC/1.0")
            .header("X-TFC-Task-Signature", signature)
            .header(more.0, more.1)
            .body(body.to_string())
            .unwrap();
        tests::caller::agent().run(request).unwrap().status().as_u16()
    }

    fn ask(&self, body: &Value) {
        let signature = signature(&self.secret, &body.to_string());
        assert_eq!(self.send(body, &signature, ("X-Try", "1")), 200, "{body:#}");
    }

    fn checks(&self) -> Vec<Value> {
        let token = self.server.token("admin");
        let told = self.server.must("GET", "/api/v1/outside-checks", &token, None);
        let items = told["items"].as_array().unwrap();
        items
            .iter()
            .filter(|it| it["connection"] == self.id.as_str())
            .cloned()
            .collect()
    }
}

/// The documented request, about a result of this number.
fn request(base: &str, number: u32, more: Value) -> Value {
    let mut body = json!({
        "payload_version": 1, "stage": "pre_apply", "access_token": TOKEN, "capabilities": {"outcomes": true},
        "configuration_version_id": "cv-ntv3HbhJqvFzamy7", "is_speculative": false, "organization_name": "halden",
        "run_app_url": "https://app.terraform.io/app/halden/edge-dns-prod/runs/run-i3Df5to9ELvibKpQ",
        "run_created_at": "2026-11-20T09:59:00.036Z", "run_created_by": "ingrid", "run_id": format!("run-{number}"),
        "run_message": "Triggered via UI", "task_result_callback_url": format!("{base}/api/v2/task-results/{number}-2ceb-42cd/callback"),
        "task_result_enforcement_level": "mandatory", "task_result_id": format!("taskrs-{number}"), "vcs_branch": "main",
        "vcs_commit_url": format!("https://github.com/halden/edge-dns/commit/{COMMIT}"), "vcs_pull_request_url": null,
        "vcs_repo_url": "https://github.com/halden/edge-dns", "workspace_id": "ws-ck4G5bb1Yei5szRh",
        "workspace_name": "edge-dns-prod", "workspace_working_directory": "/terraform",
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn told(number: u32, status: &str) -> impl Fn(&Sent) -> bool + use<> {
    let (path, status) = (
        format!("/api/v2/task-results/{number}-2ceb-42cd/callback"),
        status.to_owned(),
    );
    move |one: &Sent| {
        one.method == "PATCH" && one.path == path && one.json()["data"]["attributes"]["status"] == status.as_str()
    }
}

fn count(terraform: &Outside, of: impl Fn(&Sent) -> bool) -> usize {
    terraform.sent().iter().filter(|one| of(one)).count()
}

fn outcomes(one: &Sent) -> Vec<Value> {
    let told = one.json();
    let found = told
        .pointer("/data/relationships/outcomes/data")
        .and_then(Value::as_array);
    found.cloned().unwrap_or_default()
}

fn code(one: &Sent) -> Value {
    outcomes(one)[0]["attributes"]["tags"]["Reason"][0]["label"].clone()
}

/// A change that names the commit, with all that its gate wants.
fn approved_change(server: &Server) -> String {
    let key = gated::draft(server);
    let requester = server.token("requester");
    let path = format!("/api/v1/changes/{key}");
    let target = json!({"targets": [{"service": "edge-dns", "environment": "production", "commit": COMMIT}]});
    let (status, _) = server.ask_with("PATCH", &path, Some(&requester), Some(&target), &[("If-Match", "*")]);
    assert_eq!(status, 200);
    gated::approve(server, &key, COMMIT);
    key
}

/// Terraform, where the first result meets a server that is down.
fn down_at_first(tries: &Arc<AtomicUsize>) -> Outside {
    let tries = Arc::clone(tries);
    Outside::start(move |one| {
        let is_result = one.json()["data"]["attributes"]["status"] == "passed";
        if is_result && tries.fetch_add(1, Ordering::SeqCst) == 0 {
            return (503, Value::Null);
        }
        (200, Value::Null)
    })
}

#[test]
fn a_run_waits_for_the_gate_and_has_one_result() {
    let place = Place::demo("run_tasks");
    let mut server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let tries = Arc::new(AtomicUsize::new(0));
    let terraform = down_at_first(&tries);
    let base = terraform.url.clone();
    {
        let task = Task::connect(&server, &base);
        // Terraform's test of a task that is set up: nothing is checked and nothing reported.
        task.ask(&request(
            &base,
            1,
            json!({"stage": "test", "access_token": "test-token"}),
        ));
        let body = request(&base, 2, json!({}));
        task.ask(&body);
        let first = terraform.wait_for("the run is told why it waits", told(2, "running"));
        assert_eq!(first.header("authorization"), format!("Bearer {TOKEN}"));
        assert_eq!(first.header("content-type"), "application/vnd.api+json");
        assert_eq!(first.json()["data"]["type"], "task-results");
        assert_eq!(code(&first), "change_missing", "{:#}", first.json());
        let shown = outcomes(&first)[0]["attributes"].clone();
        assert!(shown["body"].as_str().unwrap().starts_with("## "), "{shown:#}");
        // The same request once more, also under another name of the delivery, is the same question.
        let good = signature(&task.secret, &body.to_string());
        assert_eq!(task.send(&body, &good, ("webhook-id", "another")), 200);
        let checks = task.checks();
        assert_eq!(checks.len(), 1, "{checks:#?}");
        assert_eq!(
            (&checks[0]["ask"], &checks[0]["stage"], &checks[0]["answer"]),
            (&json!("run_task"), &json!("pre_apply"), &json!("waiting"))
        );
        assert_eq!(count(&terraform, told(1, "running")), 0, "a trial wants no result");
    }
    server.advance(8 * 60);
    eventually("it hears that it still waits", || {
        count(&terraform, told(2, "running")) >= 2
    });
    let key = approved_change(&server);
    let passed = || count(&terraform, told(2, "passed"));
    eventually("the first try meets a server that is down", || {
        tries.load(Ordering::SeqCst) >= 1
    });
    // The failure is noted a moment after it was met, so the clock goes on until the next try is due.
    eventually("and is tried again", || {
        server.advance(5);
        passed() >= 2
    });
    let result = terraform.wait_for("the result", told(2, "passed"));
    let told_words = result.json()["data"]["attributes"].clone();
    assert!(told_words["message"].as_str().unwrap().contains(&key), "{told_words:#}");
    assert!(
        told_words["url"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/changes/{key}"))
    );
    // A result is final.
    let hold = json!({"reason": "The vendor called."});
    let path = format!("/api/v1/changes/{key}/hold");
    server.must("POST", &path, &server.token("change_manager"), Some(&hold));
    server.advance(9 * 60);
    assert_eq!(count(&terraform, told(2, "failed")), 0);
}

#[test]
fn a_run_that_cannot_be_judged_is_refused_at_once_and_one_that_waits_within_the_hour() {
    let place = Place::demo("run_tasks_refused");
    let mut server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let terraform = Outside::start(|_| (200, Value::Null));
    let base = terraform.url.clone();
    {
        let task = Task::connect(&server, &base);
        task.ask(&request(&base, 1, json!({"workspace_name": "somewhere"})));
        let refused = terraform.wait_for("an unknown workspace is refused", told(1, "failed"));
        assert_eq!(code(&refused), "workspace_unmapped");
        task.ask(&request(&base, 2, json!({"vcs_commit_url": null})));
        let refused = terraform.wait_for("so is a run without a commit", told(2, "failed"));
        assert_eq!(code(&refused), "commit_missing");
        // Anybody who may start a run could name a commit that was approved; an account of the connection is believed.
        let claim = json!({"vcs_commit_url": null, "run_message": format!("Apply {COMMIT}")});
        task.ask(&request(&base, 6, claim.clone()));
        let refused = terraform.wait_for("and one that only claims a commit", told(6, "failed"));
        assert_eq!(code(&refused), "commit_missing");
        let mut trusted = claim;
        trusted["run_created_by"] = json!("pipeline-bot");
        task.ask(&request(&base, 7, trusted));
        terraform.wait_for("but for an account that is trusted", told(7, "running"));
        let speculative = json!({"stage": "post_plan", "is_speculative": true});
        task.ask(&request(&base, 3, speculative));
        terraform.wait_for("a plan that is never applied passes", told(3, "passed"));
        task.ask(&request(&base, 4, json!({"stage": "post_apply"})));
        terraform.wait_for("what was applied is judged at once", told(4, "failed"));
        let other = format!("https://github.com/halden/edge-dns/commit/{STRANGE}");
        task.ask(&request(&base, 5, json!({"vcs_commit_url": other})));
        terraform.wait_for("it waits", told(5, "running"));
    }
    for _ in 0..8 {
        server.advance(8 * 60);
    }
    let refused = terraform.wait_for("and is refused within the hour", told(5, "failed"));
    assert_eq!(code(&refused), "wait_over");
}

#[test]
fn a_forged_request_is_turned_away_and_a_result_goes_to_the_configured_host_alone() {
    let place = Place::demo("run_tasks_forged");
    let server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    let terraform = Outside::start(|_| (200, Value::Null));
    let elsewhere = Outside::start(|_| (200, Value::Null));
    let base = terraform.url.clone();
    let (task, other) = (Task::connect(&server, &base), Task::connect(&server, &base));
    let body = request(&base, 1, json!({}));
    let good = signature(&task.secret, &body.to_string());
    for wrong in [
        String::new(),
        good.replace(|digit: char| digit.is_ascii_digit(), "a"),
        signature(&other.secret, &body.to_string()),
        signature("", &body.to_string()),
    ] {
        assert_eq!(task.send(&body, &wrong, ("X-Try", "1")), 401);
    }
    let bearer = format!("Bearer {}", task.secret);
    assert_eq!(
        task.send(&body, "", ("Authorization", &bearer)),
        401,
        "the key alone signs nothing"
    );
    let changed = request(&base, 1, json!({"is_speculative": true, "stage": "post_plan"}));
    assert_eq!(task.send(&changed, &good, ("X-Try", "1")), 401);
    task.ask(&request(&elsewhere.url, 2, json!({})));
    let token = server.token("admin");
    let path = format!("/api/v1/connections/{}/deliveries", task.id);
    let deliveries = || server.must("GET", &path, &token, None);
    eventually("it is read", || deliveries()["items"][0]["state"] == "done");
    let told = deliveries();
    assert!(
        told["items"][0]["result"].as_str().unwrap().starts_with("refused"),
        "{told:#}"
    );
    task.ask(&request(&base, 3, json!({})));
    terraform.wait_for("the good one is answered", self::told(3, "running"));
    assert!(elsewhere.sent().is_empty(), "{:#?}", elsewhere.sent());
    // The stored part of a request lets nobody respond to it.
    let id = deliveries()["items"][0]["id"].as_str().unwrap().to_owned();
    let kept = server
        .must("GET", &format!("/api/v1/deliveries/{id}"), &token, None)
        .to_string();
    let checks = Value::from(task.checks()).to_string();
    assert!(
        !kept.contains("atlasv1") && !checks.contains("atlasv1"),
        "{kept} {checks}"
    );
}
