//! Every changing route, on its usual way: when its event cannot be written nothing of it happens, and when its response got
//! lost, a retry with the same key returns the same response and does nothing more.
//!
//! The way is in `every_route.json`: role, method, route, the values of its places, body, the parts of the response to
//! remember, and for a route without an event the reason. `role*` acts in a session with a fresh factor. In bodies `@N` is a
//! time N seconds from now, `#N` an artifact, `{name}` something remembered or looked up.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tests::journey::artifact;
use tests::{Place, Server};

use crate::api::described::{self, Talk};
use crate::platform::beside::Beside;
use crate::platform::crash::{must_replay, must_verify};

/// The way, row by row.
pub(crate) const WAY: &str = include_str!("../every_route.json");

/// Why the way leaves passkeys out.
const PASSKEYS: &str =
    "needs an authenticator and an address with a name; doors/passkeys.rs of the server and the browser walk it";

/// Changing methods that are on no way here, each with the reason. A new route must be on the way or here, or the test fails.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "POST /hooks/{connection}",
        "a signature opens it, no credential; deliveries.rs walks it",
    ),
    (
        "POST /api/v1/attestations",
        "a builder's signature is its key; the guide walks it",
    ),
    (
        "POST /api/v1/mapping",
        "goes the way of policies, which are walked; the guide walks it",
    ),
    (
        "POST /api/v1/log/cosignatures",
        "takes what a witness signed, and keeps no record; witnessed.rs walks it",
    ),
    (
        "POST /t/{tenant}/witness/add-checkpoint",
        "the signature of a log opens it, no credential; mutual_witnesses.rs walks it",
    ),
    (
        "POST /api/v1/people/{login}/suspensions/{number}",
        "needs a compromised account that gave something; leavers.rs of the server's tests walks it",
    ),
    (
        "POST /api/v1/changes/{key}/gate-reopenings",
        "needs an event that lacks its reasons; reopened.rs of the acts' tests walks it",
    ),
    (
        "PATCH /api/v1/drift-findings/{id}",
        "needs a report by the secret of a connection; incident/drift.rs walks it",
    ),
    (
        "POST /api/v1/template-feedback",
        "needs a closed change from a template; the guide walks it",
    ),
    (
        "POST /api/v1/templates/{key}/variants",
        "needs 20 changes from a template; alarming.rs of the acts' tests walks it",
    ),
    (
        "POST /api/v1/changes/{key}/readiness",
        "needs a rule that asks for it; ready.rs of the acts' tests walks it",
    ),
    (
        "POST /api/v1/vendors/{key}/notice-address",
        "needs a connection that takes mail; notify/notices.rs walks it",
    ),
    ("POST /api/v1/freeze-previews", "looks, and writes nothing"),
    ("POST /api/v1/conflict-previews", "looks, and writes nothing"),
    ("POST /api/v1/slots", "looks, and writes nothing"),
    (
        "PATCH /api/v1/conflicts/{id}",
        "needs two changes that conflict; schedule/conflicts.rs walks it",
    ),
    (
        "POST /api/v1/agenda-items",
        "needs a change that waits for a board after a freeze; agendas.rs of the acts' tests and cab/boards.rs walk it",
    ),
    (
        "POST /api/v1/agenda-items/{id}/objections",
        "needs an item of an agenda; cab/boards.rs walks it",
    ),
    (
        "POST /api/v1/agenda-items/{id}/turns",
        "needs an item and a meeting that is on; cab/boards.rs walks it",
    ),
    (
        "POST /api/v1/agendas/{id}/signature",
        "needs a meeting that has begun; cab/boards.rs walks it",
    ),
    (
        "POST /api/v1/board-forecasts",
        "needs an item of an agenda; cab/boards.rs walks it",
    ),
    ("POST /api/v1/mapping/explanation", "looks, and writes nothing"),
    ("POST /api/v1/mapping/trial", "looks, and writes nothing"),
    ("POST /api/v1/second-factors/passkeys", PASSKEYS),
    ("POST /api/v1/second-factors/passkeys/{id}/confirmation", PASSKEYS),
    ("POST /api/v1/session/passkey", PASSKEYS),
    ("POST /api/v1/session/passkey/{id}", PASSKEYS),
    ("POST /api/v1/session/step-up/passkey", PASSKEYS),
    ("POST /api/v1/session/step-up/passkey/{id}", PASSKEYS),
];

/// The walk so far.
pub(crate) struct Walk<'a> {
    server: &'a Server,
    now: Timestamp,
    pub(crate) remembered: BTreeMap<String, String>,
    /// Accepted bodies and responses, to be checked against the API's description.
    talk: Talk,
    /// The records after the last row, where the worker had nothing left to do.
    at_rest: Option<String>,
}

impl<'a> Walk<'a> {
    /// The walk on a server whose clock is held, before its first row.
    pub(crate) fn begin(server: &'a Server, now: Timestamp) -> Self {
        let mut walk = Self {
            server,
            now,
            remembered: BTreeMap::new(),
            talk: Talk::default(),
            at_rest: None,
        };
        for role in ["requester", "owner", "executive"] {
            walk.remembered.insert(role.to_owned(), login(server, role));
        }
        let (hook, delivery) = delivered(server);
        walk.remembered.insert("hook".to_owned(), hook);
        walk.remembered.insert("delivery".to_owned(), delivery);
        walk
    }

    /// Signs the role of a row in where it acts in a session.
    pub(crate) fn sign_in(&mut self, role: &str) {
        if let Some(name) = role.strip_suffix('*')
            && !self.remembered.contains_key(role)
        {
            let cookie = sign_in(self.server, name);
            self.remembered.insert(role.to_owned(), cookie);
        }
    }

    fn value(&self, name: &str) -> String {
        let requester = self.server.token("requester");
        let change = |key: &str, rest: &str| {
            let path = format!("/api/v1/changes/{}{rest}", self.remembered[key]);
            self.server.must("GET", &path, &requester, None)
        };
        match name.split_once(' ') {
            Some(("digest", key)) => change(key, "")["content_digest"].as_str().unwrap().to_owned(),
            Some(("condition", key)) => change(key, "/conditions")["items"][0]["id"]
                .as_str()
                .unwrap()
                .to_owned(),
            Some((line @ ("checklist" | "probe"), key)) => {
                let lines = change(key, "/checklist");
                let mut lines = lines["items"].as_array().unwrap().iter();
                let is_probe = |it: &&Value| it["kind"] == "probe";
                let found = lines.find(|it| is_probe(it) == (line == "probe"));
                found.unwrap()["id"].as_str().unwrap().to_owned()
            }
            Some(("login" | "password", role)) => {
                let field = if name.starts_with("login") { "login" } else { "password" };
                self.server.person(role)[field].as_str().unwrap().to_owned()
            }
            Some(("code", secret)) => code(&self.remembered[secret], self.now),
            Some(("session", role)) => {
                let headers = [("Cookie", self.remembered[&format!("{role}*")].as_str())];
                let answer = self.server.ask_with("GET", "/api/v1/sessions", None, None, &headers).1;
                let answer: Value = serde_json::from_slice(&answer).unwrap();
                answer["items"][0]["id"].as_str().unwrap().to_owned()
            }
            Some(("part", role)) => {
                let parts = self
                    .server
                    .must("GET", "/api/v1/access-reviews", &self.server.token(role), None);
                let login = self.value(&format!("login {role}"));
                let own = parts["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|it| it["manager"] == login.as_str());
                own.unwrap()["id"].as_str().unwrap().to_owned()
            }
            Some(("jti", permit)) => jti(&self.remembered[permit]),
            _ => name
                .strip_prefix('=')
                .map_or_else(|| self.remembered[name].clone(), str::to_owned),
        }
    }

    pub(crate) fn filled(&self, body: &Value) -> Value {
        match body {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, it)| (name.clone(), self.filled(it)))
                .collect(),
            Value::Array(items) => items.iter().map(|it| self.filled(it)).collect(),
            Value::String(text) => self.text(text).into(),
            other => other.clone(),
        }
    }

    fn text(&self, text: &str) -> String {
        if let Some(seconds) = text.strip_prefix('@') {
            return (self.now + SignedDuration::from_secs(seconds.parse().unwrap())).to_string();
        }
        if let Some(number) = text.strip_prefix('#') {
            return artifact(9_000 + number.parse::<u64>().unwrap());
        }
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => self.value(name),
            None => text.to_owned(),
        }
    }

    pub(crate) fn path(&self, route: &str, places: &Value) -> String {
        let mut names = places.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        let parts = route.split('/').map(|part| match part.starts_with('{') {
            true => self.value(names.next().unwrap()),
            false => part.to_owned(),
        });
        format!("/api/v1{}", parts.collect::<Vec<_>>().join("/"))
    }
}

/// An authenticator's code at a time (RFC 6238: SHA-1, six digits, thirty seconds).
pub fn code(secret: &str, now: Timestamp) -> String {
    let (mut bits, mut held, mut key) = (0_u32, 0_u32, Vec::new());
    for letter in secret.bytes() {
        let place = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
            .iter()
            .position(|it| *it == letter)
            .unwrap();
        (bits, held) = (bits << 5 | u32::try_from(place).unwrap(), held + 5);
        if held >= 8 {
            held -= 8;
            key.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let step = u64::try_from(now.as_second() / 30).unwrap();
    let tag = ring::hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes([tag[at] & 0x7f, tag[at + 1], tag[at + 2], tag[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// The cookie of a new session of a role of the demo.
pub fn sign_in(server: &Server, role: &str) -> String {
    let person = server.person(role);
    let body =
        serde_json::json!({"tenant": person["tenant"], "login": person["login"], "password": person["password"]});
    let agent = tests::caller::agent();
    let answer = agent
        .post(format!("{}/api/v1/session", server.url))
        .header("Content-Type", "application/json")
        .send(body.to_string())
        .unwrap();
    assert_eq!(answer.status().as_u16(), 201);
    let cookie = answer.headers().get("set-cookie").unwrap().to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// A delivery that has been read; the ids of its connection and of itself.
fn delivered(server: &Server) -> (String, String) {
    let hook = crate::integration::deliveries::connect(server);
    let body = serde_json::json!({"ref": "refs/heads/main", "before": "0".repeat(40), "after": "1".repeat(40), "commits": [],
        "pusher": {"name": "ingrid"},
        "repository": {"full_name": "halden/edge-dns"}, "sender": {"login": "ingrid"}});
    assert_eq!(hook.good("push", "walked", &body), 202);
    let connection = hook.path.trim_start_matches("/hooks/").to_owned();
    let path = format!("/api/v1/connections/{connection}/deliveries");
    let mut id = None;
    tests::faults::eventually("the delivery is read", || {
        let list = server.must("GET", &path, &server.token("admin"), None);
        let row = list["items"][0].clone();
        id = row["id"].as_str().map(str::to_owned);
        id.is_some() && row["state"] != "waiting"
    });
    (connection, id.unwrap())
}

/// The id inside of a permit.
fn jti(permit: &str) -> String {
    let payload = permit.split('.').nth(1).unwrap();
    let claims = proof::crypto::from_base64url(payload).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["jti"].as_str().unwrap().to_owned()
}

/// Lets no event be written any more, or lets them again.
fn refuse_events(base: &mut Beside, refuse: bool) {
    let sql = match (matches!(base, Beside::Postgres(_)), refuse) {
        (false, true) => "UPDATE test_writes SET refuses = 1",
        (false, false) => "UPDATE test_writes SET refuses = 0",
        (true, true) => {
            "CREATE OR REPLACE FUNCTION refuse_event() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END';
             CREATE TRIGGER refuse_events BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION refuse_event()"
        }
        (true, false) => "DROP TRIGGER refuse_events ON event; DROP FUNCTION refuse_event()",
    };
    base.ask(&[sql]);
}

/// The tables that hold records; they are looked up once.
fn tables(base: &mut Beside) -> &'static [String] {
    static TABLES: OnceLock<Vec<String>> = OnceLock::new();
    TABLES.get_or_init(|| {
        let sql = match base {
            Beside::Postgres(_) => {
                "SELECT table_name FROM information_schema.columns WHERE column_name = 'sealed' ORDER BY 1"
            }
            Beside::Sqlite(_) => {
                "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE c.name = 'sealed' ORDER BY 1"
            }
        };
        let names: Vec<String> = base.ask(&[sql]).lines().map(str::to_owned).collect();
        assert!(names.len() > 20, "records lie in {names:?}");
        names
    })
}

/// Has SQLite count the writes to records in a table of the test's own, and refuse events while a flag there is set. PostgreSQL
/// records which transactions wrote the present rows.
pub fn count_writes(base: &mut Beside) {
    if matches!(base, Beside::Postgres(_)) {
        return;
    }
    let mut sql = "BEGIN IMMEDIATE;
        CREATE TABLE test_writes (count INTEGER NOT NULL, refuses INTEGER NOT NULL);
        INSERT INTO test_writes VALUES (0, 0);
        CREATE TRIGGER test_refusal BEFORE INSERT ON event WHEN (SELECT refuses FROM test_writes) = 1
        BEGIN SELECT RAISE(ABORT, 'refused'); END;\n"
        .to_owned();
    let counted = "BEGIN UPDATE test_writes SET count = count + 1; END;";
    for table in tables(base) {
        for kind in ["INSERT", "DELETE"] {
            sql += &format!("CREATE TRIGGER \"test_{kind}_{table}\" AFTER {kind} ON \"{table}\" {counted}\n");
        }
        // Whether a letter was mailed is noted by the worker, in its own time.
        if table != "message" {
            sql += &format!(
                "CREATE TRIGGER \"test_UPDATE_{table}\" AFTER UPDATE OF id, version, body ON \"{table}\"
                 WHEN OLD.version IS NOT NEW.version OR OLD.body IS NOT NEW.body {counted}\n"
            );
        }
    }
    sql += "COMMIT;";
    base.ask(&[sql.as_str()]);
}

/// Leaves the database as the product made it.
fn count_no_more(base: &mut Beside) {
    if matches!(base, Beside::Postgres(_)) {
        return;
    }
    let count = records(base);
    assert_ne!(count.trim(), "Integer(0)", "a walk writes records");
    let named =
        base.ask(&["SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'test\\_%' ESCAPE '\\'"]);
    let dropped: String = named
        .lines()
        .map(|name| format!("DROP TRIGGER \"{name}\";\n"))
        .collect();
    let sql = format!("BEGIN IMMEDIATE;\n{dropped}DROP TABLE test_writes;\nCOMMIT;");
    base.ask(&[sql.as_str()]);
}

/// The writes to records so far, in a form that every further one changes. A deletion on PostgreSQL changes the number
/// of rows. Reading the rows' content took most of the walk's time.
fn records(base: &mut Beside) -> String {
    if matches!(base, Beside::Sqlite(_)) {
        return base.ask(&["SELECT count FROM test_writes"]);
    }
    let tables = tables(base);
    let statements = tables.iter().map(|name| {
        // Whether a letter was mailed is noted by the worker, in its own time.
        let writers = match name == "message" {
            true => "0",
            false => "sum(xmin::text::bigint)",
        };
        format!("SELECT '{name}', count(*), {writers} FROM \"{name}\"")
    });
    let statements: Vec<String> = statements.collect();
    let all = base.ask(&statements.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(all.lines().count(), tables.len(), "a line for each table: {all}");
    proof::crypto::digest_text(all.as_bytes())
}

/// The records once the worker has finished the work that an act may have given it.
pub fn records_at_rest(base: &mut Beside) -> String {
    let mut last = records(base);
    tests::faults::eventually("the worker comes to rest", || {
        std::thread::park_timeout(std::time::Duration::from_millis(150));
        let found = records(base);
        let is_same = found == last;
        last = found;
        is_same
    });
    last
}

impl Walk<'_> {
    /// Sends the request of a row.
    pub(crate) fn ask(&self, row: &Value, path: &str, body: Option<&Value>, key: &str) -> (u16, Vec<u8>) {
        let [role, method] = [0, 1].map(|at| row[at].as_str().unwrap());
        let once = match method {
            "POST" => ("Idempotency-Key", key),
            _ => ("If-Match", "*"),
        };
        match role.strip_suffix('*') {
            Some(_) => {
                let headers = [
                    once,
                    ("Cookie", self.remembered[role].as_str()),
                    ("Origin", &self.server.url),
                ];
                self.server.ask_with(method, path, None, body, &headers)
            }
            None => {
                let token = (!role.is_empty()).then(|| self.server.token(role));
                self.server.ask_with(method, path, token.as_deref(), body, &[once])
            }
        }
    }

    fn remember(&mut self, row: &Value, answer: &Value) {
        for (name, place) in row[5].as_object().unwrap() {
            let found = answer.pointer(place.as_str().unwrap()).and_then(Value::as_str);
            let found = found.unwrap_or_else(|| panic!("no {name} in {answer}"));
            self.remembered.insert(name.clone(), found.to_owned());
        }
    }

    /// Keeps the traffic, for the description's judge.
    fn keep(&mut self, row: &Value, status: u16, body: Option<&Value>, answer: &Value) {
        let [method, route] = [1, 2].map(|at| row[at].as_str().unwrap());
        let route = format!("/api/v1{route}");
        self.talk.answered(method, &route, status, answer);
        if let Some(body) = body {
            self.talk.taken(method, &route, body);
        }
    }

    /// Walks a row: without its event, with it, and once more with the same key.
    fn step(&mut self, base: &mut Beside, number: usize, row: &Value) {
        let [role, method, route] = [0, 1, 2].map(|at| row[at].as_str().unwrap());
        self.sign_in(role);
        let path = self.path(route, &row[3]);
        let body = (!row[4].is_null()).then(|| self.filled(&row[4]));
        let key = format!("row {number}");
        let silent = row[6].as_str();
        let before = self.at_rest.take().filter(|rest| *rest == records(base));
        let before = before.unwrap_or_else(|| records_at_rest(base));
        refuse_events(base, true);
        let (status, answer) = self.ask(row, &path, body.as_ref(), &key);
        refuse_events(base, false);
        let told = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            matches!(status, 500 | 503) || silent.is_some(),
            "{method} {path} without its event: {status} {told}"
        );
        assert_eq!(records(base), before, "{method} {path} had an effect without its event");
        if silent.is_some() && (200..300).contains(&status) {
            let answer = serde_json::from_slice(&answer).unwrap();
            self.keep(row, status, body.as_ref(), &answer);
            self.remember(row, &answer);
            return;
        }
        let (status, answer) = self.ask(row, &path, body.as_ref(), &key);
        let told = String::from_utf8_lossy(&answer).into_owned();
        assert!((200..300).contains(&status), "{method} {path}: {status} {told}");
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        self.keep(row, status, body.as_ref(), &answer);
        self.remember(row, &answer);
        if method == "POST" && silent.is_none() {
            let after = records_at_rest(base);
            let (status, again) = self.ask(row, &path, body.as_ref(), &key);
            assert!((200..300).contains(&status), "{method} {path} again: {status}");
            let again: Value = serde_json::from_slice(&again).unwrap();
            assert_eq!(again["id"], answer["id"], "{method} {path} again");
            assert_eq!(records(base), after, "{method} {path} had its effect twice");
            self.at_rest = Some(after);
        }
    }
}

#[test]
fn no_route_has_an_effect_without_its_event_or_twice_with_one_key() {
    let place = Place::demo("routes");
    let mut server = Server::start_saying(&place, crate::platform::plans::LEVELS);
    // Timers would write events of their own between one look at the records and the next.
    let now = server.server_time();
    server.hold_clock(now);
    server.wait_for_log();
    let rows: Vec<Value> = serde_json::from_str(WAY).unwrap();
    let mut walk = Walk::begin(&server, now);
    let mut routes = BTreeSet::new();
    let mut base = Beside::of(&place);
    count_writes(&mut base);
    for (number, row) in rows.iter().enumerate() {
        let [method, route] = [1, 2].map(|at| row[at].as_str().unwrap());
        routes.insert(format!("{method} /api/v1{route}"));
        walk.step(&mut base, number, row);
    }
    count_no_more(&mut base);
    check_share(&server, &routes);
    walk.talk.must_be_described(&described::document(&server));
    for (key, list, who) in [("a", "condition", "owner"), ("g", "checklist", "requester")] {
        must_tell_who(&server, &walk.remembered[key], list, who);
    }
    crate::platform::plans::must_look_up(&place, &server);
    must_verify(&server);
    server.stop();
    must_replay(&place);
}

/// A confirmed finding is in the command line's list, with the person who confirmed it.
fn must_tell_who(server: &Server, key: &str, list: &str, role: &str) {
    let done = Command::new(tests::binary())
        .args(["change", list, "list", key])
        .env("ASSENT_SERVER", &server.url)
        .env("ASSENT_TOKEN", server.token(role))
        .output()
        .unwrap();
    let (told, login) = (String::from_utf8_lossy(&done.stdout), login(server, role));
    // A condition also names its checker, who is the same person here, so a moment must follow.
    let said = format!("{login} 20");
    assert!(done.status.success() && told.contains(&said), "{list}: {told}");
}

fn login(server: &Server, role: &str) -> String {
    let text = std::fs::read_to_string(server.data.join("demo-credentials.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let person = file["people"]
        .as_array()
        .unwrap()
        .iter()
        .find(|person| person["role"] == role);
    person.unwrap()["login"].as_str().unwrap().to_owned()
}

/// Every changing route of the table is on the way, or named with the reason why it is not.
fn check_share(server: &Server, walked: &BTreeSet<String>) {
    let document: Value = serde_json::from_slice(&server.get("/api/openapi.json", None).1).unwrap();
    let mut all = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let methods = methods.as_object().unwrap().keys();
        let changing = methods.filter(|method| ["post", "put", "patch", "delete"].contains(&method.as_str()));
        all.extend(changing.map(|method| format!("{} {path}", method.to_uppercase())));
    }
    let elsewhere: BTreeSet<String> = ELSEWHERE.iter().map(|(route, _)| (*route).to_owned()).collect();
    let known: BTreeSet<String> = walked.union(&elsewhere).cloned().collect();
    let (new, gone): (Vec<_>, Vec<_>) = (all.difference(&known).collect(), known.difference(&all).collect());
    println!("{} of {} changing routes were walked", walked.len(), all.len());
    assert!(new.is_empty(), "routes that nobody walked: {new:#?}");
    assert!(gone.is_empty(), "routes that are not there: {gone:#?}");
}
