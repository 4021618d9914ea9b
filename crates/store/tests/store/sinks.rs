//! Sinks of the log: due work, one holder at a time, and the position of a sink.

use store::Lease;
use store::audit::log;
use store::integration::sink::{self, Lag, Rest};

use crate::world::{World, at, check};

fn lease(world: &World, now: i64, until: i64, holder: &'static str) -> bool {
    world.act(move |tx| {
        let by = Lease {
            now: at(now),
            until: at(until),
            holder,
            most: 1,
        };
        sink::lease(tx, "s", &by)
    })
}

fn release(world: &World, holder: &'static str, position: i64, run_at: i64, error: Option<&'static str>) -> bool {
    world.act(move |tx| {
        let rest = Rest {
            position,
            sent: Some(position - 1),
            run_at: at(run_at),
            tries: i64::from(error.is_some()),
            failing_since: error.map(|_| at(1)),
            error: error.map(str::to_owned),
            delivered_at: error.is_none().then(|| at(2)),
        };
        sink::release(tx, "s", holder, &rest)
    })
}

#[test]
fn a_sink_is_due_while_the_log_is_ahead_and_has_one_holder() {
    check(|world| {
        world.act(|tx| log::create(tx, "", ""));
        world.act(|tx| sink::begin(tx, "s", 0, at(0)));
        let due = |now: i64| world.across(move |tx| sink::due(tx, at(now), 10)).len();
        assert_eq!(due(0), 0, "the log is empty");
        let to = log::Advance {
            size: 5,
            root: "r5",
            checkpoint: "n5",
        };
        let epoch = world.act(|tx| log::take(tx, at(0), at(10), "s1")).unwrap().epoch;
        assert!(world.act(move |tx| log::advance(tx, epoch, 0, &to)));
        assert_eq!(due(0), 1);
        assert!(lease(world, 0, 60, "one") && !lease(world, 1, 61, "two"));
        assert_eq!(due(1), 0);
        assert!(!release(world, "two", 9, 2, None), "another holder's");
        assert!(release(world, "one", 3, 10, Some("away")));
        assert_eq!((due(2), due(10)), (0, 1));
        let lag = world.across(sink::lag);
        assert_eq!(
            lag,
            Lag {
                active: 1,
                failing: 1,
                entries: 2
            }
        );
        assert!(lease(world, 10, 70, "two"));
        assert!(release(world, "two", 5, 11, None));
        let state = world.act(|tx| sink::state(tx, "s")).unwrap();
        assert_eq!(
            (state.position, state.sent, state.tries, state.delivered_at),
            (5, Some(4), 0, Some(at(2)))
        );
        assert_eq!(due(12), 0, "nothing is left");
    });
}

#[test]
fn a_sink_that_was_moved_meanwhile_is_not_put_back_by_its_former_holder() {
    check(|world| {
        world.act(|tx| sink::begin(tx, "s", 7, at(0)));
        assert!(lease(world, 0, 60, "one"));
        world.act(|tx| sink::begin(tx, "s", 2, at(1)));
        assert!(!release(world, "one", 8, 2, None));
        assert_eq!(world.act(|tx| sink::state(tx, "s")).unwrap().position, 2);
        world.act(|tx| sink::stop(tx, "s"));
        assert!(!lease(world, 5, 60, "one"), "it was stopped");
    });
}
