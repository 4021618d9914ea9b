//! The product under measurement: its release binary over a folder of its own, filled with the demo.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::client::{Connection, request};

/// The service that all measured changes are about.
pub const SERVICE: &str = "label-print";
/// Its environment.
pub const ENVIRONMENT: &str = "production";
/// For how long the start may take, in tenths of a second.
const START: usize = 1_200;

/// The release binary: `ASSENT_TEST_BINARY`, or the one that was built beside this program.
pub fn binary() -> Result<PathBuf> {
    let path = match std::env::var_os("ASSENT_TEST_BINARY") {
        Some(path) => PathBuf::from(path),
        None => std::env::current_exe()?.with_file_name("assent"),
    };
    ensure!(
        path.is_file(),
        "{} is not there; build it first: cargo build --release -p assent",
        path.display()
    );
    Ok(path)
}

/// Where a product keeps its data.
enum Home {
    /// A place that goes with it, on the engine of this run.
    Own(::tests::Place),
    /// A folder that stays.
    Kept(PathBuf),
}

impl Home {
    fn path(&self) -> &Path {
        match self {
            Self::Own(place) => place.folder.path(),
            Self::Kept(folder) => folder,
        }
    }
}

/// A running server with the demo. Dropping it ends it.
pub struct Product {
    child: Child,
    folder: Home,
    database_url: Option<String>,
    /// Where it listens.
    pub address: SocketAddr,
    tokens: BTreeMap<String, String>,
}

impl Product {
    /// Starts it and waits until it is ready.
    pub fn start() -> Result<Self> {
        let place = ::tests::Place::new("bench");
        let database = place.database.clone();
        Self::begin(&binary()?, Home::Own(place), database.as_deref(), true)
    }

    /// Starts another server over the same database; `None` on SQLite, which has one server.
    pub fn beside(&self) -> Result<Option<Self>> {
        let Some(url) = &self.database_url else {
            return Ok(None);
        };
        let place = ::tests::Place {
            folder: tempfile::tempdir()?,
            database: Some(url.clone()),
        };
        let file = "demo-credentials.json";
        std::fs::copy(self.folder.path().join(file), place.folder.path().join(file))?;
        Self::begin(&binary()?, Home::Own(place), Some(url), false).map(Some)
    }

    /// Starts a program over a folder that stays, with the demo in it, and a PostgreSQL database where one is named.
    pub fn start_in(program: &Path, folder: &Path, database: Option<&str>) -> Result<Self> {
        Self::begin(program, Home::Kept(folder.to_owned()), database, true)
    }

    fn begin(program: &Path, folder: Home, database: Option<&str>, demo: bool) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = std::fs::File::create(folder.path().join("server.log"))?;
        let mut command = Command::new(program);
        command.arg("serve");
        if demo {
            command.args(["--demo", "--demo-days", "92"]);
        }
        command
            .args(["--listen", &address.to_string(), "--data"])
            .arg(folder.path())
            // A measure that lasts over night would measure the replay as well.
            .env("ASSENT_REPLAY_AT", "never");
        if let Some(url) = database {
            command
                .args(["--database", url])
                .env("ASSENT_MASTER_KEY", ::tests::MASTER_KEY);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut product = Self {
            child,
            folder,
            database_url: database.map(str::to_owned),
            address,
            tokens: BTreeMap::new(),
        };
        product.wait_until_ready()?;
        product.tokens = read_tokens(&product.folder.path().join("demo-credentials.json"))?;
        Ok(product)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let ask = request("GET", "/readyz", None, None);
        for _ in 0..START {
            let answer = Connection::open(self.address).and_then(|mut connection| connection.ask(&ask));
            if answer.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}:\n{}", self.log());
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        bail!("the server is not ready:\n{}", self.log())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// The token of a role.
    pub fn token(&self, role: &str) -> &str {
        self.tokens.get(role).map_or("", String::as_str)
    }

    /// The demo's person in a role, with tenant, login and password.
    pub fn person(&self, role: &str) -> Result<Value> {
        let file: Value = serde_json::from_slice(&std::fs::read(self.folder.path().join("demo-credentials.json"))?)?;
        let people = file["people"].as_array().context("the credentials name no people")?;
        let found = people.iter().find(|person| person["role"] == role).cloned();
        found.with_context(|| format!("the demo has no {role}"))
    }

    /// Its database's URL, on PostgreSQL.
    pub fn database_url(&self) -> Option<&str> {
        self.database_url.as_deref()
    }

    /// Its database's file, on SQLite.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("assent.db")
    }

    /// Resets the peak of the memory to the present resident size (proc(5), `clear_refs`).
    pub fn forget_most_memory(&self) -> Result<()> {
        let path = format!("/proc/{}/clear_refs", self.child.id());
        std::fs::write(&path, "5").with_context(|| format!("cannot write {path}"))
    }

    /// Resident memory in MiB: now, and the most so far.
    pub fn memory(&self) -> Result<(f64, f64)> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let field = |name: &str| -> Result<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
            Ok(number.ok_or_else(|| anyhow!("{path} has no {name}"))? / 1_024.0)
        };
        Ok((field("VmRSS:")?, field("VmHWM:")?))
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing left to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_tokens(path: &Path) -> Result<BTreeMap<String, String>> {
    let file: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let people = file["people"].as_array().context("the credentials name no people")?;
    let pair = |person: &Value| {
        Some((
            person["role"].as_str()?.to_owned(),
            person["token"].as_str()?.to_owned(),
        ))
    };
    Ok(people.iter().filter_map(pair).collect())
}

/// A client over one kept connection, opened anew where the server closed it in a long pause.
pub struct Caller<'a> {
    product: &'a Product,
    connection: Connection,
}

impl<'a> Caller<'a> {
    /// Connects.
    pub fn new(product: &'a Product) -> Result<Self> {
        let connection = Connection::open(product.address)?;
        Ok(Self { product, connection })
    }

    /// Sends a request in a role; the response must be 2xx.
    pub fn ask(&mut self, role: &str, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let path = format!("/api/v1{path}");
        let bytes = request(method, &path, Some(self.product.token(role)), body);
        self.connection.keep_open()?;
        let answer = self.connection.ask(&bytes)?;
        answer.json().with_context(|| format!("{role} {method} {path}"))
    }

    /// Walks a change to where only the change manager's decision is missing.
    pub fn nearly_approved(&mut self, artifact: &str, now: Timestamp) -> Result<PendingDecision> {
        let made = self.ask("requester", "POST", "/changes", Some(&whole_change(artifact, now)))?;
        let key = text_of(&made, "key")?;
        let path = format!("/changes/{key}");
        self.ask("requester", "POST", &format!("{path}/submission"), Some(&json!({})))?;
        let assessment = json!({"dependencies_reviewed": true});
        let assessed = self.ask("requester", "POST", &format!("{path}/assessment"), Some(&assessment))?;
        let evidence = json!({
            "kind": "note", "aspect": "functional", "result": "passed", "name": "Tests in staging",
            "environment": "staging", "artifact": artifact, "text": "412 of 412 passed",
        });
        self.ask("requester", "POST", &format!("{path}/evidence"), Some(&evidence))?;
        let asked = PendingDecision {
            path: format!("{path}/approvals"),
            approval: json!({"decision": "approve", "content_digest": text_of(&assessed, "content_digest")?}),
        };
        for role in ["owner", "security"] {
            self.ask(role, "POST", &asked.path, Some(&asked.approval))?;
        }
        Ok(asked)
    }
}

/// A change that waits for a decision.
pub struct PendingDecision {
    /// Where the decision goes.
    pub path: String,
    /// What it says.
    pub approval: Value,
}

/// A text of a response.
pub fn text_of(answer: &Value, field: &str) -> Result<String> {
    let text = answer[field].as_str().map(str::to_owned);
    text.with_context(|| format!("no `{field}` in {answer}"))
}

fn whole_change(artifact: &str, now: Timestamp) -> Value {
    json!({
        "title": "Print return labels in two languages",
        "description": "The return label carries German beside English.",
        "justification": "Returns from Germany wait for a translation today.",
        "category": "application", "complexity": "low",
        "impact": {"data": "none", "availability": "low", "compliance": "none"},
        "targets": [{"service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact}],
        "planned_start": (now - SignedDuration::from_mins(5)).to_string(),
        "planned_end": (now + SignedDuration::from_hours(6)).to_string(),
        "plan": [{"title": "Bring it out", "minutes": 10}],
        "rollback_plan": [{"title": "Bring the old one back", "minutes": 5}], "rollback_minutes": 5,
    })
}

/// A digest for a number, in place of a build's.
pub fn artifact(number: u64) -> String {
    proof::crypto::digest_text(&number.to_be_bytes())
}
