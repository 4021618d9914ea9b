//! The runbook: steps that are skipped, taken back, watched, and reported later.

use jiff::{SignedDuration, Timestamp};
use model::change::work::steps::{Run, StepStatus};
use model::change::work::{self, steps};
use model::core::enums::{EntryKind, Outcome};
use model::core::ids::RecordId;
use model::core::refusal::Refusal;
use serde_json::{Value, json};

use crate::world::{World, at, body, code, facts_but, fields};

/// A change whose second of three steps is a watch of ten minutes, under way since 11:10.
fn under_way() -> World {
    let plan = json!([
        {"title": "Roll out", "minutes": 10},
        {"title": "Watch it", "minutes": 10, "watch": true},
        {"title": "Tell support"},
    ]);
    let world = World::with(
        facts_but(json!({"plan": plan, "implementers": ["ida", "tom"], "tester": null})),
        Vec::new(),
    );
    world.until_implementing()
}

fn say_as(world: &mut World, who: &str, words: Value) -> Result<RecordId, Refusal> {
    let entry = body(words);
    let earlier = world.file.entries.clone();
    world.act(who, |case| work::record(case, &entry, &earlier))
}

fn say(world: &mut World, words: Value) -> Result<RecordId, Refusal> {
    say_as(world, "ida", words)
}

fn done(step: i64) -> Value {
    json!({"text": "Done", "kind": "step", "step": step})
}

fn standing(world: &World, step: i64) -> StepStatus {
    Run::of(world.change(), EntryKind::Step, &world.file.entries).standing(step)
}

fn proposed(world: &World) -> Option<Outcome> {
    Run::of(world.change(), EntryKind::Step, &world.file.entries).outcome()
}

#[test]
fn a_watch_ends_after_its_minutes_and_after_the_steps_before_it() {
    let mut world = under_way();
    world.now = at("11:25");
    assert_eq!(code(say(&mut world, done(2))), "watch_not_begun");
    say(&mut world, done(1)).unwrap();
    world.now = at("11:34");
    assert_eq!(code(say(&mut world, done(2))), "watch_goes_on");
    let early = json!({"text": "Done", "step": 2, "occurred_at": "2026-11-20T11:26:00Z"});
    assert_eq!(
        code(say(&mut world, early)),
        "watch_goes_on",
        "an earlier time ends it no sooner"
    );
    world.now = at("11:35");
    say(&mut world, done(2)).unwrap();
    assert_eq!(standing(&world, 2), StepStatus::Done);
}

fn begun(step: i64) -> Value {
    json!({"text": "Begins", "kind": "begin", "step": step})
}

#[test]
fn a_step_runs_since_its_begin_and_begins_once() {
    let mut world = under_way();
    let since =
        |world: &World, step: i64| Run::of(world.change(), EntryKind::Step, &world.file.entries).runs_since(step);
    assert_eq!(
        fields(say(&mut world, json!({"text": "Begins", "kind": "begin"})))[0].0,
        "step"
    );
    assert_eq!(fields(say(&mut world, begun(4)))[0].0, "step", "the plan has three");
    world.now = at("11:15");
    say(&mut world, begun(1)).unwrap();
    say_as(&mut world, "tom", begun(3)).unwrap();
    assert_eq!(code(say_as(&mut world, "tom", begun(1))), "step_begun");
    assert_eq!(standing(&world, 1), StepStatus::Planned, "a begin ends nothing");
    world.now = at("11:20");
    say(&mut world, done(1)).unwrap();
    assert_eq!(code(say(&mut world, begun(1))), "step_begun", "it is over");
    assert_eq!(since(&world, 1), Some(at("11:15")));
    assert_eq!(since(&world, 2), Some(at("11:20")), "nobody noted its begin");
    assert_eq!(since(&world, 3), Some(at("11:15")));
}

#[test]
fn a_begin_noted_early_shortens_no_watch() {
    let mut world = under_way();
    world.now = at("11:12");
    say(&mut world, begun(2)).unwrap();
    world.now = at("11:25");
    say(&mut world, done(1)).unwrap();
    world.now = at("11:34");
    assert_eq!(code(say(&mut world, done(2))), "watch_goes_on");
    world.now = at("11:35");
    say(&mut world, done(2)).unwrap();
}

#[test]
fn a_begin_during_a_rollback_is_about_the_way_back() {
    let mut world = under_way();
    say(&mut world, begun(1)).unwrap();
    world.now = at("11:20");
    say(&mut world, json!({"text": "It does not answer", "kind": "rollback"})).unwrap();
    say(&mut world, begun(1)).unwrap();
    let back = Run::of(world.change(), EntryKind::Rollback, &world.file.entries);
    assert_eq!(back.begin_of(1).map(|entry| entry.occurred_at), Some(at("11:20")));
}

#[test]
fn no_success_is_told_before_a_watch_is_over_or_skipped() {
    let mut world = under_way();
    let success = json!({"outcome": "succeeded"});
    world.now = at("11:25");
    assert_eq!(
        code(world.complete("ida", success.clone())),
        "watch_goes_on",
        "it has not begun"
    );
    say(&mut world, done(1)).unwrap();
    world.now = at("11:34");
    assert_eq!(code(world.complete("ida", success.clone())), "watch_goes_on");
    let with_issues = json!({"outcome": "succeeded_with_issues"});
    assert_eq!(code(world.complete("ida", with_issues)), "watch_goes_on");
    let mut failed = under_way();
    failed.complete("ida", json!({"outcome": "rolled_back"})).unwrap();
    let mut skipped = under_way();
    say(
        &mut skipped,
        json!({"text": "The dashboard is down", "step": 2, "skipped": true}),
    )
    .unwrap();
    skipped.complete("ida", success.clone()).unwrap();
    world.now = at("11:35");
    world.complete("ida", success).unwrap();
}

#[test]
fn a_step_is_skipped_with_a_reason_only() {
    let mut world = under_way();
    say(&mut world, done(1)).unwrap();
    assert_eq!(
        fields(say(&mut world, json!({"kind": "step", "step": 2, "skipped": true})))[0].0,
        "text"
    );
    let nothing = json!({"text": "Why", "kind": "deviation", "step": 2, "skipped": true});
    assert_eq!(fields(say(&mut world, nothing))[0].0, "skipped");
    say(
        &mut world,
        json!({"text": "The dashboard is down", "step": 2, "skipped": true}),
    )
    .unwrap();
    assert_eq!(standing(&world, 2), StepStatus::Skipped);
    assert_eq!(world.file.entries.last().unwrap().text, "The dashboard is down");
    assert_eq!(proposed(&world), None, "a step is open");
    say(&mut world, done(3)).unwrap();
    assert_eq!(proposed(&world), Some(Outcome::SucceededWithIssues));
}

#[test]
fn a_tap_is_taken_back_within_minutes_by_its_person_and_stays_in_the_log() {
    let mut world = under_way();
    let first = say(&mut world, done(1)).unwrap();
    let back = json!({"text": "A slip", "kind": "step", "withdraws": first});
    assert_eq!(code(say_as(&mut world, "tom", back.clone())), "not_your_entry");
    world.now += SignedDuration::from_mins(4);
    say(&mut world, back.clone()).unwrap();
    assert_eq!(standing(&world, 1), StepStatus::Planned);
    assert_eq!(world.file.entries.len(), 2, "nothing is removed");
    assert_eq!(
        fields(say(&mut world, back))[0].0,
        "withdraws",
        "it is taken back already"
    );
    let second = say(&mut world, done(1)).unwrap();
    world.now += SignedDuration::from_mins(6);
    let late = json!({"text": "Too late", "withdraws": second});
    assert_eq!(code(say(&mut world, late.clone())), "undo_too_late");
    let backdated =
        json!({"text": "Too late", "withdraws": second, "occurred_at": world.file.entries[2].at.to_string()});
    assert_eq!(
        code(say(&mut world, backdated)),
        "undo_too_late",
        "a typed time makes it no earlier"
    );
}

#[test]
fn a_step_back_that_was_tapped_by_mistake_is_no_way_back() {
    let mut world = under_way();
    say(&mut world, json!({"text": "Back", "kind": "rollback"})).unwrap();
    let walked = say(&mut world, json!({"text": "One", "kind": "rollback", "step": 1})).unwrap();
    assert!(world.change().way_back_taken);
    say(
        &mut world,
        json!({"text": "A slip", "kind": "step", "withdraws": walked}),
    )
    .unwrap();
    assert!(!world.change().way_back_taken);
}

/// The request of a device that kept a tap: its clock runs so many seconds ahead of the server's.
fn kept(step: i64, tapped_at: Timestamp, now: Timestamp, ahead: i64) -> Value {
    let by_its_clock = |at: Timestamp| (at + SignedDuration::from_secs(ahead)).to_string();
    json!({"text": "Done", "step": step, "occurred_at": by_its_clock(tapped_at), "sent_at": by_its_clock(now), "tap": format!("tap-{step}")})
}

#[test]
fn a_tap_that_was_kept_has_its_own_time_whatever_the_clock_of_the_device() {
    for ahead in [0, 20, -20, 300, -7_200] {
        let mut world = under_way();
        world.now = at("12:00");
        say(&mut world, kept(1, at("11:20"), at("12:00"), ahead)).unwrap();
        let entry = world.file.entries.last().unwrap();
        let off = entry.occurred_at.duration_since(at("11:20")).as_secs().abs();
        assert!(off <= 30, "{ahead}: {}", entry.occurred_at);
        assert_eq!(entry.at, at("12:00"), "both times are kept");
        assert_eq!(entry.clock_ahead_seconds, Some(ahead).filter(|it| it.abs() > 30));
        say(&mut world, kept(2, at("11:31"), at("12:00"), ahead)).unwrap();
    }
}

#[test]
fn a_tap_lies_neither_ahead_nor_before_the_start_nor_by_a_clock_that_is_set_wrong() {
    let mut world = under_way();
    world.now = at("12:00");
    for (words, field) in [
        (kept(1, at("11:05"), at("12:00"), 0), "occurred_at"),
        (kept(1, at("12:05"), at("12:00"), 0), "occurred_at"),
        (kept(1, at("11:20"), at("12:00"), 100_000), "sent_at"),
        (
            json!({"text": "Done", "step": 1, "occurred_at": "2026-11-20T11:05:00Z"}),
            "occurred_at",
        ),
    ] {
        assert_eq!(fields(say(&mut world, words.clone()))[0].0, field, "{words}");
    }
    assert!(world.file.entries.is_empty());
}

#[test]
fn a_tap_that_arrives_again_is_the_same_and_nobody_else_s() {
    let mut world = under_way();
    world.now = at("12:00");
    let words = kept(1, at("11:20"), at("12:00"), 0);
    let id = say(&mut world, words.clone()).unwrap();
    let earlier = world.file.entries.clone();
    let again = |who: &str, words: &Value| work::repeated(&who.into(), &body(words.clone()), &earlier);
    assert_eq!(again("ida", &words).unwrap(), Some(id));
    assert_eq!(code(again("tom", &words)), "tap_reused");
    let mut other = words.clone();
    other["step"] = json!(2);
    assert_eq!(code(again("ida", &other)), "tap_reused");
    other["tap"] = json!("tap-2");
    assert_eq!(again("ida", &other).unwrap(), None);
    // A device without a connection names the entry to undo by its own key.
    say(
        &mut world,
        json!({"text": "A slip", "withdraws": "tap-1", "occurred_at": "2026-11-20T11:21:00Z",
        "sent_at": "2026-11-20T12:00:00Z", "tap": "tap-3"}),
    )
    .unwrap();
    assert_eq!(standing(&world, 1), StepStatus::Planned);
    assert_eq!(steps::counted(&world.file.entries).len(), 0);
}

#[test]
fn what_the_steps_add_up_to_is_proposed() {
    let mut world = under_way();
    assert_eq!(proposed(&world), None);
    say(&mut world, done(1)).unwrap();
    say(&mut world, json!({"text": "It went down", "kind": "issue", "step": 2})).unwrap();
    assert_eq!(standing(&world, 2), StepStatus::Failed);
    assert_eq!(proposed(&world), Some(Outcome::Failed));
    world.now += SignedDuration::from_mins(10);
    say(&mut world, done(2)).unwrap();
    say(&mut world, done(3)).unwrap();
    assert_eq!(
        proposed(&world),
        Some(Outcome::SucceededWithIssues),
        "something went wrong on the way"
    );
}
