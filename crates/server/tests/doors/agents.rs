//! Agents on the routes: every writing route, with an agent's token. None of those that decide opens.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use serde_json::{Value, json};
use wire::openapi::{Scope, routes};

use crate::world::World;

/// The acts of an agent: drafting, testing, and the work within a permit. A route is added here only after a review.
const OPEN: &[&str] = &[
    "create_change",
    "edit_change",
    "submit_change",
    "comment_change",
    "add_evidence",
    "start_change",
    "record_entry",
    "ask_extension",
    "complete_change",
    "issue_permit",
    "create_gate_check",
    "collect_permit",
    "consume_permit",
];

/// An agent of the services of the world's changes; returns its id and its token.
fn agent(world: &World) -> (String, String) {
    let person = json!({"login": "agent-walk", "roles": ["requester", "implementer"]});
    world.post("adam", "/people", &person).expect(201);
    let ends_at = world.act(|cx| Ok(cx.now)) + jiff::SignedDuration::from_hours(24);
    let body = json!({
        "person": "agent-walk", "sponsor": "oscar", "charter": "Walks.", "services": ["booking-api"],
        "environments": ["production"], "changes_per_day": 5, "highest_risk": "high", "ends_at": ends_at.to_string(),
    });
    let made = world.post("adam", "/agents", &body).expect(201);
    let scopes = ["read", "write", "gate", "audit", "admin"];
    (
        made["id"].as_str().unwrap().to_owned(),
        world.token("agent-walk", &scopes),
    )
}

fn send(world: &World, token: &str, (method, path): (&str, &str), body: &Value) -> (u16, String) {
    let asked = world
        .ask(method, path)
        .header("authorization", &format!("Bearer {token}"));
    let asked = asked.header("if-match", "\"1\"");
    let answer = asked.json(body).send();
    let code = match answer.status {
        204 => String::new(),
        _ => serde_json::from_slice::<Value>(&answer.body).unwrap_or_default()["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    };
    (answer.status, code)
}

#[test]
fn every_door_that_decides_is_closed_to_an_agent() {
    let world = World::new();
    let key = world.draft();
    let (_, token) = agent(&world);
    let before = world.get("rita", &format!("/changes/{key}")).expect(200);
    let (mut closed, mut through) = (0, Vec::new());
    for route in routes() {
        let is_reading = route.method == "GET" || OPEN.contains(&route.operation) || route.path.contains("/session");
        if is_reading || matches!(route.scope, Scope::Open | Scope::Signed) || !route.path.starts_with("/api/v1/") {
            continue;
        }
        let places = route.path_params();
        let values: Vec<&str> = places.iter().map(|_| key.as_str()).collect();
        let (status, code) = send(&world, &token, (route.method, &route.fill(&values)), &json!({}));
        // A query may come by POST; a route that makes, sets or removes may not be open to it.
        if status < 400 && (route.method, route.status) != ("POST", 200) {
            through.push((route.operation, status));
        }
        closed += usize::from(code == "agent_decides_nothing");
    }
    assert!(through.is_empty(), "{through:?}");
    assert!(closed > 100, "{closed} doors were closed to the agent as such");
    let after = world.get("rita", &format!("/changes/{key}")).expect(200);
    assert_eq!(before, after, "nothing was done to the change");
}

#[test]
fn an_agent_drafts_and_cannot_approve_what_it_drafted() {
    let world = World::new();
    let (_, token) = agent(&world);
    let mut body = World::change_body();
    body["owner"] = json!("oscar");
    let answer = world
        .ask("POST", "/api/v1/changes")
        .header("authorization", &format!("Bearer {token}"))
        .json(&body)
        .send()
        .expect(201);
    assert_eq!(answer["requester"], "agent-walk", "{answer}");
    let path = format!("/api/v1/changes/{}/approvals", answer["key"].as_str().unwrap());
    let yes = json!({"decision": "approve", "content_digest": answer["digests"]["content"]});
    assert_eq!(
        send(&world, &token, ("POST", &path), &yes),
        (403, "agent_decides_nothing".to_owned())
    );
}

#[test]
fn an_agent_that_was_ended_or_whose_sponsor_left_is_out_at_once() {
    let world = World::new();
    let (id, token) = agent(&world);
    let me = ("GET", "/api/v1/me");
    let look = |token: &str| {
        let asked = world
            .ask(me.0, me.1)
            .header("authorization", &format!("Bearer {token}"));
        asked.send().status
    };
    assert_eq!(look(&token), 200);
    let ended = world.as_person("adam", "DELETE", &format!("/agents/{id}")).send();
    assert_eq!(ended.status, 200);
    assert_eq!(look(&token), 401);
}
