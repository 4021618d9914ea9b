//! A freeze of one target names that target and leaves the others free; one with its dependants reaches those as well.

use model::core::enums::{DependencyKind, FreezeReach, GateDecision, NodeKind, State};
use model::directory::snapshot::{Dependency, Freeze};
use model::gate::answer::{decide, rows};
use serde_json::json;

use crate::world::{World, at, facts_but};

fn frozen(service: &str, reach: FreezeReach) -> Freeze {
    Freeze {
        id: "f1".into(),
        version: 1,
        title: "Stocktaking".into(),
        reason: None,
        starts_at: at("11:00"),
        ends_at: at("12:30"),
        services: [service.into()].into(),
        environments: Default::default(),
        halt: false,
        reach,
        exceptions: Vec::new(),
        ended: false,
        corrected_at: None,
        loosening: None,
        loosened: Vec::new(),
        set_by: None,
        set_at: None,
        repeat: Default::default(),
        course: Default::default(),
    }
}

/// A scheduled change of two services, with the freeze set before its window.
fn world(freeze: Freeze) -> World {
    let targets = json!([
        {"service": "shop", "environment": "production", "artifact": "git:aae5e5e"},
        {"service": "pay", "environment": "production", "artifact": "git:bbe5e5e"},
    ]);
    let mut world = World::with(facts_but(json!({"targets": targets})), Vec::new()).until_scheduled();
    world.evidence("pip", "passed", Some("git:bbe5e5e")).unwrap();
    world.estate(|estate| estate.freezes.push(freeze));
    world.settle();
    world
}

fn answer(world: &World, service: &str) -> (GateDecision, String) {
    let rows = rows(&world.file, &world.directory, world.now);
    let own: Vec<_> = rows.iter().filter(|row| row.service.as_str() == service).collect();
    let answer = decide(own, None, world.now);
    let text = answer.reasons.first().map(|row| format!("{}: {}", row.code, row.text));
    (answer.decision, text.unwrap_or_default())
}

#[test]
fn a_freeze_of_one_target_names_it_and_leaves_the_other_free() {
    let mut world = world(frozen("pay", FreezeReach::None));
    assert_eq!(world.state(), State::Scheduled);
    world.wait_until(at("11:10"));
    let (decision, text) = answer(&world, "pay");
    assert_eq!(decision, GateDecision::Stop);
    assert!(
        text.contains("freeze: ") && text.contains("target 2 (pay in production)"),
        "{text}"
    );
    assert_eq!(answer(&world, "shop").0, GateDecision::Go);
    // Work that began by the free target is no way past the freeze for the other one.
    world.collect("pip", "git:aae5e5e").unwrap();
    assert_eq!(world.state(), State::Implementing);
    assert_eq!(answer(&world, "pay").0, GateDecision::Stop);
    assert!(world.collect_for("pip", "pay", "git:bbe5e5e").is_err());
    world.wait_until(at("12:31"));
    assert_eq!(answer(&world, "pay").0, GateDecision::Go);
}

#[test]
fn what_went_out_before_a_freeze_goes_on_in_it() {
    let mut world = world(Freeze {
        starts_at: at("11:30"),
        ..frozen("pay", FreezeReach::None)
    });
    world.estate(|estate| estate.freezes = Vec::new().into());
    world.settle();
    world.wait_until(at("11:10"));
    world.collect_for("pip", "pay", "git:bbe5e5e").unwrap();
    world.estate(|estate| {
        estate.freezes.push(Freeze {
            starts_at: at("11:30"),
            ..frozen("pay", FreezeReach::None)
        })
    });
    world.settle();
    world.wait_until(at("11:40"));
    assert_eq!(answer(&world, "pay").0, GateDecision::Go);
}

#[test]
fn freezes_of_all_targets_stop_the_change() {
    let mut both = frozen("pay", FreezeReach::None);
    both.services.insert("shop".into());
    let world = world(both);
    assert_eq!(world.state(), State::Approved);
    assert!(world.unmet().contains(&"freeze".to_owned()), "{:?}", world.unmet());
}

#[test]
fn a_freeze_reaches_what_needs_its_services_only_where_it_says_so() {
    for (reach, decision) in [
        (FreezeReach::None, GateDecision::Go),
        (FreezeReach::Dependants, GateDecision::Stop),
    ] {
        let mut world = World::new().until_scheduled();
        let arrow = |id: &str, from: (NodeKind, &str), to: (NodeKind, &str), kind| Dependency {
            id: id.into(),
            version: 1,
            from: from.1.into(),
            from_kind: from.0,
            to: to.1.into(),
            to_kind: to.0,
            kind,
            environments: Default::default(),
            ended: false,
        };
        world.estate(|estate| {
            let (shop, item, ledger) = (
                (NodeKind::Service, "shop"),
                (NodeKind::ConfigItem, "queue"),
                (NodeKind::Service, "ledger"),
            );
            // The shop needs a queue that runs on the ledger.
            estate.dependencies = vec![
                arrow("d1", shop, item, DependencyKind::DependsOn),
                arrow("d2", item, ledger, DependencyKind::RunsOn),
            ]
            .into();
            estate.freezes.push(frozen("ledger", reach));
        });
        world.settle();
        world.wait_until(at("11:10"));
        assert_eq!(world.gate("git:aae5e5e").decision, decision, "{reach}");
        // An arrow that ends frees the services that it reached.
        world.estate(|estate| estate.dependencies = Vec::new().into());
        world.settle();
        assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go, "{reach}");
    }
}
