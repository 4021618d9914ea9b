//! What a second signature is bound to: when that moves, it ends.

use model::verbs::glass;
use model::words::State;
use serde_json::json;

use crate::world::{World, body, code, facts_but};

fn with_open_glass() -> World {
    let high = json!({"impact": {"availability": "high"}, "complexity": "high"});
    let mut world = World::with(facts_but(high), Vec::new());
    world.break_glass("cora", 60).unwrap();
    world
}

/// Signs as sue for the content with this digest.
fn sign_for(world: &mut World, digest: &str) -> &'static str {
    let words = body(json!({"content_digest": digest}));
    code(world.act("sue", |case| glass::cosign(case, &words)))
}

#[test]
fn an_edit_of_what_a_glass_was_broken_for_ends_it_before_the_second_signature() {
    let mut world = with_open_glass();
    let times = json!({"planned_start": "2026-11-20T11:30:00Z", "planned_end": "2026-11-20T13:30:00Z"});
    world.edit("rita", times).unwrap();
    world.edit("rita", json!({"labels": ["night"]})).unwrap();
    assert!(
        !world.change().break_glass.as_ref().unwrap().ended,
        "what it is for stands"
    );
    let read = world.change().digests.content.clone();
    let other = json!([{"service": "pay", "environment": "production", "artifact": "sha256:ee"}]);
    world.edit("rita", json!({"targets": other})).unwrap();
    assert!(world.change().break_glass.as_ref().unwrap().ended);
    let told = world.letters.last().unwrap();
    assert_eq!((told.to.as_str(), told.topic), ("cora", "break_glass_ended"));
    assert_eq!(code(world.cosign("sue")), "nothing_to_sign");
    assert_eq!(world.state(), State::Draft);
    world.break_glass("cora", 60).unwrap();
    assert_eq!(sign_for(&mut world, &read), "digest_not_current");
    let present = world.change().digests.content.clone();
    assert_eq!(sign_for(&mut world, &present), "done");
    assert_eq!(world.state(), State::Implementing);
}

#[test]
fn an_assessment_that_changes_the_content_ends_a_glass_that_waits() {
    let mut world = with_open_glass();
    world.submit("rita").unwrap();
    world
        .assess("rita", json!({"security": "Nothing is exposed."}))
        .unwrap();
    assert_eq!(code(world.cosign("sue")), "nothing_to_sign");
}

#[test]
fn nobody_signs_for_another_content_than_the_glass_was_broken_for() {
    let mut world = with_open_glass();
    let glass = world.file.change.break_glass.as_mut().unwrap();
    glass.what_digest = Some("sha256:other".into());
    assert_eq!(code(world.cosign("sue")), "content_moved");
    world.break_glass("cora", 60).unwrap();
    let glass = world.file.change.break_glass.as_mut().unwrap();
    glass.what_digest = None;
    world.cosign("sue").unwrap();
    assert_eq!(
        world.state(),
        State::Implementing,
        "one from before the digest was kept"
    );
}
