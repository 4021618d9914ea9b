//! The archive: changes that ended long ago move out of their rows, and lists, search, pages, bundles, the log, a restart and an
//! erasure find them as before.

use std::process::Command;

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::session::Session;
use tests::{Place, Server, binary};

use crate::platform::crash::{must_replay, must_run, must_verify};

pub(crate) const DAY: i64 = 24 * 60 * 60;

/// A change that was cancelled; returns its key.
pub(crate) fn cancelled(server: &Server, title: &str) -> String {
    let requester = server.token("requester");
    let body = json!({"title": title, "services": ["edge-dns"], "environment": "production"});
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&body));
    let key = made["key"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/changes/{key}");
    server.must(
        "POST",
        &format!("{path}/comments"),
        &requester,
        Some(&json!({"text": "Ask the zookeeper."})),
    );
    let why = json!({"reason": "Done elsewhere"});
    server.must("POST", &format!("{path}/cancellation"), &requester, Some(&why));
    key
}

/// Two people decide that ended changes move after 90 days.
pub(crate) fn switch_on(server: &Server) {
    let wanted = json!({"archive_days": 90, "reason": "Our rules"});
    let made = server.must("POST", "/api/v1/retention", &server.token("admin"), Some(&wanted));
    let path = format!("/api/v1/configurations/{}/activation", made["id"].as_str().unwrap());
    server.must("POST", &path, &server.token("change_manager"), Some(&json!({})));
}

pub(crate) fn held(server: &Server, key: &str) -> Value {
    let path = format!("/api/v1/changes/{key}/archive");
    server.must("GET", &path, &server.token("auditor"), None)["held"].clone()
}

/// The API's responses for a change and its parts, once its events have their places in the log.
pub(crate) fn told(server: &Server, key: &str) -> Vec<Value> {
    let auditor = server.token("auditor");
    let ask = |rest: &str| server.must("GET", &format!("/api/v1/changes/{key}{rest}"), &auditor, None);
    eventually("its events are in the log", || {
        let events = ask("/events");
        let events = events["items"].as_array().unwrap();
        events.iter().all(|event| !event["index"].is_null())
    });
    ["", "/comments", "/approvals", "/evidence", "/events"]
        .map(ask)
        .to_vec()
}

/// The keys that a search finds.
pub(crate) fn found(server: &Server, word: &str) -> Vec<String> {
    let path = format!("/api/v1/changes?q={word}");
    let list = server.must("GET", &path, &server.token("auditor"), None);
    let keys = list["items"].as_array().unwrap().iter();
    keys.map(|it| it["key"].as_str().unwrap().to_owned()).collect()
}

/// The bundle of a change, verified by the program under the log's key.
fn must_verify_bundle(server: &Server, key: &str) {
    let auditor = server.token("auditor");
    let at = |name: &str| server.data.join(name);
    for (name, path) in [
        ("archived.key", "/t/halden/log/key".to_owned()),
        ("archived.zip", format!("/api/v1/changes/{key}/bundle")),
    ] {
        let (status, bytes) = server.get(&path, Some(&auditor));
        assert_eq!(status, 200, "{path}");
        std::fs::write(at(name), bytes).unwrap();
    }
    let mut command = Command::new(binary());
    command
        .args(["audit", "verify"])
        .arg(at("archived.zip"))
        .arg("--key")
        .arg(at("archived.key"));
    must_run(&mut command);
}

#[test]
fn an_ended_change_moves_to_the_archive_and_everything_finds_it_there() {
    let place = Place::demo("archive");
    let mut server = Server::start(&place, true);
    let now = server.server_time();
    server.hold_clock(now);
    let (key, other) = (
        cancelled(&server, "Move the aardvark"),
        cancelled(&server, "Feed the aardvark"),
    );
    // An event has its number in the log a moment after the act.
    server.wait_for_log();
    let before = told(&server, &key);
    assert_eq!(held(&server, &key), Value::Null);
    assert_eq!(
        server
            .get(
                &format!("/api/v1/changes/{key}/archive"),
                Some(&server.token("requester"))
            )
            .0,
        403
    );
    switch_on(&server);
    server.advance(91 * DAY);
    eventually("they moved", || {
        !held(&server, &key).is_null() && !held(&server, &other).is_null()
    });
    assert_eq!(told(&server, &key), before);
    let mut both = found(&server, "aardvark");
    both.sort();
    let mut wanted = vec![key.clone(), other.clone()];
    wanted.sort();
    assert_eq!(both, wanted);
    let page = Session::begin(&server, "auditor").get(&format!("/t/halden/changes/{key}"));
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Move the aardvark") && page.body.contains("Ask the zookeeper."));
    let archive = server.must("GET", "/api/v1/archive", &server.token("auditor"), None);
    assert!(
        archive["changes"].as_i64().unwrap() >= 2 && archive["after_days"] == 90,
        "{archive}"
    );
    eventually("the figures tell it", || {
        let figures = String::from_utf8(server.get("/metrics", None).1).unwrap();
        figures
            .lines()
            .any(|line| line.starts_with("assent_archive{what=\"changes\"} ") && !line.ends_with(" 0"))
    });
    must_verify(&server);
    must_verify_bundle(&server, &key);
    let segment = held(&server, &key);
    erase(&server, &key);
    assert_ne!(
        held(&server, &key),
        segment,
        "an erasure brings a change back first; what is left of it may move again at once"
    );
    assert_eq!(found(&server, "aardvark"), [other.as_str()]);
    must_verify(&server);
    must_verify_bundle(&server, &key);
    // A killed and restarted server finds the same.
    let before = told(&server, &other);
    server.kill();
    must_replay(&place);
    let server = Server::start(&place, true);
    assert_eq!(told(&server, &other), before);
    assert!(!held(&server, &other).is_null());
}

/// Two people erase the texts of a change.
pub(crate) fn erase(server: &Server, key: &str) {
    let path = format!("/api/v1/changes/{key}/erasure");
    let wanted = json!({"kind": "texts", "reason": "All of it"});
    server.must("POST", &path, &server.token("admin"), Some(&wanted));
    let confirm = format!("{path}/confirmation");
    let done = server.must("POST", &confirm, &server.token("change_manager"), Some(&json!({})));
    assert_eq!(done["title"], "[erased]");
}
