//! Errors come in one order: 401, 413, 415, 400, 404, 403, 428, 412, 422, 409.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use serde_json::json;

use crate::world::World;

/// One request that is wrong in every way; each step puts the first thing right.
#[test]
fn the_first_error_in_the_order_is_told() {
    let world = World::new();
    let key = world.draft();
    let path = format!("/api/v1/changes/{key}");
    let huge = vec![b' '; 1024 * 1024 + 1];
    world
        .ask("PATCH", &path)
        .bytes("text/plain", &huge)
        .send()
        .problem(401, "unauthenticated");
    let ask = |login: &str, path: &str| world.as_person(login, "PATCH", path);
    ask("vera", "/changes/CHG-9")
        .bytes("text/plain", &huge)
        .send()
        .problem(413, "too_large");
    ask("vera", "/changes/CHG-9")
        .bytes("text/plain", b"{")
        .send()
        .problem(415, "not_json");
    ask("vera", "/changes/CHG-9")
        .bytes("application/json", b"{")
        .send()
        .problem(400, "malformed");
    let wrong = json!({"title": 7, "complexity": "huge"});
    ask("vera", "/changes/CHG-9")
        .json(&wrong)
        .send()
        .problem(404, "not_found");
    let path = format!("/changes/{key}");
    let refused = ask("vera", &path).json(&wrong).send().problem(403, "not_allowed");
    assert!(
        refused["policies"][0]["id"].as_str().unwrap().starts_with("base."),
        "{refused}"
    );
    ask("rita", &path).json(&wrong).send().problem(428, "if_match_needed");
    ask("rita", &path)
        .header("if-match", "\"77\"")
        .json(&wrong)
        .send()
        .problem(412, "stale");
    let tag = world.get("rita", &path).header("etag").to_owned();
    let invalid = ask("rita", &path)
        .header("if-match", &tag)
        .json(&wrong)
        .send()
        .problem(422, "invalid");
    assert_eq!(invalid["errors"].as_array().unwrap().len(), 2, "{invalid}");
    let early = world
        .post("ivan", &format!("{path}/implementation"), &json!({}))
        .problem(409, "not_in_state");
    assert_eq!(early["unmet"].as_array().unwrap().len(), 1);
}

#[test]
fn an_edit_answers_with_a_new_etag_and_comments_leave_it() {
    let world = World::new();
    let key = world.draft();
    let path = format!("/changes/{key}");
    let tag = world.get("rita", &path).header("etag").to_owned();
    world
        .post("rita", &format!("{path}/comments"), &json!({"text": "Hello."}))
        .expect(201);
    let watch = || world.as_person("rita", "PUT", &format!("{path}/watchers"));
    watch().send().problem(428, "if_match_needed");
    watch().header("if-match", &tag).send().expect(200);
    assert_eq!(world.get("rita", &path).header("etag"), tag);
    let edited = world
        .as_person("rita", "PATCH", &path)
        .header("if-match", &tag)
        .json(&json!({"title": "Better"}))
        .send();
    assert_eq!(edited.expect(200)["title"], "Better");
    assert_ne!(edited.header("etag"), tag);
    world
        .as_person("rita", "PATCH", &path)
        .header("if-match", &tag)
        .json(&json!({"title": "Late"}))
        .send()
        .problem(412, "stale");
}

#[test]
fn settings_are_put_over_the_version_that_was_read() {
    let world = World::new();
    for (who, path, wish) in [
        (
            "rita",
            "/people/rita/telling",
            json!({"how": "at_once", "language": "de"}),
        ),
        ("adam", "/access-review-schedule", json!({"every": "year"})),
    ] {
        let put = || world.as_person(who, "PUT", path);
        let tag = world.get(who, path).header("etag").to_owned();
        put().json(&wish).send().problem(428, "if_match_needed");
        let set = put().header("if-match", &tag).json(&wish).send();
        set.expect(200);
        assert_ne!(set.header("etag"), tag, "{path}");
        assert_eq!(set.header("etag"), world.get(who, path).header("etag"), "{path}");
        put().header("if-match", &tag).json(&wish).send().problem(412, "stale");
    }
}

#[test]
fn unknown_places_and_methods_are_problems_too() {
    let world = World::new();
    world.get("rita", "/nowhere").problem(404, "not_found");
    world
        .as_person("rita", "DELETE", "/changes")
        .send()
        .problem(405, "method_not_allowed");
    world.get("rita", "/changes/CHG-1").problem(404, "not_found");
    world.get("rita", "/changes/%FF").expect(400);
}
