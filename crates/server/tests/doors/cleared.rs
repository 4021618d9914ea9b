//! Edits by null or an empty cell, and mere reads: an edit that changes nothing makes no version.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use acts::directory::set_person;
use serde_json::{Value, json};

use crate::world::{Answer, World};

fn patch(world: &World, login: &str, path: &str, body: &Value) -> Answer {
    let ask = world.as_person(login, "PATCH", path).header("if-match", "*");
    ask.json(body).send()
}

#[test]
fn an_incident_is_patched_as_a_whole() {
    let world = World::new();
    let body = json!({"title": "Labels are late", "severity": 2, "services": ["booking-api"],
        "started_at": "2026-01-01T00:00:00Z", "external_ref": "PD-1"});
    let made = world.post("mona", "/incidents", &body).expect(201);
    let path = format!("/incidents/{}", made["key"].as_str().unwrap());
    for field in ["title", "severity", "started_at"] {
        let refused = patch(&world, "mona", &path, &json!({field: null})).problem(422, "invalid");
        let errors = refused["errors"].as_array().unwrap();
        assert_eq!((errors.len(), &errors[0]["field"]), (1, &json!(field)), "{refused}");
        assert_eq!(errors[0]["code"], "missing", "{refused}");
    }
    let ahead = json!({"started_at": "2999-01-01T00:00:00Z", "resolved_at": "2999-01-02T00:00:00Z"});
    let refused = patch(&world, "mona", &path, &ahead).problem(422, "invalid");
    let told = refused["errors"].as_array().unwrap().iter();
    let told: Vec<_> = told.map(|it| (&it["field"], &it["code"])).collect();
    let early = json!("in_the_future");
    assert_eq!(told, [(&json!("started_at"), &early), (&json!("resolved_at"), &early)]);
    for unknown in [json!({"key": "INC-1"}), json!({"key": null})] {
        let refused = patch(&world, "mona", &path, &unknown).problem(422, "invalid");
        assert_eq!(refused["errors"][0]["field"], "key");
    }
    for same in [json!({}), json!({"severity": 2}), json!({"resolved_at": null})] {
        let kept = patch(&world, "mona", &path, &same).expect(200);
        assert_eq!(kept["version"], made["version"], "{same}: {kept}");
    }
    let cleared = patch(&world, "mona", &path, &json!({"services": null, "external_ref": null})).expect(200);
    let services = cleared.get("services");
    assert!(services.is_none_or(|list| list == &json!([])), "{cleared}");
    assert_eq!(cleared.get("external_ref"), None, "{cleared}");
    assert_eq!(
        (&cleared["title"], &cleared["severity"]),
        (&made["title"], &made["severity"])
    );
}

#[test]
fn null_and_an_empty_cell_clear() {
    let world = World::new();
    let hours = json!([{"day": "monday", "from": "08:00", "to": "17:00"}]);
    let days = json!([{"date": "2026-12-25", "title": "Christmas"}]);
    let calendar = json!({"key": "k1", "zone": "UTC", "hours": hours, "holidays": days});
    world.post("adam", "/calendars", &calendar).expect(201);
    let set = |body: Value| {
        let ask = world
            .as_person("adam", "PUT", "/groups/finance")
            .header("if-match", "*");
        ask.json(&body).send().expect(200)["calendar"].clone()
    };
    let with = || assert_eq!(set(json!({"members": ["rita"], "calendar": "k1"})), "k1");
    world.act(|cx| {
        let body = json!({"members": ["rita"]});
        set_person::set_group(cx, "finance", body.as_object().unwrap())
    });
    with();
    assert_eq!(set(json!({"members": ["rita"]})), "k1", "what is not named stays");
    for clear in [Value::Null, json!("")] {
        with();
        assert_eq!(
            set(json!({"members": ["rita"], "calendar": clear})),
            Value::Null,
            "{clear}"
        );
    }
    for (format, text) in [
        ("csv", "key,calendar\nfinance,\n"),
        ("json", "[{\"key\": \"finance\", \"calendar\": null}]"),
    ] {
        with();
        let file = |text: &str| json!({"kind": "groups", "format": format, "text": text});
        world.post("adam", "/imports", &file(text)).expect(200);
        let group = world.get("adam", "/groups/finance").expect(200);
        assert_eq!(group.get("calendar"), None, "{format}: {group}");
        assert_eq!(group["members"], json!(["rita"]), "{format}: {group}");
    }
    let cleared = patch(&world, "adam", "/calendars/k1", &json!({"holidays": null})).expect(200);
    assert!(
        cleared.get("holidays").is_none_or(|days| days == &json!([])),
        "{cleared}"
    );
    assert_eq!(cleared["hours"], hours);
    let refused = patch(&world, "adam", "/calendars/k1", &json!({"hours": null})).problem(422, "invalid");
    assert_eq!(refused["errors"][0]["code"], "no_working_hours", "{refused}");
    let lists = json!({"functions": ["dba"], "accounts": ["github:vera"]});
    let vera = patch(&world, "adam", "/people/vera", &lists).expect(200);
    assert_eq!(
        (&vera["functions"], &vera["accounts"]),
        (&json!(["dba"]), &json!(["github:vera"]))
    );
    for field in ["functions", "accounts", "roles"] {
        let cleared = patch(&world, "adam", "/people/vera", &json!({field: null})).expect(200);
        let left = cleared.get(field).is_none_or(|list| list == &json!([]));
        assert!(left, "{field}: {cleared}");
    }
}

/// A target may name an item that the estate does not have, and so may the query for its owner.
#[test]
fn an_unknown_item_among_lines_is_told() {
    let world = World::new();
    let lines = |items: &str| {
        let path = format!("/ownership-lines?service=booking-api&environment=production{items}");
        world.get("rita", &path).expect(200)
    };
    world.post("adam", "/environments", &json!({"key": "production"}));
    world
        .post(
            "adam",
            "/config-items",
            &json!({"key": "booking-db", "service": "booking-api"}),
        )
        .expect(201);
    assert_eq!(lines("&config_item=booking-db").get("unknown_config_items"), None);
    assert_eq!(
        lines("&config_item=booking-db,nope")["unknown_config_items"],
        json!(["nope"])
    );
}

#[test]
fn a_note_that_is_too_long_is_told_once() {
    let world = World::new();
    let key = world.draft();
    let body = json!({"kind": "note", "name": "Long", "text": "x".repeat(20_001)});
    let refused = world.post("rita", &format!("/changes/{key}/evidence"), &body);
    let refused = refused.problem(422, "invalid");
    let errors = refused["errors"].as_array().unwrap();
    assert_eq!((errors.len(), &errors[0]["code"]), (1, &json!("too_long")), "{refused}");
}

#[test]
fn the_way_out_of_a_ring_names_a_delegation_that_stands() {
    let world = World::new();
    let lend = |from: &str, to: &str| {
        let body = json!({"delegate": to, "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z",
            "correction": true});
        world.post(from, "/delegations", &body)
    };
    let id = |made: Value| made["id"].as_str().unwrap().to_owned();
    let old = id(lend("oscar", "mona").expect(201));
    world
        .as_person("oscar", "DELETE", &format!("/delegations/{old}"))
        .send()
        .expect(200);
    crate::clock::tell(&world, "advance 60");
    let now = world.server.state().executor().tools().clock.now();
    let body = |to: &str| json!({"delegate": to, "starts_at": now.to_string(), "ends_at": "2099-01-01T00:00:00Z"});
    let new = id(world.post("oscar", "/delegations", &body("mona")).expect(201));
    let ring = world
        .post("mona", "/delegations", &body("oscar"))
        .problem(422, "invalid");
    let told = ring["errors"][0]["text"].as_str().unwrap();
    assert!(told.contains(&new) && !told.contains(&old), "{told}");
    assert!(told.contains("(`starts_at` 2099-01-01T00:00:00Z)"), "{told}");
}
