//! Single use at the online gate (T24): of many who use a permit up at the same moment, one has it.

use serde_json::{Value, json};
use tests::journey::{ENVIRONMENT, SERVICE, artifact, gate_path, question, scheduled};
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

/// How many use it up at once.
const AT_ONCE: usize = 64;
/// How many permits are fought for.
const ROUNDS: u64 = 3;

fn jti(permit: &str) -> String {
    let claims = proof::crypto::from_base64url(permit.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["jti"].as_str().unwrap().to_owned()
}

fn minted(server: &Server, artifact: &str) -> String {
    let pipeline = server.token("pipeline");
    let check = server.must("POST", "/api/v1/gate-checks", &pipeline, Some(&question(artifact)));
    jti(check["permit"].as_str().unwrap_or_else(|| panic!("{check}")))
}

fn consume(server: &Server, jti: &str, body: &Value, key: &str) -> (u16, Value) {
    let path = format!("/api/v1/permits/{jti}/consumption");
    let headers = [("Idempotency-Key", key)];
    let (status, answer) = server.ask_with("POST", &path, Some(&server.token("pipeline")), Some(body), &headers);
    (status, serde_json::from_slice(&answer).unwrap())
}

#[test]
fn of_sixty_four_who_use_a_permit_up_one_has_it() {
    let place = Place::demo("single-use");
    let server = Server::start(&place, true);
    let build = artifact(9_840);
    let path = scheduled(&server, "Used once", &build);
    let body = question(&build);
    for round in 0..ROUNDS {
        let jti = minted(&server, &build);
        let answers: Vec<(String, u16, Value)> = std::thread::scope(|scope| {
            let ask = |n: usize| {
                let key = format!("use-{round}-{n}");
                let (status, answer) = consume(&server, &jti, &body, &key);
                (key, status, answer)
            };
            let asked: Vec<_> = (0..AT_ONCE).map(|n| scope.spawn(move || ask(n))).collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let won: Vec<_> = answers.iter().filter(|(_, status, _)| *status == 201).collect();
        assert_eq!(won.len(), 1, "{answers:#?}");
        let (key, _, first) = won[0];
        assert!(first["used_at"].is_string(), "{first}");
        for (_, status, answer) in answers.iter().filter(|(_, status, _)| *status != 201) {
            let is_used = *status == 409 && answer["code"] == "permit_used";
            assert!(is_used || *status == 503, "{status} {answer}");
        }
        // The winner retries by its key, as after a lost response, and gets the same; any other key gets nothing.
        assert_eq!(consume(&server, &jti, &body, key), (201, first.clone()));
        let (status, answer) = consume(&server, &jti, &body, "another");
        assert_eq!((status, &answer["code"]), (409, &json!("permit_used")));
        // Presented to the gate it stops, though the gate itself returns go.
        let shown = format!("{}&permit={jti}", gate_path(&build));
        let (status, said) = server.get(&shown, Some(&server.token("pipeline")));
        let said: Value = serde_json::from_slice(&said).unwrap();
        assert_eq!((status, &said["reasons"][0]["code"]), (403, &json!("permit_used")));
    }
    assert_eq!(server.get(&gate_path(&build), Some(&server.token("pipeline"))).0, 200);
    let events = server.must(
        "GET",
        &format!("{path}/events?limit=200"),
        &server.token("auditor"),
        None,
    );
    let used = events["items"].as_array().unwrap().iter();
    let used = used.filter(|event| event["kind"] == "permit.consumed").count();
    assert_eq!(used as u64, ROUNDS);
    what_is_for_something_else_is_not_used_up(&server, &path, &build);
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

/// A permit that is held to the wrong thing, revoked, or shut out by the gate is refused and stays unused.
fn what_is_for_something_else_is_not_used_up(server: &Server, path: &str, build: &str) {
    let permit = minted(server, build);
    let elsewhere = json!({"service": SERVICE, "environment": "staging", "artifact": build});
    let another = json!({"service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact(9_841)});
    for (n, body) in [elsewhere, another].iter().enumerate() {
        let (status, answer) = consume(server, &permit, body, &format!("wrong-{n}"));
        assert_eq!((status, &answer["code"]), (409, &json!("not_go")), "{answer}");
    }
    assert_eq!(consume(server, &permit, &json!({}), "nothing").0, 422);
    assert_eq!(consume(server, "no-such-permit", &question(build), "none").0, 404);
    assert_eq!(consume(server, &permit, &question(build), "right").0, 201);
    let permit = minted(server, build);
    let revocation = format!("/api/v1/permits/{permit}/revocation");
    let reason = json!({"reason": "Wrong build."});
    server.must("POST", &revocation, &server.token("change_manager"), Some(&reason));
    let (status, answer) = consume(server, &permit, &question(build), "revoked");
    assert_eq!((status, &answer["code"]), (409, &json!("permit_revoked")));
    let permits = server.must(
        "GET",
        &format!("{path}/permits?limit=200"),
        &server.token("auditor"),
        None,
    );
    let unused = permits["items"].as_array().unwrap().iter();
    assert_eq!(unused.filter(|it| it["used_at"].is_null()).count(), 1, "{permits}");
}
