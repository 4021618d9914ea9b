//! A rule on communication holds the start alone, until the start was announced, acknowledged, and each team confirmed that it
//! is ready.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use model::approval::obligation::{Asked, Due, Duty};
use model::change::around::communication;
use model::core::enums::{GateDecision, State};
use model::core::ids::PersonId;
use serde_json::json;

use crate::world::{World, at, body, code, facts, missing};

fn asks(announced_minutes: Option<i64>) -> (Due, Duty) {
    let duty = Duty::Communication {
        announced_minutes,
        acknowledged: true,
        ready_from: Some(Asked::Owner),
    };
    (Due::Start, duty)
}

fn announce(world: &mut World, people: &[&str]) {
    let asked: BTreeSet<PersonId> = people.iter().map(|it| PersonId::from(*it)).collect();
    let start = world.file.change.planned_start.unwrap();
    let done = world.act("olga", |case| {
        communication::note_announced(case, start, &asked);
        Ok(())
    });
    done.unwrap();
}

fn acknowledge(world: &mut World, who: &str) {
    let done = world.act(who, |case| {
        communication::note_acknowledged(case, &who.into());
        Ok(())
    });
    done.unwrap();
}

#[test]
fn nothing_starts_before_it_is_announced_acknowledged_and_each_team_is_ready() {
    let mut world = World::with(facts(), vec![asks(Some(5))]).until_scheduled();
    assert_eq!(world.state(), State::Scheduled, "it holds the start alone");
    announce(&mut world, &["olga", "sam"]);
    world.wait_until(at("11:05"));
    assert_eq!(missing(world.start("ida")), ["not_acknowledged", "team_not_ready"]);
    assert_eq!(world.gate("git:aae5e5e").reasons[0].code, "not_acknowledged");
    assert_eq!(world.gate("git:aae5e5e").reasons[0].waiting_on, ["olga", "sam"]);
    acknowledge(&mut world, "vera");
    acknowledge(&mut world, "olga");
    assert_eq!(
        world.gate("git:aae5e5e").reasons[0].waiting_on,
        ["sam"],
        "nobody else was asked"
    );
    acknowledge(&mut world, "sam");
    assert_eq!(missing(world.start("ida")), ["team_not_ready"]);
    let no_part = world.act("ida", |case| communication::say_ready(case, &body(json!({}))));
    assert_eq!(code(no_part), "not_asked");
    world
        .act("olga", |case| communication::say_ready(case, &body(json!({}))))
        .unwrap();
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
    world
        .act("olga", |case| {
            communication::say_ready(case, &body(json!({"ready": false})))
        })
        .unwrap();
    assert_eq!(
        missing(world.start("ida")),
        ["team_not_ready"],
        "a word can be taken back"
    );
    world
        .act("olga", |case| {
            communication::say_ready(case, &body(json!({"ready": true})))
        })
        .unwrap();
    world.start("ida").unwrap();
    let late = world.act("olga", |case| {
        communication::say_ready(case, &body(json!({"ready": false})))
    });
    assert_eq!(code(late), "started");
}

#[test]
fn a_start_that_nobody_announced_or_that_was_announced_late_is_refused() {
    let mut world = World::with(facts(), vec![asks(Some(5))]).until_scheduled();
    world.wait_until(at("10:57"));
    announce(&mut world, &["olga"]);
    world.wait_until(at("11:05"));
    assert_eq!(missing(world.start("ida"))[0], "announced_late");
    let mut silent = World::with(facts(), vec![asks(None)]).until_scheduled();
    silent.wait_until(at("11:05"));
    assert_eq!(missing(silent.start("ida")), ["not_announced", "team_not_ready"]);
}

#[test]
fn what_was_said_of_another_start_says_nothing_of_this_one() {
    let mut world = World::with(facts(), vec![asks(None)]).until_scheduled();
    announce(&mut world, &["olga"]);
    acknowledge(&mut world, "olga");
    world
        .act("olga", |case| communication::say_ready(case, &body(json!({}))))
        .unwrap();
    let before = world.file.change.planned_start.unwrap();
    let moved = before + SignedDuration::from_mins(30);
    world.file.change.planned_start = Some(moved);
    // The announcement of the start before comes late, and is not noted for this one.
    let done = world.act("olga", |case| {
        communication::note_announced(case, before, &BTreeSet::new());
        Ok(())
    });
    done.unwrap();
    let known = world.file.change.communicated.clone().unwrap();
    assert_eq!(known.starts_at, before);
    world.wait_until(moved + SignedDuration::from_mins(1));
    let codes = missing(world.start("ida"));
    for wanted in ["not_announced", "team_not_ready"] {
        assert!(codes.iter().any(|code| code == wanted), "{wanted} is not in {codes:?}");
    }
}
