//! A normal change from draft to closed, by HTTP alone.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use serde_json::json;

use crate::world::{ARTIFACT, World};

#[test]
fn a_change_walks_from_draft_to_closed() {
    let world = World::new();
    let key = world.draft();
    let made = world.get("rita", &format!("/changes/{key}"));
    let change = made.expect(200);
    assert_eq!(change["state"], "draft");
    assert_eq!(change["requester"], "rita");
    assert_eq!(change["risk"]["level"], "low");
    assert_eq!(made.header("etag"), format!("\"{}\"", change["version"]));
    assert_eq!(change["targets"][0]["id"], "1");
    assert_eq!(change["targets"][0]["state"], "open");
    world.schedule(&key);
    let change = world.get("rita", &format!("/changes/{key}")).expect(200);
    assert_eq!(
        change["state"],
        "scheduled",
        "{}",
        world.get("rita", &format!("/changes/{key}/requirements")).json()
    );
    let path = |act: &str| format!("/changes/{key}{act}");
    assert_eq!(
        world.post("ivan", &path("/implementation"), &json!({})).expect(201)["state"],
        "implementing"
    );
    let entry = world
        .post(
            "ivan",
            &path("/implementation/entries"),
            &json!({"text": "Deployed.", "kind": "step"}),
        )
        .expect(201);
    assert_eq!(entry["change_state"], "implementing");
    assert_eq!(entry["by"], "ivan");
    let done = world
        .post("ivan", &path("/completion"), &json!({"outcome": "succeeded"}))
        .expect(201);
    assert_eq!(done["state"], "reviewing");
    assert_eq!(done["outcome"], "succeeded");
    assert_eq!(done["targets"][0]["state"], "done");
    world
        .post(
            "oscar",
            &path("/validation"),
            &json!({"result": "works", "text": "Looked."}),
        )
        .expect(201);
    let review =
        json!({"objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "Fine."});
    world.post("oscar", &path("/review"), &review).expect(201);
    let closed = world.post("oscar", &path("/closure"), &json!({})).expect(201);
    assert_eq!(closed["state"], "closed");
    let events = world.get("aino", &path("/events")).expect(200);
    assert!(events["items"].as_array().unwrap().len() > 8);
    assert_eq!(events["items"][0]["actor"], "rita");
}

#[test]
fn lists_are_paged_and_filtered() {
    let world = World::new();
    let keys: Vec<String> = (0..3).map(|_| world.draft()).collect();
    let page = world.get("rita", "/changes?limit=2&state=draft");
    let body = page.expect(200);
    assert_eq!(body["items"].as_array().unwrap().len(), 2);
    assert_eq!(body["items"][0]["key"], json!(keys[2]));
    let next = page
        .header("link")
        .trim_start_matches("</api/v1")
        .split('>')
        .next()
        .unwrap()
        .to_owned();
    let rest = world.get("rita", &next).expect(200);
    assert_eq!(rest["items"][0]["key"], json!(keys[0]));
    assert!(rest["next"].is_null());
    let none = world.get("rita", "/changes?requester=nobody").expect(200);
    assert!(none["items"].as_array().unwrap().is_empty());
    assert_eq!(
        world.get("rita", "/changes?q=booking&service=booking-api").expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    world.get("rita", "/changes?limit=0").problem(422, "invalid");
    world.get("rita", "/changes?planned_from=soon").problem(422, "invalid");
}

#[test]
fn an_artifact_is_named_in_the_target() {
    let world = World::new();
    let key = world.draft();
    let change = world.get("rita", &format!("/changes/{key}")).expect(200);
    assert_eq!(change["targets"][0]["artifact"], ARTIFACT);
    assert_eq!(change["origins"]["owner"], "derived");
}

#[test]
fn a_change_is_found_by_the_artifact_and_the_commit_that_it_brought() {
    const COMMIT: &str = "9fceb02d0ae598e95dc970b74767f19372d61af8";
    let world = World::new();
    let other = world.draft();
    let mut body = World::change_body();
    body["artifact"] = serde_json::Value::Null;
    body["commit"] = json!(COMMIT);
    let made = world.post("rita", "/changes", &body).expect(201);
    let found = |filter: &str| -> Vec<String> {
        let told = world.get("rita", &format!("/changes?{filter}")).expect(200);
        let items = told["items"].as_array().unwrap().iter();
        items.map(|it| it["key"].as_str().unwrap().to_owned()).collect()
    };
    let key = made["key"].as_str().unwrap();
    // People know a commit by how it begins, and write digits as they like.
    for commit in [COMMIT, &COMMIT[..7], &COMMIT.to_uppercase()[..12]] {
        assert_eq!(found(&format!("commit={commit}")), [key], "{commit}");
    }
    for artifact in [ARTIFACT, &ARTIFACT.to_uppercase()] {
        assert_eq!(
            found(&format!("artifact={artifact}&service=booking-api")),
            [other.as_str()]
        );
    }
    assert!(found(&format!("artifact={ARTIFACT}&state=closed")).is_empty());
    assert!(
        found(&format!("artifact={ARTIFACT}&commit={COMMIT}")).is_empty(),
        "no target has both"
    );
    assert!(found("commit=9fceb02d0ae598e95dc970b74767f19372d61af9").is_empty());
    for wrong in ["9fceb0", "release-4.2"] {
        world
            .get("rita", &format!("/changes?commit={wrong}"))
            .problem(422, "invalid");
    }
}
