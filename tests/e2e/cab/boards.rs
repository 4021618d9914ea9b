//! A board by REST and by its pages: agenda, votes before the meeting, an objection, items at the meeting, minutes, the board pack.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::journey::{artifact, request, waiting_for_approval};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

fn ask(server: &Server, role: &str, (method, path): (&str, &str), body: &Value) -> (u16, Value) {
    let token = server.token(role);
    let body = Some(body).filter(|body| !body.is_null());
    let (status, answer) = server.ask_with(method, &format!("/api/v1{path}"), Some(&token), body, &[]);
    (status, serde_json::from_slice(&answer).unwrap_or_default())
}

fn done(server: &Server, role: &str, way: (&str, &str), body: &Value) -> Value {
    let (status, answer) = ask(server, role, way, body);
    assert!((200..300).contains(&status), "{way:?}: {status} {answer}");
    answer
}

fn login(server: &Server, role: &str) -> String {
    server.person(role)["login"].as_str().unwrap().to_owned()
}

/// A server on which every change needs the board of owner and security, by the pack for boards.
fn with_board(server: &Server) {
    let members = json!([
        login(server, "owner"),
        login(server, "security"),
        login(server, "change_manager")
    ]);
    for key in ["cab", "ecab"] {
        let group = json!({"key": key, "name": "The board", "members": members});
        done(server, "admin", ("PUT", &format!("/groups/{key}")), &group);
    }
    let proposal = json!({"packs": ["cab"], "reason": "High risk is decided at a meeting"});
    let proposed = done(server, "admin", ("POST", "/policies"), &proposal);
    let path = format!("/configurations/{}/activation", proposed["id"].as_str().unwrap());
    done(server, "change_manager", ("POST", &path), &json!({}));
}

/// A change of high risk that waits for the board; its key.
fn grave(server: &Server, title: &str, number: u64) -> String {
    let start = server.held_time() + SignedDuration::from_hours(72);
    let mut wanted = request(title, &artifact(number), start);
    wanted["impact"] = json!({"data": "low", "availability": "high", "compliance": "none"});
    wanted["complexity"] = json!("high");
    let path = waiting_for_approval(server, &wanted, &artifact(number));
    path.rsplit('/').next().unwrap().to_owned()
}

/// A meeting in two hours with its agenda, frozen at once; its id.
fn frozen_agenda(server: &Server) -> String {
    let now = server.held_time();
    let at = |minutes: i64| (now + SignedDuration::from_mins(minutes)).to_string();
    let meeting = json!({"group": "cab", "title": "Tuesday’s board", "starts_at": at(120)});
    let meeting = done(server, "change_manager", ("POST", "/meetings"), &meeting);
    let id = meeting["id"].as_str().unwrap().to_owned();
    let agenda = json!({"meeting": id, "freeze_at": at(60), "chair": login(server, "owner")});
    done(server, "change_manager", ("POST", "/agendas"), &agenda);
    let frozen = done(
        server,
        "change_manager",
        ("POST", &format!("/agendas/{id}/freeze")),
        &json!({}),
    );
    assert_eq!(frozen["state"], "frozen", "{frozen}");
    id
}

#[test]
fn a_meeting_goes_from_its_agenda_to_signed_minutes() {
    let place = Place::demo("boards");
    let mut server = Server::start(&place, true);
    let now = server.server_time();
    server.hold_clock(now);
    with_board(&server);
    let key = grave(&server, "Turn the label store around", 911);
    let id = frozen_agenda(&server);
    let path = format!("/agendas/{id}");
    let items = done(&server, "owner", ("GET", "/agenda-items?limit=200"), &Value::Null);
    let item = items["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["change_key"] == *key)
        .unwrap()
        .clone();
    assert_eq!(
        (&item["listing"], &item["ground"]),
        (&json!("live"), &json!("high_risk"))
    );
    let late = grave(&server, "Renew the certificate of the scanners", 912);
    let shown = done(&server, "owner", ("GET", &path), &Value::Null);
    assert_eq!(shown["later"], json!([late]), "{shown}");

    server.advance(121 * 60);
    for role in ["owner", "security"] {
        done(
            &server,
            role,
            ("POST", &format!("/meetings/{id}/attendance")),
            &json!({}),
        );
    }
    let turn = format!("/agenda-items/{}/turns", item["id"].as_str().unwrap());
    assert_eq!(ask(&server, "security", ("POST", &turn), &json!({})).0, 403);
    done(&server, "owner", ("POST", &turn), &json!({}));
    let forecast = json!({"agenda": id, "change": key, "percent": 85});
    done(&server, "owner", ("POST", "/board-forecasts"), &forecast);
    is_on_the_page(&server, &id, &key, &late);

    let addition = json!({"agenda": id, "change": late, "reason": "It ends on Friday."});
    assert_eq!(ask(&server, "security", ("POST", "/agenda-items"), &addition).0, 403);
    done(&server, "owner", ("POST", "/agenda-items"), &addition);
    is_signed(&server, &path, [&key, &late]);
    has_a_pack(&server, &key);
    has_pdfs(&server, &id, &key);

    server.wait_for_log();
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

/// The chair alone signs the minutes, which name these items and are sent.
fn is_signed(server: &Server, path: &str, keys: [&str; 2]) {
    let signature = format!("{path}/signature");
    assert_eq!(ask(server, "security", ("POST", &signature), &json!({})).0, 403);
    let signed = done(server, "owner", ("POST", &signature), &json!({}));
    assert_eq!(
        (&signed["state"], &signed["verifies"]),
        (&json!("signed"), &json!(true)),
        "{signed}"
    );
    let minuted = signed["record"]["items"].as_array().unwrap();
    for wanted in keys {
        assert!(
            minuted.iter().any(|it| it["change_key"] == *wanted),
            "{wanted}: {signed}"
        );
    }
    assert_eq!(signed["record"]["chair"], login(server, "owner"));
    for name in ["chair", "signed_by"] {
        assert_eq!(signed[name], login(server, "owner"), "{name}: a login and no id");
    }
    let receivers = signed["sent_to"].as_array().unwrap();
    assert!(receivers.contains(&json!(login(server, "security"))), "{receivers:?}");
    let letters = Session::begin(server, "security").get("/t/halden/messages").body;
    assert!(letters.contains("Minutes of The board"), "the minutes are sent");
}

/// The page shows the item before the board with its time box, its votes and the later edits after the freeze, also once it is
/// loaded anew.
fn is_on_the_page(server: &Server, id: &str, key: &str, late: &str) {
    let owner = Session::begin(server, "owner");
    let here = format!("/t/halden/meetings/{id}");
    let page = owner.get(&here).body;
    assert!(page.contains("data-until="), "a time box that counts down");
    assert!(
        page.contains("data-key=\"N\"") || page.contains("data-key=\"T\""),
        "keys for the chair"
    );
    assert!(page.contains("85 %") && page.contains(key) && page.contains(late));
    let board = owner.get("/t/halden/boards/cab");
    assert!(board.status == 200 && board.body.contains("Tuesday’s board"));
    assert_eq!(owner.get("/t/halden/boards").status, 200);
    assert_eq!(owner.get("/t/halden/meetings/none").status, 404);
    let auditor = Session::begin(server, "auditor").get(&here);
    assert!(
        !auditor.body.contains("data-key=\"N\""),
        "who leads nothing is offered nothing to lead"
    );
}

/// The pack of the month names the decision, and its figures open their rows.
fn has_a_pack(server: &Server, key: &str) {
    let month = server.held_time().to_string()[..7].to_owned();
    let pack = done(server, "owner", ("GET", &format!("/board-packs/{month}")), &Value::Null);
    let reviewed = pack["reviewed"].as_array().unwrap();
    assert!(reviewed.iter().any(|it| it["change_key"] == *key), "{pack}");
    let owner = Session::begin(server, "owner");
    let page = owner.get(&format!("/t/halden/board-packs/{month}"));
    assert!(page.status == 200 && page.body.contains(key));
    for figure in pack["figures"].as_array().unwrap() {
        let rows = figure["rows"].as_str().unwrap();
        assert_eq!(owner.get(&format!("/t/halden{rows}")).status, 200, "{rows}");
    }
    assert_eq!(
        ask(server, "owner", ("GET", "/board-packs/2026-13"), &Value::Null).0,
        422
    );
    assert_eq!(
        ask(server, "owner", ("GET", "/board-packs/2999-01"), &Value::Null).0,
        422
    );
}

/// The agenda and the month as PDF, on the pages and by the API: text that can be searched.
fn has_pdfs(server: &Server, id: &str, key: &str) {
    let month = server.held_time().to_string()[..7].to_owned();
    let token = server.token("owner");
    let has = |file: &[u8], text: &str| file.windows(text.len()).any(|at| at == text.as_bytes());
    for path in [format!("/agendas/{id}/file"), format!("/board-packs/{month}/file")] {
        let (status, file) = server.get(&format!("/api/v1{path}"), Some(&token));
        assert_eq!(status, 200, "{path}");
        assert!(file.starts_with(b"%PDF-") && has(&file, key), "{path} names {key}");
    }
    let (_, agenda) = server.get(&format!("/api/v1/agendas/{id}/file"), Some(&token));
    assert!(has(&agenda, "Risk high"), "each change with its risk");
    assert!(has(&agenda, "onflict"), "and with its conflicts");
    assert_eq!(server.get("/api/v1/agendas/none/file", Some(&token)).0, 404);
    assert_eq!(server.get("/api/v1/board-packs/2999-01/file", Some(&token)).0, 422);
    let owner = Session::begin(server, "owner");
    for path in [format!("meetings/{id}"), format!("board-packs/{month}")] {
        assert_eq!(owner.get(&format!("/t/halden/{path}/pack.pdf")).status, 200, "{path}");
        let page = owner.get(&format!("/t/halden/{path}")).body;
        assert!(
            page.contains(&format!("{path}/pack.pdf")),
            "the page of {path} leads to it"
        );
    }
}
