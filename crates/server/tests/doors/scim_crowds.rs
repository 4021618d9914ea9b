//! Groups as large as a whole company, as Okta pushes them in one PUT and Entra in one PATCH. `ASSENT_TEST_CROWD` sets the
//! number of people.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use acts::directory::{provision, set_person, set_service};
use model::identity::provider::ProvisionedPerson;
use serde_json::{Value, json};

use crate::world::{Answer, World};

/// The default number of people: more than a list in any other body may have.
const PEOPLE: usize = 5_000;

/// Makes people, many in one transaction; returns their ids.
fn people(world: &World, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for from in (0..count).step_by(1_000) {
        let until = count.min(from + 1_000);
        let make = move |cx: &mut acts::Context<'_, '_>| {
            let made = (from..until).map(|number| {
                let told = ProvisionedPerson {
                    login: format!("person{number}@crowd.example"),
                    name: format!("Person {number}"),
                    active: Some(true),
                    ..ProvisionedPerson::default()
                };
                Ok(provision::create_person(cx, &told)?.id.0)
            });
            made.collect::<acts::Result<Vec<String>>>()
        };
        ids.extend(world.act(make));
    }
    ids
}

struct Client<'w> {
    world: &'w World,
    token: String,
}

impl Client<'_> {
    fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.world
            .ask(method, &format!("/t/acme/scim/v2{path}"))
            .header("authorization", &format!("Bearer {}", self.token))
            .bytes("application/scim+json", body.to_string().as_bytes())
            .send()
    }

    /// A request whose body is announced and never comes: it gets a response all the same, or the server waits for the body.
    fn announce(&self, path: &str, length: usize) -> Answer {
        self.world
            .ask("PUT", &format!("/t/acme/scim/v2{path}"))
            .header("authorization", &format!("Bearer {}", self.token))
            .header("content-length", &length.to_string())
            .bytes("application/scim+json", b"")
            .send()
    }

    fn members(&self, path: &str) -> usize {
        let answer = self
            .world
            .ask("GET", &format!("/t/acme/scim/v2{path}"))
            .header("authorization", &format!("Bearer {}", self.token))
            .send();
        answer.expect(200)["members"].as_array().map_or(0, Vec::len)
    }
}

/// A member as Okta names it, with more beside the id than anybody reads.
fn member(id: &str) -> Value {
    json!({"value": id, "display": format!("{id}@crowd.example"), "type": "User",
        "$ref": format!("https://assent.acme.example/t/acme/scim/v2/Users/{id}")})
}

#[test]
fn a_group_of_a_whole_company_comes_in_one_body_and_nothing_else_does() {
    let count: usize = std::env::var("ASSENT_TEST_CROWD").map_or(PEOPLE, |text| text.parse().unwrap());
    let world = World::new();
    let ids = people(&world, count);
    let client = Client {
        world: &world,
        token: world.token("adam", &["scim"]),
    };
    let all: Vec<Value> = ids.iter().map(|id| member(id)).collect();
    let made = client.ask("POST", "/Groups", &json!({"displayName": "Everybody", "members": []}));
    let path = format!("/Groups/{}", made.expect(201)["id"].as_str().unwrap());
    let put = client.ask("PUT", &path, &json!({"displayName": "Everybody", "members": all}));
    assert_eq!(put.expect(200)["members"].as_array().unwrap().len(), count);
    assert_eq!(client.members(&path), count);
    let patch = |op: &str, value: &[Value]| {
        let operation = json!({"op": op, "path": "members", "value": value});
        client.ask("PATCH", &path, &json!({"Operations": [operation]}))
    };
    patch("Remove", &all[1..]).expect(200);
    assert_eq!(client.members(&path), 1);
    patch("Add", &all).expect(200);
    assert_eq!(client.members(&path), count);
    // One member more or less of a large group is one member.
    patch("Remove", &all[..1]).expect(200);
    assert_eq!(client.members(&path), count - 1);
    // Somebody who is nobody, anywhere in the crowd, refuses all of it.
    let mut wrong = all.clone();
    wrong.insert(count / 2, member("nobody"));
    patch("Replace", &wrong).expect(400);
    let mut nested = all.clone();
    nested[count / 2]["type"] = json!("Group");
    patch("Replace", &nested).expect(400);
    assert_eq!(
        client.members(&path),
        count - 1,
        "nothing of a refused body was written"
    );
    // A person with thousands of addresses is refused, and a stranger's body is not waited for.
    let crowd = json!({"userName": "x", "emails": &all[..4_100]});
    client.ask("POST", "/Users", &crowd).expect(400);
    let stranger = Client {
        world: &world,
        token: "assent_pat_nobody".to_owned(),
    };
    assert_eq!(stranger.announce(&path, 8 * 1024 * 1024).status, 401);
    assert_eq!(client.announce(&path, 33 * 1024 * 1024).status, 413);
}

#[test]
fn a_group_beyond_the_largest_is_refused_in_the_words_of_the_protocol() {
    let world = World::new();
    let client = Client {
        world: &world,
        token: world.token("adam", &["scim"]),
    };
    let members: Vec<Value> = (0..=100_000)
        .map(|number| json!({"value": format!("p{number}")}))
        .collect();
    let told = client.ask(
        "POST",
        "/Groups",
        &json!({"displayName": "Everybody", "members": members}),
    );
    let text = told.expect(400);
    assert_eq!(text["scimType"], "invalidSyntax", "{text}");
    assert!(text["detail"].as_str().unwrap().contains("100000"), "{text}");
}

/// The ids of a page, and how many members all of it had.
type Page = (Vec<String>, usize);

/// Reads a list to its end as a client does.
fn read_on(ask: impl Fn(usize) -> Value) -> Vec<Page> {
    let (mut pages, mut start) = (Vec::new(), 1);
    loop {
        let told = ask(start);
        let total = usize::try_from(told["totalResults"].as_u64().unwrap()).unwrap();
        let items = told["Resources"].as_array().unwrap();
        assert_eq!(told["itemsPerPage"], items.len());
        if start > total {
            assert!(items.is_empty(), "nothing lies behind the last");
            return pages;
        }
        assert!(!items.is_empty(), "a reader at {start} of {total} gets no further");
        start += items.len();
        let ids = items.iter().map(|it| it["id"].as_str().unwrap().to_owned());
        let members = items.iter().map(|it| it["members"].as_array().map_or(0, Vec::len));
        pages.push((ids.collect(), members.sum()));
    }
}

#[test]
fn a_list_of_large_groups_comes_in_pages_that_a_client_can_bear() {
    const CROWD: usize = 4_100;
    let world = World::new();
    let ids = people(&world, CROWD);
    let client = Client {
        world: &world,
        token: world.token("adam", &["scim"]),
    };
    let crowd: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
    for number in 0..6 {
        let group = json!({"displayName": format!("Crowd {number}"), "members": crowd});
        client.ask("POST", "/Groups", &group).expect(201);
    }
    let get = |query: &str, start: usize| {
        let path = format!("/Groups?count=50&startIndex={start}{query}");
        client.ask("GET", &path, &Value::Null).expect(200)
    };
    let named = read_on(|start| get("&excludedAttributes=members", start));
    assert_eq!(named.len(), 1, "names alone are few");
    let all = named[0].0.clone();
    let crowds = "&filter=displayName%20sw%20%22Crowd%22";
    let found = read_on(|start| get(&format!("{crowds}&attributes=displayName"), start));
    assert_eq!((found.len(), found[0].0.len()), (1, 6));
    let lists: [(&[String], Vec<Page>); 2] = [
        (&all, read_on(|start| get("", start))),
        (&found[0].0, read_on(|start| get(crowds, start))),
    ];
    for (wanted, pages) in lists {
        assert!(pages.len() > 1, "six crowds are too many for one answer");
        assert!(pages.iter().all(|(_, members)| *members <= 20_000), "{pages:?}");
        let told: Vec<String> = pages.into_iter().flat_map(|(ids, _)| ids).collect();
        assert_eq!(told, wanted, "each group once, in order");
    }
}

#[test]
fn whoever_is_looked_for_by_address_or_group_is_found_however_it_is_asked() {
    let world = World::new();
    let client = Client {
        world: &world,
        token: world.token("adam", &["scim"]),
    };
    let user = |work: &str, home: &str| {
        json!({"userName": "ada@crowd.example", "active": true, "emails": [
            {"value": work, "type": "work", "primary": true}, {"value": home, "type": "home"},
        ]})
    };
    let made = client.ask("POST", "/Users", &user("Ada@Work.example", "ada@home.example"));
    let id = made.expect(201)["id"].as_str().unwrap().to_owned();
    people(&world, 600);
    let group = json!({"displayName": "Größe", "members": [{"value": id}]});
    let group = client.ask("POST", "/Groups", &group).expect(201)["id"].clone();
    let found = |kind: &str, filter: &str| {
        let body = json!({"filter": filter});
        let told = client.ask("POST", &format!("/{kind}/.search"), &body).expect(200);
        let items = told["Resources"].as_array().unwrap().clone();
        assert_eq!(told["totalResults"], items.len(), "{filter}");
        items
            .iter()
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let is_found = |filter: &str, wanted: bool| {
        let ids = found("Users", filter);
        assert_eq!(ids, if wanted { vec![id.clone()] } else { Vec::new() }, "{filter}");
    };
    is_found(r#"emails[type eq "work"].value eq "ada@WORK.example""#, true);
    is_found(r#"emails[type eq "home" and value eq "ADA@home.example"]"#, true);
    is_found(r#"emails.value eq "ada@home.example" and active eq true"#, true);
    is_found(r#"emails[type eq "work"].value eq "ada@home.example""#, false);
    is_found(r#"emails eq "nobody@home.example""#, false);
    let path = ["/Users", &id].join("/");
    client
        .ask("PUT", &path, &user("ada@new.example", "ada@flat.example"))
        .expect(200);
    is_found(r#"emails.value eq "ada@home.example""#, false);
    is_found(r#"emails[type eq "home"].value eq "ada@flat.example""#, true);
    let ours = json!([group]);
    for filter in [r#"displayName eq "GRÖSSE""#, r#"displayName eq "gröSSe""#] {
        assert_eq!(json!(found("Groups", filter)), json!([]), "ß is no ss: {filter}");
    }
    for filter in [
        r#"displayName eq "GRÖßE""#.to_owned(),
        format!(r#"members.value eq "{id}""#),
        format!(r#"members[value eq "{id}"]"#),
    ] {
        assert_eq!(json!(found("Groups", &filter)), ours, "{filter}");
    }
    client.ask("DELETE", &path, &Value::Null);
    is_found(r#"emails.value eq "ada@flat.example""#, false);
    assert_eq!(
        json!(found("Groups", &format!(r#"members.value eq "{id}""#))),
        json!([])
    );
}

/// The kinds of a change's events, newest last.
fn kinds(world: &World, key: &str) -> Vec<String> {
    let events = world
        .get("aino", &format!("/changes/{key}/events?limit=200"))
        .expect(200);
    let items = events["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|it| it["kind"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_group_that_its_directory_empties_leaves_a_finding_and_an_escalation_and_no_open_gate() {
    let world = World::new();
    let client = Client {
        world: &world,
        token: world.token("adam", &["scim"]),
    };
    let user = json!({"userName": "olaf@acme.example", "active": true, "emails": [{"value": "olaf@acme.example"}]});
    let olaf = client.ask("POST", "/Users", &user).expect(201)["id"].clone();
    // A person without a role reads nothing, so that none of them is an approver.
    world.act(|cx| {
        let role = json!({"roles": ["owner"]});
        set_person::edit_person(cx, "olaf@acme.example", role.as_object().unwrap())
    });
    let group = json!({"displayName": "Shop owners", "members": [{"value": olaf}]});
    let made = client.ask("POST", "/Groups", &group).expect(201);
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    world.act(|cx| {
        let service = json!({"key": "shop", "criticality": "low", "data_class": "public"});
        set_service::set_service(cx, service.as_object().unwrap())?;
        let row = json!({"role": "owner", "service": "shop", "group": "shop-owners"});
        set_service::set_ownership(cx, row.as_object().unwrap())
    });
    // Nobody else owns it.
    let rows = world.get("adam", "/ownerships?limit=200").expect(200);
    let rows = rows["items"].as_array().unwrap().clone();
    let of_all = rows
        .iter()
        .find(|row| row["role"] == "owner" && row["service"].is_null())
        .unwrap();
    let of_all = format!("/ownerships/{}", of_all["id"].as_str().unwrap());
    world.as_person("adam", "DELETE", &of_all).send().expect(200);
    let mut draft = World::change_body();
    draft["services"] = json!(["shop"]);
    let key = world.post("rita", "/changes", &draft).expect(201)["key"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .post("rita", &format!("/changes/{key}/submission"), &json!({}))
        .expect(201);
    let reviewed = json!({"dependencies_reviewed": true});
    world
        .post("rita", &format!("/changes/{key}/assessment"), &reviewed)
        .expect(201);
    let unmet = || {
        let rows = world.get("rita", &format!("/changes/{key}/requirements")).expect(200);
        let items = rows["items"].as_array().unwrap().clone();
        items
            .into_iter()
            .filter(|it| it["code"] == "cannot_be_met")
            .collect::<Vec<_>>()
    };
    assert_eq!(unmet(), Vec::<Value>::new(), "olaf can");
    let empty = json!({"Operations": [{"op": "remove", "path": "members"}]});
    client.ask("PATCH", &path, &empty).expect(200);
    let found = unmet();
    assert!(!found.is_empty(), "nobody can, and it is said");
    assert!(!found[0]["satisfy"].as_str().unwrap().is_empty(), "{found:?}");
    let told = kinds(&world, &key);
    for kind in ["approval.nobody_can", "approval.escalated"] {
        assert!(told.iter().any(|it| it == kind), "{kind} is not among {told:?}");
    }
    let report = world.get("adam", "/ownership-reports").expect(200);
    assert!(report["unapprovable"].to_string().contains("shop"), "{report}");
    let gate = format!(
        "/gate?service=shop&environment=production&artifact={}",
        crate::world::ARTIFACT
    );
    assert_eq!(world.get("pipe", &gate).status, 403);
}
