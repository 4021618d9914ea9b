//! Open changes that an act on the directory leaves to the settler: from its commit on nothing relies on their earlier rows,
//! and once all are settled nothing differs from an act that judges each of them itself.

use acts::change::verbs;
use acts::core::gate_question::Question;
use acts::directory::set_service;
use acts::effects::settle_left::{self, Left, pass_over, settle_some, settle_these};
use acts::gate::answer;
use acts::schedule::set_freeze;
use acts::{Context, Error, Executor, Result};
use model::change::change_file::Actor;
use model::core::enums::{GateDecision, State};
use model::core::refusal::Refusal;
use serde_json::json;
use store::change::unsettled;
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

const BUILDS: [&str; 4] = ["git:aaa1e5e", "git:aaa2e5e", "git:aaa3e5e", "git:aaa4e5e"];

fn question(build: &str) -> Question {
    Question {
        service: "pay".to_owned(),
        environment: "production".to_owned(),
        artifact: Some(build.to_owned()),
        commit: None,
        change: None,
        purpose: None,
        member: None,
    }
}

/// A world with a change for each build, all but the last scheduled, at a time within their window.
fn world_of(world: World) -> (World, Vec<String>) {
    let mut keys = Vec::new();
    for build in BUILDS {
        let key = world.draft_of(&format!("Change for {build}"), build);
        keys.push(match build {
            "git:aaa4e5e" => key,
            _ => world.approved(key),
        });
    }
    for (key, build) in keys.iter().zip(&BUILDS[..3]) {
        world.note_about(key, build);
    }
    world.pass_seconds(125 * 60);
    (world, keys)
}

/// The gate's result, and why not.
fn asked(world: &World, build: &'static str) -> (GateDecision, Vec<String>) {
    let answer = world.look(move |cx| answer::ask(cx, &question(build))).unwrap();
    let codes = answer.reasons.into_iter().map(|it| it.code).collect();
    (answer.decision, codes)
}

fn state(world: &World, key: &str) -> State {
    let key = key.to_owned();
    world.look(move |cx| Ok(cx.change(&key)?.state)).unwrap()
}

fn is_left(world: &World) -> bool {
    world.look(|cx| Ok(unsettled::state(cx.tx)?.is_some())).unwrap()
}

/// Judges the remaining changes, as a server does.
fn settle(executor: &Executor, most: u8) -> Left {
    let listing = |cx: &mut Context<'_, '_>| settle_left::next(cx, 0);
    let list = executor.wait(Lane::Worker, TENANT, Actor::system(), Mode::Read, listing);
    let these: Vec<String> = list.unwrap().changes.into_iter().take(most.into()).collect();
    let some = move |cx: &mut Context<'_, '_>| match these.is_empty() {
        true => settle_some(cx, most.into()),
        false => settle_these(cx, &these),
    };
    executor
        .wait(Lane::Worker, TENANT, Actor::system(), Mode::Write, some)
        .unwrap()
}

fn settle_all(world: &World) {
    for _ in 0..1_000 {
        if settle(&world.executor, 2) == Left::Nothing {
            assert!(!is_left(world));
            return;
        }
    }
    panic!("it never ends");
}

fn freeze(world: &World) {
    world.by("mona", |cx| {
        let span = json!({"title": "Stop", "starts_at": cx.now, "ends_at": "2026-11-20T11:50:00Z", "reason": "Fire."});
        set_freeze::set_freeze(cx, &body(span)).map(drop)
    });
}

#[test]
fn a_freeze_counts_at_the_gate_and_for_verbs_before_the_changes_under_it_are_written() {
    let (world, keys) = world_of(World::new());
    assert_eq!(asked(&world, BUILDS[0]).0, GateDecision::Go);
    world.executor.services().settle_at_once(0);
    freeze(&world);
    assert!(is_left(&world));
    assert_eq!(
        state(&world, &keys[0]),
        State::Scheduled,
        "what is written follows later"
    );
    let (decision, codes) = asked(&world, BUILDS[0]);
    assert_eq!(decision, GateDecision::Stop);
    assert!(codes.contains(&"freeze".to_owned()), "{codes:?}");
    let checked = world.by("pipe", |cx| answer::check(cx, &question(BUILDS[0]), None));
    assert!(checked.permit.is_none());
    let key = keys[1].clone();
    let start = move |cx: &mut Context<'_, '_>| verbs::start_change(cx, &key);
    let started = world
        .executor
        .wait(Lane::Acts, TENANT, world.actor("ivo"), Mode::Write, start);
    assert!(matches!(started, Err(Error::Refused(_))), "{started:?}");
    world.sequence();
    world.assert_replays();
    settle_all(&world);
    assert_eq!(state(&world, &keys[0]), State::Approved);
    assert_eq!(asked(&world, BUILDS[0]).0, GateDecision::Stop);
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_change_with_a_permit_that_lives_is_judged_in_the_act() {
    let (world, keys) = world_of(World::new());
    let checked = world.by("pipe", |cx| answer::check(cx, &question(BUILDS[0]), None));
    assert!(checked.permit.is_some());
    world.executor.services().settle_at_once(0);
    freeze(&world);
    let is_judged = |key: &str| {
        let key = key.to_owned();
        let look = move |cx: &mut Context<'_, '_>| {
            let id = cx.change(&key)?.id;
            Ok(unsettled::judged_at(cx.tx, id.as_str())?.is_some())
        };
        world.look(look).unwrap()
    };
    assert!(is_judged(&keys[0]), "its permit is used without a question");
    assert!(!is_judged(&keys[1]));
}

#[test]
fn a_check_that_waits_is_turned_first() {
    let (world, _) = world_of(World::new());
    freeze(&world);
    let until = world.executor.tools().clock.now() + jiff::SignedDuration::from_hours(1);
    let checked = world.by("pipe", move |cx| answer::check(cx, &question(BUILDS[2]), Some(until)));
    world.executor.services().settle_at_once(0);
    let freeze = world.look(|cx| Ok(cx.directory()?.freezes[0].id.clone())).unwrap();
    world.system(move |cx| {
        let mut it = store::record::load::<model::schedule::freeze::Freeze>(cx.tx, freeze.as_str())?
            .unwrap()
            .record;
        it.ended = true;
        cx.put_estate("freeze.ended", it, json!({}))?;
        acts::case::settle_open::settle_open(cx, |_| true)
    });
    let id = checked.check.id.0.clone();
    assert_eq!(settle(&world.executor, 1), Left::More);
    let id_again = id.clone();
    let turned = world.look(move |cx| answer::load_check(cx, &id_again)).unwrap();
    assert_eq!(turned.decision, GateDecision::Go, "{:?}", turned.reasons);
    settle_all(&world);
}

#[test]
fn a_change_that_cannot_be_judged_holds_up_no_other_and_stays_shut() {
    let (world, keys) = world_of(World::new());
    world.executor.services().settle_at_once(0);
    freeze(&world);
    // The urgent ones are given up first, then the first change of the pass.
    world.system(pass_over);
    world.system(pass_over);
    for _ in 0..20 {
        if settle(&world.executor, 2) == Left::Trouble {
            break;
        }
    }
    assert!(is_left(&world), "one was left out");
    assert_eq!(state(&world, &keys[0]), State::Scheduled);
    assert_eq!(state(&world, &keys[1]), State::Approved);
    assert_eq!(asked(&world, BUILDS[0]).0, GateDecision::Stop);
    settle_all(&world);
    assert_eq!(state(&world, &keys[0]), State::Approved);
}

/// Judges the remaining changes one by one, past those that cannot be judged, as a server does.
fn settle_past_faults(world: &World) {
    for _ in 0..100 {
        let some = |cx: &mut Context<'_, '_>| settle_some(cx, 1);
        let settled = world
            .executor
            .wait(Lane::Worker, TENANT, Actor::system(), Mode::Write, some);
        match settled {
            Ok(Left::Nothing) => return,
            Ok(_) => {}
            Err(_) => world.system(pass_over),
        }
    }
    panic!("it never ends");
}

#[test]
fn a_mark_put_into_the_database_spares_no_change_its_evaluation() {
    for generation in [0, 1_000_000_i64] {
        let (world, keys) = world_of(World::new());
        world.executor.services().settle_at_once(0);
        freeze(&world);
        let key = keys[0].clone();
        world.system(move |cx| {
        let id = cx.change(&key)?.id.0;
        cx.tx.execute(
            "INSERT INTO settled (tenant, change_id, generation, code) VALUES ($tenant, $change_id, $generation, $code)",
            &[
                ("change_id", id.into()),
                ("generation", generation.into()),
                ("code", store::Value::Bytes(vec![1; 33])),
            ],
        )?;
        Ok(())
    });
        settle_past_faults(&world);
        assert_eq!(state(&world, &keys[0]), State::Approved, "{generation}");
    }
}

#[test]
fn a_change_that_ended_since_it_was_listed_is_left_as_it_is() {
    let (world, keys) = world_of(World::new());
    world.executor.services().settle_at_once(0);
    world.system(|cx| one(cx, &Deed::Criticality("low")).map(drop));
    let key = keys[0].clone();
    world.by("rita", move |cx| {
        verbs::cancel_change(cx, &key, &body(json!({"reason": "Not needed"})))
    });
    world.system(|cx| one(cx, &Deed::Criticality("critical")).map(drop));
    let read = |world: &World| {
        let key = keys[0].clone();
        world.look(move |cx| cx.change(&key)).unwrap()
    };
    let before = read(&world);
    let listed = [before.id.0.clone()];
    world.system(move |cx| settle_these(cx, &listed).map(drop));
    assert_eq!(read(&world), before);
}

/// The same numbers on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// One act of many kinds, the same in every world.
#[derive(Debug, Clone)]
enum Deed {
    Freeze { halts: bool },
    Criticality(&'static str),
    Hold(String),
    Resume(String),
    Deploy(&'static str),
    Wait(i64),
}

fn roll(dice: &mut Dice, keys: &[String]) -> Deed {
    let place = usize::try_from(dice.below(4)).unwrap();
    match dice.below(8) {
        0 => Deed::Freeze {
            halts: dice.below(2) == 0,
        },
        1 => Deed::Criticality(["low", "high", "critical"][usize::try_from(dice.below(3)).unwrap()]),
        2 => Deed::Hold(keys[place].clone()),
        3 => Deed::Resume(keys[place].clone()),
        4 | 5 => Deed::Deploy(BUILDS[place]),
        _ => Deed::Wait(i64::try_from(dice.below(200)).unwrap()),
    }
}

/// Does it; returns whether it was allowed, and of a deployment whether it got a permit.
fn act(world: &World, deed: &Deed) -> bool {
    let (login, told) = match deed {
        Deed::Wait(seconds) => {
            world.pass_seconds(*seconds);
            return true;
        }
        Deed::Freeze { .. } => ("mona", deed.clone()),
        Deed::Deploy(_) => ("pipe", deed.clone()),
        Deed::Hold(_) | Deed::Resume(_) => ("mona", deed.clone()),
        Deed::Criticality(_) => ("", deed.clone()),
    };
    let actor = match login {
        "" => Actor::system(),
        login => world.actor(login),
    };
    let run = move |cx: &mut Context<'_, '_>| one(cx, &told);
    world
        .executor
        .wait(Lane::Acts, TENANT, actor, Mode::Write, run)
        .unwrap_or(false)
}

fn one(cx: &mut Context<'_, '_>, deed: &Deed) -> Result<bool> {
    match deed {
        Deed::Freeze { halts } => {
            let until = cx.now + jiff::SignedDuration::from_mins(4);
            let span =
                json!({"title": "Stop", "starts_at": cx.now, "ends_at": until, "reason": "Fire.", "halt": halts});
            set_freeze::set_freeze(cx, &body(span)).map(|_| true)
        }
        Deed::Criticality(level) => {
            set_service::set_service(cx, &body(json!({"key": "pay", "criticality": level}))).map(|_| true)
        }
        Deed::Hold(key) => verbs::hold_change(cx, key, &body(json!({"reason": "Look first."}))).map(|()| true),
        Deed::Resume(key) => verbs::resume_change(cx, key).map(|()| true),
        Deed::Deploy(build) => Ok(answer::check(cx, &question(build), None)?.permit.is_some()),
        Deed::Wait(_) => Ok(true),
    }
}

/// Judges every open change in one act, by the current clock: the timers' work beside it.
fn judge_all(world: &World) {
    world.system(|cx| acts::case::settle_open::settle_open(cx, |_| true));
}

/// Settles the remaining changes, and judges all once more.
fn catch_up(left: &World) {
    settle_all(left);
    left.executor.services().settle_at_once(100);
    judge_all(left);
    left.executor.services().settle_at_once(0);
}

/// Both worlds do the same; where the one that leaves changes unsettled is stricter for a moment, it is settled and queried
/// again, so that both go on alike.
fn together(full: &World, left: &World, deed: &Deed) {
    let (may, did) = (act(full, deed), act(left, deed));
    if may == did {
        return;
    }
    assert!(may, "{deed:?} was allowed by what an act had changed");
    catch_up(left);
    assert!(act(left, deed), "{deed:?} is refused once all is settled");
}

fn compare(full: &World, left: &World, after: &Deed) {
    for build in BUILDS {
        let (wanted, found) = (asked(full, build).0, asked(left, build).0);
        let is_safe = found == GateDecision::Stop || wanted == GateDecision::Go;
        assert!(is_safe, "{build} may go after {after:?}, where full settling stops it");
    }
}

/// Work that is cut off before its commit: nothing of it remains.
fn crash(world: &World) {
    let cut = |cx: &mut Context<'_, '_>| -> Result<()> {
        settle_some(cx, 3)?;
        Err(Refusal::not_found("rest of the transaction").into())
    };
    let done = world
        .executor
        .wait(Lane::Worker, TENANT, Actor::system(), Mode::Write, cut);
    assert!(done.is_err());
}

fn walk(seed: u64, full: World, left: World) {
    let ((full, keys), (left, same)) = (world_of(full), world_of(left));
    assert_eq!(keys, same);
    left.executor.services().settle_at_once(0);
    let mut dice = Dice(seed);
    for _ in 0..30 {
        let deed = roll(&mut dice, &keys);
        together(&full, &left, &deed);
        judge_all(&full);
        compare(&full, &left, &deed);
        match dice.below(5) {
            0 => crash(&left),
            // Another server goes on where this one stopped.
            1 => drop(settle(&left.other_desk(0), 1)),
            2 => drop(settle(&left.executor, 2)),
            _ => {}
        }
        compare(&full, &left, &deed);
    }
    left.sequence();
    left.assert_replays();
    catch_up(&left);
    for (build, key) in BUILDS.into_iter().zip(&keys) {
        assert_eq!(state(&left, key), state(&full, key), "{key} with seed {seed}");
        assert_eq!(asked(&left, build), asked(&full, build), "{build} with seed {seed}");
    }
    left.sequence();
    left.assert_replays();
}

#[test]
fn no_answer_is_laxer_than_that_of_full_settling_and_all_are_equal_once_settled() {
    for seed in [3, 0x5eed, 77_777] {
        walk(seed, World::new(), World::new());
    }
}

#[test]
fn the_same_on_postgresql() {
    let Some((left, _database)) = World::on_postgres() else {
        return;
    };
    let store = left.executor.tools().store.clone();
    walk(0xacce55, World::new(), left);
    store.close();
}
