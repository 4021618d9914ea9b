//! SCIM over HTTP: the shapes that Okta and Entra document, deactivation, ETags, strangers.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use model::cab::training::Training;
use model::core::ids::{PersonId, RecordId};
use model::directory::snapshot::{Group, Ownership, Person};
use serde_json::{Value, json};
use store::identity::second_factor::{self, SecondFactor};
use store::identity::secrets;
use store::record::{self, Filter};

use crate::world::{ARTIFACT, Answer, PASSWORD, TENANT, World};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

struct Client<'w> {
    world: &'w World,
    token: String,
}

impl<'w> Client<'w> {
    fn new(world: &'w World) -> Self {
        let token = world.token("adam", &["scim"]);
        Self { world, token }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.with(method, path, body, &[])
    }

    fn with(&self, method: &str, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut ask = self
            .world
            .ask(method, &format!("/t/acme/scim/v2{path}"))
            .header("authorization", &format!("Bearer {}", self.token));
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        if body.is_null() {
            return ask.send();
        }
        ask.bytes("application/scim+json", body.to_string().as_bytes()).send()
    }

    fn get(&self, path: &str) -> Value {
        self.ask("GET", path, &Value::Null).expect(200)
    }

    #[track_caller]
    fn refused(&self, method: &str, path: &str, body: &Value, status: u16, kind: &str) {
        let answer = self.ask(method, path, body);
        let told = answer.expect(status);
        assert_eq!(answer.header("content-type"), "application/scim+json");
        assert_eq!(told["status"], status.to_string());
        assert_eq!(
            told.get("scimType").and_then(Value::as_str).unwrap_or_default(),
            kind,
            "{told}"
        );
    }
}

/// A user as Okta creates it.
fn okta_user(login: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": login,
        "name": {"givenName": "Test", "familyName": "User"},
        "emails": [{"primary": true, "value": login, "type": "work"}],
        "displayName": "Test User", "locale": "en-US", "externalId": format!("00u-{login}"),
        "groups": [], "password": "1mz050nq", "active": true,
    })
}

#[test]
fn a_user_is_made_found_changed_and_removed_as_okta_does_it() {
    let world = World::new();
    let okta = Client::new(&world);
    let path = "/Users?filter=userName%20eq%20%22test.user%40okta.local%22&startIndex=1&count=100";
    assert_eq!(okta.get(path)["totalResults"], 0);
    let made = okta.ask("POST", "/Users", &okta_user("test.user@okta.local"));
    let user = made.expect(201);
    assert_eq!(made.header("location"), user["meta"]["location"]);
    assert!(!user.to_string().contains("1mz050nq"));
    let id = user["id"].as_str().unwrap();
    assert_eq!(okta.get(path)["Resources"][0]["id"], id);
    okta.refused("POST", "/Users", &okta_user("Test.User@okta.local"), 409, "uniqueness");
    let mut twin = okta_user("other@okta.local");
    twin["emails"][0]["value"] = json!("TEST.user@okta.local");
    okta.refused("POST", "/Users", &twin, 409, "uniqueness");
    let mut whole = okta_user("test.user@okta.local");
    whole["id"] = json!(id);
    whole["displayName"] = json!("Renamed User");
    let after = okta.ask("PUT", &format!("/Users/{id}"), &whole).expect(200);
    assert_eq!(
        (&after["displayName"], &after["name"]["givenName"]),
        (&json!("Renamed User"), &json!("Test"))
    );
    let off = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "value": {"active": false}}]});
    assert_eq!(
        okta.ask("PATCH", &format!("/Users/{id}"), &off).expect(200)["active"],
        false
    );
    assert_eq!(okta.ask("DELETE", &format!("/Users/{id}"), &Value::Null).status, 204);
    okta.refused("GET", &format!("/Users/{id}"), &Value::Null, 404, "");
    assert_eq!(okta.get(path)["totalResults"], 0);
    let back = okta
        .ask("POST", "/Users", &okta_user("test.user@okta.local"))
        .expect(201);
    assert_eq!(back["id"], id, "who comes back is the same person");
    assert_eq!(back["active"], true);
}

/// The records of a person: their entry, their password, the number of second factors, and their rows of the matrix.
fn kept(world: &World, id: &str) -> (Person, Option<String>, usize, Vec<Ownership>) {
    let id = id.to_owned();
    world.act(move |cx| {
        let person = record::load::<Person>(cx.tx, &id)?.unwrap().record;
        let password = secrets::password(cx.tx, &id)?;
        let factors = second_factor::of_person(cx.tx, &id)?.len();
        let rows = Filter::new().equals("person", id.as_str()).order_by("id");
        let rows = record::find::<Ownership>(cx.tx, &rows)?.into_iter();
        Ok((person, password, factors, rows.map(|stored| stored.record).collect()))
    })
}

/// Gives Oscar, who owns services, something of everything.
fn equip_oscar(world: &World) {
    world.set_password("oscar");
    world.act(|cx| {
        let mut person = cx.directory()?.by_login("oscar").cloned().unwrap();
        let factor = SecondFactor {
            id: cx.new_id()?,
            person: person.id.0.clone(),
            kind: "passkey".to_owned(),
            name: "Key ring".to_owned(),
            secret: vec![1],
            is_confirmed: true,
            last_step: 0,
            created_at: cx.now,
            last_used_at: None,
            counts_from: None,
        };
        second_factor::insert(cx.tx, &factor)?;
        person.functions = ["dba".to_owned()].into();
        person.subjects = vec!["https://id.example oscar".to_owned()];
        cx.put_estate("person.edited", person, json!({})).map(drop)
    });
}

#[test]
fn who_is_given_the_login_of_somebody_removed_has_nothing_of_theirs() {
    let world = World::new();
    let client = Client::new(&world);
    equip_oscar(&world);
    let found = client.get("/Users?filter=userName%20eq%20%22oscar%22");
    let id = found["Resources"][0]["id"].as_str().unwrap();
    let path = format!("/Users/{id}");
    // A person who is only switched off for a while comes back with all of it.
    for active in [false, true] {
        let switch = json!({"Operations": [{"op": "replace", "path": "active", "value": active}]});
        client.ask("PATCH", &path, &switch).expect(200);
    }
    let (person, password, factors, rows) = kept(&world, id);
    assert_eq!(
        (person.roles.len(), person.functions.len(), person.subjects.len()),
        (1, 1, 1)
    );
    assert!(password.is_some() && factors == 1);
    assert!(!rows.is_empty() && rows.iter().all(|row| row.ends_at.is_none()));
    client.ask("DELETE", &path, &Value::Null).expect(204);
    let bare = |active: bool| {
        let (person, password, factors, after) = kept(&world, id);
        assert_eq!(person.active, active);
        assert!(person.roles.is_empty() && person.functions.is_empty() && person.subjects.is_empty());
        assert!(password.is_none() && factors == 0);
        assert_eq!(after.len(), rows.len(), "they have ended and can be read");
        assert!(after.iter().all(|row| row.ends_at.is_some()));
    };
    bare(false);
    let another = json!({"userName": "oscar", "displayName": "Oscar the Younger", "active": true});
    let made = client.ask("POST", "/Users", &another).expect(201);
    assert_eq!(made["id"], id, "the log knows one person of this login");
    bare(true);
    let sign_in = json!({"tenant": TENANT, "login": "oscar", "password": PASSWORD});
    let ask = world.ask("POST", "/api/v1/session").json(&sign_in);
    ask.send().problem(401, "unauthenticated");
}

/// Whether somebody watches a change, how many services they watch, and how many of their absences, times on call and trainings last.
fn lasting(world: &World, change: &str, id: &str) -> (usize, usize, usize) {
    let (change, id) = (change.to_owned(), PersonId::from(id));
    world.act(move |cx| {
        let watches_change = cx.file(&change)?.change.watchers.contains(&id);
        let (directory, now) = (cx.directory()?, cx.now);
        let watched = directory
            .services
            .values()
            .filter(|it| it.watchers.contains(&id))
            .count();
        let away = directory
            .absences
            .iter()
            .filter(|it| it.person == id && it.ends_at > now);
        let on_call = directory
            .on_call
            .iter()
            .filter(|it| it.person == id && it.ends_at > now);
        let trained = directory
            .trainings
            .iter()
            .filter(|it| it.person == id && it.ends_at > now);
        let times = away.count() + on_call.count() + trained.count();
        Ok((usize::from(watches_change), watched, times))
    })
}

#[test]
fn who_is_given_the_login_of_somebody_removed_is_not_away_not_trained_and_watches_nothing() {
    let world = World::new();
    let client = Client::new(&world);
    let key = world.draft();
    world
        .as_person("oscar", "PUT", &format!("/changes/{key}/watchers"))
        .header("if-match", "*")
        .send()
        .expect(200);
    world
        .post("oscar", "/services/booking-api/watchers", &json!({}))
        .expect(201);
    let away = json!({"starts_at": "2099-01-01T00:00:00Z", "ends_at": "2099-02-01T00:00:00Z"});
    world.post("oscar", "/absences", &away).expect(201);
    world.act(|cx| {
        let person = cx.directory()?.by_login("oscar").unwrap().id.clone();
        let row = Training {
            id: RecordId(cx.new_id()?),
            version: 0,
            person,
            training: "pci_dss".to_owned(),
            starts_at: cx.now,
            ends_at: "2099-01-01T00:00:00Z".parse().unwrap(),
            recorded_at: None,
            evidence_note: None,
        };
        cx.put_estate("training.set", row, json!({})).map(drop)
    });
    let found = client.get("/Users?filter=userName%20eq%20%22oscar%22");
    let id = found["Resources"][0]["id"].as_str().unwrap();
    let path = format!("/Users/{id}");
    // A person who is only switched off for a while comes back to all of it.
    for active in [false, true] {
        let switch = json!({"Operations": [{"op": "replace", "path": "active", "value": active}]});
        client.ask("PATCH", &path, &switch).expect(200);
    }
    assert_eq!(lasting(&world, &key, id), (1, 1, 2));
    client.ask("DELETE", &path, &Value::Null).expect(204);
    let (_, watched, times) = lasting(&world, &key, id);
    assert_eq!((watched, times), (0, 0));
    let another = json!({"userName": "oscar", "displayName": "Oscar the Younger", "active": true});
    assert_eq!(client.ask("POST", "/Users", &another).expect(201)["id"], id);
    assert_eq!(lasting(&world, &key, id), (0, 0, 0));
}

/// Taken out and put back without rights, the other who could look would count no more.
#[test]
fn who_could_set_policies_is_not_put_back_without_their_rights_within_a_day() {
    let world = World::new();
    let client = Client::new(&world);
    let found = client.get("/Users?filter=userName%20eq%20%22mona%22");
    let id = found["Resources"][0]["id"].as_str().unwrap();
    client.ask("DELETE", &format!("/Users/{id}"), &Value::Null).expect(204);
    client.refused("POST", "/Users", &json!({"userName": "mona", "active": true}), 409, "");
    assert_eq!(kept(&world, id).0.roles.len(), 1, "who counts is known by it");
}

#[test]
fn an_attribute_of_a_foreign_schema_switches_nobody_off() {
    let world = World::new();
    let client = Client::new(&world);
    let user = client.ask("POST", "/Users", &okta_user("a@acme.example")).expect(201);
    let path = format!("/Users/{}", user["id"].as_str().unwrap());
    let foreign = "urn:acme:custom:2.0:User";
    let one = |operation: Value| json!({"Operations": [operation]});
    let named = one(json!({"op": "replace", "path": format!("{foreign}:active"), "value": "False"}));
    client.refused("PATCH", &path, &named, 400, "invalidPath");
    let value = json!({format!("{foreign}:active"): "False", foreign: {"active": false}});
    let inside = one(json!({"op": "replace", "value": value}));
    assert_eq!(client.ask("PATCH", &path, &inside).expect(200)["active"], true);
    let mut whole = okta_user("a@acme.example");
    whole[foreign] = json!({"active": false});
    assert_eq!(client.ask("PUT", &path, &whole).expect(200)["active"], true);
    let filter = format!("/Users?filter={foreign}:active%20eq%20true");
    client.refused("GET", &filter, &Value::Null, 400, "invalidFilter");
}

#[test]
fn entra_patches_with_paths_and_texts_for_true() {
    let world = World::new();
    let entra = Client::new(&world);
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": "0a21f0f2", "userName": "Test_User@entra.local", "active": true,
        "emails": [{"primary": true, "type": "work", "value": "Test_User@entra.local"}],
        "meta": {"resourceType": "User"}, "name": {"formatted": "givenName familyName"},
        "roles": [], ENTERPRISE: {"employeeNumber": "7"},
    });
    let made = entra.ask("POST", "/Users", &user).expect(201);
    assert_eq!(made["userName"], "Test_User@entra.local");
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let operations = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
        {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "updated@entra.local"},
        {"op": "Replace", "path": "name.familyName", "value": "updatedFamilyName"},
        {"op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "Payments"},
        {"op": "Replace", "path": "active", "value": "False"},
    ]});
    let after = entra.ask("PATCH", &path, &operations).expect(200);
    assert_eq!(after["emails"][0]["value"], "updated@entra.local");
    assert_eq!(after["name"]["familyName"], "updatedFamilyName");
    assert_eq!(
        after[ENTERPRISE],
        json!({"department": "Payments", "employeeNumber": "7"})
    );
    assert_eq!(after["active"], false);
    let found = entra.get("/Users?filter=externalId%20eq%20%220a21f0f2%22%20and%20active%20eq%20%22False%22");
    assert_eq!(found["totalResults"], 1);
    let by_department = entra.get(&format!("/Users?filter={ENTERPRISE}:department%20eq%20%22payments%22"));
    assert_eq!(by_department["Resources"][0]["id"], made["id"]);
    entra.refused(
        "GET",
        "/Users?filter=passwords%20eq%20%22x%22",
        &Value::Null,
        400,
        "invalidFilter",
    );
    let nowhere = json!({"Operations": [{"op": "Replace", "path": "emails[type eq \"home\"].value", "value": "x"}]});
    entra.refused("PATCH", &path, &nowhere, 400, "noTarget");
}

#[test]
fn groups_gain_and_lose_members_and_their_people_see_them() {
    let world = World::new();
    let client = Client::new(&world);
    let one = client.ask("POST", "/Users", &okta_user("a@acme.example")).expect(201)["id"].clone();
    let two = client.ask("POST", "/Users", &okta_user("b@acme.example")).expect(201)["id"].clone();
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Night Shift",
        "externalId": "g-1", "members": [{"value": one}]});
    let made = client.ask("POST", "/Groups", &group).expect(201);
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    client.refused("POST", "/Groups", &group, 409, "uniqueness");
    let add = json!({"Operations": [{"op": "Add", "path": "members", "value": [{"value": two}]}]});
    assert_eq!(
        client.ask("PATCH", &path, &add).expect(200)["members"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let user = client.get(&format!("/Users/{}", two.as_str().unwrap()));
    assert_eq!(user["groups"][0]["display"], "Night Shift");
    let bare = client.get("/Groups?excludedAttributes=members&filter=displayName%20eq%20%22night%20shift%22");
    assert!(bare["Resources"][0].get("members").is_none());
    let remove = json!({"Operations": [{"op": "remove", "path": format!("members[value eq {two}]")}]});
    assert_eq!(
        client.ask("PATCH", &path, &remove).expect(200)["members"],
        json!([made["members"][0]])
    );
    let nobody = json!({"Operations": [{"op": "add", "path": "members", "value": [{"value": "nobody"}]}]});
    client.refused("PATCH", &path, &nobody, 400, "invalidValue");
    assert_eq!(
        world.get("rita", "/groups/night-shift").expect(200)["members"],
        json!(["a@acme.example"])
    );
    assert_eq!(client.ask("DELETE", &path, &Value::Null).status, 204);
    client.refused("GET", &path, &Value::Null, 404, "");
    assert_eq!(client.ask("POST", "/Groups", &group).expect(201)["id"], made["id"]);
}

#[test]
fn a_group_has_a_name_in_one_line_however_it_comes() {
    let world = World::new();
    let client = Client::new(&world);
    let raw = "Night\u{7} Shift\u{202e}\n ";
    let made = client.ask("POST", "/Groups", &json!({"displayName": raw})).expect(201);
    assert_eq!(made["displayName"], "Night Shift");
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    let patch = |value: Value| json!({"Operations": [{"op": "replace", "path": "displayName", "value": value}]});
    let renamed = client
        .ask("PATCH", &path, &patch(json!("\u{202e}Day\u{7}  Shift")))
        .expect(200);
    assert_eq!(renamed["displayName"], "Day Shift");
    for wrong in [json!("  "), json!("!!!"), json!("\u{200b}"), json!("x".repeat(5_000))] {
        client.refused("PATCH", &path, &patch(wrong.clone()), 400, "invalidValue");
        client.refused("PUT", &path, &json!({"displayName": wrong}), 400, "invalidValue");
        client.refused("POST", "/Groups", &json!({"displayName": wrong}), 400, "invalidValue");
    }
    assert_eq!(client.get(&path)["displayName"], "Day Shift");
    // One that an earlier version let in blocks nothing.
    let id = made["id"].as_str().unwrap().to_owned();
    world.act(move |cx| {
        let group = record::load::<Group>(cx.tx, &id)?.unwrap().record;
        let group = Group {
            name: "!!!".to_owned(),
            ..group
        };
        cx.put_estate("group.set", group, json!({})).map(drop)
    });
    let known = json!({"Operations": [{"op": "add", "path": "externalId", "value": "g-1"}]});
    assert_eq!(client.ask("PATCH", &path, &known).expect(200)["displayName"], "!!!");
    client.ask("PUT", &path, &json!({"displayName": "!!!"})).expect(200);
}

#[test]
fn whoever_was_deactivated_comes_back_by_a_word_and_never_by_silence() {
    let world = World::new();
    let client = Client::new(&world);
    let user = client.ask("POST", "/Users", &okta_user("a@acme.example")).expect(201);
    let path = format!("/Users/{}", user["id"].as_str().unwrap());
    let one = |operation: Value| client.ask("PATCH", &path, &json!({"Operations": [operation]}));
    let off = json!({"op": "replace", "path": "active", "value": false});
    assert_eq!(one(off).expect(200)["active"], false);
    for silent in [
        json!({"op": "remove", "path": "active"}),
        json!({"op": "replace", "path": "active", "value": null}),
        json!({"op": "replace", "value": {"displayName": "Another"}}),
    ] {
        assert_eq!(one(silent).expect(200)["active"], false);
    }
    let mut whole = okta_user("a@acme.example");
    whole.as_object_mut().unwrap().remove("active");
    assert_eq!(client.ask("PUT", &path, &whole).expect(200)["active"], false);
    let nothing = json!({"Operations": [{"op": "add", "path": "active"}]});
    client.refused("PATCH", &path, &nothing, 400, "invalidValue");
    let on = json!({"op": "replace", "path": "active", "value": "True"});
    assert_eq!(one(on).expect(200)["active"], true);
}

#[test]
fn an_address_that_no_letter_reaches_and_a_name_of_another_group_are_refused() {
    let world = World::new();
    let client = Client::new(&world);
    let mut user = okta_user("a@acme.example");
    user["emails"][0]["value"] = json!("a@acme.example\r\nBcc: eve@evil.example");
    client.refused("POST", "/Users", &user, 400, "invalidValue");
    let made = client.ask("POST", "/Users", &okta_user("a@acme.example")).expect(201);
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let wrong = json!({"Operations": [{"op": "replace", "path": "emails", "value": [{"value": "nobody"}]}]});
    client.refused("PATCH", &path, &wrong, 400, "invalidValue");
    let group = |name: &str| json!({"displayName": name});
    client.ask("POST", "/Groups", &group("Night Shift")).expect(201);
    let day = client.ask("POST", "/Groups", &group("Day Shift")).expect(201);
    let path = format!("/Groups/{}", day["id"].as_str().unwrap());
    let rename = |name: &str| json!({"Operations": [{"op": "replace", "path": "displayName", "value": name}]});
    client.refused("PATCH", &path, &rename("night  SHIFT"), 409, "uniqueness");
    client.ask("PATCH", &path, &rename("DAY shift")).expect(200);
    client.ask("PATCH", &path, &rename("Early Shift")).expect(200);
    let found = client.get("/Users?filter=not(userName%20eq%20%22a%40acme.example%22)");
    let all = client.get("/Users?count=0")["totalResults"].as_i64().unwrap();
    assert_eq!(found["totalResults"], json!(all - 1));
}

/// A person with another's address too would be that person once more: a second pair of eyes on their own change.
#[test]
fn an_address_beside_the_main_one_is_nobody_elses() {
    let world = World::new();
    let client = Client::new(&world);
    let with = |login: &str, other: &str| {
        let mut user = okta_user(login);
        let more = json!({"value": other, "type": "home"});
        user["emails"].as_array_mut().unwrap().push(more);
        user
    };
    let ada = client
        .ask("POST", "/Users", &with("ada@acme.example", "ada@home.example"))
        .expect(201);
    world
        .as_person("adam", "PATCH", "/people/ada@acme.example")
        .header("if-match", "*")
        .json(&json!({"accounts": ["mail:ada@old.example"]}))
        .send()
        .expect(200);
    let theirs = ["Ada@ACME.example", "ada@old.example"];
    for taken in theirs {
        client.refused("POST", "/Users", &with("eve@acme.example", taken), 409, "uniqueness");
    }
    let eve = client.ask("POST", "/Users", &okta_user("eve@acme.example")).expect(201);
    let path = format!("/Users/{}", eve["id"].as_str().unwrap());
    let patch = |op: &str, other: &str| {
        let value = json!([{"value": other, "type": "home"}]);
        json!({"Operations": [{"op": op, "path": "emails", "value": value}]})
    };
    for taken in theirs {
        client.refused("PUT", &path, &with("eve@acme.example", taken), 409, "uniqueness");
        client.refused("PATCH", &path, &patch("add", taken), 409, "uniqueness");
    }
    client
        .ask("PATCH", &path, &patch("add", "eve@home.example"))
        .expect(200);
    let path = format!("/Users/{}", ada["id"].as_str().unwrap());
    client.refused("PATCH", &path, &patch("add", "EVE@acme.example"), 409, "uniqueness");
    let alias = json!({"accounts": ["mail:ada@home.example"]});
    let ask = world.as_person("adam", "PATCH", "/people/eve@acme.example");
    let told = ask.header("if-match", "*").json(&alias).send().problem(422, "invalid");
    assert_eq!(told["errors"][0]["code"], "not_unique", "{told}");
    // An address that two shared before this check existed blocks no deactivation.
    let id = ada["id"].as_str().unwrap().to_owned();
    world.act(move |cx| {
        let person = record::load::<Person>(cx.tx, &id)?.unwrap().record;
        let emails = r#"[{"value": "ada@acme.example", "primary": true}, {"value": "eve@acme.example"}]"#;
        let attributes = vec![("emails".to_owned(), emails.to_owned())];
        let person = Person { attributes, ..person };
        cx.put_estate("person.edited", person, json!({})).map(drop)
    });
    let off = json!({"Operations": [{"op": "replace", "path": "active", "value": false}]});
    assert_eq!(client.ask("PATCH", &path, &off).expect(200)["active"], false);
}

#[test]
fn the_name_of_a_new_group_is_not_taken_for_another() {
    let world = World::new();
    let client = Client::new(&world);
    let group = |name: &str| json!({"displayName": name});
    let made = client.ask("POST", "/Groups", &group("Yazilim")).expect(201);
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    for wrong in ["secur\u{456}ty", "\u{ff33}ecurity", "c\u{251}b"] {
        client.refused("POST", "/Groups", &group(wrong), 400, "invalidValue");
        client.refused("PUT", &path, &group(wrong), 400, "invalidValue");
    }
    client.refused("POST", "/Groups", &group("Yaz\u{131}l\u{131}m"), 409, "uniqueness");
    client.ask("POST", "/Groups", &group("Sat\u{131}ş")).expect(201);
    client.ask("POST", "/Groups", &group("Отдел продаж")).expect(201);
}

#[test]
fn pages_count_places_and_etags_hold() {
    let world = World::new();
    let client = Client::new(&world);
    let before = client.get("/Users?count=0");
    assert_eq!(before["itemsPerPage"], 0);
    let total = before["totalResults"].as_i64().unwrap();
    let user = client.ask("POST", "/Users", &okta_user("a@acme.example")).expect(201);
    assert_eq!(client.get("/Users?startIndex=2&count=3")["itemsPerPage"], 3);
    let last = client.get(&format!("/Users?startIndex={}&count=50", total + 1));
    assert_eq!(
        (&last["totalResults"], &last["Resources"][0]["id"]),
        (&json!(total + 1), &user["id"])
    );
    let path = format!("/Users/{}", user["id"].as_str().unwrap());
    let tag = user["meta"]["version"].as_str().unwrap();
    assert_eq!(
        client
            .with("GET", &path, &Value::Null, &[("if-none-match", tag)])
            .status,
        304
    );
    let rename = json!({"Operations": [{"op": "replace", "path": "displayName", "value": "New"}]});
    let renamed = client.with("PATCH", &path, &rename, &[("if-match", tag)]).expect(200);
    let [before, after] = [&user, &renamed].map(|it| {
        let told = it["meta"]["lastModified"].as_str().unwrap_or_else(|| panic!("{it}"));
        told.parse::<jiff::Timestamp>().unwrap()
    });
    assert!(before < after, "{before} {after}");
    assert_eq!(
        client.get(&path)["meta"]["lastModified"],
        renamed["meta"]["lastModified"]
    );
    let later = client.get(&format!("/Users?filter=meta.lastModified%20gt%20%22{before}%22"));
    assert_eq!(later["Resources"][0]["id"], user["id"], "{later}");
    assert_eq!(client.with("PATCH", &path, &rename, &[("if-match", tag)]).status, 412);
    assert_eq!(
        client.with("DELETE", &path, &Value::Null, &[("if-match", tag)]).status,
        412
    );
    let only = client.get(&format!("{path}?attributes=userName,name.givenName"));
    assert!(only.get("emails").is_none() && only.get("id").is_some() && only.get("userName").is_some());
    let searched = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "userName sw \"a@\"", "count": 5});
    assert_eq!(
        client.ask("POST", "/Users/.search", &searched).expect(200)["totalResults"],
        1
    );
}

#[test]
fn the_documents_of_discovery_are_there() {
    let world = World::new();
    let client = Client::new(&world);
    assert_eq!(client.get("/ServiceProviderConfig")["patch"]["supported"], true);
    assert_eq!(client.get("/ResourceTypes")["totalResults"], 2);
    assert_eq!(client.get("/ResourceTypes/User")["endpoint"], "/Users");
    assert_eq!(client.get(&format!("/Schemas/{ENTERPRISE}"))["name"], "EnterpriseUser");
    client.refused("GET", "/Schemas/nothing", &Value::Null, 404, "");
    client.refused("GET", "/Things", &Value::Null, 404, "");
}

#[test]
fn strangers_other_scopes_and_sessions_do_not_provision() {
    let world = World::new();
    let client = Client::new(&world);
    let ask = |token: &str, path: &str| {
        world
            .ask("GET", path)
            .header("authorization", &format!("Bearer {token}"))
            .send()
            .status
    };
    assert_eq!(world.ask("GET", "/t/acme/scim/v2/Users").send().status, 401);
    assert_eq!(ask(&world.tokens["adam"], "/t/acme/scim/v2/Users"), 403);
    assert_eq!(ask(&client.token, "/t/other/scim/v2/Users"), 404);
    assert_eq!(ask(&client.token, "/api/v1/people"), 403);
    assert_eq!(ask(&world.token("rita", &["scim"]), "/t/acme/scim/v2/Users"), 403);
}

/// The whole of a leaver through provisioning, plain and compromised.
#[test]
fn an_approver_who_leaves_through_provisioning_leaves_as_the_policies_say() {
    let world = World::new();
    let client = Client::new(&world);
    let key = world.draft();
    world.schedule(&key);
    let id_of = |login: &str| {
        let found = client.get(&format!("/Users?filter=userName%20eq%20%22{login}%22"));
        found["Resources"][0]["id"].as_str().unwrap().to_owned()
    };
    let off = json!({"Operations": [{"op": "Replace", "path": "active", "value": "False"}]});
    client
        .ask("PATCH", &format!("/Users/{}", id_of("oscar")), &off)
        .expect(200);
    world.get("oscar", "/me").problem(401, "unauthenticated");
    let gate = format!("/gate?service=booking-api&environment=production&artifact={ARTIFACT}");
    assert_eq!(world.get("pipe", &gate).status, 200);
    let own = "urn:assent:params:scim:schemas:extension:2.0:User";
    let worse = json!({"Operations": [{"op": "replace", "value": {"active": false, own: {"compromised": true}}}]});
    client
        .ask("PATCH", &format!("/Users/{}", id_of("sina")), &worse)
        .expect(200);
    assert_eq!(world.get("pipe", &gate).status, 403);
    let on = json!({"Operations": [{"op": "replace", "path": "active", "value": true}]});
    client.refused("PATCH", &format!("/Users/{}", id_of("sina")), &on, 409, "");
    // Removed and made again is no way around it either.
    client
        .ask("DELETE", &format!("/Users/{}", id_of("sina")), &Value::Null)
        .expect(204);
    client.refused("POST", "/Users", &json!({"userName": "sina", "active": true}), 409, "");
    world.get("sina", "/me").problem(401, "unauthenticated");
    client
        .ask("PATCH", &format!("/Users/{}", id_of("oscar")), &on)
        .expect(200);
}
