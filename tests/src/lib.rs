//! A running server for tests: the real binary over a folder of its own, on SQLite or on PostgreSQL, with a clock that
//! the test holds.
#![expect(clippy::unwrap_used, reason = "a harness says what it expects by unwrapping")]

pub mod authenticator;
pub mod browser;
pub mod caller;
pub mod crawl;
pub mod dice;
pub mod furnish;
pub mod held;
pub mod left_english;
pub mod letters;
pub mod mutants;
pub mod outside;
pub mod s3;
pub mod scores;
pub mod session;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::unplaced::Events;

pub mod faults;
pub mod journey;
pub mod template;
mod unplaced;

/// The master key of servers on PostgreSQL in tests.
pub const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Which engine this run is about.
pub fn on_postgres() -> bool {
    std::env::var("ASSENT_TEST_ENGINE").is_ok_and(|engine| engine == "postgres")
}

/// The checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The real binary: `ASSENT_TEST_BINARY`, or the debug build beside this test.
pub fn binary() -> PathBuf {
    std::env::var_os("ASSENT_TEST_BINARY").map_or_else(|| root().join("target/debug/assent"), PathBuf::from)
}

/// A port for a program that listens on 127.0.0.1, given to nobody else in this run. It lies below the ports that the system
/// gives away by itself, so that no connection takes it before the program does.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    // Each test program begins elsewhere, so that two side by side do not try the same ones.
    let first = std::process::id() % 200 * 50;
    loop {
        let place = (first + u32::from(GIVEN.fetch_add(1, Ordering::Relaxed))) % 20_000;
        let port = u16::try_from(10_000 + place).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A database of its own for one server; the folder for SQLite.
pub struct Place {
    /// The data folder.
    pub folder: tempfile::TempDir,
    /// The database's URL, on PostgreSQL.
    pub database: Option<String>,
}

impl Place {
    /// A fresh place on this run's engine.
    pub fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = on_postgres().then(|| create_database(name, ""));
        Self { folder, database }
    }
}

/// Makes a database for a server, and returns its URL. Names of tests are no names of databases, and two tests may have the same.
///
/// # Panics
/// When there is no PostgreSQL or it refuses.
pub fn create_database(name: &str, more: &str) -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let url = std::env::var("ASSENT_TEST_POSTGRES")
        .expect("ASSENT_TEST_POSTGRES names the private cluster; run cargo xtask test postgres");
    let place = MADE.fetch_add(1, Ordering::Relaxed);
    let database = format!("e2e_{}_{}_{place}", name.replace('-', "_"), std::process::id());
    let made = Command::new("psql")
        .args([
            &url,
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            &format!("CREATE DATABASE {database} {more}"),
        ])
        .output();
    let made = made.expect("psql is installed with PostgreSQL");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (head, _) = url.rsplit_once('/').unwrap();
    format!("{head}/{database}")
}

/// Every response of the API must match its description, whatever a test expects of it. `ASSENT_TEST_MISFITS` names a file in
/// which all differences of a run are gathered instead.
pub(crate) fn must_be_described(method: &str, path: &str, (status, kind, body): (u16, &str, &[u8])) {
    let found = wire::openapi::judge::misfits(method, path, status, kind, body);
    if let (false, Some(file)) = (found.is_empty(), std::env::var_os("ASSENT_TEST_MISFITS")) {
        use std::io::Write as _;
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(file)
            .unwrap();
        return file.write_all((found.join("\n") + "\n").as_bytes()).unwrap();
    }
    assert!(found.is_empty(), "an answer is not as described: {found:#?}");
}

/// A running server.
pub struct Server {
    child: Child,
    // Starts it again as it was started.
    command: Command,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// Its data folder.
    pub data: PathBuf,
    now: Timestamp,
    events: Events,
    log: tempfile::NamedTempFile,
}

impl Server {
    /// Starts the binary over a place; `demo` fills it. Waits until it is ready.
    pub fn start(place: &Place, demo: bool) -> Self {
        Self::start_with(place, demo, &[])
    }

    /// The same with further flags of `assent serve`.
    pub fn start_with(place: &Place, demo: bool, flags: &[&str]) -> Self {
        let mut server = Self::spawn(place, demo, flags);
        server.wait_until_ready();
        server
    }

    /// Starts the binary with further arguments, and does not wait.
    pub fn spawn(place: &Place, demo: bool, more: &[&str]) -> Self {
        Self::spawn_as(place, demo, "127.0.0.1", more)
    }

    /// One over the demo that writes more to its log than usual, as `ASSENT_LOG` sets it.
    pub fn start_saying(place: &Place, levels: &str) -> Self {
        let mut server = Self::spawn_saying(place, true, "127.0.0.1", (&[], levels));
        server.wait_until_ready();
        server
    }

    /// The same for people who reach it under another name of this host.
    pub fn spawn_as(place: &Place, demo: bool, name: &str, more: &[&str]) -> Self {
        Self::spawn_saying(place, demo, name, (more, ""))
    }

    fn spawn_saying(place: &Place, demo: bool, name: &str, said: (&[&str], &str)) -> Self {
        Self::spawn_by(Command::new(binary()), place, demo, ("127.0.0.1", name), said)
    }

    /// The same on a machine of a test's own network: `program` runs the binary there.
    pub fn start_on(program: Command, address: &str, place: &Place, demo: bool) -> Self {
        let mut server = Self::spawn_by(program, place, demo, (address, address), (&[], ""));
        server.wait_until_ready();
        server
    }

    fn spawn_by(
        mut command: Command,
        place: &Place,
        demo: bool,
        (address, name): (&str, &str),
        (more, levels): (&[&str], &str),
    ) -> Self {
        let port = free_port();
        let url = format!("http://{address}:{port}");
        let public = format!("http://{name}:{port}");
        let data = place.folder.path().to_path_buf();
        command
            .args([
                "serve",
                "--listen",
                &format!("{address}:{port}"),
                "--public-url",
                &public,
                "--data",
            ])
            .arg(&data)
            // By day or night, the log has the test's own acts and nothing else.
            .env("ASSENT_REPLAY_AT", "never")
            .args(more);
        if demo {
            // Three months: a year would be made for each run of the tests, and one of them looks at it.
            command.args(["--demo", "--demo-days", "92"]);
        }
        if !levels.is_empty() {
            command.env("ASSENT_LOG", levels);
        }
        if let Some(database) = &place.database {
            command.args(["--database", database]);
            command.env("ASSENT_MASTER_KEY", MASTER_KEY);
        }
        // It is beside the data, so that a disk that is full is full for it as well.
        let log = tempfile::NamedTempFile::new_in(&data).unwrap();
        let printed = log.reopen().unwrap();
        command
            .stdin(Stdio::null())
            .stdout(printed.try_clone().unwrap())
            .stderr(printed);
        let child = command.spawn().expect("the binary starts");
        let events = match &place.database {
            Some(url) => Events::Postgres(url.clone()),
            None => Events::Sqlite(data.join("assent.db")),
        };
        Self {
            child,
            command,
            url,
            data,
            now: Timestamp::UNIX_EPOCH,
            events,
            log,
        }
    }

    /// The server's output so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap_or_default()
    }

    /// The end of its output.
    pub fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// Waits until it is ready.
    pub fn wait_until_ready(&mut self) {
        // Filling the demo takes a while in a debug build; ten minutes are a bound, not a measure.
        for _ in 0..6_000 {
            if self.get("/readyz", None).0 == 200 {
                return;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        panic!("the server is not ready:\n{}", self.log());
    }

    /// Waits, half a minute at most, until it is ready or has ended by itself; whether it is ready.
    pub fn comes_up(&mut self) -> bool {
        for _ in 0..300 {
            if self.get("/readyz", None).0 == 200 {
                return true;
            }
            if let Ok(Some(_)) = self.child.try_wait() {
                return false;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        false
    }

    /// GET as a bearer of a token; the status and the body.
    pub fn get(&self, path: &str, token: Option<&str>) -> (u16, Vec<u8>) {
        self.ask("GET", path, token, None)
    }

    /// Any request with a JSON body; the status and the body. Status 0 means that there was no response.
    pub fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> (u16, Vec<u8>) {
        self.ask_with(method, path, token, body, &[])
    }

    /// The same with further headers.
    pub fn ask_with(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> (u16, Vec<u8>) {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent = crate::caller::agent();
        let answer = match body {
            Some(body) => agent.run(
                request
                    .header("Content-Type", "application/json")
                    .body(body.to_string())
                    .unwrap(),
            ),
            None => agent.run(request.body(()).unwrap()),
        };
        match answer {
            Ok(mut answer) => {
                let status = answer.status().as_u16();
                let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok());
                let kind = kind.unwrap_or_default().to_owned();
                let bytes = answer.body_mut().with_config().limit(200 << 20).read_to_vec();
                if let Ok(bytes) = &bytes {
                    must_be_described(method, path, (status, &kind, bytes));
                }
                (status, bytes.unwrap_or_default())
            }
            Err(_) => (0, Vec::new()),
        }
    }

    /// A request that must return 2xx, and its JSON.
    pub fn must(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Value {
        let (status, bytes) = self.ask(method, path, Some(token), body);
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {}\n{}",
            String::from_utf8_lossy(&bytes),
            self.last_words()
        );
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    }

    /// The token of a role of the demo.
    pub fn token(&self, role: &str) -> String {
        self.person(role)["token"].as_str().unwrap().to_owned()
    }

    /// The demo's person in a role, with tenant, login, password and token.
    pub fn person(&self, role: &str) -> Value {
        let text = std::fs::read_to_string(self.data.join("demo-credentials.json")).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        let people = file["people"].as_array().unwrap();
        people.iter().find(|person| person["role"] == role).unwrap().clone()
    }

    /// The server's own time, from its responses.
    pub fn server_time(&self) -> Timestamp {
        let agent = crate::caller::agent();
        let answer = agent.get(format!("{}/healthz", self.url)).call().unwrap();
        let date = answer.headers().get("date").unwrap().to_str().unwrap().to_owned();
        jiff::fmt::rfc2822::parse(&date).unwrap().timestamp()
    }

    /// Waits until every committed event has its place in the log, and for a second no further one came.
    pub fn wait_for_log(&self) {
        let token = self.token("auditor");
        let mut last = Vec::new();
        let mut same = 0;
        // Two minutes are a bound, not a measure.
        for _ in 0..1_200 {
            let checkpoint = self.get("/t/halden/log/checkpoint", Some(&token)).1;
            let size = checkpoint
                .split(|byte| *byte == b'\n')
                .nth(1)
                .unwrap_or_default()
                .to_vec();
            same = if size == last && size != b"0" { same + 1 } else { 0 };
            if same >= 10 && self.events.unplaced() == Some(0) {
                return;
            }
            last = size;
            std::thread::park_timeout(Duration::from_millis(100));
        }
        panic!("the log never came to rest:\n{}", self.log());
    }

    fn say_to_clock(&self, line: &str) {
        let socket = self.data.join("clock.sock");
        let mut stream = UnixStream::connect(&socket).expect("the binary is built with test-clock");
        held::note(&socket);
        writeln!(stream, "{line}").unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), "ok");
    }

    /// Holds the server's clock.
    pub fn hold_clock(&mut self, at: Timestamp) {
        self.say_to_clock(&format!("set {at}"));
        self.now = at;
    }

    /// Moves the held clock.
    pub fn advance(&mut self, seconds: i64) {
        self.say_to_clock(&format!("advance {seconds}"));
        self.now += SignedDuration::from_secs(seconds);
    }

    /// The held time.
    pub fn held_time(&self) -> Timestamp {
        self.now
    }

    /// The held time, as GNU date reads it.
    pub fn now_for_date(&self) -> String {
        self.now.strftime("%F %T UTC").to_string()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits, a minute at most, until the process has ended by itself.
    pub fn wait_for_end(&mut self) -> std::process::ExitStatus {
        let mut ended = None;
        faults::eventually("the server ends by itself", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }

    /// Ends the process at once, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends the process; [`Self::again`] starts it anew.
    pub fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts a process that was ended again, over the same data and at the same address. Waits until it is ready.
    pub fn again(&mut self) {
        self.child = self.command.spawn().expect("the binary starts");
        self.wait_until_ready();
    }

    /// Halts the process: connections stand and nothing is answered, until [`Self::go_on`].
    pub fn halt(&self) {
        self.signal("-STOP");
    }

    /// Lets a halted process work again.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Sends the process the signal to stop, and waits for its end.
    pub fn stop(mut self) -> std::process::ExitStatus {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(asked.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
