//! Facts to see before a decision: the edits since the reader's own decision, the question of a return, and the warnings.

use std::process::Command;

use serde_json::{Value, json};
use tests::journey::{ENVIRONMENT, SERVICE, approve, artifact, request, waiting_for_approval};
use tests::session::Session;
use tests::{Place, Server};

fn page_of(server: &Server, role: &str, path: &str) -> String {
    let page = path.trim_start_matches("/api/v1");
    let shown = Session::begin(server, role).get(&format!("/t/halden{page}"));
    assert_eq!(shown.status, 200, "{page}: {}", shown.body);
    shown.body
}

/// The owner's card and the page of versions show the edit; a person who never decided sees none.
fn is_shown(server: &Server, path: &str) {
    let card = page_of(server, "owner", path);
    assert!(
        card.contains("Since you decided") && card.contains("<ins translate=\"no\">25</ins>"),
        "{card}"
    );
    assert!(card.contains("Plan, step 1: Minutes"), "{card}");
    let other = page_of(server, "security", path);
    assert!(
        !other.contains("Since you decided"),
        "who never decided is told of no difference"
    );
    let both = page_of(server, "owner", &format!("{path}/versions"));
    assert!(
        both.contains("<del translate=\"no\">10</del>") && both.contains("All versions"),
        "{both}"
    );
}

#[test]
fn what_changed_since_ones_approval_is_told_with_who_and_why() {
    let place = Place::demo("seen-before");
    let server = Server::start(&place, true);
    let digest = artifact(95_001);
    let path = waiting_for_approval(
        &server,
        &request("Widen a column", &digest, server.server_time()),
        &digest,
    );
    approve(&server, &path, "owner");
    let owner = server.token("owner");
    let none = server.must("GET", &format!("{path}/versions?from=mine"), &owner, None);
    assert!(none["edits"].as_array().unwrap().is_empty(), "{none:#}");
    let question = json!({"question": "Who tests the new column?"});
    server.must(
        "POST",
        &format!("{path}/return"),
        &server.token("security"),
        Some(&question),
    );
    let requester = server.token("requester");
    let edit = json!({"plan": [{"title": "Bring it out", "minutes": 25}], "verification": "Ten rows are read."});
    let (status, answer) = server.ask_with("PATCH", &path, Some(&requester), Some(&edit), &[("If-Match", "*")]);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));

    let told = server.must("GET", &format!("{path}/versions?from=mine"), &owner, None);
    let field = |name: &str| {
        let edits = told["edits"].as_array().unwrap();
        edits.iter().find(|it| it["field"] == name).cloned().unwrap_or_default()
    };
    let minutes = field("plan[0].minutes");
    assert_eq!((&minutes["old"], &minutes["new"]), (&json!(10), &json!(25)), "{told:#}");
    assert!(field("verification")["old"].is_null(), "{told:#}");
    assert!(minutes["by"].is_string() && minutes["at"].is_string(), "{told:#}");
    assert_eq!(told["questions"][0]["reason"], "Who tests the new column?", "{told:#}");
    assert_eq!(told["to"], told["versions"].as_array().unwrap().len(), "{told:#}");

    is_shown(&server, &path);
    // The question stays on the card also after the reply.
    server.must("POST", &format!("{path}/submission"), &requester, Some(&json!({})));
    let assessment = json!({"dependencies_reviewed": true});
    server.must("POST", &format!("{path}/assessment"), &requester, Some(&assessment));
    let again = page_of(&server, "change_manager", &path);
    assert!(again.contains("Who tests the new column?"), "{again}");
    let run = Command::new(tests::binary())
        .args([
            "versions",
            path.rsplit('/').next().unwrap(),
            "--from",
            "mine",
            "--server",
            &server.url,
        ])
        .env("ASSENT_TOKEN", &owner)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && text.contains("plan[0].minutes"), "{text}");
}

#[test]
fn a_version_that_there_is_not_is_refused_by_its_field() {
    let place = Place::demo("seen-before-refused");
    let server = Server::start(&place, true);
    let digest = artifact(95_002);
    let path = waiting_for_approval(&server, &request("Widen a row", &digest, server.server_time()), &digest);
    for (query, field) in [
        ("from=mine", "from"),
        ("from=0", "from"),
        ("from=99", "from"),
        ("to=x", "to"),
    ] {
        let (status, bytes) = server.get(&format!("{path}/versions?{query}"), Some(&server.token("security")));
        let refused: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            (status, &refused["errors"][0]["field"]),
            (422, &json!(field)),
            "{query}: {refused:#}"
        );
    }
}

#[test]
fn a_freeze_and_a_conflict_are_seen_on_card_form_gate_and_home() {
    let place = Place::demo("seen-warned");
    let server = Server::start(&place, true);
    let (one, other) = (artifact(95_003), artifact(95_004));
    let now = server.server_time();
    let path = waiting_for_approval(&server, &request("Sharper labels", &one, now), &one);
    let second = waiting_for_approval(&server, &request("Bolder labels", &other, now), &other);
    let freeze = json!({
        "title": "Quarter end", "reason": "The books close.", "services": [SERVICE], "environments": [ENVIRONMENT],
        "starts_at": (now - jiff::SignedDuration::from_mins(1)).to_string(),
        "ends_at": (now + jiff::SignedDuration::from_hours(3)).to_string(),
    });
    server.must(
        "POST",
        "/api/v1/freezes",
        &server.token("change_manager"),
        Some(&freeze),
    );
    let owner = server.token("owner");
    let told = server.must("GET", &format!("{path}/warnings"), &owner, None);
    let rows = told["warnings"].as_array().unwrap();
    let of = |kind: &str, about: &str| rows.iter().any(|it| it["kind"] == kind && it["about"] == about);
    let twin = second.rsplit('/').next().unwrap();
    assert!(of("freeze", "Quarter end") && of("conflict", twin), "{told:#}");
    assert!(rows.iter().all(|it| it["is_open"].is_boolean()), "{told:#}");

    let check = tests::journey::question(&one);
    let check = server.must("POST", "/api/v1/gate-checks", &server.token("pipeline"), Some(&check));
    let checked = format!("/gate-checks/{}", check["id"].as_str().unwrap());
    for page in [path.as_str(), &format!("{path}/edit"), &checked] {
        let role = if page.ends_with("/edit") { "requester" } else { "owner" };
        let shown = page_of(&server, role, page);
        assert!(
            shown.contains("Quarter end") && shown.contains("Conflicts with "),
            "{page}: {shown}"
        );
    }
    let gate = page_of(&server, "owner", &checked);
    assert!(
        gate.contains("Earliest go") && gate.contains("Unknown: it depends on decisions of people"),
        "{gate}"
    );
    assert!(page_of(&server, "requester", "/").contains("<b>Conflict</b>"));
    let key = path.rsplit('/').next().unwrap();
    let run = Command::new(tests::binary())
        .args(["warnings", key, "--server", &server.url])
        .env("ASSENT_TOKEN", &owner)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&run.stdout).contains("Quarter end"), "{run:?}");
}

/// The card of a change on a first page, or its row in the first table that has it.
fn of_change<'p>(page: &'p str, key: &str) -> &'p str {
    let (card, link) = (format!("id=\"q-{key}\""), format!("/changes/{key}"));
    let card = page.split_once(card.as_str()).map(|(_, rest)| rest);
    let row = || page.split("<tr").skip(1).find(|row| row.contains(&link));
    match card {
        Some(card) => card.split("</article>").next().unwrap_or_default(),
        None => row().map_or("", |row| row.split("</tr>").next().unwrap_or_default()),
    }
}

/// A change that waits for its approvals at a service; its key.
fn waiting_at(server: &Server, service: &str, number: u64, facts: &Value) -> String {
    let build = artifact(number);
    let mut body = request("Seen with its warnings", &build, server.server_time());
    body["targets"][0]["service"] = json!(service);
    for (field, value) in facts.as_object().unwrap() {
        body[field] = value.clone();
    }
    let path = waiting_for_approval(server, &body, &build);
    path.rsplit('/').next().unwrap().to_owned()
}

/// A change of high risk whose broken glass waits for a second signature; its key.
fn with_broken_glass(server: &Server) -> String {
    let grave = json!({"complexity": "high", "impact": {"data": "none", "availability": "high", "compliance": "none"}});
    let key = waiting_at(server, "edge-dns", 95_008, &grave);
    let until = (server.server_time() + jiff::SignedDuration::from_hours(1)).to_string();
    let glass = json!({"reason": "The docks stand still.", "until": until});
    let commander = Session::begin(server, "commander");
    let (status, told) = commander.api("POST", &format!("/changes/{key}/break-glass"), &glass);
    assert_eq!(status, 201, "{told}");
    key
}

#[test]
fn each_warning_stands_on_the_queue_and_on_the_calendar_in_its_own_words() {
    let place = Place::demo("seen-apart");
    let server = Server::start(&place, true);
    let now = server.server_time();
    let service = json!({"key": "dock-lights", "name": "Dock lights", "criticality": "low"});
    server.must("POST", "/api/v1/services", &server.token("admin"), Some(&service));
    let frozen = waiting_at(&server, "dock-lights", 95_005, &json!({}));
    let twin = waiting_at(&server, "dock-lights", 95_006, &json!({}));
    let nothing = json!({"impact": {"data": "none", "availability": "none", "compliance": "none"}});
    let lowered = waiting_at(&server, "ledger-db", 95_007, &nothing);
    let broken = with_broken_glass(&server);
    let freeze = json!({
        "title": "Quarter end", "reason": "The books close.", "services": ["dock-lights"],
        "starts_at": (now - jiff::SignedDuration::from_mins(1)).to_string(),
        "ends_at": (now + jiff::SignedDuration::from_hours(3)).to_string(),
    });
    let manager = server.token("change_manager");
    server.must("POST", "/api/v1/freezes", &manager, Some(&freeze));
    let (queue, calendar) = (
        page_of(&server, "security", "/"),
        page_of(&server, "security", "/calendar"),
    );
    let with_twin = format!("with {twin}");
    // The change; the words of its card, or in short of its row, in the queue; the words of its row in the calendar.
    let warnings: [(&str, &[&str], &str, &str); 4] = [
        (
            &frozen,
            &["The freeze ", "Quarter end", " stops it"],
            "<b>Freeze</b>",
            "<b>Freeze</b>",
        ),
        (&frozen, &["Conflicts with ", &twin], "<b>Conflict</b>", &with_twin),
        (
            &lowered,
            &[": stated none, derived "],
            "<b>Lowered risk</b>",
            "<b>Lowered risk</b>",
        ),
        (
            &broken,
            &[" used break-glass, until"],
            "<b>Break-glass</b>",
            "<b>Break-glass</b>",
        ),
    ];
    for (key, whole, short, planned) in warnings {
        let row = of_change(&calendar, key);
        assert!(row.contains(planned), "the calendar on {key}, {planned}: {row}");
        let told = of_change(&queue, key);
        // The first few of the queue are cards, and the rest rows.
        let short = [short];
        let is_card = told.contains("Before you decide");
        let wanted: &[&str] = if is_card { whole } else { &short };
        for words in wanted {
            assert!(told.contains(words), "the queue on {key}, {words}: {told}");
        }
    }
    for (page, key) in [(&calendar, &lowered), (&queue, &broken)] {
        assert!(!of_change(page, key).contains("Freeze"), "{key} is not frozen");
    }
}
