#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use serde_json::{Value, json};

use super::*;
use crate::compliance::change_trail::Leaf;

fn at(text: &str) -> Timestamp {
    let seconds = if text.len() > "12:00".len() { "" } else { ":00" };
    format!("2026-11-20T{text}{seconds}Z").parse().unwrap()
}

/// A log of a service with a place in staging and one in production.
#[derive(Default)]
struct Log {
    trail: RunTrail,
    size: u64,
}

impl Log {
    fn new() -> Self {
        let mut log = Self::default();
        log.record("00:00", ("service", "s1"), json!({"key": "till"}));
        log.record("00:00", ("environment", "e1"), json!({"key": "staging"}));
        log.record(
            "00:00",
            ("environment", "e2"),
            json!({"key": "production", "is_production": true}),
        );
        log
    }

    fn event(&mut self, time: &str, kind: &str, (table, id): (&str, &str), records: Value) {
        let leaf = json!({
            "kind": kind, "occurred_at": at(time), "recorded_at": at(time), "subject": {"table": table, "id": id},
            "records": records,
        });
        let leaf = Leaf::read(leaf.to_string().as_bytes()).unwrap();
        self.trail.take(self.size, leaf);
        self.size += 1;
    }

    fn record(&mut self, time: &str, (table, id): (&str, &str), set: Value) {
        let records = json!([{"table": table, "id": id, "version": 1, "set": set}]);
        self.event(time, "demo.filled", (table, id), records);
    }

    /// A change for production with an approval.
    fn approved(&mut self, time: &str) {
        let set = json!({
            "key": "CHG-1", "number": 1, "state": "scheduled", "kind": "normal", "requester": "p1", "risk": {"level": "low"},
            "targets": [{"service": "till", "environment": "production"}],
        });
        self.record(time, ("change", "c1"), set);
        self.moved(time, "change.approved");
    }

    fn moved(&mut self, time: &str, kind: &str) {
        self.event(time, kind, ("change", "c1"), json!([]));
    }

    fn deployed(&mut self, time: &str, environment: &str) {
        let words = json!([{"at": at(time), "status": "success"}]);
        let set = json!({
            "service": "till", "environment": environment, "change_key": "CHG-1", "at": at(time), "words": words,
        });
        self.record(time, ("deployment", time), set);
    }

    fn found(&self, from: &str) -> Reconciliation {
        let asked = ReconciliationScope {
            from: at(from),
            to: at("23:00"),
            service: None,
        };
        let log = LogPosition {
            size: self.size,
            root: "r".to_owned(),
        };
        reconcile(&self.trail, None, &asked, log)
    }
}

#[test]
fn staging_does_not_speak_for_production() {
    let mut log = Log::new();
    let silent = |log: &Log| -> Vec<(String, Option<Timestamp>)> {
        let rows = log.found("10:00").silent.rows.into_iter();
        rows.map(|it| (it.environment, it.since)).collect()
    };
    assert_eq!(silent(&log), [(String::new(), None)], "nothing is known of it");
    log.approved("08:00");
    log.deployed("09:00", "production");
    log.deployed("12:00", "staging");
    assert_eq!(silent(&log), [("production".to_owned(), Some(at("09:00")))]);
    log.deployed("13:00", "production");
    log.deployed("14:00", "staging");
    assert!(silent(&log).is_empty());
    let figures = log.found("10:00").services;
    let last: Vec<_> = figures
        .iter()
        .map(|it| (it.environment.as_str(), it.last_signal_at))
        .collect();
    assert_eq!(
        last,
        [("production", Some(at("13:00"))), ("staging", Some(at("14:00")))]
    );
}

#[test]
fn a_time_in_whole_seconds_lies_not_before_the_approval_of_that_second() {
    let mut log = Log::new();
    log.approved("09:00:00.4");
    log.deployed("09:00:00", "production");
    assert!(log.found("08:00").not_approved.rows.is_empty());
    log.deployed("08:59:59", "production");
    log.deployed("09:00:00.3", "production");
    let rows = log.found("08:00").not_approved.rows;
    let found: Vec<(Timestamp, Lack)> = rows.into_iter().map(|it| (it.at, it.lack)).collect();
    assert_eq!(
        found,
        [
            (at("08:59:59"), Lack::ApprovedLater),
            (at("09:00:00.3"), Lack::ApprovedLater)
        ]
    );
}

#[test]
fn what_ran_after_its_approval_was_lost_is_listed_until_it_is_approved_anew() {
    let mut log = Log::new();
    log.approved("08:00");
    log.deployed("09:00", "production");
    log.moved("10:00", "change.authorizing");
    log.deployed("11:00", "production");
    let lacks = |log: &Log| -> Vec<(Timestamp, Lack)> {
        let rows = log.found("08:00").not_approved.rows.into_iter();
        rows.map(|it| (it.at, it.lack)).collect()
    };
    assert_eq!(lacks(&log), [(at("11:00"), Lack::ApprovalLost)]);
    log.moved("12:00", "change.approved");
    log.deployed("13:00", "production");
    assert_eq!(lacks(&log), [(at("11:00"), Lack::ApprovedLater)]);
}

#[test]
fn who_held_a_right_in_the_span_is_listed_with_its_times_also_where_it_was_taken_back() {
    let mut log = Log::new();
    log.record(
        "01:00",
        ("person", "p1"),
        json!({"active": true, "roles": ["requester"]}),
    );
    log.record("01:00", ("person", "p2"), json!({"active": true, "roles": []}));
    log.record(
        "01:00",
        ("people_group", "g1"),
        json!({"key": "tills", "members": ["p2"]}),
    );
    let row = json!({"service": "till", "environment": "production", "role": "owner", "group": "tills", "since": at("01:00")});
    log.record("02:00", ("ownership", "o1"), row);
    log.record(
        "09:00",
        ("person", "p1"),
        json!({"roles": ["change_manager", "requester"]}),
    );
    log.record("11:00", ("person", "p1"), json!({"roles": ["requester"]}));
    log.record("12:00", ("people_group", "g1"), json!({"members": []}));
    log.record("13:00", ("person", "p1"), json!({"active": false}));
    log.record("23:30", ("person", "p3"), json!({"active": true, "roles": ["admin"]}));
    let held = |log: &Log, from: &str| -> Vec<(String, String, Timestamp, Option<Timestamp>)> {
        let people = log.found(from).people.rows.into_iter();
        people
            .flat_map(|it| it.held.rows.into_iter().map(move |held| (it.person.clone(), held)))
            .map(|(person, it)| (person, it.right, it.from, it.until))
            .collect()
    };
    let one = |person: &str, right: &str, from: &str, until: &str| {
        (person.to_owned(), right.to_owned(), at(from), Some(at(until)))
    };
    let manager = one("p1", "change_manager", "09:00", "11:00");
    let requester = one("p1", "requester", "01:00", "13:00");
    let owner = one("p2", "owner", "02:00", "12:00");
    assert_eq!(held(&log, "10:00"), [manager, requester.clone(), owner.clone()]);
    assert_eq!(held(&log, "11:30"), [requester, owner]);
    assert!(held(&log, "14:00").is_empty(), "who came later could not have");
    let owned = log.found("10:00").people.rows.pop().unwrap();
    assert_eq!(owned.held.rows[0].of, ["service:till"]);
    assert_eq!(owned.held.rows[0].environment.as_deref(), Some("production"));
}
