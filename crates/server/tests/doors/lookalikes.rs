//! Keys and logins that a reader takes for others, and keys that no address can name.

use std::collections::BTreeSet;

use model::core::ids::{GroupKey, RecordId};
use model::directory::snapshot::{Group, GroupKind};
use serde_json::json;

use crate::world::World;

#[test]
fn a_new_key_of_a_group_is_not_taken_for_another() {
    let world = World::new();
    let put = |key: &str| {
        let path = format!("/groups/{key}");
        world.as_person("adam", "PUT", &path).json(&json!({"name": "Night"}))
    };
    put("night").send().expect(200);
    // Invisible, turned, another alphabet, another dress, blanks, parts of an address, the form that names a kind, dots.
    for wrong in [
        "night%E2%80%8B",
        "%E2%80%AEnight",
        "n%D1%96ght",
        "%EF%BD%8Eight",
        "%20day",
        "day%20%20two",
        "a%2Fb",
        "group:ops",
        "...",
    ] {
        let told = put(wrong).send().problem(422, "invalid");
        assert_eq!(told["errors"][0]["code"], "not_a_key", "{wrong}: {told}");
    }
    for twin in ["Night", "n%C4%B1ght"] {
        let told = put(twin).send().problem(422, "invalid");
        assert_eq!(told["errors"][0]["code"], "not_unique", "{twin}: {told}");
    }
    for right in ["day%20shift", "B%C3%BCro", "yaz%C4%B1l%C4%B1m"] {
        put(right).send().expect(200);
    }
    // One that an earlier version let in goes on.
    world.act(|cx| {
        let old = Group {
            id: RecordId(cx.new_id()?),
            version: 0,
            key: GroupKey("group:NIGHT".to_owned()),
            name: "Night".to_owned(),
            members: BTreeSet::new(),
            kind: GroupKind::Group,
            calendar: None,
            external_id: None,
            removed: false,
        };
        cx.put_estate("group.set", old, json!({})).map(drop)
    });
    for known in ["night", "group:NIGHT"] {
        put(known).header("if-match", "*").send().expect(200);
    }
}

#[test]
fn a_new_login_is_not_taken_for_another() {
    let world = World::new();
    let make = |login: &str| world.post("adam", "/people", &json!({"login": login, "name": "Somebody"}));
    for wrong in [
        "\u{131}ngrid",
        "h\u{251}nne",
        "I\u{307}nes",
        "ju\u{308}rgen",
        "group:security",
    ] {
        let told = make(wrong).problem(422, "invalid");
        assert_eq!(told["errors"][0]["code"], "not_a_login", "{wrong}: {told}");
    }
    for right in ["jürgen", "søren", "łukasz", "соня"] {
        make(right).expect(201);
    }
}

/// `.` and `..` mean another place in an address, so that a record of such a name is never reached.
#[test]
fn a_new_key_is_more_than_dots() {
    let world = World::new();
    for (path, body) in [
        ("/services", json!({})),
        ("/environments", json!({})),
        ("/config-items", json!({"service": "booking-api"})),
        (
            "/calendars",
            json!({"hours": [{"day": "monday", "from": "08:00", "to": "17:00"}]}),
        ),
    ] {
        for dots in [".", "..", "..."] {
            let mut body = body.clone();
            body["key"] = json!(dots);
            let told = world.post("adam", path, &body).problem(422, "invalid");
            assert_eq!(told["errors"][0]["code"], "not_a_key", "{path} {dots}: {told}");
            assert_eq!(told["errors"][0]["field"], "key", "{path} {dots}: {told}");
        }
    }
    let template = world
        .post("mona", "/templates", &json!({"key": ".."}))
        .problem(422, "invalid");
    let errors = template["errors"].as_array().cloned().unwrap_or_default();
    assert!(errors.iter().any(|it| it["code"] == "not_a_key"), "{template}");
}
