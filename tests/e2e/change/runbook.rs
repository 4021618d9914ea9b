//! The runbook over the API: a watch, a skipped step, a tap that is taken back, and taps that arrive late and again.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::{Place, Server, journey};

use crate::platform::crash::{must_replay, must_verify};

struct Work<'s> {
    server: &'s Server,
    path: String,
}

impl Work<'_> {
    fn note(&self, role: &str, entry: &Value) -> (u16, Value) {
        let path = format!("{}/implementation/entries", self.path);
        let token = self.server.token(role);
        let (status, answer) = self.server.ask("POST", &path, Some(&token), Some(entry));
        (status, serde_json::from_slice(&answer).unwrap_or_default())
    }

    fn entries(&self) -> Vec<Value> {
        let path = format!("{}/implementation/entries", self.path);
        let found = self.server.must("GET", &path, &self.server.token("implementer"), None);
        found["items"].as_array().unwrap().clone()
    }
}

/// A change under way whose second of three steps is a watch of ten minutes.
fn under_way(server: &Server) -> Work<'_> {
    let digest = journey::artifact(77);
    let mut request = journey::request("Print the labels twice", &digest, server.held_time());
    request["plan"] = json!([
        {"title": "Bring it out", "minutes": 2},
        {"title": "Look at the errors", "minutes": 10, "watch": true},
        {"title": "Tell the desk"},
    ]);
    request["implementers"] = json!(["tomasz"]);
    let path = journey::waiting_for_approval(server, &request, &digest);
    for role in ["owner", "security", "change_manager"] {
        journey::approve(server, &path, role);
    }
    let start = format!("{path}/implementation");
    server.must("POST", &start, &server.token("implementer"), Some(&json!({})));
    Work { server, path }
}

#[test]
fn the_runbook_holds_a_watch_and_keeps_every_tap() {
    let place = Place::demo("runbook");
    let mut server = Server::start(&place, true);
    server.hold_clock(server.server_time());
    let began = server.held_time();
    server.advance(60);
    let work = under_way(&server);
    let path = work.path.clone();
    a_tap_is_taken_back(&work);
    server.advance(60);
    let work = Work {
        server: &server,
        path: path.clone(),
    };
    let first = work.note(
        "implementer",
        &json!({"kind": "step", "step": 1, "text": "Bring it out"}),
    );
    assert_eq!(first.0, 201, "{first:?}");
    let done = json!({"kind": "step", "step": 2, "text": "Look at the errors"});
    let (status, refused) = work.note("implementer", &done);
    assert_eq!((status, &refused["code"]), (409, &json!("watch_goes_on")), "{refused}");
    let (status, _) = work.note("implementer", &json!({"kind": "step", "step": 2, "skipped": true}));
    assert_eq!(status, 422, "a reason is asked for");
    server.advance(15 * 60);
    let work = Work { server: &server, path };
    late_taps_are_one_each(&work, began);
    server.wait_for_log();
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

fn a_tap_is_taken_back(work: &Work<'_>) {
    let (_, slip) = work.note(
        "implementer",
        &json!({"kind": "step", "step": 1, "text": "Bring it out"}),
    );
    let back = json!({"kind": "step", "withdraws": slip["id"], "text": "Taken back: Bring it out"});
    let (status, _) = work.note("requester", &back);
    assert_eq!(status, 403, "only who noted it takes it back");
    let (status, answer) = work.note("implementer", &back);
    assert_eq!(status, 201, "{answer}");
    assert_eq!(work.entries().len(), 2, "what was taken back stays");
    let (status, _) = work.note("implementer", &back);
    assert_eq!(status, 422, "once");
}

/// A phone without a network for ten minutes, whose clock runs five minutes ahead, and which never saw the response to its
/// first tap.
fn late_taps_are_one_each(work: &Work<'_>, began: Timestamp) {
    let now = work.server.held_time();
    let by_phone = |at: Timestamp| (at + SignedDuration::from_mins(5)).to_string();
    let tap = |step: i64, ago: i64, name: &str| {
        json!({"kind": "step", "step": step, "text": "Tapped", "tap": name, "sent_at": by_phone(now),
            "occurred_at": by_phone(now - SignedDuration::from_mins(ago))})
    };
    let too_early = json!({"kind": "step", "step": 2, "text": "Tapped", "occurred_at": began.to_string()});
    assert_eq!(work.note("implementer", &too_early).0, 422, "before the start");
    let ahead = json!({"kind": "step", "step": 2, "text": "Tapped", "occurred_at": by_phone(now)});
    assert_eq!(work.note("implementer", &ahead).0, 422, "in the future");
    let watched = tap(2, 4, "a1");
    let (status, first) = work.note("implementer", &watched);
    assert_eq!(status, 201, "{first}");
    let (status, again) = work.note("implementer", &watched);
    assert_eq!(
        (status, &again["id"]),
        (201, &first["id"]),
        "the same tap is the same entry"
    );
    assert_eq!(
        work.note("implementer", &tap(3, 3, "a1")).0,
        409,
        "another tap needs another key"
    );
    assert_eq!(work.note("implementer", &tap(3, 3, "a2")).0, 201);
    let entries = work.entries();
    assert_eq!(entries.len(), 5, "{entries:?}");
    let last = &entries[3];
    let occurred: Timestamp = last["occurred_at"].as_str().unwrap().parse().unwrap();
    let received: Timestamp = last["at"].as_str().unwrap().parse().unwrap();
    assert_eq!(last["clock_ahead_seconds"], 300);
    assert!(received.duration_since(occurred).as_secs() >= 230, "{last}");
}
