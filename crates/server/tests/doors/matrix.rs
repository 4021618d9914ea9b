//! The access matrix is true: at every route of the API, people of each role are let in or turned away as it says.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::world::World;

/// The reviewed file. It is read when the test runs: the test that writes it anew comes before in the same run.
fn matrix() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations/access-matrix.txt");
    TEXT.get_or_init(|| std::fs::read_to_string(path).unwrap())
}

/// People of the world, each with just one role: those whose rights differ most.
const PEOPLE: &[(&str, &str)] = &[
    ("rita", "requester"),
    ("mona", "change_manager"),
    ("aino", "auditor"),
    ("adam", "admin"),
    ("pipe", "pipeline"),
    ("vera", "vendor"),
];
/// Who has no part in the change: of the others the role alone does not tell.
const APART: &[&str] = &["aino", "adam", "vera"];

/// A route of the matrix: which roles alone suffice at it.
struct Row {
    method: &'static str,
    path: &'static str,
    is_own: bool,
    is_of_change: bool,
    roles: BTreeSet<&'static str>,
}

/// The rows of the API, apart from those that sign in or out, hash passwords or never end.
fn rows() -> Vec<Row> {
    let api = matrix()
        .split("\nTHE API\n")
        .nth(1)
        .and_then(|rest| rest.split("\nPAGES\n").next());
    let mut rows: Vec<Row> = Vec::new();
    for line in api.unwrap().lines().filter(|line| !line.is_empty()) {
        if !line.starts_with(' ') {
            let mut words = line.split_whitespace();
            rows.push(Row {
                method: words.next().unwrap(),
                path: words.next().unwrap(),
                is_own: line.contains("]  own") || line.contains("]  session"),
                is_of_change: false,
                roles: BTreeSet::new(),
            });
            continue;
        }
        let row = rows.last_mut().unwrap();
        let (_, told) = line.split_once(" roles ").unwrap();
        // Whoever neither wrote nor approved a change is a peer, so of that part the role tells nothing.
        row.is_own |= told.contains(" | parts peer");
        row.is_of_change |= told.contains(" | parts ") && !line.contains("create_change");
        row.roles.extend(told.split(" | ").next().unwrap().split(' '));
    }
    rows.retain(|row| {
        !["/session", "/stream", "/password"]
            .iter()
            .any(|it| row.path.ends_with(it))
    });
    rows
}

/// A body that says what the door asks about; of the others nothing is needed to learn who may.
fn body_of(path: &str) -> Value {
    match path {
        "/api/v1/imports" => json!({"kind": "people", "text": "login,name\nnew,New\n"}),
        _ => json!({}),
    }
}

#[test]
fn the_doors_let_in_whom_the_matrix_names_and_nobody_else() {
    let world = World::new();
    let key = world.draft();
    let rows = rows();
    assert!(rows.len() > 150, "{} rows", rows.len());
    let mut wrong = Vec::new();
    let mut turned_away = 0;
    for row in &rows {
        let path = row
            .path
            .replacen("{key}", if row.path.contains("/changes/") { &key } else { "x" }, 1);
        let path = path.replace("{noun}", "services");
        let path = path
            .split('/')
            .map(|part| if part.starts_with('{') { "x" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        for (login, role) in PEOPLE {
            let is_named = row.roles.contains(role);
            if row.is_of_change && !is_named && !APART.contains(login) {
                continue;
            }
            let mut ask = world
                .ask(row.method, &path)
                .header("authorization", &format!("Bearer {}", world.tokens[*login]));
            if row.method != "GET" {
                ask = ask.json(&body_of(row.path));
            }
            let answer = ask.send();
            let body = String::from_utf8_lossy(&answer.body);
            let is_refused = answer.status == 403 && body.contains("\"not_allowed\"");
            turned_away += usize::from(answer.status == 403);
            let is_wrong = if is_named || row.is_own {
                is_refused
            } else {
                // What is not there is absent for everybody, which lets nobody in.
                !matches!(answer.status, 403 | 404)
            };
            if is_wrong {
                wrong.push(format!("{login} {} {path}: {} {body}", row.method, answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(turned_away > 250, "only {turned_away} were turned away");
}
