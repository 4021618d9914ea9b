//! The budget of break-glass: over it the glass opens all the same, in front of more eyes.

use model::obligation::{Due, Duty};
use model::verbs::glass;
use model::words::{Role, State};
use serde_json::json;

use crate::world::{World, at, body, code, facts, facts_but};

fn opened(used: i64, extra: Vec<(Due, Duty)>) -> World {
    let mut world = World::with(facts_but(json!({"team": "Shop"})), extra);
    world.estate(|estate| {
        let roles = &mut estate.people.get_mut(&"sue".into()).unwrap().roles;
        assert!(roles.contains(&Role::Executive));
    });
    let words = body(json!({"reason": "The shop is down", "until": at("11:00").to_string()}));
    world
        .act("cora", |case| glass::break_glass(case, &words, used))
        .unwrap();
    world
}

fn topics_to(world: &World, who: &str) -> Vec<&'static str> {
    let letters = world.letters.iter().filter(|letter| letter.to == who.into());
    letters.map(|letter| letter.topic).collect()
}

#[test]
fn within_the_budget_those_concerned_are_told_and_nobody_above() {
    let world = opened(2, Vec::new());
    assert_eq!(world.state(), State::Implementing);
    for who in ["olga", "sam", "mia", "max", "ida"] {
        assert_eq!(topics_to(&world, who), ["break_glass"], "{who}");
    }
    assert!(topics_to(&world, "sue").is_empty());
    let counted = world.change().break_glass.as_ref().unwrap().counted.as_ref().unwrap();
    assert_eq!((counted.team.as_str(), counted.number, counted.budget), ("Shop", 3, 3));
}

#[test]
fn over_the_budget_it_opens_at_once_and_is_escalated() {
    let mut world = opened(3, Vec::new());
    assert_eq!(world.state(), State::Implementing, "an emergency is never blocked");
    assert_eq!(topics_to(&world, "sue"), ["break_glass_over_budget"]);
    assert!(topics_to(&world, "mia").contains(&"break_glass_over_budget"));
    assert!(world.events.iter().any(|event| event.kind == "break_glass.over_budget"));
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    let words = body(json!({"text": "It was right."}));
    assert_eq!(
        code(world.act("olga", |case| glass::validate(case, &words))),
        "over_budget"
    );
    world.act("mia", |case| glass::validate(case, &words)).unwrap();
}

#[test]
fn a_policy_sets_the_budget_and_the_time_of_its_validation() {
    let stricter = Duty::BreakGlass {
        budget: Some(1),
        validate_within_minutes: Some(60),
    };
    let world = opened(1, vec![(Due::Close, stricter)]);
    let counted = world.change().break_glass.as_ref().unwrap().counted.clone().unwrap();
    assert!(counted.is_over());
    assert_eq!(counted.validate_by, at("12:00"));
}

#[test]
fn a_late_validation_is_told_once_a_day_and_ends_with_it() {
    let mut world = opened(0, Vec::new());
    world.wait_until(at("11:00"));
    let told = |world: &World| {
        let kinds = world
            .events
            .iter()
            .filter(|event| event.kind == "break_glass.unvalidated");
        kinds.count()
    };
    world.wait(24 * 60 - 1);
    assert_eq!(told(&world), 0);
    world.wait(1);
    assert_eq!(told(&world), 1);
    assert!(!topics_to(&world, "sue").contains(&"break_glass_unvalidated"));
    world.wait(24 * 60);
    assert_eq!(told(&world), 2);
    assert!(
        topics_to(&world, "sue").contains(&"break_glass_unvalidated"),
        "the second day goes higher"
    );
    let words = body(json!({"text": "It was right."}));
    assert_eq!(
        code(world.act("cora", |case| glass::validate(case, &words))),
        "own_request"
    );
    world.act("mia", |case| glass::validate(case, &words)).unwrap();
    world.wait(20 * 24 * 60);
    assert_eq!(told(&world), 2);
}

#[test]
fn nobody_is_told_for_ever() {
    let mut world = opened(0, Vec::new());
    for _ in 0..20 {
        world.wait(24 * 60);
    }
    let kinds = world
        .events
        .iter()
        .filter(|event| event.kind == "break_glass.unvalidated");
    assert_eq!(kinds.count(), 7);
}

#[test]
fn whoever_broke_the_glass_does_not_close_the_change() {
    let mut world = World::with(facts(), Vec::new());
    world.break_glass("mia", 30).unwrap();
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    assert_eq!(code(world.close("mia")), "own_request");
    assert_eq!(code(world.close("max")), "closure_refused");
}
