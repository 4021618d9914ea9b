//! Conflicts of plans and free times: shown before anything is written, kept as a record that holds both changes, decided by
//! somebody with a part in neither; imported maintenance, users by hour, and feeds.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::journey::{ENVIRONMENT, SERVICE, approve, artifact, gate_path, request, waiting_for_approval};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

fn key_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// A change that is planned some hours ahead for two hours, with its approvals requested.
fn planned(server: &Server, title: &str, number: u64, hours: i64) -> String {
    let start = server.held_time() + SignedDuration::from_hours(hours);
    let mut wanted = request(title, &artifact(number), start);
    wanted["planned_start"] = json!(start.to_string());
    waiting_for_approval(server, &wanted, &artifact(number))
}

fn gate_says(server: &Server, number: u64) -> String {
    let answer = server.ask(
        "GET",
        &gate_path(&artifact(number)),
        Some(&server.token("pipeline")),
        None,
    );
    String::from_utf8_lossy(&answer.1).into_owned()
}

fn conflicts_of(server: &Server, path: &str) -> Vec<String> {
    let found = server.must("GET", &format!("{path}/conflicts"), &server.token("requester"), None);
    let rows = found["conflicts"].as_array().unwrap().iter();
    rows.map(|it| it["with"].as_str().unwrap().to_owned()).collect()
}

/// The conflicts of two changes that are kept. The demo's own changes may meet them too.
fn kept_of(server: &Server, (one, other): (&str, &str)) -> Vec<Value> {
    let list = server.must("GET", "/api/v1/conflicts?limit=200", &server.token("requester"), None);
    let is_it = |it: &&Value| it["one_key"] == key_of(one) && it["other_key"] == key_of(other);
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_it)
        .cloned()
        .collect()
}

/// The one conflict of two changes that is kept.
fn kept(server: &Server, pair: (&str, &str)) -> Value {
    let mut found = kept_of(server, pair);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

fn decide(server: &Server, role: &str, pair: (&str, &str), body: &Value) -> (u16, Value) {
    let conflict = kept(server, pair);
    let path = format!("/api/v1/conflicts/{}", conflict["id"].as_str().unwrap());
    let token = server.token(role);
    let (status, answer) = server.ask_with("PATCH", &path, Some(&token), Some(body), &[("If-Match", "*")]);
    (status, serde_json::from_slice(&answer).unwrap_or_default())
}

/// Whether the page of a change shows that a conflict is to be decided before it starts.
fn is_held(server: &Server, path: &str) -> bool {
    let page = Session::begin(server, "owner").get(&path.replace("/api/v1", "/t/halden"));
    page.body.contains("The conflict must be decided by")
}

#[test]
fn a_conflict_holds_both_changes_until_somebody_else_decides_and_the_decision_binds_both() {
    let place = Place::demo("conflicts");
    let mut server = Server::start(&place, true);
    server.hold_clock(server.server_time() + SignedDuration::from_mins(1));
    let terms = json!({"hold_kinds": ["same_item"], "gap_minutes": 10});
    server.must(
        "POST",
        "/api/v1/planning-terms",
        &server.token("change_manager"),
        Some(&terms),
    );
    let one = planned(&server, "New labels", 701, 2);
    let other = planned(&server, "New paper", 702, 3);
    let meet = |server: &Server| conflicts_of(server, &one).iter().any(|key| key == key_of(&other));
    let pair = (one.as_str(), other.as_str());
    assert!(meet(&server));
    let conflict = kept(&server, pair);
    assert_eq!(
        (&conflict["state"], &conflict["holds"]),
        (&json!("open"), &json!(true)),
        "{conflict:#}"
    );
    let why = format!("both touch {SERVICE} in {ENVIRONMENT}");
    assert_eq!(conflict["why"][0], why.as_str());
    assert!(is_held(&server, &one) && is_held(&server, &other));
    for path in [&one, &other] {
        for role in ["owner", "security", "change_manager"] {
            approve(&server, path, role);
        }
    }
    // Shown on the page, and at the gate while its window is open.
    let page = Session::begin(&server, "owner").get(&one.replace("/api/v1", "/t/halden"));
    assert!(page.body.contains("Conflict with another plan"));
    server.advance(2 * 3_600 + 60);
    assert!(
        gate_says(&server, 701).contains("conflict_open"),
        "{}",
        gate_says(&server, 701)
    );

    let moves = json!({"decision": "one_moves", "moves": key_of(&other), "reason": "The labels were first."});
    let (status, refused) = decide(&server, "requester", pair, &moves);
    assert_eq!((status, &refused["code"]), (403, &json!("not_arbiter")), "{refused:#}");
    let (status, wrong) = decide(&server, "owner", pair, &json!({"decision": "one_moves"}));
    assert_eq!(status, 422, "{wrong:#}");
    let id = kept(&server, pair)["id"].clone();
    assert!(open_items(&server, &id) > 0, "its owners and its arbiter have it to do");
    let (status, decided) = decide(&server, "owner", pair, &moves);
    assert_eq!((status, &decided["state"]), (200, &json!("decided")), "{decided:#}");
    assert_eq!(open_items(&server, &id), 0);
    gates_tell(&server, key_of(&one), key_of(&other));
    let page = Session::begin(&server, "owner").get(&other.replace("/api/v1", "/t/halden"));
    assert!(page.body.contains("The change must move, because it conflicts with"));
    // An edit of the other change ends the conflict; its record and its decision stay the same when they meet again.
    let id = kept(&server, pair)["id"].clone();
    reschedule(&server, &other, 30);
    assert!(!meet(&server));
    assert_eq!(kept_of(&server, pair), Vec::<Value>::new());
    reschedule(&server, &other, 1);
    let again = kept(&server, pair);
    assert_eq!((&again["id"], &again["state"]), (&id, &json!("decided")), "{again:#}");
    assert_eq!(again["holds"], json!(true), "{again:#}");
    must_verify(&server);
    drop(server);
    must_replay(&place);
}

#[test]
fn the_planned_undo_of_a_change_is_a_conflict_on_the_pages_of_both() {
    let place = Place::demo("undo_conflicts");
    let mut server = Server::start(&place, true);
    server.hold_clock(server.server_time() + SignedDuration::from_mins(1));
    let now = server.held_time();
    let at = (now + SignedDuration::from_hours(4)).to_string();
    let mut wanted = request("Read-only for a night", &artifact(711), now);
    wanted["planned_undo"] = json!({"text": "Writes go through again", "at": at});
    let undone = waiting_for_approval(&server, &wanted, &artifact(711));
    let other = planned(&server, "New labels", 712, 3);
    let (undone, other) = (undone.as_str(), other.as_str());
    let token = server.token("requester");
    let rows = |path: &str, with: &str| {
        let found = server.must("GET", &format!("{path}/conflicts"), &token, None);
        let rows = found["conflicts"].as_array().unwrap().iter();
        rows.filter(|it| it["with"] == key_of(with))
            .cloned()
            .collect::<Vec<Value>>()
    };
    let met = rows(other, undone);
    assert_eq!(met.len(), 1, "{met:#?}");
    assert_eq!(met[0]["undo"], json!(true), "{met:#?}");
    assert_eq!(rows(undone, other), Vec::<Value>::new(), "both windows lie apart");
    let warned = |path: &str| {
        server
            .must("GET", &format!("{path}/warnings"), &token, None)
            .to_string()
    };
    let (here, there) = (warned(undone), warned(other));
    let mine = format!("Its planned undo conflicts with {}.", key_of(other));
    assert!(here.contains(&mine), "{here}");
    let theirs = format!("The change conflicts with the planned undo of {}.", key_of(undone));
    assert!(there.contains(&theirs), "{there}");
    let session = Session::begin(&server, "owner");
    let propose = format!("/t/halden/calendar/propose?change={}", key_of(other));
    assert!(
        session.get(&propose).body.contains("the planned undo of "),
        "the page of its times names it"
    );
    let calendar = session.get(&format!("/t/halden/calendar?service={SERVICE}")).body;
    assert!(calendar.contains(&format!("the planned undo of {}", key_of(undone))));
    assert_eq!(
        kept_of(&server, (undone, other)),
        Vec::<Value>::new(),
        "an undo holds nobody"
    );
    must_verify(&server);
    drop(server);
    must_replay(&place);
}

/// The gates of both changes once it is decided that the other one moves.
fn gates_tell(server: &Server, one: &str, other: &str) {
    // The other one moves, so that this one may go; the gate lists the conflict all the same, as no reason.
    let said: Value = serde_json::from_str(&gate_says(server, 701)).unwrap();
    assert!(!said["reasons"].to_string().contains("conflict_"), "{said}");
    let known = said["information"].to_string();
    let decided = format!("Decision: {other} moves");
    assert!(known.contains("conflict_known") && known.contains(&decided), "{said}");
    let other_says: Value = serde_json::from_str(&gate_says(server, 702)).unwrap();
    assert!(
        other_says["reasons"].to_string().contains("conflict_decided"),
        "{other_says}"
    );
    assert!(
        !other_says["information"].to_string().contains(&format!("with {one}:")),
        "what is a reason is told once: {other_says}"
    );
}

/// How many action items about a conflict are open.
fn open_items(server: &Server, id: &Value) -> usize {
    let path = "/api/v1/action-items?limit=200";
    let list = server.must("GET", path, &server.token("change_manager"), None);
    let rows = list["items"].as_array().unwrap().iter();
    rows.filter(|it| &it["about"] == id && it["state"] == "open").count()
}

fn reschedule(server: &Server, path: &str, hours: i64) {
    let token = server.token("requester");
    let start = server.held_time() + SignedDuration::from_hours(hours);
    let body = json!({
        "planned_start": start.to_string(), "planned_end": (start + SignedDuration::from_hours(2)).to_string(),
    });
    let schedule = format!("{path}/schedule");
    let (status, answer) = server.ask_with("PUT", &schedule, Some(&token), Some(&body), &[("If-Match", "*")]);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
}

/// An iCalendar text with one event.
fn works(start: Timestamp) -> String {
    let instant = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:w\r\nDTSTART:{}\r\nDTEND:{}\r\nSUMMARY:Racks\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n",
        instant(start),
        instant(start + SignedDuration::from_hours(4))
    )
}

#[test]
fn free_times_avoid_changes_and_imported_maintenance_and_follow_the_users() {
    let place = Place::demo("slots");
    let mut server = Server::start(&place, true);
    server.hold_clock(server.server_time() + SignedDuration::from_mins(1));
    let (manager, now) = (server.token("change_manager"), server.held_time());
    let one = planned(&server, "New labels", 711, 26);
    let calendar = json!({"name": "Data centre", "services": [SERVICE]});
    let calendar = server.must("POST", "/api/v1/outside-calendars", &manager, Some(&calendar));
    let imports = format!("/api/v1/outside-calendars/{}/imports", calendar["id"].as_str().unwrap());
    let text = json!({"text": works(now + SignedDuration::from_hours(25))});
    let imported = server.must("POST", &imports, &manager, Some(&text));
    assert_eq!(
        (&imported["event_count"], &imported["left_out"]),
        (&json!(1), &json!(0)),
        "{imported:#}"
    );
    assert!(conflicts_of(&server, &one).iter().any(|with| with == "Racks"));
    let (status, _) = server.ask("POST", &imports, Some(&manager), Some(&json!({"text": "nonsense"})));
    assert_eq!(status, 422);

    let target = json!([{"service": SERVICE, "environment": ENVIRONMENT}]);
    let wanted = json!({"targets": target, "minutes": 60, "count": 100});
    let slots = |server: &Server| -> Vec<Value> {
        let found = server.must("POST", "/api/v1/slots", &server.token("requester"), Some(&wanted));
        found["slots"].as_array().unwrap().clone()
    };
    let before = slots(&server);
    assert!(before.len() > 20, "{before:#?}");
    for slot in &before {
        let tried = json!({
            "targets": target, "planned_start": slot["starts_at"], "planned_end": slot["ends_at"],
        });
        let found = server.must("POST", "/api/v1/conflict-previews", &manager, Some(&tried));
        assert_eq!(found["conflicts"], json!([]), "{slot:#}");
    }
    // Users in all hours but one bring that hour to the front.
    let first: Timestamp = before[0]["starts_at"].as_str().unwrap().parse().unwrap();
    let quiet = (first.to_zoned(jiff::tz::TimeZone::UTC).hour() + 7) % 24;
    let line = |hour: i8| format!("{hour},{}\n", if hour == quiet { 0 } else { 900 });
    let profile: String = (0..24).map(line).collect();
    let traffic = json!({"service": SERVICE, "zone": "UTC", "profile": profile, "source": "csv"});
    server.must("POST", "/api/v1/traffic", &server.token("admin"), Some(&traffic));
    let after: Timestamp = slots(&server)[0]["starts_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(after.to_zoned(jiff::tz::TimeZone::UTC).hour(), quiet);
    let propose = format!("/t/halden/calendar/propose?change={}", key_of(&one));
    let page = Session::begin(&server, "requester").get(&propose).body;
    assert!(
        page.contains("The best free times") && page.contains("users an hour then"),
        "{page}"
    );
    let team = Session::begin(&server, "requester")
        .get("/t/halden/calendar?view=team")
        .body;
    assert!(team.contains("by team"), "{team}");
}
