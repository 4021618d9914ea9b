//! Checklists from the outside: a schema changes only with a backup that was restored of late, as a real server reports it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tests::held::awaited;
use tests::journey::{approve, artifact, evidence, request, waiting_for_approval};
use tests::{Place, Server};

use crate::approval::attacks::{ask, below};
use crate::platform::crash::must_verify;

/// Calls to this machine are allowed.
const ALLOW: &[&str] = &["--outgoing-allow", "127.0.0.1"];
/// The rule: the probe's report is a day old at most.
const RULE: &str = "@id(\"house.require.restored_backup\")\n@reason(\"A backup that was restored is one.\")\n@require(\"item\")\n\
    @title(\"A backup was restored\")\n@check(\"probe\")\n@probe(\"restored-backup\")\n@max_age(\"24h\")\n@owner(\"owner\")\n\
    permit (principal, action == Action::\"require\", resource) when { resource.touches.contains(Touch::\"schema\") };";
const CASE: &str = "given a schema\n  people       sami roles security\n  service      pay, criticality medium, regimes none\n  \
    environment  prod, production yes\n  change       kind normal, risk low, touches schema\ncase its backup is asked for\n  \
    requires\n    house.require.restored_backup\n    base.require.validation\n    base.require.review\n    base.require.owner\n    \
    base.require.security\n    base.require.change_manager\n    base.require.evidence\n";

/// The states of the server that keeps the backups.
const OLD: u8 = 0;
const HTML: u8 = 1;
const HANGS: u8 = 2;
const YOUNG: u8 = 3;

/// A server that reports the age of the restored backup, in one of these ways.
struct Backups {
    url: String,
    does: Arc<AtomicU8>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Backups {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (does, asked) = (Arc::new(AtomicU8::new(OLD)), Arc::<Mutex<Vec<String>>>::default());
        let (how, heard) = (does.clone(), asked.clone());
        std::thread::spawn(move || {
            // Those that are left hanging are kept open.
            let mut hanging = Vec::new();
            for stream in listener.incoming().flatten() {
                let how = how.load(Ordering::SeqCst);
                heard.lock().unwrap().push(path_of(&stream));
                match how {
                    HANGS => hanging.push(stream),
                    how => answer(stream, how),
                }
            }
        });
        Self { url, does, asked }
    }

    fn now(&self, how: u8) {
        self.does.store(how, Ordering::SeqCst);
    }
}

fn path_of(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        line.clear();
    }
    first.split(' ').nth(1).unwrap_or_default().to_owned()
}

fn answer(mut stream: TcpStream, how: u8) {
    let (kind, body) = match how {
        HTML => ("text/html", "<p>All is well: 1 hour.</p>"),
        OLD => ("application/json", r#"{"restored": {"age_hours": 25}}"#),
        _ => ("application/json", r#"{"restored": {"age_hours": 23}}"#),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // The client may have given up.
    let _ = stream.write_all(head.as_bytes());
}

fn with_rule(server: &Server, url: &str) {
    let proposal = json!({
        "reason": "Backups first", "parameters": "thorough_evidence_from = \"never\"\n",
        "files": [{"path": "house/house.cedar", "content": RULE}],
        "cases": [{"path": "house/cases/house.cases", "content": CASE}],
    });
    in_force(server, url, &proposal);
}

/// Sets the probe up, and puts policies in force, by two people.
fn in_force(server: &Server, url: &str, proposal: &Value) {
    let admin = server.token("admin");
    let probe = json!({
        "key": "restored-backup", "title": "The last backup that was restored", "url": format!("{url}/{{service}}/{{environment}}"),
        "pointer": "/restored/age_hours", "reads": "age_hours", "owner": "security",
    });
    server.must("POST", "/api/v1/probes", &admin, Some(&probe));
    let made = server.must("POST", "/api/v1/policies", &admin, Some(proposal));
    let path = format!("/api/v1/configurations/{}/activation", made["id"].as_str().unwrap());
    server.must("POST", &path, &server.token("change_manager"), Some(&json!({})));
}

fn answers(server: &Server, path: &str) -> Vec<Value> {
    let found = server.must("GET", &format!("{path}/evidence"), &server.token("auditor"), None);
    let mut rows = found["items"].as_array().unwrap().clone();
    rows.retain(|row| row["kind"] == "probe");
    rows
}

fn line(server: &Server, path: &str) -> Value {
    let found = server.must("GET", &format!("{path}/checklist"), &server.token("auditor"), None);
    found["items"][0].clone()
}

/// Lets the probe run, and waits for its result.
fn asks(server: &Server, path: &str, backups: &Backups, how: u8) {
    let before = answers(server, path).len();
    backups.now(how);
    let id = line(server, path)["id"].as_str().unwrap().to_owned();
    let ask = format!("{path}/checklist/{id}/probe");
    server.must("POST", &ask, &server.token("requester"), Some(&json!({})));
    let came = awaited(|| (answers(server, path).len() > before).then_some(()));
    assert!(came.is_some(), "no answer was kept: {:#?}", answers(server, path));
}

#[test]
fn a_schema_changes_only_with_a_backup_that_was_restored_of_late() {
    let place = Place::demo("restored_backup");
    let server = Server::start_with(&place, true, ALLOW);
    let backups = Backups::start();
    with_rule(&server, &backups.url);
    let digest = artifact(8_801);
    let mut body = request("Add a column", &digest, server.server_time());
    body["touches"] = json!(["schema"]);
    let path = waiting_for_approval(&server, &body, &digest);
    for role in ["owner", "security", "change_manager"] {
        approve(&server, &path, role);
    }
    // It runs by itself, for the place of the target.
    assert!(awaited(|| (!answers(&server, &path).is_empty()).then_some(())).is_some());
    let is_ours = || {
        backups
            .asked
            .lock()
            .unwrap()
            .iter()
            .any(|place| place == "/label-print/production")
    };
    assert!(awaited(|| is_ours().then_some(())).is_some());
    let implementer = server.token("implementer");
    let refused = |says: &str| {
        let start = format!("{}/implementation", below(&path));
        let (status, answer) = ask(&server, &implementer, "POST", &start, &json!({}));
        assert_eq!(status, 409, "{answer}");
        let row = answer["unmet"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["code"] == "probe_missing");
        let row = row.unwrap_or_else(|| panic!("{answer}"));
        assert!(row["text"].as_str().unwrap().contains(says), "{row}");
        assert!(!row["waiting_on"].as_array().unwrap().is_empty(), "{row}");
    };
    refused("25 hours");
    asks(&server, &path, &backups, HTML);
    refused("text/html");
    asks(&server, &path, &backups, HANGS);
    refused("There was no answer");
    assert_eq!(line(&server, &path)["state"], "open");
    asks(&server, &path, &backups, YOUNG);
    assert_eq!(line(&server, &path)["state"], "met");
    server.must(
        "POST",
        &format!("{path}/implementation"),
        &implementer,
        Some(&json!({})),
    );
    must_verify(&server);
}

/// The shipped item is met by the same probe, once the tenant has set it up.
#[test]
fn the_shipped_list_refuses_a_backup_of_25_hours_and_lets_one_of_23_pass() {
    let place = Place::demo("shipped_backup");
    let server = Server::start_with(&place, true, ALLOW);
    let backups = Backups::start();
    let shipped = json!({
        "reason": "Lists by category", "parameters": "thorough_evidence_from = \"never\"\n", "packs": ["checklists"],
    });
    in_force(&server, &backups.url, &shipped);
    let digest = artifact(8_802);
    let mut body = request("Add another column", &digest, server.server_time());
    body["touches"] = json!(["schema"]);
    let path = handed_in(&server, &body, &digest);
    for role in ["owner", "security", "change_manager"] {
        approve(&server, &path, role);
    }
    assert!(awaited(|| (!answers(&server, &path).is_empty()).then_some(())).is_some());
    let start = format!("{}/implementation", below(&path));
    let says =
        |server: &Server| ask(server, &server.token("implementer"), "POST", &start, &json!({})).1["unmet"].to_string();
    let row = |server: &Server| shipped_line(server, &path);
    let found = says(&server);
    assert!(found.contains("25 hours"), "{found}");
    assert_eq!(row(&server)["state"], "open");

    let before = answers(&server, &path).len();
    backups.now(YOUNG);
    let again = format!("{path}/checklist/{}/probe", row(&server)["id"].as_str().unwrap());
    server.must("POST", &again, &server.token("requester"), Some(&json!({})));
    assert!(awaited(|| (answers(&server, &path).len() > before).then_some(())).is_some());
    assert_eq!(row(&server)["state"], "met");
    // The list's other items stay open; the backup is no longer mentioned.
    let found = says(&server);
    assert!(!found.contains("backup"), "{found}");
    must_verify(&server);
}

/// The line of the shipped list that checks the backup.
fn shipped_line(server: &Server, path: &str) -> Value {
    let found = server.must("GET", &format!("{path}/checklist"), &server.token("auditor"), None);
    let mut rows = found["items"].as_array().unwrap().iter();
    let row = rows.find(|row| row["rule"] == "checklists.schema.restored_backup");
    row.unwrap_or_else(|| panic!("{found:#}")).clone()
}

/// A change with values for its security questions, as the shipped lists require.
fn handed_in(server: &Server, body: &Value, digest: &str) -> String {
    let requester = server.token("requester");
    let made = server.must("POST", "/api/v1/changes", &requester, Some(body));
    let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
    server.must("POST", &format!("{path}/submission"), &requester, Some(&json!({})));
    let open = server.must("GET", &format!("{path}/affected"), &requester, None)["open_questions"].clone();
    let answer = |it: &Value| json!({"question": it["question"], "yes": false});
    let answers: Vec<Value> = open.as_array().unwrap().iter().map(answer).collect();
    let said = json!({"dependencies_reviewed": true, "security_answers": answers});
    server.must("POST", &format!("{path}/assessment"), &requester, Some(&said));
    server.must("POST", &format!("{path}/evidence"), &requester, Some(&evidence(digest)));
    path
}
