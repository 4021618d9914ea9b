//! Deliveries that come again and again, at the same time, under their own id and under new ones: each has one effect.

use serde_json::json;
use tests::faults::size;
use tests::{Place, Server};

use crate::integration::deliveries::{Hook, connect, signature};
use crate::platform::beside::beside;

/// How often each delivery comes.
const COPIES: usize = 10;
/// How many deliver at once, each over a connection that it keeps.
const SENDERS: usize = 32;

/// A deployment by its number: nothing but the number distinguishes two.
fn body(number: usize) -> Vec<u8> {
    let body = json!({
        "action": "created", "sender": {"login": "ingrid"},
        "repository": {"full_name": "halden/edge-dns", "name": "edge-dns", "owner": {"login": "halden"}},
        "deployment": {
            "id": 500_000 + number, "sha": format!("{number:040x}"), "ref": "main", "task": "deploy", "payload": {},
            "environment": "production", "creator": {"login": "ingrid"}, "created_at": "2026-11-20T10:00:00Z",
            "updated_at": "2026-11-20T10:00:00Z", "description": "Ship it",
        },
    });
    body.to_string().into_bytes()
}

/// Delivers its share of all copies. The copies of a delivery are far apart in one share and close together among them all.
fn deliver(hook: &Hook<'_>, url: &str, count: usize, sender: usize) {
    let agent = tests::caller::agent();
    for turn in (sender..count * COPIES).step_by(SENDERS) {
        // Neighbours in this order are copies of one delivery as often as they are not.
        let (number, copy) = ((turn / 2) % count, turn / (2 * count) * 2 + turn % 2);
        let bytes = body(number);
        // Half of them have an id of their own; the signature covers the body alone, so it stays good.
        let id = if copy % 2 == 0 {
            format!("replayed-{number}")
        } else {
            format!("replayed-{number}-{copy}")
        };
        let answer = agent
            .post(format!("{url}{}", hook.path))
            .header("Content-Type", "application/json")
            .header("X-GitHub-Event", "deployment")
            .header("X-GitHub-Delivery", &id)
            .header("X-Hub-Signature-256", signature(&hook.secret, &bytes))
            .send(&bytes[..]);
        let mut answer = answer.unwrap();
        assert_eq!(answer.status().as_u16(), 202, "{id}");
        answer.body_mut().read_to_vec().unwrap();
    }
}

/// Waits until no delivery waits; fails when a minute brings none further.
fn until_all_are_read(place: &Place) {
    let waiting = || counted(place, "inbox WHERE state = 'waiting'");
    let mut left = usize::MAX;
    loop {
        let now = waiting();
        if now == 0 {
            return;
        }
        assert!(now < left, "{now} deliveries wait and none was read for a minute");
        left = now;
        for _ in 0..600 {
            if waiting() < left {
                break;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(100));
        }
    }
}

fn counted(place: &Place, what: &str) -> usize {
    let said = beside(place, &format!("SELECT CAST(COUNT(*) AS TEXT) FROM {what}"));
    said.trim().parse().unwrap()
}

#[test]
fn what_is_delivered_ten_times_at_once_has_one_effect() {
    let count = size("ASSENT_TEST_REPLAYED", 60);
    let place = Place::demo("replayed");
    let server = Server::start(&place, true);
    let hook = connect(&server);
    let before = [
        counted(&place, "change"),
        counted(&place, "deployment"),
        counted(&place, "inbox"),
    ];
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (hook, url) = (&hook, &server.url);
            scope.spawn(move || deliver(hook, url, count, sender));
        }
    });
    until_all_are_read(&place);
    let after = [
        counted(&place, "change"),
        counted(&place, "deployment"),
        counted(&place, "inbox"),
    ];
    let grown: Vec<usize> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    println!(
        "{} deliveries of {count} deployments over {SENDERS} connections",
        count * COPIES
    );
    assert_eq!(grown, [count; 3], "changes, deployments and deliveries that were kept");
    assert_eq!(counted(&place, "inbox WHERE state = 'parked'"), 0);
}
