//! Outgoing webhooks: due ones, their order, and their end.

use store::Lease;
use store::audit::event::Event;
use store::audit::log;
use store::integration::webhook::{self, Rest, Tried};

use crate::world::{World, at, check};

fn event(seq: i64) -> Event {
    Event {
        id: format!("e{seq}"),
        seq: Some(seq),
        act: "a".to_owned(),
        kind: "change.created".to_owned(),
        subject_table: "change".to_owned(),
        subject_id: "c".to_owned(),
        occurred_at: at(0),
        recorded_at: at(0),
        bytes: b"{}".to_vec(),
    }
}

fn enqueue(world: &World, seq: i64, subject: &'static str) {
    world.act(move |tx| webhook::enqueue(tx, "w", &event(seq), subject, at(0)));
}

fn ready(world: &World, now: i64) -> Vec<i64> {
    let found = world.act(move |tx| webhook::ready(tx, "w", at(now), 10));
    found.iter().map(|row| row.seq).collect()
}

fn note(world: &World, seq: i64, state: &'static str, run_at: i64) {
    world.act(move |tx| {
        let tried = Tried {
            seq,
            state,
            run_at: at(run_at),
            status: Some(500),
            error: Some("no".to_owned()),
        };
        webhook::note(tx, "w", &tried, at(1))
    });
}

fn rest(run_at: i64) -> Rest {
    Rest {
        run_at: at(run_at),
        tries: 1,
        failing_since: Some(at(1)),
        status: None,
        error: None,
        delivered_at: None,
    }
}

#[test]
fn a_webhook_is_due_while_the_log_is_ahead_or_a_try_is_due() {
    check(|world| {
        world.act(|tx| log::create(tx, "", ""));
        world.act(|tx| webhook::begin(tx, "w", 0, at(0)));
        let due = |now: i64| world.across(move |tx| webhook::due(tx, at(now), 10)).len();
        assert_eq!(due(0), 0, "the log is empty");
        enqueue(world, 0, "c");
        world.act(|tx| webhook::wake(tx, "w", at(5)));
        assert_eq!((due(4), due(5)), (0, 1));
        let lease = |now: i64| {
            world.act(move |tx| {
                let by = Lease {
                    now: at(now),
                    until: at(now + 30),
                    holder: "h",
                    most: 1,
                };
                webhook::lease(tx, "w", &by)
            })
        };
        assert!(lease(5) && !lease(6), "one holder at a time");
        assert_eq!(due(6), 0);
        assert!(world.act(|tx| webhook::holds(tx, "w", "h")));
        assert!(!world.act(|tx| webhook::release(tx, "w", "other", &rest(9))));
        assert!(world.act(|tx| webhook::release(tx, "w", "h", &rest(9))));
        let state = world.act(|tx| webhook::state(tx, "w")).unwrap();
        assert_eq!(
            (state.run_at, state.tries, state.failing_since),
            (at(9), 1, Some(at(1)))
        );
        assert_eq!((due(8), due(9)), (0, 1), "held back, then tried again");
        assert!(lease(86_400), "by a clock that runs a day ahead");
        assert_eq!((due(86_399), due(10)), (0, 1), "who leaves it so far ahead is gone");
        assert!(lease(10) && !lease(11));
        world.act(|tx| webhook::stop(tx, "w"));
        assert_eq!(due(99), 0);
    });
}

#[test]
fn events_of_one_subject_leave_in_order_and_others_pass() {
    check(|world| {
        world.act(|tx| webhook::begin(tx, "w", 0, at(0)));
        for (seq, subject) in [(1, "a"), (2, "b"), (3, "a")] {
            enqueue(world, seq, subject);
            enqueue(world, seq, subject);
        }
        assert_eq!(ready(world, 0), [1, 2, 3]);
        note(world, 1, "waiting", 50);
        assert_eq!(ready(world, 10), [2], "the later one of `a` waits for the earlier");
        assert_eq!(ready(world, 50), [1, 2, 3]);
        note(world, 2, "delivered", 0);
        assert_eq!(world.act(|tx| webhook::expire(tx, "w", at(1), at(60))), 2);
        let list = |state: &'static str| {
            let rows = world.act(move |tx| webhook::list(tx, "w", state, i64::MAX, 10));
            rows.iter().map(|row| row.seq).collect::<Vec<_>>()
        };
        assert_eq!((list("dead"), list("delivered")), (vec![3, 1], vec![2]));
        assert_eq!(world.act(|tx| webhook::again(tx, "w", (0, 2), true, at(70))), 1);
        assert_eq!(ready(world, 70), [1]);
        assert_eq!(world.act(|tx| webhook::again(tx, "w", (0, 9), false, at(70))), 2);
        assert_eq!(ready(world, 70), [1, 2, 3]);
        note(world, 1, "delivered", 0);
        assert_eq!(world.across(|tx| webhook::prune(tx, at(9), 9)), 1);
        assert!(list("delivered").is_empty());
    });
}
