//! Copies of changes in Jira: the issue is made once whatever response is lost, follows its change by the transitions of its
//! workflow, and an edit of it there moves nothing here.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::outside::{Outside, Sent};
use tests::{Place, Server};

use crate::integration::beside::{comments_here, drafted_labels, items_about, server_mirror, state_here};
use crate::platform::crash::{must_replay, must_verify};

const ALLOW: &[&str] = &["--outgoing-allow", "127.0.0.1"];

/// The project there: its issues with their fields, the comments of the first one, and its time.
#[derive(Default)]
struct Project {
    issues: Vec<Value>,
    comments: Vec<Value>,
    now: Timestamp,
}

type Shared = Arc<Mutex<Project>>;

/// The transitions out of a status: id, name of the status they lead to, its category.
fn ways(status: &str) -> &'static [(&'static str, &'static str, &'static str)] {
    match status {
        "Planning" => &[
            ("11", "Awaiting implementation", "indeterminate"),
            ("41", "Canceled", "done"),
        ],
        "Awaiting implementation" => &[("21", "Implementing", "indeterminate"), ("41", "Canceled", "done")],
        _ => &[],
    }
}

impl Project {
    fn touch(&mut self, place: usize) {
        let at = self.now.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string();
        self.issues[place]["fields"]["updated"] = json!(at);
    }

    fn write(&mut self, place: usize, fields: &Value) {
        for (name, value) in fields.as_object().unwrap() {
            self.issues[place]["fields"][name.as_str()] = value.clone();
        }
        self.touch(place);
    }

    fn move_to(&mut self, place: usize, (name, category): (&str, &str)) {
        self.issues[place]["fields"]["status"] = json!({"name": name, "statusCategory": {"key": category}});
        self.touch(place);
    }

    fn status(&self) -> Option<String> {
        let first = self.issues.first()?;
        first["fields"]["status"]["name"].as_str().map(str::to_owned)
    }

    /// Makes an issue. The response about the first one is lost.
    fn make(&mut self, fields: &Value) -> (u16, Value) {
        assert_eq!(
            (&fields["project"]["key"], &fields["issuetype"]["name"]),
            (&json!("OPS"), &json!("Change"))
        );
        let place = self.issues.len();
        let (id, key) = ((10_001 + place).to_string(), format!("OPS-{}", place + 1));
        self.issues
            .push(json!({"id": id, "key": key, "fields": {"created": "2026-01-01T00:00:00.000+0000"}}));
        self.write(place, fields);
        self.move_to(place, ("Planning", "new"));
        match place {
            0 => (503, Value::Null),
            _ => (201, json!({"id": id, "key": key})),
        }
    }

    /// Adds a comment to the first issue.
    fn say(&mut self, by: &str, (body, is_public): (Value, bool)) {
        let at = self.now.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string();
        let id = (self.comments.len() + 1).to_string();
        self.comments.push(
            json!({"id": id, "author": {"displayName": by}, "body": body, "jsdPublic": is_public,
            "created": at, "updated": at}),
        );
        self.touch(0);
    }

    /// Edits a comment of the first issue.
    fn reword(&mut self, place: usize, by: &str, body: Value) {
        let at = self.now.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string();
        let comment = &mut self.comments[place];
        comment["body"] = body;
        comment["updated"] = json!(at);
        comment["updateAuthor"] = json!({"displayName": by});
        self.touch(0);
    }

    fn search(&self, jql: &str) -> Value {
        let wanted = jql.strip_prefix("labels = \"").and_then(|rest| rest.split('"').next());
        assert!(wanted.is_none() || jql.contains("creator = currentUser()"), "{jql}");
        let has = |issue: &&Value| {
            let labels = issue["fields"]["labels"].as_array();
            wanted.is_none_or(|label| labels.is_some_and(|labels| labels.contains(&json!(label))))
        };
        json!({"issues": self.issues.iter().filter(has).collect::<Vec<_>>(), "isLast": true})
    }

    fn transitions(&mut self, place: usize, sent: &Sent) -> (u16, Value) {
        let status = self.issues[place]["fields"]["status"]["name"]
            .as_str()
            .unwrap()
            .to_owned();
        let ways = ways(&status);
        if sent.method == "GET" {
            let to = |(id, name, category): &(&str, &str, &str)| json!({"id": id, "to": {"name": name, "statusCategory": {"key": category}}});
            return (200, json!({"transitions": ways.iter().map(to).collect::<Vec<_>>()}));
        }
        let asked = sent.json()["transition"]["id"].clone();
        let way = ways
            .iter()
            .find(|(id, _, _)| asked == *id)
            .expect("the workflow has it");
        self.move_to(place, (way.1, way.2));
        (204, Value::Null)
    }

    fn answer(&mut self, sent: &Sent) -> (u16, Value) {
        let path = sent.path.split('?').next().unwrap();
        let rest = path.strip_prefix("/rest/api/3/").expect("nothing else is asked");
        let parts: Vec<&str> = rest.split('/').collect();
        let place = |id: &str| id.parse::<usize>().unwrap() - 10_001;
        match (sent.method.as_str(), &parts[..]) {
            ("POST", ["search", "jql"]) => (200, self.search(sent.json()["jql"].as_str().unwrap())),
            ("POST", ["issue"]) => self.make(&sent.json()["fields"]),
            ("PUT", ["issue", id]) => {
                self.write(place(id), &sent.json()["fields"]);
                (204, Value::Null)
            }
            ("GET", ["issue", id]) => (200, self.issues[place(id)].clone()),
            ("GET", ["issue", "10001", "comment"]) => (200, json!({"comments": self.comments})),
            ("POST", ["issue", "10001", "comment"]) => {
                self.say("Writer", (sent.json()["body"].clone(), true));
                (201, self.comments.last().unwrap().clone())
            }
            (_, ["issue", id, "transitions"]) => self.transitions(place(id), sent),
            other => panic!("nothing else is asked: {other:?}"),
        }
    }
}

fn jira(project: &Shared) -> Outside {
    let project = project.clone();
    Outside::start(move |sent| project.lock().unwrap().answer(sent))
}

fn advance(server: &mut Server, project: &Shared) {
    server.advance(20);
    project.lock().unwrap().now = server.held_time();
}

#[test]
fn a_change_is_copied_into_jira_by_transitions_and_an_edit_there_moves_nothing_here() {
    let place = Place::demo("beside-jira-copies");
    let mut server = Server::start_with(&place, true, ALLOW);
    server.hold_clock(server.server_time());
    let project = Shared::default();
    project.lock().unwrap().now = server.held_time();
    let outside = jira(&project);
    let admin = server.token("admin");
    let mut body = json!({"name": "Jira", "kind": "jira", "url": outside.url, "environment": "production", "every_minutes": 1,
        "service_map": "Labels = label-print", "mirrors": true});
    let (status, refused) = server.ask("POST", "/api/v1/foreign-systems", Some(&admin), Some(&body));
    let refused: Value = serde_json::from_slice(&refused).unwrap();
    assert_eq!(
        (status, &refused["errors"][0]["code"]),
        (422, &json!("not_a_place")),
        "{refused}"
    );
    body["copies_into"] = json!("OPS/Change");
    let made = server.must("POST", "/api/v1/foreign-systems", &admin, Some(&body));
    let path = format!("/api/v1/foreign-systems/{}/credentials", made["id"].as_str().unwrap());
    server.must(
        "POST",
        &path,
        &admin,
        Some(&json!({"login": "writer", "secret": "hush"})),
    );
    let requester = server.token("requester");
    let key = drafted_labels(&server, &requester);
    let path = format!("/api/v1/changes/{key}");
    server.must("POST", &format!("{path}/submission"), &requester, Some(&json!({})));
    eventually("the copy is written", || {
        advance(&mut server, &project);
        server_mirror(&server, &key)["foreign_key"] == "OPS-1"
    });
    let copy = project.lock().unwrap().issues.clone();
    assert_eq!(copy.len(), 1, "a lost answer makes no second copy");
    assert_eq!(copy[0]["fields"]["labels"], json!(["Assent", format!("assent:{key}")]));
    assert_eq!(copy[0]["fields"]["summary"], "Sharper labels");
    assert_eq!(project.lock().unwrap().status().as_deref(), Some("Planning"));

    advance(&mut server, &project);
    project
        .lock()
        .unwrap()
        .move_to(0, ("Awaiting implementation", "indeterminate"));
    eventually("people are told of the edit", || {
        advance(&mut server, &project);
        !items_about(&server, &key).is_empty()
    });
    assert_eq!(state_here(&server, &path), "assessing", "a copy approves nothing");
    let read = server.must("GET", "/api/v1/foreign-changes", &server.token("auditor"), None);
    assert_eq!(read["items"], json!([]), "a copy is no change of theirs");
    must_copy_comments(&mut server, &project, &path);

    let reason = json!({"reason": "Only shown."});
    server.must("POST", &format!("{path}/cancellation"), &requester, Some(&reason));
    eventually("the copy follows", || {
        advance(&mut server, &project);
        let status = project.lock().unwrap().status();
        status.as_deref() == Some("Canceled") && items_about(&server, &key).is_empty()
    });
    assert_eq!(project.lock().unwrap().issues.len(), 1);
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

fn paragraph(text: &str) -> Value {
    json!({"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}]})
}

/// Comments go both ways once; an internal one stays there, and an edit of a copy there is a new comment here.
fn must_copy_comments(server: &mut Server, project: &Shared, path: &str) {
    advance(server, project);
    {
        let mut project = project.lock().unwrap();
        project.say("Ada Lovelace", (paragraph("It is large enough."), true));
        project.say("Ada Lovelace", (paragraph("Between us."), false));
    }
    let asked = json!({"text": "Is the window\nlarge enough?"});
    server.must(
        "POST",
        &format!("{path}/comments"),
        &server.token("requester"),
        Some(&asked),
    );
    eventually("comments are copied both ways", || {
        advance(server, project);
        comments_here(server, path).len() == 2 && project.lock().unwrap().comments.len() == 3
    });
    for _ in 0..6 {
        advance(server, project);
    }
    assert_eq!(
        (
            comments_here(server, path).len(),
            project.lock().unwrap().comments.len()
        ),
        (2, 3)
    );
    project
        .lock()
        .unwrap()
        .reword(2, "Bob", paragraph("It closes at noon."));
    eventually("the edit is a comment", || {
        advance(server, project);
        comments_here(server, path).len() == 3
    });
    for _ in 0..6 {
        advance(server, project);
    }
    let here = comments_here(server, path);
    assert_eq!((here.len(), project.lock().unwrap().comments.len()), (3, 3));
    for text in [
        "Ada Lovelace (Jira):\n\nIt is large enough.",
        "Bob (Jira):\n\nIt closes at noon.",
    ] {
        assert!(here.iter().any(|it| it == text), "{here:?}");
    }
}
