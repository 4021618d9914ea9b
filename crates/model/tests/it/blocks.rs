//! The people who lift an approver's block, and the acts that restart a lead time.

use model::approval::obligation::{Due, Duty};
use model::change::around::{self, LinkEnd};
use model::change::requirement::earliest_start;
use model::change::{related_records, tasks};
use model::core::enums::{State, TaskState};
use model::core::ids::RecordId;
use model::core::refusal::Refusal;
use model::schedule::calendar::Span;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{World, at, body, code, facts, missing};

fn add(world: &mut World, who: &str, more: Value) -> RecordId {
    let mut words = body(json!({"kind": "prepare", "title": "Tell the docks"}));
    words.extend(body(more));
    world.act(who, |case| tasks::add(case, &words)).unwrap()
}

fn update(world: &mut World, who: &str, task: &RecordId, words: Value) -> Result<(), Refusal> {
    let words = body(words);
    world.act(who, |case| tasks::update(case, task, &words))
}

fn link(world: &mut World, who: &str) -> Result<RecordId, Refusal> {
    let words = body(json!({"kind": "depends_on", "to": "CHG-2"}));
    let find = |key: &str| {
        Some(LinkEnd {
            id: "c2".into(),
            key: key.to_owned(),
            way_back: Vec::new(),
        })
    };
    world.act(who, |case| around::link(case, &words, &find))
}

fn unlink(world: &mut World, who: &str, id: &RecordId) -> Result<(), Refusal> {
    world.act(who, |case| around::unlink(case, id))
}

fn task(world: &World) -> &related_records::ChangeTask {
    &world.file.tasks[0]
}

const EVERYBODY: [&str; 9] = ["rita", "olga", "sam", "mia", "max", "ida", "tom", "cora", "vera"];

/// The setters who decide, and their equals.
fn may(setter: &str, who: &str, assignee: Option<&str>) -> bool {
    let managers = ["mia", "max"];
    setter == who || assignee == Some(who) || (managers.contains(&setter) && managers.contains(&who))
}

proptest! {
    /// For every person and every act: an approver's task is moved by its setter, its assignee and their equals alone.
    #[test]
    fn a_task_of_an_approver_is_moved_by_nobody_else(
        setter in prop::sample::select(vec!["mia", "max", "olga"]), assignee in prop::option::of(prop::sample::select(vec!["ida", "tom"])),
        tries in prop::collection::vec((prop::sample::select(EVERYBODY.to_vec()), 0..4_u8), 1..12),
    ) {
        let mut world = World::new().until_authorizing();
        let more = assignee.map_or(json!({}), |person| json!({"assignee": person}));
        let id = add(&mut world, setter, more);
        for (who, how) in tries {
            let before = task(&world).clone();
            let words = match how {
                0 => json!({"state": "done"}),
                1 => json!({"state": "dropped", "text": "Not needed."}),
                2 => json!({"assignee": who}),
                _ => json!({"state": "open"}),
            };
            let given = before.assignee.as_ref().map(|person| person.as_str());
            // An assignee does the work, and does not give it on by that alone.
            let is_right = may(setter, who, given.filter(|_| how != 2));
            let answer = update(&mut world, who, &id, words);
            if answer.is_ok() {
                prop_assert!(is_right, "{who} moved what {setter} set");
                if task(&world).state != TaskState::Open && how < 2 {
                    prop_assert_eq!(task(&world).done_by.as_ref().map(|it| it.as_str()), Some(who));
                }
            } else {
                prop_assert_eq!(task(&world), &before);
                let is_plain = before.state == TaskState::Open && how == 0;
                prop_assert!(!(is_right && is_plain), "{who} could not do what {setter} set: {answer:?}");
            }
        }
    }

    /// The same of a link on which the start hangs.
    #[test]
    fn a_link_of_an_approver_is_removed_by_nobody_else(
        first in prop::bool::ANY, tries in prop::collection::vec(prop::sample::select(EVERYBODY.to_vec()), 1..12),
    ) {
        let mut world = World::new().until_authorizing();
        let own = first.then(|| link(&mut world, "rita").unwrap());
        let id = link(&mut world, "mia").unwrap();
        if let Some(own) = own {
            unlink(&mut world, "rita", &own).unwrap();
        }
        for who in tries {
            let is_there = !world.file.depends_on.is_empty();
            let answer = unlink(&mut world, who, &id);
            if answer.is_ok() {
                prop_assert!(may("mia", who, None), "{who} removed it");
            } else if is_there {
                prop_assert!(!world.file.depends_on.is_empty(), "it holds the start still");
                prop_assert!(!may("mia", who, None), "{who} could not remove it: {answer:?}");
            }
        }
    }
}

#[test]
fn a_refusal_names_who_may_and_so_does_the_row() {
    let mut world = World::new().until_authorizing();
    let id = add(&mut world, "mia", json!({}));
    let Err(Refusal::NotAllowed { code, waiting_on, .. }) = update(&mut world, "rita", &id, json!({"state": "done"}))
    else {
        panic!("the requester did it");
    };
    assert_eq!(
        (code, waiting_on),
        ("set_by_approver", vec!["mia".to_owned(), "max".to_owned()])
    );
    let rows = model::change::waiting_on::ahead(&world.file, &world.directory, world.now);
    let row = rows.iter().find(|row| row.unmet.code == "task_open").unwrap();
    assert_eq!(row.unmet.waiting_on, ["mia", "max"]);
    // Where all of them have gone, somebody is still named.
    world.estate(|estate| {
        for login in ["mia", "max"] {
            estate.people.get_mut(&login.into()).unwrap().active = false;
        }
    });
    let rows = model::change::waiting_on::ahead(&world.file, &world.directory, world.now);
    let row = rows.iter().find(|row| row.unmet.code == "task_open").unwrap();
    assert_eq!(row.unmet.waiting_on, ["ada"]);
}

#[test]
fn what_no_approver_set_stays_everybodys() {
    let mut world = World::new().until_authorizing();
    let id = add(&mut world, "rita", json!({}));
    update(&mut world, "ida", &id, json!({"state": "done"})).unwrap();
    assert_eq!(task(&world).done_by, Some("ida".into()));
    let own = link(&mut world, "rita").unwrap();
    unlink(&mut world, "rita", &own).unwrap();
    assert!(world.file.depends_on.is_empty());
}

#[test]
fn a_placeholder_buys_no_time() {
    let lead = |fields: &[&str]| {
        let duty = Duty::LeadTime {
            span: Span::Minutes(120),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        };
        World::with(facts(), vec![(Due::Start, duty)]).until_authorizing()
    };
    let earliest = |world: &World| earliest_start(&world.file, &world.directory, world.now).unwrap().0;
    let edited = |fields: &[&str], patch: Value| {
        let mut world = lead(fields);
        assert_eq!(earliest(&world), at("12:00"), "from the submission");
        world.now = at("10:30");
        world.edit("rita", patch).unwrap();
        earliest(&world)
    };
    assert_eq!(edited(&[], json!({"plan": [{"title": "Something else"}]})), at("12:30"));
    assert_eq!(
        edited(&[], json!({"title": "Ship 2.5"})),
        at("12:00"),
        "a name is no other work"
    );
    assert_eq!(edited(&["title"], json!({"title": "Ship 2.5"})), at("12:30"));
    assert_eq!(
        edited(&["title"], json!({"plan": [{"title": "Something else"}]})),
        at("12:00")
    );
    let mut moved = lead(&[]);
    moved.schedule("rita", "12:00", "13:00").unwrap();
    assert!(!moved.unmet().contains(&"lead_time".to_owned()));
    moved.now = at("10:30");
    moved
        .edit(
            "rita",
            json!({"targets": [{"service": "shop", "environment": "production", "artifact": "git:bbe5e5e"}]}),
        )
        .unwrap();
    assert!(moved.unmet().contains(&"lead_time".to_owned()));
    // The lead time of a change submitted again counts from then.
    moved
        .act("mia", |case| {
            model::approval::decide::return_change(case, &body(json!({"question": "What is it?"})))
        })
        .unwrap();
    moved.now = at("10:40");
    moved.submit("rita").unwrap();
    assert_eq!(earliest(&moved), at("12:40"));
}

#[test]
fn a_dependency_that_failed_waits_for_who_may_lift_it() {
    let mut world = World::new().until_scheduled();
    link(&mut world, "mia").unwrap();
    world.wait_until(at("11:10"));
    // A cancelled or badly ended change is no ground to build on.
    for state in [State::Rejected, State::Closed, State::Cancelled] {
        world.file.depends_on[0].state = state;
        assert_eq!(missing(world.start("ida")), ["dependency_open"], "{state}");
    }
    let Err(Refusal::NotNow { unmet, .. }) = world.start("ida") else {
        panic!("it began")
    };
    assert_eq!(unmet[0].waiting_on, ["mia", "max"]);
    assert_eq!(code(world.start("ida")), "start_refused");
    assert_eq!(missing(world.start("ida")), ["dependency_open"]);
}

/// A text of this name is sealed and erased as one, so it must not contain a time.
#[test]
fn the_times_of_edits_stand_under_no_name_of_a_text() {
    let mut world = World::new().until_authorizing();
    world
        .edit("rita", json!({"title": "Ship 2.5", "description": "Another."}))
        .unwrap();
    let record = serde_json::to_value(world.change()).unwrap();
    let edits = record["changed_at"].as_array().unwrap();
    let fields: Vec<&str> = edits.iter().map(|edit| edit["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["description", "title"]);
    for name in ["field", "at"] {
        assert!(!model::core::free_text::is_text(name));
    }
}
