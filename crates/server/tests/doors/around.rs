//! What stands around a change: decisions that return, differences since a digest, links, words in queries, origins, and
//! files of refused evidence.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use serde_json::{Value, json};

use crate::world::{ARTIFACT, World};

fn edit(world: &World, login: &str, key: &str, body: &Value) -> Value {
    let path = format!("/changes/{key}");
    let tag = world.get(login, &path).header("etag").to_owned();
    world
        .as_person(login, "PATCH", &path)
        .header("if-match", &tag)
        .json(body)
        .send()
        .expect(200)
}

#[test]
fn a_decision_on_an_old_text_is_told_what_has_changed() {
    let world = World::new();
    let key = world.draft();
    let path = format!("/changes/{key}");
    world.schedule(&key);
    let old = world.get("oscar", &path).expect(200);
    let now = edit(
        &world,
        "rita",
        &key,
        &json!({"description": "Adds two columns.", "plan": [{"title": "Deploy twice", "minutes": 20}]}),
    );
    let decision = json!({"decision": "approve", "content_digest": old["content_digest"]});
    let problem = world
        .post("oscar", &format!("{path}/approvals"), &decision)
        .problem(409, "digest_not_current");
    let told: Vec<(&str, &Value, &Value)> = problem["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["field"].as_str().unwrap(), &row["old"], &row["new"]))
        .collect();
    assert!(
        told.contains(&("description", &old["description"], &now["description"])),
        "{problem}"
    );
    assert!(
        told.iter()
            .any(|(field, _, new)| *field == "plan[0].title" && *new == "Deploy twice"),
        "{problem}"
    );
    assert!(!problem["unmet"].as_array().unwrap().is_empty());
    let never = json!({"decision": "approve", "content_digest": "sha256:00"});
    let problem = world
        .post("oscar", &format!("{path}/approvals"), &never)
        .problem(409, "digest_not_current");
    assert!(problem["changes"].is_null(), "{problem}");
}

#[test]
fn a_return_stays_in_the_history_of_decisions() {
    let world = World::new();
    let key = world.draft();
    let path = format!("/changes/{key}");
    world.schedule(&key);
    let digest = world.get("oscar", &path).expect(200)["content_digest"].clone();
    let word = json!({"decision": "return", "comment": "Who tests it?", "content_digest": digest});
    let made = world.post("oscar", &format!("{path}/approvals"), &word).expect(201);
    assert_eq!(
        (&made["change_state"], &made["state"]),
        (&json!("draft"), &json!("voided")),
        "{made}"
    );
    let listed = world.get("oscar", &format!("{path}/approvals")).expect(200);
    let rows = listed["items"].as_array().unwrap();
    assert!(
        rows.iter()
            .any(|row| row["id"] == made["id"] && row["decision"] == "return"),
        "{listed}"
    );
    assert!(rows.iter().all(|row| row["state"] != "standing"), "{listed}");
}

#[test]
fn links_are_taken_away_and_never_go_round() {
    let world = World::new();
    let keys = [world.draft(), world.draft(), world.draft()];
    let link = |from: &str, to: &str| {
        let body = json!({"kind": "depends_on", "to": to});
        world.post("rita", &format!("/changes/{from}/links"), &body)
    };
    let first = link(&keys[0], &keys[1]).expect(201);
    link(&keys[1], &keys[2]).expect(201);
    let problem = link(&keys[2], &keys[0]).problem(422, "invalid");
    let way = format!("{} → {} → {}", keys[0], keys[1], keys[2]);
    assert!(problem["detail"].as_str().unwrap().contains(&way), "{problem}");
    let path = format!("/changes/{}/links", keys[0]);
    let one = format!("{path}/{}", first["id"].as_str().unwrap());
    world.as_person("rita", "DELETE", &one).send().expect(200);
    world.as_person("rita", "DELETE", &one).send().problem(404, "not_found");
    assert_eq!(world.get("rita", &path).expect(200)["items"], json!([]));
    link(&keys[2], &keys[0]).expect(201);
}

#[test]
fn unknown_words_and_values_in_a_query_are_refused_by_name() {
    let world = World::new();
    world.draft();
    for (query, field) in [
        ("stat=draft", "stat"),
        ("state=frozen", "state"),
        ("state=draft,frozen", "state"),
        ("kind=urgent", "kind"),
        ("risk=huge", "risk"),
        ("after=x", "after"),
        ("limit=0", "limit"),
    ] {
        let problem = world.get("rita", &format!("/changes?{query}")).problem(422, "invalid");
        assert_eq!(problem["errors"][0]["field"], field, "{query}: {problem}");
    }
    world.get("rita", "/changes?state=draft&limit=5&q=column").expect(200);
    world.get("rita", "/services?q=pay&limit=1").expect(200);
    world.get("rita", "/me?limit=1").problem(422, "invalid");
}

#[test]
fn each_field_says_where_it_came_from() {
    let world = World::new();
    let key = world.draft();
    let found = world.get("rita", &format!("/changes/{key}")).expect(200);
    let origins = found["origins"].as_object().unwrap();
    assert_eq!(origins["title"], "person", "{origins:?}");
    let derived = origins.values().filter(|origin| *origin == "derived").count();
    assert!(derived > 0, "{origins:?}");
    for field in ["targets", "complexity", "planned_start"] {
        assert!(origins.contains_key(field), "{field}: {origins:?}");
    }
}

#[test]
fn refused_evidence_leaves_no_file() {
    let world = World::new();
    let key = world.draft();
    let path = format!("/changes/{key}/evidence");
    let form = format!(
        "--x\r\ncontent-disposition: form-data; name=\"kind\"\r\n\r\nfile\r\n\
         --x\r\ncontent-disposition: form-data; name=\"aspect\"\r\n\r\nno such aspect\r\n\
         --x\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nlog\r\n\
         --x\r\ncontent-disposition: form-data; name=\"artifact\"\r\n\r\n{ARTIFACT}\r\n\
         --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"log.txt\"\r\n\r\nhello\r\n--x--\r\n"
    );
    let send = |login: &str| {
        world
            .as_person(login, "POST", &path)
            .bytes("multipart/form-data; boundary=x", form.as_bytes())
            .send()
    };
    send("rita").problem(422, "invalid");
    assert_eq!(send("vera").status, 403);
    for folder in ["evidence", "uploads"] {
        let left = std::fs::read_dir(world.folder().join(folder)).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{folder}");
    }
}

#[test]
fn json_in_another_encoding_is_refused() {
    let world = World::new();
    let ask = |kind: &str| {
        world
            .as_person("rita", "POST", "/changes")
            .bytes(kind, b"{\"title\": \"a\"}")
            .send()
    };
    ask("application/json; charset=latin1").problem(415, "not_json");
    ask("application/json; charset=\"UTF-8\"").expect(201);
    let wrong = world.as_person("rita", "POST", "/changes");
    wrong
        .bytes("application/json", b"{\"title\": \"\xe9\"}")
        .send()
        .problem(400, "malformed");
}
