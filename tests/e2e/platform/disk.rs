//! Disks that are full, and disks that lie.

use std::time::Duration;

use serde_json::{Value, json};
use tests::faults::cluster::{Cluster, give};
use tests::faults::disk::SmallDisk;
use tests::faults::load::{Kept, check_kept};
use tests::faults::tracer::Tracer;
use tests::faults::{eventually, size};
use tests::journey::{artifact, gate_path, question, scheduled};
use tests::{Place, Server, on_postgres};

use crate::platform::crash::{must_replay, must_verify};

/// How soon it works again once the disk has room (promise F3).
const HEALS_WITHIN: Duration = Duration::from_secs(10);
/// How soon the server is gone from the request whose sync fails. A second is promised (F4); strace, which holds every call up,
/// and other programs have the rest.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// Requests a change with a title; the status and the response.
fn ask_for(server: &Server, token: &str, title: &str) -> (u16, Value) {
    let body = json!({"title": title, "targets": [{"service": "edge-dns", "environment": "production"}]});
    let (status, bytes) = server.ask("POST", "/api/v1/changes", Some(token), Some(&body));
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// A server on a small disk, and its acknowledged acts.
struct Cramped {
    server: Server,
    disk: SmallDisk,
    token: String,
    artifact: String,
    kept: Vec<Kept>,
}

impl Cramped {
    fn try_one(&mut self, title: &str) -> (u16, Value) {
        let (status, answer) = ask_for(&self.server, &self.token, title);
        if status == 201 {
            let key = answer["key"].as_str().unwrap().to_owned();
            let title = title.to_owned();
            self.kept.push(Kept { key, title });
        }
        (status, answer)
    }

    /// Fills the disk up to so many kibibytes, and writes until the server reports that it is full.
    fn write_until_full(&mut self, position: usize) {
        self.disk.fill(position as u64 * 4);
        for n in 0..2_000 {
            let (status, answer) = self.try_one(&format!("Change {n} of writer {position}"));
            if status == 201 {
                continue;
            }
            if status == 0 {
                let ended = self.server.wait_for_end();
                panic!(
                    "position {position}: the server ended with {ended}\n{}",
                    self.server.last_words()
                );
            }
            assert_eq!(
                status,
                503,
                "position {position}: {answer}\n{}",
                self.server.last_words()
            );
            assert_eq!(answer["code"], "storage_full", "position {position}: {answer}");
            return;
        }
        panic!("the disk never was full, position {position}");
    }

    /// While hardly anything can be written, no gate lets anything through without a record of it, and settled data can still
    /// be read. Returns the checks that were recorded all the same, where a row had room left.
    fn asks_the_gate(&self) -> Option<String> {
        let pipeline = self.server.token("pipeline");
        let (status, answer) = self.server.ask(
            "POST",
            "/api/v1/gate-checks",
            Some(&pipeline),
            Some(&question(&self.artifact)),
        );
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert!(status == 503 || status == 201, "{status} {answer}");
        assert_eq!(self.server.get(&gate_path(&self.artifact), Some(&pipeline)).0, 200);
        // Reads work, and the readiness check reports that nothing can be written, where nothing can.
        let (ready, said) = self.server.get("/readyz", None);
        let said = String::from_utf8_lossy(&said);
        assert!(ready == 200 || said.contains("writes_fail"), "{ready} {said}");
        answer["id"].as_str().map(str::to_owned)
    }

    fn heals(&mut self, position: usize) {
        self.disk.relieve();
        let began = assent::clock::now();
        let mut n = 0;
        eventually("it heals by itself", || {
            n += 1;
            self.try_one(&format!("Change {n} of writer {position} healed")).0 == 201
        });
        let took = assent::clock::now().duration_since(began).unsigned_abs();
        assert!(took <= HEALS_WITHIN, "position {position}: it healed after {took:?}");
    }
}

fn cramped(name: &str) -> (Cramped, Place, Option<Cluster>) {
    let disk = SmallDisk::mount().expect("a small disk is mounted: run the tests as root, or with the right to mount");
    let (place, cluster) = if on_postgres() {
        let cluster = Cluster::start();
        give(disk.path());
        cluster.run_sql(
            "postgres",
            &format!("CREATE TABLESPACE small LOCATION '{}'", disk.path().display()),
        );
        let url = cluster.create_database(name, "TABLESPACE small");
        let place = Place {
            folder: tempfile::tempdir().unwrap(),
            database: Some(url),
        };
        (place, Some(cluster))
    } else {
        (Place::demo_in(tempfile::tempdir_in(disk.path()).unwrap(), name), None)
    };
    let server = Server::start(&place, true);
    let token = server.token("requester");
    let artifact = artifact(1);
    scheduled(&server, "Goes through the gate", &artifact);
    let kept = Vec::new();
    let cramped = Cramped {
        server,
        disk,
        token,
        artifact,
        kept,
    };
    (cramped, place, cluster)
}

#[test]
fn a_full_disk_refuses_keeps_what_was_acknowledged_and_heals() {
    let positions = size("ASSENT_TEST_POSITIONS", 6);
    let (mut cramped, place, _cluster) = cramped("crowded");
    let id = cramped.server.id();
    for position in 0..positions {
        cramped.write_until_full(position);
        let recorded = cramped.asks_the_gate();
        cramped.heals(position);
        if let Some(id) = recorded {
            let pipeline = cramped.server.token("pipeline");
            cramped
                .server
                .must("GET", &format!("/api/v1/gate-checks/{id}"), &pipeline, None);
        }
        if position % 100 == 99 {
            let (used, _) = cramped.disk.kibibytes();
            println!("{} positions, {used} KiB written", position + 1);
        }
    }
    assert_eq!(cramped.server.id(), id);
    check_kept(&cramped.server, &cramped.server.token("auditor"), &cramped.kept);
    must_verify(&cramped.server);
    cramped.server.stop();
    must_replay(&place);
}

/// One run in which every sync from some moment on fails, on a file or on all. Returns the acknowledged writes.
fn with_failing_syncs(place: &Place, which: &[&str], titles: &str) -> Vec<Kept> {
    let mut server = Server::start(place, true);
    let token = server.token("requester");
    server.wait_for_log();
    let record = place.folder.path().join("strace");
    let inject = [
        "-e",
        "trace=fsync,fdatasync",
        "-e",
        "inject=fsync,fdatasync:error=EIO:when=1+",
    ];
    let tracer = Tracer::attach(server.id(), &[&inject, which].concat(), &record);
    let mut kept = Vec::new();
    for n in 0..1_000 {
        let title = format!("Change {n} of writer {titles}");
        let before = tracer.injected();
        let began = assent::clock::now();
        let (status, answer) = ask_for(&server, &token, &title);
        if status != 201 {
            assert_eq!(status, 0, "a failed sync is answered by nobody: {answer}");
            assert_eq!(server.wait_for_end().code(), Some(74), "{}", server.last_words());
            let took = assent::clock::now().duration_since(began).unsigned_abs();
            assert!(took <= ENDS_WITHIN, "it went on for {took:?} after the sync failed");
            break;
        }
        assert_eq!(before, 0, "`{title}` was acknowledged after a failed sync");
        let key = answer["key"].as_str().unwrap().to_owned();
        kept.push(Kept { key, title });
    }
    // One sync failed, and none was tried again.
    assert_eq!(tracer.injected(), 1, "{}", tracer.record());
    drop(tracer);
    std::fs::remove_file(record).unwrap();
    kept
}

#[test]
fn a_failed_sync_ends_the_server_before_anything_is_acknowledged() {
    if on_postgres() {
        a_failed_sync_of_the_database_loses_nothing();
        return;
    }
    let place = Place::demo("sync");
    let main = place.folder.path().join("assent.db");
    let log = place.folder.path().join("assent.db-wal");
    let mut kept = Vec::new();
    for round in 0..size("ASSENT_TEST_SYNCS", 2) {
        let written = with_failing_syncs(&place, &[], &format!("{round} all"));
        assert_eq!(written, [], "something was acknowledged without a sync");
        kept.extend(with_failing_syncs(
            &place,
            &["-P", log.to_str().unwrap()],
            &format!("{round} log"),
        ));
        // The main file is synced when the write-ahead log is moved into it: acts before that are kept by the log.
        let before = kept.len();
        kept.extend(with_failing_syncs(
            &place,
            &["-P", main.to_str().unwrap()],
            &format!("{round} main"),
        ));
        assert!(kept.len() > before, "the main file was synced at once");
    }
    let server = Server::start(&place, true);
    check_kept_at_least(&server, &kept);
    must_verify(&server);
    server.stop();
    must_replay(&place);
}

/// An acknowledged write is there; another may be whole or absent, which replay judges.
fn check_kept_at_least(server: &Server, kept: &[Kept]) {
    let token = server.token("auditor");
    for act in kept {
        let found = server.must("GET", &format!("/api/v1/changes/{}", act.key), &token, None);
        assert_eq!(found["title"].as_str(), Some(act.title.as_str()), "{act:?}");
    }
}

/// PostgreSQL itself ends all sessions and recovers when a sync of its log fails; the server returns 503 meanwhile.
fn a_failed_sync_of_the_database_loses_nothing() {
    let cluster = Cluster::start();
    let place = Place {
        folder: tempfile::tempdir().unwrap(),
        database: Some(cluster.create_database("synced", "")),
    };
    let server = Server::start(&place, true);
    let token = server.token("requester");
    let mut kept = Vec::new();
    for round in 0..size("ASSENT_TEST_SYNCS", 2) {
        let record = place.folder.path().join("strace");
        let inject = [
            "-e",
            "trace=fsync,fdatasync",
            "-e",
            "inject=fsync,fdatasync:error=EIO:when=1",
        ];
        // Only sessions that are open now are traced: each has one sync that fails, and those made anew have none.
        let attach = || -> Vec<Tracer> {
            let attached = tests::faults::signals::children(cluster.id())
                .into_iter()
                .map(|child| Tracer::try_attach(child, &inject, &record.with_extension(child.to_string())));
            attached.flatten().collect()
        };
        let injected = |tracers: &[Tracer]| tracers.iter().map(Tracer::injected).sum::<usize>();
        let mut tracers = attach();
        let (mut refused, mut failed) = (0, 0);
        let mut n = 0;
        eventually("the database fails and comes back", || {
            n += 1;
            let title = format!("Change {n} of writer {round}");
            let (status, answer) = ask_for(&server, &token, &title);
            match status {
                201 => {
                    let key = answer["key"].as_str().unwrap().to_owned();
                    kept.push(Kept { key, title });
                    // One of the database's own processes may be the first to fail, between two questions. Then nobody is refused,
                    // and the sessions of now are the next.
                    let more = injected(&tracers);
                    if refused == 0 && more > 0 {
                        failed += more;
                        tracers.clear();
                        tracers = attach();
                    }
                    refused > 0
                }
                503 => {
                    refused += 1;
                    false
                }
                other => panic!("{other}: {answer}\n{}", server.last_words()),
            }
        });
        assert!(failed + injected(&tracers) > 0);
        drop(tracers);
        cluster.wait_until_ready();
    }
    check_kept_at_least(&server, &kept);
    must_verify(&server);
    server.stop();
    must_replay(&place);
}
