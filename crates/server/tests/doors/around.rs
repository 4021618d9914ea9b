//! The records of a change: decisions that return, differences since a digest, links, terms in queries, origins, and files of
//! refused evidence.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use acts::directory::set_person;
use model::change::related_records;
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
    for kind in ["parent_of", "replaces"] {
        let link = |from: &str, to: &str| {
            let body = json!({"kind": kind, "to": to});
            world.post("rita", &format!("/changes/{from}/links"), &body)
        };
        link(&keys[0], &keys[1]).expect(201);
        let problem = link(&keys[1], &keys[0]).problem(422, "invalid");
        assert_eq!(problem["errors"][0]["code"], "circular", "{kind}: {problem}");
    }
}

#[test]
fn what_holds_a_start_is_set_and_taken_away_by_who_may_write_the_change() {
    let world = World::new();
    let keys = [world.draft(), world.draft()];
    let path = format!("/changes/{}/links", keys[0]);
    let link = |kind: &str| json!({"kind": kind, "to": keys[1]});
    for login in ["vera", "aino"] {
        world
            .post(login, &path, &link("depends_on"))
            .problem(403, "not_allowed");
        world.post(login, &path, &link("follows_up")).expect(201);
        world
            .as_person("rita", "DELETE", &format!("{path}/{}", only(&world, &path)))
            .send()
            .expect(200);
    }
    world.post("rita", &path, &link("depends_on")).expect(201);
    let one = format!("{path}/{}", only(&world, &path));
    world
        .as_person("vera", "DELETE", &one)
        .send()
        .problem(403, "not_allowed");
    world.as_person("mona", "DELETE", &one).send().expect(200);
}

/// The id of the one link of a change.
fn only(world: &World, path: &str) -> String {
    let links = world.get("rita", path).expect(200);
    assert_eq!(links["items"].as_array().unwrap().len(), 1, "{links}");
    links["items"][0]["id"].as_str().unwrap().to_owned()
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
        ("limit=1&limit=2", "limit"),
        ("state=draft&state=closed", "state"),
    ] {
        let problem = world.get("rita", &format!("/changes?{query}")).problem(422, "invalid");
        assert_eq!(problem["errors"][0]["field"], field, "{query}: {problem}");
    }
    world.get("rita", "/changes?state=draft&limit=5&q=column").expect(200);
    world.get("rita", "/services?q=pay&limit=1").expect(200);
    world.get("rita", "/me?limit=1").problem(422, "invalid");
    for query in ["q=%ff", "q=%ED%A0%80"] {
        world
            .get("rita", &format!("/changes?{query}"))
            .problem(400, "malformed");
    }
}

#[test]
fn an_unknown_word_beside_a_write_is_refused_and_nothing_is_done() {
    let world = World::new();
    let path = "/services/booking-api/watchers";
    world.post("rita", path, &json!({})).expect(201);
    let stop = |query: &str| world.as_person("rita", "DELETE", &format!("{path}{query}")).send();
    let refused = stop("?grup=finance").problem(422, "invalid");
    assert_eq!(refused["errors"][0]["field"], "grup");
    assert!(refused.to_string().contains("Did you mean `group`?"), "{refused}");
    assert!(
        world.get("rita", path).expect(200).to_string().contains("rita"),
        "it was taken back"
    );
    stop("").expect(200);
    assert!(!world.get("rita", path).expect(200).to_string().contains("rita"));
    let refused = world.post("rita", "/changes?dry_run=true", &World::change_body());
    assert_eq!(refused.problem(422, "invalid")["errors"][0]["field"], "dry_run");
    let key = world.draft();
    let patch = world.as_person("rita", "PATCH", &format!("/changes/{key}?force=1"));
    let patch = patch.header("if-match", "*").json(&json!({"title": "Other"})).send();
    assert_eq!(patch.problem(422, "invalid")["errors"][0]["field"], "force");
}

#[test]
fn words_that_nobody_sees_say_nothing() {
    let world = World::new();
    let key = world.draft();
    for unseen in ["\u{200b}", "\u{2060} \u{feff}", "\u{3164}"] {
        let refused = world
            .post("mona", &format!("/changes/{key}/hold"), &json!({"reason": unseen}))
            .problem(422, "invalid");
        assert_eq!(refused["errors"][0]["code"], "missing", "{refused}");
        let labels = json!({"title": "Seen", "labels": [unseen]});
        let refused = world.post("rita", "/changes", &labels).problem(422, "invalid");
        assert_eq!(refused["errors"][0]["field"], "labels[0]", "{refused}");
    }
    let family = json!({"title": "👩\u{200d}👧"});
    assert_eq!(
        world.post("rita", "/changes", &family).expect(201)["title"],
        family["title"]
    );
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
    // A missing value was filled in with the usual one, and stays so until a person sets it.
    let bare = world.post("rita", "/changes", &json!({"title": "Bare"})).expect(201);
    let told = |change: &Value| ["kind", "category", "targets", "title"].map(|field| change["origins"][field].clone());
    assert_eq!(
        told(&bare),
        [json!("derived"), json!("derived"), Value::Null, json!("person")]
    );
    let path = format!("/changes/{}", bare["key"].as_str().unwrap());
    let patched = |fields: &Value| {
        let etag = world.get("rita", &path).header("etag").to_owned();
        let ask = world.as_person("rita", "PATCH", &path).header("if-match", &etag);
        ask.json(fields).send().expect(200)
    };
    let retitled = patched(&json!({"title": "Barer"}));
    assert_eq!(retitled["origins"]["kind"], "derived", "{retitled:#}");
    let urgent = patched(&json!({"kind": "emergency", "category": "network"}));
    assert_eq!(told(&urgent)[..2], [json!("person"), json!("person")]);
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
    for (packing, status) in [("gzip", 415), ("identity", 201)] {
        let ask = world
            .as_person("rita", "POST", "/changes")
            .header("content-encoding", packing);
        ask.json(&json!({"title": "a"})).send().expect(status);
    }
}

#[test]
fn a_change_has_one_name_in_links_and_comes_back_after_it_was_taken_away() {
    let world = World::new();
    let (one, other) = (world.draft(), world.draft());
    let path = format!("/changes/{one}/links");
    let link = |to: &str| world.post("rita", &path, &json!({"kind": "follows_up", "to": to}));
    let made = link(&other.to_lowercase()).expect(201);
    assert_eq!(made["to"], json!(other));
    link(&other).problem(422, "invalid");
    link("chg-99999").problem(422, "invalid");
    let own = format!("{path}/{}", made["id"].as_str().unwrap());
    world.as_person("rita", "DELETE", &own).send().expect(200);
    link(&other).expect(201);
}

#[test]
fn an_act_that_takes_nothing_refuses_what_it_is_told_and_is_not_done() {
    let world = World::new();
    let key = world.draft();
    let path = format!("/changes/{key}/submission");
    let refused = world
        .post("rita", &path, &json!({"comment": "Please hurry"}))
        .problem(422, "invalid");
    assert_eq!(refused["errors"][0]["field"], "comment");
    let state = world.get("rita", &format!("/changes/{key}")).expect(200)["state"].clone();
    assert_eq!(state, "draft", "it was taken back");
    world
        .post("vera", &path, &json!({"comment": "x"}))
        .problem(403, "not_allowed");
    world.post("rita", &path, &json!({})).expect(201);
    let path = format!("/changes/{key}/watchers");
    let watch = |body: Value| {
        let ask = world.as_person("mona", "PUT", &path).header("if-match", "*");
        ask.json(&body).send()
    };
    let refused = watch(json!({"person": "oscar"})).problem(422, "invalid");
    assert_eq!(refused["errors"][0]["field"], "person");
    let watching = || world.get("rita", &path).expect(200)["items"].to_string();
    assert!(!watching().contains("mona"), "{}", watching());
    watch(json!({})).expect(200);
    assert!(watching().contains("mona"), "{}", watching());
}

#[test]
fn work_waits_for_nobody_who_has_left() {
    let world = World::new();
    let mut named = World::change_body();
    named["tester"] = json!("vera");
    let key = world.post("rita", "/changes", &named).expect(201)["key"]
        .as_str()
        .unwrap()
        .to_owned();
    world.post("adam", "/people/vera/deactivation", &json!({})).expect(201);
    let field = |answer: &Value| answer["errors"][0]["field"].clone();
    let refused = world.post("rita", "/changes", &named).problem(422, "invalid");
    assert_eq!(field(&refused), "tester", "{refused}");
    edit(
        &world,
        "rita",
        &key,
        &json!({"title": "Whom it names already may stay"}),
    );
    let task = json!({"kind": "prepare", "title": "Announce it", "assignee": "vera"});
    let refused = world
        .post("rita", &format!("/changes/{key}/tasks"), &task)
        .problem(422, "invalid");
    assert_eq!(field(&refused), "assignee");
}

#[test]
fn times_of_work_are_in_order_and_behind_us() {
    let world = World::new();
    let key = world.draft();
    let task = json!({"kind": "prepare", "title": "Announce it"});
    let made = world.post("rita", &format!("/changes/{key}/tasks"), &task).expect(201);
    let path = format!("/changes/{key}/tasks/{}", made["id"].as_str().unwrap());
    let patch = |body: &Value| {
        let ask = world.as_person("rita", "PATCH", &path).header("if-match", "*");
        ask.json(body).send()
    };
    patch(&json!({"actual_end": "2099-01-01T00:00:00Z"})).problem(422, "invalid");
    patch(&json!({"actual_start": "2026-01-02T00:00:00Z"})).expect(200);
    patch(&json!({"state": "done", "actual_end": "2026-01-01T00:00:00Z"})).problem(422, "invalid");
    patch(&json!({"state": "done", "actual_end": "2026-01-03T00:00:00Z"})).expect(200);
    world.schedule(&key);
    let act = |path: &str, body: &Value| world.post("ivan", &format!("/changes/{key}/{path}"), body);
    act("implementation", &json!({})).expect(201);
    let now = world.server.state().executor().tools().clock.now();
    let ago = |minutes: i64| (now - jiff::SignedDuration::from_mins(minutes)).to_string();
    let outcome =
        |start: String, end: String| json!({"outcome": "succeeded", "actual_start": start, "actual_end": end});
    let refused = act("completion", &outcome(ago(60 * 24 * 365), ago(1))).problem(422, "invalid");
    assert_eq!(refused["errors"][0]["code"], "out_of_order", "{refused}");
    let entry = json!({"text": "Went on", "occurred_at": "1970-01-01T00:00:00Z"});
    act("implementation/entries", &entry).problem(422, "invalid");
    let mut blank = outcome(ago(90), ago(60));
    blank["target"] = json!("");
    let refused = act("completion", &blank).problem(422, "invalid");
    assert_eq!(refused["errors"][0]["field"], "target", "{refused}");
    act("completion", &outcome(ago(90), ago(60))).expect(201);
    let later = json!({"outcome": "failed", "reason": "Looked again", "actual_start": ago(30)});
    let refused = act("completion", &later).problem(422, "invalid");
    assert_eq!(refused["errors"][0]["field"], "actual_start", "{refused}");
}

#[test]
fn evidence_without_anything_in_it_and_unbounded_answers_are_refused() {
    let world = World::new();
    let key = world.draft();
    let empty = json!({"kind": "file", "aspect": "functional", "result": "passed", "name": "smoke"});
    let refused = world
        .post("rita", &format!("/changes/{key}/evidence"), &empty)
        .problem(422, "invalid");
    assert_eq!(refused["errors"][0]["field"], "file", "{refused}");
    world
        .post("rita", &format!("/changes/{key}/submission"), &json!({}))
        .expect(201);
    let path = format!("/changes/{key}/assessment");
    for answer in ["x".repeat(30_000), "\u{7}".to_owned()] {
        let refused = world
            .post("rita", &path, &json!({"security": {"Who reads it?": answer}}))
            .problem(422, "invalid");
        assert_eq!(refused["errors"][0]["field"], "security");
    }
    let said = world
        .post("rita", &path, &json!({"security": {"Who reads it?": "Nobody"}}))
        .expect(201);
    assert_eq!(said["security"], "Who reads it?: Nobody");
}

#[test]
fn nobody_states_the_finding_on_their_own_unauthorized_work() {
    let world = World::new();
    world.act(|cx| {
        let second = json!({"login": "mika", "name": "Mika", "roles": ["change_manager"]});
        set_person::create_person(cx, second.as_object().unwrap()).map(drop)
    });
    let mut told = World::change_body();
    for field in ["planned_start", "planned_end"] {
        told[field] = Value::Null;
    }
    told["implementers"] = json!(["ivan"]);
    told["retrospective"] = json!({
        "actual_start": "2026-01-01T00:00:00Z", "actual_end": "2026-01-01T01:00:00Z", "reason": "In a hurry",
        "verbal_approver": "oscar",
    });
    let made = world.post("mona", "/changes", &told).expect(201);
    let path = format!("/changes/{}", made["key"].as_str().unwrap());
    let denied = json!({"confirmed": false, "text": "I did not."});
    world
        .post("oscar", &format!("{path}/retrospective/confirmation"), &denied)
        .expect(201);
    let finding = json!({"text": "All is well."});
    let path = format!("{path}/finding");
    world.post("mona", &path, &finding).problem(403, "own_request");
    let other = world.token("mika", &["read", "write"]);
    let ask = world
        .ask("POST", &format!("/api/v1{path}"))
        .header("authorization", &format!("Bearer {other}"));
    ask.json(&finding).send().expect(201);
}

#[test]
fn a_template_locks_only_what_a_change_can_hold() {
    let world = World::new();
    let template = |locked: Value| json!({"key": "restart", "locked": locked});
    let refused = world
        .post("rita", "/templates", &template(json!({"complexity": "hgih"})))
        .problem(422, "invalid");
    assert_eq!(refused["errors"][0]["field"], "locked.complexity", "{refused}");
    world
        .post("rita", "/templates", &template(json!({"complexity": "high"})))
        .expect(201);
}

#[test]
fn a_template_that_was_proposed_anew_is_approved_by_nobody_who_read_the_old_one() {
    let world = World::new();
    let propose = |title: &str| {
        let template = json!({"key": "restart", "title": title, "locked": {"complexity": "low"}});
        world.post("rita", "/templates", &template).expect(201)
    };
    propose("Restart");
    let read = propose("Restart with more memory")["template_version"]
        .as_i64()
        .unwrap();
    let path = "/templates/restart/approvals";
    let refused = world
        .post("mona", path, &json!({"template_version": read - 1}))
        .problem(409, "digest_not_current");
    let told = refused["detail"].as_str().unwrap();
    assert!(told.contains(&format!("Version {read} of the template")), "{told}");
    world
        .post("mona", path, &json!({"version": read}))
        .problem(422, "invalid");
    let approved = world.post("mona", path, &json!({"template_version": read})).expect(201);
    assert_eq!(approved["approvals"].as_array().unwrap().len(), 1);
}

#[test]
fn who_watches_a_change_is_told_of_its_milestones_until_they_stop() {
    let world = World::new();
    let milestones = |key: &str| -> Vec<String> {
        let key = key.to_owned();
        world.act(move |cx| {
            let person = cx.directory()?.by_login("aino").unwrap().id.clone();
            let filter = store::record::Filter::new()
                .equals("person", person.as_str())
                .order_by("id");
            let found = store::record::find::<related_records::Message>(cx.tx, &filter)?;
            let about = found.into_iter().map(|stored| stored.record);
            let about = about.filter(|it| it.topic == "milestone" && it.text.contains(&key));
            Ok(about.map(|it| it.text).collect())
        })
    };
    let (watched, left) = (world.draft(), world.draft());
    for key in [&watched, &left] {
        let path = format!("/changes/{key}/watchers");
        world.post("aino", &path, &json!({})).expect(201);
    }
    let path = format!("/changes/{left}/watchers");
    world.as_person("aino", "DELETE", &path).send().expect(200);
    world.schedule(&watched);
    world.schedule(&left);
    let told = milestones(&watched);
    assert!(
        told.iter().any(|text| text.contains("is approved and scheduled")),
        "{told:?}"
    );
    assert!(
        told.iter().all(|text| text.contains("because you watch the change")),
        "{told:?}"
    );
    assert_eq!(milestones(&left), Vec::<String>::new());
}
