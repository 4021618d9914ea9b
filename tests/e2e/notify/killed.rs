//! Letters of a communication while the server is killed: nobody is left out, and a repeated letter has the same id.
//! `ASSENT_TEST_LETTER_KILLS` sets the number of kills.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::json;
use tests::Place;
use tests::faults::{eventually, size};
use tests::journey::{SERVICE, approve, artifact, request, waiting_for_approval};
use tests::letters::Letters;

use crate::notify::told::start;
use crate::platform::beside::beside;
use crate::platform::crash::must_replay;

/// Longer than any lease under which a letter was sent when its server died.
const LEASE: SignedDuration = SignedDuration::from_secs(250);

/// The ids of the letters to each address.
fn came(letters: &Letters) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for letter in letters.all() {
        let to = letter.head("To").trim_matches(['<', '>']).to_owned();
        if to.ends_with("@customer.example") {
            found.entry(to).or_default().insert(letter.head("Message-ID"));
        }
    }
    found
}

#[test]
fn however_often_the_server_is_killed_each_customer_is_told_once() {
    let kills = size("ASSENT_TEST_LETTER_KILLS", 3);
    let count = (kills * 10).clamp(120, 2_000);
    let place = Place::demo("killed_letters");
    let letters = Letters::start();
    let mut server = start(&place, &letters);
    let mut now = server.server_time();
    server.hold_clock(now);
    let manager = server.token("change_manager");
    let all: Vec<String> = (0..count).map(|number| format!("c{number}@customer.example")).collect();
    for (number, part) in all.chunks(1_000).enumerate() {
        let list =
            json!({"key": format!("part-{number}"), "name": "Buyers", "services": [SERVICE], "mail_addresses": part});
        server.must("POST", "/api/v1/customer-lists", &manager, Some(&list));
    }
    let plan = json!({"key": "buyers", "name": "Buyers", "audiences": ["customers"], "stages": ["announced"],
        "subject_en": "{stage}: {services}", "text_en": "{start} to {end}."});
    server.must("POST", "/api/v1/communication-plans", &manager, Some(&plan));
    let new = artifact(513);
    let wanted = request("Labels rest", &new, now + SignedDuration::from_hours(72));
    let path = waiting_for_approval(&server, &wanted, &new);
    for role in ["owner", "security", "change_manager"] {
        approve(&server, &path, role);
    }
    for kill in 1..=kills {
        let wanted = count * kill / (kills + 1);
        eventually("more letters came", || came(&letters).len() >= wanted);
        server.kill();
        server = start(&place, &letters);
        now += LEASE;
        server.hold_clock(now);
    }
    eventually("everybody has a letter", || came(&letters).len() == count);
    eventually("every letter is sent", || {
        beside(
            &place,
            "SELECT CAST(COUNT(*) AS TEXT) FROM job WHERE kind = 'communication'",
        )
        .trim()
            == "0"
    });
    let told = came(&letters);
    let twice = told.iter().find(|(_, ids)| ids.len() != 1);
    assert_eq!(twice, None, "somebody has two letters");
    let key = path.rsplit('/').next().unwrap();
    let records = format!("SELECT CAST(COUNT(*) AS TEXT) FROM communication WHERE change_key = '{key}'");
    let records = beside(&place, &records);
    assert_eq!(records.trim(), count.to_string());
    let copies = letters
        .all()
        .iter()
        .filter(|it| it.head("To").contains("@customer.example"))
        .count()
        - count;
    println!(
        "{kills} kills, {count} customers, each told once; {copies} letters were sent a second time under their id"
    );
    assert!(server.stop().success());
    must_replay(&place);
}
