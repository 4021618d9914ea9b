//! The requirements of single rules: validity, lead time, counts, keeping people apart, freezes, permits ahead.

use model::approval::decide;
use model::approval::obligation::{Asked, Due, Duty, Party};
use model::change::requirement::{self, earliest_start};
use model::change::waiting_on;
use model::core::enums::{Covers, GateDecision, State};
use model::directory::snapshot;
use model::gate::permit;
use model::schedule::calendar::{Holiday, Span};
use model::schedule::plan;
use serde_json::json;

use crate::calendars::weekdays;
use crate::people::rule;
use crate::world::{World, at, body, code, facts, facts_but, missing, signing};

#[test]
fn an_approval_ends_with_its_validity() {
    let mut asks = rule(Asked::Owner, Covers::What);
    asks.valid_for_minutes = Some(70);
    let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(asks))]).until_scheduled();
    world.wait_until(at("11:00"));
    let answer = world.gate("git:aae5e5e");
    assert_eq!(
        (answer.decision, answer.next_transition_at),
        (GateDecision::Go, Some(at("11:10")))
    );
    world.wait_until(at("11:09"));
    assert_eq!(world.state(), State::Scheduled);
    world.now = at("11:10");
    assert_eq!(
        world.gate("git:aae5e5e").decision,
        GateDecision::Stop,
        "also before the timer ran"
    );
    world.wait_until(at("11:10"));
    assert_eq!(world.state(), State::Authorizing);
    world.approve("olga").unwrap();
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn whose_approval_is_good_no_longer_reads_so_and_is_reminded_as_for_a_first_word() {
    let mut asks = rule(Asked::Owner, Covers::What);
    asks.valid_for_minutes = Some(70);
    (asks.ack_sla, asks.decide_sla) = (Some(Span::Minutes(5)), Some(Span::Minutes(20)));
    let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(asks))]).until_scheduled();
    world.wait_until(at("11:09"));
    let topics = |world: &World| -> Vec<&str> {
        let own = world.letters.iter().filter(|letter| letter.to == "olga".into());
        let late = ["approval_expired", "reminder", "decide_soon"];
        own.map(|letter| letter.topic)
            .filter(|topic| late.contains(topic))
            .collect()
    };
    assert!(topics(&world).is_empty(), "{:?}", topics(&world));
    world.wait_until(at("11:10"));
    assert_eq!(topics(&world), ["approval_expired"]);
    assert_eq!(
        world.events.iter().filter(|it| it.kind == "approval.expired").count(),
        1
    );
    world.settle();
    world.wait_until(at("11:28"));
    assert_eq!(topics(&world), ["approval_expired", "reminder", "decide_soon"]);
    world.approve("olga").unwrap();
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn a_rule_that_asks_others_now_is_met_by_nobody_whom_it_asked_before() {
    let asks = |from| vec![(Due::Start, Duty::Approval(rule(from, Covers::What)))];
    let mut world = World::with(facts(), asks(Asked::Owner)).until_scheduled();
    world.extra = asks(Asked::Security);
    world.settle();
    assert_eq!(
        world.state(),
        State::Authorizing,
        "the owner's word was for the rule as it was"
    );
    let rows = waiting_on::ahead(&world.file, &world.directory, world.now);
    let lacks: Vec<_> = rows.iter().filter(|row| row.unmet.code == "approval_missing").collect();
    assert_eq!(lacks.len(), 1, "the other rules stay met: {lacks:?}");
    assert_eq!(lacks[0].unmet.waiting_on, ["sam"]);
    world.approve("sam").unwrap();
    assert_eq!(world.state(), State::Scheduled);
}

/// A person who moves the times keeps their approval of the work; the times need another person's approval, or another author.
#[test]
fn who_sets_the_times_still_judges_the_work() {
    let mut world = World::new().until_authorizing();
    world.estate(|estate| {
        let mut max = estate.people.get(&"max".into()).unwrap().clone();
        max.roles.clear();
        estate.people.insert(max.id.clone(), max);
    });
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Scheduled);
    world.schedule("mia", "13:00", "14:00").unwrap();
    assert_eq!(world.change().planned_by, ["mia".into()]);
    assert_eq!(world.change().authors, ["rita".into()]);
    assert_eq!(world.state(), State::Approved, "her word on what is done stands");
    let ahead = waiting_on::ahead(&world.file, &world.directory, world.now);
    let row = &ahead
        .iter()
        .find(|row| row.unmet.code == "cannot_be_met")
        .unwrap()
        .unmet;
    assert!(row.text.contains("MIA set them"), "{row:?}");
    assert!(row.satisfy.contains("/schedule"), "{row:?}");
    assert_eq!(row.waiting_on, ["rita"]);
    // Her approval still counts for the work, and never for her own times.
    world.approve("mia").unwrap();
    assert_eq!(world.state(), State::Approved);
    world.schedule("rita", "13:00", "14:00").unwrap();
    assert_eq!(world.change().planned_by, ["rita".into()], "the same times, taken over");
    assert_eq!(
        world.state(),
        State::Approved,
        "what she said of her own times counts for nobody else's"
    );
    world.approve("mia").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    // An approver of these times does not become their author by stating them again.
    world.schedule("mia", "13:00", "14:00").unwrap();
    assert_eq!(world.change().planned_by, ["rita".into()]);
    assert_eq!(world.state(), State::Scheduled);
}

/// One of the two times makes a second planner beside the first.
#[test]
fn who_sets_one_time_is_a_planner_beside_the_other() {
    let mut world = World::new();
    world
        .edit("olga", json!({"planned_end": "2026-11-20T19:00:00Z"}))
        .unwrap();
    assert_eq!(world.change().planned_by, ["rita".into(), "olga".into()]);
    world.edit("rita", json!({"title": "Another"})).unwrap();
    assert_eq!(world.change().planned_by, ["rita".into(), "olga".into()]);
    assert_eq!(
        world.change().authors,
        ["rita".into()],
        "olga wrote nothing of what is done"
    );
}

#[test]
fn a_short_notice_waits_for_a_later_time() {
    let lead = (
        Due::Start,
        Duty::LeadTime {
            span: Span::Minutes(180),
            fields: Vec::new(),
        },
    );
    let mut world = World::with(facts(), vec![lead]).until_authorizing();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Approved);
    assert!(world.unmet().contains(&"lead_time".to_owned()));
    world.schedule("rita", "13:00", "14:00").unwrap();
    world.approve("mia").unwrap();
    assert_eq!(world.state(), State::Scheduled);
}

/// A rule may also count its lead time in working days, and an approval may require one of its own; the longest counts.
#[test]
fn a_lead_time_in_working_days_leaves_weekends_and_holidays_out() {
    let mut estate = crate::people::directory();
    let mut calendar = weekdays("Europe/Oslo", "08:00", "16:00");
    calendar.holidays.push(Holiday {
        date: "2026-11-23".into(),
        title: "Closed".into(),
    });
    estate.calendars.insert("default".into(), calendar);
    let mut asks = rule(Asked::Owner, Covers::What);
    asks.lead_time = Some(Span::WorkDays(2));
    let rules = vec![
        (
            Due::Start,
            Duty::LeadTime {
                span: Span::Minutes(60),
                fields: Vec::new(),
            },
        ),
        (Due::Start, Duty::Approval(asks)),
    ];
    let facts = facts_but(json!({
        "planned_start": "2026-11-24T12:00:00Z", "planned_end": "2026-11-24T13:00:00Z", "tester": null,
    }));
    let mut world = World::create("rita", facts, rules, estate).unwrap();
    let earliest = |world: &World| {
        let found = earliest_start(&world.file, &world.directory, world.now);
        found.map(|(at, row)| (at, row.obligation.id.clone())).unwrap()
    };
    // Friday, 13:00 in Oslo: a draft that is submitted now may start on Wednesday at that time, Monday being closed.
    world.now = at("2026-11-20T12:00:00Z");
    assert_eq!(
        earliest(&world),
        (at("2026-11-25T12:00:00Z"), "own.1".to_owned()),
        "said before it is submitted"
    );
    // A start is planned by the minute, and shown so.
    world.now = at("2026-11-20T11:59:00.891592Z");
    assert_eq!(earliest(&world).0, at("2026-11-25T12:00:00Z"));
    world.submit("rita").unwrap();
    world.assess("rita", json!({"dependencies_reviewed": true})).unwrap();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Approved);
    world.now = at("2026-11-20T13:00:00Z");
    assert_eq!(
        earliest(&world).0,
        at("2026-11-25T12:00:00Z"),
        "it counts from the submission"
    );
    let ahead = waiting_on::ahead(&world.file, &world.directory, world.now);
    let row = ahead.iter().find(|row| row.unmet.code == "lead_time").unwrap();
    assert!(
        row.unmet.text.contains("2026-11-25T12:00:00Z at the earliest"),
        "{row:?}"
    );
    let set = |world: &mut World, start: &str, end: &str| {
        let times = json!({"planned_start": start, "planned_end": end});
        world.act("rita", |case| plan::schedule(case, &body(times))).unwrap();
        world.approve("mia").unwrap();
    };
    set(&mut world, "2026-11-25T11:59:00Z", "2026-11-25T13:00:00Z");
    assert_eq!(world.state(), State::Approved, "a minute too early");
    set(&mut world, "2026-11-25T12:00:00Z", "2026-11-25T13:00:00Z");
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn two_of_a_group_are_two_people() {
    let mut asks = rule(Asked::ChangeManager, Covers::What);
    asks.count = 2;
    let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(asks))]).until_authorizing();
    for who in ["olga", "sam", "mia", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Authorizing);
    world.approve("max").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    let mut alone = world.clone();
    alone.edit("max", json!({"title": "Ship it now"})).unwrap();
    assert!(alone.unmet().contains(&"cannot_be_met".to_owned()));
}

#[test]
fn a_rule_keeps_people_apart() {
    let mut asks = rule(Asked::Group("security".into()), Covers::What);
    asks.distinct_from = vec![Party::Implementer];
    let mut world = World::with(
        facts_but(json!({"implementers": ["ida", "sue"]})),
        vec![(Due::Start, Duty::Approval(asks))],
    )
    .until_authorizing();
    assert_eq!(code(world.approve("sue")), "not_asked");
    let id = world.approve("sam").unwrap();
    let counted = world.file.approvals.iter().find(|row| row.id == id).unwrap();
    let rules: Vec<_> = counted.counted_for.iter().map(|row| row.rule.as_str()).collect();
    assert_eq!(
        rules,
        ["base.security", "own.0"],
        "one word counts for every rule that asks this person"
    );
}

#[test]
fn who_approved_under_a_rule_that_keeps_implementers_apart_does_no_work() {
    let mut asks = rule(Asked::Group("security".into()), Covers::What);
    asks.distinct_from = vec![Party::Implementer];
    let mut estate = crate::people::directory();
    estate
        .groups
        .get_mut(&"security".into())
        .unwrap()
        .members
        .insert("ida".into());
    let facts = facts_but(json!({"implementers": null}));
    let extra = vec![(Due::Start, Duty::Approval(asks))];
    let mut world = World::create("rita", facts, extra, estate).unwrap().until_authorizing();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    // Nobody is named to implement, so ida may decide, and would be among those who may work.
    for who in ["ida", "olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Scheduled);
    world.wait_until(at("11:10"));
    assert_eq!(code(world.start("ida")), "approved_it");
    world.start("pip").unwrap();
    assert_eq!(
        code(world.complete("ida", json!({"outcome": "succeeded"}))),
        "approved_it"
    );
    world.complete("pip", json!({"outcome": "succeeded"})).unwrap();
}

#[test]
fn a_rule_on_both_keeps_its_what_part_when_only_the_times_move() {
    let mut world = World::new().until_scheduled();
    world.schedule("rita", "11:30", "13:30").unwrap();
    let rows = requirement::before_approved(&world.file, &world.directory, world.now);
    assert!(rows.is_empty());
    assert_eq!(world.state(), State::Approved);
    world.edit("rita", json!({"title": "Ship 2.5"})).unwrap();
    world.approve("max").unwrap();
    world.edit("rita", json!({"title": "Ship 2.6"})).unwrap();
    let rows = requirement::before_scheduled(&world.file, &world.directory, world.now);
    assert!(
        rows.is_empty(),
        "the word on when stays when only what changes: {rows:?}"
    );
}

#[test]
fn a_freeze_stops_times_and_starts_and_passes() {
    let mut world = World::new().until_scheduled();
    world.freeze("10:30", "12:00", false);
    assert_eq!(world.state(), State::Approved);
    world.wait_until(at("11:30"));
    let reasons = world.gate("git:aae5e5e").reasons;
    let codes: Vec<_> = reasons.iter().map(|row| row.code.as_str()).collect();
    assert_eq!(codes, ["not_scheduled", "freeze"]);
    assert!(
        reasons[1].waiting_on.contains(&"max".to_owned()),
        "who may except it is named: {reasons:?}"
    );
    world.wait_until(at("12:00"));
    assert_eq!(world.state(), State::Scheduled, "the rest of its window is free");
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
    let mut excepted = World::new().until_scheduled();
    excepted.freeze("10:30", "12:00", true);
    let exception = snapshot::FreezeException {
        change: "c1".into(),
        change_key: "CHG-1".into(),
        reason: "Needed".into(),
        by: "mia".into(),
        at: excepted.now,
        what_digest: excepted.change().digests.what.clone(),
        until: None,
        time: None,
    };
    excepted.estate(|estate| estate.freezes[0].exceptions.push(exception));
    excepted.settle();
    excepted.wait_until(at("11:10"));
    assert_eq!(excepted.gate("git:aae5e5e").decision, GateDecision::Go);
    excepted.start("ida").unwrap();
}

/// Only the content that a manager reviewed and let pass does pass: another content waits, and does not pass again by being
/// taken back.
#[test]
fn an_exception_is_for_what_was_excepted_alone() {
    let mut world = World::new().until_scheduled();
    world.freeze("10:30", "14:00", false);
    let except = |world: &mut World| {
        let exception = snapshot::FreezeException {
            change: "c1".into(),
            change_key: "CHG-1".into(),
            reason: "Needed".into(),
            by: "max".into(),
            at: world.now,
            what_digest: world.change().digests.what.clone(),
            until: None,
            time: None,
        };
        world.estate(|estate| {
            let mut freezes: Vec<_> = estate.freezes.iter().cloned().collect();
            freezes[0].exceptions.push(exception);
            estate.freezes = freezes.into();
        });
        world.settle();
    };
    except(&mut world);
    assert_eq!(world.state(), State::Scheduled);
    world.edit("rita", json!({"labels": ["late"]})).unwrap();
    world.schedule("rita", "11:00", "13:30").unwrap();
    world.approve("mia").unwrap();
    assert_eq!(
        world.state(),
        State::Scheduled,
        "neither labels nor times are what was excepted"
    );
    world.edit("rita", json!({"title": "Ship something else"})).unwrap();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Approved);
    assert_eq!(world.unmet()[0], "freeze");
    let told: Vec<_> = world
        .letters
        .iter()
        .filter(|letter| letter.topic == "exception_lapsed")
        .collect();
    let people: Vec<_> = told.iter().map(|letter| letter.to.as_str()).collect();
    assert_eq!(people, ["max"], "the owner did it");
}

#[test]
fn work_under_way_goes_on_in_a_freeze_and_says_so() {
    let mut world = World::new().until_implementing();
    world.freeze("11:30", "12:00", false);
    assert!(!world.change().in_freeze);
    world.wait_until(at("11:30"));
    assert!(world.change().in_freeze);
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
    world.wait_until(at("12:00"));
    assert!(!world.change().in_freeze);
}

/// A permit lives for minutes that a freeze set beforehand must not leave open at offline gates.
#[test]
fn permits_die_when_a_halting_freeze_begins_that_was_set_ahead() {
    let mut world = World::new().until_implementing();
    world.wait_until(at("11:25"));
    world.freeze("11:30", "12:00", true);
    let permit = world.collect("ida", "git:aae5e5e").unwrap();
    assert!(permit.expires_at > at("11:30"));
    world.wait_until(at("11:29"));
    assert_eq!(world.live_permits().len(), 1, "nothing is frozen yet");
    world.wait_until(at("11:30"));
    assert!(world.live_permits().is_empty(), "the halt stops it");
    world.wait_until(at("12:00"));
    world.collect("ida", "git:aae5e5e").unwrap();
    let mut milder = World::new().until_implementing();
    milder.wait_until(at("11:25"));
    milder.freeze("11:30", "12:00", false);
    milder.collect("ida", "git:aae5e5e").unwrap();
    milder.wait_until(at("11:31"));
    assert_eq!(milder.live_permits().len(), 1, "work under way goes on");
}

fn ahead(minutes: Option<i64>) -> (Due, Duty) {
    (
        Due::Start,
        Duty::Permit {
            minutes,
            ahead: true,
            max_list_age_seconds: Some(90_000),
        },
    )
}

#[test]
fn a_permit_ahead_is_good_from_the_window_on() {
    let asked = body(json!({"service": "shop", "environment": "production", "artifact": "git:aae5e5e"}));
    let mut plain = World::new().until_scheduled();
    assert_eq!(
        code(plain.act("ida", |case| permit::issue_ahead(case, &asked, &signing()))),
        "not_ahead"
    );
    let mut world = World::with(facts(), vec![ahead(Some(600))]).until_scheduled();
    world.file.evidence.clear();
    assert_eq!(
        missing(world.act("ida", |case| permit::issue_ahead(case, &asked, &signing()))),
        ["evidence_missing"]
    );
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    let given = world
        .act("ida", |case| permit::issue_ahead(case, &asked, &signing()))
        .unwrap();
    assert_eq!(
        (given.not_before, given.expires_at),
        (at("11:00"), at("13:00")),
        "never beyond the window"
    );
    assert_eq!(given.max_list_age_seconds, 86_400);
    assert_eq!(world.state(), State::Scheduled, "it starts nothing");
    world.schedule("rita", "11:30", "13:00").unwrap();
    assert!(world.live_permits().is_empty(), "new times kill it");
}

#[test]
fn no_permit_for_a_target_that_is_done_or_too_late() {
    let targets = json!({"targets": [
        {"service": "shop", "environment": "production", "artifact": "git:aae5e5e"},
        {"service": "pay", "environment": "production", "artifact": "git:bbe5e5e"},
    ]});
    let mut world = World::with(facts_but(targets), vec![ahead(None)]).until_authorizing();
    for artifact in ["git:aae5e5e", "git:bbe5e5e"] {
        world.evidence("pip", "passed", Some(artifact)).unwrap();
    }
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    world.wait_until(at("11:10"));
    world.start("ida").unwrap();
    world
        .complete("ida", json!({"target": "1", "outcome": "succeeded"}))
        .unwrap();
    let first = body(json!({"service": "shop", "environment": "production", "artifact": "git:aae5e5e"}));
    let second = body(json!({"service": "pay", "environment": "production", "artifact": "git:bbe5e5e"}));
    assert_eq!(
        missing(world.act("ida", |case| permit::issue_ahead(case, &first, &signing()))),
        ["target_done"]
    );
    world
        .act("ida", |case| permit::issue_ahead(case, &second, &signing()))
        .unwrap();
    world.wait_until(at("13:05"));
    assert_eq!(
        missing(world.act("ida", |case| permit::issue_ahead(case, &second, &signing()))),
        ["overrun", "window_over"]
    );
}

#[test]
fn permits_die_with_what_they_stood_on() {
    type Verb = fn(&mut World);
    let deaths: [(&str, Verb); 7] = [
        ("second thoughts", |world| {
            world.decide("mia", json!({"decision": "abstain"})).unwrap();
        }),
        ("freeze", |world| world.freeze("11:30", "12:00", false)),
        ("hold", |world| world.hold("rita", json!({"reason": "Wait"})).unwrap()),
        ("return", |world| {
            world
                .act("mia", |case| {
                    decide::return_change(case, &body(json!({"question": "?"})))
                })
                .unwrap()
        }),
        ("cancel", |world| {
            world
                .act("rita", |case| plan::cancel(case, &body(json!({"reason": "No"}))))
                .unwrap()
        }),
        ("void", |world| world.edit("rita", json!({"title": "Other"})).unwrap()),
        ("new times", |world| world.schedule("rita", "11:15", "13:00").unwrap()),
    ];
    for (name, die) in deaths {
        let mut world = World::with(facts(), vec![ahead(None)]).until_scheduled();
        let asked = body(json!({"service": "shop", "environment": "production", "commit": "abcdef0"}));
        world
            .act("ida", |case| permit::issue_ahead(case, &asked, &signing()))
            .unwrap();
        assert_eq!(world.live_permits().len(), 1, "{name}");
        die(&mut world);
        assert!(world.live_permits().is_empty(), "{name}");
        if name == "hold" {
            world.act("rita", plan::resume).unwrap();
            assert!(world.live_permits().is_empty(), "they do not come back");
        }
    }
}

#[test]
fn one_permit_is_revoked_by_hand() {
    let mut world = World::new().until_scheduled();
    world.wait_until(at("11:10"));
    let given = world.collect("ida", "git:aae5e5e").unwrap();
    let why = body(json!({"reason": "The key leaked"}));
    assert_eq!(
        code(world.act("ida", |case| permit::revoke(case, &given.id, &why))),
        "not_allowed"
    );
    world.act("sam", |case| permit::revoke(case, &given.id, &why)).unwrap();
    assert!(world.live_permits().is_empty());
    assert_eq!(
        code(world.act("sam", |case| permit::revoke(case, &given.id, &why))),
        "not_alive"
    );
}

#[test]
fn those_who_are_asked_are_named_with_their_reason() {
    let world = World::new().until_authorizing();
    let asked: Vec<_> = world
        .change()
        .requests
        .iter()
        .map(|row| (row.rule.as_str(), row.person.as_str()))
        .collect();
    assert_eq!(
        asked,
        [
            ("base.owner", "olga"),
            ("base.security", "sam"),
            ("base.manager", "max"),
            ("base.manager", "mia")
        ]
    );
    assert!(
        world.change().requests[0]
            .why
            .contains("owner of shop since 2026-11-20"),
        "{}",
        world.change().requests[0].why
    );
    let ahead = waiting_on::ahead(&world.file, &world.directory, world.now);
    let owner = ahead
        .iter()
        .find(|row| row.unmet.satisfy.contains("base.owner"))
        .unwrap();
    assert_eq!(owner.unmet.waiting_on, ["olga"]);
}
