//! Lanes: commits, failures, panics, order and limits.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use store::{Config, Error, Failure, Lane, Mode, Store, counter};

use crate::world::{ACME, Folder, World, check};

/// The error of the acts of these tests.
#[derive(Debug, PartialEq)]
enum Fault {
    Refused(&'static str),
    Store(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Failure for Fault {
    fn store_error(&self) -> Option<&Error> {
        match self {
            Self::Store(error) => Some(error),
            Self::Refused(_) => None,
        }
    }
}

/// Holds the writer up until the returned sender is dropped, so that acts pushed meanwhile form one batch.
fn hold(world: &World) -> std::sync::mpsc::Sender<()> {
    let (go, wait) = channel::<()>();
    let (began, begun) = channel();
    let wait = Mutex::new(wait);
    world.store.run(
        Lane::Acts,
        ACME,
        Mode::Write,
        move |_| {
            let _ = began.send(());
            let _ = wait.lock().unwrap().recv();
            Ok(())
        },
        |_: Result<(), Error>| {},
    );
    begun.recv().unwrap();
    go
}

#[derive(Clone, Copy)]
enum Way {
    Good,
    Refuse,
    Panic,
    BadStatement,
}

fn push(world: &World, name: &'static str, way: Way) -> Receiver<Result<i64, Fault>> {
    let (send, receive) = channel();
    world.store.run(
        Lane::Acts,
        ACME,
        Mode::Write,
        move |tx| {
            let value = counter::next(tx, name)?;
            match way {
                Way::Good => Ok(value),
                Way::Refuse => Err(Fault::Refused("no")),
                Way::Panic => panic!("the act of a test panics"),
                Way::BadStatement => {
                    tx.query("SELECT nothing FROM nowhere WHERE tenant = $tenant", &[])?;
                    Ok(value)
                }
            }
        },
        move |answer| send.send(answer).unwrap(),
    );
    receive
}

#[test]
fn acts_of_one_batch_fail_apart() {
    check(|world| {
        let go = hold(world);
        let answers = [
            push(world, "a", Way::Good),
            push(world, "b", Way::Refuse),
            push(world, "c", Way::Panic),
            push(world, "d", Way::BadStatement),
            push(world, "e", Way::Good),
        ];
        drop(go);
        let answers: Vec<_> = answers.iter().map(|it| it.recv().unwrap()).collect();
        assert_eq!(answers[0], Ok(1));
        assert_eq!(answers[1], Err(Fault::Refused("no")));
        assert_eq!(answers[2], Err(Fault::Store(Error::Panicked)));
        assert!(matches!(answers[3], Err(Fault::Store(Error::Other(_)))));
        assert_eq!(answers[4], Ok(1));
        for (name, value) in [("a", 1), ("b", 0), ("c", 0), ("d", 0), ("e", 1)] {
            assert_eq!(
                world.read(move |tx| counter::get(tx, name)),
                value,
                "{name} on {}",
                world.engine
            );
        }
    });
}

#[test]
fn an_answer_comes_after_the_commit() {
    check(|world| {
        let (send, receive) = channel();
        let store = world.store.clone();
        world.store.run(
            Lane::Acts,
            ACME,
            Mode::Write,
            |tx| counter::next(tx, "n"),
            move |answer: Result<i64, Error>| {
                let (seen, see) = channel();
                store.run(
                    Lane::Pages,
                    ACME,
                    Mode::Read,
                    |tx| counter::get(tx, "n"),
                    move |value: Result<i64, Error>| seen.send(value).unwrap(),
                );
                send.send((answer, see.recv().unwrap())).unwrap();
            },
        );
        assert_eq!(receive.recv().unwrap(), (Ok(1), Ok(1)));
    });
}

#[test]
fn a_panicking_callback_spares_the_lane() {
    check(|world| {
        for _ in 0..4 {
            world.store.run(
                Lane::Acts,
                ACME,
                Mode::Write,
                |tx| counter::next(tx, "n"),
                |_: Result<i64, Error>| panic!("the callback of a test panics"),
            );
        }
        assert_eq!(world.act(|tx| counter::next(tx, "m")), 1);
    });
}

#[test]
fn acts_that_run_at_once_do_not_lose_each_other() {
    check(|world| {
        let answers: Vec<_> = (0..60).map(|_| push(world, "n", Way::Good)).collect();
        let mut values: Vec<i64> = answers.iter().map(|it| it.recv().unwrap().unwrap()).collect();
        values.sort_unstable();
        assert_eq!(values, (1..=60).collect::<Vec<_>>(), "{}", world.engine);
    });
}

/// Two acts each read the other's write; one of them must run again and see it.
#[test]
fn a_lost_race_runs_again() {
    let Some(world) = World::postgres() else {
        return;
    };
    let runs = Arc::new(AtomicU32::new(0));
    let both = Arc::new(Barrier::new(2));
    let (send, receive) = channel();
    for (mine, theirs) in [("a", "b"), ("b", "a")] {
        let (runs, both, send) = (Arc::clone(&runs), Arc::clone(&both), send.clone());
        world.store.run(
            Lane::Acts,
            ACME,
            Mode::Write,
            move |tx| {
                let run = runs.fetch_add(1, Ordering::SeqCst);
                let seen = counter::get(tx, theirs)?;
                // Only the first two runs meet; the repetition must not wait for a partner that is gone.
                if run < 2 {
                    both.wait();
                }
                counter::next(tx, mine)?;
                Ok(seen)
            },
            move |answer: Result<i64, Error>| send.send(answer).unwrap(),
        );
    }
    let mut seen = [receive.recv().unwrap().unwrap(), receive.recv().unwrap().unwrap()];
    seen.sort_unstable();
    assert_eq!(seen, [0, 1], "one act must have seen the other");
    assert!(runs.load(Ordering::SeqCst) >= 3);
}

/// Another server knows nothing of this one's turns, so a race against it may be lost for ever.
#[test]
fn a_race_that_is_always_lost_ends() {
    let Some(world) = World::postgres() else {
        return;
    };
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let other = world.another();
    let lost = world.try_act(ACME, move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        counter::get(tx, "n")?;
        other.wait(Lane::Gate, ACME, Mode::Write, |tx| counter::next(tx, "n"))?;
        counter::next(tx, "n")
    });
    assert_eq!(lost, Err(Error::Retry));
    assert!(runs.load(Ordering::SeqCst) > 2);
}

/// An act waits until another one has changed its read rows: beside quick ones that never cease it would lose every race.
#[test]
fn a_slow_act_is_not_starved_by_quick_ones() {
    let Some(world) = World::postgres() else {
        return;
    };
    let over = Arc::new(AtomicBool::new(false));
    let (send, receive) = channel();
    let crowd: Vec<_> = [Lane::Gate, Lane::Pages]
        .into_iter()
        .map(|lane| {
            let (over, store, send) = (Arc::clone(&over), world.store.clone(), send.clone());
            std::thread::spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let quick: Result<i64, Error> = store.wait(lane, ACME, Mode::Write, |tx| counter::next(tx, "n"));
                    // Nobody listens any more once the slow one is through.
                    let _ = send.send(quick.unwrap());
                }
            })
        })
        .collect();
    let quick = Mutex::new(receive);
    let done = world.try_act(ACME, move |tx| {
        let seen = counter::get(tx, "n")?;
        let quick = quick.lock().unwrap();
        while quick
            .recv_timeout(Duration::from_millis(100))
            .is_ok_and(|made| made <= seen)
        {}
        counter::next(tx, "n")
    });
    over.store(true, Ordering::SeqCst);
    for one in crowd {
        one.join().unwrap();
    }
    assert!(done.is_ok(), "{done:?}");
}

#[test]
fn a_full_lane_answers_busy_and_others_go_on() {
    let folder = Folder::new();
    let mut config = Config::sqlite(folder.path().join("assent.db"));
    config.lanes[Lane::Acts as usize].queue = 2;
    let store = Store::open(config).unwrap();
    let world_hold = {
        let (go, wait) = channel::<()>();
        let (began, begun) = channel();
        let wait = Mutex::new(wait);
        store.run(
            Lane::Acts,
            ACME,
            Mode::Write,
            move |_| {
                let _ = began.send(());
                let _ = wait.lock().unwrap().recv();
                Ok(())
            },
            |_: Result<(), Error>| {},
        );
        begun.recv().unwrap();
        go
    };
    let (send, receive) = channel();
    for _ in 0..4 {
        let send = send.clone();
        store.run(
            Lane::Acts,
            ACME,
            Mode::Write,
            |tx| counter::next(tx, "n"),
            move |answer: Result<i64, Error>| send.send(answer).unwrap(),
        );
    }
    assert_eq!(receive.recv().unwrap(), Err(Error::Busy));
    assert_eq!(receive.recv().unwrap(), Err(Error::Busy));
    assert_eq!(store.waiting(Lane::Acts), 2);
    assert_eq!(
        store.wait(Lane::Pages, ACME, Mode::Read, |tx| counter::get(tx, "n")),
        Ok::<_, Error>(0)
    );
    drop(world_hold);
    assert_eq!(receive.recv().unwrap(), Ok(1));
    assert_eq!(receive.recv().unwrap(), Ok(2));
    store.close();
}

#[test]
fn a_closed_store_finishes_what_waits_and_takes_no_more() {
    check(|world| {
        let go = hold(world);
        let answer = push(world, "n", Way::Good);
        drop(go);
        world.store.close();
        assert_eq!(answer.recv().unwrap(), Ok(1));
        assert_eq!(world.try_act(ACME, |_| Ok(())), Err(Error::Busy));
    });
}

#[test]
fn tenants_do_not_see_each_other() {
    check(|world| {
        world.act(|tx| counter::next(tx, "n"));
        let other = world
            .store
            .wait(Lane::Pages, "other", Mode::Read, |tx| counter::get(tx, "n"));
        assert_eq!(other, Ok::<_, Error>(0));
        let all = world.across(|tx| tx.query("SELECT tenant, value FROM counter", &[]));
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].text("tenant").unwrap(), ACME);
    });
}

/// The moment that a transaction of the gate's lane sees.
fn seen(store: &Store) -> Option<store::Moment> {
    let look = |tx: &mut store::Tx<'_>| Ok::<_, Error>(tx.moment());
    store.wait(Lane::Gate, ACME, Mode::Read, look).unwrap()
}

fn count_up(store: &Store) {
    let write = |tx: &mut store::Tx<'_>| counter::next(tx, "number").map(|_| ());
    store.wait(Lane::Acts, ACME, Mode::Write, write).unwrap();
}

#[test]
fn a_moment_lasts_until_anybody_commits() {
    let folder = Folder::new();
    let path = folder.path().join("assent.db");
    let open = || {
        let mut config = Config::sqlite(&path);
        config.lanes[Lane::Gate as usize].threads = 1;
        Store::open(config).unwrap()
    };
    let (ours, theirs) = (open(), open());
    // The first look of a reader cannot know the missed events.
    seen(&ours);
    let first = ours.moment();
    assert!(first.is_some());
    assert_eq!((seen(&ours), ours.moment()), (first, first), "nobody wrote");
    count_up(&ours);
    assert!(ours.moment() > first, "the moment ends before the commit is answered");
    assert!(
        seen(&ours) < ours.moment(),
        "a reader that has missed something begins another moment"
    );
    let second = ours.moment();
    assert_eq!((seen(&ours), ours.moment()), (second, second));
    count_up(&theirs);
    assert_eq!(ours.moment(), second, "nobody has looked yet");
    seen(&ours);
    assert!(
        ours.moment() > second,
        "what another process commits is noticed by the next look"
    );
}

#[test]
fn pages_count_the_moments_of_their_own_process_and_check_nothing() {
    let world = World::sqlite();
    let look = |lane| {
        let look = |tx: &mut store::Tx<'_>| Ok::<_, Error>((tx.moment(), tx.counted_moment()));
        world.store.wait(lane, ACME, Mode::Read, look).unwrap()
    };
    for _ in 0..3 {
        let present = world.store.moment();
        assert_eq!(look(Lane::Pages), (None, present), "what decides must be checked");
        assert_eq!(world.store.moment(), present, "a page begins no moment");
        count_up(&world.store);
        assert!(world.store.moment() > present);
    }
    assert_eq!(look(Lane::Acts), (None, None));
    let (checked, counted) = look(Lane::Gate);
    assert!(checked.is_some() && checked == counted);
}

#[test]
fn on_postgresql_there_are_no_moments() {
    let Some(world) = World::postgres() else { return };
    assert_eq!((world.store.moment(), seen(&world.store)), (None, None));
}
