//! Two versions of the program take turns over one place: upgraded, set back, upgraded again, with people who write all the time.

use std::path::PathBuf;
use std::process::Command;

use tests::faults::load::{Load, check_kept};
use tests::faults::size;
use tests::{Place, Server, binary};

use crate::platform::crash::{must_replay, must_verify};

/// The program of the version before. Before the first release there is none.
const BEFORE: &str = "ASSENT_TEST_BEFORE";

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
