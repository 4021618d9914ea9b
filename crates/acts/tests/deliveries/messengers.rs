//! Several systems report one deployment: whatever comes first, there is one deployment with one outcome, and no draft beside
//! it.

use acts::integration::{set_connection, take_delivery};
use jiff::SignedDuration;
use model::change::record::Change;
use model::change::related_records::Deployment;
use model::integration::signal::Signal;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::{Dice, IN_ONE_WORLD, World, artifact, asked, began, body, orders, status};

impl World {
    /// A connection of a kind whose repository is the service here; its id.
    pub(crate) fn connect(&self, kind: &'static str, repository: &'static str) -> String {
        self.by("ada", move |cx| {
            let map = json!([{"repository": repository, "service": "pay", "environments": {"prod": "production"}}]);
            let request = json!({"kind": kind, "name": kind, "owner": "rita", "map": map});
            Ok(set_connection::create_connection(cx, &body(request))?.0.id.0)
        })
    }

    /// A signal that comes by a connection.
    pub(crate) fn take_by(&self, connection: &str, signal: Signal) -> String {
        let connection = connection.to_owned();
        self.system(move |cx| take_delivery::take_signal(cx, &connection, &signal))
    }

    /// How many changes there are.
    pub(crate) fn changes(&self) -> usize {
        self.system(|cx| Ok(record::bodies::<Change>(cx.tx, &Filter::new().order_by("id"))?.len()))
    }

    /// How many deployments count as unauthorized.
    pub(crate) fn unauthorized(&self) -> usize {
        self.system(|cx| {
            let rows = record::bodies::<Deployment>(cx.tx, &Filter::new().order_by("id"))?;
            Ok(rows.iter().filter(|it| it.unauthorized).count())
        })
    }

    /// State, outcome and beginning of a change.
    pub(crate) fn stands_at(&self, key: &str) -> Value {
        let key = key.to_owned();
        self.system(move |cx| {
            let change = cx.change(&key)?;
            Ok(json!([change.state, change.outcome, change.actual_start]))
        })
    }
}

/// A signal from a repository of another name.
pub(crate) fn of(repository: &str, mut signal: Signal) -> Signal {
    match &mut signal {
        Signal::Deployment(told) => repository.clone_into(&mut told.repository),
        Signal::DeploymentStatus(told) => repository.clone_into(&mut told.repository),
        _ => {}
    }
    signal
}

const GITHUB: &str = "acme/pay";
const GITLAB: &str = "group/pay";

/// All orders of four things.
fn all_orders() -> Vec<[usize; 4]> {
    let mut all = Vec::new();
    for a in 0..4 {
        for b in (0..4).filter(|it| *it != a) {
            for c in (0..4).filter(|it| *it != a && *it != b) {
                all.push([a, b, c, 6 - a - b - c]);
            }
        }
    }
    all
}

/// The reports of two systems on a build, in order.
fn told_of(build: &str, number: u64, (theirs, ours): (&str, &str)) -> [(usize, Signal); 4] {
    let (lab, hub) = (format!("lab-{number}"), format!("hub-{number}"));
    [
        (0, of(GITLAB, status(&lab, build, "in_progress", 2))),
        (0, of(GITLAB, status(&lab, build, theirs, 9))),
        (1, of(GITHUB, status(&hub, build, "in_progress", 3))),
        (1, of(GITHUB, status(&hub, build, ours, 10))),
    ]
}

#[test]
fn two_systems_tell_of_one_deployment_in_all_orders() {
    for (ends, outcome) in [
        (("success", "success"), "succeeded"),
        (("failure", "failure"), "failed"),
        (("success", "failure"), "failed"),
        (("failure", "success"), "failed"),
    ] {
        let world = World::new();
        let connections = [world.connect("gitlab", GITLAB), world.connect("github", GITHUB)];
        let mut known: Option<Value> = None;
        for (number, order) in (1..).zip(all_orders()) {
            world.set_clock(began() - SignedDuration::from_mins(30));
            let key = world.planned(artifact(number, 0));
            world.set_clock(began() + SignedDuration::from_mins(30));
            let before = world.changes();
            let words = told_of(&artifact(number, 0), number, ends);
            for place in order {
                let (system, signal) = &words[place];
                world.take_by(&connections[*system], signal.clone());
            }
            // Sent once more it brings nothing new.
            for (system, signal) in &words {
                assert_eq!(world.take_by(&connections[*system], signal.clone()), "known already");
            }
            let stands = world.stands_at(&key);
            assert_eq!(stands[1], outcome, "{ends:?} {order:?}");
            assert_eq!(world.changes(), before, "a draft beside it: {ends:?} {order:?}");
            assert_eq!(world.unauthorized(), 0, "{ends:?} {order:?}");
            assert!(world.listed().is_empty(), "{ends:?} {order:?}");
            assert_eq!(*known.get_or_insert(stands.clone()), stands, "{ends:?} {order:?}");
        }
    }
}

/// The reports of two systems on one deployment, at generated times that overlap.
fn told_by_two(dice: &mut Dice, number: u64) -> (Vec<(usize, Signal)>, bool) {
    let mut parts = Vec::new();
    let starts = [dice.below(6), dice.below(6)];
    let last = starts[0].max(starts[1]);
    let mut has_failed = false;
    for (system, start) in starts.into_iter().enumerate() {
        let (id, repository) = (format!("run-{number}-{system}"), [GITLAB, GITHUB][system]);
        let minutes = |at: u64| i64::try_from(at).unwrap();
        let end = last + dice.below(8);
        let word = ["success", "success", "failure", "error", "canceled"][usize::try_from(dice.below(5)).unwrap()];
        has_failed = has_failed || word != "success";
        let tell = |word: &str, at: u64| of(repository, status(&id, &artifact(number, 0), word, minutes(at)));
        if dice.below(2) == 0 {
            parts.push((system, of(repository, asked(&id, &artifact(number, 0), minutes(start)))));
        }
        parts.push((system, tell("in_progress", start)));
        parts.push((system, tell(word, end)));
    }
    for last in (1..parts.len()).rev() {
        let other = usize::try_from(dice.below(last as u64 + 1)).unwrap();
        parts.swap(last, other);
    }
    (parts, has_failed)
}

#[test]
fn what_two_systems_tell_at_overlapping_times_is_one_deployment_in_any_order() {
    let joined = |world: World| {
        let connections = [world.connect("gitlab", GITLAB), world.connect("github", GITHUB)];
        (world, connections)
    };
    let (mut world, mut connections) = joined(World::new());
    for number in 0..orders(150) {
        if number > 0 && number % IN_ONE_WORLD == 0 {
            (world, connections) = joined(World::new());
        }
        world.set_clock(began() - SignedDuration::from_mins(30));
        let key = world.planned(artifact(number, 0));
        world.set_clock(began() + SignedDuration::from_mins(30));
        let before = (world.changes(), world.unauthorized());
        let (parts, has_failed) = told_by_two(&mut Dice(number), number);
        for (system, signal) in parts.clone() {
            world.take_by(&connections[system], signal);
        }
        let outcome = if has_failed { "failed" } else { "succeeded" };
        assert_eq!(world.stands_at(&key)[1], outcome, "order {number}: {parts:#?}");
        let after = (world.changes(), world.unauthorized());
        assert_eq!(after, before, "order {number}: {parts:#?}");
    }
}

#[test]
fn another_system_s_word_after_a_failure_is_a_rerun() {
    for is_turned in [false, true] {
        let world = World::new();
        let (lab, hub) = (world.connect("gitlab", GITLAB), world.connect("github", GITHUB));
        world.set_clock(began() - SignedDuration::from_mins(30));
        let key = world.planned(artifact(1, 0));
        world.set_clock(began() + SignedDuration::from_mins(30));
        world.take_by(&lab, of(GITLAB, status("41", &artifact(1, 0), "in_progress", 2)));
        world.take_by(&lab, of(GITLAB, status("41", &artifact(1, 0), "failure", 9)));
        let mut words = vec![
            status("900", &artifact(1, 0), "in_progress", 12),
            status("900", &artifact(1, 0), "success", 15),
        ];
        if is_turned {
            words.reverse();
        }
        for word in words {
            world.take_by(&hub, of(GITHUB, word));
        }
        assert_eq!(
            world.stands_at(&key)[1],
            "failed",
            "a rerun turns no failure into a success"
        );
        assert_eq!(world.unauthorized(), 1);
    }
}

#[test]
fn another_build_or_another_place_is_another_deployment() {
    let world = World::new();
    let (lab, hub) = (world.connect("gitlab", GITLAB), world.connect("github", GITHUB));
    world.set_clock(began() - SignedDuration::from_mins(30));
    let key = world.planned(artifact(1, 0));
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take_by(&lab, of(GITLAB, status("41", &artifact(1, 0), "in_progress", 2)));
    world.take_by(&hub, of(GITHUB, status("900", &artifact(2, 0), "success", 3)));
    assert_eq!(world.stands_at(&key)[0], "implementing");
    assert_eq!(world.unauthorized(), 1, "nobody approved the other build");
}
