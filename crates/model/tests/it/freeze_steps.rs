//! Freezes that the business agrees to, and their exceptions.

use jiff::SignedDuration;
use model::core::enums::{FreezeStage, Level, State};
use model::schedule::freeze::{Freeze, FreezeException};
use model::schedule::freeze_steps::{FreezeStep, expected_failures};
use model::schedule::repeat::{Occurrence, Repeat};

use crate::world::{World, at};

fn step(step: FreezeStage) -> FreezeStep {
    FreezeStep {
        step,
        by: "marta".into(),
        at: at("08:00"),
        reason: "The books close.".into(),
        hits: Vec::new(),
    }
}

/// The first freeze of a world, with another text in it.
fn set(world: &mut World, with: impl FnOnce(&mut Freeze)) {
    let mut freeze = world.directory.freezes.iter().next().unwrap().clone();
    with(&mut freeze);
    world.estate(|estate| estate.freezes = vec![freeze].into());
    world.settle();
}

#[test]
fn a_proposed_freeze_stops_nothing_until_it_is_announced() {
    let mut world = World::new().until_scheduled();
    world.freeze("11:00", "13:00", false);
    assert_eq!(world.change().state, State::Approved, "set at once, it stops at once");
    let now = world.now;
    for (steps, stage, state) in [
        (vec![FreezeStage::Proposed], FreezeStage::Proposed, State::Scheduled),
        (
            vec![FreezeStage::Proposed, FreezeStage::Declined],
            FreezeStage::Declined,
            State::Scheduled,
        ),
        (
            vec![FreezeStage::Proposed, FreezeStage::Agreed],
            FreezeStage::Agreed,
            State::Scheduled,
        ),
        (
            vec![FreezeStage::Proposed, FreezeStage::Agreed, FreezeStage::Announced],
            FreezeStage::Announced,
            State::Approved,
        ),
    ] {
        set(&mut world, |freeze| {
            freeze.course.business_owner = Some("solveig".into());
            freeze.course.steps = steps.into_iter().map(step).collect();
        });
        let freeze = world.directory.freezes.iter().next().unwrap();
        assert_eq!(freeze.stage(now), stage);
        assert_eq!(world.change().state, state, "{stage}");
    }
    let freeze = world.directory.freezes.iter().next().unwrap();
    assert_eq!(freeze.stage(at("12:00")), FreezeStage::InForce);
    assert_eq!(freeze.stage(at("13:00")), FreezeStage::Ended);
}

#[test]
fn what_covers_more_than_the_business_agreed_to_asks_it_anew_and_is_no_slip() {
    let mut world = World::new().until_scheduled();
    world.freeze("11:00", "13:00", false);
    let mut freeze = world.directory.freezes.iter().next().unwrap().clone();
    (freeze.set_by, freeze.set_at) = (Some("mia".into()), Some(at("10:30")));
    assert!(freeze.is_slip_of(&"mia".into(), at("10:40")));
    let mut wider = freeze.terms();
    wider.ends_at = at("14:00");
    assert!(!freeze.asks_owner(&wider, at("10:40")), "it has no business owner");
    freeze.course.business_owner = Some("solveig".into());
    freeze.course.steps = [FreezeStage::Proposed, FreezeStage::Agreed, FreezeStage::Announced]
        .map(step)
        .to_vec();
    assert!(!freeze.is_slip_of(&"mia".into(), at("10:40")));
    assert!(freeze.asks_owner(&wider, at("10:40")));
    let mut halting = freeze.terms();
    halting.halt = true;
    assert!(freeze.asks_owner(&halting, at("10:40")));
    assert!(!freeze.asks_owner(&freeze.terms(), at("10:40")));
}

#[test]
fn a_list_made_anew_moves_no_time_that_counts_and_goes_on_behind_it() {
    let mut world = World::new().until_scheduled();
    world.freeze("11:00", "13:00", false);
    let mut freeze = world.directory.freezes.iter().next().unwrap().clone();
    let time = |from: &str, to: &str| Occurrence {
        starts_at: at(from),
        ends_at: at(to),
    };
    let list = |times: &[(&str, &str)], until: &str| Repeat {
        rrule: Some("FREQ=DAILY".into()),
        occurrences: times.iter().map(|(from, to)| time(from, to)).collect(),
        expanded_until: Some(at(until)),
        ..Repeat::default()
    };
    freeze.repeat = list(&[("11:00", "12:00"), ("14:00", "15:00")], "17:00");
    let with = |repeat: Repeat| Freeze {
        repeat,
        ..freeze.clone()
    };
    let longer = list(&[("11:00", "12:00"), ("14:00", "15:00"), ("18:00", "19:00")], "20:00");
    let moved = list(&[("11:00", "12:00"), ("13:00", "14:00"), ("18:00", "19:00")], "20:00");
    let more = list(&[("11:00", "12:00"), ("14:00", "16:00")], "20:00");
    let now = at("10:30");
    assert!(!freeze.moves_times(&with(longer.clone()), now), "the list only goes on");
    assert!(freeze.moves_times(&with(moved.clone()), now));
    assert!(!freeze.moves_times(&with(moved.clone()), at("16:00")), "they are past");
    assert!(!freeze.moves_times(&with(more.clone()), now), "nobody agreed to less");
    assert_eq!(moved.keeping(&freeze.repeat, now), longer);

    let mut agreed = freeze.clone();
    agreed.course.business_owner = Some("solveig".into());
    assert!(!agreed.moves_times(&with(moved), now), "it is not announced");
    agreed.course.steps = [FreezeStage::Proposed, FreezeStage::Agreed, FreezeStage::Announced]
        .map(step)
        .to_vec();
    let with_owner = |repeat: Repeat| Freeze {
        repeat,
        ..agreed.clone()
    };
    assert!(agreed.moves_times(&with_owner(more), now), "they agreed to less");
    assert!(!agreed.moves_times(&with_owner(longer), now));
}

#[test]
fn a_freeze_keeps_what_it_let_pass_once_that_ends() {
    let mut world = World::new().until_scheduled();
    world.freeze("11:00", "13:00", false);
    let mut freeze = world.directory.freezes.iter().next().unwrap().clone();
    freeze.exceptions.push(FreezeException {
        change: world.change().id.clone(),
        change_key: "CHG-1".into(),
        reason: "Totals are wrong.".into(),
        by: "mia".into(),
        at: at("10:30"),
        what_digest: world.change().digests.what.clone(),
        until: None,
        time: None,
    });
    freeze.end_exceptions(|_| true, Some(&"max".into()), at("12:00"));
    assert!(freeze.exceptions.is_empty());
    let past = &freeze.course.past_exceptions[0];
    assert_eq!((past.by.as_str(), past.ended_at), ("mia", at("12:00")));
    assert_eq!(past.removed_by, Some("max".into()));
    freeze.course.keep_thaw(Some(Level::Low), "mia".into(), at("12:00"));
    let course = &freeze.course;
    assert_eq!(
        (course.thaw_at(at("11:30")), course.thaw_at(at("12:00"))),
        (Some(Level::Low), None)
    );
}

#[test]
fn each_time_of_a_repeating_freeze_stops_and_the_time_between_is_free() {
    let mut world = World::new().until_scheduled();
    world.freeze("05:00", "06:00", false);
    assert_eq!(world.change().state, State::Scheduled, "it is over");
    let planned = world.change().planned_start.unwrap();
    let day = SignedDuration::from_hours(24);
    let times = |first: jiff::Timestamp| {
        let one = |days: i32| Occurrence {
            starts_at: first + day * days,
            ends_at: first + day * days + SignedDuration::from_hours(1),
        };
        Repeat {
            rrule: Some("FREQ=DAILY".into()),
            occurrences: vec![one(0), one(1), one(2)],
            ..Repeat::default()
        }
    };
    set(&mut world, |freeze| freeze.repeat = times(planned - day));
    assert_eq!(world.change().state, State::Approved, "the second time lies over it");
    set(&mut world, |freeze| {
        freeze.repeat = times(planned - day - SignedDuration::from_hours(2))
    });
    assert_eq!(world.change().state, State::Scheduled, "it lies between two times");
}

#[test]
fn an_exception_from_one_time_of_a_freeze_is_none_from_the_next() {
    let mut world = World::new().until_scheduled();
    world.freeze("05:00", "06:00", false);
    let planned = world.change().planned_start.unwrap();
    let time = |days: i32| Occurrence {
        starts_at: planned + SignedDuration::from_hours(24) * days,
        ends_at: planned + SignedDuration::from_hours(24) * days + SignedDuration::from_hours(1),
    };
    set(&mut world, |freeze| {
        freeze.repeat = Repeat {
            rrule: Some("FREQ=DAILY".into()),
            occurrences: vec![time(-1), time(0), time(1)],
            ..Repeat::default()
        }
    });
    assert_eq!(world.change().state, State::Approved);
    let mut exception = FreezeException {
        change: world.change().id.clone(),
        change_key: "CHG-1".into(),
        reason: "Totals are wrong.".into(),
        by: "mia".into(),
        at: world.now,
        what_digest: world.change().digests.what.clone(),
        until: None,
        time: None,
    };
    // Of the time before, of the change's own, of the next one; an older exception is for all times.
    for (named, state) in [
        (Some(time(-1)), State::Approved),
        (Some(time(0)), State::Scheduled),
        (Some(time(1)), State::Approved),
        (None, State::Scheduled),
    ] {
        exception.time = named;
        let rows = vec![exception.clone()];
        set(&mut world, |freeze| freeze.exceptions = rows);
        assert_eq!(world.change().state, state, "{named:?}");
        let freeze = world.directory.freezes.iter().next().unwrap();
        assert_eq!(freeze.excepts(world.change()), state == State::Scheduled, "{named:?}");
        let stopped = freeze.stops_stored(Some(&world.change().id), (time(0).starts_at, time(0).ends_at));
        assert_eq!(stopped, state == State::Approved, "{named:?}");
    }
    // A time that is moved a little keeps its exception; one that is moved away does not.
    exception.time = Some(time(0));
    for (hours, is_kept) in [(0, true), (2, false)] {
        let (rows, by) = (
            vec![exception.clone()],
            SignedDuration::from_mins(30) + SignedDuration::from_hours(hours),
        );
        let moved = Occurrence {
            starts_at: time(0).starts_at + by,
            ends_at: time(0).ends_at + by,
        };
        set(&mut world, |freeze| {
            freeze.exceptions = rows;
            freeze.repeat.occurrences = vec![moved];
        });
        let freeze = world.directory.freezes.iter().next().unwrap();
        assert_eq!(freeze.excepts_at(world.change(), moved.starts_at), is_kept, "{hours}");
    }
}

#[test]
fn a_thaw_lets_changes_of_its_risk_through_and_no_others() {
    let mut world = World::new().until_scheduled();
    world.freeze("11:00", "13:00", false);
    let level = world.change().risk.level;
    set(&mut world, |freeze| freeze.course.thaw_risk = Some(level));
    assert_eq!(world.change().state, State::Scheduled, "{level}");
    if level > Level::None {
        set(&mut world, |freeze| freeze.course.thaw_risk = Some(Level::None));
        assert_eq!(world.change().state, State::Approved);
    }
}

#[test]
fn the_expected_failures_are_the_share_of_the_last_year_for_each_change() {
    let history: Vec<(Level, bool)> = (0..98).map(|number| (Level::Low, number != 0)).collect();
    // (1 + 1) of (98 + 2) for each low change; nothing is known of medium ones.
    assert_eq!(expected_failures(&[Level::Low; 10], &history), "0.20");
    assert_eq!(expected_failures(&[Level::Medium], &history), "0.50");
    assert_eq!(expected_failures(&[], &history), "0.00");
}
