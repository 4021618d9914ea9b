//! A major incident: the work that it stops at once and in every dialect, the exceptions that its commander signs, and its end.

use std::process::Command;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::faults::{eventually, size};
use tests::journey::{ENVIRONMENT, SERVICE, approve, artifact, gate_path, question};
use tests::session::Session;
use tests::{Place, Server};

/// A service of the demo that depends on [`SERVICE`].
pub(crate) const ABOVE: &str = "wms";

pub(crate) fn open(server: &Server, title: &str, severity: i64, services: &[&str]) -> String {
    let body = json!({"title": title, "severity": severity, "services": services});
    let made = server.must("POST", "/api/v1/incidents", &server.token("commander"), Some(&body));
    made["key"].as_str().unwrap().to_owned()
}

/// An emergency that its owner approved, and the change manager did not yet; its path.
pub(crate) fn nearly_emergency(server: &Server, (title, incident): (&str, &str), artifact: &str) -> String {
    let requester = server.token("requester");
    let wanted = json!({
        "kind": "emergency", "title": title, "description": "What a test does.", "justification": "To see it done.",
        "incident": incident,
        "targets": [{"service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact}],
        "plan": [{"title": "Bring it out"}], "no_rollback_reason": "There is none.",
    });
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&wanted));
    let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
    for act in ["submission", "assessment"] {
        server.must("POST", &format!("{path}/{act}"), &requester, Some(&json!({})));
    }
    approve(server, &path, "owner");
    path
}

/// An emergency of high risk that owner and change manager approved; its path.
pub(crate) fn emergency(server: &Server, title: &str, incident: &str, artifact: &str) -> String {
    let path = nearly_emergency(server, (title, incident), artifact);
    approve(server, &path, "change_manager");
    let shown = server.must("GET", &path, &server.token("requester"), None);
    assert_eq!(shown["risk"]["level"], "high", "{shown:#}");
    path
}

fn key_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

pub(crate) fn gate(server: &Server, artifact: &str) -> Value {
    let (_, answer) = server.ask("GET", &gate_path(artifact), Some(&server.token("pipeline")), None);
    serde_json::from_slice(&answer).unwrap()
}

/// The response in the dialect of nginx, Caddy, HAProxy, Apache and Envoy over HTTP.
pub(crate) fn forward(server: &Server, artifact: &str) -> (u16, String) {
    let path = format!("/gateway/http/{SERVICE}/{ENVIRONMENT}");
    let headers = [("Assent-Artifact", artifact)];
    let (status, answer) = server.ask_with("GET", &path, Some(&server.token("pipeline")), None, &headers);
    (status, String::from_utf8_lossy(&answer).into_owned())
}

fn refused(answer: (u16, Value), status: u16, code: &str) {
    assert_eq!((answer.0, &answer.1["code"]), (status, &json!(code)), "{:#}", answer.1);
}

/// Sends a request with the current version, where the method needs one.
fn ask(server: &Server, role: &str, (method, path): (&str, &str), body: &Value) -> (u16, Vec<u8>) {
    let token = server.token(role);
    if method != "PATCH" {
        return server.ask(method, path, Some(&token), Some(body));
    }
    let version = server.must("GET", path, &token, None)["version"].clone();
    server.ask_with(
        method,
        path,
        Some(&token),
        Some(body),
        &[("If-Match", &format!("\"{version}\""))],
    )
}

fn patched(server: &Server, role: &str, path: &str, body: &Value) -> Value {
    let (status, answer) = ask(server, role, ("PATCH", path), body);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    serde_json::from_slice(&answer).unwrap()
}

fn refused_by(server: &Server, role: &str, (method, path): (&str, &str), body: &Value, (status, code): (u16, &str)) {
    let (found, answer) = ask(server, role, (method, path), body);
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    refused((found, answer), status, code);
}

#[test]
fn a_major_incident_stops_high_risk_around_it_and_its_commander_lets_one_change_through() {
    let place = Place::demo("major");
    let server = Server::start(&place, true);
    let minor = open(&server, "Labels are slow", 3, &[SERVICE]);
    let (new, fix) = (artifact(77_001), artifact(77_002));
    let other = emergency(&server, "Faster labels", &minor, &new);
    assert_eq!(gate(&server, &new)["decision"], "go");
    assert_eq!(forward(&server, &new).0, 200);

    // The hurt service needs the service of the change.
    let major = open(&server, "The warehouse stands still", 1, &[ABOVE]);
    let stopped = gate(&server, &new);
    assert_eq!(stopped["decision"], "stop", "{stopped:#}");
    let told = stopped.to_string();
    for part in [major.as_str(), "The warehouse stands still", "/command"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let (status, told) = forward(&server, &new);
    assert!(status == 403 && told.contains(&major), "{status} {told}");
    let state = server.must("GET", &other, &server.token("owner"), None)["state"].clone();
    assert_eq!(state, "approved", "what was scheduled is scheduled no more");
    let path = format!("/api/v1/incidents/{major}");
    let situation = server.must("GET", &format!("{path}/situation"), &server.token("commander"), None);
    assert_eq!(situation["is_major"], true, "{situation:#}");
    assert!(
        situation["services"].as_array().unwrap().contains(&json!(SERVICE)),
        "{situation:#}"
    );
    assert!(
        situation["stopped"].to_string().contains(key_of(&other)),
        "{situation:#}"
    );

    commands(&server, &path, (&other, &new));
    fixes(&server, &major, &path, &fix);
    ends(&server, &path, &other, &new);
}

/// Gates that would let a change pass refuse in two dialects after the response to the act of the major incident.
/// `ASSENT_TEST_GATES` sets the number of waiting checks.
#[test]
fn every_gate_that_waits_refuses_once_a_major_incident_is_opened() {
    let count = size("ASSENT_TEST_GATES", 2);
    let place = Place::demo("major-gates");
    let server = Server::start(&place, true);
    let minor = open(&server, "Labels are slow", 3, &[SERVICE]);
    let waiting: Vec<String> = (0..count)
        .map(|number| {
            let build = artifact(770_000 + u64::try_from(number).unwrap());
            emergency(&server, &format!("Faster labels {number}"), &minor, &build);
            build
        })
        .collect();
    for build in &waiting {
        assert_eq!(gate(&server, build)["decision"], "go");
    }
    open(&server, "The warehouse stands still", 1, &[ABOVE]);
    for build in &waiting {
        assert_eq!(gate(&server, build)["decision"], "stop");
        assert_eq!(forward(&server, build).0, 403);
    }
}

/// The judgement of a permit by a pipeline that cannot reach the gate: from the keys and the revocation list that it fetched last.
fn verified_offline(server: &Server, permit: &str, build: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let at = |file: &str| folder.path().join(file);
    std::fs::write(at("permit"), permit).unwrap();
    for file in ["jwks.json", "assent-revocations"] {
        let (status, bytes) = server.get(&format!("/t/halden/.well-known/{file}"), None);
        assert_eq!(status, 200, "{file}");
        std::fs::write(at(file), bytes).unwrap();
    }
    let mut command = Command::new(tests::binary());
    command.args(["permit", "verify"]).arg(at("permit"));
    command.args(["--service", SERVICE, "--environment", ENVIRONMENT, "--artifact", build]);
    command.arg("--keys").arg(at("jwks.json"));
    let done = command
        .arg("--revocations")
        .arg(at("assent-revocations"))
        .output()
        .unwrap();
    (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned())
}

#[test]
fn a_gate_that_is_cut_off_obeys_a_halt_by_the_next_revocation_list() {
    let place = Place::demo("major-cut-off");
    let server = Server::start(&place, true);
    let minor = open(&server, "Labels are slow", 3, &[SERVICE]);
    let build = artifact(77_101);
    let change = emergency(&server, "Faster labels", &minor, &build);
    let pipeline = server.token("pipeline");
    let check = server.must("POST", "/api/v1/gate-checks", &pipeline, Some(&question(&build)));
    let permit = check["permit"].as_str().unwrap();
    assert_eq!(verified_offline(&server, permit, &build).0, Some(0));
    let major = open(&server, "The warehouse stands still", 1, &[ABOVE]);
    // Work in flight goes on, flagged, until its commander halts it.
    eventually("the work is flagged", || {
        server.must("GET", &change, &pipeline, None)["in_freeze"] == true
    });
    assert_eq!(server.must("GET", &change, &pipeline, None)["state"], "implementing");
    assert_eq!(verified_offline(&server, permit, &build).0, Some(0));
    let (commander, path) = (server.token("commander"), format!("/api/v1/incidents/{major}"));
    server.must("POST", &format!("{path}/command"), &commander, Some(&json!({})));
    let reason = json!({"reason": "Nothing else moves now."});
    server.must("POST", &format!("{path}/halt"), &commander, Some(&reason));
    let (code, told) = verified_offline(&server, permit, &build);
    assert!(code == Some(1) && told.contains("revoked"), "{code:?} {told}");
}

/// The signers, and their parts.
fn commands(server: &Server, path: &str, (change, new): (&str, &str)) {
    let commander = Session::begin(server, "commander");
    let below = path.strip_prefix("/api/v1").unwrap();
    let until = (server.server_time() + SignedDuration::from_hours(1)).to_string();
    let wanted = json!({"change": key_of(change), "reason": "The docks wait for it.", "until": until});
    let signatures = format!("{below}/signatures");
    refused(commander.api("POST", &signatures, &wanted), 403, "not_commander");
    let (status, told) = commander.api("POST", &format!("{below}/command"), &json!({}));
    assert_eq!(status, 201, "{told:#}");
    let manager = Session::begin(server, "change_manager");
    refused(manager.api("POST", &signatures, &wanted), 403, "not_commander");
    let taken = manager.api("POST", &format!("{below}/command"), &json!({}));
    refused(taken, 403, "not_commander");
    refused_by(
        server,
        "commander",
        ("POST", &format!("{path}/signatures")),
        &wanted,
        (403, "step_up_required"),
    );
    let bare = json!({"change": key_of(change)});
    refused(commander.api("POST", &signatures, &bare), 422, "invalid");
    let late = json!({"change": key_of(change), "reason": "r",
        "until": (server.server_time() + SignedDuration::from_hours(25)).to_string()});
    refused(commander.api("POST", &signatures, &late), 422, "invalid");
    let (status, signed) = commander.api("POST", &signatures, &wanted);
    assert_eq!(status, 201, "{signed:#}");
    assert_eq!(signed["signatures"].as_array().unwrap().len(), 1);
    assert_eq!(gate(server, new)["decision"], "go");
    assert_eq!(forward(server, new).0, 200);
    refused(commander.api("POST", &signatures, &wanted), 409, "excepted_already");
    let (status, told) = commander.api("DELETE", &format!("{signatures}/{}", key_of(change)), &json!({}));
    assert_eq!(status, 200, "{told:#}");
    assert_eq!(gate(server, new)["decision"], "stop");
}

/// The change that fixes the incident passes by its link and the signature alone; the freeze is nobody's to edit.
fn fixes(server: &Server, major: &str, path: &str, fix: &str) {
    let below = path.strip_prefix("/api/v1").unwrap();
    let change = emergency(server, "Restart the warehouse", major, fix);
    assert_eq!(gate(server, fix)["decision"], "stop", "the link alone opens nothing");
    let commander = Session::begin(server, "commander");
    let (status, signed) = commander.api(
        "POST",
        &format!("{below}/signatures"),
        &json!({"change": key_of(&change)}),
    );
    assert_eq!(status, 201, "{signed:#}");
    assert_eq!(signed["signatures"][1]["fixes"], true, "{signed:#}");
    assert_eq!(gate(server, fix)["decision"], "go");
    let situation = server.must("GET", &format!("{path}/situation"), &server.token("commander"), None);
    let freeze = format!("/api/v1/freezes/{}", situation["freeze"]["id"].as_str().unwrap());
    let reason = json!({"reason": "It is in the way."});
    refused_by(
        server,
        "change_manager",
        ("DELETE", &freeze),
        &reason,
        (409, "follows_incident"),
    );
    let exception = json!({"change": key_of(&change), "reason": "r"});
    refused_by(
        server,
        "change_manager",
        ("POST", &format!("{freeze}/exceptions")),
        &exception,
        (409, "follows_incident"),
    );
}

/// It ends with the incident, which its commander resolves, and is closed after the review of each signature.
fn ends(server: &Server, path: &str, other: &str, new: &str) {
    let now = json!({"resolved_at": server.server_time().to_string()});
    refused_by(server, "implementer", ("PATCH", path), &now, (403, "not_commander"));
    let lower = patched(server, "owner", path, &json!({"severity": 4}));
    assert!(
        lower["major_since"].is_string(),
        "a lower severity ends nothing: {lower:#}"
    );
    assert_eq!(gate(server, new)["decision"], "stop");
    let commander = server.token("commander");
    let resolved = patched(server, "commander", path, &now);
    assert_eq!(
        (&resolved["state"], &resolved["major_since"]),
        (&json!("resolved"), &Value::Null)
    );
    assert_eq!(
        gate(server, new)["decision"],
        "go",
        "what was stopped is scheduled again"
    );
    let closure = format!("{path}/closure");
    refused_by(
        server,
        "commander",
        ("POST", &closure),
        &json!({}),
        (409, "incident_not_done"),
    );
    let reviews = format!("{path}/signature-reviews");
    let fix = resolved["signatures"][1]["change_key"].as_str().unwrap();
    for change in [key_of(other), fix] {
        let review = json!({"change": change, "justified": true, "reason": "It could not wait."});
        refused_by(server, "commander", ("POST", &reviews), &review, (403, "own_request"));
    }
    let auditor = server.token("auditor");
    for change in [key_of(other), fix] {
        let review = json!({"change": change, "justified": change == fix, "reason": "Read afterwards."});
        server.must("POST", &reviews, &auditor, Some(&review));
    }
    // Changes of the demo may have been at work shortly before; the reason for their missing verdict is shown.
    let why = json!({"reason": "The conveyor had stopped by itself."});
    let closed = server.must("POST", &closure, &commander, Some(&why));
    assert_eq!(closed["state"], "closed");
    let timeline = server.must("GET", &format!("{path}/timeline?limit=200"), &commander, None);
    let told = timeline.to_string();
    for part in [
        "Opened with severity 1",
        "The freeze is in force",
        "commands",
        "may start until",
        "The freeze ended",
        "Closed",
    ] {
        assert!(told.contains(part), "{part}: {timeline:#}");
    }
    let page = Session::begin(server, "commander")
        .get(&path.replace("/api/v1", "/t/halden"))
        .body;
    for part in ["Exceptions signed", "Timeline", "Contacts", "Closed"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_real_delivery_raises_the_severity_and_its_end_mitigates_what_somebody_commands() {
    let place = Place::demo("major_delivery");
    let server = Server::start(&place, true);
    let minor = open(&server, "Labels are slow", 3, &[SERVICE]);
    let new = artifact(77_101);
    emergency(&server, "Faster labels", &minor, &new);
    let request = json!({
        "kind": "opsgenie", "name": "Opsgenie",
        "map": [{"repository": "warehouse", "service": ABOVE, "environments": {}}],
    });
    let hook = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    let send = |action: &str, priority: &str| {
        let now = server.server_time().as_millisecond();
        let body = json!({
            "action": action,
            "alert": {"alertId": "a-1", "alias": "wms-down", "message": "The warehouse is down", "priority": priority,
                "entity": "warehouse", "createdAt": now - 60_000, "updatedAt": now},
        });
        let bearer = hook["secret"].as_str().unwrap();
        let (status, told) = server.ask("POST", hook["hook_path"].as_str().unwrap(), Some(bearer), Some(&body));
        assert!(
            (200..300).contains(&status),
            "{status} {}",
            String::from_utf8_lossy(&told)
        );
    };
    let incident = || {
        let found = server.must("GET", "/api/v1/incidents?limit=200", &server.token("commander"), None);
        let mut rows = found["items"].as_array().unwrap().clone().into_iter();
        rows.find(|row| row["title"] == "The warehouse is down")
            .unwrap_or_default()
    };
    send("Create", "P3");
    eventually("the incident is open", || incident()["severity"] == 3);
    assert_eq!(gate(&server, &new)["decision"], "go");
    send("UpdatePriority", "P1");
    eventually("the source raised it", || incident()["major_since"].is_string());
    assert_eq!(gate(&server, &new)["decision"], "stop");
    send("UpdatePriority", "P4");
    eventually("the source says less", || incident()["source_severity"] == 4);
    assert_eq!(incident()["severity"], 1);
    assert_eq!(gate(&server, &new)["decision"], "stop");
    let path = format!("/api/v1/incidents/{}", incident()["key"].as_str().unwrap());
    let commander = server.token("commander");
    server.must("POST", &format!("{path}/command"), &commander, Some(&json!({})));
    send("Close", "P1");
    eventually("the source says that it is over", || incident()["state"] == "mitigated");
    assert_eq!(gate(&server, &new)["decision"], "stop", "the commander decides");
    let session = Session::begin(&server, "commander");
    let below = path.strip_prefix("/api/v1").unwrap();
    let reason = json!({"reason": "Belts run again."});
    refused_by(
        &server,
        "commander",
        ("DELETE", &format!("{path}/major")),
        &reason,
        (403, "step_up_required"),
    );
    let (status, told) = session.api("DELETE", &format!("{below}/major"), &reason);
    assert_eq!(status, 200, "{told:#}");
    assert_eq!(gate(&server, &new)["decision"], "go");
    assert!(incident()["stood_down"]["reason"].is_string());
}

#[test]
fn bad_input_about_incidents_gets_a_clear_answer() {
    let place = Place::demo("incident_input");
    let server = Server::start(&place, true);
    let commander = server.token("commander");
    let refuse = |method: &str, path: &str, body: &Value| {
        let (status, told) = ask(&server, "commander", (method, path), body);
        (status, String::from_utf8_lossy(&told).into_owned())
    };
    let ahead = (server.server_time() + SignedDuration::from_hours(2)).to_string();
    let (status, told) = refuse("POST", "/api/v1/incidents", &json!({"title": "x", "started_at": ahead}));
    assert!(status == 422 && told.contains("in_the_future"), "{told}");
    let (status, told) = refuse(
        "POST",
        "/api/v1/incidents",
        &json!({"title": "x", "services": ["nowhere"]}),
    );
    assert!(status == 422 && told.contains("nowhere"), "{told}");
    let (status, told) = refuse("POST", "/api/v1/incidents", &json!({"title": "a\u{7}b"}));
    assert_eq!(status, 422, "{told}");
    // Without services nothing is frozen, and a declaration names the missing part.
    let bare = open(&server, "Something is wrong", 1, &[]);
    let (status, told) = refuse(
        "POST",
        &format!("/api/v1/incidents/{bare}/major"),
        &json!({"reason": "r"}),
    );
    assert!(status == 409 && told.contains("no_services"), "{told}");
    // A ring of duplicates, and an incident that repeats itself.
    let (one, two) = (open(&server, "One", 3, &[SERVICE]), open(&server, "Two", 2, &[ABOVE]));
    let merge = |from: &str, into: &str| {
        refuse(
            "POST",
            &format!("/api/v1/incidents/{from}/merge"),
            &json!({"into": into, "reason": "The same."}),
        )
    };
    let (status, told) = merge(&one, &one);
    assert!(status == 422 && told.contains("ring"), "{told}");
    assert_eq!(merge(&one, &two).0, 201);
    let (status, told) = merge(&two, &one);
    assert!(status == 422 && told.contains("ring"), "{told}");
    let into = server.must("GET", &format!("/api/v1/incidents/{two}"), &commander, None);
    assert_eq!(into["services"], json!([SERVICE, ABOVE]), "{into:#}");
    let merged = server.must("GET", &format!("/api/v1/incidents/{one}"), &commander, None);
    assert_eq!(
        (&merged["state"], &merged["duplicate_of"]),
        (&json!("closed"), &json!(two))
    );
    let (status, told) = refuse(
        "PATCH",
        &format!("/api/v1/incidents/{one}"),
        &json!({"resolved_at": null}),
    );
    assert!(status == 409 && told.contains("not_in_state"), "{told}");
}
