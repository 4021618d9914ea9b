//! The database is gone for a while: 503 with a retry time, no gate opens, and all goes on by itself afterwards.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tests::faults::cluster::Cluster;
use tests::faults::load::{Load, check_kept};
use tests::faults::{eventually, size};
use tests::journey::{approve, artifact, gate_path, question, request, scheduled, waiting_for_approval};
use tests::{Place, Server, binary, on_postgres};

use crate::platform::crash::{must_replay, must_run, must_verify};

/// How soon a gate is denied without a database, also when it is there and silent. Three seconds are promised; the response
/// time of a crowded machine comes on top.
const DENIES_WITHIN: Duration = Duration::from_secs(5);
/// How soon two more acts are acknowledged once the database is back (promise F7). Half of the outages are held to it and
/// each to five times as much, as other programs may have the machine for a moment.
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// The status of a request, and its header of a name.
fn head(server: &Server, method: &str, path: &str, token: &str, header: &str) -> (u16, Option<String>) {
    let agent = tests::caller::agent();
    let builder = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}{path}", server.url))
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", "application/json");
    let body = if method == "GET" {
        String::new()
    } else {
        question(&artifact(1)).to_string()
    };
    let answer = match method {
        "GET" => agent.run(builder.body(()).unwrap()),
        _ => agent.run(builder.body(body).unwrap()),
    };
    let answer = answer.unwrap();
    let value = answer
        .headers()
        .get(header)
        .map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), value)
}

/// Without its database the server denies everything, and gives a retry time.
fn denies(server: &Server, round: usize, how: &str) {
    let outage = format!("outage {round}, {how}");
    let pipeline = server.token("pipeline");
    for (method, path) in [
        ("GET", gate_path(&artifact(1))),
        ("POST", "/api/v1/gate-checks".to_owned()),
    ] {
        let began = assent::clock::now();
        let (status, after) = head(server, method, &path, &pipeline, "retry-after");
        let took = assent::clock::now().duration_since(began).unsigned_abs();
        assert!(
            took <= DENIES_WITHIN,
            "{outage}: {method} {path} was denied after {took:?}"
        );
        assert_eq!(status, 503, "{outage}: {method} {path}");
        assert!(
            after.is_some_and(|seconds| seconds.parse::<u32>().is_ok()),
            "{method} {path}"
        );
        assert_eq!(head(server, method, &path, &pipeline, "assent-decision"), (503, None));
    }
    // Pages wait longer than gates for a database that is silent.
    if how != "paused" {
        page_denies(server, &outage);
    }
    assert_eq!(server.get("/readyz", None).0, 503);
    assert_eq!(server.get("/healthz", None).0, 200);
}

/// A page without its database gives a retry time as well.
fn page_denies(server: &Server, outage: &str) {
    let (status, after) = head(server, "GET", "/t/halden/", &server.token("pipeline"), "retry-after");
    assert_eq!(status, 503, "{outage}");
    assert!(after.is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{outage}");
}

/// A pipeline's own program, waiting at the gate.
fn waiting_pipeline(server: &Server, artifact: &str, permit: &Path) -> Child {
    Command::new(binary())
        .args([
            "gate",
            "check",
            "--service",
            "label-print",
            "--environment",
            "production",
        ])
        .args(["--artifact", artifact, "--wait", "30m", "--permit"])
        .arg(permit)
        .env("ASSENT_SERVER", &server.url)
        .env("ASSENT_TOKEN", server.token("pipeline"))
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(permit.with_extension("said")).unwrap())
        .spawn()
        .unwrap()
}

/// The data that a verifier needs, fetched while all was well.
struct Offline {
    folder: tempfile::TempDir,
    artifact: String,
}

impl Offline {
    fn fetch(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let artifact = artifact(1);
        scheduled(server, "Goes on without the database", &artifact);
        let offline = Self { folder, artifact };
        offline.fetch_again(server);
        offline
    }

    /// Fetches a permit, keys and revocations, as one who deploys does while the server is there: a permit and a list are good
    /// for minutes, and many outages last longer.
    fn fetch_again(&self, server: &Server) {
        let at = |file: &str| self.folder.path().join(file);
        let question = question(&self.artifact);
        eventually("a permit is given", || {
            let pipeline = server.token("pipeline");
            let (status, bytes) = server.ask("POST", "/api/v1/gate-checks", Some(&pipeline), Some(&question));
            let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            let permit = answer["permit"].as_str().unwrap_or_default();
            std::fs::write(at("permit"), permit).unwrap();
            status < 300 && !permit.is_empty()
        });
        for file in ["jwks.json", "assent-revocations"] {
            eventually("what verifiers need is served", || {
                let (status, bytes) = server.get(&format!("/t/halden/.well-known/{file}"), None);
                std::fs::write(at(file), bytes).unwrap();
                status == 200
            });
        }
    }

    /// The permit is good without anybody's help.
    fn verifies(&self) {
        let at = |file: &str| self.folder.path().join(file);
        let mut command = Command::new(binary());
        command.args(["permit", "verify"]).arg(at("permit"));
        command.args(["--service", "label-print", "--environment", "production"]);
        command
            .args(["--artifact", &self.artifact, "--keys"])
            .arg(at("jwks.json"));
        command.arg("--revocations").arg(at("assent-revocations"));
        must_run(&mut command);
    }
}

/// Each thread meets the same fault every two seconds of an outage, and the server's log has it once a minute.
fn repeats_no_fault(server: &Server, passed: Duration) {
    let log = server.log();
    let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
    let counted = log.lines().filter_map(|line| {
        let (_, fields) = line.split_once("work behind the doors failed")?;
        Some(fields.rsplit_once(" times=")?.0)
    });
    counted.for_each(|fault| *lines.entry(fault).or_default() += 1);
    let most = passed.as_secs() / 60 + 1;
    let repeated: Vec<_> = lines.iter().filter(|(_, count)| **count > most).collect();
    assert!(repeated.is_empty(), "more than {most} times: {repeated:?}");
}

#[test]
fn a_lost_database_denies_and_everything_goes_on_when_it_is_back() {
    if !on_postgres() {
        a_file_that_another_process_holds_denies_until_it_is_let_go();
        return;
    }
    let mut cluster = Cluster::start();
    let place = Place {
        folder: tempfile::tempdir().unwrap(),
        database: Some(cluster.create_database("lost", "")),
    };
    let server = Server::start(&place, true);
    let offline = Offline::fetch(&server);
    let waited_for = artifact(2);
    let now = server.server_time();
    let path = waiting_for_approval(
        &server,
        &request("Waited for through outages", &waited_for, now),
        &waited_for,
    );
    let permit = offline.folder.path().join("waited");
    let mut pipeline = waiting_pipeline(&server, &waited_for, &permit);
    let load = Load::begin("A", &server.token("requester"), 3);
    load.turn_to(Some(&server.url));
    let mut waits = Vec::new();
    for round in 0..size("ASSENT_TEST_OUTAGES", 6) {
        load.wait_for(2);
        offline.fetch_again(&server);
        let how = ["stopped", "broken off", "paused"][round % 3];
        match how {
            "stopped" => cluster.stop("INT"),
            "broken off" => cluster.stop("QUIT"),
            _ => cluster.pause(),
        }
        denies(&server, round, how);
        offline.verifies();
        if how == "paused" {
            cluster.go_on();
        } else {
            cluster.start_again();
        }
        let began = assent::clock::now();
        eventually("the server is back", || server.get("/readyz", None).0 == 200);
        load.wait_for(2);
        waits.push(assent::clock::now().duration_since(began).unsigned_abs());
    }
    println!("from the database's return to the server's: {waits:?}");
    waits.sort();
    let (usual, slowest) = (waits[waits.len() / 2], waits[waits.len() - 1]);
    assert!(
        usual <= BACK_WITHIN && slowest <= 5 * BACK_WITHIN,
        "it was back after {waits:?}"
    );
    repeats_no_fault(&server, assent::clock::now().duration_since(now).unsigned_abs());
    let kept = load.stop();
    let said = || std::fs::read_to_string(permit.with_extension("said")).unwrap();
    assert!(
        pipeline.try_wait().unwrap().is_none(),
        "the waiting pipeline gave up: {}",
        said()
    );
    for role in ["owner", "security", "change_manager"] {
        approve(&server, &path, role);
    }
    assert_eq!(pipeline.wait().unwrap().code(), Some(0), "{}", said());
    assert!(permit.is_file());
    check_kept(&server, &server.token("auditor"), &kept);
    must_verify(&server);
    server.stop();
    must_replay(&place);
}

/// The embedded database is lost when somebody else holds its file.
fn a_file_that_another_process_holds_denies_until_it_is_let_go() {
    let place = Place::demo("held");
    let server = Server::start(&place, true);
    let token = server.token("requester");
    let body = json!({"title": "Asked meanwhile", "targets": [{"service": "edge-dns", "environment": "production"}]});
    let other = rusqlite::Connection::open(place.folder.path().join("assent.db")).unwrap();
    for _ in 0..size("ASSENT_TEST_OUTAGES", 1) {
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(server.ask("POST", "/api/v1/changes", Some(&token), Some(&body)).0, 503);
        other.execute_batch("ROLLBACK").unwrap();
        eventually("the server writes again", || {
            server.ask("POST", "/api/v1/changes", Some(&token), Some(&body)).0 == 201
        });
    }
    must_verify(&server);
    server.stop();
    must_replay(&place);
}
