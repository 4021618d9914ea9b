//! At the end of each round Jira is queried by their ids for the changes by which a gate could go. The one here behaves as its
//! documents describe: `bulkfetch` leaves out silently the issues that are gone or hidden, names apart those that it could not
//! read, and the search knows nothing of a fresh edit without a request to reconcile that issue.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::outside::{Outside, Sent};
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

const ALLOW: &[&str] = &["--outgoing-allow", "127.0.0.1"];
/// The longest list that `bulkfetch` takes, and the most issues that a search reconciles.
const MOST_FETCHED: usize = 100;
const MOST_RECONCILED: usize = 50;

/// The state of an issue there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Everywhere.
    Whole,
    /// Not by the index of searches yet.
    Unindexed,
    /// `bulkfetch` cannot return it now.
    Failing,
    /// Deleted, or kept from this reader: both look the same.
    Hidden,
}

type Board = Arc<Mutex<BTreeMap<i64, Shown>>>;

/// An issue with the requested fields.
fn issue(number: i64, fields: &Value, asked: &Value) -> Value {
    let mut all = fields.clone();
    let names: Vec<&str> = asked.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    all.as_object_mut()
        .unwrap()
        .retain(|name, _| names.contains(&name.as_str()));
    json!({"id": number.to_string(), "key": format!("OPS-{number}"), "self": format!("https://jira.example/{number}"), "fields": all})
}

/// `POST /rest/api/3/issue/bulkfetch`.
fn bulk(board: &Board, fields: &Value, asked: &Value) -> (u16, Value) {
    let ids = asked["issueIdsOrKeys"].as_array().unwrap();
    if ids.is_empty() || ids.len() > MOST_FETCHED {
        return (
            400,
            json!({"errorMessages": ["1 to 100 issues can be fetched at once."], "errors": {}}),
        );
    }
    let ids: Vec<i64> = ids.iter().map(|id| id.as_str().unwrap().parse().unwrap()).collect();
    let (mut issues, mut errors) = (Vec::new(), Vec::new());
    for (number, shown) in board.lock().unwrap().iter().filter(|(number, _)| ids.contains(*number)) {
        match shown {
            Shown::Whole | Shown::Unindexed => issues.push(issue(*number, fields, &asked["fields"])),
            Shown::Failing => errors.push(json!({"id": number.to_string(), "errorMessage": "The issue is busy."})),
            Shown::Hidden => {}
        }
    }
    (
        200,
        json!({"expand": "names,schema", "issues": issues, "issueErrors": errors}),
    )
}

/// `POST /rest/api/3/search/jql`: everything that was edited, or the issues of a list, which must all be there.
fn search(board: &Board, fields: &Value, asked: &Value) -> (u16, Value) {
    let reconciled: Vec<i64> = asked["reconcileIssues"]
        .as_array()
        .map(|ids| ids.iter().map(|id| id.as_i64().unwrap()).collect())
        .unwrap_or_default();
    if reconciled.len() > MOST_RECONCILED {
        return (
            400,
            json!({"errorMessages": ["At most 50 issues are reconciled."], "errors": {}}),
        );
    }
    let jql = asked["jql"].as_str().unwrap();
    let named: Option<Vec<i64>> = jql.strip_prefix("id in (").map(|rest| {
        let list = rest.split_once(')').unwrap().0;
        list.split(", ").map(|id| id.parse().unwrap()).collect()
    });
    assert!(named.is_some() || jql.starts_with("updated >= "), "{jql}");
    let board = board.lock().unwrap();
    for number in named.iter().flatten() {
        if board.get(number).is_none_or(|shown| *shown == Shown::Hidden) {
            let text = format!("An issue with key '{number}' does not exist for field 'id'.");
            return (400, json!({"errorMessages": [text], "errors": {}}));
        }
    }
    let is_found = |number: i64, shown: Shown| match shown {
        Shown::Hidden => false,
        Shown::Unindexed => reconciled.contains(&number),
        Shown::Whole | Shown::Failing => true,
    };
    let found = board
        .iter()
        .filter(|(number, shown)| is_found(**number, **shown))
        .filter(|(number, _)| named.as_ref().is_none_or(|named| named.contains(*number)))
        .map(|(number, _)| issue(*number, fields, &asked["fields"]));
    (200, json!({"issues": found.collect::<Vec<_>>(), "isLast": true}))
}

fn jira(board: &Board, fields: Value) -> Outside {
    let board = board.clone();
    Outside::start(move |sent| {
        if sent.header("authorization") != "Bearer a-token" {
            return (401, json!({}));
        }
        let asked = sent.json();
        match (sent.method.as_str(), sent.path.as_str()) {
            ("POST", "/rest/api/3/issue/bulkfetch") => bulk(&board, &fields, &asked),
            ("POST", "/rest/api/3/search/jql") => search(&board, &fields, &asked),
            other => panic!("nothing else is asked: {other:?}"),
        }
    })
}

/// Why the changes there are not believed, by their keys.
fn problems(server: &Server) -> BTreeMap<String, Option<String>> {
    let found = server.must(
        "GET",
        "/api/v1/foreign-changes?limit=200",
        &server.token("auditor"),
        None,
    );
    let rows = found["items"].as_array().unwrap().iter();
    rows.map(|row| {
        let problem = row["read_problem"].as_str().map(str::to_owned);
        (row["foreign_key"].as_str().unwrap().to_owned(), problem)
    })
    .collect()
}

fn is_gone(server: &Server, key: &str) -> bool {
    let problem = problems(server)[key].clone();
    problem.is_some_and(|why| why.contains("missing when its system was last read"))
}

/// Why the system as a whole was not read.
fn unread(server: &Server, id: &str) -> Option<String> {
    let path = format!("/api/v1/foreign-systems/{id}");
    let system = server.must("GET", &path, &server.token("auditor"), None);
    system["read_problem"].as_str().map(str::to_owned)
}

/// Has the system lead the labels: one proposes, a change manager confirms.
fn hand_over(server: &Server, id: &str) {
    let body = json!({"service": "label-print", "system": id, "reason": "Its board still meets there."});
    let lead = server.must("POST", "/api/v1/service-leads", &server.token("admin"), Some(&body));
    let path = format!("/api/v1/service-leads/{}", lead["id"].as_str().unwrap());
    let (yes, manager) = (json!({"approved": true}), server.token("change_manager"));
    let (status, answer) = server.ask_with("PATCH", &path, Some(&manager), Some(&yes), &[("If-Match", "*")]);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
}

fn add(server: &Server, url: &str) -> String {
    let body = json!({"name": "Jira", "kind": "jira", "url": url, "environment": "production", "every_minutes": 1,
        "narrowed_by": "project = OPS", "field_map": "planned_start = customfield_10201\nplanned_end = customfield_10202"});
    let admin = server.token("admin");
    let made = server.must("POST", "/api/v1/foreign-systems", &admin, Some(&body));
    let id = made["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/foreign-systems/{id}/credentials");
    server.must("POST", &path, &admin, Some(&json!({"secret": "a-token"})));
    id
}

fn is_sure_of(sent: &Sent, number: i64) -> bool {
    let asked = sent.json();
    let reconciled = asked["reconcileIssues"].as_array();
    reconciled.is_some_and(|ids| ids.contains(&json!(number)))
}

#[test]
fn an_issue_is_gone_when_bulkfetch_leaves_it_out_and_not_when_it_could_not_be_answered() {
    let place = Place::demo("beside-bulkfetch");
    let mut server = Server::start_with(&place, true, ALLOW);
    server.hold_clock(server.server_time());
    let now = server.held_time();
    let said = |hours: i64| {
        let at = now + SignedDuration::from_hours(hours);
        at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
    };
    let fields = json!({"summary": "Sharper labels", "issuetype": {"name": "Change"}, "components": [{"name": "label-print"}],
        "status": {"name": "Awaiting implementation", "statusCategory": {"key": "indeterminate"}}, "created": said(-1),
        "updated": said(-1), "customfield_10201": said(-1), "customfield_10202": said(5_000), "priority": {"name": "High"}});
    let board: Board = Arc::new(Mutex::new((1..=3).map(|number| (number, Shown::Whole)).collect()));
    let set = |number: i64, shown: Shown| board.lock().unwrap().insert(number, shown);
    let outside = jira(&board, fields);
    let id = add(&server, &outside.url);
    eventually("three issues are read", || {
        server.advance(20);
        problems(&server).len() == 3
    });
    hand_over(&server, &id);

    set(2, Shown::Hidden);
    eventually("the one that is hidden is believed no more", || {
        server.advance(20);
        is_gone(&server, "OPS-2")
    });
    let known = problems(&server);
    assert_eq!((&known["OPS-1"], &known["OPS-3"]), (&None, &None));

    set(3, Shown::Failing);
    eventually("what could not be answered is told", || {
        server.advance(20);
        unread(&server, &id).is_some_and(|why| why.contains("The issue is busy"))
    });
    assert_eq!(problems(&server)["OPS-3"], None, "it is not taken for gone");

    // Now it is there, and only the index of searches has not heard of it.
    set(3, Shown::Unindexed);
    eventually("the reading is whole again", || {
        server.advance(20);
        unread(&server, &id).is_none()
    });
    assert_eq!(
        problems(&server)["OPS-3"],
        None,
        "an index that is late is no reason either"
    );
    assert!(outside.sent().iter().any(|sent| is_sure_of(sent, 3)));

    set(2, Shown::Whole);
    eventually("the hidden one is believed once it is shown", || {
        server.advance(20);
        problems(&server)["OPS-2"].is_none()
    });
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}
