//! The access matrix is true: at every route of the API, people of each role are let in or turned away as listed.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::collections::BTreeSet;
use std::sync::OnceLock;

use acts::directory::set_person;
use model::core::enums::Role;
use serde_json::{Value, json};

use crate::world::World;

/// The reviewed file. It is read when the test runs: the test that writes it anew comes before in the same run.
fn matrix() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations/access-matrix.txt");
    TEXT.get_or_init(|| std::fs::read_to_string(path).unwrap())
}

/// A person for each role, who has no other and no part in the change: for other people the role alone does not decide.
fn people(world: &World) -> Vec<(&'static str, String)> {
    let one = |role: &'static str| {
        let person = json!({"login": format!("only-{role}").replace('_', "-"), "name": role, "roles": [role]});
        let login = person["login"].as_str().unwrap().to_owned();
        world.act(move |cx| set_person::create_person(cx, person.as_object().unwrap()));
        (role, world.token(&login, &["read", "write", "gate", "audit", "admin"]))
    };
    Role::ALL.iter().map(|role| one(role.as_str())).collect()
}

/// Parts that come with a right: a rule requires change managers for the change in question, and it names nobody who implements
/// it.
const BY_RIGHT: &[(&str, &str)] = &[
    ("change_manager", "approver"),
    ("implementer", "implementer"),
    ("pipeline", "implementer"),
];

/// A route of the matrix: which roles alone suffice at it.
struct Row {
    method: &'static str,
    path: &'static str,
    is_own: bool,
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
                roles: BTreeSet::new(),
            });
            continue;
        }
        let row = rows.last_mut().unwrap();
        let (_, told) = line.split_once(" roles ").unwrap();
        row.roles.extend(let_in(told));
    }
    rows.retain(|row| {
        !["/session", "/stream", "/password"]
            .iter()
            .any(|it| row.path.ends_with(it))
    });
    rows
}

/// The roles that a row's columns admit, of people without a part of their own.
fn let_in(columns: &'static str) -> BTreeSet<&'static str> {
    let words = |name: &str| -> Vec<&'static str> {
        let found = columns.split(" | ").find_map(|column| column.strip_prefix(name));
        found.map(|words| words.split(' ').collect()).unwrap_or_default()
    };
    let mut roles: BTreeSet<&str> = columns.split(" | ").next().unwrap().split(' ').collect();
    let parts = words("parts ");
    let by_right = BY_RIGHT.iter().filter(|(_, part)| parts.contains(part));
    roles.extend(by_right.map(|(role, _)| *role));
    if parts.contains(&"peer") {
        // A person who neither wrote nor approved a change is a peer.
        roles.extend(Role::ALL.iter().map(|role| role.as_str()));
    }
    if words("never ").contains(&"token:pipeline") {
        roles.remove("pipeline");
    }
    roles
}

/// A body with the fields that the route needs; the others are not needed to learn who may.
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
    let people = people(&world);
    assert_eq!(people.len(), 11);
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
        for (role, token) in &people {
            let is_named = row.roles.contains(role);
            let mut ask = world
                .ask(row.method, &path)
                .header("authorization", &format!("Bearer {token}"));
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
                // A missing record is absent for everybody, which lets nobody in.
                !matches!(answer.status, 403 | 404)
            };
            if is_wrong {
                wrong.push(format!("{role} {} {path}: {} {body}", row.method, answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(turned_away > 700, "only {turned_away} were turned away");
}
