//! An import of people and groups through SCIM, with an eye on the server's memory. `ASSENT_TEST_PEOPLE` sets the number of
//! people; there is a group for every 25 of them.

use serde_json::{Value, json};
use tests::{Place, Server};

/// The default number of people.
const PEOPLE: usize = 400;
/// Members of a group.
const MEMBERS: usize = 25;
/// The largest growth of the server's memory over the second half, in MiB: the growth of a database's cache, and no more.
const GROWTH_MIB: u64 = 96;

/// The server's resident memory in MiB.
fn resident_mib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1_024
}

fn user(number: usize) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": format!("person{number}@import.example"), "externalId": format!("x{number}"),
        "name": {"givenName": "Person", "familyName": format!("Number {number}")}, "active": true,
        "emails": [{"value": format!("person{number}@import.example"), "type": "work", "primary": true}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": format!("D{}", number % 40)},
    })
}

#[test]
fn an_import_of_people_and_groups_keeps_its_memory() {
    let people: usize = std::env::var("ASSENT_TEST_PEOPLE").map_or(PEOPLE, |text| text.parse().unwrap());
    let place = Place::demo("provisioning");
    let server = Server::start(&place, true);
    let body = json!({"name": "provisioning", "scopes": ["scim"]});
    let made = server.must("POST", "/api/v1/tokens", &server.token("admin"), Some(&body));
    let token = made["token"].as_str().unwrap();
    let base = "/t/halden/scim/v2";
    let mut ids = Vec::new();
    let mut half = 0;
    for number in 0..people {
        let made = server.must("POST", &format!("{base}/Users"), token, Some(&user(number)));
        ids.push(made["id"].clone());
        if number == people / 2 {
            half = resident_mib(&server);
        }
    }
    for (number, members) in ids.chunks(MEMBERS).enumerate() {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let group = json!({"displayName": format!("Imported {number}"), "members": members});
        server.must("POST", &format!("{base}/Groups"), token, Some(&group));
    }
    // All of them are one group as well, in one body, and come back in one response.
    let all: Vec<Value> = ids
        .iter()
        .map(|id| json!({"value": id, "display": "Somebody", "type": "User"}))
        .collect();
    let whole = server.must(
        "POST",
        &format!("{base}/Groups"),
        token,
        Some(&json!({"displayName": "All of them"})),
    );
    let path = format!("{base}/Groups/{}", whole["id"].as_str().unwrap());
    let put = json!({"displayName": "All of them", "members": all});
    let put = server.must("PUT", &path, token, Some(&put));
    assert_eq!(put["members"].as_array().unwrap().len(), people);
    let end = resident_mib(&server);
    println!(
        "{people} people and {} groups; {half} MiB at half, {end} MiB at the end",
        ids.len().div_ceil(MEMBERS)
    );
    assert!(end <= half + GROWTH_MIB, "{half} MiB at half, {end} MiB at the end");
    let last = format!(
        "{base}/Users?filter=userName%20eq%20%22person{}%40import.example%22",
        people - 1
    );
    let found = server.must("GET", &last, token, None);
    assert_eq!(found["totalResults"], 1);
    assert_eq!(found["Resources"][0]["groups"].as_array().unwrap().len(), 2);
    assert_eq!(server.stop().code(), Some(0), "the server stops in order");
}
