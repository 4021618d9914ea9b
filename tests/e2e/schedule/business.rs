//! A freeze that repeats and that the business agrees to: previewed, proposed, agreed, announced, reported.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{ENVIRONMENT, SERVICE, approve, artifact, gate_path, request, waiting_for_approval};
use tests::session::Session;
use tests::{Place, Server};

fn gate(server: &Server, artifact: &str) -> String {
    let answer = server.ask("GET", &gate_path(artifact), Some(&server.token("pipeline")), None);
    let answer: Value = serde_json::from_slice(&answer.1).unwrap();
    answer["decision"].as_str().unwrap().to_owned()
}

fn refused(server: &Server, who: &str, path: &str, body: &Value, wanted: (u16, &str)) {
    let (code, answer) = server.ask("POST", path, Some(&server.token(who)), Some(body));
    let told = String::from_utf8_lossy(&answer).into_owned();
    assert!(
        code == wanted.0 && told.contains(wanted.1),
        "{who} POST {path}: {code} {told}"
    );
}

/// A freeze on each of the next days that lies over the change, with a business owner.
fn closing(server: &Server) -> Value {
    let now = server.held_time();
    json!({
        "title": "The books close", "reason": "Finance counts.", "services": [SERVICE], "environments": [ENVIRONMENT],
        "starts_at": (now + SignedDuration::from_secs(1)).to_string(),
        "ends_at": (now + SignedDuration::from_hours(4)).to_string(),
        "rrule": "FREQ=DAILY;COUNT=5", "time_zone": "UTC", "business_owner": server.person("owner")["login"],
    })
}

/// The action items for the next step of a freeze, each with the role of its owner.
fn next_steps(server: &Server, own: &str) -> Vec<String> {
    let id = own.rsplit('/').next().unwrap();
    let path = format!("/api/v1/action-items?open=true&about_kind=freeze&about={id}");
    let found = server.must("GET", &path, &server.token("change_manager"), None);
    let role = |login: &Value| {
        let mut roles = ["owner", "change_manager"].into_iter();
        roles.find(|role| server.person(role)["login"] == *login)
    };
    let items = found["items"].as_array().unwrap().iter();
    let named = items.map(|it| format!("{} {}", it["title"].as_str().unwrap(), role(&it["owner"]).unwrap()));
    named.collect()
}

/// The way from the proposal to the announcement; nothing stops before.
fn agree_and_announce(server: &mut Server, own: &str, new: &str) {
    let manager = server.token("change_manager");
    let reason = json!({"reason": "We count on these days."});
    server.advance(5);
    assert_eq!(gate(server, new), "go", "a proposal stops nothing");
    assert_eq!(
        next_steps(server, own),
        ["Agree to the freeze “The books close”, or decline it owner"]
    );
    refused(
        server,
        "change_manager",
        &format!("{own}/announcement"),
        &reason,
        (409, "not_agreed"),
    );
    refused(
        server,
        "change_manager",
        &format!("{own}/agreement"),
        &reason,
        (403, "not_business_owner"),
    );
    server.must(
        "POST",
        &format!("{own}/agreement"),
        &server.token("owner"),
        Some(&reason),
    );
    assert_eq!(gate(server, new), "go", "an agreement alone stops nothing");
    assert_eq!(
        next_steps(server, own),
        ["Announce the freeze “The books close” change_manager"]
    );
    let announced = server.must("POST", &format!("{own}/announcement"), &manager, Some(&reason));
    assert_eq!(gate(server, new), "stop");
    assert_eq!(next_steps(server, own), [""; 0], "it is announced");
    let steps = announced["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().map(|it| it["step"].as_str().unwrap()).collect();
    assert_eq!(names, ["proposed", "agreed", "announced"]);
    assert_eq!(steps[1]["by"], server.person("owner")["login"]);
}

#[test]
fn a_freeze_counts_from_the_announcement_that_the_business_agreed_to_and_repeats() {
    let place = Place::demo("business");
    let mut server = Server::start(&place, true);
    server.hold_clock(server.server_time() + SignedDuration::from_mins(1));
    let (manager, new) = (server.token("change_manager"), artifact(411));
    let path = waiting_for_approval(&server, &request("Warmer labels", &new, server.held_time()), &new);
    for role in ["owner", "security", "change_manager"] {
        approve(&server, &path, role);
    }
    assert_eq!(gate(&server, &new), "go");
    let key = path.rsplit('/').next().unwrap().to_owned();
    let wanted = closing(&server);
    short_window(&server);
    let preview = server.must("POST", "/api/v1/freeze-previews", &manager, Some(&wanted));
    let mut hits = preview["hits"].as_array().unwrap().iter();
    let hit = hits.find(|hit| hit["key"] == key.as_str()).expect("it is hit");
    assert_ne!(
        hit["free_starts"],
        json!([]),
        "a window that is too short leaves the rest free"
    );
    assert_eq!(preview["occurrences"].as_array().unwrap().len(), 5);

    let freeze = server.must("POST", "/api/v1/freezes", &manager, Some(&wanted));
    let own = format!("/api/v1/freezes/{}", freeze["id"].as_str().unwrap());
    agree_and_announce(&mut server, &own, &new);
    let page = Session::begin(&server, "change_manager").get(&own.replace("/api/v1", "/t/halden"));
    for text in [
        "In force",
        "Signed steps",
        "Next times",
        "FREQ=DAILY;COUNT=5",
        "Affected changes",
    ] {
        assert!(page.body.contains(text), "{text}");
    }
    let list = Session::begin(&server, "change_manager").get("/t/halden/freezes").body;
    assert!(list.contains("name=\"time\""), "an exception is for one of its times");
    let excepted = json!({"change": key, "reason": "Totals are wrong."});
    server.must("POST", &format!("{own}/exceptions"), &manager, Some(&excepted));
    assert_eq!(gate(&server, &new), "go");
    let report = server.must("GET", &format!("{own}/report"), &manager, None);
    let row = report["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["key"] == key.as_str());
    assert_eq!(row.unwrap()["fate"], "excepted", "{report:#}");
    assert_eq!((&report["excepted"], &report["stage"]), (&json!(1), &json!("in_force")));
    let told =
        Session::begin(&server, "change_manager").get(&format!("{}/report", own.replace("/api/v1", "/t/halden")));
    assert!(told.body.contains("Totals are wrong."));
    server.must("DELETE", &format!("{own}/exceptions/{key}"), &manager, None);
    eventually("the first time is on", || gate(&server, &new) == "stop");
    // Between two times the gate is free again, and the next time stops it without anybody.
    server.advance(4 * 3_600 + 60);
    eventually("the first time is over", || calendar(&server, &own) == 4);
    widen(&server, &own);
}

/// A maintenance window that no change fits into.
fn short_window(server: &Server) {
    let start = server.held_time() + SignedDuration::from_hours(30);
    let window = json!({
        "title": "Short", "services": [SERVICE], "environments": [ENVIRONMENT], "starts_at": start.to_string(),
        "ends_at": (start + SignedDuration::from_mins(10)).to_string(),
    });
    server.must(
        "POST",
        "/api/v1/windows",
        &server.token("change_manager"),
        Some(&window),
    );
}

#[test]
fn a_freeze_over_everything_has_an_end_and_no_pipeline_agrees_for_the_business() {
    let place = Place::demo("bounds");
    let server = Server::start(&place, true);
    let start = server.server_time() + SignedDuration::from_hours(1);
    let mut wanted = json!({
        "title": "Everything", "reason": "A slip of the year.", "starts_at": start.to_string(),
        "ends_at": (start + SignedDuration::from_hours(24 * 500)).to_string(),
    });
    let path = "/api/v1/freezes";
    refused(&server, "change_manager", path, &wanted, (422, "400 days"));
    wanted["ends_at"] = json!((start + SignedDuration::from_hours(2)).to_string());
    wanted["business_owner"] = server.person("pipeline")["login"].clone();
    refused(&server, "change_manager", path, &wanted, (422, "account of a pipeline"));
}

/// An extension beyond the business owner's agreement waits for their agreement, and nobody takes an agreed freeze back alone.
fn widen(server: &Server, own: &str) {
    let manager = server.token("change_manager");
    let (status, answer) = server.ask_with(
        "PATCH",
        own,
        Some(&manager),
        Some(&json!({"halt": true})),
        &[("If-Match", "*")],
    );
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    let show = || server.must("GET", own, &manager, None);
    assert_ne!(show()["halt"], true, "it stands as it was agreed");
    refused(
        server,
        "change_manager",
        &format!("{own}/confirmation"),
        &json!({}),
        (403, "not_business_owner"),
    );
    let reason = json!({"reason": "Work under way stops, too."});
    server.must(
        "POST",
        &format!("{own}/agreement"),
        &server.token("owner"),
        Some(&reason),
    );
    assert_eq!(show()["halt"], true);
}

/// How many times of a freeze the calendar still shows.
fn calendar(server: &Server, own: &str) -> usize {
    let id = own.rsplit('/').next().unwrap();
    let (from, to) = (
        server.held_time(),
        server.held_time() + SignedDuration::from_hours(24 * 10),
    );
    let path = format!("/api/v1/calendar?from={from}&to={to}");
    let shown = server.must("GET", &path, &server.token("change_manager"), None);
    shown["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["id"] == id)
        .count()
}
