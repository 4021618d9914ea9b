//! The clock that tests hold, moved through its socket.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use crate::world::World;

/// Sends lines to the clock; returns its responses.
pub fn tell(world: &World, line: &str) -> String {
    let mut stream = UnixStream::connect(world.folder().join("clock.sock")).unwrap();
    writeln!(stream, "{line}").unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer.trim().to_owned()
}

#[test]
fn the_clock_stands_until_it_is_moved() {
    let world = World::new();
    assert_eq!(tell(&world, "set 2035-05-04T10:00:00Z"), "ok");
    let made = |key: &str| world.get("rita", &format!("/changes/{key}")).expect(200)["created_at"].clone();
    let (first, second) = (world.draft(), world.draft());
    assert_eq!(made(&first), "2035-05-04T10:00:00Z");
    assert_eq!(made(&second), "2035-05-04T10:00:00Z");
    assert_eq!(tell(&world, "advance 90"), "ok");
    assert_eq!(made(&world.draft()), "2035-05-04T10:01:30Z");
    assert!(tell(&world, "stop").starts_with("error"));
}

/// A window that passes without a start is noticed by its timer alone.
#[test]
fn timers_run_when_the_clock_is_moved() {
    let world = World::new();
    assert_eq!(tell(&world, "set 2035-05-04T10:00:00Z"), "ok");
    let key = world.draft();
    world.schedule(&key);
    assert_eq!(tell(&world, "set 2101-01-01T00:00:00Z"), "ok");
    loop {
        let change = world.get("rita", &format!("/changes/{key}")).expect(200);
        if change["window_missed"] == true {
            assert_eq!(change["state"], "approved");
            return;
        }
        assert_eq!(change["state"], "scheduled", "{change}");
    }
}
