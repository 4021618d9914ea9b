//! An act by a version is between the one before and the one after, whatever the servers' clocks show.

use acts::audit::find_timeline;
use acts::change::verbs;
use acts::core::gate_question::Question;
use acts::core::write;
use acts::gate::answer::{self, Checked};
use acts::schedule::set_freeze;
use acts::{Context, Executor};
use model::change::change_file::Actor;
use proof::report::Outcome;
use serde_json::json;
use store::audit::{act_order, event};
use store::{Lane, Mode};

use crate::world::{ARTIFACT, TENANT, World, body};

/// An act as somebody at one of the servers.
fn at<T: Send + 'static>(
    world: &World,
    executor: &Executor,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> T {
    executor
        .wait(Lane::Acts, TENANT, world.actor(login), Mode::Write, act)
        .unwrap()
}

fn ask_gate(world: &World, executor: &Executor) -> Checked {
    let question = Question {
        service: "pay".into(),
        environment: "production".into(),
        artifact: Some(ARTIFACT.into()),
        commit: None,
        change: None,
        purpose: None,
        member: None,
    };
    at(world, executor, "pipe", move |cx| answer::check(cx, &question, None))
}

fn freeze(world: &World, executor: &Executor) {
    let freeze = body(json!({"title": "Quarter end", "reason": "The books close.",
        "starts_at": "2026-12-24T00:00:00Z", "ends_at": "2026-12-25T00:00:00Z"}));
    at(world, executor, "mona", move |cx| set_freeze::set_freeze(cx, &freeze));
}

/// An act without dependent records, based on the estate.
fn look_around(executor: &Executor, kind: &'static str) {
    let act = move |cx: &mut Context<'_, '_>| {
        cx.directory()?;
        let subject = ("tenant_info", TENANT.to_owned());
        let event = write::draft(kind, subject, cx.now, json!({}));
        cx.emit(vec![event], write::Written::default())
    };
    executor
        .wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, act)
        .unwrap();
}

/// So many events of a server without a subject.
fn noise(executor: &Executor, count: usize) {
    for _ in 0..count / 100 {
        let act = |cx: &mut Context<'_, '_>| {
            let event = |_| {
                let subject = ("tenant_info", TENANT.to_owned());
                write::draft("tenant.looked_at", subject, cx.now, json!({}))
            };
            let drafts = (0..100).map(event).collect();
            cx.emit(drafts, write::Written::default())
        };
        executor
            .wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, act)
            .unwrap();
    }
}

/// The log's events of these kinds from an index on, in the log's order, once all have their places.
fn placed(world: &World, from: u64, kinds: &[&str]) -> Vec<String> {
    let count = |cx: &mut Context<'_, '_>| Ok(event::count_unsequenced(cx.tx)?);
    while world.look(count).unwrap() > 0 {
        let done = world.sequence();
        assert!(done.to > done.from, "the log stands still");
    }
    assert_eq!(world.verify(None).outcome, Outcome::Good);
    let from = i64::try_from(from).unwrap();
    let page = world.look(move |cx| Ok(event::page(cx.tx, from, 10_000)?)).unwrap();
    let kinds = page
        .into_iter()
        .map(|it| it.kind)
        .filter(|it| kinds.contains(&it.as_str()));
    kinds.collect()
}

#[test]
fn a_permit_stands_behind_the_version_that_it_was_given_for() {
    let world = World::new();
    let key = world.scheduled("One");
    world.evidence(&key, "note", b"works");
    *world.clock.0.lock().unwrap() = "2026-11-20T10:30:00Z".parse().unwrap();
    let late = world.other_desk(-1);
    // The first permit begins the work and so writes the change; the second does not.
    let begun = ask_gate(&world, &world.executor);
    assert!(begun.permit.is_some(), "{:?}", begun.check.reasons);
    let from = world.sequence().to;
    let id = world.look(move |cx| cx.change(&key)).unwrap().id.0;
    let key = id.clone();
    world.by("mona", move |cx| verbs::watch_change(cx, &key, true));
    let again = ask_gate(&world, &late);
    assert!(again.permit.is_some(), "{:?}", again.check.reasons);
    let kinds = placed(&world, from, &["change.watched", "permit.issued"]);
    assert_eq!(kinds, ["change.watched", "permit.issued"]);
    let timeline = world.look(move |cx| find_timeline::find_timeline(cx, &id)).unwrap();
    let latest: Vec<&str> = timeline.iter().map(|told| told.kind.as_str()).take(2).collect();
    assert_eq!(latest, ["permit.issued", "change.watched"]);
}

#[test]
fn a_stop_stands_before_what_lifted_it() {
    let world = World::new();
    let key = world.draft("One");
    let k = key.clone();
    world.by("rita", move |cx| verbs::submit_change(cx, &k));
    let from = world.sequence().to;
    let early = world.other_desk(1);
    let checked = ask_gate(&world, &early);
    assert!(checked.permit.is_none() && checked.check.change.is_some());
    let request = body(json!({"dependencies_reviewed": true}));
    world.by("rita", move |cx| verbs::assess_change(cx, &key, &request));
    let kinds = placed(&world, from, &["gate.checked", "change.assessed"]);
    assert_eq!(kinds, ["gate.checked", "change.assessed"]);
}

#[test]
fn what_was_done_by_the_estate_stands_between_its_writes() {
    let world = World::new();
    let from = world.sequence().to;
    let (early, late) = (world.other_desk(1), world.other_desk(-1));
    look_around(&early, "tenant.before");
    freeze(&world, &world.executor);
    look_around(&late, "tenant.after");
    let kinds = placed(&world, from, &["freeze.set", "tenant.before", "tenant.after"]);
    assert_eq!(kinds, ["tenant.before", "freeze.set", "tenant.after"]);
}

#[test]
fn what_was_read_waits_for_its_maker_beyond_the_batch() {
    let world = World::new();
    let from = world.sequence().to;
    freeze(&world, &world.executor);
    let late = world.other_desk(-60);
    look_around(&late, "tenant.after");
    noise(&late, 1_500);
    let first = world.sequence();
    // The one that looked around waits, and the batch cuts the last hundred but one of the noise.
    assert_eq!(first.to - first.from, 900);
    let kinds = placed(&world, from, &["freeze.set", "tenant.after"]);
    assert_eq!(kinds, ["freeze.set", "tenant.after"]);
}

#[test]
fn what_was_made_waits_for_a_reader_of_the_version_before_beyond_the_batch() {
    let world = World::new();
    let from = world.sequence().to;
    look_around(&world.executor, "tenant.before");
    let late = world.other_desk(-60);
    freeze(&world, &late);
    noise(&late, 1_500);
    world.sequence();
    let kinds = placed(&world, from, &["freeze.set", "tenant.before"]);
    assert_eq!(kinds, ["tenant.before", "freeze.set"]);
}

#[test]
fn what_was_noted_of_placed_acts_goes() {
    let world = World::new();
    world.sequence();
    world.scheduled("One");
    let noted = |world: &World| world.look(|cx| Ok(act_order::between(cx.tx, "", "g")?.len())).unwrap();
    assert!(noted(&world) > 5, "every act says by which estate it was done");
    world.sequence();
    world.noise(1);
    world.sequence();
    assert_eq!(noted(&world), 0);
}
