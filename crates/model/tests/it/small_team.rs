//! An outside review that expires, and rules that require a function or a training.

use model::approval::obligation::{Asked, Due, Duty};
use model::cab::training::Training;
use model::core::enums::{Covers, GateDecision, State};
use model::emergency::outside_look::OutsideLook;

use crate::people::rule;
use crate::world::{World, at, code, facts, missing};

fn look(at: jiff::Timestamp) -> OutsideLook {
    OutsideLook {
        id: "l1".into(),
        version: 1,
        group: "security".into(),
        by: "sue".into(),
        at,
        text: "Each was approved by the other.".into(),
        changes: Vec::new(),
    }
}

#[test]
fn nothing_starts_without_a_fresh_look_from_outside() {
    let asks = Duty::OutsideLook {
        from: "security".into(),
        within_minutes: 70,
    };
    let mut world = World::with(facts(), vec![(Due::Start, asks)]).until_scheduled();
    assert_eq!(world.state(), State::Scheduled, "it holds the start alone");
    world.wait_until(at("11:05"));
    assert_eq!(world.gate("git:aae5e5e").reasons[0].code, "outside_look_missing");
    assert_eq!(world.gate("git:aae5e5e").reasons[0].waiting_on, ["sam", "sue"]);
    assert_eq!(missing(world.start("ida")), ["outside_look_missing"]);
    world.estate(|estate| estate.outside_looks.push(look(at("10:30"))));
    world.settle();
    let answer = world.gate("git:aae5e5e");
    assert_eq!(
        (answer.decision, answer.next_transition_at),
        (GateDecision::Go, Some(at("11:40")))
    );
    world.wait_until(at("11:40"));
    assert_eq!(world.gate("git:aae5e5e").reasons[0].code, "outside_look_missing");
}

fn trained(who: &str, ends_at: jiff::Timestamp) -> Training {
    Training {
        id: who.into(),
        version: 1,
        person: who.into(),
        training: "pci_dss".into(),
        starts_at: at("10:00"),
        ends_at,
        recorded_at: None,
        evidence_note: None,
    }
}

#[test]
fn a_rule_asks_only_those_whose_training_is_valid() {
    let mut asks = rule(Asked::ChangeManager, Covers::What);
    asks.training = Some("pci_dss".into());
    let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(asks))]).until_authorizing();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Authorizing, "mia manages, but is not trained");
    assert!(world.unmet().contains(&"cannot_be_met".to_owned()));
    world.estate(|estate| estate.trainings = vec![trained("max", at("10:20")), trained("mia", at("10:40"))].into());
    world.settle();
    world.wait_until(at("10:30"));
    world.approve("max").unwrap();
    assert_eq!(world.state(), State::Authorizing, "the training of max is over");
    world.approve("mia").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    world.wait_until(at("10:50"));
    assert_eq!(world.state(), State::Scheduled, "a decision that was lawful stands");
}

#[test]
fn a_rule_asks_only_those_with_the_job_function() {
    let mut asks = rule(Asked::ChangeManager, Covers::What);
    asks.function = Some("dba".into());
    let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(asks))]).until_authorizing();
    world.estate(|estate| {
        let functions = &mut estate.people.get_mut(&"max".into()).unwrap().functions;
        functions.insert("dba".into());
    });
    world.settle();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Authorizing);
    world.approve("max").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    assert_eq!(code(world.approve("vera")), "not_asked");
}
