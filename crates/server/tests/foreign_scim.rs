//! An independent client judges the server's SCIM: PyPI's scim2-tester makes, reads, changes and removes every described
//! resource.
//!
//! Run with `--features foreign` and `ASSENT_TEST_PYTHON` naming a Python with `scim2-tester` and `httpx2`.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]
#![allow(dead_code, reason = "the world has more than these tests use")]

#[path = "doors/world.rs"]
mod world;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use world::World;

/// The only attribute of our extension is never returned (RFC 7643 section 2.2, `writeOnly`). The client sends the
/// extension with nothing but its own list of schemas in it, and expects that list back.
fn is_about_nothing(check: &Value) -> bool {
    let reason = check["reason"].as_str().unwrap_or_default();
    let sent = "Patched value: schemas=['urn:assent:params:scim:schemas:extension:2.0:User']\n";
    reason.contains(sent) && reason.ends_with("Returned value: None")
}

#[test]
fn an_independent_client_finds_no_violation() {
    let python = std::env::var_os("ASSENT_TEST_PYTHON")
        .expect("ASSENT_TEST_PYTHON must name a Python interpreter that has scim2-tester and httpx2");
    let world = World::new();
    let token = world.token("adam", &["scim"]);
    let judged = Command::new(python)
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scim_judge.py"))
        .arg(format!("http://{}/t/acme/scim/v2", world.host()))
        .arg(token)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&judged.stdout).into_owned();
    let checks: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let wrong: Vec<&Value> = checks
        .iter()
        .filter(|check| matches!(check["status"].as_str().unwrap(), "ERROR" | "CRITICAL"))
        .filter(|check| !is_about_nothing(check))
        .collect();
    let err = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success(), "{err}");
    assert!(checks.len() > 50, "only {} checks were made\n{err}", checks.len());
    assert!(
        wrong.is_empty(),
        "{} of {} checks: {wrong:#?}",
        wrong.len(),
        checks.len()
    );
}
