//! Sinks of the log: each format over its transport, nothing lost and every repeat and gap named, whatever a receiver does.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tests::faults::{eventually, size};
use tests::outside::{Outside, Sent};
use tests::{Place, Server, free_port};

const ALLOW: &[&str] = &["--outgoing-allow", "127.0.0.1"];

fn made(server: &Server, body: &Value) -> String {
    let made = server.must("POST", "/api/v1/sinks", &server.token("admin"), Some(body));
    made["id"].as_str().unwrap().to_owned()
}

fn state(server: &Server, id: &str) -> Value {
    server.must("GET", &format!("/api/v1/sinks/{id}"), &server.token("admin"), None)["state"].clone()
}

/// A change with so many edits; returns its key.
fn edited(server: &Server, edits: usize) -> String {
    let requester = server.token("requester");
    let body = json!({"title": "Sunk", "services": ["edge-dns"], "environment": "production"});
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&body));
    let key = made["key"].as_str().unwrap().to_owned();
    for number in 0..edits {
        let (path, body) = (
            format!("/api/v1/changes/{key}"),
            json!({"title": format!("Sunk {number}")}),
        );
        let (status, answer) = server.ask_with("PATCH", &path, Some(&requester), Some(&body), &[("If-Match", "*")]);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    }
    key
}

/// Entries as a receiver keeps them: by index, each with the index before it and the key of its change. A repeated entry must
/// be the same.
type Kept = BTreeMap<i64, (Option<i64>, Option<String>)>;

fn keep(kept: &mut Kept, event: &Value) {
    let index = event["index"].as_i64().unwrap();
    let row = (
        event["previous"].as_i64(),
        event["subject"]["key"].as_str().map(str::to_owned),
    );
    if let Some(before) = kept.insert(index, row.clone()) {
        assert_eq!(before.1, row.1, "entry {index} changed");
    }
}

/// Fails where an entry names another one before it than was kept: that is a gap. The demo's own changes go on, so only the
/// order is compared, and the number of entries of a change of this test.
fn must_have_no_gap(kept: &Kept) {
    let indexes: Vec<i64> = kept.keys().copied().collect();
    for pair in indexes.windows(2) {
        assert_eq!(kept[&pair[1]].0, Some(pair[0]), "before entry {}", pair[1]);
    }
}

fn count(kept: &Kept, key: &str) -> usize {
    kept.values().filter(|(_, of)| of.as_deref() == Some(key)).count()
}

/// Events of a body as Splunk's collector takes it: one JSON a line.
fn of_hec(sent: &Sent) -> Vec<Value> {
    let text = String::from_utf8(sent.body.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].clone())
        .collect()
}

#[test]
fn a_collector_that_is_away_busy_or_answers_in_part_loses_nothing_and_repeats_are_named() {
    let place = Place::demo("sink_away");
    let mut server = Server::start_with(&place, true, ALLOW);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let status = Arc::new(AtomicU16::new(503));
    let kept = Arc::<Mutex<Kept>>::default();
    let (says, keeps) = (status.clone(), kept.clone());
    let receiver = Outside::start(move |sent| {
        let says = says.load(Ordering::SeqCst);
        if says == 200 {
            of_hec(sent)
                .iter()
                .for_each(|event| keep(&mut keeps.lock().unwrap(), event));
        }
        // 299 means a response with status 200 that refuses all the same.
        match says {
            299 => (200, json!({"text": "Server is busy", "code": 9})),
            says => (says, json!({"text": "Success", "code": 0})),
        }
    });
    let url = format!("{}/services/collector/event", receiver.url);
    let body =
        json!({"name": "splunk", "url": url, "format": "hec", "kinds": ["change.*"], "credential": "s3cret-of-hec"});
    let id = made(&server, &body);
    let key = edited(&server, 3);
    let sent = receiver.wait_for("a first try", |_| true);
    assert_eq!(sent.header("authorization"), "Splunk s3cret-of-hec");
    for bad in [503, 429, 299] {
        status.store(bad, Ordering::SeqCst);
        let before = receiver.sent().len();
        server.advance(301);
        eventually("it is tried again", || receiver.sent().len() > before);
        eventually("it is known to fail", || {
            state(&server, &id)["failing_since"].is_string()
        });
    }
    assert!(kept.lock().unwrap().is_empty(), "nothing was taken");
    status.store(200, Ordering::SeqCst);
    server.advance(301);
    eventually("all four arrive", || count(&kept.lock().unwrap(), &key) == 4);
    must_have_no_gap(&kept.lock().unwrap());
    eventually("it is well", || state(&server, &id)["failing_since"].is_null());
    // Moved back, the same entries come again, under the same indexes.
    let first = *kept.lock().unwrap().keys().next().unwrap();
    let before = receiver.sent().len();
    let path = format!("/api/v1/sinks/{id}/position");
    server.must("POST", &path, &server.token("admin"), Some(&json!({"index": first})));
    eventually("they come again", || receiver.sent().len() > before);
    eventually("it is through", || state(&server, &id)["behind"] == 0);
    assert_eq!(count(&kept.lock().unwrap(), &key), 4);
    let shown = server.must("GET", &format!("/api/v1/sinks/{id}"), &server.token("admin"), None);
    assert!(
        !shown.to_string().contains("s3cret-of-hec") && shown["has_credential"] == true,
        "{shown}"
    );
    assert_eq!(
        server
            .ask(
                "GET",
                &format!("/api/v1/sinks/{id}"),
                Some(&server.token("requester")),
                None
            )
            .0,
        403
    );
}

/// Messages of a stream, each framed by its length.
fn messages(mut bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(blank) = bytes.iter().position(|byte| *byte == b' ') {
        let Ok(length) = std::str::from_utf8(&bytes[..blank])
            .unwrap_or_default()
            .parse::<usize>()
        else {
            break;
        };
        let Some(message) = bytes.get(blank + 1..blank + 1 + length) else {
            break;
        };
        found.push(String::from_utf8(message.to_vec()).unwrap());
        bytes = &bytes[blank + 1 + length..];
    }
    found
}

/// A parameter of a message's structured data.
fn parameter(message: &str, name: &str) -> Option<String> {
    let (_, rest) = message.split_once(&format!(" {name}=\""))?;
    rest.split('"').next().map(str::to_owned)
}

fn keep_message(kept: &mut Kept, message: &str) {
    let number = |name: &str| parameter(message, name).map(|text| text.parse::<i64>().unwrap());
    kept.insert(
        number("index").unwrap(),
        (number("previous"), parameter(message, "key")),
    );
}

#[test]
fn a_syslog_server_that_is_killed_in_the_middle_gets_what_it_did_not_read_once_more() {
    let place = Place::demo("sink_syslog");
    let mut server = Server::start_with(&place, true, ALLOW);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let body = json!({"name": "rsyslog", "url": format!("tcp://127.0.0.1:{port}"), "format": "rfc5424", "kinds": ["change.*"]});
    let id = made(&server, &body);
    let key = edited(&server, 20);
    // It reads a little and dies with the rest unread: the connection is reset.
    let mut hasty = listener.accept().unwrap().0;
    hasty.read_exact(&mut [0; 40]).unwrap();
    drop(hasty);
    drop(listener);
    eventually("it is known to fail", || {
        state(&server, &id)["failing_since"].is_string()
    });
    edited(&server, 2);
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let kept = Arc::<Mutex<Kept>>::default();
    let keeps = kept.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut bytes = Vec::new();
            if stream.unwrap().read_to_end(&mut bytes).is_ok() {
                messages(&bytes)
                    .iter()
                    .for_each(|message| keep_message(&mut keeps.lock().unwrap(), message));
            }
        }
    });
    server.advance(301);
    eventually("all arrive", || count(&kept.lock().unwrap(), &key) == 21);
    must_have_no_gap(&kept.lock().unwrap());
    eventually("it is well", || state(&server, &id)["failing_since"].is_null());
}

/// Each format over each transport on which a receiver can be away.
const AWAY: [(&str, &str); 9] = [
    ("rfc5424", "tcp"),
    ("cef", "tcp"),
    ("ocsf", "tcp"),
    ("rfc5424", "http"),
    ("cef", "http"),
    ("ocsf", "http"),
    ("hec", "http"),
    ("otlp", "http"),
    ("kafka", "http"),
];
/// How many events of one change are written before the next change.
const EVENTS_OF_CHANGE: usize = 25;

/// The value of a field of CEF's extension; the values that are looked for have no blank.
fn extension(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!(" {name}="))?;
    rest.split(' ').next().map(str::to_owned)
}

/// A message of syslog or a line of CEF in the form of [`keep`].
fn of_message(format: &str, message: &str) -> Value {
    let of = |ours: &str, of_cef: &str| match format {
        "cef" => extension(message, of_cef),
        _ => parameter(message, ours),
    };
    let number = |ours: &str, of_cef: &str| of(ours, of_cef).map(|text| text.parse::<i64>().unwrap());
    json!({
        "index": number("index", "cn1"),
        "previous": number("previous", "cn2"),
        "subject": {"key": of("key", "cs4")},
    })
}

/// A log record of OpenTelemetry in the form of [`keep`].
fn of_record(record: &Value) -> Value {
    let value = |name: &str| {
        let mut all = record["attributes"].as_array().unwrap().iter();
        all.find(|it| it["key"] == name).map(|it| it["value"].clone())
    };
    let number = |name: &str| value(name).map(|it| it["intValue"].as_str().unwrap().parse::<i64>().unwrap());
    json!({
        "index": number("assent.index"),
        "previous": number("assent.previous"),
        "subject": {"key": value("assent.key").map(|it| it["stringValue"].clone())},
    })
}

/// The entries of a parcel in the form of [`keep`], as its receiver reads them.
fn entries_of((format, way): (&str, &str), bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let each =
        |list: &Value, entry: fn(&Value) -> Value| list.as_array().unwrap().iter().map(entry).collect::<Vec<Value>>();
    match (format, way) {
        ("hec", _) => text.lines().map(|line| read(line)["event"].clone()).collect(),
        ("kafka", _) => each(&read(text)["records"], |it| it["value"].clone()),
        ("ocsf", "tcp") => text.lines().map(|line| read(line)["unmapped"].clone()).collect(),
        ("ocsf", _) => each(&read(text), |it| it["unmapped"].clone()),
        ("otlp", _) => each(&read(text)["resourceLogs"][0]["scopeLogs"][0]["logRecords"], of_record),
        (_, "tcp") => messages(bytes).iter().map(|it| of_message(format, it)).collect(),
        _ => text.lines().map(|line| of_message(format, line)).collect(),
    }
}

fn take(kept: &Mutex<Kept>, kind: (&str, &str), bytes: &[u8]) {
    let mut kept = kept.lock().unwrap();
    for entry in entries_of(kind, bytes) {
        keep(&mut kept, &entry);
    }
}

/// Listens on a port from now on and takes each connection to its end.
fn listen(port: u16, kind: (&'static str, &'static str), kept: Arc<Mutex<Kept>>) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut bytes = Vec::new();
            if stream.unwrap().read_to_end(&mut bytes).is_ok() {
                take(&kept, kind, &bytes);
            }
        }
    });
}

/// Writes so many events of changes; returns the keys of the changes.
fn written(server: &Server, count: usize) -> BTreeSet<String> {
    let (mut keys, mut left) = (BTreeSet::new(), count);
    while left > 0 {
        let events = left.min(EVENTS_OF_CHANGE);
        keys.insert(edited(server, events - 1));
        left -= events;
    }
    keys
}

/// How many entries of some changes were kept.
fn count_of(kept: &Mutex<Kept>, keys: &BTreeSet<String>) -> usize {
    let kept = kept.lock().unwrap();
    let is_of = |(_, key): &&(Option<i64>, Option<String>)| key.as_ref().is_some_and(|key| keys.contains(key));
    kept.values().filter(is_of).count()
}

#[test]
fn each_format_loses_nothing_while_its_receiver_is_away_for_ten_minutes() {
    let place = Place::demo("sinks_ten_minutes");
    let mut server = Server::start_with(&place, true, ALLOW);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let is_back = Arc::new(AtomicBool::new(false));
    let (mut receivers, mut ports, mut sinks, mut all) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for kind in AWAY {
        let kept = Arc::<Mutex<Kept>>::default();
        let url = if kind.1 == "tcp" {
            let port = free_port();
            ports.push((port, kind, kept.clone()));
            format!("tcp://127.0.0.1:{port}")
        } else {
            let (is_back, keeps) = (is_back.clone(), kept.clone());
            let receiver = Outside::start_forgetful(move |sent| {
                if !is_back.load(Ordering::SeqCst) {
                    return (503, Value::Null);
                }
                take(&keeps, kind, &sent.body);
                (200, json!({}))
            });
            let url = format!("{}/in", receiver.url);
            receivers.push(receiver);
            url
        };
        let (format, way) = kind;
        let body = json!({"name": format!("{format}-{way}"), "url": url, "format": format, "kinds": ["change.*"]});
        sinks.push(made(&server, &body));
        all.push(kept);
    }
    let wanted = size("ASSENT_TEST_SUNK", 100);
    let mut keys = written(&server, wanted / 2);
    for sink in &sinks {
        eventually("it is known to fail", || {
            state(&server, sink)["failing_since"].is_string()
        });
    }
    server.advance(301);
    keys.extend(written(&server, wanted - wanted / 2));
    server.advance(301);
    assert!(all.iter().all(|kept| kept.lock().unwrap().is_empty()), "all are away");
    is_back.store(true, Ordering::SeqCst);
    for (port, kind, kept) in ports {
        listen(port, kind, kept);
    }
    server.advance(301);
    let seen = || all.iter().map(|kept| count_of(kept, &keys)).sum::<usize>();
    let mut before = seen();
    while before < AWAY.len() * wanted {
        eventually("more of them arrive", || seen() > before);
        before = seen();
    }
    for ((kind, kept), sink) in AWAY.iter().zip(&all).zip(&sinks) {
        assert_eq!(count_of(kept, &keys), wanted, "{kind:?}");
        must_have_no_gap(&kept.lock().unwrap());
        eventually("it is well", || state(&server, sink)["failing_since"].is_null());
    }
    assert!(server.stop().success());
}

#[test]
fn a_file_holds_each_entry_on_a_line_and_free_texts_only_where_that_was_chosen() {
    let place = Place::demo("sink_file");
    let server = Server::start_with(&place, true, ALLOW);
    for (name, with_texts) in [("plain", false), ("worded", true)] {
        let body =
            json!({"name": name, "url": format!("file:{name}.jsonl"), "format": "ocsf", "with_texts": with_texts});
        made(&server, &body);
    }
    let key = edited(&server, 1);
    let lines = |name: &str| -> Vec<Value> {
        let path = place.folder.path().join(format!("sinks/halden/{name}.jsonl"));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    };
    let of_change = |name: &str| -> Vec<Value> {
        lines(name)
            .into_iter()
            .filter(|line| line["unmapped"]["subject"]["key"] == key.as_str())
            .collect()
    };
    eventually("both files have both entries", || {
        of_change("plain").len() == 2 && of_change("worded").len() == 2
    });
    let (plain, worded) = (of_change("plain"), of_change("worded"));
    assert_eq!(
        worded[0]["unmapped"]["texts"]["change.title"], "Sunk",
        "{:#}",
        worded[0]
    );
    assert!(
        !plain.iter().any(|line| line.to_string().contains("Sunk")),
        "{plain:#?}"
    );
    assert_eq!(
        (&plain[0]["class_uid"], &plain[0]["metadata"]["version"]),
        (&json!(6003), &json!("1.8.0"))
    );
    let metrics = String::from_utf8(server.ask("GET", "/metrics", None, None).1).unwrap();
    assert!(metrics.contains("assent_sinks{state=\"active\"} 2"), "{metrics}");
    assert!(metrics.contains("assent_sink_lag_entries "), "{metrics}");
}

#[test]
fn a_sink_that_cannot_be_is_refused_in_words() {
    let place = Place::demo("sink_refused");
    let server = Server::start(&place, true);
    let admin = server.token("admin");
    for (url, format, code) in [
        ("udp://siem.example:514", "rfc5424", "not_an_address"),
        ("tls://siem.example", "rfc5424", "not_an_address"),
        ("https://me:pw@siem.example/in", "hec", "not_an_address"),
        ("file:../assent.db", "ocsf", "not_an_address"),
        ("tcp://127.0.0.1:514", "cef", "inner_address"),
        ("https://10.1.2.3/in", "otlp", "inner_address"),
        ("tls://siem.example:6514", "kafka", "not_here"),
        ("https://siem.example/in", "leef", "unknown_word"),
    ] {
        let body = json!({"name": "x", "url": url, "format": format});
        let (status, answer) = server.ask("POST", "/api/v1/sinks", Some(&admin), Some(&body));
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(
            (status, &answer["errors"][0]["code"]),
            (422, &json!(code)),
            "{url}: {answer:#}"
        );
    }
    let file = json!({"name": "one", "url": "file:a.log", "format": "rfc5424"});
    let id = made(&server, &file);
    assert_eq!(
        server.ask("POST", "/api/v1/sinks", Some(&admin), Some(&file)).0,
        422,
        "one file, one sink"
    );
    let beyond = json!({"index": 1_000_000_000});
    let path = format!("/api/v1/sinks/{id}/position");
    assert_eq!(server.ask("POST", &path, Some(&admin), Some(&beyond)).0, 422);
    let keyed = json!({"name": "x", "url": "https://siem.example/in", "format": "ocsf", "credential": "a"});
    let keyed = made(&server, &keyed);
    let moved = json!({"url": "https://other.example/in"});
    let path = format!("/api/v1/sinks/{keyed}");
    let (status, answer) = server.ask_with("PATCH", &path, Some(&admin), Some(&moved), &[("If-Match", "*")]);
    assert_eq!(
        status,
        422,
        "a credential does not follow to another address: {}",
        String::from_utf8_lossy(&answer)
    );
}
