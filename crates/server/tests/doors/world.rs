//! A server with one small tenant, and a client that uses plain HTTP/1.1 over a socket.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use acts::Context;
use acts::directory::{create_tenant, set_person, set_service};
use acts::identity::set_token;
use model::change::change_file::Actor;
use serde_json::{Value, json};
use server::identity::password;
use server::{Running, Settings, start};
use store::{Lane, Mode};

#[path = "../common/empty_database.rs"]
mod empty_database;

/// The tenant of every world.
pub const TENANT: &str = "acme";
/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";
/// The artifact of a change.
pub const ARTIFACT: &str = "sha256:6b1d1f0d1c3a4b5c6d7e8f901234567890abcdef1234567890abcdef12345678";

/// The people, each with just one role, and the parts in owning that it brings.
const PEOPLE: &[(&str, &str, &str)] = &[
    ("rita", "requester", ""),
    ("oscar", "owner", "owner"),
    ("sina", "security", "security"),
    ("mona", "change_manager", ""),
    ("ivan", "implementer", "implementer"),
    ("aino", "auditor", ""),
    ("adam", "admin", ""),
    ("pipe", "pipeline", "pipeline"),
    ("vera", "vendor", ""),
];

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A folder that nobody else uses; it is not made yet.
pub fn fresh_folder() -> PathBuf {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("assent-doors-{}-{number}", std::process::id()))
}

/// With `ASSENT_TEST_ENGINE=postgres` a world uses a fresh database of the cluster that `ASSENT_TEST_POSTGRES` names.
fn use_engine(settings: &mut Settings) {
    if std::env::var("ASSENT_TEST_ENGINE").as_deref() != Ok("postgres") {
        return;
    }
    let cluster = std::env::var("ASSENT_TEST_POSTGRES").expect("ASSENT_TEST_POSTGRES names the cluster");
    let database = format!(
        "doors_{}_{}",
        std::process::id(),
        NUMBER.fetch_add(1, Ordering::Relaxed)
    );
    let statement = format!("CREATE DATABASE {database}");
    let made = std::process::Command::new("psql")
        .args([&cluster, "-qc", &statement])
        .status()
        .unwrap();
    assert!(made.success());
    let (head, _) = cluster.rsplit_once('/').unwrap();
    settings.database_url = Some(format!("{head}/{database}"));
    settings.master_key = Some("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".to_owned());
}

/// A running server, and everybody's token.
pub struct World {
    pub server: Running,
    pub tokens: BTreeMap<String, String>,
    folder: PathBuf,
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The body, after a look at the status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// A problem of this status and code.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["status"], status);
        body
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// A request to be made.
pub struct TestRequest<'w> {
    world: &'w World,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl TestRequest<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string().as_bytes())
    }

    pub fn bytes(mut self, kind: &str, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.header("content-type", kind)
    }

    pub fn send(self) -> Answer {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            self.method,
            self.path,
            self.world.host()
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.headers.iter().any(|(name, _)| name == "content-length") && !self.body.is_empty() {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        let mut stream = self.world.connect();
        stream.write_all(head.as_bytes()).unwrap();
        // A server that refuses a body unread may close before it has it all.
        let _ = stream.write_all(&self.body);
        let answer = read_answer(&mut stream);
        let kind = answer
            .headers
            .get("content-type")
            .map(String::as_str)
            .unwrap_or_default();
        let found = wire::openapi::judge::misfits(&self.method, &self.path, answer.status, kind, &answer.body);
        assert!(found.is_empty(), "an answer is not as described: {found:#?}");
        answer
    }
}

/// Reads a response to its end.
pub fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let mut buffer = [0_u8; 16_384];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            // The connection was reset under a body that nobody wanted; the bytes before it count.
            Err(_) if !bytes.is_empty() => break,
            Err(error) => panic!("no answer: {error}"),
        }
    }
    parse(&bytes)
}

pub fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pairs: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let is_cookie = |(name, _): &&(&str, &str)| name.eq_ignore_ascii_case("set-cookie");
    let cookies: Vec<&str> = pairs.iter().filter(is_cookie).map(|(_, value)| value.trim()).collect();
    // Of several of one name the first counts, such as a session's cookie; the last is beside it.
    let more = pairs
        .iter()
        .map(|(name, value)| (format!("{}, more", name.to_lowercase()), value.trim().to_owned()));
    let mut headers: BTreeMap<String, String> = more.collect();
    let named: BTreeMap<String, String> = pairs
        .into_iter()
        .rev()
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    headers.extend(named);
    if !cookies.is_empty() {
        // Cookies follow one another, so that each of them is found.
        headers.insert("set-cookie".to_owned(), cookies.join("; "));
    }
    let mut body = bytes[end + 4..].to_vec();
    if headers.get("transfer-encoding").is_some_and(|it| it == "chunked") {
        body = unchunked(&body);
    }
    Answer { status, headers, body }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(at) = bytes.windows(2).position(|it| it == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..at]).unwrap().trim(), 16).unwrap();
        if size == 0 || bytes.len() < at + 2 + size {
            break;
        }
        body.extend_from_slice(&bytes[at + 2..at + 2 + size]);
        bytes = &bytes[(at + 2 + size + 2).min(bytes.len())..];
    }
    body
}

impl World {
    /// A server with the tenant, its people and their tokens.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same, with other settings.
    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new(fresh_folder());
        settings.listen.set_port(0);
        settings.stop_seconds = 1;
        use_engine(&mut settings);
        change(&mut settings);
        if settings.database_url.is_none() && !settings.data_dir.exists() {
            empty_database::make(&settings.data_dir);
        }
        Self::over(settings)
    }

    /// The same, with just these settings.
    pub fn over(settings: Settings) -> Self {
        let server = start(&settings, None).unwrap();
        let mut world = Self {
            server,
            tokens: BTreeMap::new(),
            folder: settings.data_dir,
        };
        world.fill();
        world
    }

    /// Stops, and starts over the same data.
    pub fn restart(&mut self, settings: Settings) {
        self.server.stop();
        self.server = start(&settings, None).unwrap();
    }

    fn fill(&mut self) {
        self.act(|cx| create_tenant::create_tenant(cx, "Acme", false));
        self.act(|cx| {
            let service = json!({"key": "booking-api", "criticality": "low", "data_class": "public"});
            set_service::set_service(cx, service.as_object().unwrap())
        });
        for (login, role, part) in PEOPLE {
            self.act(move |cx| {
                let person = json!({"login": login, "name": login, "roles": [role]});
                set_person::create_person(cx, person.as_object().unwrap())?;
                if !part.is_empty() {
                    let line = json!({"role": part, "person": login});
                    set_service::set_ownership(cx, line.as_object().unwrap())?;
                }
                Ok(())
            });
            let scopes = ["read", "write", "gate", "audit", "admin"];
            let token = self.token(login, &scopes);
            self.tokens.insert((*login).to_owned(), token);
        }
    }

    /// Does an act on the host, as the system.
    pub fn act<T: Send + 'static>(&self, act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static) -> T {
        self.server
            .state()
            .executor()
            .wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, act)
            .unwrap()
    }

    /// A new token of a person.
    pub fn token(&self, login: &str, scopes: &[&str]) -> String {
        let body = json!({"name": "test", "person": login, "scopes": scopes});
        let (_, secret) = self.act(move |cx| set_token::create_token(cx, body.as_object().unwrap()));
        secret
    }

    /// Gives a person the usual password.
    pub fn set_password(&self, login: &'static str) {
        let phc = password::hash(PASSWORD).unwrap();
        self.act(move |cx| set_person::set_password(cx, login, &phc));
    }

    /// The data folder.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.server.port())
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// A request without a credential.
    pub fn ask(&self, method: &str, path: &str) -> TestRequest<'_> {
        TestRequest {
            world: self,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A request below the API's base, with a person's token.
    pub fn as_person(&self, login: &str, method: &str, path: &str) -> TestRequest<'_> {
        self.ask(method, &format!("/api/v1{path}"))
            .header("authorization", &format!("Bearer {}", self.tokens[login]))
    }

    pub fn get(&self, login: &str, path: &str) -> Answer {
        self.as_person(login, "GET", path).send()
    }

    pub fn post(&self, login: &str, path: &str, body: &Value) -> Answer {
        self.as_person(login, "POST", path).json(body).send()
    }

    /// A draft that is ready to be submitted; its window is open now.
    pub fn change_body() -> Value {
        let now = jiff::Timestamp::UNIX_EPOCH.max("2020-01-01T00:00:00Z".parse().unwrap());
        json!({
            "title": "Roll out booking-api 4.2", "description": "A new release.", "justification": "Faster search.",
            "services": ["booking-api"], "environment": "production", "artifact": ARTIFACT,
            "complexity": "low", "planned_start": now.to_string(), "planned_end": "2100-01-01T00:00:00Z",
            "plan": [{"title": "Deploy"}], "rollback_plan": [{"title": "Deploy the last one"}],
        })
    }

    /// Makes a change as the requester; returns its key.
    pub fn draft(&self) -> String {
        let made = self.post("rita", "/changes", &Self::change_body()).expect(201);
        made["key"].as_str().unwrap().to_owned()
    }

    /// Walks a draft until it is scheduled.
    pub fn schedule(&self, key: &str) {
        self.post("rita", &format!("/changes/{key}/submission"), &json!({}))
            .expect(201);
        self.post(
            "rita",
            &format!("/changes/{key}/assessment"),
            &json!({"dependencies_reviewed": true}),
        )
        .expect(201);
        let note = json!({"kind": "note", "aspect": "functional", "result": "passed", "name": "smoke",
            "environment": "staging", "artifact": ARTIFACT, "text": "All 12 checks passed."});
        let evidence = self
            .post("rita", &format!("/changes/{key}/evidence"), &note)
            .expect(201);
        assert_eq!(evidence["result"], "passed", "{evidence}");
        for login in ["oscar", "sina", "mona"] {
            let change = self.get(login, &format!("/changes/{key}")).expect(200);
            let word = json!({"decision": "approve", "content_digest": change["content_digest"]});
            self.post(login, &format!("/changes/{key}/approvals"), &word)
                .expect(201);
        }
    }
}

/// Waits, half a minute at most, until an event after a response has happened.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..300 {
        if is_so() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    panic!("never: {what}");
}
