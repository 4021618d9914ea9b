//! Tokens that carry less than their person, tokens that a person made for another, and the log's record of attempts.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use acts::approval::set_delegation;
use acts::directory::{set_person, set_service};
use acts::identity::set_workload;
use jiff::SignedDuration;
use model::change::related_records::Message;
use model::directory::snapshot;
use model::integration::workload;
use serde_json::{Value, json};
use store::audit::event;
use store::identity::session;
use store::record::{self, Filter};

use crate::world::{Answer, World};

fn ask(world: &World, token: &str, method: &str, path: &str, body: &Value) -> Answer {
    let ask = world.ask(method, &format!("/api/v1{path}"));
    ask.header("authorization", &format!("Bearer {token}"))
        .header("if-match", "*")
        .json(body)
        .send()
}

fn made(world: &World, body: &Value) -> String {
    let made = world.post("adam", "/tokens", body).expect(201);
    made["token"].as_str().unwrap().to_owned()
}

fn set_roles(world: &World, login: &'static str, roles: &'static [&'static str]) {
    world.act(move |cx| {
        let body = json!({"roles": roles});
        set_person::edit_person(cx, login, body.as_object().unwrap())
    });
}

fn yes(world: &World, key: &str) -> Value {
    let digest = world.get("aino", &format!("/changes/{key}")).expect(200)["content_digest"].clone();
    json!({"decision": "approve", "content_digest": digest})
}

/// A change of somebody that waits for approvals.
fn waiting(world: &World, login: &str) -> String {
    let made = world.post(login, "/changes", &World::change_body()).expect(201);
    let key = made["key"].as_str().unwrap().to_owned();
    world
        .post(login, &format!("/changes/{key}/submission"), &json!({}))
        .expect(201);
    let assessment = json!({"dependencies_reviewed": true});
    world
        .post(login, &format!("/changes/{key}/assessment"), &assessment)
        .expect(201);
    key
}

fn attempts(world: &World, key: &str) -> Vec<Value> {
    let events = world
        .get("aino", &format!("/changes/{key}/events?limit=200"))
        .expect(200);
    let items = events["items"].as_array().unwrap().iter();
    items.filter(|it| it["kind"] == "attempt.refused").cloned().collect()
}

/// A person's notices about their sign-ins.
fn told(world: &World, login: &'static str) -> Vec<String> {
    let found = world.act(move |cx| {
        let directory = cx.directory()?;
        let person = &directory.by_login(login).unwrap().id;
        let filter = Filter::new().equals("person", person.as_str()).order_by("id");
        let found = record::find::<Message>(cx.tx, &filter)?;
        Ok(found.into_iter().map(|stored| stored.record).collect::<Vec<_>>())
    });
    let about = found.into_iter().filter(|it| it.topic == "way_in");
    about.map(|it| it.text).collect()
}

#[test]
fn a_token_opens_no_door_after_its_end() {
    let world = World::new();
    let past = json!({"name": "late", "scopes": ["read"], "expires_at": "2026-01-01T00:00:00Z"});
    world.post("adam", "/tokens", &past).problem(422, "invalid");
    let now = || world.act(|cx| Ok(cx.now));
    let end = now() + SignedDuration::from_secs(5);
    let token = made(
        &world,
        &json!({"name": "short", "scopes": ["read"], "expires_at": end.to_string()}),
    );
    let status = || ask(&world, &token, "GET", "/me", &json!({})).status;
    assert_eq!(status(), 200, "it has not ended yet");
    crate::world::eventually("the token has ended", || status() == 401);
    assert!(now() >= end, "no earlier than it was said");
}

#[test]
fn a_clock_that_is_set_back_revives_neither_a_token_nor_a_delegation() {
    let world = World::new();
    let clock = |line: &str| assert_eq!(crate::clock::tell(&world, line), "ok");
    clock("set 2035-05-04T10:00:00Z");
    let end = "2035-05-04T11:00:00Z";
    let token = made(&world, &json!({"name": "short", "scopes": ["read"], "expires_at": end}));
    let delegation = json!({"delegate": "mona", "starts_at": "2035-05-04T10:00:00Z", "ends_at": end, "reason": "Away"});
    world.post("oscar", "/delegations", &delegation).expect(201);
    let status = || ask(&world, &token, "GET", "/me", &json!({})).status;
    let lent = || {
        world.act(|cx| {
            Ok(cx
                .directory()?
                .delegations
                .iter()
                .filter(|row| row.is_on(cx.now))
                .count())
        })
    };
    let ready = || world.ask("GET", "/readyz").send().expect(200)["reasons"].clone();
    assert_eq!((status(), lent(), ready()), (200, 1, json!([])));
    clock("set 2035-05-04T11:00:01Z");
    assert_eq!((status(), lent()), (401, 0));
    clock("set 2035-05-04T10:30:00Z");
    assert_eq!((status(), lent()), (401, 0), "what has ended stays ended");
    let said = ready()[0].as_str().unwrap_or_default().to_owned();
    assert!(said.contains("set back by 1801 seconds"), "{said}");
    clock("set 2035-05-04T11:00:02Z");
    assert_eq!((status(), ready()), (401, json!([])));
}

#[test]
fn a_token_is_made_for_who_is_there_and_for_what_is_named() {
    let world = World::new();
    let wrong = |body: Value, code: &str| {
        let refused = world.post("adam", "/tokens", &body).problem(422, "invalid");
        assert_eq!(refused["errors"][0]["code"], code, "{refused}");
    };
    wrong(json!({"name": "x", "scopes": []}), "missing");
    let left = world.post("adam", "/people/rita/deactivation", &json!({"reason": "Left"}));
    left.expect(201);
    wrong(json!({"name": "x", "person": "rita"}), "inactive");
    let workload = json!({"issuer": "https://ci.example", "meant_for": "assent", "person": "rita",
        "claims": {"repository": "acme/*"}});
    let set = world
        .as_person("adam", "PUT", "/workloads/jobs")
        .header("if-match", "*");
    set.json(&workload).send().problem(422, "invalid");
    let mail = json!({"login": "x", "name": "X", "email": "x@acme.example\nBcc: eve@evil.example"});
    let refused = world.post("adam", "/people", &mail).problem(422, "invalid");
    assert_eq!(refused["errors"][0]["code"], "control_character");
    let mail = json!({"login": "x", "name": "X", "email": "x@acme.example Bcc: eve@evil.example"});
    let refused = world.post("adam", "/people", &mail).problem(422, "invalid");
    assert_eq!(refused["errors"][0]["code"], "not_an_address");
    // Two ways to write another person's address.
    for mail in ["x@acme.example.", "x@acme..example", "x\u{200b}@acme.example"] {
        let refused = world.post("adam", "/people", &json!({"login": "x", "name": "X", "email": mail}));
        assert_eq!(
            refused.problem(422, "invalid")["errors"][0]["code"],
            "not_an_address",
            "{mail}"
        );
    }
    for login in [".", "..", "ad\u{200b}am", "a b", "System"] {
        let refused = world.post("adam", "/people", &json!({"login": login, "name": "X"}));
        assert_eq!(
            refused.problem(422, "invalid")["errors"][0]["code"],
            "not_a_login",
            "{login}"
        );
    }
    let group = world.as_person("adam", "PUT", "/groups/night").header("if-match", "*");
    let group = group.json(&json!({"key": "day", "members": []})).send();
    assert_eq!(group.problem(422, "invalid")["errors"][0]["field"], "key");
    let template = json!({"key": "t", "free": ["titel"], "review_by": "2001-01-01T00:00:00Z"});
    let refused = world.post("mona", "/templates", &template).problem(422, "invalid");
    let codes: Vec<&Value> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["code"])
        .collect();
    assert_eq!(codes, ["unknown_field", "in_the_past"]);
}

/// A credential that another person made is no secret from its person: they read of it at once, and a pipeline reads nothing.
#[test]
fn whoever_is_spoken_for_is_told() {
    let world = World::new();
    assert!(told(&world, "sina").is_empty());
    made(
        &world,
        &json!({"name": "helper", "person": "sina", "scopes": ["read", "write"]}),
    );
    let workload = |person: &str| {
        let body = json!({"issuer": "https://ci.example", "meant_for": "assent", "person": person,
            "scopes": ["write"], "claims": {"repository": "acme/*"}});
        let set = world
            .as_person("adam", "PUT", "/workloads/jobs")
            .header("if-match", "*");
        set.json(&body).send().expect(200);
    };
    workload("sina");
    world
        .as_person("adam", "PUT", "/people/sina/password")
        .json(&json!({"password": "chosen by the administrator"}))
        .send()
        .expect(200);
    let read = told(&world, "sina");
    for words in [
        "adam created a token that acts for you.",
        "adam set up or changed a workload whose jobs act for you.",
    ] {
        assert!(read.iter().any(|text| text.contains(words)), "{words}: {read:?}");
    }
    assert_eq!(read.len(), 3, "and of the password: {read:?}");
    // Changed again, it is reported again: it may trust others now.
    workload("sina");
    assert_eq!(told(&world, "sina").len(), 4);
    workload("pipe");
    assert!(told(&world, "pipe").is_empty());
    assert!(told(&world, "adam").is_empty());
}

#[test]
fn a_narrowed_token_carries_its_roles_and_no_other() {
    let world = World::new();
    set_roles(&world, "mona", &["change_manager", "requester", "security"]);
    world.act(|cx| {
        let row = json!({"role": "security", "person": "mona"});
        set_service::set_ownership(cx, row.as_object().unwrap())
    });
    let body = json!({"name": "x", "person": "mona", "roles": ["owner"]});
    let wrong = world.post("adam", "/tokens", &body).problem(422, "invalid");
    assert_eq!(wrong["errors"][0]["code"], "not_held", "{wrong}");
    let endless = json!({"name": "x", "person": "mona", "expires_at": "2076-01-01T00:00:00Z"});
    let wrong = world.post("adam", "/tokens", &endless).problem(422, "invalid");
    assert_eq!(wrong["errors"][0]["code"], "out_of_range", "{wrong}");
    let writes = made(
        &world,
        &json!({"name": "writes", "person": "mona", "roles": ["requester"]}),
    );
    let judges = made(
        &world,
        &json!({"name": "judges", "person": "mona", "roles": ["security"]}),
    );
    let now = world.server.state().executor().tools().clock.now();
    let freeze = json!({
        "title": "Quiet", "reason": "Holidays", "environments": ["production"],
        "starts_at": (now + SignedDuration::from_hours(240)).to_string(),
        "ends_at": (now + SignedDuration::from_hours(250)).to_string(),
    });
    ask(&world, &writes, "POST", "/freezes", &freeze).problem(403, "not_allowed");
    ask(&world, &world.tokens["mona"], "POST", "/freezes", &freeze).expect(201);
    let own = ask(&world, &writes, "POST", "/changes", &World::change_body()).expect(201);
    assert_eq!(own["requester"], "mona");
    ask(&world, &judges, "POST", "/changes", &World::change_body()).problem(403, "not_allowed");
    // One decision counts for the rules that the token covers, not for all that require its person.
    let key = waiting(&world, "rita");
    let path = format!("/changes/{key}/approvals");
    ask(&world, &writes, "POST", &path, &yes(&world, &key)).problem(403, "not_asked");
    let given = ask(&world, &judges, "POST", &path, &yes(&world, &key)).expect(201);
    let rules: Vec<&Value> = given["counted_for"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["rule"])
        .collect();
    assert_eq!(rules, ["base.require.security"], "{given}");
    let codes: Vec<Value> = attempts(&world, &key)
        .iter()
        .map(|it| it["data"]["code"].clone())
        .collect();
    assert_eq!(codes, ["not_asked"]);
}

#[test]
fn a_token_made_by_the_author_for_another_decides_nothing_about_their_change() {
    let world = World::new();
    set_roles(&world, "adam", &["admin", "requester"]);
    let key = waiting(&world, "adam");
    let lent = made(&world, &json!({"name": "borrowed", "person": "oscar"}));
    let path = format!("/changes/{key}/approvals");
    for _ in 0..3 {
        ask(&world, &lent, "POST", &path, &yes(&world, &key)).problem(403, "own_request");
    }
    let other = waiting(&world, "rita");
    ask(
        &world,
        &lent,
        "POST",
        &format!("/changes/{other}/approvals"),
        &yes(&world, &other),
    )
    .expect(201);
    world.post("oscar", &path, &yes(&world, &key)).expect(201);
    let noted = attempts(&world, &key);
    assert_eq!(noted.len(), 1, "the same thing is noted once a minute: {noted:?}");
    assert_eq!(noted[0]["actor"], "oscar");
    assert_eq!(noted[0]["data"]["what"], "POST /changes/{key}/approvals");
}

#[test]
fn the_last_use_of_a_token_is_seen() {
    let world = World::new();
    let secret = made(
        &world,
        &json!({"name": "counted", "person": "rita", "scopes": ["read"]}),
    );
    let row = || {
        let tokens = world.get("adam", "/tokens?limit=200").expect(200);
        let items = tokens["items"].as_array().unwrap().clone();
        items.into_iter().find(|it| it["name"] == "counted").unwrap()
    };
    assert!(row().get("last_used_at").is_none());
    let me = world
        .ask("GET", "/api/v1/me")
        .header("authorization", &format!("Bearer {secret}"));
    me.send().expect(200);
    crate::world::eventually("the use is kept", || row().get("last_used_at").is_some());
}

#[test]
fn for_what_a_token_is_used_is_kept_where_it_has_several_scopes() {
    let world = World::new();
    let of = |scopes: &[&str]| {
        made(
            &world,
            &json!({"name": scopes.join("+"), "person": "ivan", "scopes": scopes}),
        )
    };
    let (several, one) = (of(&["gate", "audit", "write"]), of(&["read"]));
    let ask = |secret: &str, method: &str, path: &str, body: &Value| {
        let ask = world.ask(method, &format!("/api/v1{path}"));
        let ask = ask.header("authorization", &format!("Bearer {secret}"));
        if method == "GET" {
            ask.send()
        } else {
            ask.json(body).send()
        }
    };
    let uses_of = |name: &'static str| {
        world.act(move |cx| {
            let tokens = record::bodies::<snapshot::Token>(cx.tx, &Filter::new().order_by("id"))?;
            let id = tokens.into_iter().find(|it| it.name == name).unwrap().id;
            let uses = session::scope_uses(cx.tx)?.remove(id.as_str());
            Ok(uses.into_iter().flatten().map(|it| it.scope).collect::<Vec<_>>())
        })
    };
    ask(&one, "GET", "/me", &json!({})).expect(200);
    // Reading is opened by either of two scopes, and is attributed to the lesser one.
    ask(&several, "GET", "/changes", &json!({})).expect(200);
    let kept = |scopes: &[&str]| {
        crate::world::eventually("the use is kept", || uses_of("gate+audit+write") == scopes);
    };
    kept(&["audit"]);
    let asked = ask(
        &several,
        "GET",
        "/gate?service=shipments&environment=production&artifact=sha256:1",
        &json!({}),
    );
    assert_eq!(asked.json()["decision"], "stop");
    kept(&["audit", "gate"]);
    // A request refused for want of a scope is no use.
    ask(&several, "POST", "/tokens", &json!({"name": "x"})).problem(403, "scope_missing");
    kept(&["audit", "gate"]);
    assert!(
        uses_of("read").is_empty(),
        "of one scope alone there is nothing to tell"
    );
}

#[test]
fn reports_find_rights_that_nobody_uses_and_rights_that_conflict() {
    let world = World::new();
    set_roles(&world, "oscar", &["owner", "security", "requester"]);
    // A right given within the time is too new to judge; all of them were a moment ago.
    let early = world.get("aino", "/rights/unused?days=30").expect(200);
    assert_eq!(early["items"], json!([]), "{early}");
    assert_eq!(crate::clock::tell(&world, "advance 3456000"), "ok");
    made(&world, &json!({"name": "old", "person": "rita", "scopes": ["read"]}));
    world.post("rita", "/changes", &World::change_body()).expect(201);
    world.post("oscar", "/changes", &World::change_body()).expect(201);
    crate::world::eventually("the log holds it", || {
        let report = world.get("aino", "/rights/unused?days=30").expect(200);
        let items = report["items"].as_array().unwrap().clone();
        let of = |login: &str| {
            let found = items
                .iter()
                .find(|it| it["person"] == login && it.get("token").is_none());
            found.map(|it| (it["unused"].clone(), it["proposal"]["body"]["roles"].clone()))
        };
        // The author of a change used the roles that allow it; an auditor's reading leaves no trace and is not judged.
        of("rita").is_none()
            && of("oscar").is_none()
            && of("aino").is_none()
            && of("mona") == Some((json!(["change_manager"]), Value::Null))
    });
    let report = world.get("aino", "/rights/unused?days=30").expect(200);
    let item = |login: &str| {
        let mut items = report["items"].as_array().unwrap().iter();
        items
            .find(|it| it["person"] == login)
            .unwrap_or_else(|| panic!("{login}: {report}"))
    };
    assert_eq!(item("ivan")["proposal"]["body"]["roles"], json!([]));
    let kept = item("mona")["kept"].as_str().unwrap();
    assert!(kept.contains("base.require.change_manager"), "{kept}");
    world.get("rita", "/rights/unused").problem(403, "not_allowed");
    world.get("aino", "/rights/unused?days=0").problem(422, "invalid");
    let conflicts = world.get("aino", "/rights/conflicts").expect(200);
    let found: Vec<&Value> = conflicts["items"].as_array().unwrap().iter().collect();
    assert_eq!(found.len(), 1, "{conflicts}");
    assert_eq!(
        (&found[0]["person"], &found[0]["rights"]),
        (&json!("oscar"), &json!(["owner", "security"]))
    );
}

#[test]
fn a_review_of_access_takes_away_what_a_manager_refuses() {
    let world = World::new();
    world
        .post("rita", "/access-reviews", &json!({}))
        .problem(403, "not_allowed");
    world.act(|cx| {
        let lent = json!({"delegator": "oscar", "delegate": "sina", "parts": ["owner"], "reason": "Away.",
            "starts_at": cx.now, "ends_at": cx.now + jiff::SignedDuration::from_hours(48)});
        set_delegation::set_delegation(cx, lent.as_object().unwrap()).map(drop)
    });
    let begun = world.post("adam", "/access-reviews", &json!({})).expect(201);
    let parts = begun["items"].as_array().unwrap();
    assert_eq!(parts.len(), 2, "adam's people, and adam himself by another: {begun}");
    world
        .post("adam", "/access-reviews", &json!({}))
        .problem(409, "review_open");
    let part = parts.iter().find(|it| it["manager"] == "adam").unwrap();
    let rights = part["rights"].as_array().unwrap();
    assert!(rights.iter().all(|it| it["person"] != "adam"), "{part}");
    let row = |person: &str, kind: &str| {
        let found = rights.iter().find(|it| it["person"] == person && it["kind"] == kind);
        found.unwrap_or_else(|| panic!("{person} {kind} in {part}"))["row"].clone()
    };
    let path = format!("/access-reviews/{}", part["id"].as_str().unwrap());
    for told in [part, &world.get("adam", &path).expect(200)] {
        let word = told["rights"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["kind"] == "delegation");
        assert_eq!(
            word.unwrap()["scope"],
            "oscar: owner",
            "answers name whom the log has by id: {told}"
        );
    }
    let path = format!("{path}/signature");
    let key = waiting(&world, "rita");
    let refused = json!({
        "refused": [row("vera", "role"), row("sina", "ownership"), row("sina", "role"), row("ivan", "token")], "reason": "They moved on.",
    });
    world.post("adam", &path, &refused).problem(403, "step_up_required");
    world.post("mona", &path, &refused).problem(403, "not_asked");
    world.set_password("adam");
    let body = json!({"tenant": crate::world::TENANT, "login": "adam", "password": crate::world::PASSWORD});
    let answer = world.ask("POST", "/api/v1/session").json(&body).send();
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let own = format!("http://{}", world.host());
    let sign = |body: &Value| {
        let ask = world.ask("POST", &format!("/api/v1{path}")).header("cookie", &cookie);
        ask.header("origin", &own).json(body).send()
    };
    sign(&json!({"refused": [9_999], "reason": "x"})).problem(422, "invalid");
    sign(&json!({"refused": [1]})).problem(422, "invalid");
    let signed = sign(&refused).expect(201);
    assert!(signed["signed_at"].is_string(), "{signed}");
    sign(&refused).problem(409, "signed");
    assert_eq!(world.get("aino", "/people/vera").expect(200)["roles"], json!([]));
    world.get("ivan", "/me").problem(401, "unauthenticated");
    // The former owner for security has no rights any more, and sees nothing.
    let approvals = format!("/changes/{key}/approvals");
    world
        .post("sina", &approvals, &yes(&world, &key))
        .problem(404, "not_found");
}

/// A stolen account made credentials for others: the maker is kept over each hop, and the credentials end with the account.
#[test]
fn whatever_a_borrowed_token_made_is_its_makers_and_ends_with_them() {
    let world = World::new();
    set_roles(&world, "mona", &["change_manager", "admin"]);
    let by_mona = made(
        &world,
        &json!({"name": "helper", "person": "mona", "scopes": ["read", "write", "admin"]}),
    );
    let roles = |token: &str| {
        let body = json!({"roles": ["admin", "owner"]});
        ask(&world, token, "PATCH", "/people/adam", &body)
    };
    roles(&by_mona).problem(403, "own_request");
    let second = json!({"name": "second", "person": "rita"});
    let second = ask(&world, &by_mona, "POST", "/tokens", &second).expect(201);
    assert_eq!(second["owner"], "adam", "{second}");
    let workload = json!({"issuer": "https://ci.example", "meant_for": "assent", "person": "rita",
        "scopes": ["read"], "claims": {"repository": "acme/*"}});
    let set = ask(&world, &by_mona, "PUT", "/workloads/jobs", &workload).expect(200);
    assert_eq!(set["owner"], "adam", "{set}");
    // By a token of her own nothing bars her but that two people give such a right.
    roles(&world.tokens["mona"]).problem(409, "two_people_needed");
    let job = world.act(|cx| {
        let shown = set_workload::Shown {
            claims: json!({"repository": "acme/booking"}).as_object().cloned().unwrap(),
            once: "one".to_owned(),
            expires_at: "2100-01-01T00:00:00Z".parse().unwrap(),
        };
        Ok(set_workload::enter(cx, "jobs", &shown)?.secret)
    });
    ask(&world, &job, "GET", "/me", &json!({})).expect(200);
    let end = json!({"compromised": true, "reason": "Phished."});
    world.post("mona", "/people/adam/deactivation", &end).expect(201);
    ask(&world, &job, "GET", "/me", &json!({})).problem(401, "unauthenticated");
    ask(&world, &by_mona, "GET", "/me", &json!({})).problem(401, "unauthenticated");
    // One that is active all the same, from before this was looked at, opens nothing either.
    world.act(|cx| {
        let left = set_workload::workload(cx, "jobs")?;
        let left = workload::Workload { active: true, ..left };
        cx.put_estate("workload.set", left, json!({})).map(drop)
    });
    ask(&world, &job, "GET", "/me", &json!({})).problem(401, "unauthenticated");
}

#[test]
fn a_token_is_revoked_once() {
    let world = World::new();
    let token = json!({"name": "ci", "person": "ivan", "scopes": ["read"]});
    let made = world.post("adam", "/tokens", &token).expect(201);
    let id = made["id"].as_str().unwrap().to_owned();
    let revoke = || {
        let ask = world.as_person("adam", "DELETE", &format!("/tokens/{id}"));
        ask.send().expect(200)
    };
    let first = revoke();
    assert_eq!(first["revoked"], true, "{first}");
    assert_eq!(revoke(), first, "the second changes nothing");
    let events = world.act(move |cx| Ok(event::of_record(cx.tx, "token", &id)?.len()));
    assert_eq!(events, 2, "it was made, and revoked once");
}
