//! A server that gets the signal to stop: requests under way are finished and kept, or cut and not there at all; waiting ones
//! get a response at once, and no new ones are let in.

use std::net::TcpStream;

use serde_json::{Value, json};
use tests::faults::deeds::{self, Deeds};
use tests::faults::{eventually, raw, signals};
use tests::journey::{artifact, question, request, waiting_for_approval};
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

/// How long requests under way have, in seconds: far longer than the one that is finished takes, and short for the test.
const STOP_SECONDS: u32 = 4;

/// A file that comes in two halves.
struct Upload {
    stream: TcpStream,
    rest: Vec<u8>,
}

/// Begins to send evidence; half of it has left.
fn begin(server: &Server, path: &str, name: &str, file: &str) -> Upload {
    let field = |name: &str, value: &str| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let text = [
        field("kind", "file"),
        field("aspect", "other"),
        field("result", "passed"),
        field("name", name),
        "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"seen.txt\"\r\n".to_owned(),
        format!("Content-Type: text/plain\r\n\r\n{file}\r\n--edge--\r\n"),
    ]
    .concat();
    let length = text.len().to_string();
    let headers = [
        ("Content-Type", "multipart/form-data; boundary=edge"),
        ("Content-Length", length.as_str()),
    ];
    let token = server.token("requester");
    let head = raw::head("POST", &format!("{path}/evidence"), Some(&token), &headers);
    let mut stream = raw::connect(&server.url);
    let (first, rest) = text.as_bytes().split_at(text.len() / 2);
    raw::send(&mut stream, &[head.as_bytes(), b"\r\n", first]);
    let rest = rest.to_vec();
    Upload { stream, rest }
}

/// Sends a request that stays open, and does not wait.
fn open(server: &Server, path: &str) -> TcpStream {
    let head = raw::head("GET", path, Some(&server.token("pipeline")), &[]);
    let mut stream = raw::connect(&server.url);
    raw::send(&mut stream, &[head.as_bytes(), b"\r\n"]);
    stream
}

/// All that comes until the server hangs up: head and body.
fn whole(mut stream: TcpStream) -> String {
    let (mut seen, mut piece) = (Vec::new(), [0_u8; 4_096]);
    while let Ok(length @ 1..) = raw::read(&mut stream, &mut piece) {
        seen.extend_from_slice(&piece[..length]);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// The evidence of a change, by its names.
fn evidence(server: &Server, path: &str) -> Vec<Value> {
    let list = server.must("GET", &format!("{path}/evidence"), &server.token("auditor"), None);
    list["items"].as_array().unwrap().clone()
}

fn patient_for(place: &Place) -> Server {
    let settings = place.folder.path().join("stop.toml");
    std::fs::write(&settings, format!("stop_seconds = {STOP_SECONDS}\n")).unwrap();
    Server::start_with(place, true, &["--config", settings.to_str().unwrap()])
}

#[test]
fn a_server_that_is_told_to_stop_finishes_what_is_under_way() {
    let place = Place::demo("stopped");
    let mut server = patient_for(&place);
    let calm = deeds::calm(&server);
    let digest = artifact(9_501);
    let wanted = request("Under way at the end", &digest, server.server_time());
    let path = waiting_for_approval(&server, &wanted, &digest);
    let mut asked = question(&digest);
    asked["wait_seconds"] = json!(3_600);
    let check = server.must("POST", "/api/v1/gate-checks", &server.token("pipeline"), Some(&asked));
    let check = format!("/api/v1/gate-checks/{}", check["id"].as_str().unwrap());
    let load = Deeds::begin("T", &server, 2, 4);
    load.turn_to(Some(&server.url));
    load.wait_for(10);
    let file = "It was seen. ".repeat(40_000);
    let (mut slow, stuck) = (
        begin(&server, &path, "Slow", &file),
        begin(&server, &path, "Stuck", &file),
    );
    let (poll, mut stream) = (
        open(&server, &format!("{check}?wait=60")),
        open(&server, &format!("{check}/stream")),
    );
    assert_eq!(raw::status(&mut stream), Some(200), "the stream has begun");
    signals::send("TERM", server.id());
    // A request that waits for a turn gets the current state, and waits on elsewhere.
    let told = whole(poll);
    assert!(
        told.starts_with("HTTP/1.1 200") && told.contains("\"state\":\"waiting\""),
        "{told}"
    );
    whole(stream);
    eventually("nobody new is let in", || {
        TcpStream::connect(server.url.trim_start_matches("http://")).is_err()
    });
    load.turn_to(None);
    raw::send(&mut slow.stream, &[&slow.rest]);
    let told = whole(slow.stream);
    assert!(told.starts_with("HTTP/1.1 201"), "{told}");
    let kept: Value = serde_json::from_str(told.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let told = whole(stuck.stream);
    assert!(!told.starts_with("HTTP/1.1 2"), "half a file was acknowledged: {told}");
    let ended = server.wait_for_end();
    assert_eq!(ended.code(), Some(0), "{}", server.last_words());
    must_replay(&place);
    let mut server = patient_for(&place);
    load.check(&server, &calm);
    let found = evidence(&server, &path);
    let names: Vec<&str> = found.iter().filter_map(|row| row["name"].as_str()).collect();
    assert!(names.contains(&"Slow") && !names.contains(&"Stuck"), "{names:?}");
    let place_of_file = format!("{path}/evidence/{}/file", kept["id"].as_str().unwrap());
    let (status, bytes) = server.get(&place_of_file, Some(&server.token("auditor")));
    assert!(
        status == 200 && bytes == file.as_bytes(),
        "{status}, {} bytes",
        bytes.len()
    );
    load.turn_to(Some(&server.url));
    load.stop(std::slice::from_mut(&mut server), &calm);
    must_verify(&server);
    assert_eq!(server.stop().code(), Some(0));
    must_replay(&place);
}
