//! A running copy of the embedded database in another folder or a bucket: a host is killed and another takes over, and an older
//! restored moment stays read-only until two people accept the loss.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tests::faults::load::Load;
use tests::faults::{eventually, signals, size};
use tests::s3::{S3, SECRET};
use tests::{Place, Server, binary, on_postgres};

use crate::platform::crash::{must_replay, must_run, must_verify};

/// Data that may be lost with a host that burns down.
const MOST_LOSS: Duration = Duration::from_secs(5);

/// Where a copy is kept, beside the server's settings for it.
struct Copy {
    folder: tempfile::TempDir,
    bucket: Option<S3>,
}

impl Copy {
    fn in_folder() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            bucket: None,
        }
    }

    fn in_bucket() -> Self {
        let copy = Self {
            bucket: Some(S3::start()),
            ..Self::in_folder()
        };
        let s3 = copy.bucket.as_ref().unwrap();
        s3.settings_of_key(&copy.folder.path().join("key.toml"));
        copy
    }

    /// As the settings name it.
    fn place(&self) -> String {
        match &self.bucket {
            Some(s3) => s3.address("copies"),
            None => self.folder.path().join("copy").to_str().unwrap().to_owned(),
        }
    }

    /// The flags of a server that writes it.
    fn flags(&self) -> Vec<String> {
        let mut flags = vec!["--copy-to".to_owned(), self.place()];
        if self.bucket.is_some() {
            let file = self.folder.path().join("key.toml");
            flags.extend(["--config".to_owned(), file.to_str().unwrap().to_owned()]);
        }
        flags
    }

    /// A command on the host, with the bucket's key.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(words);
        if let Some(s3) = &self.bucket {
            command.envs(s3.variables());
        }
        command
    }

    /// When everything was in the copy.
    fn copied_at(&self) -> Option<Timestamp> {
        let bytes = match &self.bucket {
            Some(s3) => s3.find("copies/alive.json")?,
            None => std::fs::read(self.folder.path().join("copy/alive.json")).ok()?,
        };
        let said: Value = serde_json::from_slice(&bytes).ok()?;
        said["at"].as_str()?.parse().ok()
    }

    /// Waits until all earlier writes are in the copy; returns the time.
    fn wait(&self) -> Duration {
        let began = assent::clock::now();
        eventually("the copy has it", || self.copied_at().is_some_and(|at| at > began));
        assent::clock::now().duration_since(began).unsigned_abs()
    }
}

/// Runs a command that fills an empty folder, and puts the key and the people into it.
fn fill(of: &Path, name: &str, mut command: Command) -> Place {
    let place = Place::new(name);
    must_run(command.arg("--data").arg(place.folder.path()));
    for file in ["master.key", "demo-credentials.json"] {
        std::fs::copy(of.join(file), place.folder.path().join(file)).unwrap();
    }
    place
}

fn run(words: &[&str], data: &Path) -> (bool, String) {
    let mut command = Command::new(binary());
    command.args(words);
    ran(command, data)
}

fn ran(mut command: Command, data: &Path) -> (bool, String) {
    let done = command.arg("--data").arg(data).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.success(), said)
}

#[test]
fn a_host_that_is_killed_is_taken_over_with_seconds_of_loss() {
    is_taken_over("copied", &Copy::in_folder(), size("ASSENT_TEST_TAKEOVERS", 3));
}

#[test]
fn a_host_that_copies_into_a_bucket_is_taken_over_in_the_middle_of_an_upload() {
    if !on_postgres() {
        is_taken_over("copied-afar", &Copy::in_bucket(), size("ASSENT_TEST_TAKEOVERS", 2));
    }
}

fn is_taken_over(name: &str, copy: &Copy, rounds: usize) {
    let flags = copy.flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let from = copy.place();
    let mut place = Place::demo(name);
    if on_postgres() {
        let mut server = Server::spawn(&place, true, &flags);
        assert!(!server.wait_for_end().success());
        assert!(server.log().contains("replicas of its own"), "{}", server.log());
        return;
    }
    let mut server = Server::start_with(&place, true, &flags);
    let load = Load::begin("R", &server.token("requester"), 4);
    let (mut held, mut slowest) = (Vec::new(), Duration::ZERO);
    for round in 0..rounds {
        let begun = load.acknowledged();
        load.turn_to(Some(&server.url));
        load.wait_for(8 + (7 * round) % 40);
        // Later writes may be lost with the host.
        held.push(begun..load.acknowledged());
        slowest = slowest.max(copy.wait());
        // The moment of death differs from round to round.
        load.wait_for(1 + (5 * round) % 11);
        signals::send("KILL", server.id());
        load.turn_to(None);
        drop(server);
        let early = Place::new("early");
        let command = copy.command(&["takeover", "--from", &from]);
        let (is_good, said) = ran(command, early.folder.path());
        assert!(!is_good && said.contains("was alive"), "{said}");
        let command = copy.command(&["takeover", "--while-alive", "--from", &from]);
        let next = fill(place.folder.path(), &format!("taken{round}"), command);
        // As it was taken over, before anything mends it.
        must_replay(&next);
        let mut former = Server::spawn(&place, true, &flags);
        assert!(!former.wait_for_end().success(), "the host before serves again");
        assert!(former.log().contains("assent takeover"), "{}", former.log());
        drop(former);
        place = next;
        server = Server::start_with(&place, true, &flags);
    }
    let (is_good, said) = ran(copy.command(&["doctor"]), place.folder.path());
    assert!(is_good && said.contains("copy: "), "{said}");
    assert!(!said.contains(SECRET) && !server.log().contains(SECRET));
    eventually("the copy's lag is measured", || {
        let (_, metrics) = server.get("/metrics", None);
        String::from_utf8_lossy(&metrics).contains("assent_copy_lag_seconds")
    });
    load.turn_to(Some(&server.url));
    load.wait_for(4);
    let kept = load.stop();
    println!("{rounds} takeovers, everything was copied within {slowest:?}");
    assert!(slowest <= MOST_LOSS, "the copy was {slowest:?} behind");
    let token = server.token("auditor");
    for act in held.into_iter().flat_map(|range| &kept[range]) {
        let found = server.must("GET", &format!("/api/v1/changes/{}", act.key), &token, None);
        assert_eq!(found["title"].as_str(), Some(act.title.as_str()));
    }
    must_verify(&server);
    server.stop();
    must_replay(&place);
}

/// Two people accept the loss, and nobody alone.
fn accept_by_two(data: &Path, [admin, auditor]: &[(String, String); 2]) {
    let accept = |one: &(String, String), other: &(String, String)| {
        let mut words = vec!["audit", "accept-loss", "--tenant", "halden"];
        words.extend(["--by", one.0.as_str(), "--by-password-file", one.1.as_str()]);
        words.extend(["--and", other.0.as_str(), "--and-password-file", other.1.as_str()]);
        run(&words, data)
    };
    let (is_good, said) = accept(admin, admin);
    assert!(!is_good && said.contains("takes two different people"), "{said}");
    let (is_good, said) = accept(admin, auditor);
    assert!(is_good && said.contains("halden: entries "), "{said}");
    let (is_good, said) = accept(admin, auditor);
    assert!(!is_good && said.contains("Nothing is lost"), "{said}");
}

/// Nothing is written and nothing let through; the earlier data can be read.
fn check_read_only(server: &Server, open: &str, wanted: &Value, (kept, lost): (&str, &Value)) {
    eventually("it says why it is not ready", || {
        let (status, said) = server.get("/readyz", None);
        status == 503 && String::from_utf8_lossy(&said).contains("older copy")
    });
    let (status, said) = server.ask(
        "POST",
        "/api/v1/changes",
        Some(&server.token("requester")),
        Some(wanted),
    );
    assert!(
        status == 503 && String::from_utf8_lossy(&said).contains("read_only"),
        "{status}"
    );
    let pipeline = server.token("pipeline");
    let gate = tests::journey::gate_path(open);
    assert_ne!(
        server.get(&gate, Some(&pipeline)).0,
        200,
        "the gate is open over an older copy"
    );
    let key = |change: &Value| format!("/api/v1/changes/{}", change["key"].as_str().unwrap());
    let token = server.token("auditor");
    assert_eq!(server.get(kept, Some(&token)).0, 200, "it can be read");
    assert_eq!(server.get(&key(lost), Some(&token)).0, 404);
}

#[test]
fn an_older_moment_is_read_only_until_two_people_accept_the_loss() {
    if on_postgres() {
        // PostgreSQL has replicas of its own; nothing is brought back from a folder there.
        let (is_good, said) = run(&["restore", "--from", "/nowhere"], Path::new("/nowhere/data"));
        assert!(!is_good, "{said}");
        return;
    }
    let copy = Copy::in_folder();
    let flags = copy.flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let folder = &copy.folder;
    let place = Place::demo("older");
    let server = Server::start_with(&place, true, &flags);
    let open = tests::journey::artifact(9_471);
    let kept = tests::journey::scheduled(&server, "What is kept", &open);
    server.wait_for_log();
    copy.wait();
    let then = assent::clock::now().to_string();
    let digest = tests::journey::artifact(9_472);
    let wanted = tests::journey::request("What is lost", &digest, server.server_time());
    let lost = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&wanted));
    server.wait_for_log();
    copy.wait();
    server.stop();
    let command = copy.command(&["restore", "--from", flags[1], "--at", &then]);
    let older = fill(place.folder.path(), "brought_back", command);
    let (is_good, said) = run(&["doctor"], older.folder.path());
    assert!(
        !is_good && said.contains("halden: the log of the tenant halden had "),
        "{said}"
    );

    let server = Server::spawn(&older, true, &[]);
    check_read_only(&server, &open, &wanted, (&kept, &lost));
    let people = ["admin", "auditor"].map(|role| {
        let found = server.person(role);
        let file = folder.path().join(format!("{role}.txt"));
        std::fs::write(&file, found["password"].as_str().unwrap()).unwrap();
        let login = found["login"].as_str().unwrap().to_owned();
        (login, file.to_str().unwrap().to_owned())
    });
    server.stop();
    accept_by_two(older.folder.path(), &people);

    let server = Server::start(&older, true);
    server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&wanted));
    server.wait_for_log();
    let listed = server.must(
        "GET",
        "/api/v1/events?kind=log.loss_accepted&limit=10",
        &server.token("auditor"),
        None,
    );
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{listed}");
    server.stop();
    must_replay(&older);
}
