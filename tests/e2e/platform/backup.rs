//! A backup taken while people write is whole: it comes back, proves itself, and holds all that was acknowledged before.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use tests::faults::load::Load;
use tests::faults::size;
use tests::{Place, Server, binary};

use crate::audit::damaged::Sent;
use crate::platform::crash::{must_replay, must_run, must_verify, place_arguments};

/// Saves a running place to a file as an operator does.
pub(crate) fn save(place: &Place, to: &Path) {
    match &place.database {
        None => {
            let mut command = Command::new(binary());
            command
                .arg("backup")
                .arg("--data")
                .arg(place.folder.path())
                .arg("-o")
                .arg(to);
            must_run(&mut command);
        }
        Some(url) => {
            let mut command = Command::new("pg_dump");
            must_run(command.arg("--format=custom").arg("--file").arg(to).arg(url));
        }
    }
}

/// Brings a file back into a place that was empty, with the people's file and, where there is one, the key.
pub(crate) fn bring_back(of: &Place, from: &Path, name: &str) -> Place {
    let empty = Place::new(name);
    match &empty.database {
        None => {
            let mut command = Command::new(binary());
            must_run(command.arg("restore").arg(from).arg("--data").arg(empty.folder.path()));
            std::fs::copy(
                of.folder.path().join("master.key"),
                empty.folder.path().join("master.key"),
            )
            .unwrap();
        }
        Some(url) => {
            let mut command = Command::new("pg_restore");
            must_run(
                command
                    .args(["--exit-on-error", "--no-owner", "--dbname", url])
                    .arg(from),
            );
        }
    }
    let people = "demo-credentials.json";
    std::fs::copy(of.folder.path().join(people), empty.folder.path().join(people)).unwrap();
    empty
}

#[test]
fn a_backup_under_load_comes_back_whole() {
    let place = Place::demo("saved");
    let server = Server::start(&place, true);
    let folder = tempfile::tempdir().unwrap();
    let load = Load::begin("A", &server.token("requester"), 4);
    load.turn_to(Some(&server.url));
    let rounds = size("ASSENT_TEST_BACKUPS", 2);
    let body = json!({"title": "With files", "targets": [{"service": "edge-dns", "environment": "production"}]});
    let made = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&body));
    let key = made["key"].as_str().unwrap();
    let (mut held, mut files) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        load.wait_for(10);
        files.push(Sent::new(&server, key, 2 * round));
        held.push((load.acknowledged(), files.len()));
        // Another file comes while the backup is taken: it is in it as a whole or not at all.
        let late = std::thread::scope(|scope| {
            let late = scope.spawn(|| Sent::new(&server, key, 2 * round + 1));
            save(&place, &folder.path().join(format!("{round}")));
            late.join().unwrap()
        });
        files.push(late);
    }
    let kept = load.stop();
    server.stop();
    for (round, (held, had)) in held.into_iter().enumerate() {
        let back = bring_back(&place, &folder.path().join(format!("{round}")), &format!("back{round}"));
        must_replay(&back);
        let mut doctor = Command::new(binary());
        doctor.arg("doctor");
        place_arguments(&back, &mut doctor);
        must_run(&mut doctor);
        let server = Server::start(&back, true);
        let token = server.token("auditor");
        for act in &kept[..held] {
            let found = server.must("GET", &format!("/api/v1/changes/{}", act.key), &token, None);
            assert_eq!(found["title"].as_str(), Some(act.title.as_str()), "round {round}");
        }
        for file in &files[..had] {
            let (end, status, came) = file.ask(&server);
            assert_eq!((end, status.as_str()), (Some(0), "200"), "round {round}");
            assert!(came == file.whole, "round {round}: {} other bytes came", came.len());
        }
        must_verify(&server);
    }
}
