//! Deliveries of which one in a hundred cannot be read: every good one is done, every poisonous one is set aside with its
//! reason and can be retried, and nobody waits for it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::faults::{eventually, size};
use tests::{Place, Server};

use crate::integration::deliveries::{Hook, connect_for};
use crate::platform::beside::beside;
use crate::platform::crash::{must_replay, must_verify};

/// One in so many is poisonous.
const ONE_IN: usize = 100;
/// One in so many of the good ones makes a change; the others are noted.
const DEPLOYED: usize = 20;
/// How many deliver at once.
const SENDERS: usize = 8;

/// The subjects of deliveries, in turns: a push is judged against the open changes of its own service.
const SERVICES: &[&str] = &[
    "backup",
    "booking-api",
    "customs-gateway",
    "driver-app",
    "edge-dns",
    "invoicing",
    "label-print",
    "ledger-db",
    "rates-engine",
    "shipments",
    "wms",
];

fn repository(number: usize) -> Value {
    let name = SERVICES[number % SERVICES.len()];
    json!({"full_name": format!("halden/{name}"), "name": name, "owner": {"login": "halden"}})
}

/// A delivery by its number: its event and its body.
fn delivery(number: usize) -> (&'static str, Value) {
    let commit = format!("{number:040x}");
    if number % ONE_IN == 7 {
        // A deployment without artifact and environment.
        return (
            "deployment",
            json!({"action": "created", "repository": repository(number), "number": number}),
        );
    }
    if number % DEPLOYED != 3 {
        return (
            "push",
            json!({"ref": "refs/heads/main", "after": commit, "before": "0".repeat(40), "commits": [], "pusher": {"name": "ingrid"},
                "repository": repository(number), "sender": {"login": "ingrid"}}),
        );
    }
    let deployment = json!({
        "id": 100_000 + number, "sha": commit, "ref": "main", "task": "deploy", "environment": "production", "payload": {},
        "creator": {"login": "ingrid"}, "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z",
        "url": "https://api.github.example/deployments/1", "description": "Ship it",
    });
    (
        "deployment",
        json!({"action": "created", "deployment": deployment, "repository": repository(number), "sender": {"login": "ingrid"}}),
    )
}

/// How many deliveries are in which state.
fn states(place: &Place) -> BTreeMap<String, usize> {
    let said = beside(
        place,
        "SELECT state || '=' || CAST(COUNT(*) AS TEXT) FROM inbox GROUP BY state ORDER BY state",
    );
    let pairs = said.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(state, count)| (state.to_owned(), count.trim().parse().unwrap()))
        .collect()
}

fn deliver_all(hook: &Hook<'_>, count: usize) {
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            scope.spawn(move || {
                for number in (sender..count).step_by(SENDERS) {
                    let (event, body) = delivery(number);
                    let send = || hook.good(event, &format!("poison-{number}"), &body);
                    // A server with too much to do returns 503, and the sender comes again.
                    let mut status = send();
                    while status == 503 {
                        std::thread::park_timeout(std::time::Duration::from_millis(200));
                        status = send();
                    }
                    assert_eq!(status, 202, "delivery {number}");
                }
            });
        }
    });
}

/// Deliveries that were set aside, as an administrator sees them.
fn parked(server: &Server, hook: &Hook<'_>) -> Vec<Value> {
    let listing = format!(
        "/api/v1/connections/{}/deliveries?state=parked&limit=200",
        hook.path.trim_start_matches("/hooks/")
    );
    let found = server.must("GET", &listing, &server.token("admin"), None);
    found["items"].as_array().unwrap().clone()
}

#[test]
fn one_poisonous_delivery_in_a_hundred_holds_up_nobody() {
    let count = size("ASSENT_TEST_DELIVERIES", 400);
    let poisonous = (0..count).filter(|number| number % ONE_IN == 7).count();
    let place = Place::demo("poison");
    let server = Server::start(&place, true);
    let hook = connect_for(&server, SERVICES);
    deliver_all(&hook, count);
    let began = assent::clock::now();
    // However many wait, they become fewer.
    let waiting = || states(&place).get("waiting").copied().unwrap_or_default();
    while let wait @ 1.. = waiting() {
        eventually("fewer deliveries wait", || waiting() < wait);
    }
    println!(
        "{count} deliveries: the last was done at most {} ms after the last was acknowledged",
        assent::clock::now().duration_since(began).as_millis()
    );
    let found = states(&place);
    assert_eq!(found.get("parked").copied().unwrap_or_default(), poisonous, "{found:?}");
    assert_eq!(found.values().sum::<usize>(), count, "{found:?}");
    let token = server.token("requester");
    let deployed = (0..count).filter(|number| delivery(*number).0 == "deployment").count() - poisonous;
    assert_eq!(drafts(&server, &token), deployed, "each deployment made one change");
    for row in parked(&server, &hook) {
        assert!(row["reason"].as_str().is_some_and(|why| !why.is_empty()), "{row}");
        let path = format!("/api/v1/deliveries/{}/replays", row["id"].as_str().unwrap());
        let (status, answer) = server.ask("POST", &path, Some(&server.token("admin")), Some(&json!({})));
        let told = String::from_utf8_lossy(&answer).into_owned();
        assert!(status == 409 && told.contains("unreadable"), "{status} {told}");
    }
    assert_eq!(
        states(&place),
        found,
        "asking again for what cannot be read changes nothing"
    );
    must_verify(&server);
    server.stop();
    must_replay(&place);
}

/// How many changes the deliveries made.
fn drafts(server: &Server, token: &str) -> usize {
    let (mut count, mut after) = (0, String::new());
    loop {
        let path = format!("/api/v1/changes?state=draft&limit=200{after}");
        let page = server.must("GET", &path, token, None);
        let items = page["items"].as_array().unwrap();
        let of_ours = |row: &&Value| {
            row["title"]
                .as_str()
                .is_some_and(|title| title.starts_with("Deploy ") && title.contains(" at 0000"))
        };
        count += items.iter().filter(of_ours).count();
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return count,
        }
    }
}
