//! Deliveries that were never sent: the outside system is queried, and its response has the effect that the deliveries would
//! have had.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tests::faults::{eventually, size};
use tests::outside::Outside;
use tests::{Place, Server};

use crate::integration::deliveries::{approve_all, signature, waiting, waiting_with};
use crate::platform::beside::beside;

const COMMIT: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const OTHER: &str = "4444444444444444444444444444444444444444";
const LIST: &str = "/repos/halden/edge-dns/deployments";

fn deployment(id: u64, sha: &str, at: &str) -> Value {
    json!({
        "id": id, "sha": sha, "ref": "main", "task": "deploy", "environment": "production", "payload": {},
        "creator": {"login": "ingrid"}, "created_at": at, "updated_at": at, "description": "Ship it",
    })
}

fn status(id: u64, state: &str, at: &str) -> Value {
    json!({
        "id": id, "state": state, "environment": "production", "creator": {"login": "ingrid"}, "description": "",
        "created_at": at, "updated_at": at,
    })
}

#[test]
fn what_was_never_sent_is_asked_for_once_the_connection_is_there() {
    let place = Place::demo("unsent");
    let mut server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let path = waiting(&server);
    approve_all(&server, &path);
    let github = Outside::start(|sent| match sent.path.strip_prefix(LIST) {
        Some("?per_page=100") => (
            200,
            json!([
                deployment(4712, COMMIT, "2026-11-20T10:01:00Z"),
                deployment(4700, OTHER, "2026-11-20T09:00:00Z")
            ]),
        ),
        Some("/4712/statuses?per_page=100") => (
            200,
            json!([
                status(92, "success", "2026-11-20T10:03:00Z"),
                status(91, "in_progress", "2026-11-20T10:02:00Z")
            ]),
        ),
        _ => (404, json!({"message": "Not Found"})),
    });
    let request = json!({
        "kind": "github", "name": "GitHub", "api": {"base": github.url, "token": "ghs_sixteen_letters"},
        "map": [{"repository": "halden/edge-dns", "service": "edge-dns", "environments": {"production": "production"}}],
    });
    server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    server.advance(5 * 60);
    let requester = server.token("requester");
    eventually("the change has ended", || {
        server.must("GET", &path, &requester, None)["state"] == "reviewing"
    });
    let change = server.must("GET", &path, &requester, None);
    assert_eq!(change["outcome"], "succeeded", "{change:#}");
    assert_eq!(change["actual_end"], "2026-11-20T10:03:00Z", "{change:#}");
    // An ended deployment is not queried again, and those from before the connection were never looked into.
    server.advance(5 * 60);
    let asked = |what: &str| github.sent().iter().filter(|one| one.path.contains(what)).count();
    eventually("the list is asked for again", || asked("?per_page=100") >= 3);
    assert_eq!((asked("/4712/statuses"), asked("/4700/statuses")), (1, 0));
}

#[test]
fn a_connection_of_an_older_version_that_did_not_ask_is_asked_as_well() {
    let place = Place::demo("unasked");
    let mut server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let path = waiting(&server);
    approve_all(&server, &path);
    let github = Outside::start(|sent| match sent.path.strip_prefix(LIST) {
        Some("?per_page=100") => (200, json!([deployment(4712, COMMIT, "2026-11-20T10:20:00Z")])),
        Some("/4712/statuses?per_page=100") => (
            200,
            json!([
                status(92, "success", "2026-11-20T10:22:00Z"),
                status(91, "in_progress", "2026-11-20T10:21:00Z")
            ]),
        ),
        _ => (404, json!({"message": "Not Found"})),
    });
    let request = json!({
        "kind": "github", "name": "GitHub", "api": {"base": github.url, "token": "ghs_sixteen_letters"},
        "map": [{"repository": "halden/edge-dns", "service": "edge-dns", "environments": {"production": "production"}}],
    });
    server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    beside(&place, "DELETE FROM \"call\"");
    let asking = || beside(&place, "SELECT kind FROM \"call\" ORDER BY kind");
    assert_eq!(asking().trim(), "", "as a version that did not ask left it");
    server.advance(11 * 60);
    eventually("somebody has noticed", || asking().contains("deployments_read"));
    server.hold_clock("2026-11-20T10:30:00Z".parse().unwrap());
    let requester = server.token("requester");
    eventually("the change has ended", || {
        server.must("GET", &path, &requester, None)["outcome"] == "succeeded"
    });
}

/// A mapped repository.
fn mapped(repository: &str) -> Value {
    json!({"repository": repository, "service": "edge-dns", "environments": {"production": "production"}})
}

#[test]
fn a_repository_that_refuses_loses_nobody_elses_deployments() {
    let place = Place::demo("refusing");
    let mut server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let path = waiting(&server);
    approve_all(&server, &path);
    let github = Outside::start(|sent| match sent.path.strip_prefix(LIST) {
        Some("?per_page=100") => (200, json!([deployment(4712, COMMIT, "2026-11-20T10:01:00Z")])),
        Some("/4712/statuses?per_page=100") => (
            200,
            json!([
                status(92, "success", "2026-11-20T10:03:00Z"),
                status(91, "in_progress", "2026-11-20T10:02:00Z")
            ]),
        ),
        _ => (403, json!({"message": "API rate limit exceeded"})),
    });
    let request = json!({
        "kind": "github", "name": "GitHub", "api": {"base": github.url, "token": "ghs_sixteen_letters"},
        "map": [mapped("halden/closed"), mapped("halden/edge-dns"), mapped("halden/shut")],
    });
    server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    server.advance(5 * 60);
    let requester = server.token("requester");
    eventually("the change has ended", || {
        server.must("GET", &path, &requester, None)["outcome"] == "succeeded"
    });
    eventually("somebody can read why", || {
        let calls = server.must("GET", "/api/v1/calls?state=waiting", &server.token("admin"), None);
        calls.to_string().contains("halden/closed: answered 403")
    });
}

#[test]
fn what_is_taken_is_begun_at_once_and_waits_for_no_other_under_its_lease() {
    const CONNECTIONS: usize = 4;
    let place = Place::demo("begun");
    let mut server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let here = Arc::new(AtomicUsize::new(0));
    let counted = here.clone();
    let github = Outside::start(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        // Nobody gets a response before all are here, for nearly as long as the server is patient; a client that waits for
        // another's response first never comes.
        for _ in 0..700 {
            if counted.load(Ordering::SeqCst) >= CONNECTIONS {
                return (200, json!([]));
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        counted.fetch_sub(1, Ordering::SeqCst);
        (200, json!([]))
    });
    for number in 0..CONNECTIONS {
        let request = json!({
            "kind": "github", "name": format!("GitHub {number}"), "map": [mapped(&format!("halden/part-{number}"))],
            "api": {"base": github.url, "token": "ghs_sixteen_letters"},
        });
        server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    }
    server.advance(5 * 60);
    eventually("all are asked at once", || here.load(Ordering::SeqCst) >= CONNECTIONS);
}

/// One of many deployments: its commit, and the bodies that GitHub sends of it, in order.
struct Shipped {
    id: u64,
    commit: String,
}

impl Shipped {
    fn new(number: u64) -> Self {
        Self {
            id: 5_000 + number,
            commit: format!("{:040x}", 0x00c0_ffee_0000 + number),
        }
    }

    fn listed(&self) -> Value {
        deployment(self.id, &self.commit, "2026-11-20T10:01:00Z")
    }

    fn statuses(&self) -> [Value; 2] {
        let begun = status(self.id * 10, "in_progress", "2026-11-20T10:02:00Z");
        [begun, status(self.id * 10 + 1, "success", "2026-11-20T10:03:00Z")]
    }

    fn deliveries(&self) -> Vec<(&'static str, Value)> {
        let repository = json!({"full_name": "halden/edge-dns", "name": "edge-dns", "owner": {"login": "halden"}});
        let told = json!({
            "action": "created", "deployment": self.listed(), "repository": repository, "sender": {"login": "ingrid"},
        });
        let mut all = vec![("deployment", told.clone())];
        for status in self.statuses() {
            let mut body = told.clone();
            body["deployment_status"] = status;
            all.push(("deployment_status", body));
        }
        all
    }
}

/// GitHub, which lists all of them with their statuses.
fn lists(shipped: &[Shipped]) -> Outside {
    let listed: Value = shipped.iter().map(Shipped::listed).collect();
    let statuses: std::collections::BTreeMap<String, Value> = shipped
        .iter()
        .map(|one| {
            (
                format!("/{}/statuses?per_page=100", one.id),
                one.statuses().to_vec().into(),
            )
        })
        .collect();
    Outside::start(move |sent| match sent.path.strip_prefix(LIST) {
        Some("?per_page=100") => (200, listed.clone()),
        Some(rest) => statuses
            .get(rest)
            .map_or((404, Value::Null), |found| (200, found.clone())),
        None => (404, Value::Null),
    })
}

/// Each delivery arrives or does not: one in five is lost. Five minutes later every change has ended as its deployment did.
#[test]
fn a_fifth_of_the_deliveries_lost_is_made_good_within_five_minutes() {
    // GitHub lists the hundred newest, so more than these in four minutes need their deliveries.
    let count = u64::try_from(size("ASSENT_TEST_LOST", 8)).unwrap().min(100);
    let place = Place::demo("fifth");
    let mut server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let shipped: Vec<Shipped> = (0..count).map(Shipped::new).collect();
    let paths: Vec<String> = shipped
        .iter()
        .map(|one| {
            let path = waiting_with(&server, &one.commit);
            approve_all(&server, &path);
            path
        })
        .collect();
    let github = lists(&shipped);
    let request = json!({
        "kind": "github", "name": "GitHub", "api": {"base": github.url, "token": "ghs_sixteen_letters"},
        "map": [{"repository": "halden/edge-dns", "service": "edge-dns", "environments": {"production": "production"}}],
    });
    let made = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    let (hook, secret) = (made["hook_path"].as_str().unwrap(), made["secret"].as_str().unwrap());
    // The deployments take place, and four of five deliveries of them arrive.
    server.hold_clock("2026-11-20T10:03:30Z".parse().unwrap());
    let (mut dice, mut lost) = (11_u64, 0);
    for (number, (event, body)) in shipped.iter().flat_map(Shipped::deliveries).enumerate() {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        if (dice >> 33) % 5 == 0 {
            lost += 1;
            continue;
        }
        let signed = signature(secret, body.to_string().as_bytes());
        let id = format!("sent-{number}");
        let headers = [
            ("X-GitHub-Event", event),
            ("X-GitHub-Delivery", &id),
            ("X-Hub-Signature-256", &signed),
        ];
        assert_eq!(server.ask_with("POST", hook, None, Some(&body), &headers).0, 202);
    }
    assert!(lost * 10 >= count, "{lost} of {} were lost", count * 3);
    // A passing failure is retried: while the test waits the clock creeps on, by less than the two minutes left.
    server.advance(3 * 60);
    let requester = server.token("requester");
    for path in &paths {
        eventually("the change has ended well", || {
            let change = server.must("GET", path, &requester, None);
            change["outcome"] == "succeeded" && change["state"] == "reviewing"
        });
        let change = server.must("GET", path, &requester, None);
        // A start that was lost while its end arrived is dated as the end: an ended deployment is not queried.
        let began = change["actual_start"].as_str().unwrap();
        assert!(
            ["2026-11-20T10:02:00Z", "2026-11-20T10:03:00Z"].contains(&began),
            "{change:#}"
        );
        assert_eq!(change["actual_end"], "2026-11-20T10:03:00Z", "{change:#}");
        assert!(change["unauthorized"] != true, "{change:#}");
    }
    println!("{lost} of {} deliveries of {count} deployments were lost", count * 3);
}
