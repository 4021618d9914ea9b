//! Work that was reported afterwards and confirmed explains the deployment that no change was open for.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{ENVIRONMENT, SERVICE, artifact};
use tests::{Place, Server};

/// The codes of the rows about an artifact.
fn listed(server: &Server, artifact: &str) -> Vec<String> {
    let found = server.must("GET", "/api/v1/completeness?limit=200", &server.token("auditor"), None);
    let rows = found["items"].as_array().unwrap().iter();
    rows.filter(|row| row["artifact"] == artifact)
        .map(|row| row["code"].as_str().unwrap().to_owned())
        .collect()
}

fn deploy(server: &Server, hook: &Value, id: &str, artifact: &str) {
    let body = json!({
        "id": id, "service": "printer", "environment": "prod", "status": "success", "artifact": artifact,
        "at": server.server_time().to_string(),
    });
    let bearer = format!("Bearer {}", hook["secret"].as_str().unwrap());
    let headers = [("Authorization", bearer.as_str())];
    let path = hook["hook_path"].as_str().unwrap();
    assert_eq!(server.ask_with("POST", path, None, Some(&body), &headers).0, 202);
}

/// Reports work that brought an artifact; its path.
fn report(server: &Server, artifact: &str) -> String {
    let now = server.server_time();
    let request = json!({
        "title": "Brought it out at night", "description": "One node.", "justification": "Labels were blank.",
        "complexity": "low", "targets": [{"service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact}],
        "retrospective": {
            "actual_start": (now - SignedDuration::from_mins(20)).to_string(), "actual_end": now.to_string(),
            "reason": "It was night.", "verbal_approver": server.person("owner")["login"],
        },
    });
    let made = server.must("POST", "/api/v1/changes", &server.token("implementer"), Some(&request));
    format!("/api/v1/changes/{}", made["key"].as_str().unwrap())
}

fn answer(server: &Server, path: &str, confirmed: bool) {
    let body = json!({"confirmed": confirmed, "text": "As it was."});
    let path = format!("{path}/retrospective/confirmation");
    server.must("POST", &path, &server.token("owner"), Some(&body));
}

#[test]
fn a_confirmed_report_clears_the_deployment_that_it_explains_and_no_other() {
    let place = Place::demo("explained");
    let server = Server::start(&place, true);
    let request = json!({
        "kind": "plain", "name": "Pipelines",
        "map": [{"repository": "printer", "service": SERVICE, "environments": {"prod": ENVIRONMENT}}],
    });
    let hook = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    let builds = [artifact(321), artifact(322), artifact(323)];
    for (place, build) in builds.iter().enumerate() {
        deploy(&server, &hook, &format!("night-{place}"), build);
    }
    let is_unmatched = |build: &str| listed(&server, build).contains(&"deployment_without_change".to_owned());
    eventually("all are listed", || builds.iter().all(|build| is_unmatched(build)));
    let told = report(&server, &builds[0]);
    assert!(is_unmatched(&builds[0]), "nobody has confirmed it");
    answer(&server, &told, true);
    assert!(
        listed(&server, &builds[0]).is_empty(),
        "{:?}",
        listed(&server, &builds[0])
    );
    let denied = report(&server, &builds[1]);
    answer(&server, &denied, false);
    assert!(is_unmatched(&builds[1]) && is_unmatched(&builds[2]));
}
