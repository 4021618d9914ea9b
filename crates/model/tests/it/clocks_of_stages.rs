//! Clocks that stop with the turn of their stage, that end together, and that wait for nobody who is away too long.

use model::approval::decide;
use model::approval::obligation::{ApprovalRule, Due, Duty};
use model::change::change_file;
use model::change::record::EscalationStep;
use model::core::enums::State;
use model::schedule::calendar::Span;
use serde_json::json;

use crate::calendars::at;
use crate::clocks::{WATCHED, asked_at, away, data_rule, estate, words};
use crate::world::{World, facts_but};

/// While an earlier stage lacks an approval again, the clock of a later one does not run: an approver who cannot decide yet is
/// never late.
#[test]
fn the_clock_of_a_stage_stops_while_an_earlier_one_is_open_and_begins_anew() {
    let last = ApprovalRule {
        stage: 2,
        ack_sla: Some(Span::Minutes(10)),
        decide_sla: Some(Span::Minutes(60)),
        ..data_rule()
    };
    let facts = facts_but(json!({"planned_start": "2027-11-20T11:00:00Z", "planned_end": "2027-11-20T13:00:00Z"}));
    let mut world = World::create("rita", facts, vec![(Due::Start, Duty::Approval(last))], estate()).unwrap();
    world.submit("rita").unwrap();
    world.assess("rita", json!({"dependencies_reviewed": true})).unwrap();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    let clock = |world: &World| world.change().clocks.iter().find(|it| it.rule == WATCHED).cloned();
    let first = clock(&world).unwrap();
    world.wait(5);
    world.events.clear();
    let hers = world
        .file
        .standing()
        .find(|it| it.person.as_str() == "mia")
        .unwrap()
        .id
        .clone();
    world.act("mia", |case| decide::withdraw(case, &hers)).unwrap();
    assert_eq!(clock(&world), None);
    let ended = |event: &&change_file::EventDraft| event.kind == "approval.request_ended";
    let because: Vec<&str> = world
        .events
        .iter()
        .filter(ended)
        .map(|event| event.data["because"].as_str().unwrap())
        .collect();
    assert_eq!(because, ["earlier_stage_open"]);
    world.events.clear();
    world.wait(600);
    assert_eq!(words(&world), Vec::<String>::new(), "nobody of stage two is late");
    world.approve("mia").unwrap();
    let second = clock(&world).unwrap();
    assert_eq!(second.asked_at, world.now);
    assert_eq!(
        second.decide_by.duration_since(second.asked_at),
        first.decide_by.duration_since(first.asked_at)
    );
    assert!(second.steps.iter().all(|step| step.done_at.is_none()), "{second:?}");
    world.wait(11);
    assert_eq!(
        words(&world)[..2],
        ["approval.requested vera", "approval.unacknowledged vera"]
    );
    world.approve("vera").unwrap();
    assert_eq!(world.state(), State::Scheduled);
}

/// A rule may grant less time to decide than its other time, or that of its kind, grants to acknowledge.
#[test]
fn the_time_to_acknowledge_is_over_with_that_to_decide() {
    for (ack, decide) in [
        (Span::Minutes(480), Span::Minutes(60)),
        (Span::WorkDays(5), Span::Minutes(60)),
    ] {
        let rule = ApprovalRule {
            ack_sla: Some(ack),
            decide_sla: Some(decide),
            ..data_rule()
        };
        let world = asked_at("2026-11-20T10:00:00Z", estate(), rule);
        let change = world.change();
        let clock = change.clocks.iter().find(|it| it.rule == WATCHED).unwrap();
        assert_eq!(clock.decide_by, at("2026-11-20T11:00:00Z"));
        let deputies = clock
            .steps
            .iter()
            .find(|it| it.step == EscalationStep::Deputies)
            .unwrap();
        assert_eq!(deputies.due_at, clock.decide_by);
        let request = change.requests.iter().find(|it| it.rule == WATCHED).unwrap();
        assert_eq!(request.acknowledge_by, clock.decide_by);
    }
}

/// Two absences without a day between them are one, for the waiting side.
#[test]
fn absences_that_adjoin_are_one() {
    let mut with = estate();
    let mut first = away("vera", "2026-11-21T00:00:00Z");
    first.id = "a1".into();
    let mut then = away("vera", "2027-01-10T00:00:00Z");
    (then.id, then.starts_at) = ("a2".into(), first.ends_at);
    with.absences.push(then);
    with.absences.push(first);
    let now = at("2026-11-20T14:00:00Z");
    let until = with.absent_until(&"vera".into(), now);
    assert_eq!(until, Some(at("2027-01-10T00:00:00Z")));
    assert_eq!(with.absent_until(&"sue".into(), now), None);
    let world = asked_at("2026-11-20T14:00:00Z", with, data_rule());
    let change = world.change();
    let clock = change.clocks.iter().find(|it| it.rule == WATCHED).unwrap();
    assert!(
        clock.steps.iter().any(|step| step.done_at.is_some()),
        "nobody who could decide is back in time, so nothing is waited for"
    );
}
