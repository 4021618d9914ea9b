//! Times, pauses, tasks, conditions and evidence around a change.

use jiff::SignedDuration;
use model::approval::decide;
use model::approval::obligation::{Asked, Due, Duty};
use model::change::around::{self, LinkEnd};
use model::change::{change_file, tasks, timers, waiting_on, work};
use model::core::enums::{Aspect, Covers, GateDecision, State};
use model::core::ids;
use model::core::refusal::{self, Refusal};
use model::directory::snapshot::Freeze;
use model::integration::foreign_mirror;
use model::schedule::calendar::Span;
use model::schedule::plan;
use serde_json::{Value, json};

use crate::people::rule;
use crate::world::{World, at, body, code, facts, facts_but, fields, missing};

#[test]
fn a_window_that_passes_without_a_start_is_missed() {
    for on_hold in [false, true] {
        let mut world = World::new().until_scheduled();
        world.letters.clear();
        if on_hold {
            world.hold("rita", json!({"reason": "Wait"})).unwrap();
        }
        world.wait_until(at("13:00"));
        assert_eq!(world.state(), State::Approved);
        assert!(world.change().window_missed);
        assert_eq!(world.change().planned_end, Some(at("13:00")), "the times stay visible");
        let told: Vec<_> = world
            .letters
            .iter()
            .filter(|letter| letter.topic == "window_missed")
            .map(|letter| letter.to.as_str())
            .collect();
        assert_eq!(
            told,
            ["rita", "rita", "ida"],
            "owner, requester, implementers; doubles are told once by their mark"
        );
        if on_hold {
            assert_eq!(code(world.schedule("rita", "14:00", "15:00")), "on_hold");
            assert_eq!(
                code(world.edit("rita", json!({"planned_end": "2026-11-20T15:00:00Z"}))),
                "on_hold"
            );
            world.act("rita", plan::resume).unwrap();
        }
        world.schedule("rita", "14:00", "15:00").unwrap();
        assert!(!world.change().window_missed);
        assert_eq!(world.state(), State::Approved, "the word on when is void");
        world.approve("mia").unwrap();
        assert_eq!(world.state(), State::Scheduled);
    }
}

#[test]
fn a_hold_stops_the_steps_and_the_clocks() {
    let mut asks = rule(Asked::Owner, Covers::What);
    asks.ack_sla = Some(Span::Minutes(60));
    let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(asks))]).until_authorizing();
    let before = world
        .change()
        .requests
        .iter()
        .find(|row| row.rule == "own.0")
        .unwrap()
        .acknowledge_by;
    assert_eq!(before, at("11:00"));
    world.wait(10);
    let long = json!({"reason": "Wait", "until": "2026-11-20T10:40:00Z"});
    assert_eq!(
        fields(world.hold("rita", json!({"reason": "x", "until": "2026-11-20T10:10:00Z"}))),
        [("until".into(), "in_the_past".into())]
    );
    world.hold("rita", long).unwrap();
    assert_eq!(code(world.approve("olga")), "on_hold");
    assert_eq!(code(world.schedule("rita", "14:00", "15:00")), "on_hold");
    let ahead = waiting_on::ahead(&world.file, &world.directory, world.now);
    assert_eq!(
        ahead[0].unmet.code, "on_hold",
        "whatever comes next waits for that first"
    );
    world.edit("rita", json!({"labels": ["x"]})).unwrap();
    world.edit("rita", json!({"description": "Told anew"})).unwrap();
    world.peer_review("sue", "agree").unwrap();
    world.wait(20);
    world
        .hold(
            "rita",
            json!({"reason": "Wait longer", "until": "2026-11-20T10:45:00Z"}),
        )
        .unwrap();
    world.wait(20);
    let reminded = world
        .events
        .iter()
        .filter(|event| event.kind == "change.hold_ended")
        .count();
    assert_eq!(reminded, 1);
    assert!(world.change().is_on_hold(), "people end a hold, not the clock");
    assert_eq!(world.look(timers::next_due), None);
    world.act("rita", plan::resume).unwrap();
    let after = world
        .change()
        .requests
        .iter()
        .find(|row| row.rule == "own.0")
        .unwrap()
        .acknowledge_by;
    assert_eq!(after, at("11:40"), "forty minutes of pause");
    assert_eq!(code(world.act("rita", plan::resume)), "not_on_hold");
    world.wait_until(at("11:39"));
    assert!(!world.events.iter().any(|event| event.kind == "approval.unacknowledged"));
    world.wait_until(at("11:40"));
    assert!(world.events.iter().any(|event| event.kind == "approval.unacknowledged"));
}

#[test]
fn a_hold_refuses_submission_assessment_and_start() {
    let mut world = World::new();
    world.hold("rita", json!({"reason": "Wait"})).unwrap();
    assert_eq!(code(world.submit("rita")), "on_hold");
    world.act("rita", plan::resume).unwrap();
    world.submit("rita").unwrap();
    world.hold("rita", json!({"reason": "Wait"})).unwrap();
    assert_eq!(code(world.assess("rita", json!({}))), "on_hold");
    let mut world = World::new().until_scheduled();
    world.wait_until(at("11:10"));
    world.hold("rita", json!({"reason": "Wait"})).unwrap();
    assert_eq!(code(world.start("ida")), "on_hold");
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    assert_eq!(world.state(), State::Scheduled, "the state stays");
    world
        .act("olga", |case| {
            decide::return_change(case, &body(json!({"question": "?"})))
        })
        .unwrap();
    assert_eq!(world.state(), State::Draft);
}

#[test]
fn nobody_is_reminded_of_a_rule_that_is_met() {
    let mut world = World::new().until_scheduled();
    world.schedule("rita", "11:00", "13:00").unwrap();
    let mut far = World::with(
        facts_but(json!({"planned_start": "2026-11-23T11:00:00Z", "planned_end": "2026-11-23T13:00:00Z"})),
        Vec::new(),
    )
    .until_authorizing();
    for who in ["olga", "sam", "mia"] {
        far.approve(who).unwrap();
    }
    far.wait(48 * 60);
    assert!(
        !far.events.iter().any(|event| event.kind == "approval.unacknowledged"),
        "max need not answer any more"
    );
    let mut waits = World::with(
        facts_but(json!({"planned_start": "2026-11-23T11:00:00Z", "planned_end": "2026-11-23T13:00:00Z"})),
        Vec::new(),
    )
    .until_authorizing();
    waits.act("max", decide::acknowledge).unwrap();
    waits.wait(48 * 60);
    let late: Vec<_> = waits
        .events
        .iter()
        .filter(|event| event.kind == "approval.unacknowledged")
        .collect();
    assert_eq!(late.len(), 3, "olga, sam and mia, once each: {late:?}");
}

#[test]
fn work_that_runs_over_is_told_every_quarter_of_an_hour() {
    let mut world = World::new().until_implementing();
    world.collect("ida", "git:aae5e5e").unwrap();
    world.letters.clear();
    world.wait_until(at("13:00"));
    assert!(world.change().overrun);
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    assert_eq!(world.gate("git:00e5e5e").decision, GateDecision::Go);
    world.wait_until(at("13:44"));
    let to_ida = world
        .letters
        .iter()
        .filter(|letter| letter.topic == "overrun" && letter.to.as_str() == "ida")
        .count();
    assert_eq!(to_ida, 3, "at 13:00, 13:15 and 13:30");
    let entry = body(json!({"text": "Still at it", "kind": "issue", "target": "1"}));
    world.act("ida", |case| work::record(case, &entry, &[])).unwrap();
    world.complete("ida", json!({"outcome": "rolled_back"})).unwrap();
    assert!(!world.change().overrun);
}

#[test]
fn a_forgotten_overrun_leaves_one_mark() {
    let mut world = World::new().until_implementing();
    world.letters.clear();
    world.wait_until(at("13:00") + SignedDuration::from_hours(20));
    let told = world.letters.iter();
    let to_ida = told.filter(|letter| letter.topic == "overrun" && letter.to.as_str() == "ida");
    assert_eq!(to_ida.count(), 81, "once a quarter, at both ends");
    let marks = world.change().told.iter().filter(|mark| mark.starts_with("overrun/"));
    assert_eq!(marks.count(), 1);
    let told = world.letters.len();
    world.run_timers();
    assert_eq!(world.letters.len(), told, "a timer that runs twice tells nobody again");
}

fn ask(world: &mut World, until: &str) -> Result<(), refusal::Refusal> {
    let words = body(json!({"until": at(until).to_string(), "reason": "Slow disks"}));
    world.act("ida", |case| work::ask_extension(case, &words))
}

fn grant(world: &mut World, who: &str, yes: bool) -> Result<(), refusal::Refusal> {
    world.act(who, |case| {
        work::decide_extension(case, &body(json!({"grant": yes, "reason": "Go on"})))
    })
}

#[test]
fn more_time_is_granted_by_another_person() {
    let mut world = World::new().until_implementing();
    let digests = world.change().digests.clone();
    assert_eq!(
        fields(ask(&mut world, "12:59")),
        [("until".into(), "out_of_order".into())]
    );
    assert_eq!(code(grant(&mut world, "olga", true)), "nothing_asked");
    world.wait_until(at("12:50"));
    ask(&mut world, "13:10").unwrap();
    let mut late = world.clone();
    late.wait_until(at("13:10"));
    assert_eq!(code(grant(&mut late, "olga", true)), "too_late");
    grant(&mut late, "olga", false).unwrap();
    ask(&mut world, "14:00").unwrap();
    assert_eq!(code(grant(&mut world, "ida", true)), "not_allowed");
    grant(&mut world, "olga", true).unwrap();
    assert_eq!(world.change().extended_until, Some(at("14:00")));
    assert_eq!(world.change().digests, digests, "outside the digests");
    world.wait_until(at("13:30"));
    assert!(!world.change().overrun);
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
    world.freeze("15:00", "16:00", false);
    assert_eq!(missing(ask(&mut world, "15:30")), ["freeze"]);
    world.wait_until(at("14:00"));
    assert!(world.change().overrun);
}

#[test]
fn who_asked_for_more_time_reads_that_it_is_decided() {
    let mut world = World::new().until_implementing();
    let words = body(json!({"until": at("14:00").to_string(), "reason": "Slow disks"}));
    world.act("olga", |case| work::ask_extension(case, &words)).unwrap();
    assert_eq!(code(grant(&mut world, "olga", true)), "own_request");
    grant(&mut world, "mia", true).unwrap();
    assert_eq!(code(grant(&mut world, "olga", true)), "nothing_asked");
}

/// Nothing wakes a change for a freeze over another service: any author of a freeze could move its timer otherwise.
#[test]
fn a_freeze_over_something_else_makes_nothing_due() {
    let mut world = World::new().until_authorizing();
    let before = world.look(timers::next_due).unwrap();
    let minute = SignedDuration::from_mins(1);
    let (from, until) = (world.now + minute, world.now + minute * 2);
    assert!(until < before, "{before}");
    let over = |service: &str| Freeze {
        id: "f1".into(),
        version: 1,
        title: "Year end".into(),
        reason: None,
        starts_at: from,
        ends_at: until,
        services: [service.into()].into(),
        environments: Default::default(),
        halt: false,
        reach: Default::default(),
        exceptions: Vec::new(),
        ended: false,
        corrected_at: None,
        loosening: None,
        loosened: Vec::new(),
        set_by: None,
        set_at: None,
        repeat: Default::default(),
        course: Default::default(),
    };
    let own = world.change().content.targets[0].service.0.clone();
    world.estate(|estate| estate.freezes.push(over("something-else")));
    assert_eq!(world.look(timers::next_due), Some(before));
    world.estate(|estate| estate.freezes.push(over(&own)));
    assert_eq!(world.look(timers::next_due), Some(from));
}

#[test]
fn silence_about_more_time_is_an_overrun() {
    let mut world = World::new().until_implementing();
    ask(&mut world, "14:00").unwrap();
    world.wait(14);
    assert!(!world.change().overrun);
    world.wait(1);
    assert!(world.change().overrun);
    assert_eq!(
        world.gate("git:aae5e5e").decision,
        GateDecision::Stop,
        "the way forward stops"
    );
    assert_eq!(
        world.gate("git:00e5e5e").decision,
        GateDecision::Go,
        "the way back does not"
    );
    let mut denied = world.clone();
    grant(&mut denied, "mia", false).unwrap();
    assert!(!denied.change().overrun, "its own window is still open");
    assert_eq!(denied.gate("git:aae5e5e").decision, GateDecision::Go);
    denied.wait_until(at("13:00"));
    assert!(denied.change().overrun);
    grant(&mut world, "mia", true).unwrap();
    assert!(!world.change().overrun);
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
}

#[test]
fn an_overrun_of_more_time_says_that_more_was_granted() {
    let mut world = World::new().until_implementing();
    ask(&mut world, "14:00").unwrap();
    grant(&mut world, "mia", true).unwrap();
    world.wait_until(at("14:00"));
    let answer = world.gate("git:aae5e5e");
    let texts: Vec<&str> = answer.reasons.iter().map(|it| it.text.as_str()).collect();
    assert!(
        texts.contains(&"The change has overrun its window, and its extension has ended."),
        "{texts:?}"
    );
}

#[test]
fn who_is_called_as_the_window_opens_is_told_what_still_holds_the_start() {
    let mut world = World::new().until_authorizing();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Scheduled);
    let mut ready = world.clone();
    ready.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    for (world, headline, next) in [
        (&mut world, Some("cannot start yet"), "Add passed evidence"),
        (&mut ready, None, "Start the change"),
    ] {
        world.wait_until(at("11:00"));
        let letter = world.letters.iter().find(|it| it.topic == "window_opens").unwrap();
        assert_eq!(letter.headline.as_deref(), headline);
        assert!(letter.next.starts_with(next), "{letter:?}");
    }
}

#[test]
fn the_last_moment_to_go_back_is_told() {
    let mut world = World::new().until_implementing();
    world.wait_until(at("12:54"));
    assert!(
        !world
            .events
            .iter()
            .any(|event| event.kind == "change.latest_rollback_passed")
    );
    world.wait_until(at("12:55"));
    assert!(
        world
            .events
            .iter()
            .any(|event| event.kind == "change.latest_rollback_passed")
    );
}

#[test]
fn a_way_back_begun_by_mistake_is_taken_back_until_a_step_of_it_is_done() {
    let mut world = World::new().until_implementing();
    let mut say = |words: Value| {
        let entry = body(words);
        let earlier = world.file.entries.clone();
        world.act("ida", |case| work::record(case, &entry, &earlier))
    };
    let begun = say(json!({"text": "Back", "kind": "rollback"})).unwrap();
    let wrong = json!({"text": "Not back", "kind": "step", "withdraws": begun});
    assert_eq!(fields(say(wrong))[0].0, "withdraws", "nobody would be told");
    let unknown = json!({"text": "Not back", "kind": "deviation", "withdraws": "another"});
    assert_eq!(fields(say(unknown))[0].0, "withdraws");
    let right = json!({"text": "The wrong button", "kind": "deviation", "withdraws": begun});
    say(right.clone()).unwrap();
    assert_eq!(fields(say(right))[0].0, "withdraws", "it is taken back already");
    let again = say(json!({"text": "Back", "kind": "rollback"})).unwrap();
    say(json!({"text": "One step back", "kind": "rollback", "step": 1})).unwrap();
    let late = json!({"text": "Not back", "kind": "deviation", "withdraws": again});
    assert_eq!(code(say(late)), "way_back_walked");
    let told = world.letters.iter().filter(|it| it.topic == "work_report");
    assert!(told.count() > 0);
}

#[test]
fn a_late_timer_is_not_forgotten_when_an_act_comes_first() {
    let mut world = World::new().until_implementing();
    world.now = at("13:01");
    let entry = body(json!({"text": "Still at it"}));
    world.act("ida", |case| work::record(case, &entry, &[])).unwrap();
    assert!(!world.change().overrun);
    assert!(
        world.look(timers::next_due).is_some_and(|next| next <= world.now),
        "it is due now"
    );
    world.run_timers();
    assert!(world.change().overrun);
}

#[test]
fn conditions_hold_the_step_that_they_name() {
    let mut world = World::new().until_authorizing();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    world.approve("olga").unwrap();
    world.approve("mia").unwrap();
    let words = json!({"decision": "approve_with_conditions", "conditions": [
        {"text": "Tell support", "due": "start", "checker": "tom"}, {"text": "Watch a day", "due": "close"},
    ]});
    world.decide("sam", words).unwrap();
    assert_eq!(world.state(), State::Scheduled, "conditions do not hold the approval");
    world.wait_until(at("11:10"));
    assert_eq!(missing(world.start("ida")), ["condition_open"]);
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    let [first, second] = [0, 1].map(|place: usize| world.file.conditions[place].id.clone());
    let empty = body(json!({}));
    assert_eq!(
        code(world.act("mia", |case| around::meet_condition(case, &first, &empty))),
        "not_the_checker"
    );
    world
        .act("tom", |case| around::meet_condition(case, &first, &empty))
        .unwrap();
    world.start("ida").unwrap();
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    world.validate("tom", "works").unwrap();
    world.review("olga").unwrap();
    assert_eq!(missing(world.close("olga")), ["condition_open"]);
    world
        .act("sam", |case| around::meet_condition(case, &second, &empty))
        .unwrap();
    world.close("olga").unwrap();
}

#[test]
fn a_condition_is_not_met_through_a_token_of_somebody_with_a_stake() {
    use model::change::change_file::{Actor, Lent};
    let mut world = World::new().until_authorizing();
    let words = json!({"decision": "approve_with_conditions", "conditions": [
        {"text": "Tell support", "due": "start", "checker": "tom"},
    ]});
    world.decide("sam", words).unwrap();
    let condition = world.file.conditions[0].id.clone();
    let empty = body(json!({}));
    let through = |maker: &str| Actor {
        person: "tom".into(),
        is_system: false,
        by_token: true,
        lent: Some(Lent {
            maker: maker.into(),
            roles: None,
            services: None,
        }),
        ..Actor::system()
    };
    // Rita wrote the change: a token that she made for tom would let her tick off sam's condition.
    let met = world.act_as(through("rita"), |case| around::meet_condition(case, &condition, &empty));
    assert_eq!(code(met), "own_request");
    assert!(world.file.conditions[0].met.is_none());
    // A later editor has as much of a stake.
    world.edit("olga", json!({"title": "Ship 2.4 at last"})).unwrap();
    world
        .decide(
            "sam",
            json!({"decision": "approve_with_conditions", "conditions": [
                {"text": "Tell support", "due": "start", "checker": "tom"},
            ]}),
        )
        .unwrap();
    let condition = world.file.conditions.last().unwrap().id.clone();
    let met = world.act_as(through("olga"), |case| around::meet_condition(case, &condition, &empty));
    assert_eq!(code(met), "own_request");
    // A token that somebody else made for tom, or tom himself, meets it.
    world
        .act_as(through("vera"), |case| around::meet_condition(case, &condition, &empty))
        .unwrap();
    assert!(world.file.conditions.last().unwrap().met.is_some());
}

#[test]
fn a_condition_lapses_with_its_decision() {
    let mut world = World::new().until_authorizing();
    let words =
        json!({"decision": "approve_with_conditions", "conditions": [{"text": "Tell support", "due": "start"}]});
    world.decide("sam", words).unwrap();
    assert!(!world.file.conditions[0].lapsed);
    world.approve("sam").unwrap();
    assert!(world.file.conditions[0].lapsed);
}

fn add_task(world: &mut World, words: Value) -> ids::RecordId {
    world.act("rita", |case| tasks::add(case, &body(words))).unwrap()
}

#[test]
fn open_tasks_hold_their_step() {
    let mut world = World::new().until_scheduled();
    let first = add_task(
        &mut world,
        json!({"kind": "prepare", "title": "Back up", "assignee": "vera"}),
    );
    let then = add_task(
        &mut world,
        json!({"kind": "test", "title": "Try it", "depends_on": [first.as_str()]}),
    );
    let last = add_task(&mut world, json!({"kind": "verify", "title": "Look at it"}));
    add_task(
        &mut world,
        json!({"kind": "prepare", "title": "Cake", "mandatory": false}),
    );
    world.wait_until(at("11:10"));
    assert_eq!(missing(world.start("ida")), ["task_open", "task_open"]);
    let done = body(json!({"state": "done"}));
    assert_eq!(
        code(world.act("rita", |case| tasks::update(case, &then, &done))),
        "task_before_open"
    );
    assert_eq!(
        code(world.act("cora", |case| tasks::update(case, &first, &done))),
        "not_allowed"
    );
    world.act("vera", |case| tasks::update(case, &first, &done)).unwrap();
    let again = body(json!({"state": "open"}));
    world.act("vera", |case| tasks::update(case, &first, &again)).unwrap();
    let on = body(json!({"assignee": "tom"}));
    assert_eq!(
        code(world.act("vera", |case| tasks::update(case, &first, &on))),
        "not_allowed",
        "whoever has a task gives it to nobody else by that alone"
    );
    let gone = body(json!({"assignee": "nobody"}));
    assert_eq!(
        fields(world.act("rita", |case| tasks::update(case, &first, &gone))),
        [("assignee".to_owned(), "unknown".to_owned())]
    );
    world.act("rita", |case| tasks::update(case, &first, &on)).unwrap();
    let is_told = |world: &World, who: &str| world.letters.iter().any(|it| it.to == who.into() && it.topic == "task");
    assert!(is_told(&world, "tom"));
    let back = body(json!({"assignee": "vera"}));
    world.act("rita", |case| tasks::update(case, &first, &back)).unwrap();
    assert_eq!(world.file.tasks[0].actual_end, None, "it goes on");
    world.wait(5);
    world.act("vera", |case| tasks::update(case, &first, &done)).unwrap();
    assert_eq!(world.file.tasks[0].actual_end, Some(world.now), "it ended now");
    let dropped = body(json!({"state": "dropped"}));
    assert_eq!(
        fields(world.act("rita", |case| tasks::update(case, &then, &dropped))),
        [("text".into(), "missing".into())]
    );
    let dropped = body(json!({"state": "dropped", "text": "Tried last week"}));
    world.act("rita", |case| tasks::update(case, &then, &dropped)).unwrap();
    world.start("ida").unwrap();
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    world.validate("tom", "works").unwrap();
    world.review("olga").unwrap();
    assert_eq!(missing(world.close("olga")), ["task_open"]);
    world.act("rita", |case| tasks::update(case, &last, &done)).unwrap();
    world.close("olga").unwrap();
}

#[test]
fn failed_evidence_satisfies_nothing_until_an_approver_accepts_it() {
    let mut world = World::new().until_scheduled();
    world.file.evidence.clear();
    let nothing = fields(world.evidence("pip", "passed", Some("latest")));
    assert_eq!(nothing, [("artifact".into(), "not_a_digest".into())]);
    let mut built = world.clone();
    built.evidence("pip", "passed", Some("ABCDEF0")).unwrap();
    assert!(
        !built.unmet().contains(&"evidence_missing".to_owned()),
        "it names the commit"
    );
    let failed = world.evidence("pip", "failed", Some("git:aae5e5e")).unwrap();
    let vague = world.evidence("pip", "informational", Some("git:aae5e5e")).unwrap();
    world.evidence("pip", "passed", Some("git:ffe5e5e")).unwrap();
    world.wait_until(at("11:10"));
    assert_eq!(missing(world.start("ida")), ["evidence_missing"]);
    let why = body(json!({"reason": "Only the clock was off"}));
    assert_eq!(
        code(world.act("rita", |case| around::accept_evidence(case, &failed, &why))),
        "not_allowed"
    );
    assert_eq!(
        code(world.act("olga", |case| around::accept_evidence(case, &vague, &why))),
        "not_failed"
    );
    world
        .act("olga", |case| around::accept_evidence(case, &failed, &why))
        .unwrap();
    world.start("ida").unwrap();
}

#[test]
fn a_run_that_fails_after_one_that_passed_shuts_the_gate_until_it_passes_again() {
    let mut world = World::new().until_scheduled();
    world.file.evidence.clear();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    assert!(!world.unmet().contains(&"evidence_missing".to_owned()));
    let failed = world.evidence("pip", "failed", Some("git:aae5e5e")).unwrap();
    world.evidence("pip", "informational", Some("git:aae5e5e")).unwrap();
    world.wait_until(at("11:10"));
    let Refusal::NotNow { unmet, .. } = world.start("ida").unwrap_err() else {
        panic!("it is not legal now");
    };
    assert_eq!(unmet[0].code, "evidence_missing");
    assert!(unmet[0].text.contains("The newest evidence named"), "{}", unmet[0].text);
    let why = body(json!({"reason": "Only the clock was off"}));
    let mut accepted = world.clone();
    accepted
        .act("olga", |case| around::accept_evidence(case, &failed, &why))
        .unwrap();
    accepted.start("ida").unwrap();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    world.start("ida").unwrap();
}

#[test]
fn evidence_and_checklists_due_before_approval_hold_the_assessment() {
    let evidence = (
        Due::Approval,
        Duty::Evidence {
            aspect: Aspect::Backup,
            environment: None,
        },
    );
    let list = (
        Due::Start,
        Duty::Checklist {
            items: vec!["Backup seen".into()],
        },
    );
    let mut world = World::with(facts(), vec![evidence, list]);
    world.submit("rita").unwrap();
    assert_eq!(missing(world.assess("rita", json!({}))), ["evidence_missing"]);
    let words = body(
        json!({"kind": "note", "aspect": "backup", "result": "passed", "text": "Restored it", "artifact": "abcdef0"}),
    );
    world
        .act("tom", |case| around::add_evidence(case, &words, crate::world::file()))
        .unwrap();
    let mut world = world;
    world.assess("rita", json!({})).unwrap();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    world.wait_until(at("11:10"));
    assert_eq!(missing(world.start("ida")), ["checklist_open"]);
    let item = world.file.checklist[0].id.clone();
    world
        .act("ida", |case| around::tick(case, &item, &body(json!({}))))
        .unwrap();
    world.start("ida").unwrap();
}

#[test]
fn the_opening_of_a_window_is_told_once_to_whoever_does_the_work_or_else_to_the_owner() {
    for (implementers, told) in [(json!(["ida"]), "ida"), (json!([]), "rita")] {
        let words = facts_but(json!({"implementers": implementers}));
        let mut world = World::with(words, Vec::new()).until_scheduled();
        let opened = |world: &World| {
            let events = world.events.iter().filter(|it| it.kind == "change.window_opened");
            let letters = world.letters.iter().filter(|it| it.topic == "window_opens");
            (events.count(), letters.map(|it| it.to.to_string()).collect::<Vec<_>>())
        };
        world.wait_until(at("10:59"));
        assert_eq!(opened(&world), (0, Vec::new()));
        world.wait_until(at("11:00"));
        world.wait_until(at("11:30"));
        assert_eq!(opened(&world), (1, vec![told.to_owned()]));
    }
}

#[test]
fn an_open_dependency_holds_the_start() {
    let mut world = World::new().until_scheduled();
    world.wait_until(at("11:10"));
    let linked = change_file::Linked {
        key: "CHG-9".into(),
        state: State::Reviewing,
        has_succeeded: true,
        owner: Some("olga".into()),
    };
    world.file.depends_on.push(linked);
    let Err(refusal::Refusal::NotNow { unmet, .. }) = world.start("ida") else {
        panic!("an open dependency was passed over");
    };
    let rows = unmet.iter();
    let told: Vec<_> = rows.map(|row| (row.code.as_str(), row.waiting_on.join(" "))).collect();
    assert_eq!(told, [("dependency_open", "olga".to_owned())]);
    world.file.depends_on[0].state = State::Closed;
    world.start("ida").unwrap();
}

#[test]
fn a_new_dependency_holds_the_start_at_once() {
    let mut world = World::new().until_scheduled();
    world.wait_until(at("11:10"));
    let find = |key: &str| {
        (key == "CHG-2").then(|| LinkEnd {
            id: "c2".into(),
            key: key.to_owned(),
            way_back: Vec::new(),
        })
    };
    let link = |world: &mut World, words: Value| world.act("rita", |case| around::link(case, &body(words), &find));
    let unknown = fields(link(&mut world, json!({"kind": "depends_on", "to": "CHG-3"})));
    assert_eq!(unknown, [("to".into(), "unknown".into())]);
    let incident = fields(link(&mut world, json!({"kind": "depends_on", "to": "INC-1"})));
    assert_eq!(incident, [("to".into(), "not_allowed".into())]);
    link(&mut world, json!({"kind": "fixes", "to": "jira:OPS-1"})).unwrap();
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
    link(&mut world, json!({"kind": "depends_on", "to": "CHG-2"})).unwrap();
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    assert_eq!(missing(world.start("ida")), ["dependency_open"]);
    let again = fields(link(&mut world, json!({"kind": "depends_on", "to": "CHG-2"})));
    assert_eq!(again, [("to".into(), "not_unique".into())]);
}

#[test]
fn a_document_about_another_artifact_is_no_evidence() {
    let (own, other) = (
        format!("sha256:{}", "ab".repeat(32)),
        format!("sha256:{}", "cd".repeat(32)),
    );
    let targets =
        json!([{"service": "shop", "environment": "production", "artifact": own, "rollback_to": "git:00e5e5e"}]);
    let mut world = World::with(facts_but(json!({ "targets": targets })), Vec::new());
    let mut send = |artifact: Option<&str>, about: &[&String]| {
        let words = json!({"kind": "in_toto", "aspect": "functional", "artifact": artifact});
        let mut document = crate::world::file();
        document.reading = Some(around::FileReading {
            summary: "Statement.".to_owned(),
            passed: Some(true),
            is_undecided: false,
            findings: Vec::new(),
            suites: Vec::new(),
            subjects: about.iter().map(|it| (*it).clone()).collect(),
        });
        world.act("tom", |case| around::add_evidence(case, &body(words.clone()), document))
    };
    let foreign = [("artifact".to_owned(), "another_artifact".to_owned())];
    assert_eq!(fields(send(Some(&own), &[&other])), foreign, "of another artifact");
    assert_eq!(fields(send(None, &[&other])), foreign, "bound to the plan");
    assert_eq!(fields(send(Some("abcdef0"), &[&other])), foreign, "bound to a commit");
    send(Some(&own), &[&other, &own]).unwrap();
    send(None, &[&own]).unwrap();
    send(Some(&own), &[]).unwrap();
}

#[test]
fn a_copy_of_a_change_on_hold_reads_as_approved_by_nobody() {
    let mut world = World::new().until_scheduled();
    let said = |world: &World, name: &str| {
        let mut found = foreign_mirror::fields(world.change()).into_iter();
        found.find(|(field, _)| *field == name).map(|(_, value)| value)
    };
    assert_eq!(said(&world, "approval").as_deref(), Some("approved"));
    let before = world.change().clone();
    world.hold("rita", json!({"reason": "Wait"})).unwrap();
    assert_eq!(said(&world, "approval").as_deref(), Some("not requested"));
    assert_eq!(said(&world, "on_hold").as_deref(), Some("true"));
    assert!(
        foreign_mirror::has_moved(&before, world.change()),
        "so it is written anew"
    );
    world.act("rita", plan::resume).unwrap();
    assert_eq!(said(&world, "on_hold").as_deref(), Some("false"));
}
