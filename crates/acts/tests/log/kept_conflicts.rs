//! Conflicts that are kept: the planning steps that they block, and the effect when nobody decides in time.

use acts::core::noun;
use acts::notify::action_items;
use model::core::enums::{AboutKind, ConflictState};
use model::notify::action_item::About;
use model::schedule::conflict_record::Conflict;
use model::schedule::conflict_rules::conflicts_unmet;
use model::schedule::planning_terms::PlanningTerms;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::reviewing::work;
use crate::world::{TENANT, World, body};

fn terms(world: &World, terms: Value) {
    world.by("mona", move |cx| {
        noun::add::<PlanningTerms>(cx, &body(terms.clone())).map(drop)
    });
}

/// The only conflict that is kept.
fn kept(world: &World) -> Conflict {
    let mut all = world.look(|cx| Ok(cx.directory()?.conflicts.to_vec())).unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// The codes of the requirements that conflicts add to a change before it starts.
fn asked(world: &World, key: &str) -> Vec<String> {
    let key = key.to_owned();
    let found = world.look(move |cx| {
        let (change, directory) = (cx.change(&key)?, cx.directory()?);
        Ok(conflicts_unmet(&change, &directory))
    });
    found.unwrap().into_iter().map(|it| it.code).collect()
}

#[test]
fn a_kind_that_is_to_hold_later_holds_the_changes_of_open_conflicts_and_its_clock_runs_to_change_managers() {
    let world = World::new();
    terms(&world, json!({"decide_hours": 1}));
    let keys = [
        world.scheduled("Move booking to 4.2"),
        world.scheduled("Move booking to 4.3"),
    ];
    world.pass_seconds(16 * 60);
    work(&world);
    let first = kept(&world);
    assert_eq!((first.state, first.holds), (ConflictState::Open, false));
    assert!(asked(&world, &keys[0]).is_empty());
    terms(&world, json!({"hold_kinds": ["same_item"]}));
    work(&world);
    let held = kept(&world);
    assert_eq!((held.id, held.due_at, held.holds), (first.id, first.due_at, true));
    for key in &keys {
        assert_eq!(asked(&world, key), ["conflict_open"]);
    }
    // Nobody frees a change by relaxing the terms.
    terms(&world, json!({"hold_kinds": []}));
    work(&world);
    assert!(kept(&world).holds);
    world.pass_seconds(61 * 60);
    work(&world);
    assert!(kept(&world).escalated, "its time to be decided has passed");
    world.assert_replays();
}

#[test]
fn the_item_of_an_arbiter_falls_to_nobody_with_a_part_in_either_change() {
    let world = World::new();
    for title in ["Move booking to 4.2", "Move booking to 4.3"] {
        world.scheduled(title);
    }
    world.pass_seconds(16 * 60);
    work(&world);
    let about = About::new(AboutKind::Conflict, kept(&world).id.as_str());
    let open = world.look(move |cx| action_items::open_about(cx, &about)).unwrap();
    let [mona, rita, olga] = ["mona", "rita", "olga"].map(|login| world.actor(login).person);
    let item = open.iter().find(|it| it.owner.as_ref() == Some(&mona)).unwrap();
    // Olga owns the service, and tests both changes.
    assert!(
        item.involved.contains(&rita) && item.involved.contains(&olga),
        "{item:?}"
    );
}

#[test]
fn maintenance_that_nobody_decides_on_holds_no_change() {
    let world = World::new();
    let wanted = body(json!({"hold_kinds": ["same_item", "maintenance"]}));
    let mona = world.actor("mona");
    let refused = world.executor.wait(Lane::Acts, TENANT, mona, Mode::Write, move |cx| {
        noun::add::<PlanningTerms>(cx, &wanted).map(drop)
    });
    let text = format!("{:?}", refused.unwrap_err());
    assert!(text.contains("hold_kinds") && text.contains("not_allowed"), "{text}");
}
