//! Reads the real deliveries that GitHub's own package `@octokit/webhooks-examples` collects.
//!
//! Run with `--features foreign` and `ASSENT_TEST_NODE_MODULES` naming the `node_modules` folder
//! in which `npm install @octokit/webhooks-examples` has put it.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use connect::integration::github::{Secret, read, verify};
use model::integration::signal::Signal;
use serde_json::Value;

struct Delivery {
    source: String,
    event: String,
    body: Vec<u8>,
}

fn deliveries() -> Vec<Delivery> {
    let modules = std::env::var_os("ASSENT_TEST_NODE_MODULES")
        .expect("ASSENT_TEST_NODE_MODULES must name a node_modules folder with @octokit/webhooks-examples");
    let package = PathBuf::from(modules).join("@octokit/webhooks-examples");
    let mut found = Vec::new();
    let mut folders: Vec<_> = std::fs::read_dir(&package)
        .unwrap_or_else(|error| panic!("{}: {error}", package.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("index.json").is_file())
        .collect();
    folders.sort();
    for folder in folders {
        let text = std::fs::read(folder.join("index.json")).unwrap();
        let events: Vec<Value> = serde_json::from_slice(&text).unwrap();
        for event in &events {
            for body in event["examples"].as_array().unwrap() {
                found.push(Delivery {
                    source: folder.file_name().unwrap().to_string_lossy().into_owned(),
                    event: event["name"].as_str().unwrap().to_owned(),
                    body: serde_json::to_vec(body).unwrap(),
                });
            }
        }
    }
    found
}

fn secrets() -> [Secret; 2] {
    ["the retiring secret", "the coming secret"].map(|it| Secret::new(it.as_bytes()).unwrap())
}

fn kind(signal: &Signal) -> String {
    serde_json::to_value(signal).unwrap()["kind"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn every_real_delivery_is_verified_and_read() {
    let secrets = secrets();
    let deliveries = deliveries();
    assert!(deliveries.len() > 300, "only {} deliveries", deliveries.len());
    let mut counts = BTreeMap::<String, u64>::new();
    let mut set_aside = Vec::new();
    for it in &deliveries {
        let header = secrets[it.body.len() % 2].sign(&it.body);
        assert!(verify(&secrets, &it.body, &header), "{} {}", it.source, it.event);
        match read(&it.event, &it.body) {
            Ok(signals) => {
                assert_eq!(signals.len(), 1);
                let name = kind(&signals[0]);
                let known = [
                    "ping",
                    "deployment",
                    "deployment_status",
                    "push",
                    "pull_request",
                    "release",
                ];
                let wanted = if known.contains(&it.event.as_str()) {
                    &it.event
                } else {
                    "unknown"
                };
                assert_eq!(name, wanted, "{} {}", it.source, it.event);
                *counts.entry(name).or_default() += 1;
            }
            Err(reason) => {
                assert!(!reason.reason.is_empty());
                set_aside.push(format!("{} {}: {reason}", it.source, it.event));
            }
        }
    }
    println!(
        "{} deliveries verified; read: {counts:?}; set aside: {}",
        deliveries.len(),
        set_aside.len()
    );
    assert_eq!(set_aside, Vec::<String>::new());
    for name in [
        "ping",
        "deployment",
        "deployment_status",
        "push",
        "pull_request",
        "release",
        "unknown",
    ] {
        assert!(counts.contains_key(name), "no {name} among the deliveries");
    }
}

/// A million forgeries: one bit of the body or one digit of the signature is another, or the
/// signature is labelled with another algorithm, or belongs to another delivery.
#[test]
fn real_deliveries_that_were_tampered_with_are_never_verified() {
    const TRIES: usize = 1_000_000;
    const LARGEST_BODY_BYTES: usize = 4_096;
    let secrets = secrets();
    let small = |it: &Delivery| it.body.len() <= LARGEST_BODY_BYTES;
    let mut bodies: Vec<_> = deliveries().into_iter().filter(small).map(|it| it.body).collect();
    bodies.sort();
    bodies.dedup();
    assert!(bodies.len() > 10, "only {} small deliveries", bodies.len());
    let headers: Vec<_> = bodies.iter().map(|body| secrets[0].sign(body)).collect();
    let mut accepted = 0_usize;
    for number in 0..TRIES {
        let which = number % bodies.len();
        let (round, header) = (number / bodies.len(), &headers[which]);
        let is_accepted = match round % 16 {
            0 => verify(&secrets, &bodies[which], &headers[(which + 1) % bodies.len()]),
            1 => verify(&secrets, &bodies[which], &header.replace("sha256", "sha1")),
            2..8 => {
                let digit = 7 + round % 64;
                let mut forged = header.clone().into_bytes();
                forged[digit] = if forged[digit] == b'0' { b'1' } else { b'0' };
                verify(&secrets, &bodies[which], std::str::from_utf8(&forged).unwrap())
            }
            _ => {
                let place = round * 31 % bodies[which].len();
                bodies[which][place] ^= 1 << (round % 8);
                let is_accepted = verify(&secrets, &bodies[which], header);
                bodies[which][place] ^= 1 << (round % 8);
                is_accepted
            }
        };
        accepted += usize::from(is_accepted);
    }
    let are_whole_again = bodies
        .iter()
        .zip(&headers)
        .all(|(body, header)| verify(&secrets, body, header));
    assert!(
        are_whole_again,
        "a test that forgets to put the bytes back tests nothing"
    );
    println!("{TRIES} forgeries of {} deliveries, {accepted} verified", bodies.len());
    assert_eq!(accepted, 0);
}

#[test]
fn real_deliveries_under_another_event_s_header_give_no_other_signal() {
    let mut refused = 0_u64;
    for it in deliveries() {
        for header in ["deployment", "deployment_status", "push", "pull_request", "release"] {
            if header == it.event {
                continue;
            }
            match read(header, &it.body) {
                Ok(signals) => assert!(
                    matches!(signals[0], Signal::Unknown { .. }),
                    "{} {} read as {header}",
                    it.source,
                    it.event
                ),
                Err(_) => refused += 1,
            }
        }
    }
    println!("{refused} deliveries refused under another event's header");
    assert!(refused > 1_000);
}

#[test]
fn real_deliveries_cut_short_are_set_aside_without_a_panic() {
    for it in deliveries() {
        for step in 1..16 {
            let end = it.body.len() * step / 16;
            assert!(read(&it.event, &it.body[..end]).is_err());
        }
    }
}

/// The text at a path of members; `None` for null, for the empty text and for a missing member.
fn at(body: &Value, pointer: &str) -> Option<String> {
    let text = body.pointer(pointer)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn number(body: &Value, pointer: &str) -> String {
    body.pointer(pointer).unwrap().as_u64().unwrap().to_string()
}

#[test]
fn real_deployments_give_the_right_signal() {
    let mut seen = 0;
    for it in deliveries().iter().filter(|it| it.event == "deployment") {
        let body: Value = serde_json::from_slice(&it.body).unwrap();
        let Signal::Deployment(signal) = read(&it.event, &it.body).unwrap().remove(0) else {
            panic!("{} gave another signal", it.source);
        };
        assert_eq!(signal.deployment_id, number(&body, "/deployment/id"));
        assert_eq!(Some(signal.repository), at(&body, "/repository/full_name"));
        assert_eq!(Some(signal.environment), at(&body, "/deployment/environment"));
        assert_eq!(Some(signal.commit), at(&body, "/deployment/sha"));
        assert_eq!(Some(signal.ref_name), at(&body, "/deployment/ref"));
        assert_eq!(Some(signal.task), at(&body, "/deployment/task"));
        assert_eq!(signal.description, at(&body, "/deployment/description"));
        assert_eq!(signal.requester, at(&body, "/sender/login"));
        assert_eq!(
            Some(signal.occurred_at.to_string()),
            at(&body, "/deployment/created_at")
        );
        assert_eq!(signal.url, at(&body, "/deployment/url"));
        assert_eq!(signal.artifact, None);
        seen += 1;
    }
    println!("{seen} deployments compared");
    assert!(seen > 0);
}

#[test]
fn real_deployment_statuses_give_the_right_signal() {
    let mut seen = 0;
    for it in deliveries().iter().filter(|it| it.event == "deployment_status") {
        let body: Value = serde_json::from_slice(&it.body).unwrap();
        let Signal::DeploymentStatus(signal) = read(&it.event, &it.body).unwrap().remove(0) else {
            panic!("{} gave another signal", it.source);
        };
        assert_eq!(signal.deployment_id, number(&body, "/deployment/id"));
        assert_eq!(signal.status_id, number(&body, "/deployment_status/id"));
        assert_eq!(Some(signal.repository), at(&body, "/repository/full_name"));
        assert_eq!(Some(signal.environment), at(&body, "/deployment_status/environment"));
        assert_eq!(Some(signal.commit), at(&body, "/deployment/sha"));
        assert_eq!(
            Some(signal.status.as_str().to_owned()),
            at(&body, "/deployment_status/state")
        );
        assert_eq!(signal.description, at(&body, "/deployment_status/description"));
        assert_eq!(signal.actor, at(&body, "/sender/login"));
        assert_eq!(
            Some(signal.occurred_at.to_string()),
            at(&body, "/deployment_status/created_at")
        );
        seen += 1;
    }
    println!("{seen} deployment statuses compared");
    assert!(seen > 0);
}
