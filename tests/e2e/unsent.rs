//! Deliveries that were never sent: the outside system is asked, and what it answers has the effect that the deliveries would
//! have had.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::outside::Outside;
use tests::{Place, Server};

use crate::deliveries::{approve_all, waiting};
use crate::every_route::beside;

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
    // What ended is not asked for again, and what was there before the connection was never looked into.
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
