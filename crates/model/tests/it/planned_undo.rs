//! The planned undo of a change: expected, reminded, missed, and never a way to call a rollback something else.

use model::approval::warning::{of_conflict, of_file, of_undo_conflict};
use model::change::around::planned_undo;
use model::change::duties::undo::is_expected;
use model::change::success::{succeeded, was_rolled_back};
use model::core::enums::{State, WarningKind};
use model::core::refusal::Refusal;
use model::schedule::conflicts::{Planned, find};
use serde_json::{Value, json};

use crate::world::{World, at, body, code, facts_but, fields, standard_facts};

/// A change that is read-only until 15:00; its window is from 11:00 to 13:00.
fn declared() -> Value {
    json!({"planned_undo": {"text": "Writes go through again", "at": "2026-11-20T15:00:00Z"}})
}

fn undo(world: &mut World, who: &str, words: Value) -> Result<(), Refusal> {
    world.act(who, |case| planned_undo::record(case, &body(words)))
}

fn under_way() -> World {
    let mut world = World::with(facts_but(declared()), Vec::new()).until_scheduled();
    world.wait_until(at("11:10"));
    world.start("ida").unwrap();
    world
}

fn done() -> World {
    let mut world = under_way();
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    world
}

fn topics(world: &World, topic: &str) -> Vec<String> {
    let letters = world.letters.iter().filter(|letter| letter.topic == topic);
    letters.map(|letter| letter.to.to_string()).collect()
}

#[test]
fn an_undo_at_its_time_is_neither_a_rollback_nor_a_failure() {
    let mut world = done();
    assert!(world.unmet().contains(&"undo_open".to_owned()));
    world.wait_until(at("14:45"));
    assert!(topics(&world, "undo_due").contains(&"ida".to_owned()));
    undo(&mut world, "ida", json!({"text": "Writable"})).unwrap();
    assert_eq!(succeeded(world.change()), Some(true));
    assert!(!was_rolled_back(world.change()));
    assert!(!world.unmet().contains(&"undo_open".to_owned()));
    assert_eq!(code(undo(&mut world, "ida", json!({}))), "undo_ended");
    world.wait_until(at("18:00"));
    assert_eq!(world.change().undo_missed_at, None);
}

#[test]
fn a_freeze_over_the_undo_is_seen_before_anybody_decides_and_its_time_is_taken() {
    let mut world = World::with(facts_but(declared()), Vec::new()).until_scheduled();
    world.freeze("14:30", "16:00", false);
    let found = of_file(&world.file, &world.directory, &[], world.now);
    let [row] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((row.kind, row.about.as_str()), (WarningKind::PlannedUndo, "Year end"));
    assert!(row.is_open());
    let planned = Planned::undo_of(world.change()).unwrap();
    assert_eq!((planned.starts_at, planned.ends_at), (at("15:00"), at("15:30")));
    assert_eq!(
        Some(planned.places),
        Planned::of(world.change()).map(|window| window.places)
    );
    let mut world = done();
    assert!(Planned::undo_of(world.change()).is_some(), "it is still to come");
    world.wait_until(at("14:45"));
    undo(&mut world, "ida", json!({"text": "Writable"})).unwrap();
    assert_eq!(Planned::undo_of(world.change()), None);
}

#[test]
fn an_undo_conflicts_with_the_window_of_another_change_seen_from_both() {
    let world = World::with(facts_but(declared()), Vec::new()).until_scheduled();
    let undo = Planned::undo_of(world.change()).unwrap();
    let terms = world.directory.planning();
    let mut other = world.change().clone();
    (other.id, other.key) = ("c2".into(), "CHG-2".to_owned());
    other.content.planned_undo = None;
    let window = Planned::of(&other).unwrap().at(at("14:50"), at("15:10"));
    let of = |mine: &Planned, other: &Planned| find(&world.directory, &terms, mine, std::slice::from_ref(other));
    let (here, there) = (of(&undo, &window), of(&window, &undo));
    let ([here], [there]) = (here.as_slice(), there.as_slice()) else {
        panic!("{here:?} {there:?}")
    };
    assert_eq!((here.is_undo, there.is_undo), (false, true));
    assert_eq!((here.from, here.to), (there.from, there.to));
    let key = &world.change().key;
    let (mine, theirs) = (of_undo_conflict(here), of_conflict(there));
    assert_eq!(
        (mine.kind, theirs.kind),
        (WarningKind::PlannedUndo, WarningKind::PlannedUndo)
    );
    assert_eq!(mine.text, "Its planned undo conflicts with CHG-2.");
    assert_eq!(
        theirs.text,
        format!("The change conflicts with the planned undo of {key}.")
    );
    // The undo of a change is no other change to its own window.
    let own = Planned::of(world.change()).unwrap().at(at("14:50"), at("15:10"));
    assert!(of(&own, &undo).is_empty());
}

#[test]
fn a_missed_undo_is_an_alarm_and_holds_the_closing() {
    let mut world = done();
    world.validate("tom", "works").unwrap();
    world.review("olga").unwrap();
    assert_eq!(code(world.close("olga")), "closure_refused");
    world.wait_until(at("15:00"));
    assert_eq!(world.change().undo_missed_at, Some(at("15:00")));
    let told = topics(&world, "undo_missed");
    assert!(
        told.contains(&"ida".to_owned()) && told.contains(&"mia".to_owned()),
        "{told:?}"
    );
    let once = told.len();
    world.wait_until(at("15:30"));
    assert_eq!(topics(&world, "undo_missed").len(), once);
    world.wait_until(at("16:00"));
    assert!(topics(&world, "undo_missed").len() > once, "an hour later once more");
    undo(&mut world, "ida", json!({})).unwrap();
    assert!(world.change().undo.as_ref().unwrap().late);
    assert_eq!(succeeded(world.change()), Some(true), "late is no failure");
    world.close("olga").unwrap();
}

#[test]
fn a_rollback_is_not_relabelled() {
    // Nothing was declared.
    let mut plain = World::new().until_reviewing();
    assert_eq!(code(undo(&mut plain, "ida", json!({}))), "no_planned_undo");
    // It is declared after the start: nobody edits then.
    let mut late = World::new().until_implementing();
    assert_eq!(code(late.edit("rita", declared())), "not_in_state");
    // It is taken back long before its time.
    let mut early = done();
    assert_eq!(code(undo(&mut early, "ida", json!({}))), "too_early");
    early
        .complete("ida", json!({"outcome": "rolled_back", "reason": "It failed."}))
        .unwrap();
    assert_eq!(succeeded(early.change()), Some(false));
    assert_eq!(code(undo(&mut early, "ida", json!({}))), "not_succeeded");
    early.wait_until(at("15:10"));
    assert_eq!(code(undo(&mut early, "ida", json!({}))), "not_succeeded");
    assert_eq!(early.change().undo_missed_at, None, "nothing is left to undo");
    // It is undone as planned and was rolled back as well: both stay recorded.
    let mut both = done();
    both.wait_until(at("15:00"));
    undo(&mut both, "ida", json!({})).unwrap();
    both.complete("ida", json!({"outcome": "rolled_back", "reason": "It failed."}))
        .unwrap();
    assert!(was_rolled_back(both.change()));
    assert_eq!(succeeded(both.change()), Some(false));
}

#[test]
fn a_declaration_is_part_of_what_is_approved() {
    let mut world = World::new().until_scheduled();
    world.edit("rita", declared()).unwrap();
    assert!(world.state() < State::Approved, "the approvals did not see it");
    for (wrong, why) in [
        (
            json!({"planned_undo": {"text": "x", "at": "2026-11-20T10:00:00Z"}}),
            "out_of_order",
        ),
        (
            json!({"planned_undo": {"text": "x", "at": "2026-11-20T11:01:00Z"}}),
            "out_of_order",
        ),
        // A window that grows over the undo takes it in as well.
        (json!({"planned_end": "2026-11-20T15:01:00Z"}), "out_of_order"),
        (
            json!({"planned_undo": {"text": "x", "at": "2027-11-20T10:00:00Z"}}),
            "out_of_range",
        ),
        (json!({"planned_undo": {"text": "x", "at": null}}), "missing"),
    ] {
        let found = fields(world.edit("rita", wrong));
        assert_eq!(found, [("planned_undo.at".to_owned(), why.to_owned())]);
    }
    let at_its_end = json!({"planned_undo": {"text": "x", "at": "2026-11-20T13:00:00Z"}});
    world.edit("rita", at_its_end).unwrap();
}

#[test]
fn whoever_did_the_work_does_not_call_its_undo_off() {
    let mut world = done();
    let off = json!({"done": false, "text": "It stays read-only."});
    assert!(undo(&mut world, "ida", off.clone()).is_err());
    assert_eq!(
        fields(undo(&mut world, "olga", json!({"done": false}))),
        [("text".to_owned(), "missing".to_owned())]
    );
    undo(&mut world, "mia", off).unwrap();
    assert!(!world.change().undo.as_ref().unwrap().done);
    assert!(!world.unmet().contains(&"undo_open".to_owned()));
}

#[test]
fn a_standard_change_with_an_undo_that_its_template_does_not_leave_open_is_a_normal_one() {
    let mut words = standard_facts();
    words.extend(body(declared()));
    let world = World::with(words, Vec::new());
    assert_eq!(world.change().turned_normal, ["planned_undo"]);
}

#[test]
fn a_rollback_after_the_undo_was_done_or_called_off_is_none_of_it() {
    let expected = |world: &World, time: &str| {
        let target = world.change().content.targets[0].id.clone();
        is_expected(world.change(), &target, at(time))
    };
    let mut world = done();
    assert!(!expected(&world, "14:00"), "before its time");
    world.wait_until(at("15:00"));
    assert!(expected(&world, "15:00"));
    undo(&mut world, "ida", json!({})).unwrap();
    assert!(
        expected(&world, "15:00"),
        "its own deployment, told after a person recorded it"
    );
    assert!(!expected(&world, "15:20"), "it is done");
    let mut off = done();
    undo(&mut off, "mia", json!({"done": false, "text": "It stays read-only."})).unwrap();
    assert!(!expected(&off, "15:00"), "it was called off");
}
