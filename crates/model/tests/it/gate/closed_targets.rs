//! A person's revocation closes its target until it is lifted, whatever is requested, edited or begun meanwhile.

use model::change::ready_spans;
use model::core::enums::{GateDecision, PermitState, Purpose, State};
use model::core::refusal::Refusal;
use model::gate::permit;
use serde_json::json;

use crate::world::{World, at, body, code};

const BUILD: &str = "git:aae5e5e";
const OLD: &str = "git:00e5e5e";

fn revoke(world: &mut World, who: &str, jti: &model::core::ids::RecordId) -> Result<(), Refusal> {
    world.act(who, |case| {
        permit::revoke(case, jti, &body(json!({"reason": "The build is wrong."})))
    })
}

fn lift(world: &mut World, who: &str, jti: &model::core::ids::RecordId) -> Result<(), Refusal> {
    world.act(who, |case| {
        permit::lift(case, jti, &body(json!({"reason": "It was right."})))
    })
}

fn collected() -> (World, model::core::ids::RecordId) {
    let mut world = World::new().until_scheduled();
    world.wait_until(at("11:10"));
    let permit = world.collect("pip", BUILD).unwrap();
    (world, permit.id)
}

fn stops(world: &World) -> Vec<String> {
    world.gate(BUILD).reasons.into_iter().map(|row| row.code).collect()
}

#[test]
fn several_checks_of_one_target_share_one_permit() {
    let (mut world, first) = collected();
    assert_eq!(world.collect("pip", BUILD).unwrap().id, first);
    assert_eq!(world.live_permits().len(), 1);
    world.act("pip", |case| permit::consume(case, &first)).unwrap();
    let next = world.collect("pip", BUILD).unwrap().id;
    assert_ne!(next, first, "one that is used up is shared no more");
    world.wait(20);
    assert_ne!(world.collect("pip", BUILD).unwrap().id, next, "nor one that ran out");
}

#[test]
fn the_target_stays_closed_until_the_revocation_is_lifted() {
    let (mut world, first) = collected();
    revoke(&mut world, "mia", &first).unwrap();
    assert_eq!(stops(&world), ["target_closed"]);
    let row = world.gate(BUILD).reasons.remove(0);
    assert!(
        row.text.contains("The build is wrong.") && !row.waiting_on.is_empty(),
        "{row:?}"
    );
    assert!(world.collect("pip", BUILD).is_err(), "no other permit is given");
    // The rollback is another matter.
    assert_eq!(world.gate(OLD).decision, GateDecision::Go);
    // A person who waits for the deployment does not lift another's stop.
    assert_eq!(code(lift(&mut world, "rita", &first)), "own_request");
    lift(&mut world, "mia", &first).unwrap();
    assert_eq!(code(lift(&mut world, "mia", &first)), "not_closed");
    assert!(stops(&world).is_empty());
    assert_ne!(
        world.collect("pip", BUILD).unwrap().id,
        first,
        "the dead permit stays dead"
    );
}

#[test]
fn a_revoked_way_back_is_closed_as_well_and_alone() {
    let (mut world, _) = collected();
    let back = world.collect("pip", OLD).unwrap();
    assert_eq!(back.purpose, Purpose::Rollback);
    revoke(&mut world, "mia", &back.id).unwrap();
    assert_eq!(world.gate(OLD).reasons[0].code, "target_closed");
    assert!(stops(&world).is_empty(), "forward is open still");
    lift(&mut world, "mia", &back.id).unwrap();
    assert_eq!(world.gate(OLD).decision, GateDecision::Go);
}

#[test]
fn what_the_lifecycle_revokes_closes_nothing() {
    let (mut world, first) = collected();
    world.freeze("11:20", "11:30", true);
    world.wait_until(at("11:25"));
    let permits = &world.file.permits;
    assert!(
        permits
            .iter()
            .any(|it| it.id == first && it.state == PermitState::Revoked)
    );
    assert_eq!(stops(&world), ["freeze"]);
    world.wait_until(at("11:31"));
    assert!(stops(&world).is_empty());
}

#[test]
fn neither_a_start_by_hand_nor_an_edit_nor_a_late_word_opens_a_closed_target() {
    let mut world = World::new().until_scheduled();
    world.wait_until(at("11:10"));
    let target = world.change().content.targets[0].id.clone();
    let permit = world.collect("pip", BUILD).unwrap();
    revoke(&mut world, "mia", &permit.id).unwrap();
    let closed_at = world.now;
    world.wait(10);
    let (was_open, may_go_on) = world.look(|case| {
        (
            ready_spans::was_open(case, &target, closed_at, false),
            ready_spans::may_go_on(case, &target, case.now),
        )
    });
    assert_eq!((was_open, may_go_on), (false, false));
    // The same build in a target that is written anew is the same target.
    let mut copy = world.change().content.targets[0].clone();
    copy.id = "9".into();
    world
        .act("system", |case| {
            case.file.change.content.targets = vec![copy.clone()];
            Ok(())
        })
        .unwrap();
    assert_eq!(stops(&world), ["target_closed"]);
}

#[test]
fn a_closed_target_is_not_started_by_hand() {
    let mut world = World::new().until_scheduled();
    world.wait_until(at("11:10"));
    let permit = world.collect("pip", BUILD).unwrap();
    revoke(&mut world, "mia", &permit.id).unwrap();
    world
        .act("system", |case| {
            case.file.change.state = State::Scheduled;
            case.file.change.actual_start = None;
            Ok(())
        })
        .unwrap();
    assert_eq!(code(world.start("ida")), "start_refused");
    lift(&mut world, "mia", &permit.id).unwrap();
    world.start("ida").unwrap();
}

/// A requester would else keep security from stopping the change by stopping it first.
#[test]
fn revocations_of_several_people_stand_beside_each_other() {
    let (mut world, first) = collected();
    revoke(&mut world, "olga", &first).unwrap();
    assert_eq!(code(revoke(&mut world, "olga", &first)), "not_alive", "once is enough");
    revoke(&mut world, "sam", &first).unwrap();
    assert_eq!(stops(&world), ["target_closed", "target_closed"]);
    // The owner lifts their own, and no other.
    lift(&mut world, "olga", &first).unwrap();
    let refusal = lift(&mut world, "olga", &first);
    assert_eq!(code(refusal.clone()), "own_request");
    let Err(Refusal::NotAllowed { waiting_on, .. }) = refusal else {
        panic!("{refusal:?}");
    };
    assert!(waiting_on.contains(&"sam".to_owned()) && !waiting_on.contains(&"olga".to_owned()));
    assert_eq!(stops(&world), ["target_closed"]);
    assert!(world.collect("pip", BUILD).is_err());
    // No equal: a person who may revoke, and is neither security nor a manager.
    assert_eq!(code(lift(&mut world, "cora", &first)), "own_request");
    lift(&mut world, "mia", &first).unwrap();
    assert!(stops(&world).is_empty());
}

/// A permit that a hold revoked is no reason that its target cannot be closed.
#[test]
fn what_a_hold_revoked_can_still_be_closed() {
    let mut world = World::new().until_scheduled();
    world.wait_until(at("11:10"));
    let permit = world.collect("pip", BUILD).unwrap();
    world
        .act("system", |case| {
            model::change::settle::revoke_permits(case, "held", |_| true);
            Ok(())
        })
        .unwrap();
    revoke(&mut world, "sam", &permit.id).unwrap();
    assert_eq!(stops(&world), ["target_closed"]);
}

/// A revocation is about the build, in whatever spelling it is written anew.
#[test]
fn a_closed_target_stays_closed_in_another_spelling() {
    let mut world = World::new().until_scheduled();
    world.wait_until(at("11:10"));
    let permit = world.collect("pip", BUILD).unwrap();
    revoke(&mut world, "mia", &permit.id).unwrap();
    for spelling in ["git:AAe5e5e", "docker.io/halden/shop:2@git:aae5e5e", " git:aae5e5e "] {
        let mut copy = world.change().content.targets[0].clone();
        (copy.id, copy.artifact) = ("9".into(), Some(spelling.to_owned()));
        world
            .act("system", |case| {
                case.file.change.content.targets = vec![copy.clone()];
                Ok(())
            })
            .unwrap();
        let rows = model::gate::answer::rows(&world.file, &world.directory, world.now);
        assert!(rows.iter().any(|row| !row.closed.is_empty()), "{spelling}");
    }
}
