//! Lessons: assigned by a change manager, read with figures drawn as squares, passed on the page, and in the log.

use model::cab::lesson;
use serde_json::{Value, json};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

const LESSON: &str = "probability";

fn ask(server: &Server, role: &str, (method, path): (&str, &str), body: &Value) -> (u16, Value) {
    let token = server.token(role);
    let body = Some(body).filter(|body| !body.is_null());
    let (status, answer) = server.ask_with(method, &format!("/api/v1{path}"), Some(&token), body, &[]);
    (status, serde_json::from_slice(&answer).unwrap_or_default())
}

fn read(server: &Server, role: &str, path: &str) -> Value {
    let (status, answer) = ask(server, role, ("GET", path), &Value::Null);
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

fn login(server: &Server, role: &str) -> String {
    read(server, role, "/me")["login"].as_str().unwrap().to_owned()
}

/// The owner's progress with the lesson.
fn own(server: &Server) -> Value {
    let lessons = read(server, "owner", "/lessons?limit=200");
    let mut items = lessons["items"].as_array().unwrap().iter();
    items.find(|it| it["id"] == LESSON).unwrap().clone()
}

#[test]
fn a_lesson_is_assigned_read_and_passed() {
    let place = Place::demo("lessons");
    let server = Server::start(&place, true);
    let due = (server.server_time() + jiff::SignedDuration::from_hours(48)).to_string();
    let request = json!({"lesson": LESSON, "person": login(&server, "owner"), "due_at": due});
    assert_eq!(ask(&server, "owner", ("POST", "/lesson-assignments"), &request).0, 403);
    let (status, made) = ask(&server, "change_manager", ("POST", "/lesson-assignments"), &request);
    assert_eq!(status, 201, "{made}");
    assert_eq!(
        (own(&server)["is_valid"].clone(), own(&server)["due_at"].is_string()),
        (json!(false), true)
    );
    let inbox = Session::begin(&server, "owner").get("/t/halden/inbox").body;
    assert!(
        inbox.contains("A probability is a group of changes"),
        "the item is in the inbox"
    );

    tells_own_changes_without_names(&server);
    is_read_in_both_languages(&server);
    is_passed_on_the_page(&server);
    let passed = own(&server);
    assert_eq!(
        (&passed["is_valid"], &passed["due_at"]),
        (&json!(true), &Value::Null),
        "{passed}"
    );
    let trainings = read(&server, "owner", "/trainings?limit=200");
    let mut rows = trainings["items"].as_array().unwrap().iter();
    assert!(rows.any(|row| row["training"] == LESSON), "{trainings}");
    is_assigned_on_the_page(&server);

    server.wait_for_log();
    let log = Session::begin(&server, "auditor")
        .get("/t/halden/audit?kind=training")
        .body;
    assert!(log.contains("earned a training"), "the log has words for it");
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

/// The text and its squares are in the language of the page; nothing reveals the solution of a test before the reader's
/// attempt.
fn is_read_in_both_languages(server: &Server) {
    let owner = Session::begin(server, "owner");
    let page = owner.get(&format!("/t/halden/lessons/{LESSON}")).body;
    assert!(
        page.contains("Count squares, not percentages") && page.contains("role=\"img\""),
        "{page}"
    );
    let german = owner.get(&format!("/t/halden/lessons/{LESSON}?language=de")).body;
    assert!(german.contains("Kästchen zählen statt Prozente"), "{german}");
    owner.get(&format!("/t/halden/lessons/{LESSON}?language=en"));
    let told = read(server, "owner", &format!("/lessons/{LESSON}?language=de"));
    assert_eq!(told["title"], "Eine Wahrscheinlichkeit ist eine Gruppe von Changes");
    assert_eq!(
        ask(
            server,
            "owner",
            ("GET", &format!("/lessons/{LESSON}?language=fr")),
            &Value::Null
        )
        .0,
        422
    );
    assert_eq!(ask(server, "owner", ("GET", "/lessons/none"), &Value::Null).0, 404);
}

fn right_letters(server: &Server, attempt: &Value) -> Vec<String> {
    let path = format!("/lesson-attempts/{}/questions", attempt["id"].as_str().unwrap());
    let questions = read(server, "owner", &path);
    let questions = questions["items"].as_array().unwrap();
    assert_eq!(questions.len(), lesson::DRAWN);
    assert!(
        questions.iter().all(|it| it["right"].is_null() && it["why"].is_null()),
        "{questions:?}"
    );
    let found = lesson::find(LESSON).unwrap();
    let right = |it: &Value| found.question(it["id"].as_str().unwrap()).unwrap().right.clone();
    questions.iter().map(right).collect()
}

fn is_passed_on_the_page(server: &Server) {
    let owner = Session::begin(server, "owner");
    let page = format!("/t/halden/lessons/{LESSON}");
    assert_eq!(
        owner.form(&format!("{page}/attempts"), &[("before", "false")]).status,
        303
    );
    let attempts = read(server, "owner", "/lesson-attempts");
    let attempt = attempts["items"][0].clone();
    let path = format!("/lesson-attempts/{}", attempt["id"].as_str().unwrap());
    assert_eq!(
        ask(server, "change_manager", ("GET", &path), &Value::Null).0,
        404,
        "a test of somebody else"
    );
    let letters = right_letters(server, &attempt);
    assert!(
        owner.get(&page).body.contains("name=\"q3\""),
        "the questions are on the page"
    );
    let url = format!("{page}/attempts/{}", attempt["id"].as_str().unwrap());
    let two = [("q1", letters[0].as_str()), ("q2", letters[1].as_str())];
    assert_eq!(owner.form(&url, &two).status, 422, "an answer is missing");
    let all = [two[0], two[1], ("q3", letters[2].as_str())];
    assert_eq!(owner.form(&url, &all).status, 303);
    assert!(owner.get(&page).body.contains("You passed the test"));
    let told = read(server, "owner", &format!("{path}/questions"));
    assert!(
        told["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["is_right"] == true),
        "{told}"
    );
}

fn is_assigned_on_the_page(server: &Server) {
    let manager = Session::begin(server, "change_manager");
    let who = login(server, "requester");
    let fields = [
        ("lesson", "outcomes"),
        ("person", who.as_str()),
        ("group", ""),
        ("due_at", "2033-01-01T10:00"),
    ];
    assert_eq!(manager.form("/t/halden/lesson-assignments", &fields).status, 303);
    let page = manager.get("/t/halden/lessons").body;
    assert!(
        page.contains("Do lessons work?") && page.contains("fewer than 5 people"),
        "{page}"
    );
    let assigned = read(server, "change_manager", "/lesson-assignments");
    let mut rows = assigned["items"].as_array().unwrap().iter();
    let id = rows.find(|row| row["lesson"] == "outcomes").unwrap()["id"]
        .as_str()
        .unwrap();
    assert_eq!(
        manager
            .form(&format!("/t/halden/lesson-assignments/{id}/end"), &[])
            .status,
        303
    );
    let reader = Session::begin(server, "requester").get("/t/halden/lessons").body;
    assert!(!reader.contains("Do lessons work?"), "scores are for change managers");
}

/// Own changes are shown in groups alone: none of fewer than five, and no key or title of any.
fn tells_own_changes_without_names(server: &Server) {
    let lesson = read(server, "owner", &format!("/lessons/{LESSON}"));
    let examples = lesson["examples"].as_array().unwrap();
    for it in examples {
        assert!(it["changes"].as_u64().unwrap() >= 5, "{it}");
        assert!(
            it["failed"].as_u64().unwrap() <= it["changes"].as_u64().unwrap(),
            "{it}"
        );
    }
    let told = lesson["examples"].to_string();
    assert!(!told.contains("CHG-"), "{told}");
    let page = Session::begin(server, "owner")
        .get(&format!("/t/halden/lessons/{LESSON}"))
        .body;
    assert!(page.contains("Your own changes, without names"), "{page}");
}
