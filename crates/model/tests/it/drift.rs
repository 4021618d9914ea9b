//! Drift against whole changes: the explanation of a difference, and the change that carries a decision about one.

use std::slice;

use jiff::Timestamp;
use model::core::enums::DriftOutcome;
use model::incident::drift::matching::{self, Place, Span};
use serde_json::json;

use crate::world::{World, at, facts_but};

#[test]
fn a_change_whose_work_ended_before_the_difference_carries_no_decision_about_it() {
    let urgent = json!({"kind": "emergency", "incident": "INC-1"});
    let mut world = World::with(facts_but(urgent), Vec::new());
    let carries = |world: &World, since: Timestamp| {
        let place = (&"shop".into(), &"production".into());
        matching::carries(world.change(), DriftOutcome::AcceptAsEmergency, place, since)
    };
    assert!(carries(&world, at("12:00")), "its work lies ahead");
    world.wait_until(at("11:10"));
    world.break_glass("cora", 60).unwrap();
    assert!(carries(&world, at("12:00")), "its work goes on");
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    assert!(carries(&world, at("11:00")));
    assert!(!carries(&world, at("11:30")));
}

#[test]
fn a_permit_for_one_config_item_explains_no_drift_of_another() {
    let mut world = World::new().until_implementing();
    let mut permit = world.collect("ida", "git:aae5e5e").unwrap();
    permit.used_at = Some(world.now);
    world.file.change.content.targets[0].config_items = vec!["queue".to_owned()];
    let found = |item: &str| {
        let place = Place {
            service: "shop".into(),
            environment: "production".into(),
            config_item: Some(item.to_owned()),
            rule: "r".into(),
        };
        let work = (slice::from_ref(world.change()), slice::from_ref(&permit));
        matching::explain(&place, None, Span::of_event(world.now), work, world.now)
    };
    assert!(found("queue").is_some_and(|it| it.permit.is_some()));
    assert_eq!(found("cache"), None);
}
