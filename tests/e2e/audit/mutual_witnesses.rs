//! Two servers witness each other (C2SP tlog-witness): each submits its checkpoints to the other and serves the cosigned ones.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::{Place, Server, binary};

use crate::platform::crash::{must_replay, must_run, must_verify};

const ALLOW: &[&str] = &["--outgoing-allow", "127.0.0.1"];

/// The verifier keys of a server's log and of its cosigner.
fn keys(server: &Server) -> (String, String) {
    let (status, text) = server.get("/t/halden/log/key", None);
    assert_eq!(status, 200);
    let text = String::from_utf8(text).unwrap();
    let mut lines = text.lines().map(str::to_owned);
    (lines.next().unwrap(), lines.next().unwrap())
}

fn name_of(key: &str) -> &str {
    key.split('+').next().unwrap()
}

/// `watched` has its log cosigned by `witness`.
fn watch(watched: &Server, witness: &Server) {
    let (log, _) = keys(watched);
    let (_, cosigner) = keys(witness);
    let added = witness.must(
        "POST",
        "/api/v1/watched-logs",
        &witness.token("admin"),
        Some(&json!({"key": log})),
    );
    assert_eq!(added["origin"], name_of(&log));
    let url = format!("{}/t/halden/witness", witness.url);
    let body = json!({"key": cosigner, "url": url});
    watched.must("POST", "/api/v1/witnesses", &watched.token("admin"), Some(&body));
}

fn cosigned(watched: &Server, witness: &Server) -> Option<Value> {
    let (_, cosigner) = keys(witness);
    let listed = watched.must("GET", "/api/v1/witnesses", &watched.token("auditor"), None);
    let last = listed["items"][0]["cosigned"].clone();
    let note = last["checkpoint"].as_str()?.to_owned();
    note.contains(&format!("\u{2014} {} ", name_of(&cosigner)))
        .then_some(last)
}

fn size(cosigned: Option<Value>) -> u64 {
    cosigned.and_then(|it| it["size"].as_u64()).unwrap_or_default()
}

#[test]
fn two_servers_witness_each_other() {
    // Two copies of one demo would be one log with one key.
    let places = [Place::demo("witness-one"), Place::new("witness-two")];
    let servers = places.each_ref().map(|place| Server::start_with(place, true, ALLOW));
    let [one, two] = &servers;
    one.wait_for_log();
    two.wait_for_log();
    watch(one, two);
    watch(two, one);
    eventually("each log is cosigned by the other server", || {
        cosigned(one, two).is_some() && cosigned(two, one).is_some()
    });
    // The log grows, and the witness follows with a proof.
    let before = size(cosigned(one, two));
    one.must(
        "POST",
        "/api/v1/changes",
        &one.token("requester"),
        Some(&json!({"title": "One more"})),
    );
    eventually("the witness cosigns the log that has grown", || {
        size(cosigned(one, two)) > before
    });
    let seen = two.must("GET", "/api/v1/watched-logs", &two.token("auditor"), None);
    assert!(seen["items"][0]["seen"]["size"].as_u64().unwrap() > before, "{seen}");
    is_verified(one, two);
    refuses(one, two);
    must_verify(one);
    for (server, place) in servers.into_iter().zip(&places) {
        assert!(server.stop().success());
        must_replay(place);
    }
}

/// A client that trusts the witness finds its line in the served checkpoint.
fn is_verified(one: &Server, two: &Server) {
    let (log, cosigner) = keys(one);
    let (_, witness) = keys(two);
    let file = one.data.join("keys");
    std::fs::write(&file, format!("{log}\n{cosigner}\n{witness}\n")).unwrap();
    eventually("the served checkpoint bears the line of the witness", || {
        let mut verify = std::process::Command::new(binary());
        verify.args(["--json", "audit", "verify", "--max-age", "off", "--log"]);
        verify.arg(format!("{}/t/halden/log", one.url)).arg("--key").arg(&file);
        verify
            .env("ASSENT_SERVER", &one.url)
            .env("ASSENT_TOKEN", one.token("auditor"));
        must_run(&mut verify).contains(name_of(&witness))
    });
}

/// The witness's responses to notes that it may not cosign.
fn refuses(one: &Server, two: &Server) {
    let door = format!("{}/t/halden/witness/add-checkpoint", two.url);
    let submit = |body: &str| {
        let mut answer = tests::caller::agent().post(door.as_str()).send(body).unwrap();
        let kind = answer
            .headers()
            .get("content-type")
            .map(|it| it.to_str().unwrap().to_owned());
        (
            answer.status().as_u16(),
            kind.unwrap_or_default(),
            answer.body_mut().read_to_string().unwrap(),
        )
    };
    let (_, note) = one.get("/t/halden/log/checkpoint", Some(&one.token("auditor")));
    let note = String::from_utf8(note).unwrap();
    let (status, kind, text) = submit(&format!("old 1\n\n{note}"));
    assert_eq!((status, kind.as_str()), (409, "text/x.tlog.size"), "{text}");
    let seen: u64 = text.trim_end().parse().unwrap();
    assert!(seen > 1, "{text}");
    let elsewhere = note.replacen("/t/halden/log\n", "/t/other/log\n", 1);
    assert_eq!(submit(&format!("old {seen}\n\n{elsewhere}")).0, 404);
    let root = note.lines().nth(2).unwrap();
    let changed = note.replacen(root, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 1);
    assert_eq!(
        submit(&format!("old {seen}\n\n{changed}")).0,
        403,
        "the signature is over another root"
    );
    for malformed in ["", "old x\n\n", "old 99999999\n\nx"] {
        assert_eq!(submit(malformed).0, 400, "{malformed:?}");
    }
    let beyond = format!("old 9999999999\n\n{note}");
    assert_eq!(submit(&beyond).0, 400, "the old size is beyond the checkpoint");
}
