//! The warnings of a change before the decision, and the possible statements about its first go.

use model::approval::warning::{Warning, of_change, of_file};
use model::core::enums::{Purpose, State, WarningKind};
use model::gate::answer::{GateRow, rows};
use model::gate::earliest_go::{EarliestGo, earliest_go};
use serde_json::json;

use crate::world::{World, at, facts_but};

fn kinds(world: &World) -> Vec<WarningKind> {
    let found = of_file(&world.file, &world.directory, &[], world.now);
    found.iter().map(|it| it.kind).collect()
}

fn row(world: &World) -> GateRow {
    let found = rows(&world.file, &world.directory, world.now);
    found.into_iter().find(|it| it.purpose == Purpose::Deploy).unwrap()
}

#[test]
fn a_freeze_over_the_window_warns_and_one_beside_it_does_not() {
    let mut world = World::new().until_authorizing();
    assert!(kinds(&world).is_empty());
    world.freeze("14:00", "15:00", false);
    assert!(kinds(&world).is_empty(), "its window ends at 13:00");
    world.freeze("11:30", "12:00", false);
    let found = of_file(&world.file, &world.directory, &[], world.now);
    let [freeze] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!((freeze.kind, freeze.about.as_str()), (WarningKind::Freeze, "Year end"));
    assert_eq!((freeze.from, freeze.to), (Some(at("11:30")), Some(at("12:00"))));
    assert!(freeze.is_open());
    world.wait_until(at("15:30"));
    assert!(kinds(&world).is_empty(), "both freezes lie behind");
}

#[test]
fn no_freeze_stops_a_change_that_is_over() {
    let mut world = World::in_state(State::Closed);
    world.freeze("10:00", "20:00", true);
    assert!(!kinds(&world).contains(&WarningKind::Freeze));
}

#[test]
fn a_broken_glass_is_seen_with_all_that_it_stood_in_for() {
    let mut world = World::new().until_authorizing();
    world.break_glass("mia", 60).unwrap();
    let waits = kinds(&world);
    assert_eq!(waits.first(), Some(&WarningKind::BreakGlass), "{waits:?}");
    assert!(
        waits.contains(&WarningKind::Bypassed),
        "what it stands in for is told from the breaking on: {waits:?}"
    );
}

#[test]
fn a_lowered_fact_is_open_until_an_approver_accepted_it_and_the_record_alone_tells_it() {
    let low = facts_but(json!({"impact": {"data": "none", "availability": "none", "compliance": "none"}}));
    let world = World::with(low, Vec::new()).until_authorizing();
    let lowered = |found: Vec<Warning>| -> Vec<String> {
        let own = found.into_iter().filter(|it| it.kind == WarningKind::LoweredRisk);
        own.map(|it| it.fact.unwrap().to_string()).collect()
    };
    let whole = lowered(of_file(&world.file, &world.directory, &[], world.now));
    let of_record = lowered(of_change(world.change(), &world.directory, world.now));
    assert_eq!(whole, of_record);
    let told = world.change().risk.lowered.iter().map(|it| it.fact.to_string());
    assert_eq!(whole, told.collect::<Vec<String>>());
}

#[test]
fn the_first_go_is_promised_only_where_the_clock_alone_brings_it() {
    let world = World::new().until_scheduled();
    assert_eq!(earliest_go(&row(&world), world.now), EarliestGo::At(at("11:00")));
    assert_eq!(earliest_go(&row(&world), at("11:30")), EarliestGo::Now);
    assert_eq!(earliest_go(&row(&world), at("13:00")), EarliestGo::OtherTimes);
}

#[test]
fn what_waits_for_people_is_promised_to_nobody() {
    let world = World::new().until_authorizing();
    let row = row(&world);
    assert_eq!(earliest_go(&row, world.now), EarliestGo::NotBefore(at("11:00")));
    assert_eq!(earliest_go(&row, at("11:30")), EarliestGo::Unknown);
    let held = GateRow {
        on_hold: true,
        unmet: Vec::new(),
        state: State::Scheduled,
        ..row
    };
    assert_eq!(earliest_go(&held, at("11:30")), EarliestGo::Unknown);
}

#[test]
fn a_freeze_moves_the_first_go_to_its_end_and_one_over_the_whole_window_needs_people() {
    let mut row = row(&World::new().until_scheduled());
    let freeze = |from: &str, until: &str| model::gate::answer::FrozenSpan {
        title: "Year end".to_owned(),
        starts_at: at(from),
        ends_at: at(until),
        halt: false,
        waiting_on: Vec::new(),
        major: None,
    };
    row.frozen = vec![freeze("10:30", "12:00")];
    assert_eq!(earliest_go(&row, at("10:40")), EarliestGo::At(at("12:00")));
    row.frozen = vec![freeze("10:30", "14:00")];
    assert_eq!(earliest_go(&row, at("10:40")), EarliestGo::NotBefore(at("11:00")));
    assert_eq!(earliest_go(&row, at("11:30")), EarliestGo::Unknown);
}
