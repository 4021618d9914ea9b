//! The gate: stop and go, waiting, collecting, permits that verify.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::io::{BufRead as _, BufReader, Write as _};

use serde_json::{Value, json};

use crate::world::{ARTIFACT, World};

fn question() -> serde_json::Value {
    json!({"service": "booking-api", "environment": "production", "artifact": ARTIFACT})
}

#[test]
fn the_gate_answers_go_and_stop_with_its_header() {
    let world = World::new();
    let path = format!("/gate?service=booking-api&environment=production&artifact={ARTIFACT}");
    let stop = world.get("pipe", &path);
    let body = stop.expect(403);
    assert_eq!(stop.header("assent-decision"), "stop");
    assert_eq!(body["reasons"][0]["code"], "change_missing");
    world.get("pipe", "/gate?service=booking-api").problem(422, "invalid");
    let key = world.draft();
    world.schedule(&key);
    let go = world.get("pipe", &path);
    assert_eq!(go.expect(200)["change"], json!(key), "{go:?}");
    assert_eq!(go.header("assent-decision"), "go");
    assert_eq!(
        world.get("rita", &format!("/changes/{key}")).json()["state"],
        "scheduled"
    );
}

#[test]
fn a_repeated_check_gets_the_same_permit_and_only_its_id_is_kept() {
    let world = World::new();
    let key = world.draft();
    world.schedule(&key);
    let ask = || {
        let ask = world.as_person("pipe", "POST", "/gate-checks");
        ask.header("idempotency-key", "g1").json(&question()).send()
    };
    let (first, second) = (ask(), ask());
    assert_eq!(first.expect(201), second.expect(201));
    assert_eq!(second.header("idempotent-replayed"), "true");
    for answer in [&first, &second] {
        assert_eq!(answer.header("assent-decision"), "go");
    }
    let permit = first.json()["permit"].as_str().unwrap().to_owned();
    let files = ["assent.db", "assent.db-wal"].map(|name| std::fs::read(world.folder().join(name)).unwrap_or_default());
    let holds = |part: &str| {
        let part = part.as_bytes();
        files.iter().any(|file| file.windows(part.len()).any(|it| it == part))
    };
    let id = world.get("pipe", &format!("/changes/{key}/permits")).json()["items"][0]["id"].clone();
    assert!(holds(id.as_str().unwrap()), "what was written is looked at");
    assert!(!holds(&permit), "the permit's signed form rests in the database");
}

#[test]
fn a_question_that_says_a_thing_twice_is_not_guessed_at() {
    let world = World::new();
    let key = world.draft();
    world.schedule(&key);
    let path = format!("/gate?service=booking-api&environment=production&artifact={ARTIFACT}");
    for other in ["service=other", "environment=production", "artifact=sha256:00"] {
        let problem = world.get("pipe", &format!("{path}&{other}")).problem(422, "invalid");
        let field = other.split('=').next().unwrap();
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    // One artifact has one name, in every spelling of its digits.
    let shouted = ARTIFACT.to_uppercase();
    let asked = world.get(
        "pipe",
        &format!("/gate?service=booking-api&environment=production&artifact={shouted}"),
    );
    assert_eq!(asked.expect(200)["change"], json!(key));
}

#[test]
fn an_answer_from_memory_ends_with_the_next_commit() {
    let world = World::new();
    let path = format!("/gate?service=booking-api&environment=production&artifact={ARTIFACT}");
    let key = world.draft();
    world.schedule(&key);
    for _ in 0..8 {
        assert_eq!(world.get("pipe", &path).expect(200)["decision"], "go");
    }
    world
        .post(
            "mona",
            &format!("/changes/{key}/hold"),
            &json!({"reason": "The vendor is late."}),
        )
        .expect(201);
    for _ in 0..8 {
        assert_eq!(world.get("pipe", &path).expect(403)["decision"], "stop");
    }
    world
        .post("mona", &format!("/changes/{key}/resume"), &json!({}))
        .expect(201);
    for _ in 0..8 {
        assert_eq!(world.get("pipe", &path).expect(200)["decision"], "go");
    }
    // Another person's cache entry opens no route without the right.
    let stranger = world.ask("GET", &format!("/api/v1{path}")).send();
    assert_eq!(stranger.status, 401);
}

#[test]
fn a_check_that_is_go_starts_the_work_and_gives_the_permit() {
    let world = World::new();
    let key = world.draft();
    world.schedule(&key);
    let check = world.post("pipe", "/gate-checks", &question()).expect(201);
    assert_eq!(check["decision"], "go", "{check}");
    assert_eq!(check["permit"].as_str().unwrap().split('.').count(), 3);
    assert_eq!(
        world.get("rita", &format!("/changes/{key}")).json()["state"],
        "implementing"
    );
    let jti = check_permits(&world, &key);
    let revoked = world.post(
        "mona",
        &format!("/permits/{jti}/revocation"),
        &json!({"reason": "Wrong build."}),
    );
    assert_eq!(revoked.expect(201)["state"], "revoked");
    let list = world.ask("GET", "/t/acme/.well-known/assent-revocations").send();
    assert_eq!(list.status, 200);
    let payload = String::from_utf8(list.body)
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap()
        .to_owned();
    let payload = proof::crypto::from_base64url(&payload).unwrap();
    assert!(
        String::from_utf8(payload).unwrap().contains(&jti),
        "a revocation is on the list at once"
    );
}

fn check_permits(world: &World, key: &str) -> String {
    let permits = world.get("mona", &format!("/changes/{key}/permits")).expect(200);
    assert_eq!(permits["items"].as_array().unwrap().len(), 1);
    permits["items"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_waiting_check_turns_when_the_change_is_scheduled() {
    let world = World::new();
    let mut body = question();
    body["wait_until"] = json!("2100-01-01T00:00:00Z");
    world.post("pipe", "/gate-checks", &body).problem(422, "invalid");
    let until = world.server.state().executor().tools().clock.now() + jiff::SignedDuration::from_hours(1);
    body["wait_until"] = json!(until.to_string());
    let check = world.post("pipe", "/gate-checks", &body).expect(201);
    let id = check["id"].as_str().unwrap().to_owned();
    assert_eq!(check["decision"], "stop");
    assert_eq!(check["state"], "waiting");
    // A misspelt wait would be none, and its caller would retry without a pause.
    for wrong in ["wait=1m", "wait=-1", "wait=", "wat=60", "wait=1&wait=2"] {
        world
            .get("pipe", &format!("/gate-checks/{id}?{wrong}"))
            .problem(422, "invalid");
    }
    // A client that sends the reasons it has seen learns of other reasons at once, and does not wait for known ones.
    let seen = |check: &Value| check["checked_at"].as_str().unwrap().to_owned();
    let since = format!("/gate-checks/{id}?wait=60&seen={}", seen(&check));
    let (key, other) = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| world.get("pipe", &since).expect(200));
        let key = world.draft();
        (key, waiting.join().unwrap())
    });
    assert_eq!(other["decision"], "stop");
    assert_ne!(
        other["reasons"], check["reasons"],
        "the change is there, and lacks its approvals"
    );
    let known = format!("/gate-checks/{id}?wait=1&seen={}", seen(&other));
    assert_eq!(world.get("pipe", &known).expect(200)["checked_at"], other["checked_at"]);
    let turned = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| world.get("pipe", &format!("/gate-checks/{id}?wait=60")).expect(200));
        world.schedule(&key);
        waiting.join().unwrap()
    });
    assert_eq!(turned["decision"], "go", "{turned}");
    assert!(turned["permit"].is_null());
    world
        .post("rita", &format!("/gate-checks/{id}/permit"), &json!({}))
        .problem(403, "not_yours");
    let refused = world
        .post("pipe", &format!("/gate-checks/{id}/permit"), &json!({"servise": "x"}))
        .problem(422, "invalid");
    assert_eq!(refused["errors"][0]["field"], "servise");
    let first = world
        .post("pipe", &format!("/gate-checks/{id}/permit"), &json!({}))
        .expect(201);
    let again = world
        .post("pipe", &format!("/gate-checks/{id}/permit"), &json!({}))
        .expect(201);
    assert!(first["permit"].is_string());
    assert_eq!(first["permit"], again["permit"]);
}

/// The events of a check, one by one, until its stream ends by itself.
fn follow(world: &World, id: &str) -> impl Iterator<Item = Value> {
    let mut stream = world.connect();
    let head = format!(
        "GET /api/v1/gate-checks/{id}/stream HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\n\r\n",
        world.tokens["pipe"]
    );
    stream.write_all(head.as_bytes()).unwrap();
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    let data = lines.filter_map(|line| line.strip_prefix("data: ").map(str::to_owned));
    data.map(|data| serde_json::from_str(&data).unwrap())
}

#[test]
fn who_follows_a_waiting_check_is_told_when_the_last_approval_turns_it_go() {
    let world = World::new();
    let mut body = question();
    let until = world.server.state().executor().tools().clock.now() + jiff::SignedDuration::from_hours(1);
    body["wait_until"] = json!(until.to_string());
    let check = world.post("pipe", "/gate-checks", &body).expect(201);
    let id = check["id"].as_str().unwrap();
    let mut following = follow(&world, id);
    let first = following.next().unwrap();
    assert_eq!(
        (&first["decision"], &first["state"]),
        (&json!("stop"), &json!("waiting"))
    );
    let key = world.draft();
    world.schedule(&key);
    let told: Vec<Value> = following.collect();
    let (last, before) = told.split_last().unwrap();
    assert!(before.iter().all(|it| it["decision"] == "stop"), "{told:#?}");
    assert_eq!(
        (&last["id"], &last["decision"]),
        (&json!(id), &json!("go")),
        "{told:#?}"
    );
    assert!(last["permit"].is_null(), "who asked collects it: {last}");
    // A later client gets the result at once, and no more.
    assert!(follow(&world, id).eq([last.clone()]));
}

#[test]
fn who_waits_by_their_own_wish_is_counted_and_no_measure_of_the_door() {
    let world = World::new();
    let mut body = question();
    let until = world.server.state().executor().tools().clock.now() + jiff::SignedDuration::from_hours(1);
    body["wait_until"] = json!(until.to_string());
    let check = world.post("pipe", "/gate-checks", &body).expect(201);
    let path = format!("/gate-checks/{}", check["id"].as_str().unwrap());
    let figure = |name: &str| -> u64 {
        let told = String::from_utf8(world.ask("GET", "/metrics").send().body).unwrap();
        let found = told.lines().find_map(|line| line.strip_prefix(name)).unwrap_or(" 0");
        found.trim().parse().unwrap()
    };
    let measured = || figure("assent_http_request_duration_seconds_count{door=\"api\"}");
    let answered =
        || figure("assent_http_requests_total{route=\"/api/v1/gate-checks/{id}\",method=\"GET\",status=\"200\"}");
    world.get("pipe", &path).expect(200);
    let before = (measured(), answered());
    assert!(before.0 > 0 && before.1 == 1, "{before:?}");
    world.get("pipe", &format!("{path}?wait=1")).expect(200);
    assert_eq!((measured(), answered()), (before.0, before.1 + 1));
}
