//! An account turns out to have been another person's: the permits that rest on its approvals become invalid everywhere, in
//! time.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tests::faults::eventually;
use tests::journey::{ENVIRONMENT, SERVICE, artifact, gate_path, question, scheduled};
use tests::{Place, Server, binary};

use crate::platform::crash::must_verify;

/// The time until a permit is dead after a deactivation as compromised, for online checks and for offline verifiers.
const DEAD_WITHIN: Duration = Duration::from_secs(60);

/// Whether a verifier that fetches the present list lets a permit pass: `assent permit verify`, which works offline.
fn passes(server: &Server, folder: &Path, artifact: &str) -> bool {
    for file in ["jwks.json", "assent-revocations"] {
        let (status, bytes) = server.get(&format!("/t/halden/.well-known/{file}"), None);
        assert_eq!(status, 200, "{file}");
        std::fs::write(folder.join(file), bytes).unwrap();
    }
    let done = Command::new(binary())
        .args(["permit", "verify"])
        .arg(folder.join("permit"))
        .args([
            "--service",
            SERVICE,
            "--environment",
            ENVIRONMENT,
            "--artifact",
            artifact,
        ])
        .arg("--keys")
        .arg(folder.join("jwks.json"))
        .arg("--revocations")
        .arg(folder.join("assent-revocations"))
        .output()
        .unwrap();
    match done.status.code() {
        Some(0) => true,
        Some(1) => false,
        other => panic!("{other:?}: {}", String::from_utf8_lossy(&done.stderr)),
    }
}

#[test]
fn a_permit_is_dead_within_a_minute_of_its_approvers_deactivation_as_compromised() {
    let place = Place::demo("compromised");
    let server = Server::start(&place, true);
    let (digest, folder) = (artifact(9_601), tempfile::tempdir().unwrap());
    scheduled(&server, "Approved by a thief", &digest);
    let pipeline = server.token("pipeline");
    let check = server.must("POST", "/api/v1/gate-checks", &pipeline, Some(&question(&digest)));
    std::fs::write(folder.path().join("permit"), check["permit"].as_str().unwrap()).unwrap();
    assert!(passes(&server, folder.path(), &digest), "it is good until then");
    let person = server.person("security")["login"].as_str().unwrap().to_owned();
    let deactivation = format!("/api/v1/people/{person}/deactivation");
    let words = json!({"compromised": true, "reason": "Phished."});
    let began = assent::clock::now();
    server.must("POST", &deactivation, &server.token("admin"), Some(&words));
    eventually("the permit is dead", || !passes(&server, folder.path(), &digest));
    assert_eq!(
        server.get(&gate_path(&digest), Some(&pipeline)).0,
        403,
        "the gate is shut"
    );
    let took = assent::clock::now().duration_since(began).unsigned_abs();
    println!("dead after {took:?}");
    assert!(took <= DEAD_WITHIN, "the permit lived on for {took:?}");
    must_verify(&server);
}
