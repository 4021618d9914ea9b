//! Leavers: the things that end with a person, plain and as compromised.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use acts::directory::set_person;
use serde_json::{Value, json};

use crate::world::{ARTIFACT, World};

fn gate(world: &World) -> (u16, Value) {
    let path = format!("/gate?service=booking-api&environment=production&artifact={ARTIFACT}");
    let answer = world.get("pipe", &path);
    (answer.status, answer.json())
}

fn permit(world: &World) -> String {
    let body = json!({"service": "booking-api", "environment": "production", "artifact": ARTIFACT});
    let check = world.post("pipe", "/gate-checks", &body).expect(201);
    assert_eq!(check["decision"], "go", "{check}");
    let jws = check["permit"].as_str().unwrap().to_owned();
    let claims = proof::crypto::from_base64url(jws.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["jti"].as_str().unwrap().to_owned()
}

fn revoked(world: &World) -> Vec<Value> {
    let answer = world.ask("GET", "/t/acme/.well-known/assent-revocations").send();
    let text = String::from_utf8(answer.body).unwrap();
    let claims = proof::crypto::from_base64url(text.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["revoked"].as_array().unwrap().clone()
}

#[test]
fn a_plain_leaver_takes_nothing_back_but_can_do_nothing_more() {
    let world = World::new();
    let key = world.draft();
    world.schedule(&key);
    world
        .post("adam", "/people/oscar/deactivation", &json!({"reason": "Retired."}))
        .expect(201);
    world.get("oscar", "/me").problem(401, "unauthenticated");
    let change = world.get("rita", &format!("/changes/{key}")).expect(200);
    assert_eq!(change["state"], "scheduled");
    assert_eq!(gate(&world).0, 200);
    let again = world.post("adam", "/people/oscar/deactivation", &json!({}));
    again.problem(409, "already_inactive");
    let events = world
        .get("aino", &format!("/changes/{key}/events"))
        .expect(200)
        .to_string();
    assert!(events.contains("change.rests_on_leaver"), "{events}");
}

/// Records made by a compromised account are absent until another administrator decides about them.
#[test]
fn what_a_compromised_account_made_is_decided_once_by_another_administrator() {
    let world = World::new();
    let person = |login: &str, role: &str| {
        let words = json!({"login": login, "name": login, "roles": [role]});
        words.as_object().cloned().unwrap()
    };
    let (eve, puppet) = (person("eve", "admin"), person("puppet", "requester"));
    let eve = world.act(move |cx| Ok(set_person::create_person(cx, &eve)?.id));
    world.act(move |cx| {
        cx.actor.person = eve.clone();
        set_person::create_person(cx, &puppet).map(drop)
    });
    let end = json!({"compromised": true, "reason": "Phished."});
    let ended = world.post("adam", "/people/eve/deactivation", &end).expect(201);
    let rows = ended["deactivation"]["suspended"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{ended}");
    let path = |number: i64| format!("/people/eve/suspensions/{number}");
    let number = rows[0]["number"].as_i64().unwrap();
    let is_active = || world.get("adam", "/people/puppet").expect(200)["active"].clone();
    assert_eq!(is_active(), false);
    let word = json!({"confirmed": false});
    world.post("rita", &path(number), &word).problem(403, "not_allowed");
    world.post("adam", &path(number), &json!({})).problem(422, "invalid");
    world.post("adam", &path(number + 1), &word).problem(404, "not_found");
    world.post("adam", &path(number), &word).expect(201);
    world.post("adam", &path(number), &word).problem(409, "decided_already");
    assert_eq!(is_active(), false, "let go");
}

#[test]
fn who_lacks_after_a_leaver_is_told_of_the_rules_in_force() {
    let world = World::new();
    let lacking = || -> Vec<String> {
        let found = world.get("aino", "/staffing?limit=200").expect(200);
        let rows = found["items"].as_array().unwrap();
        let row = rows.iter().find(|row| row["pack"] == "in force").unwrap();
        let lacks = row["lacks"].as_array().unwrap();
        assert_eq!(row["is_staffed"], json!(lacks.is_empty()), "{row}");
        lacks.iter().map(|it| it["rule"].as_str().unwrap().to_owned()).collect()
    };
    let of_peers = ["base.require.peer_review", "base.require.peer_review_afterwards"];
    assert_eq!(lacking(), of_peers, "there is no group `security`");
    world
        .post("adam", "/people/mona/deactivation", &json!({"reason": "Retired."}))
        .expect(201);
    assert!(
        lacking().contains(&"base.require.change_manager".to_owned()),
        "{:?}",
        lacking()
    );
}

#[test]
fn a_pack_tells_whose_training_or_function_is_lacking_until_somebody_has_it() {
    let world = World::new();
    let lacking = |pack: &str| -> Vec<(String, String)> {
        let found = world.get("aino", "/staffing?limit=200").expect(200);
        let rows = found["items"].as_array().unwrap();
        let row = rows.iter().find(|row| row["pack"] == pack).unwrap();
        let text = |it: &serde_json::Value, field: &str| it[field].as_str().unwrap().to_owned();
        let lacks = row["lacks"].as_array().unwrap().iter();
        lacks.map(|it| (text(it, "rule"), text(it, "text"))).collect()
    };
    let rules = |pack: &str| -> Vec<String> { lacking(pack).into_iter().map(|it| it.0).collect() };
    for (pack, rule) in [
        ("pci", "pci.act.create_untrained"),
        ("hipaa", "hipaa.act.create_untrained"),
        ("sox", "sox.act.create_function"),
    ] {
        assert!(rules(pack).contains(&rule.to_owned()), "{pack}: {:?}", lacking(pack));
    }
    let told = lacking("hipaa")
        .into_iter()
        .find(|it| it.0 == "hipaa.act.create_untrained")
        .unwrap()
        .1;
    assert_eq!(
        told,
        "Authors and submitters of changes of a service with health data have a valid training in handling it. \
         Nobody here could."
    );
    let now = world.server.state().executor().tools().clock.now().to_string();
    for (person, training) in [("rita", "pci_dss"), ("rita", "hipaa")] {
        let passed =
            json!({"person": person, "training": training, "starts_at": now, "ends_at": "2036-01-01T00:00:00Z"});
        world.post("adam", "/trainings", &passed).expect(201);
    }
    for pack in ["pci", "hipaa"] {
        assert!(
            !rules(pack).iter().any(|rule| rule.contains(".act.")),
            "{pack}: {:?}",
            lacking(pack)
        );
    }
}

#[test]
fn a_compromised_approvers_word_and_permits_die_at_once() {
    let world = World::new();
    let key = world.draft();
    world.schedule(&key);
    let body = json!({"compromised": true, "reason": "Phished."});
    world.post("adam", "/people/sina/deactivation", &body).expect(201);
    let change = world.get("rita", &format!("/changes/{key}")).expect(200);
    assert_eq!(change["state"], "authorizing");
    assert_eq!(gate(&world).0, 403);
    let shown = world.get("rita", "/people/sina").expect(200);
    assert_eq!(shown["deactivation"]["compromised"], true);
    assert_eq!(shown["deactivation"]["by"], "adam");
    assert!(shown.get("subjects").is_none());
}

#[test]
fn under_way_the_gate_stops_and_the_permit_stands_in_the_list() {
    let world = World::new();
    let key = world.draft();
    world.schedule(&key);
    let jti = permit(&world);
    let state = world.get("rita", &format!("/changes/{key}")).expect(200)["state"].clone();
    assert_eq!(state, "implementing");
    world
        .post("adam", "/people/mona/deactivation", &json!({"compromised": true}))
        .expect(201);
    let (status, answer) = gate(&world);
    assert_eq!(status, 403, "{answer}");
    assert_eq!(answer["reasons"][0]["code"], "decision_voided", "{answer}");
    assert!(revoked(&world).contains(&json!(jti)));
}

#[test]
fn what_was_plain_can_be_said_to_be_compromised_later() {
    let world = World::new();
    let key = world.draft();
    world.schedule(&key);
    world.post("adam", "/people/oscar/deactivation", &json!({})).expect(201);
    world
        .post("adam", "/people/oscar/deactivation", &json!({"compromised": true}))
        .expect(201);
    let change = world.get("rita", &format!("/changes/{key}")).expect(200);
    assert_eq!(change["state"], "authorizing");
    world
        .post("rita", "/people/mona/deactivation", &json!({}))
        .problem(403, "not_allowed");
}

#[test]
fn a_second_account_with_the_same_address_is_refused() {
    let world = World::new();
    let body = |login: &str, mail: &str| json!({"login": login, "name": login, "email": mail});
    world
        .post("adam", "/people", &body("rita2", "rita@acme.example"))
        .expect(201);
    let twin = world
        .post("adam", "/people", &body("rita3", "Rita@ACME.example"))
        .problem(422, "invalid");
    assert_eq!(twin["errors"][0]["code"], "not_unique", "{twin}");
}
