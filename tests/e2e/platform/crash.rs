//! `kill -9` under load: acknowledged acts are there, nothing is half there, and the log still proves itself.

use std::process::Command;
use std::time::Duration;

use tests::faults::deeds::{self, Deeds};
use tests::faults::load::{Load, check_kept};
use tests::faults::tracer::Tracer;
use tests::faults::{signals, size};
use tests::{Place, Server, binary};

/// `--data DIR` or, on PostgreSQL, `--database URL` with its key.
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

/// Runs a command whose result must be good.
pub fn must_run(command: &mut Command) -> String {
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {said}");
    said
}

/// Every record of a stopped server's place agrees with its events.
pub fn must_replay(place: &Place) {
    let mut command = Command::new(binary());
    command.args(["audit", "replay"]);
    place_arguments(place, &mut command);
    print!("{}", must_run(&mut command));
}

/// The log of a running server verifies under its own key, with every event in it.
pub fn must_verify(server: &Server) {
    server.wait_for_log();
    must_verify_now(server);
}

/// The log verifies as far as it has come.
fn must_verify_now(server: &Server) {
    let token = server.token("auditor");
    let key = server.data.join("key");
    std::fs::write(&key, server.get("/t/halden/log/key", Some(&token)).1).unwrap();
    let mut command = Command::new(binary());
    command
        .args([
            "audit",
            "verify",
            "--log",
            &format!("{}/t/halden/log", server.url),
            // A demo's clock runs ahead where a story moved it, so that its cosignatures lie in the future of the verifier.
            "--max-age",
            "off",
            "--key",
        ])
        .arg(&key)
        .env("ASSENT_SERVER", &server.url)
        .env("ASSENT_TOKEN", &token);
    if !server.url.contains("//127.0.0.1:") {
        // A machine of the test's own network.
        command.arg("--insecure-http");
    }
    must_run(&mut command);
}

/// How soon a server that was killed is ready again (promise F1). Half of the kills are held to it and each to five times
/// as much, as other programs may have the machine for a moment.
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// Everything that people, pipelines and senders do at once: after the server dies at any moment, each acknowledged act is
/// there when it is back, each act is there as a whole or not at all, the log verifies and every record agrees with it.
#[test]
fn what_was_acknowledged_survives_being_killed() {
    let rounds = size("ASSENT_TEST_KILLS", 10);
    let place = Place::demo("crash");
    let mut server = Server::start(&place, true);
    let calm = deeds::calm(&server);
    let load = Deeds::begin("A", &server, 2, 5);
    let mut waits = Vec::new();
    for round in 0..rounds {
        load.turn_to(Some(&server.url));
        // The moment of death differs from round to round: after so many acknowledgements.
        load.wait_for(8 + (7 * round) % 40);
        signals::send("KILL", server.id());
        // Unacknowledged requests are retried, with the same key, once all was looked at.
        load.turn_to(None);
        drop(server);
        // As the one that died has left it, before another one mends anything.
        must_replay(&place);
        let began = assent::clock::now();
        server = Server::start(&place, true);
        waits.push(assent::clock::now().duration_since(began).unsigned_abs());
        load.check(&server, &calm);
        must_verify_now(&server);
    }
    waits.sort();
    let (usual, slowest) = (waits[rounds / 2], waits[rounds - 1]);
    assert!(
        usual <= BACK_WITHIN && slowest <= 5 * BACK_WITHIN,
        "it was ready again after {waits:?}"
    );
    load.turn_to(Some(&server.url));
    let counts = load.stop(std::slice::from_mut(&mut server), &calm);
    println!("{rounds} kills, back after {slowest:?} at most, acknowledged: {counts:?}");
    for (what, ..) in deeds::WAY {
        assert!(counts.contains_key(what), "nobody came to `{what}`: {counts:?}");
    }
    must_verify(&server);
    server.stop();
    must_replay(&place);
}

/// The calls by which something leaves the process for good: SQLite's and the files', and PostgreSQL's socket.
fn lasting_calls(place: &Place) -> &'static str {
    match place.database {
        Some(_) => "sendto,write,fsync,fdatasync,rename",
        None => "pwrite64,write,fsync,fdatasync,ftruncate,rename,unlink",
    }
}

/// One kill for each of many points: before the n-th call of a kind that lasts, for ever other n.
#[test]
fn a_kill_before_any_call_that_lasts_leaves_nothing_half_done() {
    let points = size("ASSENT_TEST_CALLS", 8);
    let place = Place::demo("calls");
    let record = tempfile::NamedTempFile::new().unwrap();
    let mut server = Server::start(&place, true);
    let load = Load::begin("C", &server.token("requester"), 6);
    let calls = lasting_calls(&place);
    // Threads count their own calls; the first to reach its n-th call ends the process.
    let step = (400 / points).max(1);
    for point in 0..points {
        let when = format!("inject={calls}:signal=KILL:when={}", 1 + point * step);
        let tracer = Tracer::attach(
            server.id(),
            &["-e", &format!("trace={calls}"), "-e", &when],
            record.path(),
        );
        load.turn_to(Some(&server.url));
        server.wait_for_end();
        load.turn_to(None);
        drop(tracer);
        drop(server);
        server = Server::start(&place, true);
    }
    load.turn_to(Some(&server.url));
    load.wait_for(5);
    let kept = load.stop();
    println!("{points} points, {} acts acknowledged", kept.len());
    check_kept(&server, &server.token("auditor"), &kept);
    must_verify(&server);
    server.stop();
    must_replay(&place);
}
