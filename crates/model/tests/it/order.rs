//! The order of refusals: 404, then 403, then 422, then 409.

use model::approval::decide;
use model::approval::obligation::{Asked, Due, Duty};
use model::change::around;
use model::change::change_file::Actor;
use model::core::enums::{Covers, State};
use model::gate::permit;
use model::identity::factor::Factor;
use model::schedule::plan;
use serde_json::json;

use crate::people::rule;
use crate::world::{World, body, code, facts, fields, missing};

#[test]
fn who_is_not_asked_hears_so_before_anything_else() {
    let mut world = World::new();
    let wrong = json!({"decision": "perhaps"});
    assert_eq!(
        code(world.act("vera", |case| decide::approve(case, &body(wrong.clone())))),
        "not_asked"
    );
    assert_eq!(
        code(world.act("olga", |case| decide::approve(case, &body(wrong)))),
        "invalid"
    );
    assert_eq!(code(world.approve("olga")), "not_in_state");
    let mut world = World::new().until_authorizing();
    assert_eq!(
        code(world.decide("vera", json!({"decision": "approve", "content_digest": "old"}))),
        "not_asked"
    );
    assert_eq!(
        code(world.decide("olga", json!({"decision": "approve", "content_digest": "old"}))),
        "digest_not_current"
    );
    assert_eq!(code(world.act("rita", decide::acknowledge)), "not_asked");
}

#[test]
fn a_decision_needs_its_digest_and_its_reason() {
    let mut world = World::new().until_authorizing();
    let bare = body(json!({"decision": "reject"}));
    let mut found = fields(world.act("olga", |case| decide::approve(case, &bare)));
    found.sort();
    assert_eq!(
        found,
        [
            ("comment".into(), "missing".into()),
            ("content_digest".into(), "missing".into())
        ]
    );
    let without = json!({"decision": "approve_with_conditions"});
    assert_eq!(
        fields(world.decide("olga", without)),
        [("conditions".into(), "missing".into())]
    );
    let with = json!({"decision": "approve", "conditions": [{"text": "x", "due": "start"}]});
    assert_eq!(
        fields(world.decide("olga", with)),
        [("conditions".into(), "not_allowed".into())]
    );
}

#[test]
fn a_fresh_factor_is_asked_before_the_words_are_read() {
    let mut asks = rule(Asked::Owner, Covers::What);
    asks.step_up = true;
    let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(asks))]).until_authorizing();
    world.by_token = true;
    assert_eq!(
        code(world.decide("olga", json!({"decision": "perhaps"}))),
        "step_up_required"
    );
    assert_eq!(
        code(world.decide("olga", json!({"decision": "return", "comment": "Why?"}))),
        "done"
    );
    assert_eq!(world.state(), State::Draft);
}

/// Somebody in a session who has just shown this factor.
pub fn with_factor(world: &World, who: &str, factor: Factor) -> Actor {
    Actor {
        person: who.into(),
        by_token: false,
        stepped_up_at: Some(world.now),
        method: factor.kind.clone(),
        factor: Some(factor),
        is_system: false,
        lent: None,
        via: None,
    }
}

#[test]
fn a_password_is_no_second_factor_and_the_refusal_says_what_is() {
    let mut asks = rule(Asked::Owner, Covers::What);
    (asks.step_up, asks.second_factor) = (true, true);
    let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(asks))]).until_authorizing();
    let words = body(json!({"decision": "approve", "content_digest": world.change().digests.content}));
    for (factor, says) in [
        (
            Factor::new("password", false),
            "confirm with your authenticator app or a passkey",
        ),
        (
            Factor::new("totp", false),
            "with only your password less than a day ago",
        ),
        (
            Factor::new("provider:corp", false),
            "your identity provider did not report one",
        ),
    ] {
        let olga = with_factor(&world, "olga", factor.clone());
        let refused = world.act_as(olga, |case| decide::approve(case, &words));
        let text = refused.as_ref().unwrap_err().text();
        assert!(text.contains(says), "{factor:?}: {text}");
        assert_eq!(code(refused), "step_up_required");
    }
    // A factor shown too long ago is nothing, of any kind.
    let mut late = with_factor(&world, "olga", Factor::new("passkey", true));
    late.stepped_up_at = Some(world.now - jiff::SignedDuration::from_secs(301));
    assert_eq!(
        code(world.act_as(late, |case| decide::approve(case, &words))),
        "step_up_required"
    );
    let olga = with_factor(&world, "olga", Factor::new("passkey", true));
    assert_eq!(code(world.act_as(olga, |case| decide::approve(case, &words))), "done");
    let kept = world.file.approvals.last().unwrap();
    assert_eq!(
        (kept.stepped_up, &kept.factor),
        (true, &Some(Factor::new("passkey", true)))
    );
}

#[test]
fn refusals_speak_of_rights_then_words_then_time() {
    let mut world = World::new();
    let empty = body(json!({}));
    assert_eq!(code(world.act("vera", |case| plan::hold(case, &empty))), "not_allowed");
    assert_eq!(code(world.act("rita", |case| plan::hold(case, &empty))), "invalid");
    assert_eq!(code(world.act("rita", |case| plan::schedule(case, &empty))), "invalid");
    assert_eq!(code(world.schedule("rita", "14:00", "15:00")), "not_in_state");
    let nowhere = "nowhere".into();
    assert_eq!(
        code(world.act("vera", |case| around::accept_evidence(case, &nowhere, &empty))),
        "not_found"
    );
    assert_eq!(
        code(world.act("vera", |case| around::tick(case, &nowhere, &empty))),
        "not_found"
    );
    assert_eq!(
        code(world.act("vera", |case| permit::revoke(case, &nowhere, &empty))),
        "not_found"
    );
}

#[test]
fn the_difference_is_told_when_the_digest_is_old() {
    let mut world = World::new().until_authorizing();
    let old = world.change().digests.content.clone();
    world.edit("rita", json!({"title": "Ship 2.5"})).unwrap();
    let answer = world.decide("olga", json!({"decision": "approve", "content_digest": old}));
    let text = answer.unwrap_err().text();
    assert!(
        text.contains(&old) && text.contains(&world.change().digests.content),
        "{text}"
    );
}

#[test]
fn everything_missing_is_told_at_once() {
    let mut world = World::with(body(json!({"title": "Only a title"})), Vec::new());
    let rows = missing(world.submit("rita"));
    assert_eq!(rows.len(), 6, "{rows:?}");
    assert!(rows.iter().all(|code| code == "field_missing"));
    let mut world = World::new();
    world
        .edit("rita", json!({"plan": null, "rollback_plan": null}))
        .unwrap();
    world.submit("rita").unwrap();
    let mut rows = missing(world.assess("rita", json!({})));
    rows.sort();
    assert_eq!(rows, ["plan_missing", "rollback_plan_missing"]);
    world
        .edit(
            "rita",
            json!({"plan": [{"title": "Do it"}], "no_rollback_reason": "Data only grows"}),
        )
        .unwrap();
    world.assess("rita", json!({})).unwrap();
    let kept = fields(world.edit("rita", json!({"plan": null, "title": null})));
    assert_eq!(
        kept,
        [("title".into(), "needed".into()), ("plan".into(), "needed".into())]
    );
}
