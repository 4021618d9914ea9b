//! Duty rotas by REST and page: the right to set one, overrides and gaps, and the people on duty that a plan, an escalation and
//! a commander find.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

fn ask(server: &Server, role: &str, (method, path): (&str, &str), body: &Value) -> (u16, Value) {
    let token = server.token(role);
    let path = format!("/api/v1{path}");
    let body = Some(body).filter(|body| !body.is_null());
    let (status, answer) = server.ask_with(method, &path, Some(&token), body, &[]);
    (status, serde_json::from_slice(&answer).unwrap_or_default())
}

fn done(server: &Server, role: &str, call: (&str, &str), body: &Value) -> Value {
    let (status, answer) = ask(server, role, call, body);
    assert!((200..300).contains(&status), "{call:?}: {status} {answer}");
    answer
}

fn login(server: &Server, role: &str) -> String {
    server.person(role)["login"].as_str().unwrap().to_owned()
}

/// A time so many minutes from now.
fn at(server: &Server, minutes: i64) -> String {
    (server.server_time() + SignedDuration::from_mins(minutes)).to_string()
}

/// A group of owner and security, whose turns begin with the owner.
fn with_rota(server: &Server) {
    let people = [login(server, "owner"), login(server, "security")];
    let group = json!({"key": "watch", "name": "The watch", "members": people});
    done(server, "admin", ("PUT", "/groups/watch"), &group);
    let rota = json!({"group": "watch", "people": people, "starts_at": at(server, -60), "time_zone": "Europe/Oslo", "turn_days": 7});
    let (status, refused) = ask(server, "requester", ("POST", "/duty-rotas"), &rota);
    assert_eq!((status, &refused["code"]), (403, &json!("not_allowed")), "{refused}");
    let stranger = json!({"group": "watch", "people": [login(server, "requester")], "starts_at": at(server, 0),
        "time_zone": "Oslo", "turn_days": 0});
    let (status, refused) = ask(server, "change_manager", ("POST", "/duty-rotas"), &stranger);
    assert_eq!(status, 422, "{refused}");
    for code in ["not_of_the_group", "time_zone", "turn_days"] {
        assert!(refused.to_string().contains(code), "{code} is not in {refused}");
    }
    done(server, "change_manager", ("POST", "/duty-rotas"), &rota);
}

fn on_duty(server: &Server) -> Value {
    done(server, "requester", ("GET", "/duty-rotas/watch"), &Value::Null)["on_duty"].clone()
}

#[test]
fn who_is_on_duty_follows_turns_overrides_and_absences_and_is_found_where_it_is_asked_for() {
    let place = Place::demo("duty");
    let server = Server::start(&place, true);
    with_rota(&server);
    let (owner, security) = (login(&server, "owner"), login(&server, "security"));
    assert_eq!(on_duty(&server), json!([owner]));
    let swap = json!({"group": "watch", "person": security, "starts_at": at(&server, -1), "ends_at": at(&server, 120)});
    let swap = done(&server, "change_manager", ("POST", "/on-call"), &swap);
    assert_eq!(on_duty(&server), json!([security]));
    commands(&server, &security);
    let path = format!("/on-call/{}", swap["id"].as_str().unwrap());
    done(&server, "change_manager", ("DELETE", &path), &Value::Null);
    imports(&server, &owner, &security);
    let away = json!({"starts_at": at(&server, -1), "ends_at": at(&server, 600)});
    done(&server, "owner", ("POST", "/absences"), &away);
    let rota = done(&server, "requester", ("GET", "/duty-rotas/watch"), &Value::Null);
    assert_eq!(rota["on_duty"], json!([]), "{rota}");
    assert!(!rota["gaps"].as_array().unwrap().is_empty(), "{rota}");
    is_named(&server);
    let page = Session::begin(&server, "change_manager")
        .get("/t/halden/duty-rotas")
        .body;
    assert!(
        page.contains("watch") && page.contains("Gaps in the next 30 days"),
        "the page shows the gap"
    );
    done(&server, "change_manager", ("DELETE", "/duty-rotas/watch"), &Value::Null);
    assert_eq!(
        ask(&server, "requester", ("GET", "/duty-rotas/watch"), &Value::Null).0,
        404
    );
    server.wait_for_log();
    let log = Session::begin(&server, "auditor")
        .get("/t/halden/audit?kind=duty_rota")
        .body;
    assert!(log.contains("set a duty rota"), "the log has words for it");
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

/// A calendar brings times of members, all or none, and the next one replaces them.
fn imports(server: &Server, owner: &str, security: &str) {
    let begin = server.server_time() + SignedDuration::from_hours(240);
    let stamp = |at: jiff::Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let (from, until) = (stamp(begin), stamp(begin + SignedDuration::from_hours(8)));
    let calendar = |titles: &[&str]| {
        let event = |(place, title): (usize, &&str)| {
            format!(
                "BEGIN:VEVENT\r\nUID:{place}\r\nDTSTART:{from}\r\nDTEND:{until}\r\nSUMMARY:Duty {title}\r\nEND:VEVENT\r\n"
            )
        };
        let events: String = titles.iter().enumerate().map(event).collect();
        json!({"group": "watch", "text": format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{events}END:VCALENDAR\r\n")})
    };
    let call = ("POST", "/on-call/imports");
    assert_eq!(ask(server, "requester", call, &calendar(&[owner])).0, 403);
    let (status, refused) = ask(server, "change_manager", call, &calendar(&[owner, "nobody"]));
    assert!(
        status == 422 && refused.to_string().contains("Duty nobody"),
        "{status} {refused}"
    );
    let told = |titles: &[&str]| {
        let told = done(server, "change_manager", call, &calendar(titles));
        [&told["added"], &told["known"], &told["ended"]].map(|count| count.as_i64().unwrap())
    };
    assert_eq!(told(&[owner]), [1, 0, 0], "the refused one left nothing");
    assert_eq!(told(&[owner, security]), [1, 1, 0]);
    assert_eq!(told(&[security]), [0, 1, 1]);
}

/// A commander finds the person on duty among the contacts.
fn commands(server: &Server, wanted: &str) {
    let incident = json!({"title": "The site is slow", "severity": 3, "services": ["label-print"]});
    let incident = done(server, "commander", ("POST", "/incidents"), &incident);
    let path = format!("/incidents/{}/situation", incident["key"].as_str().unwrap());
    let situation = done(server, "commander", ("GET", &path), &Value::Null);
    let contacts = situation["contacts"].as_array().unwrap();
    let is_it = |row: &&Value| row["roles"].to_string().contains("\"on_duty\"");
    let people: Vec<&Value> = contacts.iter().filter(is_it).map(|row| &row["person"]).collect();
    assert_eq!(people, [&json!(wanted)], "{situation}");
}

/// A plan and an action item name the group; a plan without a group, and an unknown group, are refused.
fn is_named(server: &Server) {
    let plan = |key: &str, groups: Value| {
        json!({"key": key, "name": "Watch", "audiences": ["on_duty"], "duty_groups": groups, "stages": ["announced"],
            "subject_en": "{stage}: {title}", "text_en": "{services}."})
    };
    for (groups, code) in [(json!([]), "duty_groups"), (json!(["nobody"]), "unknown")] {
        let (status, refused) = ask(
            server,
            "change_manager",
            ("POST", "/communication-plans"),
            &plan("wrong", groups),
        );
        assert!(
            status == 422 && refused.to_string().contains(code),
            "{status} {refused}"
        );
    }
    let made = done(
        server,
        "change_manager",
        ("POST", "/communication-plans"),
        &plan("watch", json!(["watch"])),
    );
    let change = json!({"title": "Labels rest", "description": "d", "justification": "j", "category": "application", "complexity": "low",
        "targets": [{"service": "label-print", "environment": "production"}],
        "plan": [{"title": "Out", "minutes": 10}], "rollback_plan": [{"title": "Back", "minutes": 5}]});
    let change = done(server, "requester", ("POST", "/changes"), &change);
    let path = format!("/communication-plans/{}/previews", made["id"].as_str().unwrap());
    let preview = done(
        server,
        "change_manager",
        ("POST", &path),
        &json!({"change": change["key"]}),
    );
    assert_eq!(
        preview["recipient_count"], 2,
        "in a gap all members are told: {preview}"
    );
    let item = json!({"title": "Empty the spool", "escalate_to": "watch"});
    assert_eq!(
        done(server, "requester", ("POST", "/action-items"), &item)["escalate_to"],
        "watch"
    );
    let wrong = json!({"title": "Empty the spool", "escalate_to": "nobody"});
    assert_eq!(ask(server, "requester", ("POST", "/action-items"), &wrong).0, 422);
}
