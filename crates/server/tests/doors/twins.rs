//! One person with two accounts and one subject at their provider: by every route and for every claim of the provider there,
//! they stay one person, and cannot approve their own change.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use serde_json::{Value, json};

use crate::hostile_providers::{Ring, SECRET, is_let_in, words};
use crate::world::{ARTIFACT, Answer, TENANT, World};

/// A provider's claims about tess: her subject, and her own name there.
fn tess(name: &str, mail: &str) -> Value {
    json!({"sub": "tess", "preferred_username": name, "email": mail, "email_verified": true})
}

/// Somebody's session, in their browser.
struct Browser<'r> {
    ring: &'r Ring,
    cookie: String,
}

impl<'r> Browser<'r> {
    fn enter(ring: &'r Ring, provider: &'static str, claims: &Value) -> Self {
        let answer = ring.enter(TENANT, provider, ("", claims));
        assert!(is_let_in(&answer), "{} {}", answer.status, words(&answer));
        let session = answer.header("set-cookie").split("assent_session=").nth(1).unwrap();
        let cookie = format!("assent_session={}", session.split(';').next().unwrap());
        Self { ring, cookie }
    }

    fn get(&self, path: &str) -> Value {
        let ask = self.ring.world.ask("GET", &format!("/api/v1{path}"));
        ask.header("cookie", &self.cookie).send().expect(200)
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        let world = &self.ring.world;
        let ask = world.ask("POST", &format!("/api/v1{path}"));
        ask.header("cookie", &self.cookie)
            .header("origin", &format!("http://{}", world.host()))
            .json(body)
            .send()
    }
}

/// A change of hers that waits for its approvals; its path.
fn own_change(browser: &Browser<'_>) -> String {
    let made = browser.post("/changes", &World::change_body()).expect(201);
    let change = format!("/changes/{}", made["key"].as_str().unwrap());
    browser.post(&format!("{change}/submission"), &json!({})).expect(201);
    let assessment = json!({"dependencies_reviewed": true});
    browser.post(&format!("{change}/assessment"), &assessment).expect(201);
    let note = json!({"kind": "note", "aspect": "functional", "result": "passed", "name": "smoke",
        "environment": "staging", "artifact": ARTIFACT, "text": "All 12 checks passed."});
    browser.post(&format!("{change}/evidence"), &note).expect(201);
    change
}

#[test]
fn a_second_account_with_the_same_subject_is_the_same_person() {
    let ring = Ring::new();
    let world = &ring.world;
    // The tenant knows her issuer by two names, and somebody made a second account for her under her other address.
    let side = json!({"name": "side", "issuer": format!("{}/honest", ring.honest.origin), "client_id": "assent",
        "client_secret": SECRET, "creates_people": true});
    let put = world.as_person("adam", "PUT", "/identity-providers/side");
    put.json(&side).send().expect(200);
    let first = Browser::enter(&ring, "good", &tess("tess", "tess@acme.example"));
    let roles = json!({"roles": ["requester"]});
    let patch = world.as_person("adam", "PATCH", "/people/tess").header("if-match", "*");
    patch.json(&roles).send().expect(200);
    let twin =
        json!({"login": "tess2", "name": "Tess", "email": "second@acme.example", "roles": ["security", "owner"]});
    world.post("adam", "/people", &twin).expect(201);
    let ownership = json!({"role": "owner", "service": "booking-api", "person": "tess2"});
    world.post("adam", "/ownerships", &ownership).expect(201);
    let change = own_change(&first);
    let me = first.get("/me");
    assert_eq!(me["login"], "tess");
    // By the other sign-in, and under the second account's name and address, she is herself.
    for provider in ["side", "good"] {
        let again = Browser::enter(&ring, provider, &tess("tess2", "second@acme.example"));
        assert_eq!(again.get("/me")["id"], me["id"], "by {provider}");
        let digest = again.get(&change)["content_digest"].clone();
        let yes = json!({"decision": "approve", "content_digest": digest});
        again
            .post(&format!("{change}/approvals"), &yes)
            .problem(403, "not_asked");
    }
    for login in ["sina", "mona"] {
        let digest = first.get(&change)["content_digest"].clone();
        let yes = json!({"decision": "approve", "content_digest": digest});
        world.post(login, &format!("{change}/approvals"), &yes).expect(201);
    }
    assert_eq!(first.get(&change)["state"], "authorizing", "an owner's word is missing");
    let question = json!({"service": "booking-api", "environment": "production", "artifact": ARTIFACT});
    let check = world.post("adam", "/gate-checks", &question).expect(201);
    assert_eq!(
        (&check["decision"], &check["permit"]),
        (&json!("stop"), &Value::Null),
        "{check}"
    );
    let timeline = world.get("adam", &format!("{change}/events?limit=200")).expect(200);
    let events = timeline["items"].as_array().unwrap().iter();
    let is_hers = |event: &&Value| event["kind"] == "attempt.refused" && event["actor"] == "tess";
    let codes: Vec<&Value> = events.filter(is_hers).map(|event| &event["data"]["code"]).collect();
    // The same attempt is noted once a minute.
    assert_eq!(codes, ["not_asked"], "it stands in the log: {timeline}");
}
