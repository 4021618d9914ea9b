//! The first target that starts begins its change; the start of each other one is judged in full all the same.

use model::approval::obligation::{Asked, Due, Duty};
use model::change::ready_spans;
use model::core::enums::{Covers, GateDecision, State};
use model::core::ids::TargetId;
use model::gate::answer::{decide, rows};
use serde_json::json;

use crate::people::rule;
use crate::world::{World, at, body, facts_but};

/// A change of two targets of which the first has begun, by a permit.
fn begun() -> World {
    begun_with(json!({}))
}

fn begun_with(more: serde_json::Value) -> World {
    let targets = json!([
        {"service": "shop", "environment": "production", "artifact": "git:aae5e5e"},
        {"service": "pay", "environment": "production", "artifact": "git:bbe5e5e"},
    ]);
    let mut facts = facts_but(json!({"targets": targets}));
    facts.extend(body(more));
    let mut world = World::with(facts, Vec::new()).until_scheduled();
    world.evidence("pip", "passed", Some("git:bbe5e5e")).unwrap();
    world.wait_until(at("11:10"));
    world.collect("pip", "git:aae5e5e").unwrap();
    assert_eq!(world.state(), State::Implementing);
    world
}

fn codes(world: &World, service: &str) -> Vec<String> {
    let rows = rows(&world.file, &world.directory, world.now);
    let own: Vec<_> = rows.iter().filter(|row| row.service.as_str() == service).collect();
    let answer = decide(own, None, world.now);
    answer.reasons.into_iter().map(|row| row.code).collect()
}

fn may_go_on(world: &World) -> bool {
    let target = TargetId::from("2");
    world.look(|case| ready_spans::may_go_on(case, &target, case.now))
}

#[test]
fn another_target_goes_while_nothing_is_against_it() {
    let mut world = begun();
    assert_eq!(codes(&world, "pay"), Vec::<String>::new());
    assert!(may_go_on(&world));
    world.collect_for("pip", "pay", "git:bbe5e5e").unwrap();
}

/// As where the risk rises: the rules require more approvals than were given.
#[test]
fn what_the_rules_ask_after_the_first_start_stops_the_second_and_not_the_first() {
    let mut world = begun();
    let mut asks = rule(Asked::Security, Covers::What);
    asks.count = 2;
    world.extra = vec![(Due::Approval, Duty::Approval(asks))];
    world.settle();
    world.wait(1);
    assert!(!codes(&world, "pay").is_empty());
    assert!(!may_go_on(&world), "nor by a delivery");
    assert!(codes(&world, "shop").is_empty(), "what has begun goes on");
}

#[test]
fn failed_evidence_a_freeze_and_a_rejection_elsewhere_stop_the_second() {
    let mut failed = begun();
    failed.evidence("pip", "failed", Some("git:bbe5e5e")).unwrap();
    assert_eq!(codes(&failed, "pay"), ["evidence_missing"]);
    assert!(!may_go_on(&failed));

    let mut frozen = begun();
    frozen.freeze("11:15", "11:40", false);
    frozen.wait_until(at("11:20"));
    assert_eq!(codes(&frozen, "pay"), ["freeze"]);
    assert!(!may_go_on(&frozen) && codes(&frozen, "shop").is_empty());
    frozen.wait_until(at("11:41"));
    assert!(codes(&frozen, "pay").is_empty() && may_go_on(&frozen));
}

/// An approval that nobody can give any more while work is under way names the act that ends the work.
#[test]
fn a_rule_that_comes_later_stops_the_second_and_somebody_is_named() {
    let mut world = begun();
    let mut asks = rule(Asked::ChangeManager, Covers::What);
    asks.count = 2;
    world.extra = vec![(Due::Approval, Duty::Approval(asks))];
    world.settle();
    let rows = rows(&world.file, &world.directory, world.now);
    let own: Vec<_> = rows.iter().filter(|row| row.service.as_str() == "pay").collect();
    let answer = decide(own, None, world.now);
    assert_eq!(answer.decision, GateDecision::Stop);
    assert!(!answer.reasons.is_empty());
    for row in &answer.reasons {
        assert!(!row.waiting_on.is_empty(), "{row:?}");
        assert!(row.satisfy.contains("not_implemented"), "{row:?}");
    }
    let helper = answer.reasons[0].waiting_on[0].clone();
    let words = body(json!({"outcome": "not_implemented", "target": "2"}));
    world
        .act(&helper, |case| model::change::work::complete(case, &words, &[]))
        .unwrap();
}

#[test]
fn what_has_begun_is_judged_no_more() {
    let mut world = begun();
    world.collect_for("pip", "pay", "git:bbe5e5e").unwrap();
    world.evidence("pip", "failed", Some("git:bbe5e5e")).unwrap();
    world.freeze("11:15", "11:40", false);
    world.wait_until(at("11:20"));
    assert!(codes(&world, "pay").is_empty());
}

#[test]
fn a_pipeline_that_names_no_target_ends_only_those_whose_permit_it_collected() {
    let mut world = begun_with(json!({"implementers": ["ida", "pip"]}));
    world.by_token = true;
    let refused = world.complete("pip", json!({"outcome": "succeeded"})).unwrap_err();
    assert_eq!(refused.code(), "not_collected");
    let text = refused.text();
    assert!(
        text.contains("2 (pay in production)") && !text.contains("shop"),
        "{text}"
    );
    world
        .complete("pip", json!({"outcome": "succeeded", "target": "1"}))
        .unwrap();
    assert!(world.complete("pip", json!({"outcome": "succeeded"})).is_err());
    assert_eq!(world.state(), State::Implementing, "the other one stays open");
    world.collect_for("pip", "pay", "git:bbe5e5e").unwrap();
    world.complete("pip", json!({"outcome": "succeeded"})).unwrap();
    assert_eq!(world.state(), State::Reviewing);
}
