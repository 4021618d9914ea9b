//! A mail server that is silent or away: nothing else waits for it, and no letter is lost.

use std::process::Command;

use jiff::Timestamp;
use serde_json::json;
use tests::faults::eventually;
use tests::journey::{artifact, request, waiting_for_approval};
use tests::letters::{Letters, Manner};
use tests::{Place, Server};

use crate::integration::deliveries::connect;
use crate::notify::told::start;
use crate::platform::beside::beside;

/// More letters than all threads of a server take at once.
const LETTERS: usize = 60;
/// The most advances of the clock, each by the longest pause between two tries: after them every letter had all of its tries.
const MOST_ROUNDS: usize = 20;

fn change_that_waits(server: &Server, number: u64) -> String {
    let digest = artifact(number);
    let wanted = request("A change to be told of", &digest, server.server_time());
    waiting_for_approval(server, &wanted, &digest)
}

/// The number of jobs that meet a condition.
fn count_jobs(place: &Place, condition: &str) -> usize {
    let sql = format!("SELECT CAST(COUNT(*) AS TEXT) FROM job WHERE {condition}");
    beside(place, &sql).trim().parse().unwrap()
}

#[test]
fn a_silent_mail_server_holds_up_no_delivery() {
    let place = Place::demo("silent_mail");
    let letters = Letters::start_as(Manner::Silent);
    let server = start(&place, &letters);
    let path = change_that_waits(&server, 9_201);
    for number in 0..LETTERS {
        let body = json!({"text": format!("Word {number}.")});
        server.must("POST", &format!("{path}/comments"), &server.token("owner"), Some(&body));
    }
    assert!(count_jobs(&place, "1 = 1") >= LETTERS);
    let hook = connect(&server);
    let commit = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
    let pushed = json!({
        "ref": "refs/heads/main", "after": commit, "before": "0".repeat(40), "commits": [], "pusher": {"name": "ingrid"},
        "repository": {"full_name": "halden/edge-dns", "name": "edge-dns", "owner": {"login": "halden"}},
        "sender": {"login": "ingrid"},
    });
    assert_eq!(hook.good("push", "silent-1", &pushed), 202);
    eventually("the delivery is done", || {
        beside(&place, "SELECT state FROM inbox").trim() == "done"
    });
    assert!(count_jobs(&place, "1 = 1") >= LETTERS, "the mail server took a letter");
    server.kill();
}

#[test]
fn letters_outlast_a_mail_server_that_is_away_for_half_an_hour() {
    let place = Place::demo("busy_mail");
    let letters = Letters::start_as(Manner::Busy);
    let mut server = start(&place, &letters);
    let now: Timestamp = server.server_time();
    server.hold_clock(now);
    change_that_waits(&server, 9_202);
    for tries in 1..=7 {
        // A job under way would begin its pause only after the clock has moved.
        let tried = format!("SELECT CAST(MAX(tries) >= {tries} AND MAX(lease_until) = 0 AS TEXT) FROM job");
        eventually("the letters were tried once more", || {
            matches!(beside(&place, &tried).trim(), "1" | "true")
        });
        server.advance(300);
    }
    assert_eq!(letters.all().len(), 0);
    letters.turn(Manner::Taking);
    server.advance(300);
    let owner = server.person("owner")["login"].as_str().unwrap().to_owned();
    eventually("the owner's letter has come", || {
        !letters.to(&owner, "needs your decision").is_empty()
    });
    server.stop();
    crate::platform::crash::must_replay(&place);
}

/// Runs a command on the host of a place.
fn on_the_host(place: &Place, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(tests::binary());
    crate::platform::crash::place_arguments(place, command.args(words));
    let done = command.output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// Waits until no letter is left: a person without a letter by then gets none.
pub(crate) fn until_all_are_sent(place: &Place) {
    eventually("every letter is sent", || {
        beside(place, "SELECT CAST(COUNT(*) AS TEXT) FROM job").trim() == "0"
    });
}

/// Waits until every due job was tried. On a slow machine a clock that advances earlier would run days ahead, past the times of
/// the change, and cause further letters.
fn until_due_are_tried(server: &Server, place: &Place) {
    let now = server.held_time().as_microsecond();
    let due = format!(
        "SELECT CAST(COUNT(*) AS TEXT) FROM job WHERE state = 'waiting' AND (lease_until > 0 OR run_at <= {now})"
    );
    eventually("every due job was tried", || beside(place, &due).trim() == "0");
}

/// Advances the clock until as many jobs as wanted meet a condition.
fn advance_until(server: &mut Server, place: &Place, condition: &str, wanted: usize) {
    for _ in 0..MOST_ROUNDS {
        until_due_are_tried(server, place);
        if count_jobs(place, condition) == wanted {
            return;
        }
        server.advance(300);
    }
    assert_eq!(count_jobs(place, condition), wanted, "jobs where {condition}");
}

#[test]
fn letters_that_were_set_aside_are_sent_again_on_demand() {
    let place = Place::demo("mail_again");
    let letters = Letters::start_as(Manner::Busy);
    let mut server = start(&place, &letters);
    let now: Timestamp = server.server_time();
    server.hold_clock(now);
    change_that_waits(&server, 9_204);
    // No code writes letters of this kind, as after an update from an older version: after five tries they are set aside.
    beside(&place, "UPDATE job SET kind = 'pigeon' WHERE kind = 'mail'");
    let waiting = count_jobs(&place, "kind = 'pigeon'");
    assert!(waiting > 0, "no letter waits");
    advance_until(&mut server, &place, "state = 'parked'", waiting);
    let (code, told) = on_the_host(&place, &["doctor"]);
    let found = format!("{waiting} letters were set aside after too many tries");
    assert!(told.contains(&found), "{code:?} {told}");
    beside(&place, "UPDATE job SET kind = 'mail' WHERE kind = 'pigeon'");
    letters.turn(Manner::Taking);
    server.advance(3_600);
    let parked = count_jobs(&place, "state = 'parked'");
    assert_eq!(parked, waiting, "a letter was tried again without the command");
    let tried = |letters: usize| format!("{letters} letters that were set aside are tried again\n");
    assert_eq!(on_the_host(&place, &["mail", "again"]), (Some(0), tried(waiting)));
    let owner = server.person("owner")["login"].as_str().unwrap().to_owned();
    eventually("the owner's letter has come", || {
        !letters.to(&owner, "needs your decision").is_empty()
    });
    // A letter that was under way when the mail server recovered is tried again only after the clock has advanced.
    advance_until(&mut server, &place, "1 = 1", 0);
    assert_eq!(on_the_host(&place, &["mail", "again"]), (Some(0), tried(0)));
    server.stop();
    crate::platform::crash::must_replay(&place);
}

#[test]
fn a_stop_waits_for_no_letter_that_finds_no_end() {
    let place = Place::demo("talking_mail");
    let letters = Letters::start_as(Manner::Talking);
    let mut server = start(&place, &letters);
    change_that_waits(&server, 9_203);
    eventually("a letter is under way", || {
        matches!(
            beside(&place, "SELECT CAST(MAX(lease_until) > 0 AS TEXT) FROM job").trim(),
            "1" | "true"
        )
    });
    let asked = Command::new("kill")
        .args(["-TERM", &server.id().to_string()])
        .status()
        .unwrap();
    assert!(asked.success());
    assert!(server.wait_for_end().success());
    assert!(
        server.log().contains("some calls to other servers were cut"),
        "{}",
        server.last_words()
    );
}
