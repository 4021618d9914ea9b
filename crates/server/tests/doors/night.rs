//! The work and the steps after it, as its pages show it: the runbook, the rollback, the outcome, validation and review.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::io::{Read, Write};

use serde_json::json;

use crate::world::{Answer, PASSWORD, TENANT, World, eventually};

/// The pages of somebody who is signed in.
struct Reader<'w> {
    world: &'w World,
    cookie: String,
}

impl<'w> Reader<'w> {
    fn new(world: &'w World, login: &'static str) -> Self {
        world.set_password(login);
        let body = json!({"tenant": TENANT, "login": login, "password": PASSWORD});
        let begun = world.ask("POST", "/api/v1/session").json(&body).send();
        let cookie = begun.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { world, cookie }
    }

    fn get(&self, path: &str) -> Answer {
        let path = format!("/t/{TENANT}{path}");
        self.world.ask("GET", &path).header("cookie", &self.cookie).send()
    }

    fn page(&self, path: &str) -> String {
        let answer = self.get(path);
        let body = text(&answer);
        assert_eq!(answer.status, 200, "{path}: {body}");
        body
    }

    fn send(&self, path: &str, form: &str) -> Answer {
        let path = format!("/t/{TENANT}{path}");
        self.world
            .ask("POST", &path)
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin")
            .bytes("application/x-www-form-urlencoded", form.as_bytes())
            .send()
    }
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// A change under way, and its key.
fn under_way(world: &World) -> String {
    let key = world.draft();
    world.schedule(&key);
    world
        .post("ivan", &format!("/changes/{key}/implementation"), &json!({}))
        .expect(201);
    key
}

/// The part of a page between two of its texts.
fn between<'p>(page: &'p str, from: &str, to: &str) -> &'p str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from} in {page}"));
    rest.split(to).next().unwrap()
}

#[test]
fn behind_the_last_step_the_way_back_stays_open_and_is_walked_step_by_step() {
    let world = World::new();
    let key = under_way(&world);
    let ivan = Reader::new(&world, "ivan");
    let runbook = format!("/changes/{key}/runbook");
    let entries = format!("/changes/{key}/implementation/entries");
    let outcome = |page: &str| between(page, "Record the outcome", "</form>").contains("checked=\"checked\"");
    assert!(
        !outcome(&ivan.page(&format!("/changes/{key}"))),
        "nobody said how it ended"
    );
    let done = ivan.send(&entries, "next=runbook&kind=step&step=1&text=Deploy");
    assert_eq!(done.header("location"), format!("/t/{TENANT}{runbook}"));
    let page = ivan.page(&runbook);
    for words in ["Every step is done", "Roll back now", "Something differs"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let page = ivan.page(&format!("/changes/{key}"));
    let proposed = between(&page, "value=\"succeeded\"", "/>");
    assert!(
        proposed.contains("checked=\"checked\""),
        "the steps propose it: {proposed}"
    );
    assert!(page.contains("Steps: 1 done, 0 skipped, 0 failed, 0 open."), "{page}");

    let turned = ivan.send(&entries, "next=runbook&kind=rollback&text=Rolling+back");
    assert_eq!(turned.header("location"), format!("/t/{TENANT}{runbook}"));
    let page = ivan.page(&runbook);
    for words in [
        "Rolling back, step 1 of 1",
        "Deploy the last one",
        "Rolling back since",
        "are notified.",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("Roll back now"), "{page}");
    ivan.send(&entries, "next=runbook&kind=rollback&step=1&text=Deploy+the+last+one");
    let page = ivan.page(&runbook);
    assert!(page.contains("Record the outcome: rolled back"), "{page}");
    let page = ivan.page(&format!("/changes/{key}"));
    let chosen = between(&page, "value=\"rolled_back\"", "/>");
    assert!(chosen.contains("checked=\"checked\""), "{chosen}");
    for words in ["did step 1: ", "began to roll back", "did step 1 of the rollback"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let mona = Reader::new(&world, "mona");
    assert!(mona.page("/messages").contains("has an update on the work"));
}

#[test]
fn a_review_answers_each_question_and_what_is_closed_is_added_to() {
    let world = World::new();
    let key = under_way(&world);
    let oscar = Reader::new(&world, "oscar");
    let url = format!("/changes/{key}");
    let home = oscar.page("/");
    assert!(
        !home.contains("Validate it") && !home.contains("Review it"),
        "the work goes on: {home}"
    );
    let ivan = Reader::new(&world, "ivan");
    assert!(ivan.page("/").contains("Record the outcome"));
    ivan.send(&format!("{url}/completion"), "outcome=succeeded");
    assert!(oscar.page("/").contains("Validate it"));
    let page = oscar.page(&url);
    let now = between(&page, "What you can do now", "</section>");
    for words in ["Validate", "Review it", "Were the objectives met?"] {
        assert!(now.contains(words), "{words}: {now}");
    }
    oscar.send(&format!("{url}/validation"), "result=works&text=Looked");
    let refused = oscar.send(&format!("{url}/review"), "objectives_met=true&summary=Fine");
    assert_eq!(refused.status, 422, "silence is no answer: {}", text(&refused));
    let answers = "objectives_met=true&assessment_adequate=false&steps_adequate=true&summary=Fine";
    assert_eq!(oscar.send(&format!("{url}/review"), answers).status, 303);
    assert!(oscar.page(&url).contains("Assessment adequate: no."));
    assert_eq!(oscar.send(&format!("{url}/closure"), "").status, 303);
    let page = oscar.page(&url);
    assert!(
        page.contains("Add to the review") && !page.contains("Review it"),
        "{page}"
    );
}

#[test]
fn whoever_said_yes_is_pressed_to_nothing_and_a_hold_or_a_missed_window_names_its_way_on() {
    let world = World::new();
    let key = world.draft();
    let oscar = Reader::new(&world, "oscar");
    let url = format!("/changes/{key}");
    world.post("rita", &format!("{url}/submission"), &json!({})).expect(201);
    let assessment = json!({"dependencies_reviewed": true});
    world
        .post("rita", &format!("{url}/assessment"), &assessment)
        .expect(201);
    let home = oscar.page("/");
    for words in [
        // Its work was to start in 2020: no clock of a rule makes that later.
        "A decision was due",
        "acknowledge it by",
        "No evidence is recorded yet.",
    ] {
        assert!(home.contains(words), "{words}: {home}");
    }
    for login in ["oscar", "sina", "mona"] {
        let change = world.get(login, &url).expect(200);
        let word = json!({"decision": "approve", "content_digest": change["content_digest"]});
        world.post(login, &format!("{url}/approvals"), &word).expect(201);
    }
    let page = oscar.page(&url);
    let card = between(&page, "class=\"decision\"", "</section>");
    assert!(
        card.contains("Change your decision") && !card.contains("btn go\">Approve"),
        "{card}"
    );
    let hold = json!({"reason": "The supplier is away."});
    world.post("mona", &format!("{url}/hold"), &hold).expect(201);
    let mona = Reader::new(&world, "mona");
    assert!(mona.page(&url).contains("Next: resume it"), "{}", mona.page(&url));
    let day = mona.page("/calendar?view=day&from=2020-01-02");
    let block = between(&day, "class=\"block ", "</a>");
    assert!(block.contains("tentative") && block.contains("on hold"), "{block}");
}

#[test]
fn the_log_names_what_was_set_and_a_bundle_what_was_checked() {
    let world = World::new();
    let key = world.draft();
    let aino = Reader::new(&world, "aino");
    eventually("the log holds it all", || {
        !aino.page("/audit").contains("waiting to be sequenced in the log")
    });
    let log = aino.page("/audit") + &aino.page("/audit?before=20");
    for words in ["set a service", "booking-api", "made a token"] {
        assert!(log.contains(words), "{words}: {log}");
    }
    let page = aino.page(&format!("/audit/verify/{key}"));
    let checked = between(&page, "What was checked", "</section>");
    assert!(
        checked.contains("events are in the log, each at its index"),
        "{checked}"
    );
    assert!(!checked.contains("own_key_trusted"), "{checked}");
    assert!(between(&page, "Observations", "</section>").contains("own_key_trusted"));
}

/// The index of the first event that a page gets.
fn first_news(reader: &Reader<'_>, address: &str) -> i64 {
    let mut stream = reader.world.connect();
    let head = format!(
        "GET {address} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n\r\n",
        reader.world.host(),
        reader.cookie
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut text = String::new();
    let mut bytes = [0_u8; 1024];
    loop {
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "the stream ended: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        if let Some((id, _)) = text.split_once("\nid: ").and_then(|(_, rest)| rest.split_once('\n')) {
            return id.trim().parse().unwrap();
        }
    }
}

#[test]
fn what_a_page_shows_already_is_no_news_to_it() {
    let world = World::new();
    let key = world.draft();
    let rita = Reader::new(&world, "rita");
    let comments = format!("/changes/{key}/comments");
    assert_eq!(rita.send(&comments, "text=Mine").status, 303);
    // It is requested at once, so that the latest acts have mostly no place in the log yet.
    let page = rita.page(&format!("/changes/{key}"));
    let stream = between(&page, "data-stream=\"", "\"")
        .replace("&amp;", "&")
        .replace("&#38;", "&");
    world
        .post("oscar", &comments, &json!({"text": "Another's"}))
        .expect(201);
    let news = first_news(&rita, &stream);
    let events = world.get("aino", &format!("/changes/{key}/events")).expect(200);
    let by = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["index"] == news);
    assert_eq!(by.unwrap()["actor"], "oscar", "{news} in {events}");
}
