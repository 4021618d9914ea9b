//! The server's own log: a line an object, and none about callers who wait by choice.

use std::process::{Child, Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{ENVIRONMENT, SERVICE, artifact};
use tests::{Place, Server, binary, free_port};

use crate::platform::crash::place_arguments;

/// A server whose log is apart from its output for people.
pub(crate) struct Served {
    child: Child,
    /// Where it listens.
    pub(crate) port: u16,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a server with further flags, and does not wait.
pub(crate) fn serve(place: &Place, log: &std::path::Path, more: &[&str]) -> Served {
    let port = free_port();
    let mut command = Command::new(binary());
    command
        .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
        .args(more);
    place_arguments(place, &mut command);
    if place.database.is_some() {
        // Without a data folder of its own the server would remember its logs in the checkout, for the next run's database.
        command.arg("--data").arg(place.folder.path());
    }
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(log).unwrap())
        .spawn()
        .unwrap();
    Served { child, port }
}

/// The lines of a log, each of which must be an object with time, level and message.
fn lines(log: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    let parsed = text.lines().map(|line| {
        let told: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        told["timestamp"].as_str().unwrap().parse::<Timestamp>().unwrap();
        assert!(
            ["ERROR", "WARN", "INFO", "DEBUG"].contains(&told["level"].as_str().unwrap()),
            "{line}"
        );
        assert!(!told["message"].as_str().unwrap().is_empty(), "{line}");
        told
    });
    parsed.collect()
}

#[test]
fn every_line_of_a_served_log_is_an_object_and_a_wait_is_no_slow_answer() {
    let place = Place::demo("served_log");
    let server = Server::start(&place, true);
    let (pipeline, now) = (server.token("pipeline"), server.server_time());
    server.stop();
    let log = place.folder.path().join("served.log");
    let served = serve(&place, &log, &["--log", "info,server=debug"]);
    let url = format!("http://127.0.0.1:{}", served.port);
    eventually("it is ready", || {
        let asked = tests::caller::agent().get(format!("{url}/readyz")).call();
        asked.is_ok_and(|it| it.status() == 200)
    });
    let ask = |request: ureq::http::request::Builder, body: String| {
        let request = request.header("Authorization", format!("Bearer {pipeline}"));
        let request = request.header("Content-Type", "application/json").body(body).unwrap();
        let mut answer = tests::caller::agent().run(request).unwrap();
        let told: Value = serde_json::from_slice(&answer.body_mut().read_to_vec().unwrap()).unwrap();
        (answer.status().as_u16(), told)
    };
    let until = now + SignedDuration::from_hours(1);
    let question = json!({"service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact(7_001), "wait_until": until.to_string()});
    let request = ureq::http::Request::builder().method("POST");
    let (status, check) = ask(request.uri(format!("{url}/api/v1/gate-checks")), question.to_string());
    assert_eq!((status, &check["state"]), (201, &json!("waiting")), "{check}");
    let path = format!("/api/v1/gate-checks/{}?wait=2", check["id"].as_str().unwrap());
    let request = ureq::http::Request::builder().method("GET");
    assert_eq!(ask(request.uri(format!("{url}{path}")), String::new()).0, 200);
    let lines = lines(&log);
    let mut answered = lines.iter().filter(|it| it["route"] == "/api/v1/gate-checks/{id}");
    let told = answered.next().expect("the answer has its line");
    assert!(told["ms"].as_u64().unwrap() >= 2_000, "{told}");
    assert_eq!(
        told["level"], "DEBUG",
        "who waits by their own wish is not slow: {told}"
    );
}

#[test]
fn another_format_is_refused_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(binary());
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path());
    let done = command.env("ASSENT_LOG_FORMAT", "xml").output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{told}");
    assert!(
        told.contains("`log_format` (variable ASSENT_LOG_FORMAT) cannot be used: write json or text."),
        "{told}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}
