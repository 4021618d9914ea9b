//! Evidence files that nothing names go a day later, at the next start; those that evidence names and young ones stay.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tests::faults::eventually;
use tests::{Place, Server, on_postgres};

/// A file in the folder under its digest; its path.
fn left_over(folder: &Path, content: &str) -> PathBuf {
    let digest = proof::crypto::digest_text(content.as_bytes());
    let path = folder.join(digest.trim_start_matches("sha256:"));
    std::fs::write(&path, content).unwrap();
    path
}

/// Makes a file look two days old.
fn age(path: &Path) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    file.set_modified(modified - Duration::from_secs(48 * 60 * 60)).unwrap();
}

#[test]
fn evidence_files_that_nothing_names_go_a_day_later() {
    if on_postgres() {
        // There the files are in the database, and `old_files_that_no_evidence_names_go` looks at them.
        return;
    }
    let place = Place::demo("swept");
    let folder = place.folder.path().join("evidence");
    let server = Server::start(&place, true);
    let token = server.token("requester");
    let body = json!({"title": "With a file", "targets": [{"service": "edge-dns", "environment": "production"}]});
    let made = server.must("POST", "/api/v1/changes", &token, Some(&body));
    let path = format!("/api/v1/changes/{}/evidence", made["key"].as_str().unwrap());
    let report = place.folder.path().join("report.txt");
    std::fs::write(&report, "412 of 412 passed").unwrap();
    let sent = Command::new("curl")
        .args(["-sS", "-f", "-H", &format!("Authorization: Bearer {token}")])
        .args([
            "-F",
            "kind=file",
            "-F",
            "aspect=functional",
            "-F",
            "result=passed",
            "-F",
            "name=Report",
        ])
        .args(["-F", "environment=staging", "-F"])
        .arg(format!("file=@{}", report.display()))
        .arg(format!("{}{path}", server.url))
        .output()
        .unwrap();
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    server.stop();
    let named = folder.join(proof::crypto::digest_text(b"412 of 412 passed").trim_start_matches("sha256:"));
    let (old, young) = (
        left_over(&folder, "nobody names this"),
        left_over(&folder, "nor this, yet"),
    );
    age(&named);
    age(&old);
    let server = Server::start(&place, true);
    eventually("what nothing names is gone", || !old.exists());
    assert!(young.exists(), "a young file may be about to be named");
    assert!(named.exists(), "what evidence names stays");
    server.stop();
}
