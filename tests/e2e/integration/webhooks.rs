//! Outgoing webhooks: signed, in order, tried again, given up, sent again, and never to an address inside.

use std::collections::{HashMap, HashSet};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::outside::{Outside, Sent};
use tests::{Place, Server};

const ALLOW: &[&str] = &["--outgoing-allow", "127.0.0.1"];

fn made(server: &Server, url: &str, kinds: &[&str]) -> Value {
    let body = json!({"name": "chat", "url": url, "kinds": kinds});
    server.must("POST", "/api/v1/webhooks", &server.token("admin"), Some(&body))
}

fn draft(server: &Server, title: &str) -> String {
    let body = json!({"title": title, "services": ["edge-dns"], "environment": "production"});
    let made = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&body));
    made["key"].as_str().unwrap().to_owned()
}

fn rename(server: &Server, key: &str, title: &str) {
    let path = format!("/api/v1/changes/{key}");
    let body = json!({"title": title});
    let (status, answer) = server.ask_with(
        "PATCH",
        &path,
        Some(&server.token("requester")),
        Some(&body),
        &[("If-Match", "*")],
    );
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
}

/// The two libraries read a delivery: one its signature, the other the event in it.
fn judge(sent: &Sent, secret: &str) -> Value {
    let python = std::env::var("ASSENT_TEST_PYTHON").expect("run by cargo xtask test, which installs the judges");
    let script = "import json, sys\n\
        from standardwebhooks.webhooks import Webhook, WebhookVerificationError\n\
        from cloudevents.core.bindings.http import HTTPMessage, from_http_event\n\
        from cloudevents.core.formats.json import JSONFormat\n\
        told = json.load(sys.stdin)\n\
        body = told['body'].encode()\n\
        Webhook(told['secret']).verify(body, told['headers'])\n\
        try:\n    Webhook('whsec_' + 'A' * 44).verify(body, told['headers'])\n    sys.exit('a foreign secret verified')\n\
        except WebhookVerificationError:\n    pass\n\
        event = from_http_event(HTTPMessage(headers=told['headers'], body=body), JSONFormat())\n\
        print(json.dumps({'id': event.get_id(), 'type': event.get_type(), 'subject': event.get_subject(), 'source': event.get_source(), 'data': event.get_data(), 'sequence': event.get_extension('sequence')}))\n";
    let mut child = Command::new(python)
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let headers: serde_json::Map<String, Value> = sent.headers.iter().map(|(n, v)| (n.clone(), json!(v))).collect();
    let told = json!({"secret": secret, "headers": headers, "body": String::from_utf8_lossy(&sent.body)});
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), told.to_string().as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// GitHub's own library for receivers verifies the other signature.
fn judge_as_github(sent: &Sent, secret: &str) {
    let modules =
        std::env::var("ASSENT_TEST_NODE_MODULES").expect("run by cargo xtask test, which installs the judges");
    let script = format!(
        "import {{ Webhooks }} from '{modules}/@octokit/webhooks/dist-bundle/index.js';\n\
         const [secret, signature, body] = process.argv.slice(1).map((it) => Buffer.from(it, 'base64').toString());\n\
         const good = await new Webhooks({{ secret }}).verify(body, signature);\n\
         const bad = await new Webhooks({{ secret: secret + 'x' }}).verify(body, signature);\n\
         process.exit(good && !bad ? 0 : 1);"
    );
    let plain = |text: &str| tests::outside::base64(text.as_bytes());
    let done = Command::new("node")
        .args(["--input-type=module", "-e", &script, "--"])
        .args([plain(secret), plain(sent.header("x-hub-signature-256"))])
        .arg(tests::outside::base64(&sent.body))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn strangers_read_what_we_send_and_secrets_are_replaced_without_a_gap() {
    let place = Place::demo("hook_read");
    let server = Server::start_with(&place, true, ALLOW);
    let receiver = Outside::start(|_| (204, Value::Null));
    let hook = made(&server, &format!("{}/in", receiver.url), &["change.*"]);
    let first = hook["secret"].as_str().unwrap().to_owned();
    let key = draft(&server, "Told outside");
    let sent = receiver.wait_for("the draft", |one| one.json()["subject"] == key.as_str());
    assert_eq!(sent.path, "/in");
    assert_eq!(sent.header("content-type"), "application/cloudevents+json");
    let event = judge(&sent, &first);
    judge_as_github(&sent, &first);
    assert_eq!(event["type"], "assent.change.created");
    assert_eq!(event["id"], sent.header("webhook-id"));
    assert_eq!(event["source"], format!("{}/t/halden", server.url));
    assert_eq!(event["subject"], key.as_str());
    assert_eq!(event["data"]["kind"], "change.created");
    let path = format!("/api/v1/webhooks/{}", hook["id"].as_str().unwrap());
    let rotated = server.must(
        "POST",
        &format!("{path}/secret"),
        &server.token("admin"),
        Some(&json!({})),
    );
    let second = rotated["secret"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    let other = draft(&server, "Told again");
    let sent = receiver.wait_for("the second draft", |one| one.json()["subject"] == other.as_str());
    judge(&sent, &first);
    judge(&sent, &second);
    let shown = server.must("GET", &path, &server.token("admin"), None);
    assert!(
        shown.get("secret").is_none() && shown["state"]["failing_since"].is_null(),
        "{shown:#}"
    );
    assert_eq!(server.ask("GET", &path, Some(&server.token("requester")), None).0, 403);
}

#[test]
fn a_receiver_that_is_away_gets_everything_in_order_and_what_was_given_up_is_sent_again() {
    let place = Place::demo("hook_away");
    let mut server = Server::start_with(&place, true, ALLOW);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let status = Arc::new(AtomicU16::new(503));
    let says = status.clone();
    let receiver = Outside::start(move |_| (says.load(Ordering::SeqCst), Value::Null));
    let hook = made(&server, &receiver.url, &["change.*"]);
    let path = format!("/api/v1/webhooks/{}", hook["id"].as_str().unwrap());
    let admin = server.token("admin");
    let key = draft(&server, "One");
    for title in ["Two", "Three", "Four"] {
        rename(&server, &key, title);
    }
    receiver.wait_for("a first try", |_| true);
    eventually("it is known to fail", || {
        server.must("GET", &path, &admin, None)["state"]["failing_since"].is_string()
    });
    status.store(200, Ordering::SeqCst);
    server.advance(301);
    let of_change = |one: &Sent| one.json()["subject"] == key.as_str();
    eventually("all four arrive", || {
        let ids: std::collections::BTreeSet<String> = receiver
            .sent()
            .iter()
            .filter(|one| of_change(one))
            .map(|one| one.header("webhook-id").to_owned())
            .collect();
        ids.len() == 4
    });
    let order: Vec<String> = receiver
        .sent()
        .iter()
        .filter(|one| of_change(one))
        .map(|one| one.json()["sequence"].as_str().unwrap().to_owned())
        .collect();
    assert!(order.is_sorted(), "{order:?}");
    // A refusal of one subject's event holds back that subject alone.
    status.store(422, Ordering::SeqCst);
    let poisoned = draft(&server, "Poisoned");
    receiver.wait_for("the poisoned one", |one| one.json()["subject"] == poisoned.as_str());
    server.advance(8 * 24 * 3_600);
    eventually("it is given up", || {
        let list = server.must("GET", &format!("{path}/deliveries?state=dead"), &admin, None);
        list["items"].as_array().is_some_and(|rows| rows.len() == 1)
    });
    status.store(200, Ordering::SeqCst);
    let done = server.must("POST", &format!("{path}/replays"), &admin, Some(&json!({})));
    assert_eq!(done["deliveries"], 1);
    eventually("it is taken after all", || {
        let list = server.must("GET", &format!("{path}/deliveries?state=dead"), &admin, None);
        list["items"].as_array().is_some_and(Vec::is_empty)
    });
    let taken = || -> Vec<String> {
        receiver
            .sent()
            .iter()
            .filter(|one| one.json()["subject"] == poisoned.as_str())
            .map(|one| one.header("webhook-id").to_owned())
            .collect()
    };
    // Leaving the list of the dead only marks it as due; the courier sends it afterwards.
    eventually("it is sent once more", || taken().len() >= 2);
    let ids = taken();
    assert!(ids.iter().all(|id| id == &ids[0]), "{ids:?}");
}

/// The messages of a receiver: of each change the places in the log of its events, in the order in which they came. A repeated
/// message is listed once.
#[derive(Default)]
struct Taken {
    ids: HashSet<String>,
    places: HashMap<String, Vec<u64>>,
}

impl Taken {
    fn take(&mut self, sent: &Sent) {
        let event = sent.json();
        if self.ids.insert(sent.header("webhook-id").to_owned()) {
            let subject = event["subject"].as_str().unwrap_or_default().to_owned();
            let place = event["sequence"].as_str().unwrap().parse().unwrap();
            self.places.entry(subject).or_default().push(place);
        }
    }

    /// How many events of these changes; the demo's own changes go on as well while days pass.
    fn count(&self, keys: &[Vec<String>]) -> usize {
        let places = |key| self.places.get(key).map_or(0, Vec::len);
        keys.iter().flatten().map(places).sum()
    }
}

/// Events of each change, on as many days.
const DAYS: usize = 6;
/// Other writers at the same time.
const WRITERS: usize = 8;

/// A receiver that accepts while it returns 200.
fn receiver(status: &Arc<AtomicU16>) -> (Outside, Arc<Mutex<Taken>>) {
    let taken = Arc::<Mutex<Taken>>::default();
    let (says, keeps) = (status.clone(), taken.clone());
    let outside = Outside::start_forgetful(move |sent| {
        let says = says.load(Ordering::SeqCst);
        if says == 200 {
            keeps.lock().unwrap().take(sent);
        }
        (says, Value::Null)
    });
    (outside, taken)
}

/// Waits until a receiver has so many; patient as long as more arrive.
fn wait_for_all(what: &str, taken: &Mutex<Taken>, keys: &[Vec<String>], wanted: usize) {
    let (mut before, mut still) = (0, 0);
    while still < 1_200 {
        let now = taken.lock().unwrap().count(keys);
        if now >= wanted {
            return;
        }
        still = if now == before { still + 1 } else { 0 };
        before = now;
        std::thread::park_timeout(Duration::from_millis(50));
    }
    panic!("{what}: {before} of {wanted} arrived, and no more for a minute");
}

/// One event of each change, by several writers at once; the first makes them.
fn one_day(server: &Server, day: usize, keys: &mut [Vec<String>], each: usize) {
    std::thread::scope(|scope| {
        for keys in keys {
            scope.spawn(move || {
                for number in 0..each {
                    match keys.get(number) {
                        Some(key) => rename(server, key, &format!("Day {day}")),
                        None => keys.push(draft(server, "Day 0")),
                    }
                }
            });
        }
    });
}

#[test]
fn a_receiver_that_is_away_for_a_week_loses_no_event_and_holds_up_no_other() {
    let count = tests::faults::size("ASSENT_TEST_EVENTS", 48);
    let place = Place::demo("hook_week");
    let mut server = Server::start_with(&place, true, ALLOW);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let status = Arc::new(AtomicU16::new(503));
    let (away, late) = receiver(&status);
    let (there, soon) = receiver(&Arc::new(AtomicU16::new(200)));
    let hook = made(&server, &away.url, &["change.*"]);
    made(&server, &there.url, &["change.*"]);
    let each = count.div_ceil(DAYS * WRITERS);
    let mut keys = vec![Vec::new(); WRITERS];
    for day in 0..DAYS {
        one_day(&server, day, &mut keys, each);
        server.advance(24 * 3_600);
    }
    let told = DAYS * WRITERS * each;
    wait_for_all("the other receiver", &soon, &keys, told);
    assert!(late.lock().unwrap().ids.is_empty(), "it took nothing");
    status.store(200, Ordering::SeqCst);
    // Five minutes after it is back it is tried again, if not before.
    server.advance(301);
    wait_for_all("the one that was away", &late, &keys, told);
    let (late, soon) = (late.lock().unwrap(), soon.lock().unwrap());
    for key in keys.iter().flatten() {
        let order = &late.places[key];
        assert!(order.len() == DAYS && order.is_sorted(), "{key}: {order:?}");
        assert_eq!(order, &soon.places[key], "{key}");
    }
    let path = format!(
        "/api/v1/webhooks/{}/deliveries?state=dead",
        hook["id"].as_str().unwrap()
    );
    let dead = server.must("GET", &path, &server.token("admin"), None);
    assert_eq!(dead["items"], json!([]), "nothing was given up");
    println!("{told} events, of which none was lost");
}

/// No other address that the server would call is set inside of its network either.
fn are_refused_inside(server: &Server, inside: &str) {
    for (role, route, body) in [
        (
            "admin",
            "probes",
            json!({"key": "in", "title": "In", "url": inside, "pointer": "/age", "reads": "age_hours", "owner": "security"}),
        ),
        (
            "admin",
            "objectives",
            json!({"key": "in", "title": "In", "service": "label-print", "url": inside, "expression": "vector(1)",
                "bound_is": "at_most", "bound": "2"}),
        ),
        (
            "admin",
            "foreign-systems",
            json!({"name": "In", "kind": "servicenow", "url": inside, "environment": "production"}),
        ),
        (
            "admin",
            "connections",
            json!({"kind": "github", "name": "In", "map": [], "api": {"base": inside, "token": "ghs_sixteen_letters"}}),
        ),
        (
            "change_manager",
            "outside-calendars",
            json!({"name": "In", "services": ["label-print"], "url": inside}),
        ),
    ] {
        let path = format!("/api/v1/{route}");
        let (status, answer) = server.ask("POST", &path, Some(&server.token(role)), Some(&body));
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let code = &answer["errors"][0]["code"];
        assert_eq!((status, code), (422, &json!("inner_address")), "{route}: {answer:#}");
    }
}

#[test]
fn nothing_leaves_for_an_address_inside_that_nobody_allowed() {
    let place = Place::demo("hook_inside");
    let receiver = Outside::start(|_| (200, Value::Null));
    let port = receiver.url.rsplit(':').next().unwrap().to_owned();
    let urls = [
        receiver.url.clone(),
        format!("https://localhost:{port}/"),
        format!("https://[::ffff:7f00:1]:{port}/"),
    ];
    // Set while the operator allowed it, and allowed no more.
    let server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.0/8"]);
    let path = |url: &String| {
        let hook = made(&server, url, &["change.created"]);
        format!("/api/v1/webhooks/{}", hook["id"].as_str().unwrap())
    };
    let paths: Vec<String> = urls.iter().map(path).collect();
    assert!(server.stop().success());
    let server = Server::start(&place, false);
    let admin = server.token("admin");
    draft(&server, "Secret news");
    for path in paths {
        eventually("it is refused", || {
            let state = server.must("GET", &path, &admin, None)["state"].clone();
            let why = state["last_error"].as_str().unwrap_or_default().to_owned();
            why.contains("lies inside") || why.contains("plain http")
        });
    }
    for url in urls {
        let inside = json!({"name": "x", "url": url});
        let (status, answer) = server.ask("POST", "/api/v1/webhooks", Some(&admin), Some(&inside));
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(
            (status, &answer["errors"][0]["code"]),
            (422, &json!("inner_address")),
            "{answer:#}"
        );
    }
    are_refused_inside(&server, &receiver.url);
    assert!(receiver.sent().is_empty());
    let bad = json!({"name": "x", "url": "https://me:pw@example.org", "kinds": ["Change"], "secret": "mine"});
    let (status, answer) = server.ask("POST", "/api/v1/webhooks", Some(&admin), Some(&bad));
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(status, 422, "{answer:#}");
    let fields: Vec<&str> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["url", "kinds", "secret"]);
}

/// The rows of a decision card, in its order.
const QUESTIONS: [&str; 9] = [
    "What",
    "Where",
    "When",
    "Risk",
    "Before you decide",
    "Why it is safe",
    "Who decides",
    "If it fails",
    "Still missing",
];

/// The first lines of the sections with content; a missing decision is shown with its person or role.
fn questions_in_slack(card: &Value) -> Vec<String> {
    let blocks = &card["blocks"].as_array().unwrap()[3..];
    let answers: Vec<&str> = blocks.iter().filter_map(|it| it["text"]["text"].as_str()).collect();
    assert!(answers[8].contains("Decision of"), "{card}");
    let questions = answers.iter().filter_map(|text| text.lines().next());
    questions.map(str::to_owned).collect()
}

/// The text in bold below the headline.
fn questions_in_teams(content: &Value) -> Vec<String> {
    let rows = content["body"].as_array().unwrap().iter();
    let bold = rows
        .map(|row| &row["inlines"][0])
        .filter(|run| run["weight"] == "Bolder");
    let texts = bold.skip(1).filter_map(|run| run["text"].as_str());
    texts.map(str::to_owned).collect()
}

/// A chat gets a card with one link, of its own services alone; its address is a secret.
#[test]
fn a_chat_is_told_by_a_card_and_its_address_is_never_shown() {
    let place = Place::demo("hook_chat");
    let server = Server::start_with(&place, true, ALLOW);
    let receiver = Outside::start(|_| (200, Value::Null));
    let admin = server.token("admin");
    let address = format!("{}/services/T000/B000/nobody-may-see-this", receiver.url);
    let mut cards = Vec::new();
    for format in ["slack", "teams"] {
        let body = json!({"name": format, "url": format!("{address}/{format}"), "format": format, "services": [tests::journey::SERVICE]});
        let made = server.must("POST", "/api/v1/webhooks", &admin, Some(&body));
        assert_eq!(made["secret"], Value::Null, "{made}");
        cards.push(made);
    }
    let odd = json!({"name": "odd", "url": address, "format": "irc"});
    assert_eq!(server.ask("POST", "/api/v1/webhooks", Some(&admin), Some(&odd)).0, 422);
    let now = server.server_time();
    let digest = tests::journey::artifact(8_801);
    let path = tests::journey::waiting_for_approval(
        &server,
        &tests::journey::request("<!channel> Ship it", &digest, now),
        &digest,
    );
    let key = path.rsplit('/').next().unwrap().to_owned();
    let link = format!("{}/t/halden/changes/{key}", server.url);
    let is_card = |one: &Sent, format: &str| one.path.ends_with(format) && one.json().to_string().contains(&link);
    let slack = receiver.wait_for("the card for Slack", |one| is_card(one, "/slack"));
    let told = slack.json();
    assert_eq!(
        told["blocks"][0]["text"]["text"],
        format!("{key} asks for a decision"),
        "{told}"
    );
    assert_eq!(
        told["blocks"][1]["text"],
        json!({"type": "plain_text", "text": "<!channel> Ship it", "emoji": false})
    );
    assert!(told.to_string().contains(&format!("<{link}|Open it>")), "{told}");
    assert_eq!(questions_in_slack(&told), QUESTIONS, "{told}");
    assert_eq!(slack.header("webhook-signature"), "");
    let teams = receiver.wait_for("the card for Teams", |one| is_card(one, "/teams"));
    let content = teams.json()["attachments"][0]["content"].clone();
    assert_eq!(
        content["actions"],
        json!([{"type": "Action.OpenUrl", "title": "Open it", "url": link}]),
        "{content}"
    );
    assert_eq!(questions_in_teams(&content), QUESTIONS, "{content}");
    for made in &cards {
        let id = made["id"].as_str().unwrap();
        for path in ["", "/deliveries?state=delivered"] {
            let shown = server
                .must("GET", &format!("/api/v1/webhooks/{id}{path}"), &admin, None)
                .to_string();
            assert!(!shown.contains("nobody-may-see-this"), "{shown}");
        }
        let path = format!("/api/v1/webhooks/{id}/secret");
        assert_eq!(server.ask("POST", &path, Some(&admin), Some(&json!({}))).0, 409);
    }
    let list = server.must("GET", "/api/v1/webhooks", &admin, None).to_string();
    assert!(list.contains("/…") && !list.contains("nobody-may-see-this"), "{list}");
}

#[test]
fn a_stop_waits_for_the_call_under_way_alone_and_nothing_is_lost() {
    const DRAFTS: usize = 20;
    let place = Place::demo("hook_stop");
    let server = Server::start_with(&place, true, ALLOW);
    let (begun, is_slow) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(true)));
    let (noted, slow) = (begun.clone(), is_slow.clone());
    let receiver = Outside::start_forgetful(move |sent| {
        noted.lock().unwrap().push(sent.json()["subject"].clone());
        if slow.load(Ordering::SeqCst) {
            std::thread::park_timeout(Duration::from_secs(3));
        }
        (204, Value::Null)
    });
    made(&server, &receiver.url, &["change.created"]);
    let keys: Vec<String> = (0..DRAFTS)
        .map(|number| draft(&server, &format!("Draft {number}")))
        .collect();
    eventually("a delivery is under way", || !begun.lock().unwrap().is_empty());
    let before = begun.lock().unwrap().len();
    assert!(server.stop().success());
    let after = begun.lock().unwrap().len();
    assert!(after <= before + 1, "{} were begun after the stop", after - before);
    assert!(after < DRAFTS, "some are left");
    is_slow.store(false, Ordering::SeqCst);
    let _server = Server::start_with(&place, true, ALLOW);
    eventually("all have come", || {
        let come = begun.lock().unwrap();
        keys.iter().all(|key| come.contains(&json!(key)))
    });
}
