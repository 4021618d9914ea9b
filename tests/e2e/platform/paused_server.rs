//! A server that is paused beyond its leases and then goes on: nothing happens twice, and the log has one history.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proof::merkle::Frontier;
use proof::note::{Checkpoint, Note};
use proof::tile::{read_tile, tile_path};
use tests::faults::cluster::Cluster;
use tests::faults::load::{Load, check_kept};
use tests::faults::{eventually, signals, size};
use tests::{Place, Server, on_postgres};

use crate::platform::crash::{must_replay, must_verify};

/// The size and the root of a server's present checkpoint.
pub(crate) fn checkpoint(server: &Server, token: &str) -> (u64, String) {
    let (status, bytes) = server.get("/t/halden/log/checkpoint", Some(token));
    assert_eq!(status, 200, "{}", server.last_words());
    let note = Note::parse(&String::from_utf8(bytes).unwrap()).unwrap();
    let found = Checkpoint::parse(&note.text).unwrap();
    (found.size, proof::crypto::hash_text(&found.root))
}

/// Notes a checkpoint; two of one size with different roots would be two histories.
pub(crate) fn note(seen: &mut BTreeMap<u64, String>, (size, root): (u64, String)) {
    let known = seen.entry(size).or_insert_with(|| root.clone());
    assert_eq!(*known, root, "two roots for the size {size}");
}

/// A second server over the first one's database, with the same people.
fn beside(first: &Server, place: &Place) -> (Place, Server) {
    let other = Place {
        folder: tempfile::tempdir().unwrap(),
        database: place.database.clone(),
    };
    let people = "demo-credentials.json";
    std::fs::copy(first.data.join(people), other.folder.path().join(people)).unwrap();
    let second = Server::start(&other, false);
    (other, second)
}

#[test]
fn a_server_that_was_paused_beyond_its_leases_doubles_nothing() {
    if !on_postgres() {
        return one_server_that_was_paused_goes_on();
    }
    // A cluster of its own: a server that is paused in a transaction keeps the predicate locks of every other one in the
    // cluster from being freed.
    let cluster = Cluster::start();
    let place = Place {
        folder: tempfile::tempdir().unwrap(),
        database: Some(cluster.create_database("paused", "")),
    };
    let first = Server::start(&place, true);
    // Before the demo's events have their places the log has no leaf that a checkpoint could be compared with.
    first.wait_for_log();
    let (_other, second) = beside(&first, &place);
    let mut servers = [first, second];
    let (token, auditor) = (servers[0].token("requester"), servers[0].token("auditor"));
    let loads = [Load::begin("A", &token, 3), Load::begin("B", &token, 3)];
    let mut seen = BTreeMap::new();
    let mut now = servers[0].server_time();
    for round in 0..size("ASSENT_TEST_PAUSES", 6) {
        for (load, server) in loads.iter().zip(&servers) {
            load.turn_to(Some(&server.url));
            load.wait_for(2);
            note(&mut seen, checkpoint(server, &auditor));
        }
        let (asleep, awake) = (round % 2, (round + 1) % 2);
        let load = &loads[awake];
        signals::send("STOP", servers[asleep].id());
        // The other one's clock passes the end of every lease that the sleeper holds.
        now += SignedDuration::from_secs(80);
        servers[awake].hold_clock(now);
        let before = checkpoint(&servers[awake], &auditor).0;
        load.wait_for(3);
        eventually("the other server places events", || {
            let found = checkpoint(&servers[awake], &auditor);
            let is_grown = found.0 > before;
            note(&mut seen, found);
            is_grown
        });
        signals::send("CONT", servers[asleep].id());
        servers[asleep].hold_clock(now + SignedDuration::from_secs(1));
    }
    let kept = loads.map(Load::stop).concat();
    check_kept(&servers[0], &auditor, &kept);
    for server in &servers {
        note(&mut seen, checkpoint(server, &auditor));
    }
    must_verify(&servers[1]);
    roots_are_of_one_history(&servers[1], &auditor, &seen);
    for server in servers {
        server.stop();
    }
    must_replay(&place);
}

/// Every checkpoint that was ever served is the log's beginning, leaf by leaf.
pub(crate) fn roots_are_of_one_history(server: &Server, token: &str, seen: &BTreeMap<u64, String>) {
    let (size, _) = checkpoint(server, token);
    let mut frontier = Frontier::new();
    let mut compared = 0;
    for index in 0..size.div_ceil(256) {
        let path = tile_path(0, index, (size - index * 256).min(256));
        let (status, tile) = server.get(&format!("/t/halden/log/{path}"), Some(token));
        assert_eq!(status, 200, "{path}");
        for leaf in read_tile(&tile).unwrap() {
            frontier.push(leaf);
            if let Some(root) = seen.get(&frontier.size()) {
                assert_eq!(
                    proof::crypto::hash_text(&frontier.root()),
                    *root,
                    "at size {}",
                    frontier.size()
                );
                compared += 1;
            }
        }
    }
    assert_eq!(
        compared,
        seen.len(),
        "a checkpoint was of a size that the log never had; the log has {} of {size}, the last seen are {:?}",
        frontier.size(),
        seen.keys().rev().take(4).collect::<Vec<_>>()
    );
    println!("{compared} checkpoints compared");
}

/// The embedded engine has one server: it is paused, its clock leaps on, and it goes on with its own lease gone.
fn one_server_that_was_paused_goes_on() {
    let place = Place::demo("paused");
    let mut server = Server::start(&place, true);
    let auditor = server.token("auditor");
    let load = Load::begin("A", &server.token("requester"), 3);
    load.turn_to(Some(&server.url));
    let mut seen = BTreeMap::new();
    let mut now = server.server_time();
    for _ in 0..size("ASSENT_TEST_PAUSES", 6) {
        load.wait_for(2);
        note(&mut seen, checkpoint(&server, &auditor));
        signals::send("STOP", server.id());
        now += SignedDuration::from_secs(80);
        signals::send("CONT", server.id());
        server.hold_clock(now);
        load.wait_for(2);
    }
    check_kept(&server, &auditor, &load.stop());
    must_verify(&server);
    note(&mut seen, checkpoint(&server, &auditor));
    roots_are_of_one_history(&server, &auditor, &seen);
    server.stop();
    must_replay(&place);
}
