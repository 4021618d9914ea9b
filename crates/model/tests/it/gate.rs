//! The gate's decision over rows that a question found.

mod closed_targets;
mod frozen_targets;
mod later_targets;
mod names;

use model::core::enums::{GateDecision, Purpose, State};
use model::gate::answer::{FrozenSpan, GateRow, decide, rows, rows_of_target};

use crate::world::{World, at};

fn row(change: &str, key: &str, state: State, purpose: Purpose) -> GateRow {
    let world = World::new().until_implementing();
    let own = rows(&world.file, &world.directory, world.now);
    let mut row = own.into_iter().find(|row| row.purpose == purpose).unwrap();
    row.change = change.into();
    row.key = key.to_owned();
    row.state = state;
    row
}

fn codes(found: &[GateRow], asked: Option<&str>) -> Vec<String> {
    decide(found, asked, at("11:20"))
        .reasons
        .into_iter()
        .map(|row| row.code)
        .collect()
}

fn codes_at(found: &[GateRow], time: &str) -> Vec<String> {
    let answer = decide(found, None, at(time));
    answer.reasons.into_iter().map(|row| row.code).collect()
}

#[test]
fn exactly_one_change_may_name_it() {
    let good = row("c1", "CHG-1", State::Scheduled, Purpose::Deploy);
    let draft = row("c2", "CHG-2", State::Draft, Purpose::Deploy);
    assert_eq!(codes(&[], None), ["change_missing"]);
    assert_eq!(codes(std::slice::from_ref(&good), Some("CHG-9")), ["change_missing"]);
    assert!(codes(std::slice::from_ref(&good), None).is_empty());
    assert!(
        codes(&[good.clone(), draft.clone()], None).is_empty(),
        "a draft holds nothing up"
    );
    let twin = row("c3", "CHG-3", State::Implementing, Purpose::Deploy);
    let three = [good.clone(), twin, draft.clone()];
    assert_eq!(codes(&three, None), ["change_ambiguous"]);
    let told = decide(&three, None, at("11:20")).reasons.remove(0).text;
    assert!(told.contains("CHG-1, CHG-3.") && !told.contains("CHG-2"), "{told}");
    assert!(codes(&[good.clone(), draft.clone()], Some("CHG-1")).is_empty());
    assert_eq!(codes(&[good, draft.clone()], Some("CHG-2")), ["not_scheduled"]);
    let mut done = draft;
    done.is_done = true;
    assert_eq!(codes(&[done], None), ["target_done"]);
}

#[test]
fn a_stop_is_told_of_the_change_that_is_furthest_and_looks_again_at_the_first_turn_of_any() {
    let mut early = row("c1", "CHG-1", State::Scheduled, Purpose::Deploy);
    (early.opens_at, early.closes_at) = (Some(at("12:00")), Some(at("12:30")));
    let mut late = early.clone();
    (late.change, late.key) = ("c2".into(), "CHG-2".to_owned());
    (late.opens_at, late.closes_at) = (Some(at("12:10")), Some(at("12:40")));
    let draft = row("c0", "CHG-0", State::Draft, Purpose::Deploy);
    let found = [draft, early.clone(), late.clone()];
    let answer = decide(&found, None, at("11:20"));
    assert_eq!(answer.change.as_deref(), Some("CHG-1"));
    assert_eq!(answer.reasons[0].code, "window_not_open");
    assert!(answer.next_transition_at.is_some_and(|next| next <= at("12:00")));
    assert_eq!(decide(&found, None, at("12:05")).decision, GateDecision::Go);
    assert_eq!(codes_at(&found, "12:20"), ["change_ambiguous"]);
    assert_eq!(decide(&found, None, at("12:35")).change.as_deref(), Some("CHG-2"));
}

#[test]
fn an_unsettled_change_is_go_only_where_both_rows_say_so() {
    let go = row("c1", "CHG-1", State::Scheduled, Purpose::Deploy);
    let mut stop = go.clone();
    stop.state = State::Approved;
    let both = |fresh: &GateRow, written: &GateRow| GateRow {
        written: Some(Box::new(written.clone())),
        ..fresh.clone()
    };
    assert!(codes(&[both(&go, &go)], None).is_empty());
    for (fresh, written) in [(&go, &stop), (&stop, &go), (&stop, &stop)] {
        assert_eq!(codes(&[both(fresh, written)], None), ["not_scheduled"]);
    }
    let mut twin = both(&go, &stop);
    (twin.change, twin.key) = ("c2".into(), "CHG-2".to_owned());
    assert_eq!(
        codes(&[go, twin], None),
        ["change_ambiguous"],
        "as it will be once the second one is written"
    );
}

#[test]
fn two_targets_of_one_change_are_one_change() {
    let one = row("c1", "CHG-1", State::Implementing, Purpose::Deploy);
    let mut two = one.clone();
    two.target = "2".into();
    assert!(codes(&[one.clone(), two.clone()], None).is_empty());
    let mut done = one;
    done.is_done = true;
    assert_eq!(
        decide(&[done, two], None, at("11:20")).target.unwrap().1.as_str(),
        "2",
        "the one that is still open"
    );
}

#[test]
fn a_way_back_is_not_hidden_by_what_goes_forward() {
    let back = row("c1", "CHG-1", State::Implementing, Purpose::Rollback);
    let draft = row("c2", "CHG-2", State::Draft, Purpose::Deploy);
    let answer = decide(&[back.clone(), draft], None, at("11:20"));
    assert_eq!((answer.decision, answer.purpose), (GateDecision::Go, Purpose::Rollback));
    let other = row("c3", "CHG-3", State::Reviewing, Purpose::Rollback);
    assert_eq!(codes(&[back.clone(), other.clone()], None), ["change_ambiguous"]);
    assert!(codes(&[back, other], Some("CHG-3")).is_empty());
}

#[test]
fn the_window_is_closed_at_its_start_and_open_at_its_end() {
    let one = row("c1", "CHG-1", State::Scheduled, Purpose::Deploy);
    let found = [one];
    for (time, wanted, next) in [
        ("10:59", "window_not_open", Some("11:00")),
        ("11:00", "", Some("13:00")),
        ("12:59", "", Some("13:00")),
        ("13:00", "window_over", None),
    ] {
        let answer = decide(&found, None, at(time));
        let code = answer.reasons.first().map(|row| row.code.clone()).unwrap_or_default();
        assert_eq!(
            (code.as_str(), answer.next_transition_at),
            (wanted, next.map(at)),
            "{time}"
        );
    }
}

#[test]
fn a_freeze_that_lies_ahead_in_the_window_is_named_with_who_may_except_the_change() {
    let span = |from: &str, to: &str| FrozenSpan {
        title: "Books".to_owned(),
        starts_at: at(from),
        ends_at: at(to),
        halt: false,
        waiting_on: vec!["marta".to_owned()],
        major: None,
    };
    let mut unscheduled = row("c1", "CHG-1", State::Approved, Purpose::Deploy);
    unscheduled.frozen = vec![span("12:00", "12:30"), span("13:00", "14:00")];
    let found = [unscheduled];
    assert_eq!(
        codes(&found, None),
        ["not_scheduled", "freeze"],
        "only what lies over its window"
    );
    let told = decide(&found, None, at("11:20")).reasons.remove(1);
    assert!(
        told.text.contains("“Books” lies over the window, from "),
        "{}",
        told.text
    );
    assert_eq!(told.waiting_on, ["marta"]);
    // It goes back to approved for this, and a person who has it scheduled all the same waits for nothing that lies ahead.
    let mut scheduled = row("c1", "CHG-1", State::Scheduled, Purpose::Deploy);
    scheduled.frozen = vec![span("12:00", "12:30")];
    assert_eq!(codes(&[scheduled], None), [""; 0]);
}

#[test]
fn a_target_that_names_nothing_opens_no_gate() {
    let mut words = crate::world::facts();
    words["targets"] = serde_json::json!([{"service": "shop", "environment": "production"}]);
    let world = World::with(words, Vec::new());
    assert!(rows(&world.file, &world.directory, world.now).is_empty());
    for state in [State::Closed, State::Rejected, State::Cancelled] {
        let world = World::in_state(state);
        assert!(rows(&world.file, &world.directory, world.now).is_empty(), "{state}");
    }
}

#[test]
fn a_row_reads_back_from_its_json() {
    for state in State::ALL {
        let world = World::in_state(*state);
        let all = rows(&world.file, &world.directory, world.now);
        for target in &world.file.change.content.targets {
            let own: Vec<_> = all.iter().filter(|row| row.target == target.id).cloned().collect();
            let alone = rows_of_target(&world.file, &world.directory, world.now, &target.id);
            assert_eq!(alone, own, "a target's rows are the same alone");
        }
        for row in rows(&world.file, &world.directory, world.now) {
            let text = serde_json::to_string(&row).unwrap();
            assert!(!text.contains("null"), "{text}");
            assert_eq!(serde_json::from_str::<GateRow>(&text).unwrap(), row);
        }
    }
}
