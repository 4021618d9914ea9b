//! Announcements: written by change managers, shown on the first page and on the pages of their services while they are current,
//! and in the log.

use serde_json::{Value, json};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

const TITLE: &str = "Labels move on Saturday";

fn news(server: &Server, from: i64, to: i64) -> Value {
    let at = |seconds: i64| (server.server_time() + jiff::SignedDuration::from_secs(seconds)).to_string();
    json!({"title": TITLE, "text": "Plan no changes.", "services": ["label-print"], "starts_at": at(from), "ends_at": at(to)})
}

fn ask(server: &Server, role: &str, (method, path): (&str, &str), body: &Value, etag: &str) -> (u16, Value) {
    let token = server.token(role);
    let path = format!("/api/v1/announcements{path}");
    let body = Some(body).filter(|body| !body.is_null());
    let (status, answer) = server.ask_with(method, &path, Some(&token), body, &[("If-Match", etag)]);
    (status, serde_json::from_slice(&answer).unwrap_or_default())
}

fn codes(answer: &Value) -> Vec<String> {
    let errors = answer["errors"].as_array().unwrap().iter();
    let told = errors.map(|error| {
        format!(
            "{} {}",
            error["field"].as_str().unwrap(),
            error["code"].as_str().unwrap()
        )
    });
    told.collect()
}

#[test]
fn an_announcement_is_shown_while_it_is_current() {
    let place = Place::demo("announced");
    let server = Server::start(&place, true);
    is_refused_as_a_whole(&server);
    let (status, made) = ask(&server, "change_manager", ("POST", ""), &news(&server, -60, 3_600), "");
    assert_eq!(status, 201, "{made}");
    let (_, later) = ask(
        &server,
        "change_manager",
        ("POST", ""),
        &news(&server, 3_600, 7_200),
        "",
    );
    let path = format!("/{}", made["id"].as_str().unwrap());
    let reader = Session::begin(&server, "requester");
    let seen = |page: &str| reader.get(&format!("/t/halden{page}")).body.matches(TITLE).count();
    assert_eq!(
        (seen("/"), seen("/services/label-print"), seen("/services/edge-dns")),
        (1, 1, 0)
    );
    assert!(seen("/announcements") >= 2, "the list has those ahead too");

    edits_judge_what_they_name(&server, &path);
    assert_eq!(ask(&server, "requester", ("DELETE", &path), &json!({}), "").0, 403);
    assert_eq!(ask(&server, "change_manager", ("DELETE", &path), &json!({}), "").0, 200);
    assert_eq!(ask(&server, "change_manager", ("DELETE", &path), &json!({}), "").0, 404);
    assert_eq!((seen("/"), seen("/services/label-print")), (0, 0));
    is_written_on_the_page(&server, later["id"].as_str().unwrap());
    server.wait_for_log();
    let auditor = Session::begin(&server, "auditor");
    let log = auditor.get("/t/halden/audit?kind=announcement").body;
    assert!(log.contains("withdrew an announcement"), "the log has words for it");
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

/// Nobody else announces anything, with any request; and one response reports all errors of a request.
fn is_refused_as_a_whole(server: &Server) {
    let wrong = json!({"titel": "x", "text": 3, "services": ["label-print", "nowhere"], "starts_at": "soon"});
    assert_eq!(
        ask(server, "requester", ("POST", ""), &wrong, "").0,
        403,
        "403 comes before 422"
    );
    let (status, answer) = ask(server, "change_manager", ("POST", ""), &wrong, "");
    assert_eq!(status, 422);
    let mut found = codes(&answer);
    found.sort();
    let wanted = [
        "ends_at missing",
        "services[1] unknown",
        "starts_at not_a_time",
        "text not_text",
        "titel unknown_field",
        "title missing",
    ];
    assert_eq!(found, wanted);
    assert!(answer.to_string().contains("did you mean `title`"), "{answer}");
    let (_, answer) = ask(
        server,
        "change_manager",
        ("POST", ""),
        &news(server, -7_200, -3_600),
        "",
    );
    assert_eq!(codes(&answer), ["ends_at in_the_past"]);
}

/// An edit changes its named fields; the rest stays, and a version that is not the present one is refused.
fn edits_judge_what_they_name(server: &Server, path: &str) {
    let edit = |body: Value, etag: &str| ask(server, "change_manager", ("PATCH", path), &body, etag);
    let (status, edited) = edit(json!({"text": "Plan nothing at all."}), "\"1\"");
    assert_eq!(
        (status, &edited["title"], &edited["version"]),
        (200, &json!(TITLE), &json!(2)),
        "{edited}"
    );
    assert_eq!(edit(json!({"text": "Late."}), "\"1\"").0, 412);
    let (status, answer) = edit(json!({"title": null, "txt": "x"}), "\"2\"");
    assert_eq!(status, 422);
    assert_eq!(codes(&answer), ["title missing", "txt unknown_field"]);
    let (_, edited) = edit(json!({"services": null}), "\"2\"");
    assert_eq!(edited["services"], Value::Null, "null clears what may be absent");
    assert_eq!(edit(json!({"services": ["label-print"]}), "\"3\"").0, 200);
}

/// The page changes an announcement of the version that it shows, and no other.
fn is_written_on_the_page(server: &Server, id: &str) {
    let manager = Session::begin(server, "change_manager");
    let page = manager.get("/t/halden/announcements").body;
    assert!(
        page.contains(&format!("/announcements/{id}/end")),
        "the forms are there"
    );
    let form = |revision: &str| {
        let fields = [
            ("revision", revision),
            ("title", "Moved"),
            ("text", "t"),
            ("starts_at", "2033-01-01T10:00"),
            ("ends_at", "2033-01-02T10:00"),
        ];
        manager.form(&format!("/t/halden/announcements/{id}"), &fields).status
    };
    assert_eq!(form("7"), 412);
    assert_eq!(form("1"), 303);
    let shown = ask(server, "requester", ("GET", &format!("/{id}")), &Value::Null, "").1;
    assert_eq!(
        (&shown["title"], &shown["services"]),
        (&json!("Moved"), &Value::Null),
        "an empty field is cleared"
    );
    assert!(
        !Session::begin(server, "requester")
            .get("/t/halden/announcements")
            .body
            .contains("/end")
    );
}
