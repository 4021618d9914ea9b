//! Two servers over one PostgreSQL: no event is placed twice, no job is done by both, and either may die at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::faults::deeds::{self, Calm, Deeds};
use tests::faults::{eventually, signals, size};
use tests::journey::{ENVIRONMENT, SERVICE, artifact, question, scheduled};
use tests::letters::Letters;
use tests::outside::Outside;
use tests::{Place, Server, binary, on_postgres};

use crate::incident::major::{self, nearly_emergency};
use crate::platform::crash::{must_replay, must_run, must_verify};
use crate::platform::paused_server::{checkpoint, note, roots_are_of_one_history};

/// How many ways at once at each of the servers.
const WRITERS: usize = 3;
/// How often one of them dies.
const KILLS: usize = 6;
/// The most jobs that a server has under way: the jobs of a killed server are done again.
const UNDER_WAY: usize = 16;

/// Two servers over one database, with a mail server and a receiver of webhooks outside.
struct Pair {
    places: [Place; 2],
    servers: Vec<Server>,
    letters: Letters,
    receiver: Outside,
    seen: BTreeMap<u64, String>,
}

impl Pair {
    fn start() -> Self {
        let place = Place::demo("pair");
        let letters = Letters::start();
        let first = start(&place, true, &letters);
        first.wait_for_log();
        let other = Place {
            folder: tempfile::tempdir().unwrap(),
            database: place.database.clone(),
        };
        let people = "demo-credentials.json";
        std::fs::copy(first.data.join(people), other.folder.path().join(people)).unwrap();
        let second = start(&other, false, &letters);
        Self {
            places: [place, other],
            servers: vec![first, second],
            letters,
            receiver: Outside::start(|_| (204, Value::Null)),
            seen: BTreeMap::new(),
        }
    }

    /// Kills one of them and starts it again; the caller decides the work meanwhile.
    fn kill(&mut self, which: usize, meanwhile: impl FnOnce(&Server)) {
        signals::send("KILL", self.servers[which].id());
        self.servers[which].wait_for_end();
        meanwhile(&self.servers[1 - which]);
        self.servers[which] = start(&self.places[which], which == 0, &self.letters);
    }

    /// The parts of the log that each of them serves are of one history.
    fn note(&mut self) {
        for server in &self.servers {
            note(&mut self.seen, checkpoint(server, &server.token("auditor")));
        }
    }

    /// How often each event came to the receiver, by its id; the same id always brings the same event.
    fn received(&self) -> BTreeMap<String, usize> {
        let (mut times, mut bodies) = (BTreeMap::new(), BTreeMap::new());
        for sent in self.receiver.sent() {
            let (id, mut event) = (sent.header("webhook-id").to_owned(), sent.json());
            // The sender names its own address, which servers behind one name have in common and these two do not.
            event["source"] = Value::Null;
            assert_eq!(
                *bodies.entry(id.clone()).or_insert_with(|| event.clone()),
                event,
                "{id}"
            );
            *times.entry(id).or_default() += 1;
        }
        times
    }

    /// How often each letter came that requests a decision, by its id.
    fn asked(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for letter in self.letters.to("", "needs your decision") {
            *times.entry(letter.head("Message-ID")).or_default() += 1;
        }
        times
    }
}

fn start(place: &Place, demo: bool, letters: &Letters) -> Server {
    let settings = letters.settings(place.folder.path());
    let flags = ["--config", settings.to_str().unwrap(), "--outgoing-allow", "127.0.0.1"];
    Server::start_with(place, demo, &flags)
}

/// The ids of a change's events that a webhook of `change.*` gets.
fn told_of(server: &Server, key: &str) -> Vec<String> {
    let path = format!("/api/v1/changes/{key}/events?limit=200");
    let events = server.must("GET", &path, &server.token("auditor"), None);
    let events = events["items"].as_array().unwrap().iter();
    let of_change = events.filter(|event| event["kind"].as_str().unwrap().starts_with("change."));
    of_change
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Every event of the loads' changes came, and each approver has one letter about each of them; returns the number of repeated
/// messages.
fn all_were_told(pair: &Pair, loads: &[Deeds]) -> usize {
    let server = &pair.servers[0];
    let keys: Vec<String> = loads.iter().flat_map(Deeds::assessed).collect();
    let events: Vec<String> = keys.iter().flat_map(|key| told_of(server, key)).collect();
    eventually("every event came", || {
        let received = pair.received();
        events.iter().all(|id| received.contains_key(id))
    });
    let mail = format!(
        "{}@halden.example",
        server.person("security")["login"].as_str().unwrap()
    );
    for key in &keys {
        let letters = || pair.letters.to(&mail, &format!("{key} needs your decision"));
        eventually("the approver has the letter", || !letters().is_empty());
        let ids: BTreeSet<String> = letters().iter().map(|letter| letter.head("Message-ID")).collect();
        assert_eq!(ids.len(), 1, "two letters to one approver about {key}: {ids:?}");
    }
    let again = |times: &BTreeMap<String, usize>| times.values().map(|times| times - 1).sum::<usize>();
    println!(
        "{} events and {} letters came",
        pair.received().len(),
        pair.asked().len()
    );
    again(&pair.received()) + again(&pair.asked())
}

/// Records and signatures of one server are served and verified by the other.
fn they_share_keys_and_tiles(pair: &Pair, first_artifact: u64) {
    for (n, (one, other)) in [(0, 1), (1, 0)].into_iter().enumerate() {
        let (one, other) = (&pair.servers[one], &pair.servers[other]);
        let artifact = artifact(first_artifact + n as u64);
        scheduled(one, "Signed by one of two", &artifact);
        let pipeline = one.token("pipeline");
        let check = one.must("POST", "/api/v1/gate-checks", &pipeline, Some(&question(&artifact)));
        let folder = tempfile::tempdir().unwrap();
        let at = |file: &str| folder.path().join(file);
        std::fs::write(at("permit"), check["permit"].as_str().unwrap()).unwrap();
        for file in ["jwks.json", "assent-revocations"] {
            let (status, bytes) = other.get(&format!("/t/halden/.well-known/{file}"), None);
            assert_eq!(status, 200, "{file}");
            std::fs::write(at(file), bytes).unwrap();
        }
        let mut command = Command::new(binary());
        command.args(["permit", "verify"]).arg(at("permit"));
        command.args([
            "--service",
            SERVICE,
            "--environment",
            ENVIRONMENT,
            "--artifact",
            &artifact,
        ]);
        command.arg("--keys").arg(at("jwks.json"));
        must_run(command.arg("--revocations").arg(at("assent-revocations")));
    }
    let auditor = pair.servers[0].token("auditor");
    for tile in ["tile/0/000", "tile/0/001", "tile/entries/000", "tile/entries/001"] {
        let path = format!("/t/halden/log/{tile}");
        let [one, other] = [0, 1].map(|which| pair.servers[which].get(&path, Some(&auditor)));
        assert!(one.0 == 200 && one.1.len() > 1_000, "{tile}: {}", one.0);
        assert_eq!(one, other, "{tile}");
    }
}

#[test]
fn two_servers_share_one_database() {
    if !on_postgres() {
        a_second_server_is_refused_the_folder();
        return;
    }
    let mut pair = Pair::start();
    let calm = deeds::calm(&pair.servers[0]);
    let url = format!("{}/in", pair.receiver.url);
    let hook = json!({"name": "both", "url": url, "kinds": ["change.*"]});
    pair.servers[1].must("POST", "/api/v1/webhooks", &pair.servers[1].token("admin"), Some(&hook));
    let loads = [2, 3].map(|series| Deeds::begin(&format!("P{series}-"), &pair.servers[0], series, WRITERS));
    // Both alive: no job is done by both.
    both_write(&pair, &loads, 40);
    each_reads_what_the_other_was_told(&mut pair, &loads, &calm);
    assert_eq!(
        all_were_told(&pair, &loads),
        0,
        "what came a second time while nobody died"
    );
    they_share_keys_and_tiles(&pair, 9_401);
    // Either dies at any time, and its people turn to the other one meanwhile.
    for round in 0..KILLS {
        let which = round % 2;
        both_write(&pair, &loads, 3 + (11 * round) % 20);
        pair.kill(which, |other| {
            loads[which].turn_to(Some(&other.url));
            loads[which].wait_for(4);
        });
        each_reads_what_the_other_was_told(&mut pair, &loads, &calm);
    }
    // The work of a dead server is free for the living a few minutes later.
    let later = pair.servers[0].server_time() + SignedDuration::from_mins(5);
    pair.servers.iter_mut().for_each(|server| server.hold_clock(later));
    let again = all_were_told(&pair, &loads);
    println!("{again} came a second time, after {KILLS} kills");
    assert!(again <= KILLS * UNDER_WAY, "{again} jobs were done twice");
    both_write(&pair, &loads, 1);
    loads.iter().for_each(Deeds::wind_up);
    let Pair {
        places,
        mut servers,
        mut seen,
        ..
    } = pair;
    for load in loads {
        println!("{:?}", load.stop(&mut servers, &calm));
    }
    must_verify(&servers[1]);
    for server in &servers {
        note(&mut seen, checkpoint(server, &server.token("auditor")));
    }
    roots_are_of_one_history(&servers[0], &servers[0].token("auditor"), &seen);
    servers.into_iter().for_each(|server| assert!(server.stop().success()));
    must_replay(&places[0]);
}

/// Each load writes at its own server until so many acts of each were acknowledged.
fn both_write(pair: &Pair, loads: &[Deeds], acts: usize) {
    for (load, server) in loads.iter().zip(&pair.servers) {
        load.turn_to(Some(&server.url));
    }
    loads.iter().for_each(|load| load.wait_for(acts));
}

/// Nobody writes for a moment: acts acknowledged by one server are visible on the other, uploads included.
fn each_reads_what_the_other_was_told(pair: &mut Pair, loads: &[Deeds], calm: &Calm) {
    loads.iter().for_each(Deeds::rest);
    for (load, server) in loads.iter().zip(pair.servers.iter().rev()) {
        load.check(server, calm);
    }
    pair.note();
}

/// The embedded engine has one server by design.
fn a_second_server_is_refused_the_folder() {
    let place = Place::new("second");
    let first = Server::start(&place, true);
    let second = Command::new("timeout")
        .arg("120")
        .arg(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&first.data)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned() + &String::from_utf8_lossy(&second.stdout);
    assert!(
        !second.status.success() && said.contains("already"),
        "a second server took the same folder: {said}"
    );
}

/// So many checks, sent to the servers by turns, that wait for the change manager; the server and the path of each.
fn waiting_checks(servers: &[Server], minor: &str, count: usize) -> Vec<(usize, String)> {
    let until = (servers[0].server_time() + SignedDuration::from_hours(5)).to_string();
    let check = |number: usize| {
        let build = artifact(7_720_000 + number as u64);
        nearly_emergency(&servers[0], (&format!("Labels again {number}"), minor), &build);
        let mut asked = question(&build);
        asked["wait_until"] = json!(until);
        let at = number % servers.len();
        let server = &servers[at];
        let check = server.must("POST", "/api/v1/gate-checks", &server.token("pipeline"), Some(&asked));
        assert_eq!(check["decision"], "stop", "{check:#}");
        let id = check["id"].as_str().unwrap();
        (at, format!("/api/v1/gate-checks/{id}"))
    };
    (0..count).map(check).collect()
}

/// The act of a major incident at one server turns every gate of all: open ones, in two dialects, and checks that wait.
fn closes_every_gate(servers: &[Server], count: usize) {
    let one = &servers[0];
    let minor = major::open(one, "Labels are slow", 3, &[SERVICE]);
    let open: Vec<String> = (0..count).map(|number| artifact(7_710_000 + number as u64)).collect();
    for (number, build) in open.iter().enumerate() {
        let server = &servers[number % servers.len()];
        major::emergency(server, &format!("Faster labels {number}"), &minor, build);
    }
    let checks = waiting_checks(servers, &minor, count);
    for (build, server) in open.iter().flat_map(|build| servers.iter().map(move |it| (build, it))) {
        eventually("the gate is open", || major::gate(server, build)["decision"] == "go");
        assert_eq!(major::forward(server, build).0, 200);
    }
    let key = major::open(one, "The warehouse stands still", 1, &[major::ABOVE]);
    // The server of the act refuses from its response on, another one as soon as it learns of the act.
    for build in &open {
        assert_eq!(major::gate(one, build)["decision"], "stop");
        assert_eq!(major::forward(one, build).0, 403);
    }
    for (build, other) in open
        .iter()
        .flat_map(|build| servers[1..].iter().map(move |it| (build, it)))
    {
        eventually("the other server refuses", || {
            major::gate(other, build)["decision"] == "stop"
        });
        assert_eq!(major::forward(other, build).0, 403);
    }
    for (at, path) in &checks {
        let (server, token) = (&servers[*at], servers[*at].token("pipeline"));
        eventually("the waiting check names the incident", || {
            server.must("GET", path, &token, None)["reasons"]
                .to_string()
                .contains(&key)
        });
    }
    must_verify(servers.last().unwrap());
}

/// On PostgreSQL at two servers, on SQLite at its one. `ASSENT_TEST_GATES` sets the number of gates; `bench --only major`
/// measures how soon.
#[test]
fn a_major_incident_at_one_server_closes_every_gate_of_both() {
    let count = size("ASSENT_TEST_GATES", 20);
    if on_postgres() {
        closes_every_gate(&Pair::start().servers, count);
        return;
    }
    let place = Place::demo("major-gates-of-all");
    closes_every_gate(&[Server::start(&place, true)], count);
}
