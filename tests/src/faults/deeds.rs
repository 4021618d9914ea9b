//! Writers who do every kind of act at once, remember the acknowledged ones, and retry unacknowledged ones with the same key:
//! changes on their whole way from the draft to the validation, and deliveries to the inbox.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::eventually;
use crate::journey::{artifact, evidence, question, request};
use crate::outside::github_signature;
use crate::{Server, caller};

/// The acts of a way in their order: the act, its role, and its path below the change, or from the root of the API.
pub const WAY: &[(&str, &str, &str)] = &[
    ("create", "requester", "/changes"),
    ("ask too early", "pipeline", "/gate-checks"),
    ("edit", "requester", ""),
    ("comment", "requester", "comments"),
    ("submit", "requester", "submission"),
    ("assess", "requester", "assessment"),
    ("note", "requester", "evidence"),
    ("upload", "requester", "evidence"),
    ("approve as owner", "owner", "approvals"),
    ("approve as security", "security", "approvals"),
    ("approve as manager", "change_manager", "approvals"),
    ("start by the gate", "pipeline", "/gate-checks"),
    ("tell of a step", "implementer", "implementation/entries"),
    ("complete", "implementer", "completion"),
    ("validate", "owner", "validation"),
];

/// One delivery in so many is a deployment, which makes a change; the others are pushes.
const DEPLOYED: usize = 4;
/// How long a sender rests between two deliveries, so that they do not crowd out the acts.
const REST: Duration = Duration::from_millis(40);
/// How many minutes of the servers' clocks the inbox has to be read in, far less than a way's window has.
const MINUTES: usize = 30;
/// Events that a timer writes when it is due, without any act of a person.
const BY_THE_CLOCK: &str = "change.window_opened";

/// A change and how far its writer has brought it.
#[derive(Debug, Clone)]
pub struct Way {
    /// Its title, which no other has.
    pub title: String,
    number: u64,
    began_at: Timestamp,
    /// The responses of the acknowledged acts, in the order of [`WAY`].
    pub answers: Vec<Value>,
    /// Whether a request was sent since it was last looked at.
    is_touched: bool,
}

impl Way {
    fn artifact(&self) -> String {
        artifact(self.number)
    }

    fn key(&self) -> &str {
        self.answers[0]["key"].as_str().expect("a change has a key")
    }

    fn file(&self) -> Vec<u8> {
        self.title.repeat(2_000).into_bytes()
    }
}

/// The events of each act of an undisturbed way: their kinds, and the change's state after it.
pub type Calm = Vec<(Vec<String>, String)>;

struct Shared {
    address: RwLock<Option<String>>,
    over: AtomicBool,
    ways: Mutex<Vec<Way>>,
    /// The ids of deliveries that were acknowledged.
    delivered: Mutex<Vec<String>>,
    acknowledged: AtomicUsize,
    /// The number of requests without a response just now.
    asking: AtomicUsize,
    strange: Mutex<Vec<String>>,
    tokens: HashMap<String, String>,
    hook: (String, String),
    began_at: Timestamp,
}

/// The load. Stop it with [`Deeds::stop`].
pub struct Deeds {
    shared: Arc<Shared>,
    writers: Vec<JoinHandle<()>>,
}

impl Deeds {
    /// Starts so many writers and one sender of deliveries, without a server at first. The place is the server's whose tokens
    /// they use; `series` numbers their artifacts apart from those of other loads.
    pub fn begin(name: &str, server: &Server, series: u64, writers: usize) -> Self {
        let shared = Arc::new(shared(name, server));
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        for writer in 0..writers {
            let (shared, name) = (shared.clone(), format!("{name}{writer}"));
            let first = series * 1_000_000 + writer as u64 * 10_000;
            threads.push(std::thread::spawn(move || write(&shared, &name, first)));
        }
        let (sender, sender_name) = (shared.clone(), name.to_owned());
        threads.push(std::thread::spawn(move || deliver_all(&sender, &sender_name, series)));
        Self {
            shared,
            writers: threads,
        }
    }

    /// Sets the server's address from now on.
    pub fn turn_to(&self, url: Option<&str>) {
        *self.shared.address.write().unwrap() = url.map(str::to_owned);
    }

    /// Takes the server away and waits until no request is open.
    pub fn rest(&self) {
        self.turn_to(None);
        eventually("everybody has their answer", || {
            self.shared.asking.load(Ordering::SeqCst) == 0
        });
    }

    /// The keys of the changes that wait for a decision, as far as their writers know.
    pub fn assessed(&self) -> Vec<String> {
        let assess = WAY.iter().position(|(what, ..)| *what == "assess").unwrap();
        let ways = self.shared.ways.lock().unwrap();
        let asked = ways.iter().filter(|way| way.answers.len() > assess);
        asked.map(|way| way.key().to_owned()).collect()
    }

    /// How many acts and deliveries were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.shared.acknowledged.load(Ordering::SeqCst)
    }

    /// Waits until so many more were.
    pub fn wait_for(&self, more: usize) {
        let wanted = self.acknowledged() + more;
        eventually("the server acknowledges", || {
            self.must_be_usual();
            self.acknowledged() >= wanted
        });
    }

    /// How often each act of [`WAY`] was acknowledged.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let ways = self.shared.ways.lock().unwrap();
        let done = ways.iter().flat_map(|way| WAY.iter().take(way.answers.len()));
        let mut counts = BTreeMap::new();
        done.for_each(|(what, ..)| *counts.entry(*what).or_default() += 1);
        counts.insert("deliver", self.shared.delivered.lock().unwrap().len());
        counts
    }

    fn must_be_usual(&self) {
        let strange = self.shared.strange.lock().unwrap();
        assert!(strange.is_empty(), "answers that nobody should get: {strange:#?}");
    }

    /// Every act acknowledged since the last look is there; an unacknowledged one is there as a whole or not at all. Nobody may
    /// be writing.
    pub fn check(&self, server: &Server, calm: &Calm) {
        self.must_be_usual();
        let mut ways = self.shared.ways.lock().unwrap();
        for way in ways.iter_mut().filter(|way| way.is_touched && !way.answers.is_empty()) {
            way.is_touched = false;
            check_events(server, way, calm);
            check_acts(server, way);
        }
        self.check_deliveries(server);
    }

    fn check_deliveries(&self, server: &Server) {
        let id = self.shared.hook.0.trim_start_matches("/hooks/");
        let listed = pages(
            server,
            &format!("/api/v1/connections/{id}/deliveries?limit=200"),
            "admin",
        );
        let mut found: HashMap<&str, usize> = HashMap::new();
        for row in &listed {
            let id = row["delivery_id"].as_str().unwrap_or_else(|| panic!("no id: {row}"));
            *found.entry(id).or_default() += 1;
        }
        for id in self.shared.delivered.lock().unwrap().iter() {
            assert_eq!(found.get(id.as_str()), Some(&1), "the delivery {id} was acknowledged");
        }
        let twice: Vec<_> = found.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "deliveries that are there twice: {twice:?}");
    }

    /// Prevents further acts; those under way go on until they get a response.
    pub fn wind_up(&self) {
        self.shared.over.store(true, Ordering::SeqCst);
    }

    /// Lets every writer have its last response; then everything is looked at once more, with the inbox read: no title is there
    /// twice, and each deployment has made one change. Returns the number of acts of each kind.
    pub fn stop(mut self, servers: &mut [Server], calm: &Calm) -> BTreeMap<&'static str, usize> {
        self.wind_up();
        for writer in std::mem::take(&mut self.writers) {
            writer.join().expect("no writer panics");
        }
        self.read_the_inbox(servers);
        let server = &servers[0];
        self.check(server, calm);
        let mut titles: HashMap<String, usize> = HashMap::new();
        for change in pages(server, "/api/v1/changes?limit=200", "auditor") {
            *titles.entry(change["title"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        for way in self.shared.ways.lock().unwrap().iter() {
            assert_eq!(titles.get(&way.title), Some(&1), "{way:?}");
            check_events(server, way, calm);
        }
        let deployments = self.shared.delivered.lock().unwrap();
        for id in deployments.iter().filter(|id| is_deployment(number_of(id))) {
            let commit = &commit(id)[..12];
            let made = titles.iter().filter(|(title, _)| title.contains(commit));
            assert_eq!(made.map(|(_, times)| times).sum::<usize>(), 1, "the deployment {id}");
        }
        drop(deployments);
        self.counts()
    }

    /// Messages that a dead server had taken out of the inbox, and failed ones, are due some minutes later: the servers' clocks
    /// go on until nothing waits.
    fn read_the_inbox(&self, servers: &mut [Server]) {
        let id = self.shared.hook.0.trim_start_matches("/hooks/");
        let path = format!("/api/v1/connections/{id}/deliveries?state=waiting&limit=200");
        let now = servers[0].server_time();
        servers.iter_mut().for_each(|server| server.hold_clock(now));
        let (mut waiting, mut still) = (Vec::new(), 0);
        for minute in 0.. {
            if minute < MINUTES {
                servers.iter_mut().for_each(|server| server.advance(60));
            } else if still >= MINUTES {
                break;
            }
            let before = waiting.len();
            for _ in 0..20 {
                waiting = pages(&servers[0], &path, "admin");
                if waiting.is_empty() {
                    return;
                }
                std::thread::park_timeout(Duration::from_millis(50));
            }
            // A crowded machine reads slowly, and has time for as long as it reads.
            still = if waiting.len() < before { 0 } else { still + 1 };
        }
        panic!("{MINUTES} minutes later there wait {waiting:#?}");
    }
}

fn shared(name: &str, server: &Server) -> Shared {
    let roles: HashSet<&str> = WAY.iter().map(|(_, role, _)| *role).collect();
    let tokens = roles.into_iter().map(|role| (role.to_owned(), server.token(role)));
    Shared {
        address: RwLock::default(),
        over: AtomicBool::default(),
        ways: Mutex::default(),
        delivered: Mutex::default(),
        acknowledged: AtomicUsize::default(),
        asking: AtomicUsize::default(),
        strange: Mutex::default(),
        tokens: tokens.collect(),
        hook: connect(server, name),
        began_at: server.server_time(),
    }
}

/// A connection of GitHub's for one service: its delivery address and its signing key.
fn connect(server: &Server, name: &str) -> (String, String) {
    let row =
        json!({"repository": "halden/edge-dns", "service": "edge-dns", "environments": {"production": "production"}});
    let wanted = json!({"kind": "github", "name": format!("GitHub of {name}"), "map": [row]});
    let made = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&wanted));
    let text = |field: &str| {
        made[field]
            .as_str()
            .expect("a connection says where and how")
            .to_owned()
    };
    (text("hook_path"), text("secret"))
}

/// All items of a list.
fn pages(server: &Server, path: &str, role: &str) -> Vec<Value> {
    let (token, mut items, mut after) = (server.token(role), Vec::new(), String::new());
    loop {
        let page = server.must("GET", &format!("{path}{after}"), &token, None);
        items.extend(page["items"].as_array().expect("a list has items").iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return items,
        }
    }
}

/// The kinds of a change's events in their order, and its state.
fn timeline(server: &Server, key: &str) -> (Vec<String>, String) {
    let events = pages(server, &format!("/api/v1/changes/{key}/events?limit=200"), "auditor");
    let kinds = events.iter().map(|event| event["kind"].as_str().unwrap().to_owned());
    let change = server.must("GET", &format!("/api/v1/changes/{key}"), &server.token("auditor"), None);
    let state = change["state"].as_str().unwrap().to_owned();
    (kinds.filter(|kind| kind != BY_THE_CLOCK).collect(), state)
}

/// Walks one way undisturbed, and returns the events of each act.
pub fn calm(server: &Server) -> Calm {
    let shared = shared("calm", server);
    *shared.address.write().unwrap() = Some(server.url.clone());
    let mut way = Way {
        title: "A calm way".to_owned(),
        number: 900_001,
        began_at: shared.began_at,
        answers: Vec::new(),
        is_touched: false,
    };
    let agent = caller::agent();
    let mut told = Vec::new();
    let mut written = 0;
    for _ in WAY {
        let Some(answer) = step(&shared, &agent, &way) else {
            panic!("{:?}", shared.strange.lock().unwrap());
        };
        way.answers.push(answer);
        let (kinds, state) = timeline(server, way.key());
        told.push((kinds[written..].to_vec(), state));
        written = kinds.len();
    }
    told
}

/// A way is where its acknowledged acts have left it, or one whole act further.
fn check_events(server: &Server, way: &Way, calm: &Calm) {
    let found = timeline(server, way.key());
    let upto = |count: usize| {
        let kinds = calm[..count].iter().flat_map(|(kinds, _)| kinds.clone());
        (kinds.collect::<Vec<_>>(), calm[count - 1].1.clone())
    };
    let done = way.answers.len();
    let is_whole = (done..=calm.len().min(done + 1)).any(|count| found == upto(count));
    assert!(
        is_whole,
        "{} of {}: {done} acts were acknowledged, which write {:?}; there are {found:?}",
        way.key(),
        way.title,
        upto(done)
    );
}

/// Checks the effects of each acknowledged act, beyond its events and the state.
fn check_acts(server: &Server, way: &Way) {
    let (auditor, path) = (server.token("auditor"), format!("/api/v1/changes/{}", way.key()));
    let change = server.must("GET", &path, &auditor, None);
    let mut rows = Vec::new();
    for list in ["comments", "evidence", "approvals"] {
        rows.extend(pages(server, &format!("{path}/{list}?limit=200"), "auditor"));
    }
    for ((what, ..), answer) in WAY.iter().zip(&way.answers) {
        let is_there = || rows.iter().filter(|row| row["id"] == answer["id"]).count() == 1;
        let is_kept = match *what {
            "create" => change["title"] == way.title.as_str(),
            "edit" => change["labels"] == json!([way.title.replace(' ', "-")]),
            "upload" => {
                let file = format!("{path}/evidence/{}/file", answer["id"].as_str().unwrap());
                is_there() && server.get(&file, Some(&auditor)) == (200, way.file())
            }
            "comment" | "note" | "approve as owner" | "approve as security" | "approve as manager" => is_there(),
            "ask too early" | "start by the gate" => {
                let check = format!("/api/v1/gate-checks/{}", answer["id"].as_str().unwrap());
                let decision = if *what == "ask too early" { "stop" } else { "go" };
                server.must("GET", &check, &server.token("pipeline"), None)["decision"] == decision
            }
            _ => true,
        };
        assert!(is_kept, "`{what}` of {} was acknowledged with {answer}", way.title);
    }
}

fn write(shared: &Shared, name: &str, first: u64) {
    let agent = caller::agent();
    for number in first.. {
        if shared.over.load(Ordering::SeqCst) {
            return;
        }
        let place = {
            let mut ways = shared.ways.lock().unwrap();
            ways.push(Way {
                title: format!("Way {number} of writer {name}"),
                number,
                began_at: shared.began_at,
                answers: Vec::new(),
                is_touched: true,
            });
            ways.len() - 1
        };
        for _ in WAY {
            let mut way = shared.ways.lock().unwrap()[place].clone();
            // A writer that stops in the middle leaves a change that is on its way, as people do.
            if shared.over.load(Ordering::SeqCst) && !way.answers.is_empty() {
                return;
            }
            way.is_touched = true;
            let Some(answer) = step(shared, &agent, &way) else {
                return;
            };
            way.answers.push(answer);
            shared.ways.lock().unwrap()[place] = way;
            shared.acknowledged.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A request that is ready to be sent as often as it takes.
struct PreparedRequest {
    method: &'static str,
    path: String,
    token: String,
    key: String,
    kind: String,
    body: Vec<u8>,
}

/// Does the next act of a way; `None` after a response that no client should get.
fn step(shared: &Shared, agent: &ureq::Agent, way: &Way) -> Option<Value> {
    let (what, role, place) = WAY[way.answers.len()];
    let path = match place.strip_prefix('/') {
        Some(place) => format!("/api/v1/{place}"),
        None => format!("/api/v1/changes/{}/{place}", way.key())
            .trim_end_matches('/')
            .to_owned(),
    };
    let body = match what {
        "approve as owner" | "approve as security" | "approve as manager" => {
            let read = PreparedRequest {
                method: "GET",
                path: format!("/api/v1/changes/{}", way.key()),
                token: shared.tokens[role].clone(),
                key: String::new(),
                kind: "application/json".to_owned(),
                body: Vec::new(),
            };
            let (_, seen) = until_answered(shared, agent, &read)?;
            json!({"decision": "approve", "content_digest": seen["content_digest"]})
        }
        _ => body(what, way),
    };
    let (kind, body) = match what {
        "upload" => ("multipart/form-data; boundary=deeds".to_owned(), form(way)),
        _ => ("application/json".to_owned(), body.to_string().into_bytes()),
    };
    let ask = PreparedRequest {
        method: if what == "edit" { "PATCH" } else { "POST" },
        path,
        token: shared.tokens[role].clone(),
        key: format!("{what} {}", way.title),
        kind,
        body,
    };
    until_answered(shared, agent, &ask).map(|(_, answer)| answer)
}

fn body(what: &str, way: &Way) -> Value {
    match what {
        "create" => request(&way.title, &way.artifact(), way.began_at),
        "edit" => json!({"labels": [way.title.replace(' ', "-")]}),
        "comment" => json!({"text": format!("Said of {}.", way.title)}),
        "assess" => json!({"dependencies_reviewed": true}),
        "note" => evidence(&way.artifact()),
        "ask too early" | "start by the gate" => question(&way.artifact()),
        "tell of a step" => json!({"text": "Node one is up.", "kind": "step"}),
        "complete" => json!({"outcome": "succeeded"}),
        "validate" => json!({"result": "works", "text": "Looked."}),
        _ => json!({}),
    }
}

/// A file with its fields (RFC 7578).
fn form(way: &Way) -> Vec<u8> {
    let mut text = String::new();
    let artifact = way.artifact();
    for (name, value) in [
        ("kind", "file"),
        ("aspect", "other"),
        ("result", "passed"),
        ("name", "What was seen"),
        ("environment", "staging"),
        ("artifact", artifact.as_str()),
    ] {
        text.push_str(&format!(
            "--deeds\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    text.push_str("--deeds\r\nContent-Disposition: form-data; name=\"file\"; filename=\"seen.txt\"\r\n");
    text.push_str("Content-Type: text/plain\r\n\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend(way.file());
    bytes.extend(b"\r\n--deeds--\r\n");
    bytes
}

/// Does something with the server's address, if there is one; the caller that moves the load elsewhere learns when it is done.
fn at_address<T>(shared: &Shared, ask: impl FnOnce(&str) -> T) -> Option<T> {
    let address = {
        let address = shared.address.read().unwrap();
        shared
            .asking
            .fetch_add(usize::from(address.is_some()), Ordering::SeqCst);
        address.clone()?
    };
    let told = ask(&address);
    shared.asking.fetch_sub(1, Ordering::SeqCst);
    Some(told)
}

/// Retries until there is a response; `None` when the response is one that no client should get.
fn until_answered(shared: &Shared, agent: &ureq::Agent, ask: &PreparedRequest) -> Option<(u16, Value)> {
    // A minute and a half of tries, so that an act left open at the end still gets its response.
    for tries in 0..9_000 {
        let Some((status, text)) = at_address(shared, |address| send(agent, address, ask)) else {
            std::thread::park_timeout(Duration::from_millis(10));
            continue;
        };
        // The version that the edit was made from is gone once the edit is there, which only its own first try can have done.
        let is_known = status == 412 && ask.method == "PATCH" && tries > 0;
        match (status, serde_json::from_str(&text)) {
            (200..300, Ok(answer)) => return Some((status, answer)),
            (0 | 503 | 200..300, _) => std::thread::park_timeout(Duration::from_millis(10)),
            _ if is_known => return Some((status, Value::Null)),
            _ => {
                let told = format!("{} {} `{}`: {status} {text}", ask.method, ask.path, ask.key);
                shared.strange.lock().unwrap().push(told);
                return None;
            }
        }
    }
    let told = format!("{} {}: never answered", ask.method, ask.path);
    shared.strange.lock().unwrap().push(told);
    None
}

/// The status, 0 when the response broke off, and the text.
fn send(agent: &ureq::Agent, address: &str, ask: &PreparedRequest) -> (u16, String) {
    let mut request = ureq::http::Request::builder()
        .method(ask.method)
        .uri(format!("{address}{}", ask.path))
        .header("Authorization", format!("Bearer {}", ask.token))
        .header("Content-Type", &ask.kind);
    request = match ask.method {
        "POST" => request.header("Idempotency-Key", &ask.key),
        // A change that nobody else edits is in its first version until its own edit.
        "PATCH" => request.header("If-Match", "\"1\""),
        _ => request,
    };
    let asked = match ask.method {
        "GET" => agent.run(request.body(()).unwrap()),
        _ => agent.run(request.body(ask.body.clone()).unwrap()),
    };
    let Ok(mut answer) = asked else {
        return (0, String::new());
    };
    let status = answer.status().as_u16();
    match answer.body_mut().read_to_string() {
        Ok(text) => (status, text),
        Err(_) => (0, String::new()),
    }
}

fn number_of(id: &str) -> usize {
    let digits = id.rsplit('-').next().unwrap_or_default();
    digits.parse().expect("a delivery ends in its number")
}

fn is_deployment(number: usize) -> bool {
    number.is_multiple_of(DEPLOYED)
}

/// The commit of a delivery: forty digits that no other has.
fn commit(id: &str) -> String {
    let digest = proof::crypto::digest_text(id.as_bytes());
    digest.trim_start_matches("sha256:")[..40].to_owned()
}

fn delivery(id: &str, series: u64) -> (&'static str, Value) {
    let (number, commit) = (number_of(id), commit(id));
    let repository = json!({"full_name": "halden/edge-dns", "name": "edge-dns", "owner": {"login": "halden"}});
    if !is_deployment(number) {
        return (
            "push",
            json!({"ref": "refs/heads/main", "after": commit, "before": "0".repeat(40), "commits": [],
                "pusher": {"name": "ingrid"}, "repository": repository, "sender": {"login": "ingrid"}}),
        );
    }
    let deployment = json!({
        "id": series * 1_000_000 + number as u64, "sha": commit, "ref": "main", "task": "deploy", "payload": {},
        "environment": "production", "creator": {"login": "ingrid"}, "created_at": "2026-11-20T10:00:00Z",
        "updated_at": "2026-11-20T10:00:00Z", "description": "Ship it",
    });
    (
        "deployment",
        json!({"action": "created", "deployment": deployment, "repository": repository, "sender": {"login": "ingrid"}}),
    )
}

/// Delivers one after the other, each until it is acknowledged.
fn deliver_all(shared: &Shared, name: &str, series: u64) {
    let agent = caller::agent();
    for number in 0.. {
        let id = format!("{name}-{number}");
        let (event, body) = delivery(&id, series);
        let body = body.to_string();
        loop {
            if shared.over.load(Ordering::SeqCst) {
                return;
            }
            std::thread::park_timeout(REST);
            let signed = github_signature(&shared.hook.1, body.as_bytes());
            let asked = at_address(shared, |address| {
                let request = agent
                    .post(format!("{address}{}", shared.hook.0))
                    .header("Content-Type", "application/json")
                    .header("X-GitHub-Event", event)
                    .header("X-GitHub-Delivery", &id)
                    .header("X-Hub-Signature-256", &signed);
                let answer = request.send(body.as_bytes());
                answer.map_or(0, |answer| answer.status().as_u16())
            });
            match asked.unwrap_or_default() {
                202 => break,
                0 | 503 => {}
                status => {
                    let told = format!("the delivery {id}: {status}");
                    return shared.strange.lock().unwrap().push(told);
                }
            }
        }
        shared.delivered.lock().unwrap().push(id);
        shared.acknowledged.fetch_add(1, Ordering::SeqCst);
    }
}
