//! Silence, in a real server: a silent approver is reminded and escalated past by working time, each step once and in order,
//! over a weekend, a holiday, a night on which clocks are moved, and three days in which no server runs.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{artifact, request, waiting_for_approval};
use tests::letters::Letters;
use tests::{Place, Server};

use crate::notify::told::start;

/// The rule whose ladder is compared step by step.
const RULE: &str = "base.require.owner";

/// The clock events of a change, in the order of its timeline: the rule, the kind with its step, the person, and when a step
/// was due.
fn told(server: &Server, path: &str) -> Vec<[String; 4]> {
    let auditor = server.token("auditor");
    let events = server.must("GET", &format!("{path}/events?limit=200"), &auditor, None);
    let word = |event: &Value, name: &str| event["data"][name].as_str().unwrap_or_default().to_owned();
    let clocks = ["approval.unacknowledged", "approval.reminded", "approval.escalated"];
    let items = events["items"].as_array().unwrap().iter();
    items
        .filter(|event| clocks.iter().any(|kind| event["kind"] == *kind))
        .map(|event| {
            let kind = event["kind"].as_str().unwrap().trim_start_matches("approval.");
            let what = format!("{kind} {}", word(event, "step")).trim().to_owned();
            [word(event, "rule"), what, word(event, "person"), word(event, "due_at")]
        })
        .collect()
}

/// The watched rule's part of it: kind and step.
fn steps(server: &Server, path: &str) -> Vec<String> {
    let found = told(server, path).into_iter();
    found
        .filter(|[rule, ..]| rule == RULE)
        .map(|[_, what, ..]| what)
        .collect()
}

/// The office's hours, and a holiday.
fn set_hours(server: &Server) {
    let hours: Vec<Value> = ["monday", "tuesday", "wednesday", "thursday", "friday"]
        .iter()
        .map(|day| json!({"day": day, "from": "08:00", "to": "16:00"}))
        .collect();
    let calendar = json!({
        "key": "default", "name": "Usual", "zone": "Europe/Oslo", "hours": hours,
        "holidays": [{"date": "2027-03-26", "title": "Good Friday"}],
    });
    server.must("POST", "/api/v1/calendars", &server.token("admin"), Some(&calendar));
}

/// Each step was due at its working time, and no notice was sent twice.
fn must_be_due_in_working_time(server: &Server, path: &str) {
    let all = told(server, path);
    let is_due = |[rule, _, _, due]: &&[String; 4]| rule == RULE && !due.is_empty();
    let dues = all
        .iter()
        .filter(is_due)
        .map(|[_, what, _, due]| (what.as_str(), due.as_str()));
    assert_eq!(
        dues.collect::<Vec<_>>(),
        [
            ("escalated deputies", "2027-03-23T09:00:00Z"),
            ("escalated line", "2027-03-30T08:00:00Z"),
            ("escalated last", "2027-04-06T08:00:00Z"),
        ]
    );
    let once: BTreeSet<&[String; 4]> = all.iter().collect();
    assert_eq!(once.len(), all.len(), "nothing is told twice: {all:#?}");
}

/// The letters match: one reminder to acknowledge, one to decide.
fn must_have_written_once(server: &Server, letters: &Letters, path: &str) {
    let key = path.rsplit('/').next().unwrap();
    let address = format!("{}@halden.example", server.person("owner")["login"].as_str().unwrap());
    let count = |words: &str| {
        let mut seen = BTreeSet::new();
        let found = letters.to(&address, &format!("{key} {words}"));
        found
            .iter()
            .filter(|letter| seen.insert(letter.head("Message-ID")))
            .count()
    };
    eventually("both letters have come", || {
        count("still needs your decision") > 0 && count("needs your decision soon") > 0
    });
    assert_eq!(
        (count("still needs your decision"), count("needs your decision soon")),
        (1, 1)
    );
}

#[test]
fn silence_is_reminded_and_escalated_once_and_in_order_also_by_a_server_that_stood_still_for_days() {
    let place = Place::demo("waited");
    let letters = Letters::start();
    let mut server = start(&place, &letters);
    // Monday, ten in the morning in Oslo, the week before clocks go forward (2027-03-28).
    server.hold_clock("2027-03-22T09:00:00Z".parse::<Timestamp>().unwrap());
    set_hours(&server);
    let digest = artifact(9_301);
    let mut body = request("Nobody answers", &digest, server.server_time());
    body["planned_end"] = json!("2027-06-01T12:00:00Z");
    let path = waiting_for_approval(&server, &body, &digest);
    assert_eq!(steps(&server, &path), Vec::<String>::new());
    // Tuesday, a minute after ten: a working day has passed.
    server.advance(24 * 60 * 60 + 60);
    eventually("a working day without a word is told", || {
        steps(&server, &path).len() >= 2
    });
    assert_eq!(steps(&server, &path), ["unacknowledged", "escalated deputies"]);
    // It stops before three quarters of the time are over and comes back on the day on which clocks were moved.
    server.stop();
    let mut server = start(&place, &letters);
    server.hold_clock("2027-03-28T10:00:00Z".parse::<Timestamp>().unwrap());
    eventually("what was missed is made good", || steps(&server, &path).len() >= 3);
    server.advance(60 * 60);
    assert_eq!(
        steps(&server, &path),
        ["unacknowledged", "escalated deputies", "reminded"],
        "once, and nothing that is not due before Tuesday"
    );
    // Good Friday and the weekend do not count: the fifth working day ends on Tuesday at ten, an hour earlier by UTC.
    server.hold_clock("2027-03-30T08:01:00Z".parse::<Timestamp>().unwrap());
    eventually("it goes one line further up", || steps(&server, &path).len() >= 4);
    server.hold_clock("2027-04-06T08:01:00Z".parse::<Timestamp>().unwrap());
    eventually("the last group is told", || {
        steps(&server, &path)
            .last()
            .is_some_and(|what| what == "escalated last")
    });
    must_be_due_in_working_time(&server, &path);
    let change = server.must("GET", &path, &server.token("auditor"), None);
    assert_eq!(change["state"], "authorizing", "nothing is approved by silence");
    must_have_written_once(&server, &letters, &path);
    server.stop();
    crate::platform::crash::must_replay(&place);
}
