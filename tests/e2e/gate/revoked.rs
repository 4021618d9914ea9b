//! A person's revocation closes the target until it is lifted; no key, check or route returns a dead permit afterwards.

use serde_json::{Value, json};
use tests::journey::{ENVIRONMENT, SERVICE, artifact, gate_path, question, request, scheduled};
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

fn ask(server: &Server, path: &str, body: &Value, key: &str) -> (u16, Value) {
    let headers = [("Idempotency-Key", key)];
    let (status, answer) = server.ask_with("POST", path, Some(&server.token("pipeline")), Some(body), &headers);
    (status, serde_json::from_slice(&answer).unwrap())
}

fn jti(permit: &Value) -> String {
    let text = permit.as_str().unwrap_or_else(|| panic!("no permit: {permit}"));
    let claims = proof::crypto::from_base64url(text.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["jti"].as_str().unwrap().to_owned()
}

fn codes(answer: &Value) -> Vec<&str> {
    let rows = answer["reasons"].as_array().unwrap().iter();
    rows.filter_map(|row| row["code"].as_str()).collect()
}

fn gate(server: &Server, build: &str) -> Value {
    let (_, answer) = server.get(&gate_path(build), Some(&server.token("pipeline")));
    serde_json::from_slice(&answer).unwrap()
}

#[test]
fn a_revoked_permit_closes_its_target_until_it_is_lifted_whatever_is_replayed() {
    let place = Place::demo("revoked");
    let server = Server::start(&place, true);
    let build = artifact(9_860);
    let path = scheduled(&server, "Stopped by a person", &build);
    // Several checks share one permit, and so does a repetition.
    let checks = "/api/v1/gate-checks";
    let first = ask(&server, checks, &question(&build), "one").1;
    let permit = jti(&first["permit"]);
    let second = ask(&server, checks, &question(&build), "two").1;
    assert_eq!(jti(&second["permit"]), permit);
    let again = ask(&server, checks, &question(&build), "one").1;
    assert_eq!((&again["id"], jti(&again["permit"])), (&first["id"], permit.clone()));
    // A person revokes it.
    let revocation = format!("/api/v1/permits/{permit}/revocation");
    let reason = json!({"reason": "The build is wrong."});
    server.must("POST", &revocation, &server.token("security"), Some(&reason));
    let closed = gate(&server, &build);
    assert_eq!(
        (&closed["decision"], codes(&closed)),
        (&json!("stop"), vec!["target_closed"])
    );
    assert!(
        !closed["reasons"][0]["waiting_on"].as_array().unwrap().is_empty(),
        "{closed}"
    );
    for key in ["one", "two", "three"] {
        let (status, answer) = ask(&server, checks, &question(&build), key);
        assert_eq!(
            (status, &answer["decision"], &answer["permit"]),
            (201, &json!("stop"), &Value::Null),
            "{key}"
        );
    }
    let id = first["id"].as_str().unwrap();
    let collecting = format!("{checks}/{id}/permit");
    let (status, answer) = ask(&server, &collecting, &json!({}), "collect");
    assert_eq!(status, 409, "{answer}");
    let change = server.must("GET", &path, &server.token("requester"), None);
    assert_eq!(change["closed_targets"][0]["permit"], permit.as_str());
    // The requester of the change cannot lift the stop of another person; its author can.
    let lifting = format!("{revocation}/lifting");
    let (status, answer) = server.ask("POST", &lifting, Some(&server.token("requester")), Some(&reason));
    assert_eq!(status, 403, "{}", String::from_utf8_lossy(&answer));
    assert_eq!(gate(&server, &build)["decision"], "stop");
    server.must("POST", &lifting, &server.token("security"), Some(&reason));
    assert_eq!(gate(&server, &build)["decision"], "go");
    let (_, answer) = ask(&server, checks, &question(&build), "one");
    assert_eq!((&answer["decision"], &answer["id"]), (&json!("go"), &first["id"]));
    assert_ne!(jti(&answer["permit"]), permit, "the dead permit stays dead");
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

#[test]
fn a_use_is_not_told_again_of_a_permit_that_is_dead_by_now() {
    let place = Place::demo("revoked-use");
    let server = Server::start(&place, true);
    let build = artifact(9_861);
    scheduled(&server, "Used and stopped", &build);
    let permit = jti(&ask(&server, "/api/v1/gate-checks", &question(&build), "check").1["permit"]);
    let path = format!("/api/v1/permits/{permit}/consumption");
    assert_eq!(ask(&server, &path, &question(&build), "use").0, 201);
    assert_eq!(
        ask(&server, &path, &question(&build), "use").0,
        201,
        "as after a lost answer"
    );
    let reason = json!({"reason": "Stop it."});
    let revocation = format!("/api/v1/permits/{permit}/revocation");
    server.must("POST", &revocation, &server.token("change_manager"), Some(&reason));
    let (status, answer) = ask(&server, &path, &question(&build), "use");
    assert_eq!((status, &answer["code"]), (409, &json!("not_alive")));
}

#[test]
fn what_nobody_approved_blocks_nothing_and_a_wrong_form_is_told() {
    let place = Place::demo("revoked-forms");
    let server = Server::start(&place, true);
    let build = artifact(9_862);
    scheduled(&server, "Approved", &build);
    assert_eq!(gate(&server, &build)["decision"], "go");
    let draft = request("Nobody approved this", &build, server.server_time());
    let key = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&draft))["key"].clone();
    assert_eq!(gate(&server, &build)["decision"], "go", "{key} is a draft");
    let asked = |name: &str, value: &str| {
        let path = format!("/api/v1/gate?service={SERVICE}&environment={ENVIRONMENT}&{name}={value}");
        let (status, answer) = server.get(&path, Some(&server.token("pipeline")));
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!((status, &answer["decision"]), (403, &json!("stop")), "{name}={value}");
        answer["reasons"][0]["text"].as_str().unwrap().to_owned()
    };
    assert!(asked("commit", "abcdef12").contains("short commit hash"));
    assert!(asked("artifact", "registry.example/shop/cart:latest").contains("is a tag"));
    let image = format!("registry.example/shop/cart@{build}");
    assert!(asked("artifact", &image).contains("image reference"));
    // The right build beside a commit that the change does not name is another question.
    let path = format!("{}&commit={}", gate_path(&build), "a".repeat(40));
    let (status, _) = server.get(&path, Some(&server.token("pipeline")));
    assert_eq!(status, 403);
}
