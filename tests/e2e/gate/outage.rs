//! An outage drill: gated deployments through a companion, most of them hostile, while the server is stopped, started again and
//! cut off. No hostile one is ever let through; the holder of a good permit is never turned away.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proof::crypto::SigningKey;
use serde_json::{Value, json};
use tests::dice::Dice;
use tests::faults::proxy::{Proxy, Way};
use tests::faults::{eventually, size};
use tests::journey::{ENVIRONMENT, SERVICE, approve, artifact, question, request, waiting_for_approval};
use tests::{Place, Server, binary};

/// How many deployments are good and approved.
const GOOD: u64 = 4;

/// A companion behind the line; it ends with the test.
struct Companion {
    child: Child,
    url: String,
}

impl Drop for Companion {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Companion {
    fn start(line: SocketAddr, token: &str, tenant: &str, state: &Path) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], tests::free_port()));
        let child = Command::new(binary())
            .args(["gateway", "--server", &format!("http://{line}"), "--tenant", tenant])
            .args([
                "--refresh",
                "1s",
                "--patience",
                "400",
                "--listen",
                &listen.to_string(),
                "--state",
            ])
            .arg(state)
            .env("ASSENT_TOKEN", token)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let own = Self {
            child,
            url: format!("http://{listen}"),
        };
        eventually("the companion knows what an outage needs", || {
            own.health()
                .is_some_and(|health| health["list_epoch"].is_i64() && health["running_age_seconds"].is_i64())
        });
        own
    }

    fn health(&self) -> Option<Value> {
        let mut answer = agent().get(format!("{}/healthz", self.url)).call().ok()?;
        serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
    }

    fn epoch(&self) -> u64 {
        self.health()
            .and_then(|health| health["list_epoch"].as_u64())
            .unwrap_or_default()
    }

    /// Deploys: whether it is let through, with the response's text.
    fn deploy(&self, attempt: &Attempt) -> (bool, String) {
        let mut asked = agent()
            .get(format!("{}/gateway/http/{SERVICE}/{}", self.url, attempt.environment))
            .header("Assent-Artifact", &attempt.artifact);
        if let Some(permit) = &attempt.permit {
            asked = asked.header("Assent-Permit", permit);
        }
        let mut answer = asked.call().expect("the companion answers within its bound");
        let (status, text) = (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap());
        assert!(matches!(status, 200 | 403), "{status}: {text}");
        (status == 200, text)
    }
}

/// The time limit of a companion's response, whatever becomes of the server: its patience of 400 ms, and room for a slow
/// machine.
fn agent() -> ureq::Agent {
    tests::caller::agent_for(Duration::from_secs(30))
}

/// One try to deploy.
struct Attempt {
    what: &'static str,
    environment: &'static str,
    artifact: String,
    permit: Option<String>,
    is_good: bool,
}

/// Everything that the tries are made of.
struct Stock {
    good: Vec<(String, String)>,
    expired: (String, String),
    revoked: (String, String),
    forged: Vec<(String, String)>,
}

fn collected(server: &Server, artifact: &str) -> String {
    let check = server.must(
        "POST",
        "/api/v1/gate-checks",
        &server.token("pipeline"),
        Some(&question(artifact)),
    );
    check["permit"]
        .as_str()
        .unwrap_or_else(|| panic!("{check:#}"))
        .to_owned()
}

fn approved(server: &Server, title: &str, artifact: &str, now: Timestamp, end: Option<Timestamp>) -> String {
    let mut body = request(title, artifact, now);
    if let Some(end) = end {
        body["planned_end"] = json!(end.to_string());
    }
    let path = waiting_for_approval(server, &body, artifact);
    for role in ["owner", "security", "change_manager"] {
        approve(server, &path, role);
    }
    path
}

/// A good permit's claims for another artifact, signed by a stranger: under the real key's name, and under its own.
fn forged(permit: &str, artifact: &str) -> Vec<String> {
    let parts: Vec<Vec<u8>> = permit
        .split('.')
        .map(|part| proof::crypto::from_base64url(part).unwrap())
        .collect();
    let mut claims: Value = serde_json::from_slice(&parts[1]).unwrap();
    claims["artifact"] = json!(artifact);
    let stranger = SigningKey::from_seed([42; 32]).unwrap();
    let real: Value = serde_json::from_slice(&parts[0]).unwrap();
    let mut own = real.clone();
    own["kid"] = json!("a-stranger");
    let mut unsigned = real.clone();
    unsigned["alg"] = json!("none");
    [real, own, unsigned]
        .iter()
        .map(|header| {
            let text = |value: &Value| proof::crypto::base64url(value.to_string().as_bytes());
            let signed = format!("{}.{}", text(header), text(&claims));
            let signature = proof::crypto::base64url(&stranger.sign(signed.as_bytes()));
            format!("{signed}.{signature}")
        })
        .collect()
}

/// Makes the stock; the server's clock is held at 20 minutes ago and is moved to the present.
fn prepare(server: &mut Server, now: Timestamp, line: &Proxy, folder: &Path) -> (Stock, Companion) {
    let expired = artifact(900);
    let (minutes, before) = (SignedDuration::from_mins, now - SignedDuration::from_mins(20));
    approved(server, "Runs out", &expired, before, Some(before + minutes(18)));
    let expired = (expired.clone(), collected(server, &expired));
    // The data that this companion has now is 20 minutes old when the drill begins, and it learns nothing more.
    let stale = Companion::start(line.address, &server.token("pipeline"), "halden", &folder.join("stale"));
    line.go(Way::Cut);
    server.advance(20 * 60);
    let good: Vec<(String, String)> = (0..GOOD)
        .map(|number| {
            let artifact = artifact(910 + number);
            approved(server, "Goes out", &artifact, now, None);
            let permit = collected(server, &artifact);
            (artifact, permit)
        })
        .collect();
    let revoked = artifact(901);
    let path = approved(server, "Is taken back", &revoked, now, None);
    let permit = collected(server, &revoked);
    let outcome = json!({"outcome": "failed"});
    server.must(
        "POST",
        &format!("{path}/completion"),
        &server.token("implementer"),
        Some(&outcome),
    );
    let wrong = artifact(999);
    let forged = forged(&good[0].1, &wrong)
        .into_iter()
        .map(|permit| (wrong.clone(), permit));
    let stock = Stock {
        forged: forged.collect(),
        good,
        expired,
        revoked: (revoked, permit),
    };
    (stock, stale)
}

impl Stock {
    /// A try: one of three is good.
    fn draw(&self, dice: &mut Dice) -> Attempt {
        let place = dice.roll(self.good.len());
        let (artifact, permit) = self.good[place].clone();
        let attempt = |what, environment, artifact: &str, permit: Option<String>| Attempt {
            what,
            environment,
            artifact: artifact.to_owned(),
            permit,
            is_good: what == "good",
        };
        let forged = dice.pick(&self.forged);
        match dice.roll(9) {
            0..=2 => attempt("good", ENVIRONMENT, &artifact, Some(permit)),
            3 => attempt("wrong artifact", ENVIRONMENT, &forged.0, Some(permit)),
            4 => attempt("wrong environment", "staging", &artifact, Some(permit)),
            5 => attempt("expired", ENVIRONMENT, &self.expired.0, Some(self.expired.1.clone())),
            6 => attempt("revoked", ENVIRONMENT, &self.revoked.0, Some(self.revoked.1.clone())),
            7 => attempt("foreign key", ENVIRONMENT, &forged.0, Some(forged.1.clone())),
            _ => attempt("no permit", ENVIRONMENT, &forged.0, None),
        }
    }
}

/// Puts so many tries through, and returns the number of hostile ones.
fn drill(companion: &Companion, stock: &Stock, dice: &mut Dice, phase: &str, count: usize) -> usize {
    let mut hostile = 0;
    for number in 0..count {
        let attempt = stock.draw(dice);
        let (went, text) = companion.deploy(&attempt);
        assert_eq!(
            went, attempt.is_good,
            "{phase}, number {number}, {}: {text}",
            attempt.what
        );
        hostile += usize::from(!attempt.is_good);
    }
    hostile
}

#[test]
fn nothing_hostile_passes_and_nothing_good_waits_while_the_server_comes_and_goes() {
    let place = Place::demo("outage");
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(&place, true);
    // The companion is a process of its own and reads the true time.
    let now = assent::clock::now();
    server.hold_clock(now - SignedDuration::from_mins(20));
    let address = |server: &Server| -> SocketAddr { server.url.trim_start_matches("http://").parse().unwrap() };
    let before = Proxy::start(address(&server));
    let (stock, stale) = prepare(&mut server, now, &before, folder.path());
    let line = Proxy::start(address(&server));
    let token = server.token("pipeline");
    let companion = Companion::start(line.address, &token, "halden", &folder.path().join("state"));
    let other = server.person("other_requester");
    let (tenant, their_token) = (other["tenant"].as_str().unwrap(), other["token"].as_str().unwrap());
    let foreign = Companion::start(line.address, their_token, tenant, &folder.path().join("foreign"));
    let list = server.get("/t/halden/.well-known/assent-revocations", None).1;
    let claims = proof::crypto::from_base64url(String::from_utf8(list).unwrap().split('.').nth(1).unwrap()).unwrap();
    let epoch = serde_json::from_slice::<Value>(&claims).unwrap()["epoch"]
        .as_u64()
        .unwrap();
    eventually("the companion's list has the revocation", || companion.epoch() >= epoch);

    let total = size("ASSENT_TEST_DRILL", 1_000);
    let share = total.div_ceil(8);
    let mut dice = Dice::new(4);
    let mut hostile = drill(&companion, &stock, &mut dice, "all is well", share);
    for way in [Way::Cut, Way::Unanswered, Way::Silent, Way::OneWay] {
        line.go(way);
        hostile += drill(&companion, &stock, &mut dice, &format!("{way:?}"), share);
        line.go(Way::Open);
    }
    assert!(server.stop().success());
    hostile += drill(&companion, &stock, &mut dice, "stopped", share);
    // Alone, and with an old list or another tenant's keys, even a good permit opens nothing.
    for (alone, code) in [(&stale, "list_stale"), (&foreign, "")] {
        for (artifact, permit) in &stock.good {
            let attempt = Attempt {
                what: "good elsewhere",
                environment: ENVIRONMENT,
                artifact: artifact.clone(),
                permit: Some(permit.clone()),
                is_good: false,
            };
            let (went, text) = alone.deploy(&attempt);
            assert!(!went && text.contains(code), "{text}");
            hostile += 1;
        }
    }
    let server = Server::start(&place, false);
    line.lead_to(address(&server));
    hostile += drill(&companion, &stock, &mut dice, "coming back", share);
    eventually("the companion asks the server again", || {
        drill(&companion, &stock, &mut dice, "coming back", 1);
        companion
            .health()
            .is_some_and(|health| health["server_is_away"] == false)
    });
    hostile += drill(&companion, &stock, &mut dice, "back", share);
    assert!(hostile * 2 >= total, "only {hostile} of {total} were hostile");
}
