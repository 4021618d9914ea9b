//! A running copy of the embedded database in another folder: a host is killed and another takes over, and an older moment that
//! is brought back stays read-only until two people accept what is lost.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tests::faults::load::Load;
use tests::faults::{eventually, signals, size};
use tests::{Place, Server, binary, on_postgres};

use crate::platform::crash::{must_replay, must_run, must_verify};

/// What a host that burns down may take with it.
const MOST_LOSS: Duration = Duration::from_secs(5);

/// When everything was in the copy.
fn copied_at(copy: &Path) -> Option<Timestamp> {
    let text = std::fs::read_to_string(copy.join("alive.json")).ok()?;
    let said: Value = serde_json::from_str(&text).ok()?;
    said["at"].as_str()?.parse().ok()
}

/// Waits until everything that was done before is in the copy; answers how long that took.
fn wait_for_copy(copy: &Path) -> Duration {
    let began = assent::clock::now();
    eventually("the copy has it", || copied_at(copy).is_some_and(|at| at > began));
    assent::clock::now().duration_since(began).unsigned_abs()
}

/// Runs a command that fills an empty folder, and puts the key and the people into it.
fn fill(of: &Path, name: &str, words: &[&str]) -> Place {
    let place = Place::new(name);
    let mut command = Command::new(binary());
    must_run(command.args(words).arg("--data").arg(place.folder.path()));
    for file in ["master.key", "demo-credentials.json"] {
        std::fs::copy(of.join(file), place.folder.path().join(file)).unwrap();
    }
    place
}

fn run(words: &[&str], data: &Path) -> (bool, String) {
    let done = Command::new(binary())
        .args(words)
        .arg("--data")
        .arg(data)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.success(), said)
}

#[test]
fn a_host_that_is_killed_is_taken_over_with_seconds_of_loss() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let flags = ["--copy-to", copy.to_str().unwrap()];
    let mut place = Place::demo("copied");
    if on_postgres() {
        let mut server = Server::spawn(&place, true, &flags);
        assert!(!server.wait_for_end().success());
        assert!(server.log().contains("replicas of its own"), "{}", server.log());
        return;
    }
    let mut server = Server::start_with(&place, true, &flags);
    let load = Load::begin("R", &server.token("requester"), 4);
    let rounds = size("ASSENT_TEST_TAKEOVERS", 3);
    let (mut held, mut slowest) = (Vec::new(), Duration::ZERO);
    for round in 0..rounds {
        let begun = load.acknowledged();
        load.turn_to(Some(&server.url));
        load.wait_for(8 + (7 * round) % 40);
        // What comes later may be lost with the host.
        held.push(begun..load.acknowledged());
        slowest = slowest.max(wait_for_copy(&copy));
        // The moment of death differs from round to round.
        load.wait_for(1 + (5 * round) % 11);
        signals::send("KILL", server.id());
        load.turn_to(None);
        drop(server);
        let early = Place::new("early");
        let words = ["takeover", "--from", flags[1]];
        let (is_good, said) = run(&words, early.folder.path());
        assert!(!is_good && said.contains("was alive"), "{said}");
        let words = ["takeover", "--while-alive", "--from", flags[1]];
        let next = fill(place.folder.path(), &format!("taken{round}"), &words);
        // As it was taken over, before anything mends it.
        must_replay(&next);
        let mut former = Server::spawn(&place, true, &flags);
        assert!(!former.wait_for_end().success(), "the host before serves again");
        assert!(former.log().contains("assent takeover"), "{}", former.log());
        drop(former);
        place = next;
        server = Server::start_with(&place, true, &flags);
    }
    let (is_good, said) = run(&["doctor"], place.folder.path());
    assert!(is_good && said.contains("copy: "), "{said}");
    let (_, metrics) = server.get("/metrics", None);
    assert!(String::from_utf8_lossy(&metrics).contains("assent_copy_lag_seconds"));
    load.turn_to(Some(&server.url));
    load.wait_for(4);
    let kept = load.stop();
    println!("{rounds} takeovers, everything was copied within {slowest:?}");
    assert!(slowest <= MOST_LOSS, "the copy was {slowest:?} behind");
    let token = server.token("auditor");
    for act in held.into_iter().flat_map(|range| &kept[range]) {
        let found = server.must("GET", &format!("/api/v1/changes/{}", act.key), &token, None);
        assert_eq!(found["title"].as_str(), Some(act.title.as_str()));
    }
    must_verify(&server);
    server.stop();
    must_replay(&place);
}

/// Two people accept what is lost, and nobody alone.
fn accept_by_two(data: &Path, [admin, auditor]: &[(String, String); 2]) {
    let accept = |one: &(String, String), other: &(String, String)| {
        let mut words = vec!["audit", "accept-loss", "--tenant", "halden"];
        words.extend(["--by", one.0.as_str(), "--by-password-file", one.1.as_str()]);
        words.extend(["--and", other.0.as_str(), "--and-password-file", other.1.as_str()]);
        run(&words, data)
    };
    let (is_good, said) = accept(admin, admin);
    assert!(!is_good && said.contains("Two different people"), "{said}");
    let (is_good, said) = accept(admin, auditor);
    assert!(is_good && said.contains("halden: entries "), "{said}");
    let (is_good, said) = accept(admin, auditor);
    assert!(!is_good && said.contains("Nothing is lost"), "{said}");
}

/// Nothing is written and nothing let through; what was there by then can be read.
fn check_read_only(server: &Server, open: &str, wanted: &Value, (kept, lost): (&str, &Value)) {
    eventually("it says why it is not ready", || {
        let (status, said) = server.get("/readyz", None);
        status == 503 && String::from_utf8_lossy(&said).contains("older copy")
    });
    let (status, said) = server.ask(
        "POST",
        "/api/v1/changes",
        Some(&server.token("requester")),
        Some(wanted),
    );
    assert!(
        status == 503 && String::from_utf8_lossy(&said).contains("read_only"),
        "{status}"
    );
    let pipeline = server.token("pipeline");
    let gate = tests::journey::gate_path(open);
    assert_ne!(
        server.get(&gate, Some(&pipeline)).0,
        200,
        "the gate is open over an older copy"
    );
    let key = |change: &Value| format!("/api/v1/changes/{}", change["key"].as_str().unwrap());
    let token = server.token("auditor");
    assert_eq!(server.get(kept, Some(&token)).0, 200, "it can be read");
    assert_eq!(server.get(&key(lost), Some(&token)).0, 404);
}

#[test]
fn an_older_moment_is_read_only_until_two_people_accept_the_loss() {
    if on_postgres() {
        // PostgreSQL has replicas of its own; nothing is brought back from a folder there.
        let (is_good, said) = run(&["restore", "--from", "/nowhere"], Path::new("/nowhere/data"));
        assert!(!is_good, "{said}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let flags = ["--copy-to", copy.to_str().unwrap()];
    let place = Place::demo("older");
    let server = Server::start_with(&place, true, &flags);
    let open = tests::journey::artifact(9_471);
    let kept = tests::journey::scheduled(&server, "What is kept", &open);
    server.wait_for_log();
    wait_for_copy(&copy);
    let then = assent::clock::now().to_string();
    let digest = tests::journey::artifact(9_472);
    let wanted = tests::journey::request("What is lost", &digest, server.server_time());
    let lost = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&wanted));
    server.wait_for_log();
    wait_for_copy(&copy);
    server.stop();
    let words = ["restore", "--from", flags[1], "--at", &then];
    let older = fill(place.folder.path(), "brought_back", &words);
    let (is_good, said) = run(&["doctor"], older.folder.path());
    assert!(
        !is_good && said.contains("halden: the log of the tenant halden had "),
        "{said}"
    );

    let server = Server::spawn(&older, true, &[]);
    check_read_only(&server, &open, &wanted, (&kept, &lost));
    let people = ["admin", "auditor"].map(|role| {
        let found = server.person(role);
        let file = folder.path().join(format!("{role}.txt"));
        std::fs::write(&file, found["password"].as_str().unwrap()).unwrap();
        let login = found["login"].as_str().unwrap().to_owned();
        (login, file.to_str().unwrap().to_owned())
    });
    server.stop();
    accept_by_two(older.folder.path(), &people);

    let server = Server::start(&older, true);
    server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&wanted));
    server.wait_for_log();
    let listed = server.must(
        "GET",
        "/api/v1/events?kind=log.loss_accepted&limit=10",
        &server.token("auditor"),
        None,
    );
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{listed}");
    server.stop();
    must_replay(&older);
}
