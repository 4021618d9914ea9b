//! Beside another system: a thousand of its changes are read while it pages, returns 429 and has rows edited between pages;
//! each is compared with the rules here, with its reason, and nothing changes anywhere. The claims of a system that lies are
//! kept and named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::outside::{Outside, Sent};
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

const ALLOW: &[&str] = &["--outgoing-allow", "127.0.0.1"];
/// How many changes are recorded there.
const CHANGES: usize = 1_000;
/// How many of them were edited in the same second: more than fit on a page.
const BULK: usize = 120;

/// A change there, by its id.
type Rows = Arc<Mutex<BTreeMap<String, BTreeMap<&'static str, String>>>>;

fn said(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The state, approval, service and plan of a change by its number.
fn row(number: usize, edited: Timestamp) -> BTreeMap<&'static str, String> {
    let (state, approval) = match number % 5 {
        0 => ("-1", "requested"),
        1 => ("4", "rejected"),
        2 => ("-5", "not requested"),
        3 => ("-2", "approved"),
        _ => ("3", "approved"),
    };
    let service = if number % 20 == 3 {
        "A system nobody knows"
    } else {
        "Labels"
    };
    let plan = if number.is_multiple_of(2) { "" } else { "Bring it out" };
    BTreeMap::from([
        ("sys_id", format!("{number:032x}")),
        ("number", format!("CHG{number:07}")),
        ("short_description", format!("Change number {number}")),
        ("type", "normal".to_owned()),
        ("state", state.to_owned()),
        ("approval", approval.to_owned()),
        ("cmdb_ci", service.to_owned()),
        ("requested_by.user_name", "somebody.else".to_owned()),
        ("start_date", said(edited - SignedDuration::from_hours(1))),
        ("end_date", said(edited + SignedDuration::from_hours(4))),
        ("work_start", said(edited)),
        ("implementation_plan", plan.to_owned()),
        ("backout_plan", plan.to_owned()),
        ("sys_created_on", said(edited - SignedDuration::from_hours(48))),
        ("sys_updated_on", said(edited)),
    ])
}

/// The parts of a query of the Table API: the bound, and whether rows of that very second count only behind an id.
fn asked(path: &str) -> (String, Option<String>, usize) {
    let query = path.split_once('?').unwrap().1;
    let word = |name: &str| {
        let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        decoded(found.unwrap_or_default())
    };
    let text = word("sysparm_query");
    let size = word("sysparm_limit").parse().unwrap();
    assert!(text.ends_with("^ORDERBYsys_updated_on^ORDERBYsys_id"), "{text}");
    let first = text.split('^').next().unwrap();
    if let Some(at) = first.strip_prefix("sys_updated_on>=") {
        return (at.to_owned(), None, size);
    }
    let at = first.strip_prefix("sys_updated_on=").unwrap().to_owned();
    let id = text
        .split('^')
        .nth(1)
        .unwrap()
        .strip_prefix("sys_id>")
        .unwrap()
        .to_owned();
    (at, Some(id), size)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&more[..2]).unwrap(), 16).unwrap());
            rest = &more[2..];
        } else {
            bytes.push(*first);
            rest = more;
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn page(rows: &Rows, sent: &Sent) -> Value {
    let (at, id, size) = asked(&sent.path);
    let rows = rows.lock().unwrap();
    let mut found: Vec<_> = rows
        .values()
        .filter(|row| {
            let (edited, own) = (&row["sys_updated_on"], &row["sys_id"]);
            match &id {
                None => *edited >= at,
                Some(id) => *edited > at || (*edited == at && own > id),
            }
        })
        .collect();
    found.sort_by_key(|row| (row["sys_updated_on"].clone(), row["sys_id"].clone()));
    let shown = |row: &&BTreeMap<&'static str, String>| -> Value {
        let fields = row.iter().map(|(name, value)| {
            let words = json!({"display_value": value, "value": value});
            ((*name).to_owned(), words)
        });
        Value::Object(fields.collect())
    };
    json!({"result": found.iter().take(size).map(shown).collect::<Vec<_>>()})
}

/// The most edits that the other system makes by itself.
const EDITS: usize = 40;

/// A ServiceNow that is busy at every seventh question, and in which two rows that were read are edited at every fifth page.
fn incumbent(rows: &Rows, now: Timestamp) -> (Outside, Arc<AtomicUsize>) {
    let (rows, count, edits) = (rows.clone(), AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let told = edits.clone();
    let outside = Outside::start(move |sent| {
        assert_eq!(sent.method, "GET", "nothing is ever written there");
        if sent.header("authorization") != "Basic cmVhZGVyOmh1c2g=" {
            return (401, json!({}));
        }
        let number = count.fetch_add(1, Ordering::SeqCst);
        if number % 7 == 3 {
            return (429, json!({}));
        }
        if sent.path.starts_with("/api/now/table/sysapproval_approver") {
            return (200, json!({"result": []}));
        }
        let answer = page(&rows, sent);
        if number % 5 == 0 && edits.load(Ordering::SeqCst) < EDITS {
            let first = answer["result"][0]["sys_id"]["value"].as_str().map(str::to_owned);
            if let Some(id) = first {
                let turn = edits.fetch_add(1, Ordering::SeqCst);
                let later = now + SignedDuration::from_millis(i64::try_from(turn).unwrap() * 10);
                let mut rows = rows.lock().unwrap();
                let row = rows.get_mut(&id).unwrap();
                row.insert("sys_updated_on", said(later));
                row.insert("short_description", format!("Edited {turn}"));
            }
        }
        (200, answer)
    });
    (outside, told)
}

fn recorded(now: Timestamp) -> Rows {
    let begun = now - SignedDuration::from_hours(240);
    let rows = (0..CHANGES).map(|number| {
        let seconds = if number < BULK { 0 } else { number / 3 * 60 };
        let edited = begun + SignedDuration::from_secs(i64::try_from(seconds).unwrap());
        (format!("{number:032x}"), row(number, edited))
    });
    Arc::new(Mutex::new(rows.collect()))
}

fn add(server: &Server, url: &str, name: &str) -> String {
    let body = json!({"name": name, "kind": "servicenow", "url": url, "environment": "production", "every_minutes": 1,
        "service_map": "Labels = label-print"});
    let made = server.must("POST", "/api/v1/foreign-systems", &server.token("admin"), Some(&body));
    made["id"].as_str().unwrap().to_owned()
}

fn keep_credential(server: &Server, id: &str) {
    let path = format!("/api/v1/foreign-systems/{id}/credentials");
    let body = json!({"login": "reader", "secret": "hush"});
    let kept = server.must("POST", &path, &server.token("admin"), Some(&body));
    assert!(
        kept["has_credential"] == true && !kept.to_string().contains("hush"),
        "{kept:#}"
    );
}

fn system(server: &Server, id: &str) -> Value {
    server.must(
        "GET",
        &format!("/api/v1/foreign-systems/{id}"),
        &server.token("auditor"),
        None,
    )
}

fn differences(server: &Server, id: &str, word: &str) -> Value {
    let path = format!("/api/v1/foreign-systems/{id}/differences?difference={word}&limit=200");
    server.must("GET", &path, &server.token("change_manager"), None)
}

/// Every change that was read, by its id there.
fn all(server: &Server) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/foreign-changes?limit=200{after}");
        let page = server.must("GET", &path, &server.token("auditor"), None);
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else {
            return found;
        };
        after = format!("&after={next}");
    }
}

/// Whether every row is here once, and equal to the source.
fn is_equal(rows: &Rows, found: &[Value]) -> bool {
    let rows = rows.lock().unwrap();
    let same = |it: &Value| {
        let row = rows.get(it["natural_key"].as_str().unwrap());
        row.is_some_and(|row| row["short_description"] == it["title"] && row["number"] == it["foreign_key"])
    };
    found.len() == rows.len() && found.iter().all(same)
}

#[test]
fn a_thousand_changes_of_another_system_are_compared_and_each_difference_has_its_reason() {
    let place = Place::demo("beside");
    let mut server = Server::start_with(&place, true, ALLOW);
    let now = server.server_time();
    server.hold_clock(now);
    let rows = recorded(now);
    let (outside, edits) = incumbent(&rows, now);
    let before = server.must("GET", "/api/v1/changes?limit=200", &server.token("auditor"), None)["items"].clone();
    let id = add(&server, &outside.url, "The incumbent");
    keep_credential(&server, &id);
    eventually("all rows are read", || {
        server.advance(20);
        is_equal(&rows, &all(&server))
    });
    assert!(edits.load(Ordering::SeqCst) > 2, "rows were edited between pages");
    let keys: BTreeSet<String> = all(&server).iter().map(|it| it["natural_key"].to_string()).collect();
    assert_eq!(keys.len(), CHANGES, "none is kept twice");
    must_have_reasons(&server, &id);
    // Nothing changes here: a row of the other system is no change of Assent, and approves none.
    let after = server.must("GET", "/api/v1/changes?limit=200", &server.token("auditor"), None)["items"].clone();
    let named = |list: &Value| -> BTreeSet<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|it| it["key"].to_string())
            .collect()
    };
    assert!(named(&before).is_subset(&named(&after)));
    assert!(
        !after.to_string().contains("Change number"),
        "their changes are no changes of ours"
    );
    // Its edits carry the time at which the test began, and a reading that has gone further looks no more than two minutes back.
    edits.store(EDITS, Ordering::SeqCst);
    eventually("the last of its own edits is read", || {
        server.advance(20);
        is_equal(&rows, &all(&server))
    });
    must_tell_of_edits(&mut server, &rows, &id);
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

fn must_have_reasons(server: &Server, id: &str) {
    let report = differences(server, id, "would_stop");
    let count = |word: &str| report[word].as_u64().unwrap();
    let words = ["same", "would_stop", "would_let_go", "not_judged", "undecided"];
    assert_eq!(
        words.iter().map(|word| count(word)).sum::<u64>(),
        CHANGES as u64,
        "{report:#}"
    );
    assert_eq!(count("undecided"), (CHANGES / 5) as u64);
    assert_eq!(count("not_judged"), (CHANGES / 20) as u64);
    // None of the changes that went through there has an approval that counts here.
    assert_eq!(count("would_stop"), (CHANGES * 3 / 5 - CHANGES / 20) as u64);
    assert!(!report["rules"].as_array().unwrap().is_empty() && report["is_whole"] == true);
    assert_eq!(report["services"][0]["key"], "label-print");
    for it in all(server) {
        let number = usize::from_str_radix(it["natural_key"].as_str().unwrap(), 16).unwrap();
        let why = it["why"].as_array().map_or(0, Vec::len);
        match it["difference"].as_str().unwrap() {
            "would_stop" => {
                let rules: Vec<&str> = it["unmet_rules"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(Value::as_str)
                    .collect();
                assert!(why > 0 && !rules.is_empty(), "{it:#}");
                assert_eq!(rules.contains(&"plan_missing"), number % 2 == 0, "{it:#}");
            }
            "not_judged" => assert!(
                it["why"][0].as_str().unwrap().contains("A system nobody knows"),
                "{it:#}"
            ),
            "undecided" => assert_eq!(why, 0, "{it:#}"),
            _ => assert_eq!(it["phase"], "stopped", "{it:#}"),
        }
    }
    let book = server.get("/api/v1/exports/foreign-changes/file", Some(&server.token("auditor")));
    assert_eq!(book.0, 200);
    assert_eq!(
        String::from_utf8(book.1).unwrap().matches("would_stop").count(),
        CHANGES * 3 / 5 - CHANGES / 20
    );
}

/// A row that changes its key, one that goes back, one that claims to be edited years ahead; and one that is edited rightly after it.
fn must_tell_of_edits(server: &mut Server, rows: &Rows, id: &str) {
    let now = server.held_time();
    {
        let mut rows = rows.lock().unwrap();
        let mut edit = |number: usize, at: Timestamp, fields: &[(&'static str, &str)]| {
            let row = rows.get_mut(&format!("{number:032x}")).unwrap();
            row.insert("sys_updated_on", said(at));
            row.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        };
        edit(900, now, &[("number", "CHG7777777")]);
        edit(904, now, &[("state", "-5")]);
        edit(
            905,
            "2094-01-01T00:00:00Z".parse().unwrap(),
            &[("short_description", "From tomorrow")],
        );
    }
    eventually("the edits are read", || {
        server.advance(20);
        is_equal(rows, &all(server))
    });
    let of = |number: usize| {
        let key = format!("{number:032x}");
        all(server).into_iter().find(|it| it["natural_key"] == key).unwrap()
    };
    assert_eq!(of(900)["former_keys"], json!(["CHG0000900"]));
    assert!(
        of(904)["read_problem"]
            .as_str()
            .unwrap()
            .contains("from ended to waiting"),
        "{:#}",
        of(904)
    );
    assert!(
        of(905)["read_problem"].as_str().unwrap().contains("lies in the future"),
        "{:#}",
        of(905)
    );
    let until: Timestamp = system(server, id)["read_until"].as_str().unwrap().parse().unwrap();
    assert!(
        until <= server.held_time(),
        "the future keeps nobody from reading what comes before it"
    );
    {
        let mut rows = rows.lock().unwrap();
        let row = rows.get_mut(&format!("{:032x}", 906)).unwrap();
        row.insert("sys_updated_on", said(server.held_time()));
        row.insert("short_description", "After the one from the future".to_owned());
    }
    eventually("a row behind the one from the future is read", || {
        server.advance(20);
        is_equal(rows, &all(server))
    });
}

fn must_refuse_bad_input(server: &Server) {
    let body = json!({"name": "x", "kind": "servicenow", "url": "https://sn.example", "environment": "production"});
    for role in ["requester", "change_manager", "auditor"] {
        let (status, _) = server.ask(
            "POST",
            "/api/v1/foreign-systems",
            Some(&server.token(role)),
            Some(&body),
        );
        assert_eq!(status, 403, "{role}");
    }
    let (status, _) = server.ask("GET", "/api/v1/foreign-changes", Some(&server.token("requester")), None);
    assert_eq!(status, 403);
    for (field, value) in [
        ("url", "https://me:secret@sn.example"),
        ("url", "http://169.254.169.254"),
        ("environment", "nowhere"),
        ("narrowed_by", "type=normal^NQsys_idISNOTEMPTY"),
        ("service_map", "Labels = no-such-service"),
        ("state_map", "Deploying = somewhere"),
        ("field_map", "plan = a&b"),
    ] {
        let mut bad = body.clone();
        bad[field] = json!(value);
        let (status, answer) = server.ask(
            "POST",
            "/api/v1/foreign-systems",
            Some(&server.token("admin")),
            Some(&bad),
        );
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(status == 422 && answer.contains(field), "{field}: {status} {answer}");
    }
}

#[test]
fn whoever_may_not_gets_nothing_and_a_system_that_lies_is_named() {
    let place = Place::demo("beside-lies");
    let mut server = Server::start_with(&place, true, ALLOW);
    server.hold_clock(server.server_time());
    must_refuse_bad_input(&server);
    let now = server.held_time();
    // It returns the same row for every query.
    let endless = Outside::start(move |sent| match sent.path.contains("approver") {
        true => (200, json!({"result": []})),
        false => (200, json!({"result": [row(4, now)]})),
    });
    let moved = Outside::start(|_| (302, json!({})));
    let broken = Outside::start_bytes(|_| (200, b"<html>".to_vec()));
    let cases = [
        (endless.url.as_str(), "do not go on"),
        (moved.url.as_str(), "302"),
        (broken.url.as_str(), "no JSON"),
    ];
    for (url, why) in cases {
        let id = add(&server, url, "A liar");
        eventually(why, || {
            server.advance(20);
            let problem = system(&server, &id)["read_problem"].clone();
            problem.as_str().is_some_and(|problem| problem.contains(why))
        });
        server.must(
            "DELETE",
            &format!("/api/v1/foreign-systems/{id}"),
            &server.token("admin"),
            None,
        );
    }
    let followed = |sent: &Sent| sent.path.starts_with("/elsewhere");
    assert!(
        !moved.sent().iter().any(followed),
        "a redirect is an answer, not a way on"
    );
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

/// Jira pages by tokens, and a table maps the states of an own workflow.
#[test]
fn jira_is_read_by_its_tokens_and_an_own_workflow_by_a_table() {
    let place = Place::demo("beside-jira");
    let mut server = Server::start_with(&place, true, ALLOW);
    server.hold_clock(server.server_time());
    let edited = server.held_time().strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string();
    let outside = Outside::start(move |sent| {
        assert_eq!(
            (sent.method.as_str(), sent.path.as_str()),
            ("POST", "/rest/api/3/search/jql")
        );
        if sent.header("authorization") != "Bearer a-token" {
            return (401, json!({}));
        }
        let asked = sent.json();
        assert!(asked["jql"].as_str().unwrap().contains("(project = OPS)"), "{asked:#}");
        let issue = |number: usize, status: &str| {
            json!({"id": number.to_string(), "key": format!("OPS-{number}"), "fields": {
                "summary": "Sharper labels", "status": {"name": status, "statusCategory": {"key": "indeterminate"}},
                "issuetype": {"name": "Change"}, "components": [{"name": "label-print"}], "updated": edited, "created": edited}})
        };
        match asked["nextPageToken"].as_str() {
            None => (
                200,
                json!({"issues": [issue(1, "Deploying"), issue(2, "Declined")], "nextPageToken": "two"}),
            ),
            Some("two") => (200, json!({"issues": [issue(3, "Planning")], "isLast": true})),
            Some(other) => panic!("no such token: {other}"),
        }
    });
    let body = json!({"name": "Jira", "kind": "jira", "url": outside.url, "environment": "production", "every_minutes": 1,
        "narrowed_by": "project = OPS", "state_map": "Deploying = started"});
    let admin = server.token("admin");
    let id = server.must("POST", "/api/v1/foreign-systems", &admin, Some(&body))["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/foreign-systems/{id}/credentials");
    server.must("POST", &path, &admin, Some(&json!({"secret": "a-token"})));
    eventually("three issues are read", || {
        server.advance(20);
        all(&server).len() == 3
    });
    let phases: BTreeMap<String, String> = all(&server)
        .iter()
        .map(|it| {
            let word = |name: &str| it[name].as_str().unwrap().to_owned();
            (word("foreign_key"), word("phase"))
        })
        .collect();
    let expected = [("OPS-1", "started"), ("OPS-2", "stopped"), ("OPS-3", "waiting")];
    let expected = expected.map(|(key, phase)| (key.to_owned(), phase.to_owned()));
    assert_eq!(phases, BTreeMap::from(expected));
    assert_eq!(
        differences(&server, &id, "would_stop")["changes"][0]["foreign_key"],
        "OPS-1"
    );
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

/// The copies there, each with its fields; the journal of the first one; the time stamp of its writes; the number of copies made.
#[derive(Default)]
struct Copies {
    rows: Vec<BTreeMap<String, String>>,
    journal: Vec<Value>,
    now: Timestamp,
    made: usize,
}

impl Copies {
    /// Adds an entry of a journal field of the first copy.
    fn say(&mut self, by: &str, (element, text): (&str, &str)) {
        let at = said(self.now);
        let id = format!("e{}", self.journal.len() + 1);
        self.journal
            .push(json!({"sys_id": id, "element": element, "value": text, "sys_created_by": by, "sys_created_on": at}));
        self.rows[0].insert("sys_updated_on".to_owned(), at);
    }

    fn write(&mut self, id: Option<&str>, fields: &Value) -> Value {
        let place = match id {
            Some(id) => self.rows.iter().position(|row| row["sys_id"] == id).unwrap(),
            None => {
                self.made += 1;
                let (id, number) = (format!("c{}", self.made), format!("CHG9{:06}", self.made));
                self.rows.push(BTreeMap::from([
                    ("sys_id".to_owned(), id),
                    ("number".to_owned(), number),
                    ("sys_created_by".to_owned(), "reader".to_owned()),
                ]));
                self.rows.len() - 1
            }
        };
        if let Some(text) = fields["comments"].as_str() {
            self.say("reader", ("comments", text));
        }
        let row = &mut self.rows[place];
        for (name, value) in fields
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| *name != "comments")
        {
            row.insert(name.clone(), value.as_str().unwrap().to_owned());
        }
        row.insert("sys_updated_on".to_owned(), said(self.now));
        json!({"sys_id": row["sys_id"], "number": row["number"], "sys_updated_on": row["sys_updated_on"]})
    }

    fn page(&self, sent: &Sent) -> Value {
        let (at, id, size) = asked(&sent.path);
        let mut found: Vec<_> = self
            .rows
            .iter()
            .filter(|row| {
                let (edited, own) = (&row["sys_updated_on"], &row["sys_id"]);
                match &id {
                    None => *edited >= at,
                    Some(id) => *edited > at || (*edited == at && own > id),
                }
            })
            .collect();
        found.sort_by_key(|row| (row["sys_updated_on"].clone(), row["sys_id"].clone()));
        json!({"result": found.into_iter().take(size).collect::<Vec<_>>()})
    }
}

/// A ServiceNow that takes copies. The response to the first one is lost.
fn taking(copies: &Arc<Mutex<Copies>>) -> Outside {
    let copies = copies.clone();
    Outside::start(move |sent| {
        let mut copies = copies.lock().unwrap();
        if sent.path.starts_with("/api/now/table/sysapproval_approver") {
            return (200, json!({"result": []}));
        }
        match sent.method.as_str() {
            "POST" => {
                let made = copies.write(None, &sent.json());
                match copies.made {
                    1 => (503, Value::Null),
                    _ => (201, json!({"result": made})),
                }
            }
            "PATCH" => {
                let path = sent.path.split('?').next().unwrap();
                let id = path.rsplit('/').next().unwrap();
                (200, json!({"result": copies.write(Some(id), &sent.json())}))
            }
            _ if sent.path.starts_with("/api/now/table/sys_journal_field") => {
                assert!(
                    decoded(&sent.path).contains("element_id=c1^element=comments^"),
                    "{}",
                    sent.path
                );
                (200, json!({"result": copies.journal}))
            }
            _ if decoded(&sent.path).contains("correlation_id=") => {
                let path = decoded(&sent.path);
                let has_mark = |row: &&BTreeMap<String, String>| {
                    path.contains(&format!("correlation_id={}^", row["correlation_id"]))
                };
                let found: Vec<_> = copies.rows.iter().filter(has_mark).collect();
                (200, json!({"result": found}))
            }
            _ => (200, copies.page(sent)),
        }
    })
}

pub(crate) fn items_about(server: &Server, key: &str) -> Vec<String> {
    let path = format!("/api/v1/action-items?about={key}&open=true");
    let found = server.must("GET", &path, &server.token("auditor"), None);
    let items = found["items"].as_array().unwrap().iter();
    let ours = items.filter_map(|item| item["title"].as_str());
    ours.filter(|title| title.contains("was edited in the other system"))
        .map(str::to_owned)
        .collect()
}

/// A draft of `requester` for the labels; returns its key.
pub(crate) fn drafted_labels(server: &Server, requester: &str) -> String {
    let now = server.held_time();
    let plan = json!({"title": "Sharper labels", "description": "d", "justification": "j", "category": "application", "complexity": "low",
        "impact": {"data": "none", "availability": "low", "compliance": "none"}, "plan": [{"title": "Out", "minutes": 10}],
        "rollback_plan": [{"title": "Back", "minutes": 5}],
        "targets": [{"service": "label-print", "environment": "production", "artifact": tests::journey::artifact(9_481)}],
        "planned_start": (now + SignedDuration::from_hours(200)).to_string(),
        "planned_end": (now + SignedDuration::from_hours(202)).to_string()});
    let made = server.must("POST", "/api/v1/changes", requester, Some(&plan));
    made["key"].as_str().unwrap().to_owned()
}

/// The texts of the comments of a change here, the oldest first.
pub(crate) fn comments_here(server: &Server, path: &str) -> Vec<String> {
    let found = server.must("GET", &format!("{path}/comments"), &server.token("requester"), None);
    let items = found["items"].as_array().unwrap().iter();
    items.map(|it| it["text"].as_str().unwrap().to_owned()).collect()
}

/// Comments go both ways once with their authors, none comes back, and work notes stay there.
fn must_copy_comments(server: &mut Server, copies: &Arc<Mutex<Copies>>, path: &str) {
    advance(server, copies);
    {
        let mut copies = copies.lock().unwrap();
        copies.say("ada", ("comments", "It is large enough."));
        copies.say("ada", ("work_notes", "Between us: it is not."));
    }
    let asked = json!({"text": "Is the window large enough?"});
    server.must(
        "POST",
        &format!("{path}/comments"),
        &server.token("requester"),
        Some(&asked),
    );
    eventually("comments are copied both ways", || {
        advance(server, copies);
        comments_here(server, path).len() == 2 && copies.lock().unwrap().journal.len() == 3
    });
    for _ in 0..6 {
        advance(server, copies);
    }
    let mut here = comments_here(server, path);
    here.sort();
    assert_eq!(
        here,
        ["Is the window large enough?", "ada (Copies):\n\nIt is large enough."]
    );
    let journal = copies.lock().unwrap().journal.clone();
    assert_eq!(journal.len(), 3, "{journal:#?}");
    let text = journal[2]["value"].as_str().unwrap();
    let (author, rest) = text.split_once(" in Assent (comment ").unwrap();
    assert!(
        !author.is_empty() && rest.ends_with("):\n\nIs the window large enough?"),
        "{text}"
    );
}

/// Somebody removes the mark of the copy: it stays a copy, and is no change of theirs.
fn must_know_a_copy_without_its_mark(server: &mut Server, copies: &Arc<Mutex<Copies>>, key: &str) {
    advance(server, copies);
    let before = server_mirror(server, key)["edited_at"].clone();
    let bare = json!({"correlation_id": "", "correlation_display": "", "short_description": "Mine now"});
    copies.lock().unwrap().write(Some("c1"), &bare);
    eventually("the edit is read as one of the copy", || {
        advance(server, copies);
        server_mirror(server, key)["edited_at"] != before
    });
    assert!(all(server).is_empty(), "it is no change of theirs");
}

/// A change that Assent leads is copied there once it is submitted; an edit there is reported to people and moves nothing here.
#[test]
fn a_change_is_copied_beside_and_an_edit_there_moves_nothing_here() {
    let place = Place::demo("beside-copies");
    let mut server = Server::start_with(&place, true, ALLOW);
    server.hold_clock(server.server_time());
    let copies = Arc::new(Mutex::new(Copies::default()));
    copies.lock().unwrap().now = server.held_time();
    let outside = taking(&copies);
    let admin = server.token("admin");
    let body = json!({"name": "Copies", "kind": "servicenow", "url": outside.url, "environment": "production", "every_minutes": 1,
        "service_map": "Labels = label-print", "mirrors": true});
    let made = server.must("POST", "/api/v1/foreign-systems", &admin, Some(&body));
    keep_credential(&server, made["id"].as_str().unwrap());
    let requester = server.token("requester");
    let key = drafted_labels(&server, &requester);
    let path = format!("/api/v1/changes/{key}");
    for _ in 0..5 {
        server.advance(20);
    }
    assert!(
        copies.lock().unwrap().rows.is_empty(),
        "a draft is nobody else's business"
    );
    server.must("POST", &format!("{path}/submission"), &requester, Some(&json!({})));
    let state_there = || copies.lock().unwrap().rows.first().map(|row| row["state"].clone());
    eventually("the copy is written", || {
        advance(&mut server, &copies);
        server_mirror(&server, &key)["foreign_key"].is_string()
    });
    assert_eq!(
        (state_there().as_deref(), copies.lock().unwrap().made),
        (Some("-4"), 1),
        "a lost answer makes no second copy"
    );
    assert_eq!(state_here(&server, &path), "assessing");
    assert_eq!(copies.lock().unwrap().rows[0]["approval"], "not requested");

    // Somebody moves the copy there, and approves it.
    advance(&mut server, &copies);
    copies
        .lock()
        .unwrap()
        .write(Some("c1"), &json!({"state": "-2", "approval": "approved"}));
    eventually("people are told of the edit", || {
        advance(&mut server, &copies);
        !items_about(&server, &key).is_empty()
    });
    assert_eq!(state_here(&server, &path), "assessing", "a copy approves nothing");
    let decisions = server.must("GET", &format!("{path}/approvals"), &requester, None);
    assert_eq!(decisions["items"], json!([]));
    assert!(all(&server).is_empty(), "a copy is no change of theirs");
    assert_eq!(state_there().as_deref(), Some("-2"), "it is not fought over");
    must_copy_comments(&mut server, &copies, &path);
    must_know_a_copy_without_its_mark(&mut server, &copies, &key);

    server.must(
        "POST",
        &format!("{path}/cancellation"),
        &requester,
        Some(&json!({"reason": "Only shown."})),
    );
    eventually("the copy follows", || {
        advance(&mut server, &copies);
        state_there().as_deref() == Some("4") && items_about(&server, &key).is_empty()
    });
    assert_eq!(copies.lock().unwrap().made, 1);
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

pub(crate) fn state_here(server: &Server, path: &str) -> Value {
    server.must("GET", path, &server.token("requester"), None)["state"].clone()
}

fn advance(server: &mut Server, copies: &Arc<Mutex<Copies>>) {
    server.advance(20);
    copies.lock().unwrap().now = server.held_time();
}

pub(crate) fn server_mirror(server: &Server, key: &str) -> Value {
    let found = server.must("GET", "/api/v1/foreign-mirrors", &server.token("auditor"), None);
    let mut items = found["items"].as_array().unwrap().iter();
    items.find(|it| it["change_key"] == key).cloned().unwrap_or_default()
}
