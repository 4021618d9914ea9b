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
fn a_freeze_and_a_conflict_are_seen_on_card_queue_form_gate_calendar_and_home() {
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
    assert!(gate.contains("Earliest go") && gate.contains("Nobody knows"), "{gate}");
    assert!(page_of(&server, "owner", "/calendar").contains("<b>Freeze</b>"));
    assert!(page_of(&server, "requester", "/").contains("<b>Conflict</b>"));
    // The first few of the queue are cards, and the rest rows.
    let queue = page_of(&server, "owner", "/");
    let is_seen = queue.contains("Before you decide") || queue.contains("<b>Freeze</b>");
    assert!(is_seen, "{queue}");
    let key = path.rsplit('/').next().unwrap();
    let run = Command::new(tests::binary())
        .args(["warnings", key, "--server", &server.url])
        .env("ASSENT_TOKEN", &owner)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&run.stdout).contains("Quarter end"), "{run:?}");
}
