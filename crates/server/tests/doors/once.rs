//! Idempotency keys: the same response again, once.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use serde_json::json;

use crate::world::World;

#[test]
fn the_same_key_gives_the_same_answer_and_one_change() {
    let world = World::new();
    let ask = || {
        world
            .as_person("rita", "POST", "/changes")
            .header("idempotency-key", "k1")
    };
    let first = ask().json(&World::change_body()).send();
    let second = ask().json(&World::change_body()).send();
    assert_eq!(first.expect(201), second.expect(201));
    assert_eq!(first.header("idempotent-replayed"), "");
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_ne!(first.header("location"), "");
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(first.header("etag"), second.header("etag"));
    assert_eq!(
        world.get("rita", "/changes").json()["items"].as_array().unwrap().len(),
        1
    );
    ask()
        .json(&json!({"title": "Another"}))
        .send()
        .problem(422, "idempotency_key_reused");
    let other = world
        .as_person("oscar", "POST", "/changes")
        .header("idempotency-key", "k1");
    other.json(&World::change_body()).send().expect(201);
    assert_eq!(
        world.get("rita", "/changes").json()["items"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn refusals_are_judged_anew() {
    let world = World::new();
    let key = world.draft();
    let path = format!("/changes/{key}/assessment");
    let ask = || {
        world
            .as_person("rita", "POST", &path)
            .header("idempotency-key", "k")
            .json(&json!({}))
            .send()
    };
    ask().problem(409, "not_in_state");
    world
        .post("rita", &format!("/changes/{key}/submission"), &json!({}))
        .expect(201);
    assert_eq!(ask().expect(201)["state"], "authorizing");
}

#[test]
fn a_secret_is_never_replayed() {
    let world = World::new();
    let ask = || {
        let ask = world
            .as_person("adam", "POST", "/tokens")
            .header("idempotency-key", "t");
        ask.json(&json!({"name": "ci", "person": "pipe"})).send().expect(201)
    };
    let (first, second) = (ask(), ask());
    assert!(first["token"].as_str().unwrap().starts_with("ast_"));
    assert_eq!(first["id"], second["id"]);
    assert!(second.get("token").is_none());
}

/// Pipelines repeat a request before its first response came.
#[test]
fn requests_at_the_same_time_make_one_change() {
    let world = World::new();
    let keys: std::collections::BTreeSet<String> = std::thread::scope(|scope| {
        let ask = || {
            let ask = world
                .as_person("rita", "POST", "/changes")
                .header("idempotency-key", "race");
            let made = ask.json(&World::change_body()).send().expect(201);
            made["key"].as_str().unwrap().to_owned()
        };
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        asked.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert_eq!(keys.len(), 1);
    let list = world.get("rita", "/changes").json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

/// The response was lost on the way, and the change moved on before the pipeline retried.
#[test]
fn a_file_that_was_kept_is_answered_again_when_the_change_takes_no_more() {
    let world = World::new();
    let key = world.draft();
    let path = format!("/changes/{key}/evidence");
    let send = |words: &str| {
        let form = format!(
            "--x\r\ncontent-disposition: form-data; name=\"kind\"\r\n\r\nfile\r\n\
             --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"log.txt\"\r\n\r\n{words}\r\n--x--\r\n"
        );
        let ask = world.as_person("rita", "POST", &path).header("idempotency-key", "e");
        ask.bytes("multipart/form-data; boundary=x", form.as_bytes()).send()
    };
    let first = send("hello").expect(201);
    let reason = json!({"reason": "Not needed."});
    world
        .post("rita", &format!("/changes/{key}/cancellation"), &reason)
        .expect(201);
    let second = send("hello");
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(second.expect(201)["id"], first["id"]);
    send("hallo").problem(422, "idempotency_key_reused");
}
