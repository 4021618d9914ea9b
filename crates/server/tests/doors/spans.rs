//! Edits of running freezes and maintenance windows.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{ARTIFACT, Answer, World, eventually};

fn now(world: &World) -> Timestamp {
    world.server.state().executor().tools().clock.now()
}

fn hours(world: &World, count: i64) -> String {
    let at = now(world) + SignedDuration::from_hours(count);
    at.round(jiff::Unit::Second).unwrap().to_string()
}

fn edit(world: &World, path: &str, body: &Value) -> Answer {
    let etag = world.get("mona", path).header("etag").to_owned();
    let ask = world.as_person("mona", "PATCH", path);
    ask.header("if-match", &etag).json(body).send()
}

/// An edit by which a freeze covers less, confirmed: there is no other who may set freezes.
fn loosen(world: &World, path: &str, mut body: Value) {
    body["edit_reason"] = json!("It is quiet enough");
    edit(world, path, &body).expect(200);
    world
        .post("mona", &format!("{path}/confirmation"), &json!({}))
        .expect(201);
}

fn gate(world: &World) -> Value {
    let path = format!("/gate?service=booking-api&environment=production&artifact={ARTIFACT}");
    world.get("pipe", &path).json()["decision"].clone()
}

/// A freeze that lies over the change, set by the change manager; its path.
fn frozen(world: &World) -> String {
    let body = json!({"title": "The books close", "reason": "Finance counts.", "services": ["booking-api"],
        "environments": ["production"], "starts_at": hours(world, -1), "ends_at": hours(world, 1)});
    let made = world.post("mona", "/freezes", &body).expect(201);
    format!("/freezes/{}", made["id"].as_str().unwrap())
}

#[test]
fn a_freeze_is_changed_where_it_stands_and_keeps_its_exceptions() {
    let world = World::new();
    let key = world.draft();
    world.schedule(&key);
    let path = frozen(&world);
    assert_eq!(gate(&world), "stop");
    let exception = json!({"change": key, "reason": "Totals are wrong."});
    world
        .post("mona", &format!("{path}/exceptions"), &exception)
        .expect(201);
    assert_eq!(gate(&world), "go");
    let later = hours(&world, 30);
    let changed = edit(&world, &path, &json!({"ends_at": later, "title": "They close late"})).expect(200);
    assert_eq!(
        (
            &changed["ends_at"],
            &changed["title"],
            &changed["reason"],
            &changed["exceptions"][0]["change_key"]
        ),
        (
            &json!(later),
            &json!("They close late"),
            &json!("Finance counts."),
            &json!(key)
        )
    );
    assert_eq!(gate(&world), "go", "the exception holds on");
    // A patch names the version that was read, and has only fields of a freeze.
    let plain = world
        .as_person("mona", "PATCH", &path)
        .json(&json!({"title": "No"}))
        .send();
    plain.problem(428, "if_match_needed");
    let stale = world.as_person("mona", "PATCH", &path).header("if-match", "\"1\"");
    assert_eq!(stale.json(&json!({"title": "No"})).send().status, 412);
    for (wrong, field) in [
        (json!({"exceptions": []}), "exceptions"),
        (json!({"ended": true}), "ended"),
        (json!({"ends_at": hours(&world, -1)}), "ends_at"),
        (json!({"starts_at": hours(&world, 40)}), "ends_at"),
        (json!({"title": null}), "title"),
        (json!({"services": ["nothing"]}), "services[0]"),
    ] {
        let problem = edit(&world, &path, &wrong).problem(422, "invalid");
        assert!(
            problem["errors"]
                .as_array()
                .unwrap()
                .iter()
                .any(|it| it["field"] == field),
            "{problem}"
        );
    }
    let own = world.get("mona", &path).header("etag").to_owned();
    let stranger = world.as_person("rita", "PATCH", &path).header("if-match", &own);
    stranger
        .json(&json!({"title": "Mine"}))
        .send()
        .problem(403, "not_allowed");
}

#[test]
fn what_a_changed_freeze_covers_is_judged_in_its_transaction() {
    let world = World::new();
    let key = world.draft();
    world.schedule(&key);
    let path = frozen(&world);
    let stands = || world.get("rita", &format!("/changes/{key}")).json()["state"].clone();
    assert_eq!((gate(&world), stands()), (json!("stop"), json!("approved")));
    let until = hours(&world, 1);
    let question =
        json!({"service": "booking-api", "environment": "production", "artifact": ARTIFACT, "wait_until": until});
    let check = world.post("pipe", "/gate-checks", &question).expect(201);
    assert_eq!(check["state"], "waiting");
    // It lies over another place: work that it held goes on, also checks that wait at the gate.
    world.post("adam", "/environments", &json!({"key": "staging"}));
    loosen(&world, &path, json!({"environments": ["staging"]}));
    assert_eq!((gate(&world), stands()), (json!("go"), json!("scheduled")));
    let one = format!("/gate-checks/{}", check["id"].as_str().unwrap());
    eventually("the waiting check turns", || {
        world.get("pipe", &one).json()["decision"] == "go"
    });
    // And back, over all of them.
    edit(&world, &path, &json!({"environments": null})).expect(200);
    assert_eq!((gate(&world), stands()), (json!("stop"), json!("approved")));
    loosen(&world, &path, json!({"environments": ["staging"]}));
    assert_eq!(gate(&world), "go");
    let given = world.post("pipe", &format!("{one}/permit"), &json!({})).expect(201);
    assert!(given["permit"].is_string(), "{given}");
    let revoked = || {
        let list = world.ask("GET", "/t/acme/.well-known/assent-revocations").send();
        let text = String::from_utf8(list.body).unwrap();
        let payload = proof::crypto::from_base64url(text.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice::<Value>(&payload).unwrap()["not_before"].to_string()
    };
    assert!(!revoked().contains("booking-api"), "{}", revoked());
    // One that halts and holds now takes the permits with it that are out.
    loosen(&world, &path, json!({"environments": ["production"], "halt": true}));
    assert!(revoked().contains("booking-api"), "{}", revoked());
    let ending = json!({"reason": "The books are closed."});
    world
        .as_person("mona", "DELETE", &path)
        .json(&ending)
        .send()
        .expect(200);
    world
        .post("mona", &format!("{path}/confirmation"), &json!({}))
        .expect(201);
    edit(&world, &path, &json!({"ends_at": hours(&world, 50)})).problem(409, "not_in_state");
}

#[test]
fn the_log_says_what_a_freeze_was_and_what_it_is() {
    let world = World::new();
    let path = frozen(&world);
    let before = world.get("mona", &path).json()["ends_at"].clone();
    let after = hours(&world, 9);
    edit(
        &world,
        &path,
        &json!({"ends_at": after, "reason": "Finance counts twice."}),
    )
    .expect(200);
    let mut told = (0..).map(|index| {
        let one = format!("/events/{index}");
        // An event has its place in the log a moment after it happened.
        eventually("the event has its place", || world.get("aino", &one).status == 200);
        world.get("aino", &one).json()
    });
    let event = told.find(|event| event["kind"] == "freeze.edited").unwrap();
    let data = json!({"before": {"ends_at": before}, "after": {"ends_at": after}});
    for part in ["before", "after"] {
        assert_eq!(event["data"][part], data[part], "{event}");
    }
}

#[test]
fn a_window_is_changed_where_it_stands() {
    let world = World::new();
    let body = json!({"title": "Night", "starts_at": hours(&world, 20), "ends_at": hours(&world, 24)});
    let made = world.post("mona", "/windows", &body).expect(201);
    let path = format!("/windows/{}", made["id"].as_str().unwrap());
    let later = hours(&world, 26);
    let changed = edit(&world, &path, &json!({"ends_at": later, "services": ["booking-api"]})).expect(200);
    assert_eq!((&changed["id"], &changed["ends_at"]), (&made["id"], &json!(later)));
    assert_eq!(changed["services"], json!(["booking-api"]));
    edit(&world, &path, &json!({"halt": true})).problem(422, "invalid");
    world.as_person("mona", "DELETE", &path).send().expect(200);
    edit(&world, &path, &json!({"title": "Day"})).problem(409, "not_in_state");
}

/// A window that is over when it is set would let nothing through, and nobody would know why.
#[test]
fn a_window_that_is_over_is_not_set() {
    let world = World::new();
    let body = json!({"title": "Night", "starts_at": hours(&world, -4), "ends_at": hours(&world, -1)});
    let errors = world.post("mona", "/windows", &body).problem(422, "invalid")["errors"].clone();
    assert_eq!(
        (&errors[0]["field"], &errors[0]["code"]),
        (&json!("ends_at"), &json!("in_the_past"))
    );
    let begun = json!({"title": "Night", "starts_at": hours(&world, -4), "ends_at": hours(&world, 1)});
    world.post("mona", "/windows", &begun).expect(201);
}

#[test]
fn what_is_over_is_not_changed_any_more() {
    let world = World::new();
    let end = |path: &str| world.as_person("mona", "DELETE", path).send().expect(200);
    let passed = frozen(&world);
    let taken_back = frozen(&world);
    assert_eq!(end(&taken_back)["ended"], true);
    let window = json!({"title": "Night", "starts_at": hours(&world, -1), "ends_at": hours(&world, 1)});
    let made = world.post("mona", "/windows", &window).expect(201);
    let window = format!("/windows/{}", made["id"].as_str().unwrap());
    let refused = edit(
        &world,
        &window,
        &json!({"starts_at": hours(&world, -3), "ends_at": hours(&world, -2)}),
    );
    let errors = refused.problem(422, "invalid")["errors"].clone();
    assert_eq!(
        (&errors[0]["field"], &errors[0]["code"]),
        (&json!("ends_at"), &json!("in_the_past"))
    );
    assert!(errors.to_string().contains("DELETE /windows/"), "{errors}");
    crate::clock::tell(&world, "advance 7200");
    for path in [&passed, &taken_back, &window] {
        let before = world.get("mona", path).expect(200);
        assert_eq!(end(path), before, "{path}");
        assert_eq!(world.get("mona", path).expect(200), before, "{path}");
    }
}

#[test]
fn a_time_that_cannot_be_read_is_told_once() {
    let world = World::new();
    let freeze = |ends_at: Value| {
        let body = json!({"title": "Quiet", "starts_at": hours(&world, -1), "ends_at": ends_at});
        world.post("mona", "/freezes", &body).problem(422, "invalid")["errors"].clone()
    };
    let path = frozen(&world);
    for (wrong, code) in [
        (json!("x"), "not_a_time"),
        (Value::Null, "missing"),
        (json!("1969-01-01T00:00:00Z"), "out_of_range"),
        (json!(hours(&world, -2)), "out_of_order"),
    ] {
        let errors = freeze(wrong.clone());
        assert_eq!(errors.as_array().unwrap().len(), 1, "{wrong}: {errors}");
        assert_eq!(errors[0]["code"], code, "{wrong}: {errors}");
        let errors = edit(&world, &path, &json!({"ends_at": wrong})).problem(422, "invalid")["errors"].clone();
        assert_eq!(errors.as_array().unwrap().len(), 1, "{wrong}: {errors}");
    }
    let gone = json!({"title": "Quiet", "starts_at": hours(&world, -3), "ends_at": hours(&world, -2)});
    let errors = world.post("mona", "/freezes", &gone).problem(422, "invalid")["errors"].clone();
    assert_eq!(errors[0]["code"], "in_the_past", "{errors}");
}
