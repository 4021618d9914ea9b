//! The least complexity by facts: nobody talks it down, and each fact is named.

use std::sync::Arc;

use model::change::around;
use model::change::change_file::ChangeFile;
use model::core::enums::{Category, Criticality, Level, RatedFact};
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::directory::snapshot::Directory;
use model::risk::complexity::{is_rehearsed, new_services};
use model::risk::effective::{effective, unaccepted};
use model::risk::forecast::base::{Count, Group};
use model::risk::forecast::model_record::{FailureModel, OfEnvironment};
use model::risk::matrix::matrix;
use serde_json::{Value, json};

use super::{needs, shop};
use crate::people::directory;
use crate::world::{World, body, facts_but};

/// A model that knows an outcome of these services in production.
fn knowing(services: &[&str]) -> FailureModel {
    let mut environment = OfEnvironment {
        environment: "production".to_owned(),
        model: Default::default(),
    };
    let counted = |key: &&str| {
        let count = Count {
            outcomes: 1,
            ..Count::default()
        };
        ((*key).to_owned(), count)
    };
    let counts = services.iter().map(counted).collect();
    environment.model.counts.0.insert(Group::Service, counts);
    FailureModel {
        environments: vec![environment],
        ..FailureModel::fitted(&Default::default(), 0, "2026-11-01T00:00:00Z".parse().unwrap(), None)
    }
}

fn low() -> Value {
    json!({"complexity": "low", "impact": {"data": "none", "availability": "medium", "compliance": "none"}})
}

/// A shop that a medium criticality has, under a model that knows these services.
fn estate(services: &[&str]) -> Directory {
    let mut estate = directory();
    shop(&mut estate).criticality = Criticality::Medium;
    estate.failure_model = Some(Arc::new(knowing(services)));
    estate
}

fn world(services: &[&str]) -> World {
    World::create("rita", facts_but(low()), Vec::new(), estate(services)).unwrap()
}

fn complexity(world: &World) -> Option<Level> {
    effective(&world.file, &world.directory, world.now).complexity
}

fn rehearse(world: &mut World, who: &str, result: &str) {
    let note = json!({
        "kind": "note", "aspect": "rehearsal", "result": result, "text": format!("The way back, by {who}"),
        "artifact": "git:aae5e5e",
    });
    world
        .act(who, |case| {
            around::add_evidence(case, &body(note), crate::world::file())
        })
        .unwrap();
}

#[test]
fn a_first_change_of_a_service_without_a_rehearsal_is_no_easy_one_whatever_it_states() {
    let known = world(&["shop"]);
    assert_eq!(
        complexity(&known),
        Some(Level::Low),
        "one missing rehearsal alone weighs little"
    );
    assert_eq!(known.change().risk.level, Level::Low);
    let first = world(&["ledger"]);
    assert_eq!(complexity(&first), Some(Level::Medium));
    assert_eq!(first.change().risk.level, Level::Medium);
    let reasons = first.change().risk.reasons.join("\n");
    for words in [
        "No outcome of an earlier change of shop is known",
        "No independent person confirmed a rehearsal of the rollback",
        "Together these facts make the complexity medium at least",
    ] {
        assert!(reasons.contains(words), "{words}: {reasons}");
    }
    let lowered: Vec<RatedFact> = first.change().risk.lowered.iter().map(|it| it.fact).collect();
    assert_eq!(lowered, [RatedFact::Complexity]);
    let found = matrix(&first.file, &first.directory, first.now);
    assert_eq!(found.inputs[3].derived, Some(Level::Medium));
    assert_eq!(found.inputs[3].facts.len(), 3, "{:?}", found.inputs[3]);
    let ways: Vec<String> = found
        .ways
        .iter()
        .map(|it| format!("{}: {}", it.text, it.level))
        .collect();
    assert_eq!(
        ways,
        [
            "With a rehearsed rollback: low",
            "Once an outcome of each of its services is known: low",
            "If an approver accepts complexity low: low",
        ],
        "one fact less leads to the cell beside it"
    );
    assert!(found.cells.iter().any(|cell| !cell.is_here && cell.way.is_some()));
}

#[test]
fn what_would_make_many_targets_of_many_teams_easy_is_told() {
    let mut world = world(&["shop"]);
    let target = world.file.change.content.targets[0].clone();
    for number in 0..4 {
        let key = format!("s-{number}");
        world.estate(|estate| {
            let mut service = shop(estate).clone();
            service.key = key.as_str().into();
            service.team = Some(format!("Team {number}"));
            estate.services.insert(service.key.clone(), service);
        });
        let mut more = target.clone();
        more.id = format!("{}", number + 2).as_str().into();
        more.service = key.as_str().into();
        world.file.change.content.targets.push(more);
    }
    // Three points: five targets, four teams at least, and no rehearsal. One less keeps it medium.
    let found = matrix(&world.file, &world.directory, world.now);
    let ways: Vec<&str> = found.ways.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(
        ways,
        [
            "With at most 3 targets of at most 2 teams",
            "If an approver accepts complexity low"
        ]
    );
}

#[test]
fn a_rehearsal_counts_when_somebody_else_shows_it_and_until_one_fails() {
    let mut world = world(&["ledger"]);
    rehearse(&mut world, "rita", "passed");
    assert!(!is_rehearsed(&world.file), "an author vouches for nothing");
    rehearse(&mut world, "tom", "passed");
    assert!(is_rehearsed(&world.file));
    assert_eq!(complexity(&world), Some(Level::Low));
    assert_eq!(
        unaccepted(&world.file.change, &world.directory).complexity,
        Some(Level::Medium),
        "what looks at the change alone believes no rehearsal"
    );
    world.wait(1);
    rehearse(&mut world, "tom", "failed");
    assert!(!is_rehearsed(&world.file));
    assert_eq!(complexity(&world), Some(Level::Medium));
}

#[test]
fn a_service_that_was_new_stays_new_for_the_change_whatever_the_next_model_learned() {
    let mut world = world(&["ledger"]);
    world.estate(|estate| estate.failure_model = Some(Arc::new(knowing(&["shop"]))));
    world.edit("rita", json!({"description": "Said otherwise"})).unwrap();
    assert_eq!(complexity(&world), Some(Level::Medium));
}

#[test]
fn an_outcome_since_the_last_model_makes_a_service_known_and_what_nobody_asked_of_is_not_new_yet() {
    let mut world = world(&["ledger"]);
    world.file.change.new_services.clear();
    let place: (ServiceKey, EnvironmentKey) = ("shop".into(), "production".into());
    let found = |file: &ChangeFile| -> Vec<String> {
        let services = new_services(file, &world.directory).into_iter();
        services.map(|service| service.0).collect()
    };
    let told = |known: Option<bool>| {
        let mut file = world.file.clone();
        file.known_outcomes = Some(known.map(|is_known| (place.clone(), is_known)).into_iter().collect());
        found(&file)
    };
    assert!(told(Some(true)).is_empty());
    assert_eq!(told(Some(false)), ["shop"]);
    assert!(
        told(None).is_empty(),
        "an edit added it: the store is asked when it is loaded again"
    );
    assert_eq!(found(&world.file), ["shop"], "the model alone");
}

#[test]
fn more_targets_and_teams_make_a_change_harder_and_never_easier() {
    let mut world = world(&["shop"]);
    let target = world.file.change.content.targets[0].clone();
    let mut before = Some(Level::None);
    for number in 0..12 {
        let key = format!("s-{number}");
        world.estate(|estate| {
            let mut service = shop(estate).clone();
            service.key = key.as_str().into();
            service.team = Some(format!("Team {number}"));
            estate.services.insert(service.key.clone(), service);
        });
        let mut more = target.clone();
        more.id = format!("{}", number + 2).as_str().into();
        more.service = key.as_str().into();
        world.file.change.content.targets.push(more);
        let found = unaccepted(&world.file.change, &world.directory).complexity;
        assert!(found >= before, "{number}: {found:?}");
        before = found;
    }
    assert_eq!(before, Some(Level::High));
}

#[test]
fn the_size_of_a_build_counts_as_far_as_pushes_tell_it_also_when_they_come_late() {
    let mut world = world(&["shop"]);
    world.settle();
    assert_eq!(
        (world.change().changed_files, complexity(&world)),
        (None, Some(Level::Low))
    );
    world.file.committers.files = 60;
    let settle = |world: &mut World| {
        let settled = world.act("system", |case| {
            model::change::settle::settle(case);
            Ok(())
        });
        settled.unwrap();
    };
    settle(&mut world);
    assert_eq!(
        (world.change().changed_files, complexity(&world)),
        (Some(60), Some(Level::Medium))
    );
    assert_eq!(world.change().risk.level, Level::Medium);
    let reasons = world.change().risk.reasons.join("\n");
    assert!(reasons.contains("Its builds change 60 files"), "{reasons}");
    world.file.committers.files = 600;
    settle(&mut world);
    assert_eq!(complexity(&world), Some(Level::Medium), "three points are no four");
}

#[test]
fn the_source_of_a_value_names_the_way_through_the_graph() {
    let mut estate = directory();
    shop(&mut estate).criticality = Criticality::Low;
    let mut till = shop(&mut estate).clone();
    till.key = "till".into();
    till.criticality = Criticality::Critical;
    estate.services.insert("till".into(), till);
    estate.dependencies = vec![needs("till", "shop")].into();
    let world = World::create("rita", facts_but(low()), Vec::new(), estate).unwrap();
    let found = matrix(&world.file, &world.directory, world.now);
    let input = &found.inputs[1];
    assert_eq!(input.derived, Some(Level::High));
    let source = input.source.as_ref().unwrap();
    assert_eq!(source.told(), "shop → till: criticality critical");
    assert_eq!(found.inputs[0].source, None, "nothing says anything of data");
}

#[test]
fn the_least_complexity_of_a_category_holds_for_its_work_alone() {
    let mut world = world(&["shop"]);
    world.estate(|estate| {
        let tenant = estate.tenant.as_mut().unwrap();
        tenant.risk_terms.categories.insert(Category::Network, Level::Medium);
    });
    world.edit("rita", json!({"category": "application"})).unwrap();
    assert_eq!(complexity(&world), Some(Level::Low));
    world.edit("rita", json!({"category": "network"})).unwrap();
    assert_eq!(complexity(&world), Some(Level::Medium));
    let found = matrix(&world.file, &world.directory, world.now);
    let source = found.inputs[3].source.as_ref().map(|it| it.told());
    assert_eq!(source.as_deref(), Some("category network"));
}
