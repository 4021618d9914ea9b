//! A pipeline that cannot reach the gate, or cannot read it, never gets go.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tests::faults::proxy::{Proxy, Way};
use tests::faults::size;
use tests::journey::{artifact, gate_path, scheduled};
use tests::{Place, Server, binary};

/// How many seconds clients wait over a line that is broken: a silent one costs them all of it.
const BROKEN: u64 = 2;
/// How many they wait over a whole one, on a crowded machine too.
const WHOLE: u64 = 60;

/// The result of a pipeline's program behind a line: its exit code, and whether it has a permit.
fn check((line, patience): (SocketAddr, u64), token: &str, artifact: &str, folder: &Path) -> (Option<i32>, bool) {
    let permit = folder.join("permit");
    let _ = std::fs::remove_file(&permit);
    let done = Command::new(binary())
        .args([
            "gate",
            "check",
            "--service",
            "label-print",
            "--environment",
            "production",
        ])
        .args(["--timeout", &patience.to_string(), "--artifact", artifact, "--permit"])
        .arg(&permit)
        .env("ASSENT_SERVER", format!("http://{line}"))
        .env("ASSENT_TOKEN", token)
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("said")).unwrap())
        .status()
        .unwrap();
    (done.code(), permit.exists())
}

/// A gateway's result of the plain query: the decision's header.
fn plain((line, patience): (SocketAddr, u64), token: &str, artifact: &str) -> Option<String> {
    let agent = tests::caller::agent_for(Duration::from_secs(patience));
    let asked = agent
        .get(format!("http://{line}{}", gate_path(artifact)))
        .header("Authorization", format!("Bearer {token}"))
        .call()
        .ok()?;
    let header = asked.headers().get("assent-decision")?;
    Some(header.to_str().unwrap().to_owned())
}

#[test]
fn no_client_is_told_go_over_a_line_that_is_broken() {
    let place = Place::demo("partition");
    let server = Server::start(&place, true);
    let token = server.token("pipeline");
    let artifact = artifact(7);
    scheduled(&server, "Would be let through", &artifact);
    let line = Proxy::start(server.url.trim_start_matches("http://").parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (broken, whole) = ((line.address, BROKEN), (line.address, WHOLE));
    assert_eq!(plain(whole, &token, &artifact).as_deref(), Some("go"));
    let asks = size("ASSENT_TEST_PARTITIONED", 40);
    for way in [Way::Cut, Way::Unanswered, Way::Silent, Way::OneWay] {
        line.go(way);
        // A line that swallows everything takes its clients' whole patience; those that break off are quick.
        let is_slow = matches!(way, Way::Silent | Way::OneWay);
        let (asks, met) = (if is_slow { asks.div_ceil(20) } else { asks }, line.met());
        for n in 0..asks {
            assert_eq!(plain(broken, &token, &artifact), None, "{way:?}");
            if n % 10 == 0 {
                assert_eq!(
                    check(broken, &token, &artifact, folder.path()),
                    (Some(2), false),
                    "{way:?}"
                );
            }
        }
        assert!(line.met() >= met + asks, "{way:?}: the line itself was there for each");
    }
    line.go(Way::Open);
    let said = || std::fs::read_to_string(folder.path().join("said")).unwrap();
    let last = check(whole, &token, &artifact, folder.path());
    assert_eq!(last, (Some(0), true), "the line is whole again: {}", said());
}
