//! Clocks of approvers, in simulated time: each reminder and each escalation exactly once and in order, whatever the calendar
//! does and however long the server is down.

use jiff::{SignedDuration, Timestamp};
use model::approval::absence::{Absence, Delegation};
use model::approval::decide;
use model::approval::obligation::{ApprovalRule, Asked, Due, Duty};
use model::change::record::EscalationStep;
use model::change::{change_file, read_content, waiting_on};
use model::core::enums::{Covers, GateDecision, OwnershipRole, State};
use model::core::ids;
use model::directory::snapshot::{Directory, Group, Ownership};
use model::schedule::calendar::{Holiday, Span};
use model::schedule::plan;
use serde_json::json;

use crate::calendars::{at, weekdays};
use crate::people::{directory, rule};
use crate::world::{World, code, facts_but};

/// The rules whose clocks these tests watch.
pub const WATCHED: &str = "own.0";

fn row(id: &str, role: OwnershipRole, person: &str, service: Option<&str>) -> Ownership {
    Ownership {
        id: id.into(),
        version: 1,
        service: service.map(Into::into),
        config_item: None,
        class: None,
        environment: None,
        role,
        person: Some(person.into()),
        group: None,
        function: None,
        since: at("2026-01-01T00:00:00Z"),
        ends_at: None,
        is_from_catalogue: false,
        hand: None,
        corrected_at: None,
    }
}

/// The owner of the shop is `tom`, of all data `sue`; work is done on weekdays from eight to four in Oslo.
pub fn estate() -> Directory {
    let mut estate = directory();
    let mut rows: Vec<Ownership> = estate.ownerships.to_vec();
    rows[0].since = at("2026-01-01T00:00:00Z");
    rows.push(row("o2", OwnershipRole::Data, "vera", Some("shop")));
    rows.push(row("o3", OwnershipRole::Data, "sue", None));
    estate.ownerships = rows.into();
    let ecab = Group {
        id: "g2".into(),
        version: 4,
        key: "ecab".into(),
        name: "ECAB".into(),
        members: ["cora".into()].into(),
        kind: Default::default(),
        calendar: None,
        external_id: None,
        removed: false,
    };
    estate.groups.insert(ecab.key.clone(), ecab);
    estate
        .calendars
        .insert("default".into(), weekdays("Europe/Oslo", "08:00", "16:00"));
    estate
}

/// A rule that requires the data owner's approval, with the usual times of a low risk and a group to escalate to.
pub fn data_rule() -> ApprovalRule {
    ApprovalRule {
        escalate: Some("ecab".into()),
        ack_sla: Some(Span::WorkDays(1)),
        decide_sla: Some(Span::WorkDays(4)),
        ..rule(Asked::Data, Covers::What)
    }
}

/// A change that waits for the data owner, with the approval requested at an instant.
pub fn asked_at(start: &str, estate: Directory, rule: ApprovalRule) -> World {
    let facts = facts_but(json!({
        "planned_start": "2027-11-20T11:00:00Z", "planned_end": "2027-11-20T13:00:00Z", "tester": null,
    }));
    let mut world = World::create("rita", facts, vec![(Due::Start, Duty::Approval(rule))], estate).unwrap();
    world.now = at(start);
    world.submit("rita").unwrap();
    world.assess("rita", json!({"dependencies_reviewed": true})).unwrap();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    world.events.clear();
    world.letters.clear();
    world
}

/// The clock's events on the watched rule: the time, the event, and its recipient or subject.
fn told(world: &World) -> Vec<(Timestamp, String)> {
    world
        .events
        .iter()
        .filter(|event| event.data.get("rule").is_some_and(|rule| rule == WATCHED))
        .map(|event| {
            let step = event.data.get("step").or(event.data.get("person"));
            let word = step.and_then(|word| word.as_str()).unwrap_or_default();
            (event.occurred_at, format!("{} {word}", event.kind).trim().to_owned())
        })
        .collect()
}

pub fn words(world: &World) -> Vec<String> {
    told(world).into_iter().map(|(_, what)| what).collect()
}

/// The whole ladder when nobody ever decides.
const LADDER: [&str; 7] = [
    "approval.unacknowledged vera",
    "approval.escalated deputies",
    "approval.reminded vera",
    "approval.escalated line",
    "approval.requested sue",
    "approval.unacknowledged sue",
    "approval.escalated group",
];

#[test]
fn silence_climbs_the_ladder_in_working_time_and_approves_nothing() {
    // Friday, 15:00 in Oslo.
    let mut world = asked_at("2026-11-20T14:00:00Z", estate(), data_rule());
    world.wait(60 * 24 * 21);
    let found = told(&world);
    let mut wanted: Vec<&str> = LADDER.to_vec();
    wanted.push("approval.escalated last");
    assert_eq!(words(&world), wanted);
    let when = |what: &str| found.iter().find(|(_, told)| told == what).unwrap().0;
    assert_eq!(
        when("approval.unacknowledged vera"),
        at("2026-11-23T14:00:00Z"),
        "Monday, 15:00"
    );
    assert_eq!(
        when("approval.escalated line"),
        at("2026-11-26T14:00:00Z"),
        "Thursday, 15:00"
    );
    assert_eq!(
        when("approval.escalated last"),
        at("2026-12-02T14:00:00Z"),
        "Wednesday, 15:00"
    );
    assert_eq!(world.state(), State::Authorizing, "nothing is approved by silence");
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    let told_last: Vec<&str> = world
        .letters
        .iter()
        .filter(|letter| letter.topic == "escalated")
        .map(|letter| letter.to.as_str())
        .collect();
    assert_eq!(
        told_last,
        ["cora", "max", "mia"],
        "the rule's group, then the last group"
    );
}

/// Requested on a Friday at 15:00 in Oslo, under a rule that names no times of its own: each row of the table by its own clock.
#[test]
fn every_row_of_the_table_keeps_its_own_time() {
    let risk = |availability: &str, complexity: &str| json!({"impact": {"data": "none", "availability": availability, "compliance": "none"}, "complexity": complexity});
    let rows = [
        (
            json!({"kind": "emergency", "threat": "The shop stands still.", "planned_start": null, "planned_end": null}),
            ["2026-11-20T14:15:00Z", "2026-11-20T15:00:00Z"],
        ),
        (
            json!({"expedited": true, "expedited_reason": "The fair opens on Tuesday."}),
            ["2026-11-23T08:00:00Z", "2026-11-23T14:00:00Z"],
        ),
        (risk("high", "medium"), ["2026-11-23T10:00:00Z", "2026-11-24T14:00:00Z"]),
        (risk("high", "low"), ["2026-11-23T14:00:00Z", "2026-11-25T14:00:00Z"]),
        (risk("low", "low"), ["2026-11-23T14:00:00Z", "2026-11-27T14:00:00Z"]),
    ];
    for (said, [unacknowledged, escalated]) in rows {
        let rule = ApprovalRule {
            ack_sla: None,
            decide_sla: None,
            ..data_rule()
        };
        let mut facts = facts_but(json!({
            "planned_start": "2027-11-20T11:00:00Z", "planned_end": "2027-11-20T13:00:00Z", "tester": null,
        }));
        read_content::merge(&mut facts, said.as_object().unwrap());
        let mut world = World::create("rita", facts, vec![(Due::Start, Duty::Approval(rule))], estate()).unwrap();
        world.now = at("2026-11-20T14:00:00Z");
        world.submit("rita").unwrap();
        let words = json!({"dependencies_reviewed": true, "security": "Looked at."});
        world.assess("rita", words).unwrap();
        world.wait(60 * 24 * 21);
        let found = told(&world);
        let when = |what: &str| found.iter().find(|(_, told)| told == what).map(|(at, _)| *at);
        let times = ["approval.unacknowledged vera", "approval.escalated line"].map(when);
        assert_eq!(
            times,
            [unacknowledged, escalated].map(|it| Some(at(it))),
            "{said} {found:#?}"
        );
    }
}

#[test]
fn the_ladder_is_the_same_over_both_changes_of_clocks_and_over_holidays() {
    // Thursdays at 15:00 local time before clocks go back (2026-10-25) and forward (2027-03-28).
    for (start, line) in [
        ("2026-10-22T13:00:00Z", "2026-10-28T14:00:00Z"),
        ("2027-03-25T14:00:00Z", "2027-03-31T13:00:00Z"),
    ] {
        let mut world = asked_at(start, estate(), data_rule());
        world.wait(60 * 24 * 21);
        assert_eq!(words(&world)[..LADDER.len()], LADDER);
        let escalated = told(&world)
            .into_iter()
            .find(|(_, what)| what == "approval.escalated line")
            .unwrap();
        assert_eq!(escalated.0, at(line), "four working days later at the same time of day");
    }
    let mut closed = estate();
    let calendar = closed.calendars.get_mut("default").unwrap();
    for day in ["2026-11-23", "2026-11-24", "2026-11-25"] {
        calendar.holidays.push(Holiday {
            date: day.into(),
            title: "Closed".into(),
        });
    }
    let mut world = asked_at("2026-11-20T14:00:00Z", closed, data_rule());
    world.wait_until(at("2026-11-26T13:59:00Z"));
    assert_eq!(words(&world), Vec::<String>::new(), "three holidays and a weekend");
    world.wait_until(at("2026-11-26T14:00:00Z"));
    assert_eq!(words(&world), LADDER[..2]);
}

#[test]
fn a_server_that_stood_still_for_three_days_does_all_once_and_in_order() {
    let mut world = asked_at("2026-11-20T14:00:00Z", estate(), data_rule());
    world.wait_until(at("2026-11-23T12:00:00Z"));
    assert_eq!(words(&world), Vec::<String>::new());
    // It stops on Monday and starts again on Thursday evening.
    world.now = at("2026-11-26T15:00:00Z");
    world.run_timers();
    assert_eq!(words(&world), LADDER[..5]);
    world.run_timers();
    assert_eq!(words(&world), LADDER[..5], "running again does nothing");
    world.wait(60 * 24 * 14);
    let all = words(&world);
    for (place, what) in all.iter().enumerate() {
        assert!(!all[..place].contains(what), "{what} came twice: {all:?}");
    }
    assert_eq!(all.last().unwrap(), "approval.escalated last");
}

#[test]
fn any_way_of_stopping_and_starting_tells_the_same() {
    let mut steady = asked_at("2026-11-20T14:00:00Z", estate(), data_rule());
    steady.wait(60 * 24 * 21);
    for hours in [1, 7, 26, 73, 200] {
        let mut world = asked_at("2026-11-20T14:00:00Z", estate(), data_rule());
        let end = world.now + SignedDuration::from_hours(24 * 21);
        while world.now < end {
            world.now = (world.now + SignedDuration::from_hours(hours)).min(end);
            world.run_timers();
        }
        let mut both = [words(&world), words(&steady)];
        let is_step = |what: &String| what.starts_with("approval.escalated");
        let steps = |all: &[String]| all.iter().filter(|what| is_step(what)).cloned().collect::<Vec<_>>();
        assert_eq!(steps(&both[0]), steps(&both[1]), "looked every {hours} h");
        both.iter_mut().for_each(|all| all.sort());
        assert_eq!(both[0], both[1], "looked every {hours} h");
    }
}

#[test]
fn whoever_has_it_in_hand_is_left_in_peace_and_a_late_answer_is_told_so() {
    let mut world = asked_at("2026-11-20T14:00:00Z", estate(), data_rule());
    world.act("vera", decide::acknowledge).unwrap();
    world.wait_until(at("2026-11-26T13:00:00Z"));
    assert_eq!(
        words(&world),
        ["approval.reminded vera"],
        "no deputies while somebody has seen it"
    );
    assert_eq!(
        code(world.approve("sue")),
        "not_asked",
        "the line above is not asked yet"
    );
    world.wait_until(at("2026-11-26T15:00:00Z"));
    assert!(words(&world).contains(&"approval.requested sue".to_owned()));
    assert!(
        words(&world).contains(&"approval.escalated deputies".to_owned()),
        "the time to decide is over"
    );
    world.approve("vera").unwrap();
    let late = world.file.approvals.last().unwrap();
    assert_eq!(late.escalated_at, Some(at("2026-11-26T14:00:00Z")));
    assert!(
        world
            .letters
            .iter()
            .any(|letter| letter.topic == "answered_late" && letter.to.as_str() == "vera")
    );
    world.events.clear();
    world.wait(60 * 24 * 14);
    assert!(
        !words(&world).iter().any(|what| what.contains("escalated")),
        "{:?}",
        words(&world)
    );
}

#[test]
fn who_is_asked_by_an_escalation_may_decide_and_the_record_says_so() {
    let mut world = asked_at("2026-11-20T14:00:00Z", estate(), data_rule());
    world.wait_until(at("2026-11-27T10:00:00Z"));
    world.approve("sue").unwrap();
    let counted = &world.file.approvals.last().unwrap().counted_for[0];
    assert!(counted.basis.escalated);
    assert_eq!(counted.basis.ownership.as_ref().unwrap().id, "o3");
    assert!(counted.why.starts_with("escalated: data of shop"), "{}", counted.why);
    assert_eq!(
        world.file.approvals.last().unwrap().escalated_at,
        None,
        "she was not the one who was late"
    );
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn a_pause_stops_the_clocks_and_keeps_the_working_time_that_was_left() {
    let mut world = asked_at("2026-11-20T14:00:00Z", estate(), data_rule());
    // Monday noon in Oslo: 3 of 8 hours are left to acknowledge.
    world.wait_until(at("2026-11-23T11:00:00Z"));
    world.hold("rita", json!({"reason": "Wait"})).unwrap();
    world.wait_until(at("2026-11-27T11:00:00Z"));
    assert_eq!(words(&world), Vec::<String>::new());
    world.act("rita", plan::resume).unwrap();
    let request = world.change().requests.iter().find(|row| row.rule == WATCHED).unwrap();
    assert_eq!(
        request.acknowledge_by,
        at("2026-11-27T14:00:00Z"),
        "Friday, three working hours later"
    );
}

#[test]
fn who_was_reminded_before_a_pause_is_not_reminded_again_after_it() {
    let mut world = asked_at("2026-11-20T14:00:00Z", estate(), data_rule());
    world.act("vera", decide::acknowledge).unwrap();
    world.wait_until(at("2026-11-26T13:00:00Z"));
    assert_eq!(words(&world), ["approval.reminded vera"]);
    world.hold("rita", json!({"reason": "Wait"})).unwrap();
    world.wait_until(at("2026-11-30T13:00:00Z"));
    world.act("rita", plan::resume).unwrap();
    world.wait(30);
    assert_eq!(words(&world), ["approval.reminded vera"]);
    world.wait(60);
    assert!(
        words(&world).contains(&"approval.escalated line".to_owned()),
        "the clock went on"
    );
}

#[test]
fn an_emptied_group_is_found_and_escalated_and_opens_no_gate() {
    let mut world = asked_at(
        "2026-11-20T14:00:00Z",
        estate(),
        ApprovalRule {
            ack_sla: None,
            ..rule(Asked::Group("ecab".into()), Covers::What)
        },
    );
    assert_eq!(
        world.change().requests.iter().filter(|row| row.rule == WATCHED).count(),
        1
    );
    world.estate(|estate| {
        let key = ids::GroupKey::from("ecab");
        estate.groups.get_mut(&key).unwrap().members.clear();
    });
    world.settle();
    assert_eq!(
        words(&world),
        [
            "approval.request_ended cora",
            "approval.nobody_can",
            "approval.escalated deputies",
            "approval.escalated line",
            "approval.escalated last"
        ]
    );
    assert!(world.unmet().contains(&"cannot_be_met".to_owned()));
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    assert_eq!(
        code(world.approve("cora")),
        "not_asked",
        "whoever was removed a minute ago cannot decide"
    );
    let seen = world.events.len();
    world.settle();
    world.run_timers();
    assert_eq!(world.events.len(), seen, "once");
}

#[test]
fn ownership_that_moves_is_routed_anew_and_the_timeline_says_so() {
    let mut world = asked_at("2026-11-20T14:00:00Z", estate(), data_rule());
    let why = &world
        .change()
        .requests
        .iter()
        .find(|row| row.rule == WATCHED)
        .unwrap()
        .grounds[0];
    assert_eq!(
        (why.ownership.as_ref().unwrap().id.as_str(), why.scope.as_deref()),
        ("o2", Some("service:shop"))
    );
    world.estate(|estate| {
        let mut rows: Vec<Ownership> = estate.ownerships.to_vec();
        rows.iter_mut().find(|row| row.id.as_str() == "o2").unwrap().ends_at = Some(at("2026-11-20T14:30:00Z"));
        rows.push(row("o4", OwnershipRole::Data, "tom", Some("shop")));
        estate.ownerships = rows.into();
    });
    world.settle();
    assert_eq!(
        words(&world),
        ["approval.requested tom"],
        "both hold it until the half hour"
    );
    // Nobody acts: the row's end alone moves the request.
    world.wait_until(at("2026-11-20T14:31:00Z"));
    assert_eq!(words(&world), ["approval.requested tom", "approval.request_ended vera"]);
    assert!(
        world
            .letters
            .iter()
            .any(|letter| letter.topic == "no_longer_asked" && letter.to.as_str() == "vera")
    );
    assert_eq!(code(world.approve("vera")), "not_asked");
    world.approve("tom").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    // A decision is valid if it was lawful when it was made.
    world.estate(|estate| {
        let rows: Vec<Ownership> = estate
            .ownerships
            .iter()
            .filter(|row| row.id.as_str() != "o4")
            .cloned()
            .collect();
        estate.ownerships = rows.into();
    });
    world.settle();
    assert_eq!(world.state(), State::Scheduled);
}

pub fn away(person: &str, until: &str) -> Absence {
    Absence {
        id: format!("a-{person}").as_str().into(),
        version: 1,
        person: person.into(),
        starts_at: at("2026-11-20T00:00:00Z"),
        ends_at: at(until),
        reason: None,
        corrected_at: None,
    }
}

pub fn lent(from: &str, to: &str, deputy: bool) -> Delegation {
    Delegation {
        id: format!("d-{from}-{to}").as_str().into(),
        version: 1,
        delegator: from.into(),
        delegate: to.into(),
        parts: Default::default(),
        services: Default::default(),
        starts_at: at("2026-11-01T00:00:00Z"),
        ends_at: at("2027-11-01T00:00:00Z"),
        deputy,
        reason: None,
        corrected_at: None,
    }
}

#[test]
fn deputies_are_asked_when_the_other_is_away_or_late_and_nobody_away_is_reminded() {
    let mut with = estate();
    with.delegations.push(lent("vera", "max", true));
    let mut world = asked_at("2026-11-20T14:00:00Z", with.clone(), data_rule());
    assert!(
        !world
            .change()
            .requests
            .iter()
            .any(|row| row.rule == WATCHED && row.person.as_str() == "max")
    );
    world.wait_until(at("2026-11-23T15:00:00Z"));
    assert_eq!(
        words(&world),
        [
            "approval.unacknowledged vera",
            "approval.escalated deputies",
            "approval.requested max"
        ]
    );
    world.approve("max").unwrap();
    let counted = world
        .file
        .approvals
        .last()
        .unwrap()
        .counted_for
        .iter()
        .find(|row| row.rule == WATCHED)
        .unwrap();
    assert_eq!(counted.basis.delegators, ["vera".into()]);
    assert!(counted.why.starts_with("deputy of VERA until"), "{}", counted.why);

    with.absences.push(away("vera", "2026-11-28T00:00:00Z"));
    let mut world = asked_at("2026-11-20T14:00:00Z", with, data_rule());
    assert!(
        world
            .change()
            .requests
            .iter()
            .any(|row| row.rule == WATCHED && row.person.as_str() == "max")
    );
    world.wait_until(at("2026-11-25T00:00:00Z"));
    assert!(
        !words(&world).iter().any(|what| what.ends_with(" vera")),
        "{:?}",
        words(&world)
    );
}

#[test]
fn when_everybody_is_away_until_too_late_nothing_is_waited_for() {
    let mut with = estate();
    with.absences.push(away("vera", "2027-01-10T00:00:00Z"));
    let mut world = asked_at("2026-11-20T14:00:00Z", with, data_rule());
    let reached = |world: &World, step| {
        world
            .change()
            .clocks
            .iter()
            .any(|clock| clock.rule == WATCHED && clock.has_reached(step))
    };
    assert!(reached(&world, EscalationStep::Line), "sue is asked at once");
    assert!(!reached(&world, EscalationStep::Last), "and that is enough");
    world.approve("sue").unwrap();
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn a_right_that_is_lent_counts_once_and_never_for_its_author() {
    let mut with = estate();
    with.delegations.push(lent("vera", "tom", false));
    let two = ApprovalRule {
        count: 2,
        ..data_rule()
    };
    let mut lonely = with.clone();
    let rows: Vec<Ownership> = lonely
        .ownerships
        .iter()
        .filter(|row| row.id.as_str() != "o3")
        .cloned()
        .collect();
    lonely.ownerships = rows.into();
    let mut world = asked_at("2026-11-20T14:00:00Z", lonely, two);
    assert!(
        world.unmet().contains(&"cannot_be_met".to_owned()),
        "one right, however many speak for it"
    );
    world.approve("vera").unwrap();
    world.approve("tom").unwrap();
    assert_eq!(world.state(), State::Authorizing);

    // The author's delegate has nothing to lend from.
    let facts = facts_but(json!({"planned_start": "2027-11-20T11:00:00Z", "planned_end": "2027-11-20T13:00:00Z"}));
    let mut world = World::create("vera", facts, vec![(Due::Start, Duty::Approval(data_rule()))], with).unwrap();
    world.submit("vera").unwrap();
    world.assess("vera", json!({"dependencies_reviewed": true})).unwrap();
    assert_eq!(code(world.approve("tom")), "not_asked");
    assert_eq!(code(world.approve("vera")), "not_asked");
}

#[test]
fn a_word_that_is_lent_goes_on_to_a_third_only_while_the_second_is_away() {
    let mut with = estate();
    with.delegations.push(lent("vera", "max", false));
    with.delegations.push(lent("max", "tom", false));
    let mut world = asked_at("2026-11-20T14:00:00Z", with.clone(), data_rule());
    let is_asked = |world: &World, who: &str| {
        let mut rows = world.change().requests.iter();
        rows.any(|row| row.rule == WATCHED && row.person.as_str() == who)
    };
    assert!(is_asked(&world, "max"), "vera chose him");
    assert!(!is_asked(&world, "tom"), "she did not choose him, and max is there");
    let refusal = world.approve("tom");
    let counted = refusal.is_ok()
        && world
            .file
            .approvals
            .last()
            .unwrap()
            .counted_for
            .iter()
            .any(|row| row.rule == WATCHED);
    assert!(!counted, "a word that nobody lent him counts for nothing");

    with.absences.push(away("max", "2026-11-28T00:00:00Z"));
    let world = asked_at("2026-11-20T14:00:00Z", with, data_rule());
    assert!(is_asked(&world, "tom"), "max is away");
}

#[test]
fn later_stages_are_asked_when_earlier_ones_are_met() {
    let last = ApprovalRule {
        stage: 2,
        ..data_rule()
    };
    let facts = facts_but(json!({"planned_start": "2027-11-20T11:00:00Z", "planned_end": "2027-11-20T13:00:00Z"}));
    let mut world = World::create("rita", facts, vec![(Due::Start, Duty::Approval(last))], estate()).unwrap();
    world.submit("rita").unwrap();
    world.assess("rita", json!({"dependencies_reviewed": true})).unwrap();
    let asked = |world: &World| world.change().requests.iter().any(|row| row.rule == WATCHED);
    assert!(!asked(&world));
    let refusal = world.approve("vera").unwrap_err();
    assert!(refusal.text().contains("stage 2"), "{refusal}");
    let waits = |world: &World| -> Vec<(String, Vec<String>)> {
        let ahead = waiting_on::ahead(&world.file, &world.directory, world.now);
        let rows = ahead.into_iter().map(|row| row.unmet);
        let own = rows.filter(|row| format!("{} {}", row.text, row.satisfy).contains(WATCHED));
        own.map(|row| (row.text, row.waiting_on)).collect()
    };
    let early = format!("Rule `{WATCHED}` belongs to stage 2, and stage 1 is still open.");
    let open = ["olga", "sam", "max", "mia"].map(str::to_owned).to_vec();
    assert_eq!(waits(&world), [(early, open)], "it waits for the people of stage one");
    for who in ["olga", "sam", "mia"] {
        assert!(!asked(&world));
        world.approve(who).unwrap();
    }
    assert!(asked(&world), "all of stage one is met");
    assert_eq!(waits(&world)[0].1, ["vera"]);
    world.approve("vera").unwrap();
    assert_eq!(world.state(), State::Scheduled);
}

/// A higher risk grants less time, from the edit on; going back grants no more. An approver who had seen the text before has
/// not seen this.
#[test]
fn an_edit_that_raises_the_risk_moves_the_clocks_forward_and_asks_to_look_anew() {
    let risk = |availability: &str, complexity: &str| json!({"impact": {"data": "none", "availability": availability, "compliance": "none"}, "complexity": complexity});
    let rule = ApprovalRule {
        ack_sla: None,
        decide_sla: None,
        ..data_rule()
    };
    let mut facts = facts_but(json!({
        "planned_start": "2027-11-20T11:00:00Z", "planned_end": "2027-11-20T13:00:00Z", "tester": null,
    }));
    read_content::merge(&mut facts, risk("low", "low").as_object().unwrap());
    let mut world = World::create("rita", facts, vec![(Due::Start, Duty::Approval(rule))], estate()).unwrap();
    world.now = at("2026-11-20T14:00:00Z");
    world.submit("rita").unwrap();
    let words = json!({"dependencies_reviewed": true, "security": "Looked at."});
    world.assess("rita", words).unwrap();
    world.act("vera", decide::acknowledge).unwrap();
    world.letters.clear();
    let decide_by = |world: &World| {
        let mut clocks = world.change().clocks.iter();
        clocks.find(|clock| clock.rule == WATCHED).unwrap().decide_by
    };
    let request = |world: &World| {
        let mut rows = world.change().requests.iter();
        rows.find(|row| row.rule == WATCHED && row.person.as_str() == "vera")
            .unwrap()
            .clone()
    };
    assert_eq!(decide_by(&world), at("2026-11-27T14:00:00Z"));
    world.edit("rita", risk("high", "medium")).unwrap();
    assert_eq!(decide_by(&world), at("2026-11-24T14:00:00Z"));
    assert_eq!(request(&world).acknowledged_at, None, "she has not seen this text");
    assert_eq!(request(&world).acknowledge_by, at("2026-11-23T10:00:00Z"));
    let anew = |letter: &&change_file::Letter| letter.to.as_str() == "vera" && letter.news.contains("edited since");
    assert_eq!(world.letters.iter().filter(anew).count(), 1, "{:#?}", world.letters);
    world.edit("rita", risk("low", "low")).unwrap();
    assert_eq!(decide_by(&world), at("2026-11-24T14:00:00Z"), "no edit gives more time");
    assert_eq!(
        world.letters.iter().filter(anew).count(),
        1,
        "she had nothing to forget"
    );
    world.wait(60 * 24 * 21);
    let found = told(&world);
    for (what, when) in [
        ("approval.unacknowledged vera", "2026-11-23T10:00:00Z"),
        ("approval.escalated line", "2026-11-24T14:00:00Z"),
    ] {
        let times: Vec<Timestamp> = found
            .iter()
            .filter(|(_, told)| told == what)
            .map(|(at, _)| *at)
            .collect();
        assert_eq!(times, [at(when)], "{what}: {found:#?}");
    }
}
