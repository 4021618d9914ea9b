//! Failover: three PostgreSQL nodes, two servers, and through every fault of the primary or a server, nothing that was
//! acknowledged is lost and nothing happens twice.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::faults::cluster::Cluster;
use tests::faults::load::{Kept, Load, check_kept};
use tests::faults::nodes::{Nodes, SERVERS, why_left_out};
use tests::faults::{eventually, signals, size};
use tests::journey::{ENVIRONMENT, SERVICE, artifact, question, scheduled};
use tests::{Place, Server, binary, free_port, on_postgres};

use crate::platform::crash::{must_replay, must_run, must_verify, place_arguments};

/// The number of rounds; it is set by `soak` alone, whose rounds are noted and resumed.
const ROUNDS: &str = "ASSENT_TEST_FAILOVERS";
/// How many people write at each server.
const WRITERS: usize = 2;
/// The number of the artifact for the gate's checks.
const DEPLOYED: u64 = 50_000;
/// How long a writer waits for a response before it retries.
const PATIENCE: Duration = Duration::from_secs(5);
/// When writes are back after a process was lost, and after a machine was (promise G7). Half of the rounds are held to it and each
/// to twice as much, as other programs may have this machine for a moment.
const PROCESS: Duration = Duration::from_secs(15);
const NODE: Duration = Duration::from_secs(30);

/// The faults, a round each and in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    PrimaryKilled,
    PrimaryPaused,
    PrimaryCutOff,
    ServerKilled,
    ServerCutOff,
}

const FAULTS: [Fault; 5] = [
    Fault::PrimaryKilled,
    Fault::PrimaryPaused,
    Fault::PrimaryCutOff,
    Fault::ServerKilled,
    Fault::ServerCutOff,
];

impl Fault {
    fn back_within(self) -> Duration {
        match self {
            Self::PrimaryKilled | Self::ServerKilled => PROCESS,
            Self::PrimaryPaused | Self::PrimaryCutOff | Self::ServerCutOff => NODE,
        }
    }
}

/// Everything of one session: the cluster, two servers, and the acknowledged acts so far.
struct World {
    nodes: Nodes,
    places: [Place; 2],
    servers: Vec<Server>,
    kept: Vec<Kept>,
    /// Below the log and the settings of companions.
    folder: tempfile::TempDir,
}

impl World {
    fn start(nodes: Nodes) -> Self {
        let place = |machine: &str| Place {
            folder: tempfile::tempdir().unwrap(),
            database: Some(nodes.url(machine)),
        };
        let places = SERVERS.map(place);
        let mut world = Self {
            nodes,
            places,
            servers: Vec::new(),
            kept: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        };
        let first = world.start_server(0, true);
        // One change for all rounds: work under way stops other changes of its service.
        scheduled(&first, "Goes on through every outage", &artifact(DEPLOYED));
        first.wait_for_log();
        let people = "demo-credentials.json";
        std::fs::copy(first.data.join(people), world.places[1].folder.path().join(people)).unwrap();
        world.servers.push(first);
        let second = world.start_server(1, false);
        world.servers.push(second);
        world
    }

    fn start_server(&self, which: usize, demo: bool) -> Server {
        let program = binary();
        let command = self.nodes.network.command(SERVERS[which], program.to_str().unwrap());
        let address = self.nodes.network.address(SERVERS[which]);
        Server::start_on(command, &address, &self.places[which], demo)
    }

    /// One fault under load, its end, and the state afterwards; returns after how long both loads wrote again.
    fn round(&mut self, number: usize, fault: Fault) -> Duration {
        let nodes = &self.nodes;
        eventually("the cluster is whole", || nodes.is_whole());
        let loads = ["A", "B"].map(|name| {
            let token = self.servers[0].token("requester");
            Load::begin_with(&format!("R{number}{name}"), &token, WRITERS, PATIENCE)
        });
        for (load, server) in loads.iter().zip(&self.servers) {
            load.turn_to(Some(&server.url));
            load.wait_for(2);
        }
        let ahead = Ahead::fetch(&self.servers[0], self.folder.path());
        let took = match fault {
            Fault::PrimaryKilled | Fault::PrimaryPaused | Fault::PrimaryCutOff => {
                self.lose_primary(fault, &loads, &ahead)
            }
            Fault::ServerKilled | Fault::ServerCutOff => self.lose_server(fault, &loads, &ahead),
        };
        let nodes = &self.nodes;
        eventually("the cluster is whole again", || nodes.is_whole());
        loads.iter().for_each(|load| load.wait_for(2));
        let kept = loads.map(Load::stop).concat();
        self.check(kept);
        took
    }

    fn lose_primary(&self, fault: Fault, loads: &[Load; 2], ahead: &Ahead) -> Duration {
        let nodes = &self.nodes;
        let primary = nodes.primary().expect("the cluster is whole");
        let began = assent::clock::now();
        match fault {
            Fault::PrimaryKilled => nodes.kill_postgres(&primary),
            Fault::PrimaryPaused => nodes.pause(&primary),
            _ => nodes.network.cut(&primary),
        }
        ahead.verifies();
        // Requests under way at the strike may still be acknowledged: one act of each writer.
        loads.iter().for_each(|load| load.wait_for(WRITERS + 1));
        let took = since(began);
        // The former primary is back while people write; nothing that it holds alone may come back with it.
        match fault {
            Fault::PrimaryKilled => {}
            Fault::PrimaryPaused => nodes.go_on(&primary),
            _ => nodes.network.join(&primary),
        }
        took
    }

    fn lose_server(&mut self, fault: Fault, loads: &[Load; 2], ahead: &Ahead) -> Duration {
        let companion = Companion::start(&self.servers[0], self.folder.path());
        companion.answers(ahead, "gate");
        let began = assent::clock::now();
        if fault == Fault::ServerKilled {
            signals::send("KILL", self.servers[0].id());
            self.servers[0].wait_for_end();
        } else {
            self.nodes.network.cut(SERVERS[0]);
        }
        loads[0].turn_to(Some(&self.servers[1].url));
        companion.answers(ahead, "permit");
        loads.iter().for_each(|load| load.wait_for(WRITERS + 1));
        let took = since(began);
        if fault == Fault::ServerKilled {
            self.servers[0] = self.start_server(0, false);
        } else {
            self.nodes.network.join(SERVERS[0]);
            companion.answers(ahead, "gate");
        }
        loads[0].turn_to(Some(&self.servers[0].url));
        took
    }

    /// Everything that was ever acknowledged is there once, and each change of this round was written once into the log.
    fn check(&mut self, kept: Vec<Kept>) {
        let server = &self.servers[1];
        let auditor = server.token("auditor");
        for act in &kept {
            let events = server.must(
                "GET",
                &format!("/api/v1/changes/{}/events?limit=200", act.key),
                &auditor,
                None,
            );
            let events = events["items"].as_array().unwrap();
            let made = events.iter().filter(|event| event["kind"] == "change.created").count();
            assert_eq!(made, 1, "{act:?}: {events:?}");
        }
        self.kept.extend(kept);
        for server in &self.servers {
            check_kept(server, &auditor, &self.kept);
        }
        must_verify(&self.servers[1]);
    }

    fn end(self) {
        let Self {
            nodes, places, servers, ..
        } = self;
        servers.into_iter().for_each(|server| assert!(server.stop().success()));
        must_replay(&places[0]);
        doctor_misses_what_is_missing(&places[0]);
        drop(nodes);
    }
}

/// This cluster lacks encryption for a failover, and its URL names one host that is no loopback address.
fn doctor_misses_what_is_missing(place: &Place) {
    let mut doctor = Command::new(binary());
    place_arguments(place, doctor.arg("doctor"));
    let done = doctor.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    let told: Vec<&str> = said.lines().filter(|line| line.contains(" failover: ")).collect();
    assert_eq!(told.len(), 2, "{said}");
    assert!(told.iter().any(|line| line.contains("names one host")), "{said}");
    assert!(told.iter().any(|line| line.contains("not encrypted")), "{said}");
}

fn since(began: Timestamp) -> Duration {
    assent::clock::now().duration_since(began).unsigned_abs()
}

/// The data that a gate needs during an outage, fetched before it.
struct Ahead {
    folder: PathBuf,
    artifact: String,
    permit: String,
}

impl Ahead {
    fn fetch(server: &Server, folder: &Path) -> Self {
        let artifact = artifact(DEPLOYED);
        let pipeline = server.token("pipeline");
        let mut permit = String::new();
        eventually("a permit is given", || {
            let asked = question(&artifact);
            let (status, bytes) = server.ask("POST", "/api/v1/gate-checks", Some(&pipeline), Some(&asked));
            let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            answer["permit"].as_str().unwrap_or_default().clone_into(&mut permit);
            status < 300 && !permit.is_empty()
        });
        std::fs::write(folder.join("permit"), &permit).unwrap();
        for file in ["jwks.json", "assent-revocations"] {
            eventually("what verifiers need is served", || {
                let (status, bytes) = server.get(&format!("/t/halden/.well-known/{file}"), None);
                std::fs::write(folder.join(file), bytes).unwrap();
                status == 200
            });
        }
        Self {
            folder: folder.to_owned(),
            artifact,
            permit,
        }
    }

    /// The permit is good without any server.
    fn verifies(&self) {
        let at = |file: &str| self.folder.join(file);
        let mut command = Command::new(binary());
        command.args(["permit", "verify"]).arg(at("permit"));
        command.args(["--service", SERVICE, "--environment", ENVIRONMENT]);
        command
            .args(["--artifact", &self.artifact, "--keys"])
            .arg(at("jwks.json"));
        must_run(command.arg("--revocations").arg(at("assent-revocations")));
    }
}

/// A companion beside a gateway, which queries the first server.
struct Companion {
    child: Child,
    url: String,
}

impl Companion {
    fn start(server: &Server, folder: &Path) -> Self {
        let (token, port) = (folder.join("token"), free_port());
        std::fs::write(&token, server.token("pipeline")).unwrap();
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("companion.log"))
            .unwrap();
        let child = Command::new(binary())
            .args([
                "gateway",
                "--insecure-http",
                "--server",
                &server.url,
                "--tenant",
                "halden",
                "--refresh",
                "1s",
            ])
            .args(["--listen", &format!("127.0.0.1:{port}"), "--token-file"])
            .arg(&token)
            .arg("--state")
            .arg(folder.join("companion"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let companion = Self { child, url };
        eventually("the companion knows what an outage needs", || {
            let answer = tests::caller::agent().get(format!("{}/healthz", companion.url)).call();
            let text = answer
                .ok()
                .and_then(|mut answer| answer.body_mut().read_to_string().ok());
            let health: Value = text
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_default();
            health["list_age_seconds"].is_i64() && health["running_age_seconds"].is_i64()
        });
        companion
    }

    /// It lets the artifact through by its permit, on the named grounds.
    fn answers(&self, ahead: &Ahead, grounds: &str) {
        let asked = || {
            let answer = tests::caller::agent()
                .get(format!("{}/gateway/http/{SERVICE}/{ENVIRONMENT}", self.url))
                .header("Assent-Artifact", &ahead.artifact)
                .header("Assent-Permit", &ahead.permit)
                .call()
                .ok()?;
            let basis = answer.headers().get("assent-basis")?.to_str().ok()?.to_owned();
            Some((answer.status().as_u16(), basis))
        };
        let wanted = Some((200, grounds.to_owned()));
        eventually(&format!("the companion lets it through by a {grounds}"), || {
            asked() == wanted
        });
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The rounds that earlier runs of a soak have finished, a line each. Without a soak nothing is noted.
struct Noted(Option<PathBuf>);

impl Noted {
    fn open() -> Self {
        let is_soak = std::env::var_os(ROUNDS).is_some();
        Self(is_soak.then(|| tests::root().join("target/failover-rounds.jsonl")))
    }

    fn rounds(&self) -> Vec<(Fault, Duration)> {
        let text = self.0.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        let text = text.unwrap_or_default();
        // A line that a kill cut off is a round that is run again.
        let lines = text.lines().map_while(|line| serde_json::from_str::<Value>(line).ok());
        let read = |(number, line): (usize, Value)| {
            let millis = line["back_after_ms"].as_u64()?;
            Some((FAULTS[number % FAULTS.len()], Duration::from_millis(millis)))
        };
        lines.enumerate().map_while(read).collect()
    }

    fn write(&self, all: &[(Fault, Duration)]) {
        let Some(file) = &self.0 else {
            return;
        };
        let line = |(fault, took): &(Fault, Duration)| {
            format!(
                "{}\n",
                json!({"fault": format!("{fault:?}"), "back_after_ms": took.as_millis()})
            )
        };
        let text: String = all.iter().map(line).collect();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let mut fresh = std::fs::File::create(file.with_extension("new")).unwrap();
        fresh.write_all(text.as_bytes()).unwrap();
        std::fs::rename(file.with_extension("new"), file).unwrap();
    }

    /// The next soak begins anew.
    fn finish(&self) {
        if let Some(file) = &self.0 {
            std::fs::rename(file, file.with_extension("done")).unwrap();
        }
    }
}

#[test]
fn a_failover_loses_nothing_that_was_acknowledged_and_doubles_nothing() {
    let is_soak = std::env::var_os(ROUNDS).is_some();
    if !on_postgres() && !is_soak {
        return;
    }
    if let Some(why) = why_left_out() {
        assert!(!is_soak, "the failover cannot be soaked: {why}");
        println!("left out: a failover of PostgreSQL: {why}");
        return;
    }
    let nodes = match Nodes::start() {
        Ok(nodes) => nodes,
        Err(why) => {
            assert!(!is_soak, "the failover cannot be soaked: {why}");
            println!("left out: a failover of PostgreSQL: no network namespaces here: {why}");
            return;
        }
    };
    let (noted, wanted) = (Noted::open(), size(ROUNDS, FAULTS.len()));
    let mut done = noted.rounds();
    println!("{} of {wanted} rounds were done before", done.len());
    let mut world = World::start(nodes);
    while done.len() < wanted {
        let fault = FAULTS[done.len() % FAULTS.len()];
        let took = world.round(done.len(), fault);
        println!("round {}, {fault:?}: both wrote again after {took:?}", done.len());
        done.push((fault, took));
        // The last one is noted once the records of the whole session agree with the log.
        if done.len() < wanted {
            noted.write(&done);
        }
    }
    println!(
        "{} acts were acknowledged in this session, and all are there once",
        world.kept.len()
    );
    world.end();
    noted.write(&done);
    check_times(&done);
    noted.finish();
}

/// Half of the rounds of a kind are held to its bound, and each to twice as much.
fn check_times(done: &[(Fault, Duration)]) {
    for limit in [PROCESS, NODE] {
        let of_kind = done.iter().filter(|(fault, _)| fault.back_within() == limit);
        let mut times: Vec<Duration> = of_kind.map(|(_, took)| *took).collect();
        times.sort();
        let (Some(slowest), usual) = (times.last(), times.get(times.len() / 2)) else {
            continue;
        };
        println!("bound {limit:?}: {times:?}");
        assert!(
            usual <= Some(&limit) && *slowest <= 2 * limit,
            "writes were back after {times:?}, where {limit:?} is promised"
        );
    }
}

/// PostgreSQL reports a commit as done although somebody called its wait for the standby off: it warns, and the commit is on one
/// node alone. It is no acknowledgement.
#[test]
fn a_commit_whose_wait_for_the_standby_was_called_off_is_not_acknowledged() {
    if !on_postgres() {
        return;
    }
    let cluster = Cluster::start();
    let place = Place {
        folder: tempfile::tempdir().unwrap(),
        database: Some(cluster.create_database("called_off", "")),
    };
    let server = Server::start(&place, true);
    let token = server.token("requester");
    let body =
        json!({"title": "Asked without a standby", "targets": [{"service": "edge-dns", "environment": "production"}]});
    let ask = || {
        let key = [("Idempotency-Key", "called-off")];
        server.ask_with("POST", "/api/v1/changes", Some(&token), Some(&body), &key)
    };
    let set = |name: &str| {
        cluster.run_sql(
            "postgres",
            &format!("ALTER SYSTEM SET synchronous_standby_names = '{name}'"),
        );
        cluster.run_sql("postgres", "SELECT pg_reload_conf()");
    };
    set("nobody");
    let status = std::thread::scope(|scope| {
        let asked = scope.spawn(ask);
        eventually("the commit's wait is called off", || {
            let cancel = "DO $$ BEGIN
                PERFORM pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep';
            END $$";
            cluster.run_sql("postgres", cancel);
            asked.is_finished()
        });
        asked.join().unwrap().0
    });
    set("");
    assert_eq!(status, 503, "a commit that no standby has was acknowledged");
    eventually("the act is answered under its key", || ask().0 == 201);
    let found = server.must("GET", "/api/v1/changes?limit=200", &server.token("auditor"), None);
    let titles = found["items"].as_array().unwrap().iter();
    assert_eq!(titles.filter(|it| it["title"] == "Asked without a standby").count(), 1);
    must_verify(&server);
    server.stop();
    must_replay(&place);
}
