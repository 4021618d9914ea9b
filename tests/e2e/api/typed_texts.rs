//! The log has no text of any writing route in clear: a marker goes into every text of every row of the way of all routes, and
//! no event and no payload has it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Place, Server};

use crate::api::every_route::{WAY, Walk};
use crate::platform::beside::Beside;

/// The marker as it is written, and the part of it that is looked for, also in small letters.
const MARKER: &str = "Zq7marker of ¶ Jane";
const PART: &str = "zq7marker";
/// Members whose text the log shows on purpose.
const SHOWN: &[(&str, &str)] = &[
    (
        "content",
        "the source of a policy, published with the log so that decisions can be judged again",
    ),
    ("parameters", "numbers of a policy set, published for the same reason"),
];
/// The fewest rows that have to succeed, and the fewest texts that have to be taken with the marker.
const FEWEST_ROWS: usize = 100;
const FEWEST_TEXTS: usize = 40;

/// The pointers of the texts in a body, without times, builds and names that are looked up.
fn texts(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.starts_with(['@', '#', '{']) => found.push(at.to_owned()),
        Value::Array(rows) => {
            for (place, row) in rows.iter().enumerate() {
                texts(row, &format!("{at}/{place}"), found);
            }
        }
        Value::Object(map) => {
            for (name, inner) in map
                .iter()
                .filter(|(name, _)| SHOWN.iter().all(|(shown, _)| shown != name))
            {
                texts(
                    inner,
                    &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        _ => {}
    }
}

/// A row's body with the marker in those of its texts that the route takes: each is tried alone, before the next one.
fn marked(body: &Value, refused: &BTreeSet<String>, pointers: &[String]) -> Value {
    let mut body = body.clone();
    for pointer in pointers.iter().filter(|it| !refused.contains(*it)) {
        if let Some(text) = body.pointer_mut(pointer) {
            *text = json!(MARKER);
        }
    }
    body
}

/// The pointers whose value a refusal names as wrong; all of them where it names none.
fn named(answer: &[u8], pointers: &[String], refused: &BTreeSet<String>) -> Vec<String> {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let fields = answer["errors"].as_array().cloned().unwrap_or_default();
    let fields: Vec<String> = fields
        .iter()
        .filter_map(|row| row["field"].as_str())
        .map(|field| format!("/{}", field.replace(['.', '['], "/").replace(']', "")))
        .collect();
    let mut open = pointers.iter().filter(|it| !refused.contains(*it)).cloned();
    let is_named = |pointer: &String| fields.iter().any(|field| pointer.starts_with(field.as_str()));
    let some: Vec<String> = open.clone().filter(is_named).collect();
    // A refusal that names no field of these is about one of them all the same: the last one goes first.
    match some.is_empty() {
        true => open.next_back().into_iter().collect(),
        false => some,
    }
}

/// Whether everything that a row looks up is remembered: a row before it may have failed.
fn is_ready(walk: &Walk<'_>, row: &Value) -> bool {
    let mut names = Vec::new();
    let places = row[3].as_array().into_iter().flatten().filter_map(Value::as_str);
    names.extend(places.map(str::to_owned));
    looked_up(&row[4], &mut names);
    names.iter().filter(|name| !name.starts_with('=')).all(|name| {
        let (what, whose) = name.split_once(' ').unwrap_or(("", name));
        matches!(what, "login" | "password" | "session" | "part") || walk.remembered.contains_key(whose)
    })
}

fn looked_up(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let name = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            names.extend(name.map(str::to_owned));
        }
        Value::Array(rows) => rows.iter().for_each(|row| looked_up(row, names)),
        Value::Object(map) => map.values().for_each(|inner| looked_up(inner, names)),
        _ => {}
    }
}

/// Sends a row, with as many of its texts marked as the route accepts; returns their number, or nothing where the row failed
/// also without any.
fn step(walk: &mut Walk<'_>, number: usize, row: &Value) -> Option<usize> {
    walk.sign_in(row[0].as_str().unwrap());
    if !is_ready(walk, row) {
        return None;
    }
    let path = walk.path(row[2].as_str().unwrap(), &row[3]);
    let mut pointers = Vec::new();
    texts(&row[4], "", &mut pointers);
    let mut refused = BTreeSet::new();
    for attempt in 0..=pointers.len() {
        let body = (!row[4].is_null()).then(|| walk.filled(&marked(&row[4], &refused, &pointers)));
        let (status, answer) = walk.ask(row, &path, body.as_ref(), &format!("typed {number} {attempt}"));
        if (200..300).contains(&status) {
            let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
            for (name, place) in row[5].as_object().unwrap() {
                if let Some(found) = answer.pointer(place.as_str().unwrap()).and_then(Value::as_str) {
                    walk.remembered.insert(name.clone(), found.to_owned());
                }
            }
            return Some(pointers.len() - refused.len());
        }
        let before = refused.len();
        refused.extend(named(&answer, &pointers, &refused));
        if refused.len() == before {
            break;
        }
    }
    None
}

/// All that the log holds, as text: leaves and payloads.
fn log(place: &Place) -> String {
    let mut base = Beside::of(place);
    let hex = match base {
        Beside::Sqlite(_) => "hex(bytes)",
        Beside::Postgres(_) => "encode(bytes, 'hex')",
    };
    let [leaves, payloads] = ["event", "event_payload"].map(|table| format!("SELECT {hex} FROM {table}"));
    let rows = base.ask(&[&leaves, &payloads]);
    let bytes = |line: &str| -> Vec<u8> {
        let digits = line.trim().as_bytes().chunks_exact(2);
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        digits.filter_map(byte).collect()
    };
    let lines: Vec<String> = rows
        .lines()
        .map(|line| String::from_utf8_lossy(&bytes(line)).to_lowercase())
        .collect();
    lines.join("\n")
}

#[test]
fn no_text_that_a_route_takes_stands_in_the_log() {
    let place = Place::demo("typed-texts");
    let mut server = Server::start_saying(&place, crate::platform::plans::LEVELS);
    let now = server.server_time();
    server.hold_clock(now);
    server.wait_for_log();
    let rows: Vec<Value> = serde_json::from_str(WAY).unwrap();
    let mut walk = Walk::begin(&server, now);
    let (mut taken, mut marked) = (0, 0);
    let mut failed = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        match step(&mut walk, number, row) {
            Some(texts) => (taken, marked) = (taken + 1, marked + texts),
            None => failed.push(format!("{} {}", row[1], row[2])),
        }
    }
    assert!(taken >= FEWEST_ROWS, "{taken} of {} rows: {failed:?}", rows.len());
    assert!(marked >= FEWEST_TEXTS, "{marked} texts were taken with the marker");
    outside_texts(&server);
    let log = log(&place);
    assert!(log.contains("change.created"), "the log was read");
    let hits: Vec<&str> = log.lines().filter(|line| line.contains(PART)).collect();
    let kind = |line: &str| {
        line.split("\"kind\":\"")
            .nth(1)
            .and_then(|it| it.split('"').next())
            .map(str::to_owned)
    };
    let kinds: BTreeSet<Option<String>> = hits.iter().map(|line| kind(line)).collect();
    assert!(
        hits.is_empty(),
        "{} events show it: {kinds:?}, as {}",
        hits.len(),
        hits[0]
    );
    assert!(!log.contains("jira:zq7"), "an outside reference stands in the log");
}

/// Texts that no row of the way has: outside references, and a query of the gate about an unknown thing.
fn outside_texts(server: &Server) {
    let requester = server.token("requester");
    let request = tests::journey::request("Outside", &tests::journey::artifact(63_001), server.server_time());
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&request));
    let links = format!("/api/v1/changes/{}/links", made["key"].as_str().unwrap());
    let to = "jira:Zq7marker-of-Jane";
    let made = server.must("POST", &links, &requester, Some(&json!({"kind": "fixes", "to": to})));
    assert_eq!(made["to"], to, "its reader sees it as it was typed");
    let release = json!({"kind": "in_release", "to": "relZq7markerJane"});
    let made = server.must("POST", &links, &requester, Some(&release));
    assert_eq!(made["to"], "relZq7markerJane", "one plain word, as it was typed");
    let pipeline = server.token("pipeline");
    let word = json!({"service": "booking-api", "environment": "production", "commit": "zq7markerjane", "change": "zq7markerjane",
        "member": "zq7markerjane"});
    let check = server.must("POST", "/api/v1/gate-checks", &pipeline, Some(&word));
    assert_eq!(check["commit"], "zq7markerjane", "{check}");
    let nowhere = json!({"service": "zq7markerService", "environment": "zq7marker-place", "commit": "zq7markerjane"});
    let check = server.must("POST", "/api/v1/gate-checks", &pipeline, Some(&nowhere));
    assert_eq!(
        (&check["service"], &check["environment"]),
        (&nowhere["service"], &nowhere["environment"]),
        "{check}"
    );
    let question = json!({"service": MARKER, "environment": MARKER, "commit": "zq7marker ¶", "change": MARKER});
    let (status, answer) = server.ask("POST", "/api/v1/gate-checks", Some(&pipeline), Some(&question));
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    if (200..300).contains(&status) {
        assert_eq!(answer["service"], MARKER, "{answer}");
    }
}
