//! Break-glass has the same duties afterwards as an emergency, and its record names the bypassed checks.

use model::approval::obligation::{Asked, Due, Duty};
use model::core::enums::{Covers, State};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::people::rule;
use crate::world::{World, at, body, code, facts, missing};

fn codes(world: &World) -> Vec<(String, Option<String>)> {
    let glass = world.change().break_glass.as_ref().unwrap();
    let rows = glass.bypassed.iter();
    rows.map(|row| (row.code.clone(), row.rule.clone())).collect()
}

fn validate_glass(world: &mut World, who: &str) -> Result<(), model::core::refusal::Refusal> {
    let words = body(json!({"text": "It had to be done."}));
    world.act(who, |case| model::emergency::break_glass::validate(case, &words))
}

#[test]
fn the_record_names_each_approval_evidence_freeze_and_window() {
    let mut two = rule(Asked::Owner, Covers::What);
    two.count = 2;
    let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(two))]).until_authorizing();
    world.approve("sam").unwrap();
    world.freeze("10:00", "12:00", false);
    world.break_glass("cora", 60).unwrap();
    let row = |code: &str, rule: &str| (code.to_owned(), Some(rule.to_owned()).filter(|rule| !rule.is_empty()));
    assert_eq!(
        codes(&world),
        [
            row("approval_missing", "base.owner"),
            row("approval_missing", "base.manager"),
            row("approval_missing", "base.manager"),
            row("evidence_missing", "base.evidence"),
            row("approval_missing", "own.0"),
            row("freeze", ""),
            row("window_not_open", ""),
        ]
    );
    let glass = world.change().break_glass.as_ref().unwrap();
    assert_eq!(
        glass.bypassed[0].text,
        "The house asks for it. 0 of 1 approvals on what is done had been given."
    );
    assert_eq!(glass.bypassed_approvals(), 1 + 1 + 1 + 2);
    let opened = world
        .events
        .iter()
        .find(|event| event.kind == "break_glass.opened")
        .unwrap();
    let told = opened.data["bypassed"].as_array().unwrap();
    assert!(
        told.contains(&json!("approval_missing: base.owner")) && told.contains(&json!("freeze")),
        "{told:?}"
    );
}

#[test]
fn what_was_met_is_not_bypassed() {
    let mut world = World::new().until_scheduled();
    world.wait_until(at("11:10"));
    world.break_glass("cora", 60).unwrap();
    assert_eq!(codes(&world), []);
}

#[test]
fn a_draft_says_that_nobody_looked_at_it() {
    let mut world = World::new();
    world.break_glass("cora", 60).unwrap();
    let codes: Vec<String> = codes(&world).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes[..2], ["not_submitted", "not_assessed"]);
    assert!(codes.contains(&"window_not_open".to_owned()));
}

#[test]
fn evidence_is_owed_afterwards_also_by_a_standard_change() {
    for mut world in [World::new(), World::standard()] {
        world.break_glass("cora", 60).unwrap();
        world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
        world.validate("tom", "works").unwrap();
        world.review("olga").unwrap();
        validate_glass(&mut world, "mia").unwrap();
        assert!(missing(world.close("olga")).contains(&"evidence_missing".to_owned()));
        world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
        world.close("olga").unwrap();
    }
}

#[test]
fn who_broke_or_signed_the_glass_does_not_say_that_it_works() {
    let mut world = World::new();
    world.break_glass("olga", 60).unwrap();
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    assert_eq!(code(world.validate("olga", "works")), "not_independent");
    world.validate("tom", "works").unwrap();
}

/// For every person and every order: a closed change was validated by another person than those who reviewed and closed it, and
/// has its evidence and its review.
#[test]
fn no_order_lets_one_person_validate_and_close() {
    let people = prop::sample::select(vec!["olga", "mia", "max", "tom", "rita", "ida", "cora"]);
    let orders = prop::collection::vec((0..5_u8, people), 1..24);
    let closed = std::cell::Cell::new(0);
    let try_order = |acts: Vec<(u8, &str)>| {
        let mut world = World::new();
        world.break_glass("cora", 60).unwrap();
        world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
        for (act, who) in acts {
            let _ = match act {
                0 => world.validate(who, "works").map(|_| ()),
                1 => world.review(who),
                2 => world.close(who),
                3 => world.evidence(who, "passed", Some("git:aae5e5e")).map(|_| ()),
                _ => validate_glass(&mut world, who),
            };
        }
        let change = world.change();
        if change.state == State::Closed {
            closed.set(closed.get() + 1);
            let validator = &change.validations.last().unwrap().by;
            prop_assert!(change.closed_by.as_ref() != Some(validator));
            prop_assert!(
                change
                    .reviews
                    .iter()
                    .filter(|it| !it.addendum)
                    .all(|it| &it.by != validator)
            );
            prop_assert!(!world.file.evidence.is_empty() && !change.reviews.is_empty());
            prop_assert!(validator.as_str() != "cora" && validator.as_str() != "ida");
        }
        Ok(())
    };
    let mut runner = TestRunner::new(ProptestConfig::default());
    runner.run(&orders, try_order).unwrap();
    assert!(closed.get() > 0, "none came to its end");
}

/// A reviewer or closer of the work does not validate the break-glass, in any order.
#[test]
fn nobody_validates_a_glass_whose_work_they_review_or_close() {
    let under_glass = || {
        let mut world = World::new();
        world.break_glass("cora", 60).unwrap();
        world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
        world.validate("tom", "works").unwrap();
        world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
        world
    };
    let mut reviewed = under_glass();
    reviewed.review("olga").unwrap();
    let refusal = validate_glass(&mut reviewed, "olga");
    assert_eq!(code(refusal.clone()), "reviewed_it");
    let Err(model::core::refusal::Refusal::NotAllowed { waiting_on, .. }) = refusal else {
        panic!("{refusal:?}");
    };
    assert!(waiting_on.contains(&"mia".to_owned()) && !waiting_on.contains(&"olga".to_owned()));
    let mut validated = under_glass();
    validate_glass(&mut validated, "olga").unwrap();
    assert_eq!(code(validated.review("olga")), "validated_it");
    validated.review("mia").unwrap();
    assert_eq!(code(validated.close("olga")), "validated_it");
    validated.close("mia").unwrap();
}
