//! Two versions of the program over one place, with people who write all the time: in turns, upgraded, set back, upgraded again; and
//! on PostgreSQL side by side, where the newer one migrates under the load.

use std::path::PathBuf;
use std::process::Command;

use tests::faults::load::{Load, check_kept};
use tests::faults::size;
use tests::{Place, Server, binary, on_postgres};

use crate::platform::crash::{must_replay, must_verify};

/// The program of the version before. Before the first release there is none.
const BEFORE: &str = "ASSENT_TEST_BEFORE";
/// The file with the demo's people, which a second folder needs as well.
const PEOPLE: &str = "demo-credentials.json";

fn served_by(program: &PathBuf, place: &Place, demo: bool) -> Server {
    Server::start_on(Command::new(program), "127.0.0.1", place, demo)
}

#[test]
fn this_version_and_the_one_before_take_turns_and_lose_nothing() {
    let Some(before) = std::env::var_os(BEFORE).map(PathBuf::from) else {
        println!("left out: turns with the version before: {BEFORE} names no program");
        return;
    };
    let place = Place::new("versions");
    // Older first: its files are upgraded, not those of this version.
    let first = served_by(&before, &place, true);
    let (requester, auditor) = (first.token("requester"), first.token("auditor"));
    let load = Load::begin("V", &requester, 3);
    load.turn_to(Some(&first.url));
    load.wait_for(3);
    load.turn_to(None);
    first.stop();
    for _ in 0..size("ASSENT_TEST_TURNS", 2) {
        for program in [&binary(), &before] {
            let server = served_by(program, &place, false);
            load.turn_to(Some(&server.url));
            load.wait_for(3);
            must_verify(&server);
            load.turn_to(None);
            assert!(server.stop().success());
        }
    }
    let server = served_by(&binary(), &place, false);
    load.turn_to(Some(&server.url));
    let kept = load.stop();
    check_kept(&server, &auditor, &kept);
    must_verify(&server);
    server.stop();
    must_replay(&place);
}

#[test]
fn this_version_and_the_one_before_serve_one_database_side_by_side() {
    if !on_postgres() {
        println!("left out: two versions side by side: SQLite has one server");
        return;
    }
    let Some(before) = std::env::var_os(BEFORE).map(PathBuf::from) else {
        println!("left out: two versions side by side: {BEFORE} names no program");
        return;
    };
    let place = Place::new("versions_beside");
    let other = Place {
        folder: tempfile::tempdir().unwrap(),
        database: place.database.clone(),
    };
    let old = served_by(&before, &place, true);
    std::fs::copy(old.data.join(PEOPLE), other.folder.path().join(PEOPLE)).unwrap();
    let (requester, auditor) = (old.token("requester"), old.token("auditor"));
    let loads = ["O", "N"].map(|name| Load::begin(name, &requester, 2));
    loads[0].turn_to(Some(&old.url));
    loads[0].wait_for(3);
    // It migrates while the older one serves.
    let new = served_by(&binary(), &other, false);
    loads[1].turn_to(Some(&new.url));
    loads.iter().for_each(|load| load.wait_for(5));
    let kept = loads.map(Load::stop).concat();
    for server in [&old, &new] {
        check_kept(server, &auditor, &kept);
        must_verify(server);
    }
    assert!(old.stop().success());
    assert!(new.stop().success());
    must_replay(&other);
}
