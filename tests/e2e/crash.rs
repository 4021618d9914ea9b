//! `kill -9` under load: what was acknowledged is there, nothing is half there, and the log still proves itself.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tests::{Place, Server, binary};

/// How often the server is killed: `ASSENT_TEST_KILLS`, ten by default.
fn rounds() -> usize {
    std::env::var("ASSENT_TEST_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10)
}

fn request(n: usize, writer: usize) -> Value {
    json!({
        "title": format!("Change {n} of writer {writer}"), "description": "Written under load.", "justification": "To be killed.",
        "complexity": "low", "targets": [{"service": "edge-dns", "environment": "production"}],
    })
}

/// Writes until nobody answers; keeps the key and title of every acknowledged change.
fn write_until_dead(
    server: &Arc<Server>,
    token: &str,
    writer: usize,
    kept: &Mutex<Vec<(String, String)>>,
    over: &AtomicBool,
) {
    for n in 0.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let body = request(n, writer);
        let (status, bytes) = server.ask("POST", "/api/v1/changes", Some(token), Some(&body));
        if status == 0 {
            return;
        }
        if status == 201 {
            let answer: Value = serde_json::from_slice(&bytes).unwrap();
            let key = answer["key"].as_str().unwrap().to_owned();
            kept.lock()
                .unwrap()
                .push((key, body["title"].as_str().unwrap().to_owned()));
        }
    }
}

/// Runs the binary on the host and answers whether it said good.
fn audit(place: &Place, more: &[&str]) -> (bool, String) {
    let mut command = Command::new(binary());
    command.arg("audit").args(more);
    if more[0] == "replay" {
        place_arguments(place, &mut command);
    }
    let done = command.output().unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    (done.status.success(), text)
}

/// `--data DIR` and, on PostgreSQL, `--database URL` with its key.
pub fn place_arguments(place: &Place, command: &mut Command) {
    match &place.database {
        Some(url) => {
            command
                .args(["--database", url])
                .env("ASSENT_MASTER_KEY", tests::MASTER_KEY);
        }
        None => {
            command.arg("--data").arg(place.folder.path());
        }
    }
}

/// Waits, two minutes at most, until so many changes were acknowledged.
fn wait_for_acknowledgements(server: &Server, kept: &Mutex<Vec<(String, String)>>, wanted: usize) {
    for _ in 0..24_000 {
        if kept.lock().unwrap().len() >= wanted {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
    panic!("the server stopped acknowledging:\n{}", server.log());
}

#[test]
fn what_was_acknowledged_survives_being_killed() {
    let place = Place::new("crash");
    Server::start(&place, true).stop();
    let kept: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    for round in 0..rounds() {
        let server = Arc::new(Server::start(&place, true));
        let token = server.token("requester");
        let before = kept.lock().unwrap().len();
        let over = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..6)
            .map(|writer| {
                let (server, token, kept, over) = (server.clone(), token.clone(), kept.clone(), over.clone());
                std::thread::spawn(move || write_until_dead(&server, &token, writer, &kept, &over))
            })
            .collect();
        // The moment of death differs from round to round: after so many acknowledgements.
        wait_for_acknowledgements(&server, &kept, before + 5 + 3 * round);
        let killed = Command::new("kill")
            .args(["-9", &server.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        over.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.join().unwrap();
        }
    }
    let server = Server::start(&place, true);
    let token = server.token("auditor");
    let kept = kept.lock().unwrap().clone();
    for (key, title) in &kept {
        let found = server.must("GET", &format!("/api/v1/changes/{key}"), &token, None);
        assert_eq!(found["title"].as_str(), Some(title.as_str()), "{key}");
    }
    assert!(kept.len() >= 5 * rounds(), "only {} were acknowledged", kept.len());
    server.wait_for_log();
    let log = format!("{}/t/halden/log", server.url);
    let key = server.data.join("key");
    std::fs::write(&key, server.get("/t/halden/log/key", Some(&token)).1).unwrap();
    let done = Command::new(binary())
        .args(["audit", "verify", "--log", &log, "--key"])
        .arg(&key)
        .env("ASSENT_SERVER", &server.url)
        .env("ASSENT_TOKEN", &token)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    server.stop();
    let (good, text) = audit(&place, &["replay"]);
    assert!(good, "{text}");
}
