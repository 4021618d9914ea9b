//! Two servers over one PostgreSQL: no event is placed twice, no job is done by both, and either may die at any time.

use std::process::Command;

use serde_json::json;
use tests::{Place, Server, binary, on_postgres};

use crate::crash::place_arguments;

#[test]
fn two_servers_share_one_database() {
    if !on_postgres() {
        a_second_server_is_refused_the_folder();
        return;
    }
    let place = Place::new("pair");
    let first = Server::start(&place, true);
    let other = Place {
        folder: tempfile::tempdir().unwrap(),
        database: place.database.clone(),
    };
    std::fs::copy(
        first.data.join("demo-credentials.json"),
        other.folder.path().join("demo-credentials.json"),
    )
    .unwrap();
    let second = Server::start(&other, false);
    let token = first.token("requester");
    let mut keys = Vec::new();
    for n in 0..30 {
        let server = if n % 2 == 0 { &first } else { &second };
        let body =
            json!({"title": format!("Pair {n}"), "targets": [{"service": "edge-dns", "environment": "production"}]});
        keys.push(
            server.must("POST", "/api/v1/changes", &token, Some(&body))["key"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    first.kill();
    for n in 0..10 {
        let body =
            json!({"title": format!("Alone {n}"), "targets": [{"service": "edge-dns", "environment": "production"}]});
        keys.push(
            second.must("POST", "/api/v1/changes", &token, Some(&body))["key"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    for key in &keys {
        second.must("GET", &format!("/api/v1/changes/{key}"), &token, None);
    }
    second.wait_for_log();
    second.stop();
    let mut command = Command::new(binary());
    command.args(["audit", "replay"]);
    place_arguments(&place, &mut command);
    let done = command.output().unwrap();
    assert!(
        done.status.success(),
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}

/// The embedded engine has one server by design.
fn a_second_server_is_refused_the_folder() {
    let place = Place::new("second");
    let first = Server::start(&place, true);
    let second = Command::new("timeout")
        .arg("20")
        .arg(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&first.data)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned() + &String::from_utf8_lossy(&second.stdout);
    assert!(
        !second.status.success() && said.contains("already"),
        "a second server took the same folder: {said}"
    );
}
