//! Bodies that are too large, too deep, doubled or slow; files of evidence.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::io::{Read, Seek, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use serde_json::json;

use crate::world::{ARTIFACT, World};

#[test]
fn a_larger_declared_length_is_refused_unread() {
    let world = World::new();
    let ask = world
        .as_person("rita", "POST", "/changes")
        .header("content-type", "application/json");
    // Nothing of the body is ever sent, and the response comes all the same.
    ask.header("content-length", "1048577").send().problem(413, "too_large");
}

#[test]
fn a_chunked_body_is_counted_as_it_comes() {
    let world = World::new();
    let mut body = Vec::new();
    for _ in 0..17 {
        body.extend_from_slice(b"10000\r\n");
        body.extend_from_slice(&vec![b' '; 65_536]);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    let mut stream = world.connect();
    let head = format!(
        "POST /api/v1/changes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        world.tokens["rita"]
    );
    stream.write_all(head.as_bytes()).unwrap();
    let _ = stream.write_all(&body);
    let mut start = [0_u8; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
}

#[test]
fn deep_doubled_and_broken_bodies_are_malformed() {
    let world = World::new();
    let deep = format!("{}1{}", "{\"a\":".repeat(65), "}".repeat(65));
    for bad in [
        deep.as_str(),
        "{\"title\":\"a\",\"title\":\"b\"}",
        "[]",
        "{\"title\":",
        "\u{0}",
    ] {
        let ask = world
            .as_person("rita", "POST", "/changes")
            .bytes("application/json", bad.as_bytes());
        ask.send().problem(400, "malformed");
    }
}

#[test]
fn a_connection_outlives_a_small_body_that_nobody_read() {
    let world = World::new();
    let mut stream = world.connect();
    for _ in 0..3 {
        let head =
            b"POST /api/v1/changes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n";
        stream.write_all(head).unwrap();
        // The response comes before the body was sent.
        let mut start = [0_u8; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 401");
        stream.write_all(b"{}").unwrap();
        let mut rest = Vec::new();
        let mut byte = [0_u8; 1];
        while !rest.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            rest.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&rest).to_lowercase();
        let length = head
            .split("content-length: ")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
    }
}

/// The head of the response to a request of which only this is sent, in lower case.
fn head_of_answer(world: &World, request: &str) -> String {
    let mut stream = world.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    let mut byte = [0_u8; 1];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

/// RFC 9112, section 9.6: the side that ends the connection announces it, or the next request is sent into it and lost.
#[test]
fn an_answer_that_leaves_a_body_unread_says_that_the_connection_ends() {
    let world = World::new();
    let known = format!("authorization: Bearer {}\r\n", world.tokens["rita"]);
    let (json, long, chunks) = (
        "content-type: application/json\r\n",
        "content-length: 1048577\r\n",
        "transfer-encoding: chunked\r\n",
    );
    let awaited = "content-length: 10\r\nexpect: 100-continue\r\n";
    for (headers, status) in [
        (format!("{known}{json}{long}"), "413"),
        (format!("{json}{long}"), "401"),
        (format!("{json}{chunks}"), "401"),
        (format!("{json}{awaited}"), "401"),
        (format!("{known}content-type: text/plain\r\n{chunks}"), "415"),
    ] {
        let request = format!("POST /api/v1/changes HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        let head = head_of_answer(&world, &request);
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{headers}{head}");
        assert!(head.contains("\r\nconnection: close\r\n"), "{headers}{head}");
    }
    // A body that was read to its end, or will be, leaves the connection unchanged.
    let whole = "transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    for rest in [
        format!("{known}{json}{whole}"),
        format!("{json}content-length: 2\r\n\r\n{{}}"),
        "\r\n".to_owned(),
    ] {
        let request = format!("POST /api/v1/changes HTTP/1.1\r\nhost: x\r\n{rest}");
        let head = head_of_answer(&world, &request);
        assert!(!head.contains("connection: close"), "{rest}{head}");
    }
}

#[test]
fn a_head_that_never_ends_is_cut() {
    let world = World::new();
    let mut stream = world.connect();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").unwrap();
    let mut rest = Vec::new();
    // The server ends the connection by itself; otherwise the read's own limit of a minute makes this fail.
    stream.read_to_end(&mut rest).unwrap();
    assert!(
        rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"),
        "{}",
        String::from_utf8_lossy(&rest)
    );
}

#[test]
fn a_body_that_stands_still_is_cut() {
    let world = World::new();
    let ask = world
        .as_person("rita", "POST", "/changes")
        .header("content-type", "application/json");
    ask.header("content-length", "100").send().problem(408, "too_slow");
}

#[test]
fn a_form_that_stands_still_is_cut() {
    let world = World::new();
    // The last is a form of a person whose session is over, which the sign-in page would carry along.
    for path in ["/t/acme/sign-in", "/t/acme/token", "/t/acme/changes"] {
        let ask = world.ask("POST", path).header("sec-fetch-site", "same-origin");
        let ask = ask.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(ask.header("content-length", "100").send().status, 408, "{path}");
    }
}

fn form(kind: &str, file: &str) -> Vec<u8> {
    let mut text = String::new();
    for (name, value) in [
        ("kind", kind),
        ("aspect", "functional"),
        ("name", "unit tests"),
        ("environment", "staging"),
        ("artifact", ARTIFACT),
    ] {
        text.push_str(&format!(
            "--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    text.push_str("--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"report.xml\"\r\ncontent-type: text/xml\r\n\r\n");
    text.push_str(file);
    text.push_str("\r\n--x--\r\n");
    text.into_bytes()
}

#[test]
fn a_file_of_evidence_is_read_kept_and_given_back() {
    let world = World::with(|settings| settings.evidence_limit_bytes = 300_000);
    let key = world.draft();
    let path = format!("/changes/{key}/evidence");
    let send = |kind: &str, file: &str| {
        world
            .as_person("rita", "POST", &path)
            .bytes("multipart/form-data; boundary=x", &form(kind, file))
            .send()
    };
    let report = "<testsuite name=\"s\" tests=\"2\" failures=\"1\"><testcase name=\"a\"/><testcase name=\"b\"><failure/></testcase></testsuite>";
    let evidence = send("junit", report).expect(201);
    assert_eq!(evidence["result"], "failed", "{evidence}");
    assert_eq!(evidence["change_state"], "draft");
    let back = world.get("rita", &format!("{path}/{}/file", evidence["id"].as_str().unwrap()));
    assert_eq!(back.status, 200);
    assert_eq!(back.body, report.as_bytes());
    assert_eq!(
        back.header("content-disposition"),
        "attachment; filename=\"unit tests\"; filename*=UTF-8''unit%20tests"
    );
    send("junit", "no XML").problem(422, "invalid");
    send("file", &"x".repeat(300_001)).problem(413, "too_large");
    assert_eq!(
        world.get("rita", &path).expect(200)["items"].as_array().unwrap().len(),
        1
    );
    let absent = world.as_person("rita", "POST", "/changes/CHG-1/evidence");
    absent
        .bytes("multipart/form-data; boundary=x", &form("file", "x"))
        .send()
        .problem(404, "not_found");
    assert!(world.post("rita", &path, &json!({"kind": "note"})).expect(422)["errors"].is_array());
    // Once it was erased nobody is given it any more, although the file lies there until it is swept.
    let change = |rest: &str| format!("/changes/{key}/{rest}");
    let erasure = json!({"kind": "texts", "reason": "Request of 12 November"});
    world
        .post("rita", &change("cancellation"), &json!({"reason": "Not needed"}))
        .expect(201);
    world.post("adam", &change("erasure"), &erasure).expect(201);
    world
        .post("mona", &change("erasure/confirmation"), &json!({}))
        .expect(201);
    let gone = world.get("rita", &format!("{path}/{}/file", evidence["id"].as_str().unwrap()));
    gone.problem(404, "not_found");
}

/// A bundle's own bytes, requested until its events have their place.
fn bundle_head(world: &World, key: &str) -> (TcpStream, Vec<u8>) {
    let path = format!("/api/v1/changes/{key}/bundle");
    loop {
        let mut stream = world.connect();
        let (host, token) = (world.host(), &world.tokens["aino"]);
        let ask = format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(ask.as_bytes()).unwrap();
        let mut first = vec![0; 4096];
        let length = stream.read(&mut first).unwrap();
        first.truncate(length);
        if !first.starts_with(b"HTTP/1.1 503") {
            return (stream, first);
        }
    }
}

/// The announced number of bytes of a bundle, and those that came.
fn bundle_of((mut stream, mut bytes): (TcpStream, Vec<u8>)) -> (usize, Vec<u8>) {
    // A connection that is broken off may end with an error; the bytes before it count.
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let body = bytes.split_off(end + 4);
    let head = String::from_utf8(bytes).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let told = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    (told.unwrap().trim().parse().unwrap(), body)
}

#[test]
fn a_bundle_is_sent_with_its_files_as_they_lie_and_broken_off_at_another_one() {
    let world = World::new();
    let key = world.draft();
    let large = "large ".repeat(4 << 20);
    let path = format!("/changes/{key}/evidence");
    for file in [large.as_str(), "small"] {
        world
            .as_person("rita", "POST", &path)
            .bytes("multipart/form-data; boundary=x", &form("file", file))
            .send()
            .expect(201);
    }
    let (told, whole) = bundle_of(bundle_head(&world, &key));
    assert_eq!(whole.len(), told);
    let report = proof::bundle::verify(&whole, None);
    assert_eq!(report.outcome, proof::report::Outcome::Good, "{report:?}");
    let files = proof::archive::read(&whole).unwrap();
    let of_evidence = files.iter().filter(|(name, _)| name.starts_with("evidence/"));
    let mut sizes: Vec<usize> = of_evidence.map(|(_, content)| content.len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, large.len()]);
    let kept = world.folder().join("evidence");
    let Ok(lying) = std::fs::read_dir(&kept) else {
        return; // In a database there is no file that could be changed from here while it is sent.
    };
    let is_large = |path: &PathBuf| path.metadata().unwrap().len() == large.len() as u64;
    let lying = lying.map(|entry| entry.unwrap().path()).find(is_large).unwrap();
    let begun = bundle_head(&world, &key);
    let mut changed = std::fs::OpenOptions::new().write(true).open(&lying).unwrap();
    changed.seek(std::io::SeekFrom::End(-1)).unwrap();
    changed.write_all(b"!").unwrap();
    let (told, cut) = bundle_of(begun);
    assert!(cut.len() < told, "{} of {told}", cut.len());
    assert_eq!(proof::bundle::verify(&cut, None).outcome, proof::report::Outcome::Bad);
    // A second request gets the refusal that the file is not the one that was kept.
    let (told, without) = bundle_of(bundle_head(&world, &key));
    assert_eq!(without.len(), told);
    let report = proof::bundle::verify(&without, None);
    assert!(report.report.has("missing"), "{report:?}");
}

#[test]
fn a_document_that_came_as_text_is_kept_beside_its_summary() {
    let world = World::new();
    let key = world.draft();
    let path = format!("/changes/{key}/evidence");
    let report = "<testsuite name=\"s\" tests=\"1\"><testcase name=\"a\"/></testsuite>";
    let sent = json!({"kind": "junit", "aspect": "functional", "environment": "staging", "artifact": ARTIFACT, "text": report});
    let evidence = world.post("rita", &path, &sent).expect(201);
    assert_eq!(evidence["result"], "passed", "{evidence}");
    assert_ne!(evidence["text"], report, "its summary is shown");
    let back = world.get("rita", &format!("{path}/{}/file", evidence["id"].as_str().unwrap()));
    assert_eq!((back.status, back.body.as_slice()), (200, report.as_bytes()));
    // One that cannot be read is neither kept nor listed.
    let broken = json!({"kind": "junit", "aspect": "functional", "text": "no XML"});
    world.post("rita", &path, &broken).problem(422, "invalid");
    for (kind, text) in [
        ("junit", None),
        ("sarif", Some("  ")),
        ("cyclonedx", None),
        ("in_toto", None),
    ] {
        let nothing = json!({"kind": kind, "aspect": "functional", "text": text});
        let refused = world.post("rita", &path, &nothing).problem(422, "invalid");
        let error = &refused["errors"][0];
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!("file"), &json!("missing")),
            "{refused}"
        );
    }
}
