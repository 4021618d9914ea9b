//! A change earns its kind: a standard change by its template, an emergency by its incident, a start without approvals by the
//! duties afterwards; and an approver's hold is lifted by an approver.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::journey::{
    ENVIRONMENT, SERVICE, approve, artifact, evidence, gate_path, request, scheduled, waiting_for_approval,
};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::must_verify;

fn said(answer: (u16, Vec<u8>)) -> (u16, Value) {
    (answer.0, serde_json::from_slice(&answer.1).unwrap_or_default())
}

fn post(server: &Server, role: &str, path: &str, words: &Value) -> (u16, Value) {
    said(server.ask("POST", path, Some(&server.token(role)), Some(words)))
}

fn patch(server: &Server, role: &str, path: &str, words: &Value) -> (u16, Value) {
    let token = server.token(role);
    said(server.ask_with("PATCH", path, Some(&token), Some(words), &[("If-Match", "*")]))
}

fn fields(refused: &Value) -> Vec<&str> {
    let rows = refused["errors"].as_array().unwrap().iter();
    rows.map(|row| row["field"].as_str().unwrap()).collect()
}

/// A template with one locked field, as somebody in a hurry proposes it.
fn template(server: &Server, key: &str) {
    let words = json!({"key": key, "services": [SERVICE], "locked": {"category": "application"}, "free": ["complexity", "impact"]});
    let made = server.must("POST", "/api/v1/templates", &server.token("requester"), Some(&words));
    assert_eq!(made["bounds"]["complexity"], "low", "{made}");
    for role in ["owner", "change_manager"] {
        let path = format!("/api/v1/templates/{key}/approvals");
        server.must("POST", &path, &server.token(role), Some(&json!({})));
    }
}

fn standard(server: &Server, key: &str, number: u64, more: &Value) -> Value {
    let mut words = request("As always", &artifact(number), server.server_time());
    words["kind"] = json!("standard");
    words["template"] = json!(key);
    for (field, value) in more.as_object().unwrap() {
        words[field] = value.clone();
    }
    server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&words))
}

#[test]
fn a_standard_change_goes_no_further_than_its_template() {
    let place = Place::demo("earned-standard");
    let server = Server::start(&place, true);
    template(&server, "hurry");
    let grave = standard(
        &server,
        "hurry",
        61_001,
        &json!({"complexity": "high", "impact": {"data": "high"}}),
    );
    assert_eq!(grave["kind"], "normal", "{grave}");
    assert_eq!(grave["turned_normal"], json!(["impact", "complexity", "risk"]));
    let path = format!("/api/v1/changes/{}", grave["key"].as_str().unwrap());
    let (status, refused) = patch(
        &server,
        "requester",
        &path,
        &json!({"kind": "standard", "template": "hurry"}),
    );
    assert_eq!(
        (status, fields(&refused)),
        (422, vec!["impact", "complexity", "risk"]),
        "{refused}"
    );
    assert_eq!(
        server
            .get(&gate_path(&artifact(61_001)), Some(&server.token("pipeline")))
            .0,
        403
    );
    // The page shows the bounds to their approvers.
    let page = Session::begin(&server, "owner").get("/t/halden/templates/hurry").body;
    assert!(
        page.contains("complexity up to low") && page.contains("Failed changes"),
        "{page}"
    );
    must_verify(&server);
}

#[test]
fn three_failed_changes_suspend_a_template() {
    let place = Place::demo("earned-failures");
    let server = Server::start(&place, true);
    template(&server, "hurry");
    for number in 61_010..61_013 {
        let made = standard(&server, "hurry", number, &json!({}));
        assert_eq!(made["kind"], "standard", "{made}");
        let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
        server.must(
            "POST",
            &format!("{path}/submission"),
            &server.token("requester"),
            Some(&json!({})),
        );
        server.must(
            "POST",
            &format!("{path}/implementation"),
            &server.token("implementer"),
            Some(&json!({})),
        );
        let outcome = json!({"outcome": "failed"});
        server.must(
            "POST",
            &format!("{path}/completion"),
            &server.token("implementer"),
            Some(&outcome),
        );
    }
    let told = server.must("GET", "/api/v1/templates/hurry", &server.token("requester"), None);
    assert_eq!(
        (&told["state"], told["failures"].as_array().unwrap().len()),
        (&json!("suspended"), 3),
        "{told}"
    );
    let late = standard(&server, "hurry", 61_020, &json!({}));
    let path = format!("/api/v1/changes/{}/submission", late["key"].as_str().unwrap());
    assert_eq!(post(&server, "requester", &path, &json!({})).0, 409);
    must_verify(&server);
}

#[test]
fn an_emergency_names_what_is_there() {
    let place = Place::demo("earned-emergency");
    let server = Server::start(&place, true);
    let elsewhere = json!({"title": "The edge is down", "severity": 1, "services": ["edge-dns"]});
    let elsewhere = server.must(
        "POST",
        "/api/v1/incidents",
        &server.token("commander"),
        Some(&elsewhere),
    );
    let here = json!({"title": "Labels are blank", "severity": 1, "services": [SERVICE], "external_ref": "SD-4711"});
    server.must("POST", "/api/v1/incidents", &server.token("commander"), Some(&here));
    let mut wanted = request("Bring the old driver back", &artifact(62_001), server.server_time());
    let normal = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&wanted));
    let normal = format!("/api/v1/changes/{}", normal["key"].as_str().unwrap());
    wanted["kind"] = json!("emergency");
    for wrong in [json!("banana"), json!("INC-99999"), elsewhere["key"].clone()] {
        wanted["incident"] = wrong.clone();
        let (status, refused) = post(&server, "requester", "/api/v1/changes", &wanted);
        assert_eq!(
            (status, fields(&refused)),
            (422, vec!["incident"]),
            "{wrong}: {refused}"
        );
        let words = json!({"kind": "emergency", "incident": wrong});
        let (status, refused) = patch(&server, "requester", &normal, &words);
        assert_eq!((status, fields(&refused)), (422, vec!["incident"]), "{refused}");
    }
    wanted["incident"] = json!("SD-4711");
    let start = server.server_time() + SignedDuration::from_hours(24 * 90);
    let mut far = wanted.clone();
    far["planned_start"] = json!(start.to_string());
    far["planned_end"] = json!((start + SignedDuration::from_hours(1)).to_string());
    let (status, refused) = post(&server, "requester", "/api/v1/changes", &far);
    assert_eq!((status, fields(&refused)), (422, vec!["planned_start"]), "{refused}");
    must_verify(&server);
}

#[test]
fn an_emergency_goes_on_as_long_as_its_incident_concerns_it() {
    let place = Place::demo("earned-incident");
    let server = Server::start(&place, true);
    let here = json!({"title": "Labels are blank", "severity": 1, "services": [SERVICE], "external_ref": "SD-4711"});
    let here = server.must("POST", "/api/v1/incidents", &server.token("commander"), Some(&here));
    let mut wanted = request("Bring the old driver back", &artifact(62_001), server.server_time());
    wanted["kind"] = json!("emergency");
    wanted["incident"] = json!("SD-4711");
    let made = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&wanted));
    let (key, incident) = (made["key"].as_str().unwrap(), here["key"].as_str().unwrap());
    let path = format!("/api/v1/changes/{key}");
    let links = server.must("GET", &format!("{path}/links"), &server.token("requester"), None);
    assert_eq!(links["items"][0]["to"], here["key"], "{links}");
    let told = server.must(
        "GET",
        &format!("/api/v1/incidents/{incident}"),
        &server.token("requester"),
        None,
    );
    assert_eq!(told["changes"], json!([{"key": key, "state": "draft"}]), "{told}");
    let nothing = json!({});
    server.must(
        "POST",
        &format!("{path}/submission"),
        &server.token("requester"),
        Some(&nothing),
    );
    server.must(
        "POST",
        &format!("{path}/assessment"),
        &server.token("requester"),
        Some(&nothing),
    );
    for role in ["owner", "change_manager"] {
        approve(&server, &path, role);
    }
    let go = gate_path(&artifact(62_001));
    assert_eq!(server.get(&go, Some(&server.token("pipeline"))).0, 200);
    // The service of the incident is corrected: it was another one.
    let (status, answer) = patch_incident(&server, incident, &json!({"services": ["edge-dns"]}));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(server.get(&go, Some(&server.token("pipeline"))).0, 403);
    let rows = server.must("GET", &format!("{path}/requirements"), &server.token("requester"), None);
    assert!(rows.to_string().contains("no_emergency"), "{rows}");
    must_verify(&server);
}

fn patch_incident(server: &Server, key: &str, words: &Value) -> (u16, Value) {
    let path = format!("/api/v1/incidents/{key}");
    patch(server, "commander", &path, words)
}

#[test]
fn a_threat_asks_security_as_well() {
    let place = Place::demo("earned-threat");
    let server = Server::start(&place, true);
    let mut wanted = request("Close the hole", &artifact(63_001), server.server_time());
    wanted["kind"] = json!("emergency");
    wanted["threat"] = json!("The driver answers to anybody.");
    let path = waiting_for_approval(&server, &wanted, &artifact(63_001));
    for role in ["owner", "change_manager"] {
        approve(&server, &path, role);
    }
    let go = gate_path(&artifact(63_001));
    assert_eq!(server.get(&go, Some(&server.token("pipeline"))).0, 403);
    approve(&server, &path, "security");
    assert_eq!(server.get(&go, Some(&server.token("pipeline"))).0, 200);
}

/// A change that security alone approved and that the commander begins by break-glass; its key, and the response.
fn broken(server: &Server, digest: &str) -> (String, Value) {
    let made = server.must(
        "POST",
        "/api/v1/changes",
        &server.token("requester"),
        Some(&request("It cannot wait", digest, server.server_time())),
    );
    let key = made["key"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/changes/{key}");
    server.must(
        "POST",
        &format!("{path}/submission"),
        &server.token("requester"),
        Some(&json!({})),
    );
    server.must(
        "POST",
        &format!("{path}/assessment"),
        &server.token("requester"),
        Some(&json!({"dependencies_reviewed": true})),
    );
    approve(server, &path, "security");
    let until = (server.server_time() + SignedDuration::from_hours(1)).to_string();
    let glass = json!({"reason": "The docks stand still.", "until": until});
    let commander = Session::begin(server, "commander");
    let (status, told) = commander.api("POST", &format!("/changes/{key}/break-glass"), &glass);
    assert_eq!(status, 201, "{told}");
    (key, told)
}

#[test]
fn a_broken_glass_names_what_it_bypassed() {
    let place = Place::demo("earned-bypassed");
    let server = Server::start(&place, true);
    let (key, told) = broken(&server, &artifact(64_002));
    let rows = told["break_glass"]["bypassed"].as_array().unwrap();
    let rules: Vec<&str> = rows.iter().filter_map(|row| row["rule"].as_str()).collect();
    assert_eq!(
        rules,
        [
            "base.require.change_manager",
            "base.require.change_manager",
            "base.require.evidence",
            "base.require.owner"
        ],
        "{told}"
    );
    let page = Session::begin(&server, "commander")
        .get(&format!("/t/halden/changes/{key}"))
        .body;
    assert!(page.contains("break-glass replaced the others"), "{page}");
    let named = page.matches("Bypassed: ").count();
    assert!(
        named >= 6,
        "the card and the record name each of three rules, not {named} times: {page}"
    );
    let listed = server.must("GET", "/api/v1/break-glasses", &server.token("auditor"), None);
    let own = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["change_key"] == key.as_str());
    assert_eq!(
        own.unwrap()["bypassed"].as_array().unwrap().len(),
        rows.len(),
        "{listed}"
    );
    must_verify(&server);
}

#[test]
fn a_broken_glass_owes_what_an_emergency_owes() {
    let place = Place::demo("earned-glass");
    let server = Server::start(&place, true);
    let digest = artifact(64_001);
    let (key, _) = broken(&server, &digest);
    let path = format!("/api/v1/changes/{key}");
    let outcome = json!({"outcome": "succeeded"});
    server.must(
        "POST",
        &format!("{path}/completion"),
        &server.token("implementer"),
        Some(&outcome),
    );
    let works = json!({"result": "works", "text": "Labels come out."});
    let review =
        json!({"objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "Done."});
    let word = json!({"text": "It had to be done."});
    assert_eq!(
        post(&server, "security", &format!("{path}/break-glass/validation"), &word).0,
        201
    );
    assert_eq!(post(&server, "owner", &format!("{path}/validation"), &works).0, 201);
    for act in ["review", "closure"] {
        let (status, refused) = post(&server, "owner", &format!("{path}/{act}"), &review);
        assert_eq!(
            (status, &refused["code"]),
            (403, &json!("validated_it")),
            "{act}: {refused}"
        );
    }
    assert_eq!(
        post(&server, "change_manager", &format!("{path}/review"), &review).0,
        201
    );
    let (status, refused) = post(&server, "change_manager", &format!("{path}/closure"), &json!({}));
    assert_eq!(status, 409, "{refused}");
    assert!(refused["unmet"].to_string().contains("evidence_missing"), "{refused}");
    server.must(
        "POST",
        &format!("{path}/evidence"),
        &server.token("requester"),
        Some(&evidence(&digest)),
    );
    server.must(
        "POST",
        &format!("{path}/closure"),
        &server.token("change_manager"),
        Some(&json!({})),
    );
    must_verify(&server);
}

#[test]
fn what_an_approver_holds_is_let_go_by_an_approver_and_a_cancelled_change_frees_nothing() {
    let place = Place::demo("earned-blocks");
    let server = Server::start(&place, true);
    let first = scheduled(&server, "First", &artifact(65_001));
    let second = scheduled(&server, "Second", &artifact(65_002));
    let key = first.rsplit('/').next().unwrap();
    let words = json!({"kind": "depends_on", "to": key});
    let (status, link) = post(&server, "change_manager", &format!("{second}/links"), &words);
    assert_eq!(status, 201, "{link}");
    let away = format!("{second}/links/{}", link["id"].as_str().unwrap());
    let (status, refused) = said(server.ask("DELETE", &away, Some(&server.token("requester")), None));
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("set_by_approver")),
        "{refused}"
    );
    let reason = json!({"reason": "Not needed."});
    server.must(
        "POST",
        &format!("{first}/cancellation"),
        &server.token("requester"),
        Some(&reason),
    );
    let go = gate_path(&artifact(65_002));
    assert_eq!(server.get(&go, Some(&server.token("pipeline"))).0, 403, "{ENVIRONMENT}");
    let task = json!({"kind": "prepare", "title": "Tell the docks"});
    let (_, task) = post(&server, "change_manager", &format!("{second}/tasks"), &task);
    let at = format!("{second}/tasks/{}", task["id"].as_str().unwrap());
    let done = json!({"state": "done"});
    let (status, refused) = patch(&server, "requester", &at, &done);
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("set_by_approver")),
        "{refused}"
    );
    let (status, answer) = patch(&server, "change_manager", &at, &done);
    assert_eq!(status, 200, "{answer}");
    let tasks = server.must("GET", &format!("{second}/tasks"), &server.token("requester"), None);
    assert_eq!(
        tasks["items"][0]["done_by"],
        server.person("change_manager")["login"],
        "{tasks}"
    );
    assert_eq!(server.get(&go, Some(&server.token("pipeline"))).0, 403);
    server.must("DELETE", &away, &server.token("change_manager"), None);
    assert_eq!(server.get(&go, Some(&server.token("pipeline"))).0, 200);
    must_verify(&server);
}
