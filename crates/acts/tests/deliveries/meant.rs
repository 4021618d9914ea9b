//! The target that a signal is about, and whether the signal may move it: artifact and commit must agree, a deployment from
//! before a start is no rollback of it, and work under way goes on only where the gate would have let it.

use acts::change::{create_change, verbs};
use acts::schedule::set_freeze;
use jiff::SignedDuration;
use model::change::related_records::Deployment;
use model::integration::signal::Signal;
use serde_json::{Value, json};
use store::audit::event;
use store::record::{self, Filter};

use crate::{World, artifact, asked, began, body, old, stands, status, test_ways_back};

const COMMIT: &str = "1111111111111111111111111111111111111111";

/// The same report with a commit beside the artifact, as most senders have it.
pub(crate) fn with_commit(signal: Signal) -> Signal {
    match signal {
        Signal::DeploymentStatus(mut told) => {
            COMMIT.clone_into(&mut told.commit);
            Signal::DeploymentStatus(told)
        }
        other => other,
    }
}

impl World {
    /// A scheduled standard change with these targets in a window from an hour before the beginning to four after it.
    fn planned_for(&self, targets: &[Value]) -> String {
        let targets = json!(targets);
        self.set_clock(began() - SignedDuration::from_mins(30));
        self.by("rita", move |cx| {
            let request = json!({
                "kind": "standard", "template": "deploy-pay", "title": "Deploy pay", "targets": targets,
                "planned_start": "2026-11-20T09:00:00Z", "planned_end": "2026-11-20T14:00:00Z",
            });
            let key = create_change::create_change(cx, &body(request), &[])?;
            verbs::submit_change(cx, &key)?;
            test_ways_back(cx, &key)?;
            Ok(key)
        })
    }

    /// The outcomes of a change's targets in their order.
    pub(crate) fn ends(&self, key: &str) -> Vec<Value> {
        let key = key.to_owned();
        self.system(move |cx| {
            let change = cx.change(&key)?;
            Ok(change.target_records.iter().map(|it| json!(it.outcome)).collect())
        })
    }

    /// The rollback targets that the events of failed deployments name.
    fn to_go_back_to(&self) -> Vec<Value> {
        self.system(|cx| {
            let mut named = Vec::new();
            for deployment in record::bodies::<Deployment>(cx.tx, &Filter::new().order_by("id"))? {
                let events = event::of_subject(cx.tx, "deployment", deployment.id.as_str())?;
                let failed = events.iter().filter(|event| event.kind == "deployment.failed");
                let leaf = |event: &event::Event| serde_json::from_slice::<Value>(&event.bytes).unwrap();
                named.extend(failed.map(|event| leaf(event)["data"]["rollback_to"].clone()));
            }
            Ok(named)
        })
    }
}

fn target(number: u64) -> Value {
    json!({
        "service": "pay", "environment": "production", "artifact": artifact(number, 0), "commit": COMMIT,
        "rollback_to": old(number, 0),
    })
}

#[test]
fn a_way_back_that_is_told_with_the_commit_that_it_leads_back_from_is_one() {
    let world = World::new();
    let key = world.planned_for(&[target(1)]);
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(with_commit(status("there", &artifact(1, 0), "in_progress", 2)));
    world.take(with_commit(status("back", &old(1, 0), "success", 9)));
    assert_eq!(world.ends(&key), [json!("rolled_back")]);
    // The same after the way forward had failed.
    let key = world.planned_for(&[target(2)]);
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(with_commit(status("there-2", &artifact(2, 0), "in_progress", 2)));
    world.take(with_commit(status("there-2", &artifact(2, 0), "failure", 3)));
    assert_eq!(world.ends(&key), [json!("failed")]);
    world.take(with_commit(status("back-2", &old(2, 0), "success", 9)));
    assert_eq!(world.ends(&key), [json!("rolled_back")]);
}

#[test]
fn an_artifact_that_no_target_names_moves_none_whatever_commit_stands_beside_it() {
    let world = World::new();
    let key = world.planned_for(&[target(1)]);
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(with_commit(status("other", &artifact(7, 0), "success", 9)));
    assert_eq!(world.ends(&key), [Value::Null]);
    let state = world.system(move |cx| Ok(cx.change(&key)?.state.to_string()));
    assert_eq!(state, "scheduled");
}

#[test]
fn of_two_targets_with_one_commit_the_one_whose_artifact_is_told_is_moved_and_led_back() {
    let world = World::new();
    let key = world.planned_for(&[target(1), target(2)]);
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(with_commit(status("second", &artifact(2, 0), "in_progress", 8)));
    world.take(with_commit(status("second", &artifact(2, 0), "failure", 9)));
    assert_eq!(world.ends(&key), [Value::Null, json!("failed")]);
    assert_eq!(world.to_go_back_to(), [json!(old(2, 0))]);
    world.take(with_commit(status("first", &artifact(1, 0), "success", 10)));
    assert_eq!(world.ends(&key), [json!("succeeded"), json!("failed")]);
}

#[test]
fn what_went_out_before_a_start_is_no_way_back_from_it_also_when_it_is_told_after() {
    let world = World::new();
    let key = world.planned_for(&[target(1)]);
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(status("there", &artifact(1, 0), "in_progress", 20));
    world.take(status("late", &old(1, 0), "success", 4));
    assert_eq!(world.ends(&key), [Value::Null], "it is still under way");
    assert_eq!(stands(&world, &artifact(1, 0), "there").0, json!("implementing"));
    world.take(status("back", &old(1, 0), "success", 25));
    assert_eq!(world.ends(&key), [json!("rolled_back")]);
}

#[test]
fn what_is_told_while_a_freeze_halts_moves_no_target_that_had_not_begun() {
    let world = World::new();
    let key = world.planned_for(&[target(1), target(2), target(3)]);
    world.set_clock(began() + SignedDuration::from_mins(10));
    world.take(status("first", &artifact(1, 0), "in_progress", 2));
    let freeze = json!({
        "title": "Halt", "starts_at": "2026-11-20T10:20:00Z", "ends_at": "2026-11-20T11:00:00Z", "services": ["pay"],
        "halt": true,
    });
    world.by("mona", move |cx| {
        set_freeze::set_freeze(cx, &body(freeze.clone())).map(drop)
    });
    world.set_clock(began() + SignedDuration::from_mins(50));
    let alarms = world.alarms();
    world.take(status("second", &artifact(2, 0), "in_progress", 30));
    world.take(status("second", &artifact(2, 0), "success", 35));
    assert_eq!(world.ends(&key), [Value::Null, Value::Null, Value::Null]);
    assert!(world.alarms() > alarms, "it is unauthorized, and they learn it");
    // Work that had begun before goes on, and late reports from before the freeze are judged by when they occurred.
    world.take(status("first", &artifact(1, 0), "success", 40));
    world.take(status("third", &artifact(3, 0), "success", 15));
    assert_eq!(world.ends(&key), [json!("succeeded"), Value::Null, json!("succeeded")]);
}

#[test]
fn what_is_told_after_the_end_moves_no_target_that_had_not_begun() {
    let world = World::new();
    let key = world.planned_for(&[target(4), target(5)]);
    world.set_clock(began() + SignedDuration::from_mins(10));
    world.take(status("fourth", &artifact(4, 0), "in_progress", 2));
    world.set_clock(began() + SignedDuration::from_hours(5));
    world.take(status("fifth", &artifact(5, 0), "success", 290));
    assert_eq!(world.ends(&key), [Value::Null, Value::Null]);
    world.take(status("fourth", &artifact(4, 0), "success", 295));
    assert_eq!(world.ends(&key), [json!("succeeded"), Value::Null]);
}

#[test]
fn a_start_by_hand_makes_nothing_lawful_that_went_before_the_window() {
    let world = World::new();
    let key = world.planned_for(&[target(1)]);
    let begin = key.clone();
    world.system(move |cx| verbs::start_change(cx, &begin));
    world.set_clock(began());
    world.take(status("early", &artifact(1, 0), "in_progress", -70));
    let from = world.outcome(&artifact(1, 0), "early");
    assert_eq!(from["changes"][0]["from"], json!("2026-11-20T09:30:00Z"), "{from:#}");
    assert_eq!(from["deployments"][0]["unauthorized"], json!(true));
    assert!(
        world
            .system(|cx| Ok(record::bodies::<Deployment>(cx.tx, &Filter::new().order_by("id"))?))
            .iter()
            .all(|it| it.change_key.as_deref() == Some(key.as_str()))
    );
}

#[test]
fn what_was_asked_for_before_a_halt_and_begins_during_it_is_unauthorized() {
    let world = World::new();
    let key = world.planned_for(&[target(1), target(2)]);
    world.set_clock(began() + SignedDuration::from_mins(10));
    world.take(status("first", &artifact(1, 0), "in_progress", 2));
    world.take(asked("second", &artifact(2, 0), 5));
    let freeze = json!({
        "title": "Halt", "starts_at": "2026-11-20T10:20:00Z", "ends_at": "2026-11-20T11:00:00Z", "services": ["pay"],
        "halt": true,
    });
    world.by("mona", move |cx| {
        set_freeze::set_freeze(cx, &body(freeze.clone())).map(drop)
    });
    world.set_clock(began() + SignedDuration::from_mins(50));
    let alarms = world.alarms();
    world.take(status("second", &artifact(2, 0), "in_progress", 40));
    world.take(status("second", &artifact(2, 0), "success", 45));
    assert_eq!(world.ends(&key), [Value::Null, Value::Null]);
    assert!(world.alarms() > alarms, "it began while the freeze halted it");
}

#[test]
fn a_start_in_a_window_that_was_missed_is_lawful_also_once_new_times_are_planned() {
    let world = World::new();
    let key = world.planned_for(&[target(1), target(2)]);
    world.runs_timers(&key, began() + SignedDuration::from_hours(5));
    let planned = key.clone();
    world.by("rita", move |cx| {
        let times = json!({"planned_start": "2026-11-21T09:00:00Z", "planned_end": "2026-11-21T14:00:00Z"});
        verbs::schedule_change(cx, &planned, &body(times)).map(drop)
    });
    let alarms = world.alarms();
    world.take(status("first", &artifact(1, 0), "in_progress", 30));
    world.take(status("second", &artifact(2, 0), "success", 35));
    world.take(status("first", &artifact(1, 0), "success", 40));
    assert_eq!(world.ends(&key), [json!("succeeded"), json!("succeeded")]);
    assert_eq!(world.alarms(), alarms, "both went out while the gate stood open");
}

#[test]
fn an_end_after_the_window_is_taken_up_by_its_start_that_is_told_after_it() {
    let world = World::new();
    let key = world.planned_for(&[target(1), target(2)]);
    world.set_clock(began() + SignedDuration::from_mins(10));
    world.take(status("first", &artifact(1, 0), "in_progress", 2));
    world.set_clock(began() + SignedDuration::from_hours(5));
    world.take(status("second", &artifact(2, 0), "failure", 245));
    assert_eq!(world.ends(&key), [Value::Null, Value::Null]);
    world.take(status("second", &artifact(2, 0), "in_progress", 236));
    assert_eq!(world.ends(&key), [Value::Null, json!("failed")]);
    let from = world.outcome(&artifact(2, 0), "second");
    assert_eq!(from["deployments"][0]["unauthorized"], json!(false), "{from:#}");
    assert_eq!(
        world.to_go_back_to(),
        [json!(old(2, 0))],
        "what follows a failure followed"
    );
}

#[test]
fn a_way_back_that_fails_leaves_its_target_open_until_one_succeeds() {
    let world = World::new();
    let key = world.planned_for(&[target(1)]);
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(status("there", &artifact(1, 0), "success", 3));
    assert_eq!(world.ends(&key), [json!("succeeded")]);
    let alarms = world.alarms();
    world.take(status("back", &old(1, 0), "in_progress", 8));
    world.take(status("back", &old(1, 0), "failure", 9));
    assert_eq!(world.ends(&key), [json!("rollback_failed")]);
    assert_eq!(world.alarms(), alarms, "it was allowed");
    world.take(status("back-2", &old(1, 0), "success", 12));
    assert_eq!(world.ends(&key), [json!("rolled_back")]);
    // An older attempt that is reported late changes nothing.
    world.take(status("back-0", &old(1, 0), "in_progress", 6));
    world.take(status("back-0", &old(1, 0), "failure", 7));
    assert_eq!(world.ends(&key), [json!("rolled_back")]);
}

#[test]
fn a_failed_way_back_ends_alike_in_every_order() {
    let told = [
        status("there", &artifact(1, 0), "in_progress", 2),
        status("there", &artifact(1, 0), "success", 3),
        status("back", &old(1, 0), "in_progress", 8),
        status("back", &old(1, 0), "failure", 9),
    ];
    let mut ends = Vec::new();
    let orders = [
        [0, 1, 2, 3],
        [0, 2, 1, 3],
        [0, 2, 3, 1],
        [2, 0, 1, 3],
        [2, 0, 3, 1],
        [2, 3, 0, 1],
    ];
    for order in orders {
        let world = World::new();
        let key = world.planned_for(&[target(1)]);
        world.set_clock(began() + SignedDuration::from_mins(30));
        for place in order {
            world.take(told[place].clone());
        }
        let state = world.ends(&key);
        ends.push((state, world.system(move |cx| Ok(cx.change(&key)?.state.to_string()))));
    }
    assert!(ends.iter().all(|it| *it == ends[0]), "{ends:#?}");
    assert_eq!(ends[0], (vec![json!("rollback_failed")], "reviewing".to_owned()));
}

#[test]
fn a_deployment_of_what_never_ran_there_is_no_way_back() {
    let world = World::new();
    let first = world.planned_for(&[target(1)]);
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(status("one", &artifact(1, 0), "success", 3));
    assert_eq!(world.ends(&first), [json!("succeeded")]);
    // Another change names a build that neither runs there nor was tested.
    world.set_clock(began() - SignedDuration::from_mins(30));
    let key = world.by("rita", |cx| {
        let request = json!({
            "kind": "standard", "template": "deploy-pay", "title": "Deploy pay", "targets": [target(2)],
            "planned_start": "2026-11-20T09:00:00Z", "planned_end": "2026-11-20T14:00:00Z",
        });
        let key = create_change::create_change(cx, &body(request), &[])?;
        verbs::submit_change(cx, &key)?;
        Ok(key)
    });
    world.set_clock(began() + SignedDuration::from_mins(60));
    world.take(status("two", &artifact(2, 0), "success", 40));
    assert_eq!(world.ends(&key), [json!("succeeded")]);
    let alarms = world.alarms();
    world.take(status("two-back", &old(2, 0), "success", 45));
    assert_eq!(world.ends(&key), [json!("succeeded")], "it is no way back");
    assert!(world.alarms() > alarms, "and nobody allowed it");
}
