//! Edits of the database past the server are reported by the next morning, without a request.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::held::awaited;
use tests::letters::Letters;
use tests::{Place, Server};

use crate::audit::tamper::run_sql;
use crate::platform::beside::beside;

const DAY: i64 = 24 * 60 * 60;
const REPLAYED: &str = "assent_replay_timestamp_seconds";
const DIFFERENCES: &str = "assent_replay_differences";

/// A figure of the server's; nothing as long as it has none.
fn figure(server: &Server, name: &str) -> Option<i64> {
    let figures = String::from_utf8(server.get("/metrics", None).1).unwrap();
    let line = figures.lines().find(|line| line.starts_with(&format!("{name}{{}} ")))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// A minute before the next half past two.
fn evening(now: Timestamp) -> Timestamp {
    let tomorrow = now.to_zoned(TimeZone::UTC).date().tomorrow().unwrap();
    tomorrow.at(2, 29, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// The entry of the tenant's log on its last replay.
fn last_told(server: &Server) -> Value {
    let told = server.must(
        "GET",
        "/api/v1/events?kind=log.replayed&limit=5",
        &server.token("auditor"),
        None,
    );
    told["items"][0].clone()
}

/// Lets the clock go on to the next night, and waits for that night's replay.
fn sleep_over(server: &mut Server, seconds: i64) -> i64 {
    let before = figure(server, REPLAYED);
    server.advance(seconds);
    let is_over = awaited(|| (figure(server, REPLAYED) > before).then_some(())).is_some();
    assert!(is_over, "nothing was replayed:\n{}", server.last_words());
    server.wait_for_log();
    figure(server, DIFFERENCES).unwrap()
}

#[test]
fn what_was_changed_past_the_server_is_told_by_the_next_morning() {
    let place = Place::demo("nightly");
    let letters = Letters::start();
    let settings = letters.settings(place.folder.path());
    let flags = ["--replay-at", "02:30", "--config", settings.to_str().unwrap()];
    let mut server = Server::start_with(&place, true, &flags);
    server.hold_clock(evening(server.server_time()));
    assert_eq!(figure(&server, REPLAYED), None);

    assert_eq!(sleep_over(&mut server, 90), 0, "{}", server.last_words());
    let told = last_told(&server);
    assert_eq!(told["data"]["differences"], 0, "{told}");
    assert!(told["data"]["records"].as_u64().unwrap() > 100, "{told}");
    assert!(told["data"]["events"].as_u64().unwrap() > 100, "{told}");

    let title = "SELECT title FROM \"change\" WHERE key = 'CHG-1004' AND tenant = 'halden'";
    let one = |sql: &str| beside(&place, sql).trim().to_owned();
    let (title, id) = (one(title), one(&title.replace("title", "id")));
    run_sql(
        &place,
        "UPDATE \"change\" SET title = 'x' WHERE key = 'CHG-1004' AND tenant = 'halden'",
    );
    assert_eq!(sleep_over(&mut server, DAY), 1, "{}", server.last_words());
    let told = last_told(&server);
    assert_eq!(told["data"]["differences"], 1, "{told}");
    assert_eq!(told["data"]["places"], json!([format!("change {id} title")]));
    for login in ["nils", "edmund"] {
        let address = format!("{login}@halden.example");
        eventually("administrators and auditors are told", || {
            letters.to(&address, "Stored records differ from the log").len() == 1
        });
    }

    run_sql(
        &place,
        &format!("UPDATE \"change\" SET title = '{title}' WHERE id = '{id}' AND tenant = 'halden'"),
    );
    assert_eq!(sleep_over(&mut server, DAY), 0, "{}", server.last_words());
    assert_eq!(last_told(&server)["data"]["differences"], 0);
}
