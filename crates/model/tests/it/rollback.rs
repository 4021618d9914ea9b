//! Rollbacks: to the version that ran when work began or to a build with passed evidence, and the rest that a failed rollback
//! leaves open.

use model::cab::duty_rota::DutyRota;
use model::cab::meeting::OnCall;
use model::core::enums::{GateDecision, Outcome, State};
use model::core::refusal::Refusal;
use model::gate::running::Running;
use serde_json::json;

use crate::world::{World, at, facts_but};

/// The recorded version at the shop's place.
fn runs(world: &mut World, artifacts: &[&str]) {
    let target = world.change().content.targets[0].clone();
    world.file.present.rows = artifacts
        .iter()
        .map(|artifact| Running {
            id: format!("r-{artifact}").as_str().into(),
            version: 1,
            service: target.service.clone(),
            environment: target.environment.clone(),
            config_items: Vec::new(),
            artifact: (*artifact).to_owned(),
            change: "c0".into(),
            change_key: "CHG-0".to_owned(),
            target: "1".into(),
            since: world.now,
            until: None,
            ended_by: None,
            ended_target: None,
        })
        .collect();
}

/// Under way while these ran.
fn begun_while(artifacts: &[&str]) -> World {
    let mut world = World::new().until_scheduled();
    runs(&mut world, artifacts);
    world.wait_until(at("11:10"));
    world.start("ida").unwrap();
    world
}

fn back(world: &World) -> (GateDecision, Vec<String>) {
    let answer = world.gate("git:00e5e5e");
    let codes = answer.reasons.iter().map(|row| row.code.clone()).collect();
    for row in &answer.reasons {
        assert!(!row.waiting_on.is_empty() && !row.satisfy.is_empty(), "{row:?}");
    }
    (answer.decision, codes)
}

#[test]
fn a_way_back_leads_to_what_ran_when_work_began() {
    assert_eq!(back(&begun_while(&["git:00e5e5e"])).0, GateDecision::Go);
    assert_eq!(back(&begun_while(&["git:11e5e5e", "git:00e5e5e"])).0, GateDecision::Go);
    // Where nothing is recorded, the approved target alone names the rollback's target.
    assert_eq!(back(&begun_while(&[])).0, GateDecision::Go);
    let closed = begun_while(&["git:11e5e5e"]);
    assert_eq!(
        back(&closed),
        (GateDecision::Stop, vec!["rollback_unproven".to_owned()])
    );
}

#[test]
fn what_is_recorded_after_the_start_binds_nothing() {
    let mut world = begun_while(&["git:11e5e5e"]);
    runs(&mut world, &["git:00e5e5e"]);
    world.settle();
    assert_eq!(back(&world).0, GateDecision::Stop);
    let mut world = begun_while(&["git:00e5e5e"]);
    runs(&mut world, &["git:11e5e5e"]);
    world.settle();
    assert_eq!(back(&world).0, GateDecision::Go);
}

#[test]
fn a_build_with_passed_evidence_may_be_gone_back_to_until_it_fails() {
    let mut world = begun_while(&["git:11e5e5e"]);
    world.evidence("pip", "informational", Some("git:00e5e5e")).unwrap();
    assert_eq!(back(&world).0, GateDecision::Stop);
    world.evidence("pip", "passed", Some("git:00e5e5e")).unwrap();
    assert_eq!(back(&world).0, GateDecision::Go);
    world.evidence("pip", "failed", Some("git:00e5e5e")).unwrap();
    assert_eq!(back(&world).0, GateDecision::Stop);
    world.complete("ida", json!({"outcome": "failed"})).unwrap();
    assert_eq!(back(&world).0, GateDecision::Stop, "an outcome proves nothing");
}

#[test]
fn where_nothing_was_deployed_there_is_no_way_back() {
    let mut world = begun_while(&["git:00e5e5e"]);
    let permit = world.collect("ida", "git:00e5e5e").unwrap();
    world.complete("ida", json!({"outcome": "not_implemented"})).unwrap();
    assert_eq!(back(&world), (GateDecision::Stop, vec!["nothing_deployed".to_owned()]));
    assert!(
        world.live_permits().iter().all(|it| it.id != permit.id),
        "its permit is gone too"
    );
    world
        .complete("ida", json!({"outcome": "failed", "reason": "Half of it was out"}))
        .unwrap();
    assert_eq!(back(&world).0, GateDecision::Go, "the true outcome opens it again");
}

#[test]
fn a_failed_rollback_reaches_the_person_on_duty_of_the_service_s_team() {
    let mut world = begun_while(&["git:00e5e5e"]);
    let starts_at = world.now;
    world.estate(|estate| {
        for service in estate.services.values_mut() {
            service.team = Some("security".to_owned());
        }
        estate.duty_rotas.push(DutyRota {
            id: "r1".into(),
            version: 1,
            group: "security".into(),
            people: vec!["sam".into(), "sue".into()],
            starts_at,
            time_zone: "UTC".to_owned(),
            turn_days: 7,
            active: true,
        });
    });
    world.letters.clear();
    world.complete("ida", json!({"outcome": "rollback_failed"})).unwrap();
    let letters = world.letters.iter().filter(|letter| letter.topic == "went_wrong");
    let told: Vec<&str> = letters.map(|letter| letter.to.as_str()).collect();
    assert!(told.contains(&"sam") && !told.contains(&"sue"), "{told:?}");
}

#[test]
fn a_failed_rollback_keeps_the_target_open_and_tells_who_can_act() {
    let mut world = begun_while(&["git:00e5e5e"]);
    let (now, until) = (world.now, at("23:00"));
    world.estate(|estate| {
        estate.on_call.push(OnCall {
            id: "o1".into(),
            version: 1,
            group: "ecab".into(),
            person: "cora".into(),
            starts_at: now,
            ends_at: until,
            corrected_at: None,
            imported: false,
        });
    });
    world.letters.clear();
    world.complete("ida", json!({"outcome": "rollback_failed"})).unwrap();
    assert_eq!(world.state(), State::Implementing, "the target is open");
    assert_eq!(world.change().outcome, Some(Outcome::RollbackFailed));
    let told = |topic: &str| {
        let rows = world.letters.iter().filter(|letter| letter.topic == topic);
        let mut people: Vec<&str> = rows.map(|letter| letter.to.as_str()).collect();
        people.sort_unstable();
        people
    };
    assert_eq!(told("went_wrong"), ["cora", "max", "mia", "rita"]);
    assert_eq!(told("review_due"), ["max", "mia", "rita"]);
    assert_eq!(back(&world).0, GateDecision::Go, "for a further rollback");
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go, "for a repair");
    assert!(
        world.unmet().contains(&"rollback_failed".to_owned()),
        "{:?}",
        world.unmet()
    );
    // The next attempt needs no reason: nothing is revised.
    world.complete("ida", json!({"outcome": "rolled_back"})).unwrap();
    assert_eq!(world.state(), State::Reviewing);
    let record = &world.change().target_records[0];
    assert_eq!(record.earlier[0].outcome, Outcome::RollbackFailed);
}

#[test]
fn a_rollback_that_fails_after_a_success_bars_the_closing() {
    let mut world = begun_while(&["git:00e5e5e"]);
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    world.validate("tom", "works").unwrap();
    world.review("olga").unwrap();
    world
        .complete(
            "ida",
            json!({"outcome": "rollback_failed", "reason": "The old one does not start"}),
        )
        .unwrap();
    let Err(Refusal::NotNow { unmet, .. }) = world.close("olga") else {
        panic!("it stays open");
    };
    assert!(unmet.iter().any(|row| row.code == "rollback_failed"), "{unmet:?}");
    assert_eq!(back(&world).0, GateDecision::Go);
}

#[test]
fn a_standard_change_whose_rollback_failed_once_needs_its_review() {
    let mut world = World::standard();
    world.submit("rita").unwrap();
    world.wait_until(at("11:10"));
    world.start("ida").unwrap();
    world.complete("ida", json!({"outcome": "rollback_failed"})).unwrap();
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    assert!(
        world.unmet().contains(&"review_missing".to_owned()),
        "{:?}",
        world.unmet()
    );
}

#[test]
fn of_several_targets_the_failed_rollback_stays_open_alone() {
    let targets = json!({"targets": [
        {"service": "shop", "environment": "production", "artifact": "git:aae5e5e", "rollback_to": "git:00e5e5e"},
        {"service": "pay", "environment": "production", "artifact": "git:bbe5e5e", "rollback_to": "git:11e5e5e"},
    ]});
    let mut world = World::with(facts_but(targets), Vec::new()).until_authorizing();
    for artifact in ["git:aae5e5e", "git:bbe5e5e"] {
        world.evidence("pip", "passed", Some(artifact)).unwrap();
    }
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    world.wait_until(at("11:10"));
    world.start("ida").unwrap();
    world
        .complete("ida", json!({"target": "1", "outcome": "rollback_failed"}))
        .unwrap();
    world
        .complete("ida", json!({"target": "2", "outcome": "failed"}))
        .unwrap();
    assert_eq!(
        world.change().outcome,
        Some(Outcome::RollbackFailed),
        "the worst of them"
    );
    assert_eq!(world.state(), State::Implementing);
    assert_eq!(world.change().open_targets().count(), 1);
}

/// A rollback by a permit counts as one, whatever outcome is stated afterwards.
#[test]
fn a_way_back_that_was_taken_by_a_permit_is_no_success() {
    let mut world = crate::world::World::new().until_scheduled();
    world.wait_until(crate::world::at("11:10"));
    world.collect("pip", "git:aae5e5e").unwrap();
    let back = world.collect("pip", "git:00e5e5e").unwrap();
    world
        .act("pip", |case| model::gate::permit::consume(case, &back.id))
        .unwrap();
    world
        .complete("ida", serde_json::json!({"outcome": "succeeded"}))
        .unwrap();
    assert_eq!(model::change::success::succeeded(world.change()), Some(false));
}
