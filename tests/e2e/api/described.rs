//! The API's requests and responses match its description: every response of every route that is reached here, and every
//! accepted body, is checked against the OpenAPI document by a foreign validator.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tests::{Place, Server};

/// The judge: a validator of JSON Schema (draft 2020-12) over the document's own schemas.
const JUDGE: &str = include_str!("../described.py");
/// At most so many records of a list lead further.
const MOST: usize = 8;
/// The requesters, tried in order until one is allowed.
const ASKERS: [&str; 5] = ["admin", "auditor", "requester", "change_manager", "pipeline"];

/// The traffic of the API: responses, each with its method, its route as the document names it, and its status; and accepted
/// bodies, each with its method and its path.
#[derive(Default)]
pub(crate) struct Talk {
    answers: Vec<Value>,
    taken: Vec<Value>,
}

impl Talk {
    /// Keeps an answer.
    pub(crate) fn answered(&mut self, method: &str, route: &str, status: u16, body: &Value) {
        let method = method.to_lowercase();
        self.answers
            .push(json!({"method": method, "route": route, "status": status, "body": body}));
    }

    /// Keeps an accepted body; the path is without its query.
    pub(crate) fn taken(&mut self, method: &str, path: &str, body: &Value) {
        let path = path.split('?').next();
        self.taken
            .push(json!({"method": method.to_lowercase(), "path": path, "body": body}));
    }

    /// How many bodies were taken.
    pub(crate) fn count_taken(&self) -> usize {
        self.taken.len()
    }

    fn routes(&self) -> BTreeSet<&str> {
        self.answers.iter().filter_map(|it| it["route"].as_str()).collect()
    }

    /// Fails with everything that differs from the document.
    pub(crate) fn must_be_described(&self, document: &Value) {
        let python = std::env::var("ASSENT_TEST_PYTHON").expect("run by cargo xtask test, which installs the judges");
        let mut child = Command::new(python)
            .args(["-c", JUDGE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = json!({"document": document, "answers": self.answers, "taken": self.taken}).to_string();
        let mut input = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || input.write_all(told.as_bytes()).unwrap());
        let done = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(done.status.success(), "the judge could not judge");
        let found: Vec<String> = serde_json::from_slice(&done.stdout).unwrap();
        assert!(
            found.is_empty(),
            "{} things that were said are not as described: {found:#?}",
            found.len()
        );
    }
}

/// The document as the server serves it.
pub(crate) fn document(server: &Server) -> Value {
    serde_json::from_slice(&server.get("/api/openapi.json", None).1).unwrap()
}

/// The first response to a person who may read it, if it is JSON.
fn read(server: &Server, path: &str) -> Option<(u16, Value)> {
    for role in ASKERS {
        let (status, body) = server.get(path, Some(&server.token(role)));
        if status != 403 {
            return Some((status, serde_json::from_slice(&body).ok()?));
        }
    }
    None
}

/// The addresses of a route whose places hold the ids from lists.
fn addresses(route: &str, known: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut found = vec![String::new()];
    for part in route.trim_start_matches('/').split('/') {
        let next = |base: &String| match part.starts_with('{') {
            true => known
                .get(base)
                .into_iter()
                .flatten()
                .map(|id| format!("{base}/{id}"))
                .collect(),
            false => vec![format!("{base}/{part}")],
        };
        found = found.iter().flat_map(next).collect();
    }
    found
}

/// The value that identifies a record in addresses.
fn name_of(item: &Value) -> Option<String> {
    let name = ["key", "login", "id"].iter().find_map(|name| item[*name].as_str())?;
    let is_plain = name
        .bytes()
        .all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it));
    is_plain.then(|| name.to_owned())
}

#[test]
fn every_answer_is_what_the_description_says() {
    let place = Place::demo("described");
    let server = Server::start(&place, true);
    tests::furnish::furnish(&server);
    let document = document(&server);
    let routes: Vec<&String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, methods)| {
            let answer = &methods["get"]["responses"]["200"]["content"]["application/json"];
            !answer.is_null()
        })
        .map(|(route, _)| route)
        .collect();
    let (mut talk, mut known) = (Talk::default(), BTreeMap::<String, Vec<String>>::new());
    let mut asked = BTreeSet::new();
    // Each round reaches the ids from the lists of the one before.
    for _ in 0..3 {
        for route in &routes {
            for path in addresses(route, &known).into_iter().take(MOST) {
                if !asked.insert(path.clone()) {
                    continue;
                }
                let Some((status, body)) = read(&server, &path) else {
                    continue;
                };
                let items = body["items"].as_array().into_iter().flatten();
                let names: Vec<String> = items.filter_map(name_of).take(MOST).collect();
                known.entry(path).or_default().extend(names);
                talk.answered("get", route, status, &body);
            }
        }
    }
    let reached = talk.routes().len();
    println!("{} answers of {reached} routes that are read", talk.answers.len());
    assert!(reached >= 80, "only {reached} of {} routes were reached", routes.len());
    talk.must_be_described(&document);
}
