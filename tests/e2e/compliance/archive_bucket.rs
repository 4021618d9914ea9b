//! The archive in a bucket: a server that is killed while it uploads loses nothing and leaves nothing, a bucket that is away
//! delays nothing but its own changes, altered objects in it are detected, and an erasure reaches into it.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::faults::proxy::{Proxy, Way};
use tests::s3::{KEY, S3, SECRET};
use tests::session::Session;
use tests::{Place, Server, binary};

use crate::compliance::archive::{DAY, cancelled, erase, found, held, switch_on, told};
use crate::platform::crash::{must_run, must_verify, place_arguments};

/// Starts a server over a place with its settings, at a held time.
fn start(place: &Place, file: &str, at: jiff::Timestamp) -> Server {
    let mut server = Server::start_with(place, true, &["--config", file]);
    server.hold_clock(at);
    server
}

/// The objects that segments point to, as the archive counts them.
fn segments(server: &Server) -> usize {
    let archive = server.must("GET", "/api/v1/archive", &server.token("auditor"), None);
    usize::try_from(archive["segments"].as_i64().unwrap()).unwrap()
}

/// The API's response for a change.
fn ask(server: &Server, key: &str) -> (u16, String) {
    let path = format!("/api/v1/changes/{key}");
    let (status, body) = server.get(&path, Some(&server.token("auditor")));
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[test]
fn an_archive_in_a_bucket_outlives_kills_and_outages_and_is_erased_there() {
    let s3 = S3::start();
    let proxy = Proxy::start(SocketAddr::from(([127, 0, 0, 1], s3.port)));
    let place = Place::demo("archive-bucket");
    let file = place.folder.path().join("bucket.toml");
    s3.settings(proxy.address.port(), &file);
    let file = file.to_str().unwrap();
    let mut server = Server::start_with(&place, true, &["--config", file]);
    let now = server.server_time();
    server.hold_clock(now);
    let (key, other) = (
        cancelled(&server, "Move the aardvark"),
        cancelled(&server, "Feed the aardvark"),
    );
    let before = told(&server, &key);
    switch_on(&server);
    let late = now + jiff::SignedDuration::from_secs(91 * DAY);

    // Killed in the middle of an upload: the object is there, and the server never learnt it.
    proxy.go(Way::Unanswered);
    server.hold_clock(late);
    eventually("an object was sent", || !s3.keys().is_empty());
    assert_eq!(held(&server, &key), Value::Null, "nothing points to it");
    assert_eq!(told(&server, &key), before, "nothing is lost");
    server.kill();
    proxy.go(Way::Open);
    let mut server = start(&place, file, late);
    eventually("they moved", || {
        !held(&server, &key).is_null() && !held(&server, &other).is_null()
    });
    assert_eq!(held(&server, &key)["is_in_bucket"], true);
    assert_eq!(told(&server, &key), before);
    assert!(
        s3.keys().iter().all(|key| key.starts_with("one/archive/")),
        "{:?}",
        s3.keys()
    );

    // Files without a reference are removed.
    server.advance(2 * 60 * 60);
    eventually("the orphans went", || s3.keys().len() == segments(&server));

    bucket_is_away(server, (&place, file, late), &proxy, &key);
    altered_bytes_are_not_believed(&s3, (&place, file, late), &key);
    replays(&s3, &place);
    let mut server = start(&place, file, late + jiff::SignedDuration::from_hours(3));
    assert_eq!(told(&server, &key), before, "it is back");

    // An erasure reaches into the bucket.
    let segment = held(&server, &key)["segment"].as_str().unwrap().to_owned();
    let object = segment.trim_start_matches("sha256:").to_owned();
    let is_there = || s3.keys().iter().any(|it| it.contains(&object));
    assert!(is_there());
    erase(&server, &key);
    eventually("the object with the erased texts went", || {
        server.advance(15 * 60);
        !is_there()
    });
    assert_eq!(found(&server, "aardvark"), [other.as_str()]);
    must_verify(&server);
    server.kill();
    replays(&s3, &place);
}

/// Every record matches the log, with the content of the bucket.
fn replays(s3: &S3, place: &Place) {
    let mut command = Command::new(binary());
    command.args(["audit", "replay"]).envs(s3.variables());
    place_arguments(place, &mut command);
    must_run(&mut command);
}

/// A bucket that cannot be reached: its changes report that, and everything else works.
fn bucket_is_away(server: Server, (place, file, late): (&Place, &str, jiff::Timestamp), proxy: &Proxy, key: &str) {
    // A server that is started anew has nothing of the archive in memory.
    server.kill();
    proxy.go(Way::Cut);
    let server = start(place, file, late + jiff::SignedDuration::from_hours(2));
    let (code, body) = ask(&server, key);
    assert_eq!(code, 503, "{body}");
    assert!(body.contains("archive_unreachable"), "{body}");
    let page = Session::begin(&server, "auditor").get(&format!("/t/halden/changes/{key}"));
    assert_eq!(page.status, 503);
    assert!(page.body.contains("storage cannot be reached"), "{}", page.body);
    for shown in [&body, &page.body] {
        assert!(!shown.contains(SECRET) && !shown.contains(KEY), "{shown}");
    }
    assert_eq!(found(&server, "aardvark").len(), 2, "search and lists work");
    let question =
        json!({"service": "edge-dns", "environment": "production", "artifact": tests::journey::artifact(9_900)});
    let pipeline = server.token("pipeline");
    let (status, answer) = server.ask("POST", "/api/v1/gate-checks", Some(&pipeline), Some(&question));
    assert!(
        matches!(status, 200 | 201),
        "the gate: {}",
        String::from_utf8_lossy(&answer)
    );
    let fresh = cancelled(&server, "Brush the okapi");
    assert_eq!(ask(&server, &fresh).0, 200);
    assert!(!server.log().contains(SECRET) && !server.log().contains(KEY));
    proxy.go(Way::Open);
    eventually("it is read as soon as the bucket is back", || {
        ask(&server, key).0 == 200
    });
    server.kill();
}

/// An object that somebody altered in the bucket is an error, never a change.
fn altered_bytes_are_not_believed(s3: &S3, (place, file, late): (&Place, &str, jiff::Timestamp), key: &str) {
    let kept: Vec<(String, Vec<u8>)> = s3
        .keys()
        .into_iter()
        .map(|key| (key.clone(), s3.object(&key)))
        .collect();
    for (key, _) in &kept {
        s3.put(key, b"somebody else's");
    }
    let server = start(place, file, late + jiff::SignedDuration::from_hours(2));
    assert_eq!(ask(&server, key).0, 500);
    server.kill();
    for (key, bytes) in &kept {
        s3.put(key, bytes);
    }
}
