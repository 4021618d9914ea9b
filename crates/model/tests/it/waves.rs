//! Waves: members are placed by rule, a wave waits for the one before it, and a stop stops every member.

use std::collections::BTreeMap;

use model::approval::obligation::{Due, Duty};
use model::change::waves::gate::GateMember;
use model::change::waves::member_list::{ListRef, MOST_MEMBERS, Member, build};
use model::change::waves::member_outcome::MemberOutcome;
use model::change::waves::plan::{WavePlan, assign, read_plan};
use model::change::waves::report::{self, ReportedMember};
use model::change::waves::run::of_waves;
use model::core::enums::{GateDecision, MemberState, State, TaskKind, WaveStopCause};
use model::core::ids::TargetId;
use model::core::parse::Reading;
use model::core::shared_map::Shelf;
use model::gate::answer::{self, judge};
use model::schedule::joint_rules::out_of_order;
use serde_json::{Value, json};

use crate::people::incident;
use crate::world::{World, at, body, code, facts, facts_but, fields};

fn plan(value: Value) -> WavePlan {
    let value = body(value);
    let mut reading = Reading::new(&value, "");
    let plan = read_plan(&mut reading);
    reading.finish().unwrap();
    plan
}

fn member(name: &str, region: &str, canary: bool) -> Member {
    Member {
        name: name.to_owned(),
        region: region.to_owned(),
        canary,
        wave: 0,
    }
}

fn waves_of(members: &[Member]) -> BTreeMap<String, i64> {
    members.iter().map(|it| (it.name.clone(), it.wave)).collect()
}

/// Two waves: one canary, then the rest, three failures halt.
fn two() -> WavePlan {
    plan(json!({"waves": [{"wave": "canary", "canary": true}, {"wave": "rest"}], "halt_failures": 3}))
}

/// A scheduled change over `c` in wave 1 and `m1` to `m5` in wave 2.
fn scheduled(plan: &WavePlan) -> World {
    let mut world = World::new();
    // An open incident on one of its services would halt it.
    world.estate(|estate| estate.incidents = Shelf::default());
    let mut lists = vec![vec![member("c", "", true)]];
    lists[0].extend((1..=5).map(|number| member(&format!("m{number}"), "", false)));
    assign(plan, &mut lists, &[]).unwrap();
    let (list, _) = build(&"shop".into(), &lists[0]);
    let new = (TargetId::from("1"), list.reference(), of_waves(plan, &lists[0]));
    world
        .act("rita", |case| report::set_waves(case, plan, vec![new]))
        .unwrap();
    world.until_scheduled()
}

fn started(plan: &WavePlan) -> World {
    let mut world = scheduled(plan);
    world.wait_until(at("11:10"));
    world.start("ida").unwrap();
    world
}

/// The gate's result for a member in a wave, with these facts.
fn gate(world: &World, name: &str, wave: i64, state: Option<MemberState>) -> Vec<String> {
    let rows = answer::rows(&world.file, &world.directory, world.now);
    let mut row = rows.into_iter().find(|row| row.waves.is_some()).unwrap();
    row.member = Some(GateMember {
        name: name.to_owned(),
        wave: Some(wave),
        state,
    });
    let answer = judge(&row, world.now);
    assert_eq!(answer.decision == GateDecision::Go, answer.reasons.is_empty());
    answer.reasons.into_iter().map(|row| row.code).collect()
}

fn told(name: &str, wave: i64, state: MemberState, known: Option<MemberOutcome>) -> ReportedMember {
    ReportedMember {
        target: TargetId::from("1"),
        member: Member {
            name: name.to_owned(),
            wave,
            ..Member::default()
        },
        state,
        text: None,
        known,
    }
}

fn tell(world: &mut World, rows: Vec<ReportedMember>) -> Vec<MemberOutcome> {
    world.act("ida", |case| report::report(case, rows)).unwrap()
}

#[test]
fn a_plan_places_members_by_mark_region_size_and_share_and_starves_nobody() {
    let rules = plan(json!({"waves": [
        {"wave": "canary", "canary": true, "size": 1}, {"wave": "north", "regions": ["Norway"]}, {"wave": "tenth", "percent": 10},
        {"wave": "rest"},
    ]}));
    let mut lists = vec![vec![
        member("a", "Norway", true),
        member("b", "Norway", true),
        member("c", "", false),
        member("d", "Sweden", false),
    ]];
    assign(&rules, &mut lists, &[]).unwrap();
    let placed = waves_of(&lists[0]);
    assert_eq!((placed["a"], placed["b"], placed["c"], placed["d"]), (1, 2, 3, 4));
    let narrow = plan(json!({"waves": [{"wave": "north", "regions": ["Norway"]}]}));
    assert_eq!(
        assign(&narrow, &mut lists, &[]),
        Err(vec!["c".to_owned(), "d".to_owned()])
    );
}

#[test]
fn members_that_stay_keep_their_wave_when_others_come() {
    let rules = plan(json!({"waves": [{"wave": "one", "size": 2}, {"wave": "rest"}]}));
    let mut lists = vec![vec![
        member("m", "", false),
        member("n", "", false),
        member("o", "", false),
    ]];
    assign(&rules, &mut lists, &[]).unwrap();
    let kept = waves_of(&lists[0]);
    let mut later = vec![vec![
        member("a", "", false),
        member("m", "", false),
        member("n", "", false),
    ]];
    assign(&rules, &mut later, &[kept]).unwrap();
    let placed = waves_of(&later[0]);
    assert_eq!(
        (placed["a"], placed["m"], placed["n"]),
        (2, 1, 1),
        "a comes first by name, and takes nobody's place"
    );
}

#[test]
fn a_list_is_known_by_its_members_alone_and_one_is_found_in_its_bucket() {
    let members: Vec<Member> = (0..MOST_MEMBERS)
        .map(|number| Member {
            wave: 1,
            ..member(&format!("truck-{number}"), "Norway", number == 7)
        })
        .collect();
    let (list, buckets) = build(&"shop".into(), &members);
    let turned: Vec<Member> = members.iter().rev().cloned().collect();
    assert_eq!(build(&"shop".into(), &turned).0.id, list.id);
    assert!(list.is_whole() && buckets.iter().all(|bucket| bucket.is_whole()));
    let largest = buckets.iter().map(|bucket| bucket.members.len()).max().unwrap();
    assert!(largest < 300, "a question reads one bucket of {largest} members");
    for name in ["truck-0", "truck-7", "truck-9999"] {
        let digest = list.bucket_of(name).unwrap();
        let bucket = buckets.iter().find(|bucket| bucket.id.as_str() == digest).unwrap();
        assert_eq!(bucket.member(name).unwrap().canary, name == "truck-7");
    }
    let mut other = members.clone();
    other[3].name = "truck-x".to_owned();
    let (next, replaced) = build(&"shop".into(), &other);
    assert_ne!(next.id, list.id);
    let same = replaced
        .iter()
        .filter(|it| list.buckets.contains(&it.id.to_string()))
        .count();
    assert!(replaced.len() - same <= 2, "one member moves at most two buckets");
    let mut forged = buckets[0].clone();
    forged.members.push("forged|||1".to_owned());
    assert!(!forged.is_whole());
}

#[test]
fn a_wave_waits_for_the_one_before_it_and_opens_by_its_last_outcome() {
    let mut world = started(&two());
    assert_eq!(gate(&world, "c", 1, None), Vec::<String>::new());
    assert_eq!(gate(&world, "m1", 2, None), ["wave_waits"]);
    tell(&mut world, vec![told("c", 1, MemberState::Succeeded, None)]);
    assert_eq!(gate(&world, "m1", 2, None), Vec::<String>::new());
    assert_eq!(gate(&world, "c", 1, Some(MemberState::Succeeded)), ["member_done"]);
    assert_eq!(
        gate(&world, "m1", 2, Some(MemberState::InProgress)),
        Vec::<String>::new()
    );
}

#[test]
fn a_question_without_a_member_or_with_an_unknown_one_gets_no_go() {
    let world = started(&two());
    let rows = answer::rows(&world.file, &world.directory, world.now);
    let mut row = rows.into_iter().find(|row| row.waves.is_some()).unwrap();
    assert_eq!(judge(&row, world.now).reasons[0].code, "member_missing");
    row.member = Some(GateMember {
        name: "x".to_owned(),
        wave: None,
        state: None,
    });
    assert_eq!(judge(&row, world.now).reasons[0].code, "member_unknown");
}

#[test]
fn the_third_failure_halts_and_only_who_implements_resumes() {
    let mut world = started(&two());
    tell(&mut world, vec![told("c", 1, MemberState::Succeeded, None)]);
    for name in ["m1", "m2"] {
        tell(&mut world, vec![told(name, 2, MemberState::Failed, None)]);
    }
    assert!(world.change().wave_run.as_ref().unwrap().stop.is_none());
    let failed = tell(&mut world, vec![told("m3", 2, MemberState::Failed, None)]);
    let stop = world.change().wave_run.as_ref().unwrap().stop.clone().unwrap();
    assert_eq!(stop.cause, WaveStopCause::Failures);
    assert!(world.letters.iter().any(|letter| letter.topic == "waves_halted"));
    let row = answer::rows(&world.file, &world.directory, world.now);
    let row = row.into_iter().find(|row| row.waves.is_some()).unwrap();
    let reason = &judge(&row, world.now).reasons[0];
    assert_eq!(
        (reason.code.as_str(), reason.waiting_on.contains(&"ida".to_owned())),
        ("waves_halted", true)
    );
    // Outcomes are recorded in spite of it: they are facts.
    tell(&mut world, vec![told("m4", 2, MemberState::Succeeded, None)]);
    let reason = body(json!({"reason": "Revision C is set aside."}));
    assert_eq!(
        code(world.act("rita", |case| report::resume(case, &reason))),
        "not_allowed"
    );
    world.act("ida", |case| report::resume(case, &reason)).unwrap();
    assert_eq!(gate(&world, "m5", 2, None), Vec::<String>::new());
    assert_eq!(gate(&world, "m3", 2, Some(MemberState::Failed)), ["member_failed"]);
    let again = failed.into_iter().map(|row| (row, member("m3", "", false)));
    let again: Vec<_> = again.map(|(row, it)| (row, Member { wave: 2, ..it })).collect();
    let waiting = world.act("ida", |case| report::retry(case, again)).unwrap();
    assert_eq!(waiting[0].state, MemberState::Waiting);
    assert_eq!(gate(&world, "m3", 2, Some(MemberState::Waiting)), Vec::<String>::new());
}

#[test]
fn an_incident_that_is_open_as_the_waves_begin_halts_them_unless_it_was_looked_at() {
    let mut world = scheduled(&two());
    world.estate(|estate| {
        estate.incidents.insert("INC-7".to_owned(), incident("INC-7"));
    });
    world.wait_until(at("11:10"));
    world.start("ida").unwrap();
    let stop = world.change().wave_run.as_ref().unwrap().stop.clone().unwrap();
    assert_eq!(
        (stop.cause, stop.incident_key.as_deref()),
        (WaveStopCause::Incident, Some("INC-7"))
    );
    assert_eq!(gate(&world, "c", 1, None), ["waves_halted"]);
    let reason = body(json!({"reason": "It is on another floor."}));
    world.act("ida", |case| report::resume(case, &reason)).unwrap();
    assert_eq!(gate(&world, "c", 1, None), Vec::<String>::new());
}

#[test]
fn a_pause_stops_every_member_until_it_is_resumed() {
    let mut world = started(&two());
    let reason = body(json!({"reason": "The depot is closed."}));
    world.act("ida", |case| report::pause(case, &reason)).unwrap();
    assert_eq!(gate(&world, "c", 1, None), ["waves_paused"]);
    assert_eq!(
        code(world.act("ida", |case| report::pause(case, &reason))),
        "waves_stopped"
    );
    world.act("ida", |case| report::resume(case, &reason)).unwrap();
    assert_eq!(gate(&world, "c", 1, None), Vec::<String>::new());
    assert_eq!(
        code(world.act("ida", |case| report::resume(case, &reason))),
        "waves_run"
    );
}

#[test]
fn the_next_wave_is_kept_until_the_watch_is_over_and_no_more_go_than_may_at_once() {
    let rules = plan(
        json!({"waves": [{"wave": "canary", "canary": true}, {"wave": "rest"}], "watch_minutes": 30, "most_at_once": 2}),
    );
    let mut world = started(&rules);
    tell(&mut world, vec![told("c", 1, MemberState::Succeeded, None)]);
    assert_eq!(gate(&world, "m1", 2, None), ["wave_watched"]);
    world.wait(31);
    assert_eq!(gate(&world, "m1", 2, None), Vec::<String>::new());
    tell(
        &mut world,
        vec![
            told("m1", 2, MemberState::InProgress, None),
            told("m2", 2, MemberState::InProgress, None),
        ],
    );
    assert_eq!(gate(&world, "m3", 2, None), ["wave_full"]);
    assert_eq!(
        gate(&world, "m1", 2, Some(MemberState::InProgress)),
        Vec::<String>::new()
    );
}

#[test]
fn a_target_has_not_succeeded_while_members_of_it_have_not_ended() {
    let mut world = started(&two());
    tell(&mut world, vec![told("c", 1, MemberState::Succeeded, None)]);
    assert_eq!(
        code(world.complete("ida", json!({"outcome": "succeeded"}))),
        "members_open"
    );
    let rest = (1..=5).map(|number| told(&format!("m{number}"), 2, MemberState::Succeeded, None));
    tell(&mut world, rest.collect());
    assert!(world.change().wave_run.as_ref().unwrap().is_through());
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    assert_eq!(world.state(), State::Reviewing);
}

#[test]
fn what_is_told_twice_counts_once() {
    let mut world = started(&two());
    let known = tell(&mut world, vec![told("c", 1, MemberState::Failed, None)]).remove(0);
    let again = tell(&mut world, vec![told("c", 1, MemberState::Failed, Some(known.clone()))]);
    assert_eq!(again, Vec::new());
    let late = tell(
        &mut world,
        vec![told("c", 1, MemberState::InProgress, Some(known.clone()))],
    );
    assert_eq!(late, Vec::new(), "a late word of the beginning moves nothing");
    let wave = &world.change().wave_run.as_ref().unwrap().waves[0];
    assert_eq!((wave.failed, wave.done, wave.left()), (1, 0, 0));
    tell(&mut world, vec![told("c", 1, MemberState::Succeeded, Some(known))]);
    let wave = &world.change().wave_run.as_ref().unwrap().waves[0];
    assert_eq!((wave.failed, wave.done), (0, 1));
}

#[test]
fn another_member_voids_the_approvals_of_its_target_and_no_others() {
    let target = |service: &str| json!({"service": service, "environment": "production", "artifact": "git:aae5e5e"});
    let mut world = World::with(
        facts_but(json!({"targets": [target("shop"), target("pay")]})),
        Vec::new(),
    );
    let rules = two();
    let list = |service: &str, names: &[&str]| {
        let mut lists = vec![names.iter().map(|name| member(name, "", false)).collect::<Vec<_>>()];
        assign(&rules, &mut lists, &[]).unwrap();
        let (list, _) = build(&service.into(), &lists[0]);
        (list.reference(), of_waves(&rules, &lists[0]))
    };
    let set = |world: &mut World, second: &[&str]| {
        let (one, two) = (list("shop", &["a", "b"]), list("pay", second));
        let lists = vec![(TargetId::from("1"), one.0, one.1), (TargetId::from("2"), two.0, two.1)];
        world
            .act("rita", |case| report::set_waves(case, &rules, lists))
            .unwrap();
    };
    // The second target has an owner of its own.
    world.estate(|directory| {
        let mut rows = directory.ownerships.to_vec();
        let mut row = rows[0].clone();
        row.id = "o2".into();
        row.service = Some("pay".into());
        row.person = Some("vera".into());
        rows.push(row);
        directory.ownerships = rows.into();
    });
    set(&mut world, &["x", "y"]);
    let mut world = world.until_authorizing();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    for who in ["olga", "vera"] {
        world.approve(who).unwrap();
    }
    let digest = world.change().digests.what.clone();
    set(&mut world, &["x", "z"]);
    assert_ne!(world.change().digests.what, digest, "the digest covers every member");
    for approval in &world.file.approvals {
        let mut rows = approval.counted_for.iter().filter(|row| row.what);
        let is_about = rows.any(|row| row.targets.is_empty() || row.targets.contains(&TargetId::from("2")));
        let covers_nothing = approval.counted_for.iter().all(|row| !row.what);
        let is_void = approval.what == model::change::related_records::Coverage::Voided;
        assert_eq!(is_void, is_about || covers_nothing, "{:?}", approval.counted_for);
    }
    let voided =
        |it: &&model::change::related_records::Approval| it.what == model::change::related_records::Coverage::Voided;
    let all = world.file.approvals.len();
    assert_eq!((all, world.file.approvals.iter().filter(voided).count()), (2, 1));
}

#[test]
fn an_ordinary_edit_keeps_the_members_of_targets_that_stay() {
    let mut world = World::new();
    let mut lists = vec![vec![member("a", "", false)]];
    let rules = two();
    assign(&rules, &mut lists, &[]).unwrap();
    let (list, _) = build(&"shop".into(), &lists[0]);
    let kept: ListRef = list.reference();
    let new = (TargetId::from("1"), kept.clone(), of_waves(&rules, &lists[0]));
    world
        .act("rita", |case| report::set_waves(case, &rules, vec![new]))
        .unwrap();
    world.edit("rita", json!({"title": "Ship 2.5"})).unwrap();
    assert_eq!(world.change().content.targets[0].members, Some(kept));
    assert!(world.change().wave_run.is_some() && world.change().content.wave_plan.is_some());
    let elsewhere = json!({"targets": [{"service": "pay", "environment": "production", "artifact": "git:aae5e5e"}]});
    world.edit("rita", elsewhere).unwrap();
    assert_eq!(world.change().content.targets[0].members, None);
    assert!(world.change().wave_run.is_none());
}

#[test]
fn a_plan_says_all_that_is_wrong_with_it() {
    let wrong =
        body(json!({"waves": [{"wave": "a", "size": 0}, {"wave": "a"}, {"percent": 101}], "watch_minutes": -1}));
    let mut reading = Reading::new(&wrong, "");
    read_plan(&mut reading);
    let fields: Vec<String> = reading.errors.iter().map(|error| error.field.clone()).collect();
    for wanted in [
        "waves[0].size",
        "waves[1].wave",
        "waves[2].wave",
        "waves[2].percent",
        "watch_minutes",
    ] {
        assert!(
            fields.iter().any(|field| field == wanted),
            "{wanted} is not among {fields:?}"
        );
    }
}

#[test]
fn a_rule_that_asks_for_a_watch_is_met_by_no_plan_without_minutes_between_waves() {
    let none = body(json!({"waves": [{"wave": "a"}], "watch_minutes": 0}));
    let mut reading = Reading::new(&none, "");
    read_plan(&mut reading);
    assert_eq!(reading.errors[0].field, "watch_minutes");
    let asks = |watched: bool| Duty::Task {
        kind: TaskKind::Implement,
        title: "Bring it to a small part first".to_owned(),
        watched,
    };
    let rules = json!({"waves": [{"wave": "canary", "canary": true}, {"wave": "rest"}]});
    let mut watched = rules.clone();
    watched["watch_minutes"] = json!(30);
    let set = |world: &mut World, rules: &Value| {
        let rules = plan(rules.clone());
        world.act("rita", |case| report::set_waves(case, &rules, Vec::new()))
    };
    let mut world = World::with(facts(), vec![(Due::Close, asks(true))]);
    assert_eq!(
        fields(set(&mut world, &rules)),
        [("watch_minutes".into(), "missing".into())]
    );
    set(&mut world, &watched).unwrap();
    let one = json!({"waves": [{"wave": "all"}]});
    set(&mut world, &one).expect("nothing follows its only wave");
    // A rule that comes after the plan stops the start.
    let mut world = World::with(facts(), vec![(Due::Close, asks(false))]);
    set(&mut world, &rules).unwrap();
    world.extra = vec![(Due::Close, asks(true))];
    let mut world = world.until_scheduled();
    assert!(
        world.unmet().contains(&"waves_not_watched".to_owned()),
        "{:?}",
        world.unmet()
    );
    set(&mut world, &watched).unwrap();
    assert!(!world.unmet().contains(&"waves_not_watched".to_owned()));
}

#[test]
fn what_comes_first_is_not_planned_behind_what_waits_for_it() {
    let world = World::with(facts(), Vec::new()).until_scheduled();
    let planned = |key: &str, from: &str, to: &str| {
        let mut change = world.file.change.clone();
        change.key = key.to_owned();
        (change.planned_start, change.planned_end) = (Some(at(from)), Some(at(to)));
        change
    };
    let keys = |changes: &[model::change::record::Change]| -> Vec<String> {
        out_of_order(changes).into_iter().map(|it| it.key).collect()
    };
    let (a, b) = (planned("A", "10:00", "11:00"), planned("B", "11:00", "12:00"));
    assert!(keys(&[a.clone(), b.clone()]).is_empty());
    assert_eq!(keys(&[b.clone(), a.clone()]), ["A"]);
    let same = planned("C", "10:00", "11:00");
    assert!(keys(&[a.clone(), same]).is_empty(), "the order says which begins");
    let short = planned("D", "10:00", "10:30");
    assert_eq!(
        keys(&[a.clone(), short]),
        ["D"],
        "it would end before what it waits for"
    );
    let mut over = b;
    over.state = State::Closed;
    assert!(keys(&[over, a]).is_empty(), "what is over is waited for no more");
}
