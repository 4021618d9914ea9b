//! Pages of a sender of PagerDuty's Events API: the meaning of their keys over time.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::{Place, Server};

struct Sender<'a> {
    server: &'a Server,
    hook: Value,
}

impl<'a> Sender<'a> {
    fn connect(server: &'a Server, name: &str) -> Self {
        let request = json!({
            "kind": "pagerduty", "name": name,
            "map": [{"repository": "printer", "service": "label-print", "environments": {}}],
        });
        let hook = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
        Self { server, hook }
    }

    fn page(&self, action: &str, title: &str, key: Option<&str>) -> String {
        let mut body = json!({
            "routing_key": self.hook["secret"], "event_action": action,
            "payload": {"summary": title, "source": "monitor-3", "severity": "critical", "component": "printer"},
        });
        if let Some(key) = key {
            body["dedup_key"] = json!(key);
        }
        let (code, answer) = self
            .server
            .ask("POST", self.hook["hook_path"].as_str().unwrap(), None, Some(&body));
        assert_eq!(code, 202);
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        answer["dedup_key"].as_str().unwrap().to_owned()
    }

    fn settled(&self, count: usize) {
        let path = format!(
            "/api/v1/connections/{}/deliveries?state=done&limit=100",
            self.hook["id"].as_str().unwrap()
        );
        eventually("the deliveries are read", || {
            let found = self.server.must("GET", &path, &self.server.token("admin"), None);
            found["items"].as_array().unwrap().len() == count
        });
    }

    /// Whether each incident with this title is open, in the order of their keys.
    fn open(&self, title: &str) -> Vec<bool> {
        let found = self.server.must(
            "GET",
            "/api/v1/incidents?limit=200",
            &self.server.token("commander"),
            None,
        );
        let mut rows: Vec<&Value> = found["items"].as_array().unwrap().iter().collect();
        rows.retain(|row| row["title"] == title);
        rows.sort_by_key(|row| row["key"].as_str().unwrap().to_owned());
        rows.iter().map(|row| row["resolved_at"].is_null()).collect()
    }
}

#[test]
fn a_key_names_what_is_open_and_returns_for_the_next_outage() {
    let place = Place::demo("pages");
    let server = Server::start(&place, true);
    let sender = Sender::connect(&server, "Pages");
    // The very same bodies: a second outage reads like the first.
    for (count, (action, open)) in [
        ("trigger", vec![true]),
        ("trigger", vec![true]),
        ("resolve", vec![false]),
        ("resolve", vec![false]),
        ("trigger", vec![false, true]),
        ("resolve", vec![false, false]),
    ]
    .into_iter()
    .enumerate()
    {
        sender.page(action, "Out of paper", Some("printer/paper"));
        sender.settled(count + 1);
        assert_eq!(sender.open("Out of paper"), open, "{action} {count}");
    }
    // Another connection's key of the same name is another matter.
    let other = Sender::connect(&server, "Other pages");
    sender.page("trigger", "Out of ink", Some("ink"));
    sender.settled(7);
    other.page("trigger", "Out of ink", Some("ink"));
    other.settled(1);
    assert_eq!(sender.open("Out of ink"), [true, true]);
    other.page("resolve", "Out of ink", Some("ink"));
    other.settled(2);
    assert_eq!(sender.open("Out of ink"), [true, false]);
}

#[test]
fn pages_without_a_key_stay_apart_and_the_key_of_the_answer_resolves_its_own() {
    let place = Place::demo("keyless");
    let server = Server::start(&place, true);
    let sender = Sender::connect(&server, "Pages");
    let keys = [
        sender.page("trigger", "Out of paper", None),
        sender.page("trigger", "Out of paper", Some("")),
    ];
    sender.settled(2);
    assert_ne!(keys[0], keys[1]);
    assert_eq!(sender.open("Out of paper"), [true, true]);
    sender.page("resolve", "Out of paper", Some(&keys[0]));
    sender.settled(3);
    assert_eq!(
        sender.open("Out of paper").iter().filter(|is_open| **is_open).count(),
        1
    );
    sender.page("resolve", "Out of paper", Some(&keys[1]));
    sender.settled(4);
    assert_eq!(sender.open("Out of paper"), [false, false]);
}
