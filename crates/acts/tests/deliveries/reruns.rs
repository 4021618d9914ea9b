//! Reports without a beginning, and runs that are retried under the same key.

use acts::change::verbs;
use jiff::SignedDuration;
use model::change::related_records::Deployment;
use model::core::enums::Purpose;
use model::integration::signal::Signal;
use serde_json::json;
use store::record::{self, Filter};

use crate::{Dice, World, artifact, began, old, orders, status};

fn ready(number: u64) -> (World, String) {
    let world = World::new();
    world.set_clock(began() - SignedDuration::from_mins(30));
    let key = world.planned(artifact(number, 0));
    world.set_clock(began() + SignedDuration::from_mins(30));
    (world, key)
}

#[test]
fn an_end_without_a_beginning_ends_nothing_and_is_not_unauthorized() {
    for word in ["failure", "error", "canceled", "skipped"] {
        let (world, key) = ready(1);
        let (alarms, before) = (world.alarms(), world.changes());
        world.take(status("7", &artifact(1, 0), word, 5));
        // The same of a build that no change names makes none.
        world.take(status("8", &artifact(2, 0), word, 5));
        assert_eq!(world.stands_at(&key)[0], "scheduled", "{word}");
        assert_eq!((world.unauthorized(), world.alarms()), (0, alarms), "{word}");
        assert_eq!(world.changes(), before, "{word}");
        assert!(world.listed().is_empty(), "{word}");
        // A beginning that arrives later was before it: then it is a failure.
        world.take(status("7", &artifact(1, 0), "in_progress", 3));
        assert_eq!(world.stands_at(&key)[1], "failed", "{word}");
        assert_eq!(world.unauthorized(), 0, "{word}");
    }
}

#[test]
fn a_refusal_before_the_beginning_leaves_the_way_open() {
    let (world, key) = ready(1);
    world.take(status("7", &artifact(1, 0), "failure", 2));
    world.take(status("7", &artifact(1, 0), "in_progress", 5));
    assert_eq!(world.stands_at(&key)[0], "implementing");
    world.take(status("7", &artifact(1, 0), "success", 9));
    assert_eq!(world.stands_at(&key)[1], "succeeded");
}

/// For a person's work no system reported a beginning: a failure ends it, a stop or an omission does not.
#[test]
fn a_stop_that_no_beginning_was_told_of_ends_no_work_that_a_person_began() {
    let ends = [
        ("failure", Some("failed")),
        ("error", Some("failed")),
        ("canceled", None),
        ("skipped", None),
    ];
    for (word, outcome) in ends {
        let (world, key) = ready(1);
        let begun = key.clone();
        world.system(move |cx| verbs::start_change(cx, &begun));
        world.set_clock(began() + SignedDuration::from_mins(40));
        world.take(status("7", &artifact(1, 0), word, 35));
        assert_eq!(world.stands_at(&key)[1], json!(outcome), "{word}");
        assert_eq!(world.unauthorized(), 0, "{word}");
    }
}

/// A rollback that the gate refuses fails there before its first step.
#[test]
fn a_way_back_that_never_began_has_failed_only_where_it_was_taken() {
    let stories = ["failure", "error", "canceled", "skipped"].map(|word| {
        [
            (word, false, false),
            (word, false, true),
            (word, true, false),
            (word, true, true),
        ]
    });
    for (word, is_taken, is_turned) in stories.into_iter().flatten() {
        let world = World::new();
        world.set_clock(began() - SignedDuration::from_mins(30));
        let key = world.planned_with_way_back(artifact(1, 0), old(1, 0));
        world.set_clock(began() + SignedDuration::from_mins(10));
        world.take(status("there", &artifact(1, 0), "in_progress", 2));
        if is_taken {
            assert!(world.is_let(&old(1, 0), Purpose::Rollback), "{word}");
        }
        world.set_clock(began() + SignedDuration::from_mins(30));
        let mut words = [
            status("there", &artifact(1, 0), "success", 8),
            status("back", &old(1, 0), word, 12),
        ];
        if is_turned {
            words.reverse();
        }
        for word in words {
            world.take(word);
        }
        let has_failed = is_taken && matches!(word, "failure" | "error");
        let outcome = if has_failed { "rollback_failed" } else { "succeeded" };
        assert_eq!(world.stands_at(&key)[1], outcome, "{word} {is_taken} {is_turned}");
        assert_eq!(world.unauthorized(), 0, "{word} {is_taken} {is_turned}");
    }
}

/// A report of a run that is retried: its statuses are named by their times.
fn again(word: &str, minutes: i64) -> Signal {
    let Signal::DeploymentStatus(mut told) = status("7", &artifact(1, 0), word, minutes) else {
        unreachable!("a status was made");
    };
    told.status_id = format!("7/{word}@{minutes}");
    Signal::DeploymentStatus(told)
}

#[test]
fn a_run_that_is_tried_again_turns_no_failure_into_a_success_in_any_order() {
    for number in 0..orders(60) {
        let mut words = vec![
            again("in_progress", 1),
            again("failure", 4),
            again("in_progress", 6),
            again("success", 9),
        ];
        let mut dice = Dice(number);
        for last in (1..words.len()).rev() {
            words.swap(last, usize::try_from(dice.below(last as u64 + 1)).unwrap());
        }
        let (world, key) = ready(1);
        for word in &words {
            world.take(word.clone());
        }
        assert_eq!(world.stands_at(&key)[1], "failed", "order {number}: {words:#?}");
        assert_eq!(world.unauthorized(), 1, "order {number}: {words:#?}");
        let mut keys: Vec<String> = world
            .system(|cx| Ok(record::bodies::<Deployment>(cx.tx, &Filter::new().order_by("id"))?))
            .into_iter()
            .map(|it| it.natural_key)
            .collect();
        keys.sort_unstable();
        assert_eq!(keys, ["pay#7", "pay#7~2"], "order {number}");
    }
}
