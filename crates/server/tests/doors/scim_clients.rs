//! SCIM as the two big clients document their own requests, verbatim but for ids: Okta's and Entra's lists of calls, in the
//! order in which their provisioning makes them, and the requests that RFC 7644 allows any other client.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use serde_json::{Value, json};

use crate::world::{Answer, World};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

struct Client<'w> {
    world: &'w World,
    token: String,
}

impl<'w> Client<'w> {
    fn new(world: &'w World) -> Self {
        let token = world.token("adam", &["scim"]);
        Self { world, token }
    }

    /// With the media type and headers of the client.
    fn send(&self, (method, path): (&str, &str), body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut ask = self
            .world
            .ask(method, &format!("/t/acme/scim/v2{path}"))
            .header("authorization", &format!("Bearer {}", self.token))
            .header("accept", "application/scim+json, application/json");
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        if body.is_empty() {
            return ask.send();
        }
        ask.bytes("application/scim+json; charset=utf-8", body.as_bytes())
            .send()
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send((method, path), &text, &[])
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        self.ask("GET", path, &Value::Null).expect(200)
    }

    #[track_caller]
    fn patch(&self, path: &str, operations: Value) -> Value {
        let body = json!({"schemas": [PATCH], "Operations": operations});
        self.ask("PATCH", path, &body).expect(200)
    }

    #[track_caller]
    fn create(&self, kind: &str, body: &Value) -> String {
        self.ask("POST", &format!("/{kind}"), body).expect(201)["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// How many resources a list has in all.
    #[track_caller]
    fn total(&self, path: &str) -> i64 {
        self.get(path)["totalResults"].as_i64().unwrap()
    }
}

/// Percent-encoded as clients encode a filter, spaces as `%20`.
fn encoded(text: &str) -> String {
    let letters = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    letters.collect()
}

fn filter(kind: &str, text: &str) -> String {
    format!("/{kind}?filter={}", encoded(text))
}

/// A user as Entra's provisioning service creates one.
fn entra_user(login: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": format!("0a21f0f2-8d2a-4f8e-bf98-{login}"), "userName": format!("{login}@acme.example"), "active": true,
        "displayName": login, "title": "Engineer", "preferredLanguage": "en-US", "timezone": "Europe/Oslo",
        "emails": [{"primary": true, "type": "work", "value": format!("{login}@acme.example")}],
        "addresses": [{"type": "work", "formatted": "Main Street 1", "streetAddress": "Main Street 1", "locality": "Oslo"}],
        "phoneNumbers": [{"type": "work", "value": "+47 1"}, {"type": "mobile", "value": "+47 2"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
        ENTERPRISE: {"employeeNumber": "17", "department": "Platform"}, "roles": [],
    })
}

/// <https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups>, users.
#[test]
fn what_entra_documents_of_users_works() {
    let world = World::new();
    let client = Client::new(&world);
    // “Test connection” queries a person who is nowhere.
    let nobody = client.get(&filter("Users", "userName eq \"5e1f2ad7-6b0e-4f5e-9f0a-1a51a3a2d4ce\""));
    assert_eq!(nobody["totalResults"], 0);
    assert_eq!(
        nobody["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"])
    );
    assert_eq!(nobody["Resources"], json!([]));
    let boss = client.create("Users", &entra_user("boss"));
    let made = client.ask("POST", "/Users", &entra_user("joy"));
    let joy = made.expect(201);
    assert!(made.header("location").ends_with(joy["id"].as_str().unwrap()));
    let id = joy["id"].as_str().unwrap().to_owned();
    // A matched person is found by name in any letters and by the client's own id letter for letter.
    assert_eq!(client.total(&filter("Users", "userName eq \"JOY@Acme.Example\"")), 1);
    assert_eq!(
        client.total(&filter("Users", "externalId eq \"0a21f0f2-8d2a-4f8e-bf98-joy\"")),
        1
    );
    assert_eq!(
        client.total(&filter("Users", "externalId eq \"0A21F0F2-8D2A-4F8E-BF98-JOY\"")),
        0
    );
    assert_eq!(
        client.total(&filter("Users", "emails[type eq \"work\" and value co \"joy@\"]")),
        1
    );
    // Entra matches by address like this.
    for (address, found) in [
        ("joy@acme.example", 1),
        ("JOY@Acme.example", 1),
        ("joy", 0),
        ("\"].value pr or (", 0),
    ] {
        let text = format!("emails[type eq \"work\"].value eq {}", json!(address));
        assert_eq!(client.total(&filter("Users", &text)), found, "{text}");
    }
    let path = format!("/Users/{id}");
    before_2020(&client, &path, &boss);
    since_2020(&client, &path, (&id, &boss));
    let changed = client.patch(
        &path,
        json!([{"op": "Remove", "path": format!("{ENTERPRISE}:manager")}]),
    );
    assert!(changed[ENTERPRISE].get("manager").is_none(), "{changed}");
    assert_eq!(client.ask("DELETE", &path, &Value::Null).status, 204);
    assert_eq!(client.ask("GET", &path, &Value::Null).status, 404);
}

/// Entra's requests from before 2020, which it still sends by default.
fn before_2020(client: &Client<'_>, path: &str, boss: &str) {
    // The older shapes: operations in capital letters, yes and no as text, lists around single values.
    let changed = client.patch(
        path,
        json!([
            {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "joy@new.example"},
            {"op": "Replace", "path": "name.familyName", "value": "Updated"},
            {"op": "Add", "path": "title", "value": "Lead"},
            {"op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": boss},
            {"op": "Replace", "path": format!("{ENTERPRISE}:manager"), "value": [{"$ref": format!("http://a.example/Users/{boss}"), "value": boss}]},
            {"op": "Replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:displayName", "value": "Joy"},
            {"op": "Add", "path": "phoneNumbers[type eq \"fax\"].value", "value": "+47 3"},
            {"op": "Remove", "path": "addresses[type eq \"work\"].streetAddress"},
            {"op": "Replace", "path": "active", "value": "False"},
        ]),
    );
    assert_eq!(changed["active"], false);
    assert_eq!(changed["emails"][0]["value"], "joy@new.example");
    assert_eq!(changed["name"]["familyName"], "Updated");
    assert_eq!(changed["displayName"], "Joy");
    assert_eq!(changed[ENTERPRISE]["manager"]["value"], boss);
    assert_eq!(changed["phoneNumbers"].as_array().unwrap().len(), 3);
    assert!(changed["addresses"][0].get("streetAddress").is_none(), "{changed}");
}

/// Entra's requests since 2020, and its query for a manager.
fn since_2020(client: &Client<'_>, path: &str, (id, boss): (&str, &str)) {
    // The same without a path, dotted and with filters as keys.
    let changed = client.patch(
        path,
        json!([{"op": "replace", "value": {
            "active": true, "name.givenName": "Joyce", "emails[type eq \"work\"].value": "joy@acme.example",
            format!("{ENTERPRISE}:department"): "Data", "displayName": "Joyce",
        }}]),
    );
    assert_eq!(
        (&changed["active"], &changed["name"]["givenName"]),
        (&json!(true), &json!("Joyce"))
    );
    assert_eq!(changed[ENTERPRISE]["department"], "Data");
    // A reference is looked for by its value, with or without the extension's name.
    for text in [
        format!("id eq \"{id}\" and {ENTERPRISE}:manager eq \"{boss}\""),
        format!("{ENTERPRISE}:manager.value eq \"{boss}\""),
        format!("id eq \"{id}\" and manager eq \"{boss}\""),
    ] {
        assert_eq!(
            client.total(&format!("{}&attributes=id", filter("Users", &text))),
            1,
            "{text}"
        );
    }
}

/// The same page, groups.
#[test]
fn what_entra_documents_of_groups_works() {
    let world = World::new();
    let client = Client::new(&world);
    let ids: Vec<String> = ["ann", "ben", "cat"]
        .map(|it| client.create("Users", &entra_user(it)))
        .into();
    let made = client.ask(
        "POST",
        "/Groups",
        &json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159", "displayName": "Night shift",
            "meta": {"resourceType": "Group"},
        }),
    );
    let group = made.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/Groups/{group}");
    let without = client.get(&format!("{path}?excludedAttributes=members"));
    assert!(without.get("members").is_none());
    let found = client.get(&format!(
        "{}&excludedAttributes=members",
        filter("Groups", "displayName eq \"night shift\"")
    ));
    assert_eq!(
        (&found["totalResults"], found["Resources"][0].get("members")),
        (&json!(1), None)
    );
    client.patch(
        &path,
        json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": ids[0]}, {"value": ids[1]}]}]),
    );
    assert_eq!(
        client.total(&filter(
            "Groups",
            &format!("id eq \"{group}\" and members eq \"{}\"", ids[0])
        )),
        1
    );
    assert_eq!(
        client.total(&filter(
            "Groups",
            &format!("id eq \"{group}\" and members eq \"{}\"", ids[2])
        )),
        0
    );
    assert_eq!(
        client.total(&filter("Groups", &format!("members[value eq \"{}\"]", ids[1]))),
        1
    );
    client.patch(
        &path,
        json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": ids[0]}]}]),
    );
    client.patch(
        &path,
        json!([{"op": "Remove", "path": format!("members[value eq \"{}\"]", ids[1])}]),
    );
    assert_eq!(client.get(&path).get("members"), None);
    client.patch(
        &path,
        json!([{"op": "Replace", "path": "displayName", "value": "Day shift"}]),
    );
    // A record that is already gone is no error.
    client.patch(
        &path,
        json!([{"op": "Remove", "path": "members", "value": [{"value": ids[2]}]}]),
    );
    assert_eq!(client.get(&path)["displayName"], "Day shift");
    assert_eq!(client.ask("DELETE", &path, &Value::Null).status, 204);
}

/// <https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/>.
#[test]
fn what_okta_documents_works() {
    let world = World::new();
    let client = Client::new(&world);
    let list = client.get("/Users?startIndex=1&count=2");
    assert_eq!((&list["startIndex"], &list["itemsPerPage"]), (&json!(1), &json!(2)));
    assert_eq!(
        client.total("/Users?startIndex=1&count=100&filter=userName+eq+%22test.user%40okta.local%22"),
        0
    );
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "test.user@okta.local",
        "name": {"givenName": "Test", "familyName": "User"},
        "emails": [{"primary": true, "value": "test.user@okta.local", "type": "work"}], "displayName": "Test User",
        "locale": "en-US", "externalId": "00ujl29u0le5T6Aj10h7", "groups": [], "password": "1mz050nq", "active": true,
    });
    let made = client.ask("POST", "/Users", &user);
    let id = made.expect(201)["id"].as_str().unwrap().to_owned();
    assert!(!words(&made).contains("1mz050nq"), "the password comes back");
    let again = client.ask("POST", "/Users", &user);
    assert_eq!(again.expect(409)["scimType"], "uniqueness");
    let path = format!("/Users/{id}");
    // The whole profile comes back as it was read, changed in one place.
    let mut whole = client.get(&path);
    whole["name"]["middleName"] = json!("Excited");
    let put = client.ask("PUT", &path, &whole).expect(200);
    assert_eq!(
        (&put["name"]["middleName"], &put["id"]),
        (&json!("Excited"), &json!(id))
    );
    client.patch(&path, json!([{"op": "replace", "value": {"active": false}}]));
    assert_eq!(client.get(&path)["active"], false);
    client.patch(&path, json!([{"op": "replace", "value": {"active": true}}]));
    client.patch(&path, json!([{"op": "replace", "value": {"password": "t1meMa$heen"}}]));
    let absent = client.ask("GET", "/Users/23a35c27-23d3-4c03-b4c5-6443c09e7173", &Value::Null);
    let told = absent.expect(404);
    assert_eq!(
        (&told["schemas"][0], &told["status"]),
        (&json!("urn:ietf:params:scim:api:messages:2.0:Error"), &json!("404"))
    );
    assert!(told["detail"].is_string());
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Test SCIMv2", "members": []});
    let group = client.create("Groups", &group);
    let place = format!("/Groups/{group}");
    client.patch(
        &place,
        json!([{"op": "replace", "value": {"id": group, "displayName": "Test SCIMv2 b"}}]),
    );
    client.patch(
        &place,
        json!([
            {"op": "remove", "path": format!("members[value eq \"{id}\"]")},
            {"op": "add", "path": "members", "value": [{"value": id, "display": "test.user@okta.local"}]},
        ]),
    );
    let members = json!([{"value": id, "display": "test.user@okta.local"}]);
    let put = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": group, "displayName": "Test SCIMv2 c", "members": members});
    let put = client.ask("PUT", &place, &put).expect(200);
    assert_eq!(put["members"][0]["value"], id.as_str());
    assert_eq!(client.get(&path)["groups"][0]["value"], group.as_str());
    client.patch(&place, json!([{"op": "replace", "path": "members", "value": []}]));
    assert!(client.get(&path).get("groups").is_none());
}

fn words(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// As RFC 7644 section 3.4.2.4 lets clients write them.
#[test]
fn places_and_counts_are_taken_as_any_client_writes_them() {
    let world = World::new();
    let client = Client::new(&world);
    client.create("Users", &entra_user("ada"));
    let all = client.total("/Users");
    for query in [
        "startIndex=0",
        "startIndex=-5&count=1000000",
        "startIndex=1",
        "STARTINDEX=1",
    ] {
        let list = client.get(&format!("/Users?{query}"));
        assert_eq!(
            (&list["startIndex"], &list["totalResults"]),
            (&json!(1), &json!(all)),
            "{query}"
        );
        assert_eq!(
            list["Resources"].as_array().unwrap().len(),
            usize::try_from(all).unwrap(),
            "{query}"
        );
    }
    let none = client.get("/Users?count=0");
    assert_eq!((&none["totalResults"], &none["itemsPerPage"]), (&json!(all), &json!(0)));
    let beyond = client.get("/Users?startIndex=100000");
    assert_eq!(
        (&beyond["totalResults"], &beyond["Resources"]),
        (&json!(all), &json!([]))
    );
    assert_eq!(client.get("/Users?count=-3")["itemsPerPage"], 0);
}

#[test]
fn names_in_full_in_other_letters_and_of_parts_are_known() {
    let world = World::new();
    let client = Client::new(&world);
    let id = client.create("Users", &entra_user("ada"));
    let all = client.total("/Users");
    // Names in full, in other letters, and of parts.
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    assert_eq!(
        client.total(&filter("Users", &format!("{core}:userName eq \"ada@acme.example\""))),
        1
    );
    assert_eq!(client.total(&filter("Users", "USERNAME EQ \"ada@acme.example\"")), 1);
    assert_eq!(
        client.total(&filter(
            "Users",
            "meta.resourceType eq \"User\" and userName sw \"ADA@\""
        )),
        1
    );
    assert_eq!(
        client.total(&filter(
            "Users",
            "active eq true and not (userName sw \"ada@\") and id pr"
        )),
        all - 1
    );
    assert_eq!(
        client.total(&filter("Users", "emails.value eq \"ada@acme.example\"")),
        1
    );
    assert_eq!(
        client.total(&filter(
            "Users",
            "emails[primary eq true and value ew \"acme.example\"]"
        )),
        1
    );
    let path = format!("/Users/{id}");
    let few = client.get(&format!(
        "{path}?attributes={core}:userName,name.givenName,{ENTERPRISE}:department"
    ));
    let mut names: Vec<&str> = few.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["id", "meta", "name", "schemas", ENTERPRISE, "userName"],
        "{few}"
    );
    assert_eq!(few["name"], json!({"givenName": "givenName"}));
    assert_eq!(few[ENTERPRISE], json!({"department": "Platform"}));
    let less = client.get(&format!("{path}?excludedAttributes=emails,name.formatted,groups"));
    assert!(
        less.get("emails").is_none() && less["name"].get("formatted").is_none(),
        "{less}"
    );
}

#[test]
fn a_part_of_members_or_groups_is_shown_or_left_out_by_any_of_its_names() {
    let world = World::new();
    let client = Client::new(&world);
    let ada = client.create("Users", &entra_user("ada"));
    let ops = client.create("Groups", &json!({"displayName": "Ops", "members": [{"value": ada}]}));
    let core = "urn:ietf:params:scim:schemas:core:2.0:Group";
    let group = format!("/Groups/{ops}");
    let find = format!("{}&", filter("Groups", &format!("id eq \"{ops}\"")));
    for name in ["members.value", &format!("{core}:members.value"), "MEMBERS.value"] {
        let only = json!([{"value": ada}]);
        assert_eq!(
            client.get(&format!("{group}?attributes={name}"))["members"],
            only,
            "{name}"
        );
        let found = client.get(&format!("{find}attributes={name}"));
        assert_eq!(found["Resources"][0]["members"], only, "{name}");
        let all = client.get(&format!("/Groups?attributes={name}&count=200"));
        let all = all["Resources"].as_array().unwrap();
        assert!(all.iter().any(|it| it["members"] == only), "{name}");
    }
    let whole = client.get(&format!("{group}?attributes={core}:members"));
    assert_eq!(whole["members"], client.get(&group)["members"]);
    let less = client.get(&format!("{group}?excludedAttributes=members.$ref"));
    assert_eq!(less["members"], json!([{"value": ada}]));
    let none = client.get(&format!("{group}?excludedAttributes={core}:members"));
    assert_eq!((none.get("members"), &none["displayName"]), (None, &json!("Ops")));
    let user = client.get(&format!("/Users/{ada}?attributes=groups.display"));
    assert_eq!(user["groups"], json!([{"display": "Ops"}]));
}

/// RFC 7644 section 3.4.2.2 has this filter among its examples.
#[test]
fn resources_are_found_by_their_schemas() {
    let world = World::new();
    let client = Client::new(&world);
    let ada = client.create("Users", &entra_user("ada"));
    let found = client.get(&filter("Users", &format!("schemas eq \"{ENTERPRISE}\"")));
    assert_eq!(
        (&found["totalResults"], &found["Resources"][0]["id"]),
        (&json!(1), &json!(ada))
    );
    let core = "urn:ietf:params:scim:schemas:core:2.0";
    let of_core = |kind: &str, name: &str| client.total(&filter(kind, &format!("schemas eq \"{core}:{name}\"")));
    assert_eq!(
        (of_core("Users", "User"), of_core("Users", "Group")),
        (client.total("/Users"), 0)
    );
    assert_eq!(of_core("Groups", "Group"), client.total("/Groups"));
}

#[test]
fn whoever_is_searched_by_post_is_found() {
    let world = World::new();
    let client = Client::new(&world);
    let id = client.create("Users", &entra_user("ada"));
    // Searching by POST, by kind and over all.
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["userName"],
        "filter": "userName eq \"ada@acme.example\"", "startIndex": 1, "count": 10});
    for place in ["/Users/.search", "/.search"] {
        let found = client.ask("POST", place, &search).expect(200);
        assert_eq!(
            (&found["totalResults"], &found["Resources"][0]["id"]),
            (&json!(1), &json!(id)),
            "{place}"
        );
    }
}

#[test]
fn tags_are_compared_as_the_standard_says() {
    let world = World::new();
    let client = Client::new(&world);
    let id = client.create("Users", &entra_user("ada"));
    let path = format!("/Users/{id}");
    // Tags: weak, several, any; and one of before.
    let answer = client.ask("GET", &path, &Value::Null);
    let tag = answer.header("etag").to_owned();
    assert!(tag.starts_with("W/\"") || tag.starts_with('"'), "{tag}");
    let change =
        json!({"schemas": [PATCH], "Operations": [{"op": "replace", "path": "title", "value": "Boss"}]}).to_string();
    for good in [tag.clone(), format!("\"x\", {tag}"), "*".to_owned()] {
        let tag_now = client.ask("GET", &path, &Value::Null).header("etag").to_owned();
        let good = good.replace(&tag, &tag_now);
        client
            .send(("PATCH", &path), &change, &[("if-match", &good)])
            .expect(200);
        let back = change.replace("Boss", "Engineer");
        client.send(("PATCH", &path), &back, &[]).expect(200);
    }
    let stale = client.send(("PATCH", &path), &change, &[("if-match", &tag)]);
    assert_eq!(stale.expect(412)["status"], "412");
    let fresh = client.ask("GET", &path, &Value::Null).header("etag").to_owned();
    for known in [fresh.clone(), format!("\"x\", {fresh}"), "*".to_owned()] {
        let same = client.send(("GET", &path), "", &[("if-none-match", &known)]);
        assert_eq!(same.status, 304, "{known}");
    }
}

#[test]
fn what_discovery_names_is_there() {
    let world = World::new();
    let client = Client::new(&world);
    // The documents of discovery name every schema of a user, and each is there under its name.
    let schemas = client.get("/Schemas");
    for schema in schemas["Resources"].as_array().unwrap() {
        let name = schema["id"].as_str().unwrap();
        assert_eq!(&client.get(&format!("/Schemas/{name}"))["id"], name);
    }
    assert_eq!(client.get("/ResourceTypes")["totalResults"], 2);
    assert_eq!(client.get("/ServiceProviderConfig")["patch"]["supported"], true);
}

#[test]
fn what_is_wrong_is_said_in_the_standards_words() {
    let world = World::new();
    let client = Client::new(&world);
    let id = client.create("Users", &entra_user("ada"));
    let path = format!("/Users/{id}");
    // Errors have the standard's terms.
    for (method, place, body, status, kind) in [
        ("GET", filter("Users", "userName eq"), Value::Null, 400, "invalidFilter"),
        (
            "GET",
            filter("Users", "nobody eq \"x\""),
            Value::Null,
            400,
            "invalidFilter",
        ),
        ("GET", "/Users?count=many".to_owned(), Value::Null, 400, "invalidValue"),
        (
            "POST",
            "/Users".to_owned(),
            json!({"active": true}),
            400,
            "invalidValue",
        ),
        ("PATCH", path.clone(), json!({"schemas": [PATCH]}), 400, "invalidSyntax"),
        (
            "PATCH",
            path.clone(),
            json!({"Operations": [{"op": "replace", "path": "id", "value": "x"}]}),
            400,
            "mutability",
        ),
        (
            "PATCH",
            path.clone(),
            json!({"Operations": [{"op": "remove"}]}),
            400,
            "noTarget",
        ),
        (
            "PATCH",
            path.clone(),
            json!({"Operations": [{"op": "add", "path": "a[", "value": 1}]}),
            400,
            "invalidPath",
        ),
    ] {
        let told = client.ask(method, &place, &body).expect(status);
        assert_eq!(told["scimType"], kind, "{method} {place} {body}");
    }
    assert_eq!(
        client.send(("POST", "/Users"), "{", &[]).expect(400)["scimType"],
        "invalidSyntax"
    );
    for (absent, status) in [("/Bulk", 501), ("/Me", 501), ("/Roles", 404)] {
        let told = client.ask("GET", absent, &Value::Null);
        assert_eq!(told.status, status, "{absent}: {told:?}");
        assert_eq!(
            told.json()["schemas"][0],
            "urn:ietf:params:scim:api:messages:2.0:Error",
            "{absent}"
        );
    }
}

/// Undocumented habits of clients: a base address that ends in a slash, empty queries, values wrapped as those of a list are.
#[test]
fn habits_of_other_clients_are_understood() {
    let world = World::new();
    let client = Client::new(&world);
    let id = client.create("Users", &entra_user("ada"));
    for path in [
        "//Users",
        "/Users/",
        "//Users//",
        "/Users?startIndex=&count=",
        "/Users/?count=1",
    ] {
        assert_eq!(client.get(path)["totalResults"], client.total("/Users"), "{path}");
    }
    assert_eq!(client.get(&format!("//Users/{id}/"))["id"], json!(id));
    client.get("/ServiceProviderConfig/");
    let schema = "/Schemas/URN:ietf:params:scim:schemas:core:2.0:user";
    assert_eq!(client.get(schema)["name"], "User");
    let active = |literal: &str| {
        client.total(&filter(
            "Users",
            &format!("userName sw \"ada\" and active eq {literal}"),
        ))
    };
    assert_eq!((active("True"), active("FALSE")), (active("true"), 0));
    let path = format!("/Users/{id}");
    let wrapped = json!([{"$ref": null, "value": "False"}]);
    let told = client.patch(&path, json!([{"op": "Replace", "path": "active", "value": wrapped}]));
    assert_eq!(told["active"], false);
    let odd = json!({"Operations": [{"op": "replace", "path": "title", "value": {"name": "x"}}]});
    assert_eq!(client.ask("PATCH", &path, &odd).expect(400)["scimType"], "invalidValue");
    let group = client.create(
        "Groups",
        &json!({"displayName": "Ops", "members": [{"value": id, "type": "User"}]}),
    );
    let chosen = format!("members[value eq \"{id}\" and type eq \"User\"]");
    let told = client.patch(&format!("/Groups/{group}"), json!([{"op": "remove", "path": chosen}]));
    assert_eq!(told.get("members"), None);
    let refused = client.ask("POST", "/Bulk", &json!({"Operations": []})).expect(501);
    assert!(
        refused["detail"].as_str().unwrap().contains("each by itself"),
        "{refused}"
    );
}
