//! The usual way of a change on the demo, as far as a test needs it done.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::Server;

/// The service that the changes of this way are about.
pub const SERVICE: &str = "label-print";
/// Its environment.
pub const ENVIRONMENT: &str = "production";

/// A digest that nobody else uses, from a number.
pub fn artifact(number: u64) -> String {
    format!("sha256:{number:064x}")
}

/// The question that a pipeline puts to the gate about an artifact.
pub fn question(artifact: &str) -> Value {
    json!({"service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact})
}

/// The path of the plain question about an artifact.
pub fn gate_path(artifact: &str) -> String {
    format!("/api/v1/gate?service={SERVICE}&environment={ENVIRONMENT}&artifact={artifact}")
}

/// The request for a change of low risk with everything in it; its window begins five minutes before `now` and ends two
/// hours after.
pub fn request(title: &str, artifact: &str, now: Timestamp) -> Value {
    json!({
        "title": title, "description": "What a test does.", "justification": "To see it done.",
        "category": "application", "complexity": "low",
        "impact": {"data": "none", "availability": "low", "compliance": "none"},
        "targets": [{"service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact}],
        "planned_start": (now - SignedDuration::from_mins(5)).to_string(),
        "planned_end": (now + SignedDuration::from_hours(2)).to_string(),
        "plan": [{"title": "Bring it out", "minutes": 10}],
        "rollback_plan": [{"title": "Bring the old one back", "minutes": 5}], "rollback_minutes": 5,
    })
}

/// Passed functional evidence for an artifact.
pub fn evidence(artifact: &str) -> Value {
    json!({
        "kind": "note", "aspect": "functional", "result": "passed", "name": "Tests in staging",
        "environment": "staging", "artifact": artifact, "text": "412 of 412 passed",
    })
}

/// A change that waits for its approvals; its path.
pub fn waiting_for_approval(server: &Server, request: &Value, artifact: &str) -> String {
    let requester = server.token("requester");
    let made = server.must("POST", "/api/v1/changes", &requester, Some(request));
    let path = format!("/api/v1/changes/{}", made["key"].as_str().expect("a change has a key"));
    let submission = format!("{path}/submission");
    server.must("POST", &submission, &requester, Some(&json!({})));
    let assessment = json!({"dependencies_reviewed": true});
    server.must("POST", &format!("{path}/assessment"), &requester, Some(&assessment));
    server.must(
        "POST",
        &format!("{path}/evidence"),
        &requester,
        Some(&evidence(artifact)),
    );
    path
}

/// The approval of one role, on the current text.
pub fn approve(server: &Server, path: &str, role: &str) {
    let token = server.token(role);
    let digest = server.must("GET", path, &token, None)["content_digest"].clone();
    let decision = json!({"decision": "approve", "content_digest": digest});
    server.must("POST", &format!("{path}/approvals"), &token, Some(&decision));
}

/// A change that the gate lets through now; its path.
pub fn scheduled(server: &Server, title: &str, artifact: &str) -> String {
    let path = waiting_for_approval(server, &request(title, artifact, server.server_time()), artifact);
    for role in ["owner", "security", "change_manager"] {
        approve(server, &path, role);
    }
    path
}
