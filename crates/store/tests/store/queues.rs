//! Jobs, timers and the inbox.

use store::integration::call;
use store::integration::inbox::{self, NewDelivery};
use store::queue::job::{self, NewJob};
use store::queue::timer::{self, NewTimer};
use store::queue::trace;
use store::{Depth, Error, Lease};

use serde_json::json;

use crate::world::{ACME, OTHER, World, at, change_json, check};

fn lease(now: i64, holder: &str) -> Lease<'_> {
    Lease {
        now: at(now),
        until: at(now + 30),
        holder,
        most: 10,
    }
}

fn add_job(world: &World, tenant: &str, id: &'static str, run_at: i64) {
    world
        .try_act(tenant, move |tx| {
            job::insert(
                tx,
                &NewJob {
                    id,
                    kind: "mail",
                    subject: "m-1",
                    payload: "{}",
                    run_at: at(run_at),
                },
            )
        })
        .unwrap();
}

#[test]
fn a_job_is_leased_once_until_its_lease_runs_out() {
    check(|world| {
        add_job(world, ACME, "j1", 0);
        add_job(world, ACME, "j2", 100);
        let first = world.act(|tx| job::lease(tx, &lease(10, "w1")));
        assert_eq!(first.len(), 1);
        assert_eq!((first[0].id.as_str(), first[0].tries), ("j1", 1));
        assert_eq!((first[0].tenant.as_str(), first[0].run_at), (ACME, at(0)));
        assert!(world.act(|tx| job::lease(tx, &lease(20, "w2"))).is_empty());
        let again = world.act(|tx| job::lease(tx, &lease(40, "w2")));
        assert_eq!((again[0].id.as_str(), again[0].tries), ("j1", 2));
        assert!(!world.act(|tx| job::holds(tx, "j1", "w1")));
        assert!(!world.act(|tx| job::finish(tx, "j1", "w1")));
        assert!(world.act(|tx| job::holds(tx, "j1", "w2")));
        assert!(world.act(|tx| job::finish(tx, "j1", "w2")));
        assert_eq!(world.across(job::next_due), Some(at(100)));
    });
}

#[test]
fn what_waits_keeps_the_trace_of_who_left_it() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    check(|world| {
        trace::within(Some(TRACE.to_owned()), || {
            add_job(world, ACME, "j1", 0);
            world.act(|tx| call::insert(tx, "c1", ("reply", "r-1"), at(0)));
        });
        add_job(world, ACME, "j2", 1);
        let jobs = world.act(|tx| job::lease(tx, &lease(10, "w")));
        let mut kept: Vec<_> = jobs.iter().map(|job| (job.id.as_str(), job.trace.as_deref())).collect();
        kept.sort_unstable();
        assert_eq!(kept, [("j1", Some(TRACE)), ("j2", None)]);
        let calls = world.across(|tx| call::lease_across(tx, &lease(10, "w")));
        assert_eq!(calls[0].trace.as_deref(), Some(TRACE));
    });
}

#[test]
fn a_failing_job_waits_and_a_poisonous_one_is_parked() {
    check(|world| {
        add_job(world, ACME, "j1", 0);
        world.act(|tx| job::lease(tx, &lease(1, "w")));
        assert!(world.act(|tx| job::fail(tx, "j1", "w", at(60), "no route")));
        assert!(world.act(|tx| job::lease(tx, &lease(59, "w"))).is_empty());
        assert_eq!(world.act(|tx| job::lease(tx, &lease(60, "w"))).len(), 1);
        assert!(world.act(|tx| job::park(tx, "j1", "w", "gone")));
        assert!(!world.act(|tx| job::park(tx, "j1", "w", "gone")));
        assert!(world.act(|tx| job::lease(tx, &lease(999, "w"))).is_empty());
        let parked = world.read(|tx| job::list(tx, "parked", 10));
        assert_eq!(parked[0].last_error.as_deref(), Some("gone"));
        assert_eq!((parked[0].state.as_str(), parked[0].kind.as_str()), ("parked", "mail"));
        let depth = Depth { waiting: 0, parked: 1 };
        assert_eq!(world.across(job::depth), depth);
        add_job(world, OTHER, "j2", 2_000);
        assert_eq!(world.across(|tx| job::unpark_across(tx, at(1_000))), 1);
        assert_eq!(world.across(|tx| job::unpark_across(tx, at(1_000))), 0);
        assert_eq!(world.act(|tx| job::lease(tx, &lease(1_000, "w")))[0].tries, 1);
    });
}

#[test]
fn a_call_of_several_steps_keeps_what_is_left_and_only_its_holder_says_so() {
    check(|world| {
        let what = ("freezes", "c-1/f-1");
        world.act(move |tx| call::insert(tx, "k1", what, at(0)));
        world.act(move |tx| call::insert_rest(tx, "k2", what, "a/one", at(0)));
        let first = world.across(|tx| call::lease_across(tx, &lease(10, "w1")));
        assert_eq!(first.len(), 1, "one that waits is enough");
        assert_eq!((first[0].id.as_str(), first[0].payload.as_str()), ("k1", ""));
        assert!(!world.act(|tx| call::note_left(tx, "k1", "w2", "a/none")));
        assert!(world.act(|tx| call::note_left(tx, "k1", "w1", "a/one\na/two")));
        assert!(world.act(|tx| call::fail(tx, "k1", "w1", at(60), "not now")));
        let again = world.across(|tx| call::lease_across(tx, &lease(60, "w2")));
        assert_eq!((again[0].payload.as_str(), again[0].tries), ("a/one\na/two", 2));
        world.act(move |tx| call::insert_rest(tx, "k3", what, "a/three", at(0)));
        assert!(world.act(|tx| call::finish(tx, "k1", "w2")));
        let rest = world.across(|tx| call::lease_across(tx, &lease(61, "w1")));
        assert_eq!(rest[0].payload, "a/three");
    });
}

#[test]
fn a_crowded_tenant_holds_up_no_other() {
    check(|world| {
        for id in ["a1", "a2", "a3", "a4", "a5", "a6"] {
            add_job(world, ACME, id, 0);
        }
        add_job(world, OTHER, "b1", 5);
        let taken = world.across(|tx| {
            job::lease_across(
                tx,
                &Lease {
                    most: 4,
                    ..lease(10, "w")
                },
            )
        });
        let of = |tenant| taken.iter().filter(|it| it.tenant == tenant).count();
        assert_eq!((of(ACME), of(OTHER)), (2, 1), "{}", world.engine);
    });
}

fn timer_at(run_at: i64) -> NewTimer<'static> {
    NewTimer {
        id: "t1",
        subject_table: "change",
        subject_id: "c1",
        kind: "window_end",
        run_at: at(run_at),
    }
}

#[test]
fn a_record_has_one_timer_of_a_kind() {
    check(|world| {
        world.act(|tx| timer::set(tx, &timer_at(10)));
        world.act(|tx| {
            timer::set(
                tx,
                &NewTimer {
                    id: "t2",
                    ..timer_at(20)
                },
            )
        });
        let timers = world.read(|tx| timer::of_subject(tx, "change", "c1"));
        assert_eq!(timers.len(), 1);
        assert_eq!((timers[0].id.as_str(), timers[0].run_at), ("t1", at(20)));
        assert!(world.act(|tx| timer::cancel(tx, "change", "c1", "window_end")));
        assert!(!world.act(|tx| timer::cancel(tx, "change", "c1", "window_end")));
    });
}

#[test]
fn a_timer_set_anew_by_its_own_work_stays() {
    check(|world| {
        world.act(|tx| timer::set(tx, &timer_at(10)));
        let taken = world.across(|tx| timer::lease_across(tx, &lease(10, "w")));
        assert_eq!(taken[0].subject_id, "c1");
        let finished = world.act(|tx| {
            assert!(timer::holds(tx, "t1", "w")?);
            timer::set(tx, &timer_at(70))?;
            timer::finish(tx, "t1", "w")
        });
        assert!(!finished);
        assert_eq!(world.across(timer::next_due), Some(at(70)));
        assert_eq!(world.act(|tx| timer::lease(tx, &lease(70, "w"))).len(), 1);
        assert!(world.act(|tx| timer::fail(tx, "t1", "w", at(80), "later")));
        assert_eq!(world.act(|tx| timer::lease(tx, &lease(80, "w"))).len(), 1);
        assert!(world.act(|tx| timer::finish(tx, "t1", "w")));
    });
}

#[test]
fn a_timer_that_fails_on_is_counted_and_tried_on() {
    check(|world| {
        world.act(|tx| timer::set(tx, &timer_at(10)));
        for number in 1..=5 {
            assert_eq!(world.across(timer::failing), 0, "after {} tries", number - 1);
            world.act(move |tx| timer::lease(tx, &lease(10 + number, "w")));
            assert!(world.act(move |tx| timer::fail(tx, "t1", "w", at(10 + number), "broken")));
        }
        assert_eq!(world.across(timer::failing), 1);
        assert_eq!(world.across(timer::depth), Depth { waiting: 1, parked: 0 });
        assert_eq!(world.act(|tx| timer::lease(tx, &lease(90, "w"))).len(), 1);
    });
}

/// A server whose clock ran ahead takes due jobs, and is killed.
#[test]
fn a_lease_that_reaches_too_far_ahead_to_be_believed_is_taken_over() {
    check(|world| {
        let ahead = 86_400;
        add_job(world, ACME, "j1", 0);
        world.act(|tx| timer::set(tx, &timer_at(0)));
        world.act(|tx| inbox::receive(tx, &delivery("i1", "d1", "sha256:1")));
        world.act(|tx| inbox::receive(tx, &delivery("i2", "d2", "sha256:2")));
        let by = move |now: i64| lease(now, if now == ahead { "killed" } else { "next" });
        world.act(move |tx| job::lease(tx, &by(ahead)));
        world.across(move |tx| timer::lease_across(tx, &by(ahead)));
        world.across(move |tx| inbox::lease_across(tx, &by(ahead)));
        // Five minutes between two clocks are nothing unusual, nor is a lease of two.
        let believed = ahead + 30 - 7 * 60;
        let jobs = |now| world.act(move |tx| job::lease(tx, &by(now))).len();
        let timers = |now| world.across(move |tx| timer::lease_across(tx, &by(now))).len();
        let take = |now| world.act(move |tx| inbox::take(tx, "i1", "next", at(now)));
        assert_eq!((jobs(believed), timers(believed), take(believed)), (0, 0, false));
        assert_eq!((jobs(10), timers(10), take(10)), (1, 1, true), "{}", world.engine);
        assert_eq!(world.across(move |tx| inbox::lease_across(tx, &by(10))).len(), 2);
        assert!(
            !world.act(|tx| job::finish(tx, "j1", "killed")),
            "the former holder changes nothing"
        );
        assert!(world.act(|tx| job::finish(tx, "j1", "next")));
    });
}

fn delivery<'a>(id: &'a str, delivery_id: &'a str, digest: &'a str) -> NewDelivery<'a> {
    NewDelivery {
        id,
        connection: "k",
        delivery_id,
        body_digest: digest,
        event: "deployment_status",
        received_at: at(1),
        body: b"{\"raw\": true}",
        subject: "",
        mac: b"a code",
    }
}

/// Deliveries about these subjects, a second apart.
fn receive_about(world: &World, all: &[(&'static str, &'static str)]) {
    for (second, (id, subject)) in all.iter().copied().enumerate() {
        world.act(move |tx| {
            let come = NewDelivery {
                received_at: at(1 + second as i64),
                subject,
                ..delivery(id, id, id)
            };
            inbox::receive(tx, &come)
        });
    }
}

/// The ids of a worker's leased jobs, in their order.
fn leased(world: &World, now: i64, holder: &'static str, most: i64) -> Vec<String> {
    let by = move || Lease {
        most,
        ..lease(now, holder)
    };
    let rows = world.across(move |tx| inbox::lease_across(tx, &by()));
    rows.into_iter().map(|row| row.id).collect()
}

#[test]
fn deliveries_about_one_subject_are_worked_in_the_order_in_which_they_came() {
    check(|world| {
        receive_about(
            world,
            &[
                ("i9", "a"),
                ("i1", "b"),
                ("i2", "a"),
                ("i3", ""),
                ("i4", "a"),
                ("i5", ""),
            ],
        );
        assert_eq!(leased(world, 10, "w1", 1), ["i9"]);
        // Entries behind the one that is worked wait, and no others.
        assert_eq!(leased(world, 10, "w2", 10), ["i1", "i3", "i5"], "{}", world.engine);
        assert!(leased(world, 10, "w3", 10).is_empty());
        world.act(|tx| inbox::finish(tx, "i9", "w1", "done"));
        assert_eq!(leased(world, 10, "w1", 10), ["i2", "i4"], "the whole chain at once");
        let in_turn = |id: &'static str| world.act(move |tx| inbox::is_in_turn(tx, id, "w1", at(10)));
        assert!(in_turn("i2") && !in_turn("i4"));
        world.act(|tx| inbox::finish(tx, "i2", "w1", "done"));
        assert!(in_turn("i4"));
    });
}

#[test]
fn a_delivery_that_fails_holds_up_its_own_subject_only_and_a_parked_one_nothing() {
    check(|world| {
        receive_about(world, &[("i1", "a"), ("i2", "a"), ("i3", "b"), ("i4", "a")]);
        assert_eq!(leased(world, 10, "w", 2), ["i1", "i2"]);
        assert!(world.act(|tx| inbox::fail(tx, "i1", "w", at(50), "broken")));
        assert!(!world.act(|tx| inbox::is_in_turn(tx, "i2", "w", at(10))));
        assert!(world.act(|tx| inbox::release(tx, "i2", "w")));
        assert!(!world.act(|tx| inbox::release(tx, "i2", "w")), "it is held no longer");
        assert_eq!(world.read(|tx| inbox::load(tx, "i2")).unwrap().tries, 0);
        assert_eq!(leased(world, 11, "w", 10), ["i3"]);
        world.act(|tx| inbox::finish(tx, "i3", "w", "done"));
        assert_eq!(leased(world, 60, "w", 10), ["i1"], "first it alone");
        assert!(world.act(|tx| inbox::park(tx, "i1", "w", "broken")));
        assert_eq!(leased(world, 61, "w", 10), ["i2", "i4"], "{}", world.engine);
    });
}

#[test]
fn a_delivery_about_several_subjects_waits_for_its_connection_and_the_connection_for_it() {
    check(|world| {
        let all = [
            ("i1", "a"),
            ("i2", inbox::SEVERAL),
            ("i3", "b"),
            ("i4", ""),
            ("i5", inbox::SEVERAL),
        ];
        receive_about(world, &all);
        world.act(|tx| {
            let other = NewDelivery {
                connection: "other",
                subject: "a",
                received_at: at(9),
                ..delivery("i6", "i6", "i6")
            };
            inbox::receive(tx, &other)
        });
        assert_eq!(leased(world, 10, "w1", 1), ["i1"]);
        assert_eq!(leased(world, 10, "w2", 10), ["i4", "i6"], "{}", world.engine);
        world.act(|tx| inbox::finish(tx, "i1", "w1", "done"));
        assert_eq!(leased(world, 10, "w1", 1), ["i2"]);
        assert!(leased(world, 10, "w2", 10).is_empty(), "{}", world.engine);
        world.act(|tx| inbox::fail(tx, "i2", "w1", at(50), "broken"));
        assert_eq!(
            leased(world, 11, "w1", 10),
            ["i3"],
            "of others it holds up those about several"
        );
        world.act(|tx| inbox::finish(tx, "i3", "w1", "done"));
        world.act(|tx| inbox::finish(tx, "i4", "w2", "done"));
        world.act(|tx| inbox::finish(tx, "i6", "w2", "done"));
        assert_eq!(leased(world, 60, "w1", 10), ["i2"]);
        world.act(|tx| inbox::park(tx, "i2", "w1", "broken"));
        assert_eq!(leased(world, 60, "w1", 10), ["i5"], "{}", world.engine);
    });
}

#[test]
fn what_waits_about_several_subjects_is_leased_with_what_came_around_it() {
    check(|world| {
        receive_about(world, &[("i1", "a"), ("i2", inbox::SEVERAL), ("i3", "b")]);
        assert_eq!(leased(world, 10, "w", 10), ["i1", "i2", "i3"], "{}", world.engine);
    });
}

#[test]
fn a_delivery_counts_once_by_id_and_once_by_body() {
    check(|world| {
        assert!(world.act(|tx| inbox::receive(tx, &delivery("i1", "d1", "sha256:1"))));
        assert!(!world.act(|tx| inbox::receive(tx, &delivery("i2", "d1", "sha256:2"))));
        assert!(!world.act(|tx| inbox::receive(tx, &delivery("i3", "d3", "sha256:1"))));
        assert!(world.act(|tx| inbox::receive(tx, &delivery("i4", "d4", "sha256:4"))));
        assert_eq!(world.read(|tx| inbox::list(tx, "waiting", 10)).len(), 2);
        assert_eq!(world.across(inbox::depth).waiting, 2);
    });
}

#[test]
fn raw_bodies_go_by_the_span_in_which_they_came_and_are_counted_first() {
    use store::compliance::retention::{count_deliveries, forget_deliveries_between};
    check(|world| {
        for (id, digest, second) in [("i1", "sha256:1", 10), ("i2", "sha256:2", 20), ("i3", "sha256:3", 30)] {
            world.act(move |tx| {
                let come = NewDelivery {
                    received_at: at(second),
                    ..delivery(id, id, digest)
                };
                inbox::receive(tx, &come)?;
                inbox::take(tx, id, "w", at(40))?;
                inbox::finish(tx, id, "w", "nothing")
            });
        }
        let count = |from, to| world.read(move |tx| count_deliveries(tx, (at(from), at(to)), 100));
        assert_eq!((count(0, 30), count(20, 100), count(11, 20)), (2, 2, 0));
        assert_eq!(world.act(|tx| forget_deliveries_between(tx, (at(20), at(30)), 100)), 1);
        assert_eq!((count(0, 100), count(20, 30)), (2, 0), "{}", world.engine);
        let left = world.read(|tx| inbox::load(tx, "i2")).unwrap();
        assert!(left.body.is_empty() && left.state == "done");
        assert_eq!(
            world.act(|tx| forget_deliveries_between(tx, (at(0), at(100)), 1)),
            1,
            "at most so many"
        );
    });
}

#[test]
fn an_effect_and_its_done_mark_stand_or_fall_together() {
    check(|world| {
        world.act(|tx| inbox::receive(tx, &delivery("i1", "d1", "sha256:1")));
        let taken = world.act(|tx| inbox::lease(tx, &lease(1, "w")));
        assert!(taken[0].body.is_empty(), "twenty at once would be too much");
        let id = taken[0].id.clone();
        let found = world.read(move |tx| inbox::load(tx, &id)).unwrap();
        assert_eq!(found.body, b"{\"raw\": true}");
        let failed = world.try_act(ACME, |tx| {
            store::counter::next(tx, "effect")?;
            assert!(inbox::finish(tx, "i1", "w", "started")?);
            Err::<(), _>(Error::Other("the effect failed".to_owned()))
        });
        assert!(failed.is_err());
        assert_eq!(world.read(|tx| store::counter::get(tx, "effect")), 0);
        assert!(world.act(|tx| inbox::holds(tx, "i1", "w")));
        assert!(world.act(|tx| inbox::finish(tx, "i1", "w", "started")));
        let done = world.read(|tx| inbox::load(tx, "i1")).unwrap();
        assert_eq!((done.state.as_str(), done.result.as_deref()), ("done", Some("started")));
        assert!(world.across(|tx| inbox::lease_across(tx, &lease(99, "w"))).is_empty());
    });
}

#[test]
fn a_poisonous_delivery_is_set_aside_with_its_reason() {
    check(|world| {
        world.act(|tx| inbox::receive(tx, &delivery("i1", "d1", "sha256:1")));
        world.across(|tx| inbox::lease_across(tx, &lease(1, "w")));
        assert!(world.act(|tx| inbox::fail(tx, "i1", "w", at(5), "unreadable")));
        assert_eq!(world.across(inbox::next_due), Some(at(5)));
        world.across(|tx| inbox::lease_across(tx, &lease(5, "w")));
        assert!(world.act(|tx| inbox::park(tx, "i1", "w", "unreadable")));
        let parked = world.read(|tx| inbox::list(tx, "parked", 10));
        assert_eq!(parked[0].reason.as_deref(), Some("unreadable"));
        assert!(world.act(|tx| inbox::again(tx, "i1", at(6), b"another code")));
    });
}

#[test]
fn deliveries_of_a_connection_are_listed_newest_first_by_state_and_page() {
    check(|world| {
        for (id, digest) in [("i1", "sha256:1"), ("i2", "sha256:2"), ("i3", "sha256:3")] {
            world.act(move |tx| inbox::receive(tx, &delivery(id, id, digest)));
        }
        world.across(|tx| {
            inbox::lease_across(
                tx,
                &Lease {
                    most: 1,
                    ..lease(1, "w")
                },
            )
        });
        world.act(|tx| inbox::park(tx, "i1", "w", "unreadable"));
        let ids = |state: Option<&'static str>, after: Option<&'static str>, limit: i64| -> Vec<String> {
            let found = world.read(move |tx| inbox::list_of(tx, "k", state, after, limit));
            assert!(found.iter().all(|row| row.body.is_empty()));
            found.into_iter().map(|row| row.id).collect()
        };
        assert_eq!(ids(None, None, 2), ["i3", "i2"]);
        assert_eq!(ids(None, Some("i2"), 2), ["i1"]);
        assert_eq!(ids(Some("parked"), None, 9), ["i1"]);
        assert_eq!(ids(Some("waiting"), None, 9), ["i3", "i2"]);
        assert_eq!(ids(Some("waiting"), Some("i3"), 9), ["i2"]);
        assert!(ids(Some("done"), None, 9).is_empty());
        assert!(world.read(|tx| inbox::list_of(tx, "other", None, None, 9)).is_empty());
    });
}

#[test]
fn records_without_a_timer_are_found() {
    check(|world| {
        for (number, state) in [(1, "scheduled"), (2, "draft"), (3, "implementing")] {
            world.act(move |tx| {
                let mut body = change_json(&format!("c-{number}"), number);
                body["state"] = json!(state);
                let change: model::change::record::Change = serde_json::from_value(body).unwrap();
                store::record::insert(tx, &change, "{}")
            });
        }
        assert_eq!(world.read(|tx| timer::changes_without(tx, "", 9)), ["c-1", "c-3"]);
        assert_eq!(world.read(|tx| timer::changes_without(tx, "c-1", 9)), ["c-3"]);
        world.act(|tx| {
            timer::set(
                tx,
                &NewTimer {
                    id: "t9",
                    subject_table: "change",
                    subject_id: "c-3",
                    kind: "due",
                    run_at: at(9),
                },
            )
        });
        assert_eq!(world.read(|tx| timer::changes_without(tx, "", 9)), ["c-1"]);
        assert!(world.read(|tx| timer::checks_without(tx, 9)).is_empty());
    });
}

#[test]
fn readers_whose_messages_nobody_wakes_are_found_once() {
    check(|world| {
        for (id, person, delivery) in [
            ("m1", "p1", "held"),
            ("m2", "p1", "held"),
            ("m3", "p2", "kept"),
            ("m4", "p3", "held"),
        ] {
            world.act(move |tx| {
                let message: model::change::related_records::Message = serde_json::from_value(json!({
                    "id": id, "version": 1, "person": person, "topic": "comment", "subject": "s", "text": "t",
                    "dedup": id, "at": "2026-11-20T10:00:00Z", "delivery": delivery,
                }))
                .unwrap();
                store::record::insert(tx, &message, "{}")
            });
        }
        assert_eq!(world.read(|tx| timer::readers_without(tx, 9)), ["p1", "p3"]);
        assert_eq!(world.read(|tx| timer::readers_without(tx, 1)), ["p1"]);
        world.act(|tx| {
            timer::set(
                tx,
                &NewTimer {
                    id: "t9",
                    subject_table: "person",
                    subject_id: "p1",
                    kind: "messages",
                    run_at: at(9),
                },
            )
        });
        assert_eq!(world.read(|tx| timer::readers_without(tx, 9)), ["p3"]);
    });
}

fn item(id: &str, state: &str) -> model::notify::action_item::ActionItem {
    serde_json::from_value(json!({
        "id": id, "version": 1, "key": format!("ACT-{id}"), "natural_key": format!("review_access/access_review/{id}/"),
        "kind": "review_access", "about_kind": "access_review", "about": id, "title": "Sign it", "state": state,
        "closing": "condition", "opened_by": "p1", "opened_at": "2026-11-20T08:00:00Z", "asked_at": "2026-11-20T08:00:00Z",
        "due_at": "2026-12-04T08:00:00Z", "steps": 0,
    }))
    .unwrap()
}

#[test]
fn parts_of_reviews_without_an_action_item_are_found() {
    check(|world| {
        for (id, signed) in [("r1", None), ("r2", Some("2026-11-20T10:00:00Z")), ("r3", None)] {
            world.act(move |tx| {
                let mut part = json!({
                    "id": id, "version": 1, "campaign": "c1", "manager": "p1", "begun_by": "p1", "rights": [],
                    "begun_at": "2026-11-20T08:00:00Z", "due_at": "2026-12-04T08:00:00Z",
                });
                if let Some(at) = signed {
                    part["signed_at"] = json!(at);
                }
                let part: model::directory::access_review::AccessReview = serde_json::from_value(part).unwrap();
                store::record::insert(tx, &part, "{}")
            });
        }
        assert_eq!(world.read(|tx| timer::reviews_without(tx, 9)), ["r1", "r3"]);
        world.act(|tx| store::record::insert(tx, &item("r1", "open"), "{}"));
        assert_eq!(world.read(|tx| timer::reviews_without(tx, 9)), ["r3"]);
    });
}

#[test]
fn action_items_that_nothing_wakes_are_found() {
    check(|world| {
        for (id, state) in [
            ("i1", "open"),
            ("i2", "done"),
            ("i3", "acknowledged"),
            ("i4", "dismissed"),
        ] {
            world.act(move |tx| store::record::insert(tx, &item(id, state), "{}"));
        }
        assert_eq!(world.read(|tx| timer::items_without(tx, 9)), ["i1", "i3"]);
        assert_eq!(world.read(|tx| timer::items_without(tx, 1)), ["i1"]);
        world.act(|tx| {
            timer::set(
                tx,
                &NewTimer {
                    id: "t9",
                    subject_table: "action_item",
                    subject_id: "i1",
                    kind: "escalation",
                    run_at: at(9),
                },
            )
        });
        assert_eq!(world.read(|tx| timer::items_without(tx, 9)), ["i3"]);
    });
}

#[test]
fn an_action_item_has_one_row_for_its_natural_key() {
    check(|world| {
        world.act(|tx| store::record::insert(tx, &item("i1", "open"), "{}"));
        let mut other = item("i2", "open");
        other.natural_key = "review_access/access_review/i1/".to_owned();
        let done = world.try_act(ACME, move |tx| store::record::insert(tx, &other, "{}"));
        assert!(done.is_err(), "{done:?}");
    });
}
