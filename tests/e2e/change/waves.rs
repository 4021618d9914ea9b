//! A change over many members from the request to the log: planned, approved once, let through wave by wave, halted by deliveries,
//! resumed, and shown on its page.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::artifact;
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

fn must(server: &Server, role: &str, path: &str, body: &Value) -> Value {
    let (status, answer) = ask(server, role, ("POST", path), body);
    assert!(status < 300, "{path}: {status} {answer}");
    answer
}

fn planned(server: &Server, minutes: i64) -> String {
    (server.server_time() + jiff::SignedDuration::from_mins(minutes)).to_string()
}

fn draft(server: &Server, build: &str) -> String {
    let request = json!({
        "title": "Printer firmware", "description": "d", "justification": "j", "category": "application", "complexity": "low",
        "impact": {"data": "none", "availability": "low", "compliance": "none"},
        "targets": [{"service": "label-print", "environment": "production", "artifact": build}],
        "planned_start": planned(server, -5), "planned_end": planned(server, 120),
        "plan": [{"title": "Out", "minutes": 2}], "rollback_plan": [{"title": "Back", "minutes": 2}], "rollback_minutes": 5,
    });
    must(server, "requester", "/changes", &request)["key"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn approve(server: &Server, key: &str, build: &str) {
    must(server, "requester", &format!("/changes/{key}/submission"), &json!({}));
    let looked = json!({"dependencies_reviewed": true});
    must(server, "requester", &format!("/changes/{key}/assessment"), &looked);
    let note = json!({"kind": "note", "aspect": "functional", "result": "passed", "name": "n", "environment": "staging",
        "artifact": build, "text": "412 of 412"});
    must(server, "requester", &format!("/changes/{key}/evidence"), &note);
    for role in ["owner", "security", "change_manager"] {
        let digest = ask(server, role, ("GET", &format!("/changes/{key}")), &Value::Null).1["content_digest"].clone();
        let word = json!({"decision": "approve", "content_digest": digest});
        must(server, role, &format!("/changes/{key}/approvals"), &word);
    }
}

fn gate(server: &Server, build: &str, member: &str) -> (u16, String) {
    let path = format!("/gate?service=label-print&environment=production&artifact={build}&member={member}");
    let (status, answer) = ask(server, "pipeline", ("GET", &path), &Value::Null);
    let code = answer["reasons"][0]["code"].as_str().unwrap_or("go").to_owned();
    (status, code)
}

fn connect(server: &Server) -> (String, String) {
    let request = json!({"kind": "waves", "name": "Fleet",
        "map": [{"repository": "printers", "service": "label-print", "environments": {"live": "production"}}]});
    let made = must(server, "admin", "/connections", &request);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("hook_path"), text("secret"))
}

fn deliver(server: &Server, (path, secret): &(String, String), body: &Value) {
    let request = ureq::http::Request::builder()
        .method("POST")
        .uri(format!("{}{path}", server.url))
        .header("Content-Type", "application/json")
        .header("Authorization", format!("Bearer {secret}"))
        .body(body.to_string())
        .unwrap();
    assert_eq!(tests::caller::agent().run(request).unwrap().status().as_u16(), 202);
}

#[test]
fn a_change_goes_to_its_members_wave_by_wave_and_deliveries_halt_it() {
    let place = Place::demo("waves");
    let server = Server::start(&place, true);
    let build = artifact(95_001);
    let key = draft(&server, &build);
    plans_its_members(&server, &key);
    approve(&server, &key, &build);
    let first = json!({"service": "label-print", "environment": "production", "artifact": build, "member": "lp-c"});
    let check = must(&server, "pipeline", "/gate-checks", &first);
    assert_eq!(check["decision"], "go", "{check}");
    assert_eq!(gate(&server, &build, "lp-1"), (403, "wave_waits".to_owned()));
    assert_eq!(gate(&server, &build, "lp-99"), (403, "member_unknown".to_owned()));
    let connection = connect(&server);
    let tell = |member: &str, state: &str| {
        let report =
            json!({"id": format!("{member}-{state}"), "change": key, "members": [{"member": member, "state": state}]});
        deliver(&server, &connection, &report);
    };
    tell("lp-c", "succeeded");
    eventually("the second wave opens", || gate(&server, &build, "lp-1").0 == 200);
    for member in ["lp-1", "lp-2", "lp-3"] {
        tell(member, "failed");
    }
    eventually("the third failure halts it", || {
        gate(&server, &build, "lp-4").1 == "waves_halted"
    });
    shows_what_stops_it(&server, &key);
    goes_on(&server, &key, &build);
    server.wait_for_log();
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

/// Ten members in two waves, tried before anybody approves.
fn plans_its_members(server: &Server, key: &str) {
    let plan = json!({"waves": [{"wave": "canary", "canary": true}, {"wave": "rest"}], "halt_failures": 3});
    assert_eq!(
        ask(
            server,
            "pipeline",
            ("POST", &format!("/changes/{key}/wave-plan")),
            &plan
        )
        .0,
        403
    );
    must(server, "requester", &format!("/changes/{key}/wave-plan"), &plan);
    let mut csv = String::from("member,region,canary\nlp-c,Norway,true\n");
    (0..9).for_each(|number| csv.push_str(&format!("lp-{number},Sweden,\n")));
    let waves = must(
        server,
        "requester",
        &format!("/changes/{key}/members"),
        &json!({"csv": csv}),
    );
    assert_eq!(
        (&waves["waves"][0]["count"], &waves["waves"][1]["count"]),
        (&json!(1), &json!(9))
    );
    let (_, dry) = ask(
        server,
        "requester",
        ("GET", &format!("/changes/{key}/waves/dry-run")),
        &Value::Null,
    );
    assert_eq!(dry["count"], 10, "{dry}");
    assert!(
        !dry["missing"].as_array().unwrap().is_empty(),
        "approvals are missing: {dry}"
    );
}

/// The implementer resumes, retries the failed members, and all end well.
fn goes_on(server: &Server, key: &str, build: &str) {
    let resumed = must(
        server,
        "implementer",
        &format!("/changes/{key}/waves/resume"),
        &json!({"reason": "Seen."}),
    );
    assert!(resumed.get("stop").is_none(), "{resumed}");
    assert_eq!(gate(server, build, "lp-4").0, 200);
    let retried = must(
        server,
        "implementer",
        &format!("/changes/{key}/waves/retries"),
        &json!({}),
    );
    assert_eq!(retried["moved"], 3, "{retried}");
    let rest: Vec<Value> = (0..9)
        .map(|number| json!({"member": format!("lp-{number}"), "state": "succeeded"}))
        .collect();
    let told = must(
        server,
        "implementer",
        &format!("/changes/{key}/waves/outcomes"),
        &json!({"outcomes": rest}),
    );
    assert_eq!((&told["moved"], &told["waves"]["current"]), (&json!(9), &json!(3)));
    must(
        server,
        "implementer",
        &format!("/changes/{key}/completion"),
        &json!({"outcome": "succeeded"}),
    );
}

fn shows_what_stops_it(server: &Server, key: &str) {
    let page = Session::begin(server, "implementer")
        .get(&format!("/t/halden/changes/{key}/waves?state=failed"))
        .body;
    for wanted in ["was halted at", "Resume the waves", "lp-2"] {
        assert!(page.contains(wanted), "{wanted} is not on the page");
    }
    let reader = Session::begin(server, "auditor")
        .get(&format!("/t/halden/changes/{key}/waves"))
        .body;
    assert!(!reader.contains("Resume the waves"), "an auditor resumes nothing");
}

#[test]
fn coordinated_changes_wait_for_the_common_go_and_for_each_other() {
    let place = Place::demo("joint_maintenance");
    let server = Server::start(&place, true);
    let builds = [artifact(95_011), artifact(95_012)];
    let keys: Vec<String> = builds.iter().map(|build| draft(&server, build)).collect();
    let request = json!({"title": "Row 4", "changes": keys, "starts_at": planned(&server, -10), "ends_at": planned(&server, 200)});
    assert_eq!(
        ask(&server, "requester", ("POST", "/joint-maintenances"), &request).0,
        403
    );
    let narrow =
        json!({"title": "Row 4", "changes": keys, "starts_at": planned(&server, 0), "ends_at": planned(&server, 20)});
    let (status, answer) = ask(&server, "change_manager", ("POST", "/joint-maintenances"), &narrow);
    assert_eq!(status, 422, "{answer}");
    assert!(answer.to_string().contains("outside_window"), "{answer}");
    follows_its_times(&server);
    let joint = must(&server, "change_manager", "/joint-maintenances", &request);
    let path = format!("/joint-maintenances/{}", joint["id"].as_str().unwrap());
    let go = json!({"decision": "go", "reason": "All are ready."});
    let (status, answer) = edit(&server, &path, &go);
    assert_eq!((status, answer["code"].as_str()), (409, Some("go_refused")), "{answer}");
    for (key, build) in keys.iter().zip(&builds) {
        approve(&server, key, build);
    }
    let codes = |key: &str| {
        let found = ask(
            &server,
            "owner",
            ("GET", &format!("/changes/{key}/requirements")),
            &Value::Null,
        )
        .1;
        let rows = found["items"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["code"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(
        codes(&keys[0]).contains(&"joint_go_missing".to_owned()),
        "{:?}",
        codes(&keys[0])
    );
    assert_eq!(edit(&server, &path, &go).0, 200);
    assert!(
        !codes(&keys[0]).iter().any(|code| code.starts_with("joint")),
        "{:?}",
        codes(&keys[0])
    );
    assert!(
        codes(&keys[1]).contains(&"joint_order".to_owned()),
        "{:?}",
        codes(&keys[1])
    );
    assert!(server.stop().success());
    must_replay(&place);
}

/// Edits a maintenance in its current version.
fn edit(server: &Server, path: &str, patch: &Value) -> (u16, Value) {
    let token = server.token("change_manager");
    let path = format!("/api/v1{path}");
    let (status, answer) = server.ask_with("PATCH", &path, Some(&token), Some(patch), &[("If-Match", "*")]);
    (status, serde_json::from_slice(&answer).unwrap_or_default())
}

/// A change is not planned behind one that waits for it, neither when the order is set nor by moving one of the two later.
fn follows_its_times(server: &Server) {
    let draft = |title: &str, from: i64, to: i64| {
        let request = json!({"title": title, "targets": [{"service": "label-print", "environment": "production"}],
            "planned_start": planned(server, from), "planned_end": planned(server, to)});
        let made = must(server, "requester", "/changes", &request);
        made["key"].as_str().unwrap().to_owned()
    };
    let (early, late) = (draft("Power", 3_000, 3_010), draft("Storage", 3_020, 3_030));
    let (from, to) = (planned(server, 2_990), planned(server, 3_100));
    let request =
        |changes: [&String; 2]| json!({"title": "Row 5", "changes": changes, "starts_at": from, "ends_at": to});
    let (status, answer) = ask(
        server,
        "change_manager",
        ("POST", "/joint-maintenances"),
        &request([&late, &early]),
    );
    assert_eq!(status, 422, "{answer}");
    assert!(answer.to_string().contains("out_of_order"), "{answer}");
    let joint = must(
        server,
        "change_manager",
        "/joint-maintenances",
        &request([&early, &late]),
    );
    let path = format!("/joint-maintenances/{}", joint["id"].as_str().unwrap());
    let move_to = |from: i64, to: i64| {
        let times = json!({"planned_start": planned(server, from), "planned_end": planned(server, to)});
        let token = server.token("requester");
        let door = format!("/api/v1/changes/{early}");
        let (status, answer) = server.ask_with("PATCH", &door, Some(&token), Some(&times), &[("If-Match", "*")]);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        ask(server, "owner", ("GET", &path), &Value::Null).1["out_of_order"].clone()
    };
    assert_eq!(move_to(3_040, 3_050), json!([late]));
    assert_eq!(move_to(3_005, 3_015), Value::Null, "moved back, it fits again");
    let (status, _) = ask(server, "change_manager", ("DELETE", &path), &Value::Null);
    assert_eq!(status, 200);
}
