//! Figures over rows that other tools miscount, and over rows that clocks, reruns and mass merges make odd.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use model::approval::decide;
use model::change::change_file::{Actor, Lent};
use model::core::enums::{Category, EmergencyCause, Kind, Level, Outcome, State};
use model::report::change_outcome::{ChangeOutcome, Followed, TargetOutcome};
use model::report::definition::{self, Exclusion};
use model::report::emergency_causes::causes;
use model::report::evaluate::{Counted, Question, Window, evaluate};
use model::report::figure::{Figure, by_group, figure};
use model::report::population::{Dimension, Facts, RowFilter};
use model::report::sensitivity::{Varied, variants};
use serde_json::json;

use crate::world::World;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The whole of November 2026 in UTC.
fn november() -> Window {
    Window {
        from: at("2026-11-01T00:00:00Z"),
        to: at("2026-12-01T00:00:00Z"),
    }
}

fn facts() -> Facts {
    Facts {
        production: ["production".into()].into(),
        teams: [("web".into(), "Shop".to_owned()), ("pay".into(), "Money".to_owned())].into(),
        ..Facts::default()
    }
}

/// A deployment of one service to production that ended well at this time, an hour after its change was created.
fn row(number: i64, service: &str, build: &str, ended: &str) -> ChangeOutcome {
    let ended = at(ended);
    let began = ended - SignedDuration::from_mins(10);
    ChangeOutcome {
        change: format!("c{number}"),
        version: 1,
        number,
        key: format!("CHG-{number}"),
        kind: Kind::Normal,
        category: Category::Application,
        risk: Level::Low,
        state: State::Closed,
        team: None,
        template: None,
        implementers: Vec::new(),
        outcome: Some(Outcome::Succeeded),
        succeeded: Some(true),
        incidents: Vec::new(),
        fails_by_incidents: false,
        is_piped: false,
        root_cause: None,
        cause: None,
        cause_by_rule: None,
        is_cause_confirmed: false,
        is_rework: false,
        follows: Vec::new(),
        undo_from: None,
        created_at: ended - SignedDuration::from_mins(60),
        submitted_at: None,
        assessed_at: None,
        approved_at: None,
        started_at: Some(began),
        ended_at: Some(ended),
        closed_at: None,
        targets: vec![TargetOutcome {
            target: "1".to_owned(),
            service: service.into(),
            environment: "production".into(),
            build: Some(build.to_owned()),
            outcome: Some(Outcome::Succeeded),
            failed: Some(false),
            fails_by_incidents: false,
            was_rolled_back: false,
            started_at: Some(began),
            ended_at: Some(ended),
        }],
        approvals: Vec::new(),
    }
}

/// The row with its target and its whole failed.
fn failed(mut row: ChangeOutcome, incidents: &[&str]) -> ChangeOutcome {
    row.succeeded = Some(false);
    row.incidents = incidents.iter().map(|it| (*it).to_owned()).collect();
    row.targets[0].failed = Some(true);
    row
}

fn counted<'r>(id: &str, rows: &'r [ChangeOutcome], window: Window, by: Option<Dimension>) -> Vec<Counted<'r>> {
    let filter = RowFilter::default();
    let question = Question {
        definition: definition::find(id).unwrap(),
        window,
        filter: &filter,
        by,
    };
    evaluate(&question, rows, &facts())
}

fn told(id: &str, rows: &[ChangeOutcome]) -> Figure {
    told_in(id, rows, november())
}

fn told_in(id: &str, rows: &[ChangeOutcome], window: Window) -> Figure {
    let counted = counted(id, rows, window, None);
    let all: Vec<&Counted<'_>> = counted.iter().collect();
    figure(definition::find(id).unwrap(), &all, window)
}

/// Hits and all.
fn share(id: &str, rows: &[ChangeOutcome]) -> (u64, u64) {
    let it = told(id, rows);
    (it.hits, it.of)
}

#[test]
fn deployments_are_counted_and_not_incidents() {
    let mut rows: Vec<ChangeOutcome> = (1..=8)
        .map(|day| row(day, "web", &format!("b{day}"), &format!("2026-11-{day:02}T10:00:00Z")))
        .collect();
    rows[0] = failed(rows[0].clone(), &["INC-1", "INC-2", "INC-3"]);
    assert_eq!(
        share("change_failure_rate", &rows),
        (1, 8),
        "three incidents of one deployment"
    );
    rows[4] = failed(rows[4].clone(), &["INC-1"]);
    assert_eq!(
        share("change_failure_rate", &rows),
        (2, 8),
        "one incident of two deployments"
    );
}

#[test]
fn a_cancelled_change_and_a_skipped_job_are_no_failures() {
    let mut cancelled = row(1, "web", "b1", "2026-11-02T10:00:00Z");
    (
        cancelled.state,
        cancelled.outcome,
        cancelled.succeeded,
        cancelled.ended_at,
    ) = (State::Cancelled, None, None, None);
    (
        cancelled.targets[0].outcome,
        cancelled.targets[0].failed,
        cancelled.targets[0].ended_at,
    ) = (None, None, None);
    let mut skipped = row(2, "web", "b2", "2026-11-03T10:00:00Z");
    (skipped.outcome, skipped.succeeded) = (Some(Outcome::NotImplemented), None);
    (skipped.targets[0].outcome, skipped.targets[0].failed) = (Some(Outcome::NotImplemented), None);
    let rows = [cancelled, skipped, row(3, "web", "b3", "2026-11-04T10:00:00Z")];
    let found = told("change_failure_rate", &rows);
    assert_eq!((found.hits, found.of), (0, 1));
    assert_eq!(found.excluded, BTreeMap::from([(Exclusion::Skipped, 1)]));
    assert_eq!(share("success_share", &rows), (1, 1));
}

#[test]
fn reruns_of_one_build_count_once_and_the_last_one_decides() {
    let rows = [
        failed(row(1, "web", "b1", "2026-11-02T10:00:00Z"), &[]),
        failed(row(2, "web", "b1", "2026-11-02T10:20:00Z"), &[]),
        row(3, "web", "b1", "2026-11-02T10:40:00Z"),
        row(4, "pay", "b1", "2026-11-02T10:50:00Z"),
    ];
    let found = told("change_failure_rate", &rows);
    assert_eq!((found.hits, found.of), (0, 2), "one at each place");
    assert_eq!(found.excluded, BTreeMap::from([(Exclusion::Rerun, 2)]));
    assert_eq!(told("deployment_frequency", &rows).of, 2);
    let mut hurt = rows.clone();
    hurt[0].incidents = vec!["INC-1".to_owned()];
    assert_eq!(
        share("change_failure_rate", &hurt),
        (1, 3),
        "a try that caused an incident stays a failure"
    );
    let later = [rows[0].clone(), row(2, "web", "b1", "2026-11-04T10:00:00Z")];
    assert_eq!(
        share("change_failure_rate", &later),
        (1, 2),
        "two days later it is a deployment of its own"
    );
}

#[test]
fn a_return_fails_the_deployment_before_it_unless_it_is_planned() {
    let mut rows = vec![
        row(1, "web", "b1", "2026-10-20T10:00:00Z"),
        row(2, "web", "b2", "2026-11-02T10:00:00Z"),
        row(3, "web", "b1", "2026-11-02T11:00:00Z"),
    ];
    let counted = counted("change_failure_rate", &rows, november(), None);
    let hits: Vec<&str> = counted
        .iter()
        .filter(|it| it.is_hit)
        .map(|it| it.row.key.as_str())
        .collect();
    assert_eq!(
        hits,
        ["CHG-2"],
        "the build that was taken back, seen with one of before the window"
    );
    assert_eq!(told("recovery_time", &rows).hits, 1);
    drop(counted);
    let link = |change: &str, time: &str| Followed {
        change: change.to_owned(),
        linked_at: at(time),
    };
    rows[2].follows = vec![link("c1", "2026-11-02T09:00:00Z")];
    assert_eq!(
        told("change_failure_rate", &rows).hits,
        1,
        "a link to another change than the one that was taken back"
    );
    rows[2].follows = vec![link("c2", "2026-11-02T10:30:00Z")];
    assert_eq!(
        told("change_failure_rate", &rows).hits,
        1,
        "a link that was made once it was seen that the deployment is bad"
    );
    rows[2].follows = vec![link("c2", "2026-11-02T09:00:00Z")];
    let found = told("change_failure_rate", &rows);
    assert_eq!((found.hits, found.of), (0, 1));
    assert_eq!(found.excluded, BTreeMap::from([(Exclusion::PlannedUndo, 1)]));
    rows[2].follows = Vec::new();
    rows[1].undo_from = Some(at("2026-11-02T10:30:00Z"));
    assert_eq!(told("change_failure_rate", &rows).hits, 0, "its declared undo");
    rows[1].undo_from = Some(at("2026-11-02T11:30:00Z"));
    assert_eq!(told("change_failure_rate", &rows).hits, 1, "before its time");
    rows[1].undo_from = None;
    (rows[2].kind, rows[2].template) = (Kind::Standard, Some("toggle".to_owned()));
    assert_eq!(
        told("change_failure_rate", &rows).hits,
        1,
        "a template alone declares no undo"
    );
    (rows[2].kind, rows[2].template) = (Kind::Normal, None);
    rows[2].targets[0].ended_at = Some(at("2026-11-10T10:00:01Z"));
    assert_eq!(
        told("change_failure_rate", &rows).hits,
        0,
        "eight days later it is no failure"
    );
}

/// `count` services that go back to their earlier build, a minute after each other.
fn returns(count: i64) -> Vec<ChangeOutcome> {
    let one = |service: i64| {
        let name = format!("s{service}");
        let minute = |at: i64| format!("2026-11-03T10:{at:02}:00Z");
        [
            row(service * 10, &name, "old", "2026-11-01T10:00:00Z"),
            row(service * 10 + 1, &name, "new", "2026-11-02T10:00:00Z"),
            row(service * 10 + 2, &name, "old", &minute(service)),
        ]
    };
    (1..=count).flat_map(one).collect()
}

#[test]
fn five_returns_within_ten_minutes_are_a_burst_and_no_failures_and_four_are_failures() {
    let found = told("change_failure_rate", &returns(4));
    assert_eq!((found.hits, found.of), (4, 12));
    let found = told("change_failure_rate", &returns(5));
    assert_eq!((found.hits, found.of), (0, 10));
    assert_eq!(found.excluded, BTreeMap::from([(Exclusion::Burst, 5)]));
    let mut spread = returns(5);
    spread[14].targets[0].ended_at = Some(at("2026-11-03T10:11:01Z"));
    assert_eq!(
        told("change_failure_rate", &spread).hits,
        5,
        "over ten minutes they are none"
    );
}

#[test]
fn a_month_ends_where_the_zone_says() {
    // In Oslo it is December already.
    let rows = [row(1, "web", "b1", "2026-11-30T23:30:00Z")];
    assert_eq!(told("deployment_frequency", &rows).of, 1);
    let oslo = Window {
        from: at("2026-11-01T00:00:00+01:00"),
        to: at("2026-12-01T00:00:00+01:00"),
    };
    assert_eq!(told_in("deployment_frequency", &rows, oslo).of, 0);
    assert_eq!((oslo.days(), november().days()), (30, 30));
}

#[test]
fn a_deployment_of_several_services_is_one_change_and_several_deployments() {
    let mut one = row(1, "web", "b1", "2026-11-02T10:00:00Z");
    let mut second = one.targets[0].clone();
    (second.target, second.service, second.failed) = ("2".to_owned(), "pay".into(), Some(true));
    one.targets.push(second);
    one.succeeded = Some(false);
    let rows = [one];
    assert_eq!(share("success_share", &rows), (0, 1), "one change");
    assert_eq!(
        share("change_failure_rate", &rows),
        (1, 2),
        "two deployments, of which one failed"
    );
    let by = |id: &str| {
        let counted = counted(id, &rows, november(), Some(Dimension::Service));
        let found = by_group(definition::find(id).unwrap(), &counted, november());
        found
            .into_iter()
            .map(|(name, it)| (name, it.hits, it.of))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        by("change_failure_rate"),
        [("pay".to_owned(), 1, 1), ("web".to_owned(), 0, 1)]
    );
    assert_eq!(
        by("success_share"),
        [("pay".to_owned(), 0, 1), ("web".to_owned(), 0, 1)]
    );
}

#[test]
fn the_team_of_a_change_stays_when_the_service_moves_to_another() {
    let mut named = row(1, "web", "b1", "2026-11-02T10:00:00Z");
    named.team = Some("Old shop".to_owned());
    let rows = [named, row(2, "web", "b2", "2026-11-03T10:00:00Z")];
    let counted = counted("deployment_frequency", &rows, november(), Some(Dimension::Team));
    let found = by_group(definition::find("deployment_frequency").unwrap(), &counted, november());
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["Old shop", "Shop"],
        "the key of the service is the same, whatever it is called"
    );
}

#[test]
fn a_clock_that_ran_backwards_is_left_out_with_a_count() {
    let mut odd = row(1, "web", "b1", "2026-11-02T10:00:00Z");
    odd.targets[0].started_at = Some(at("2026-11-02T11:00:00Z"));
    let rows = [odd, row(2, "web", "b2", "2026-11-03T10:00:00Z")];
    let found = told("lead_time", &rows);
    assert_eq!((found.of, found.excluded), (1, BTreeMap::from([(Exclusion::Clock, 1)])));
}

#[test]
fn without_enough_data_there_is_no_value_and_all_successes_are_still_an_interval() {
    let none = told("change_failure_rate", &[]);
    assert_eq!((none.estimate, none.of, none.level), (None, 0, None));
    let few: Vec<ChangeOutcome> = (1..=29)
        .map(|number| {
            row(
                number,
                "web",
                &format!("b{number}"),
                &format!("2026-11-{:02}T10:00:00Z", number),
            )
        })
        .collect();
    assert_eq!(told("change_failure_rate", &few).estimate, None, "29 of 30");
    let mut enough = few;
    enough.push(row(30, "pay", "b", "2026-11-30T10:00:00Z"));
    let found = told("change_failure_rate", &enough);
    let estimate = found.estimate.unwrap();
    assert_eq!((estimate.value, estimate.low, estimate.high), (0, 0, 113_513));
    assert_eq!(found.level.as_deref(), Some("elite"));
    assert_eq!(told("success_share", &enough[..1]).estimate, None);
}

#[test]
fn ten_years_with_one_row_are_a_rate_near_nothing() {
    let window = Window {
        from: at("2016-12-01T00:00:00Z"),
        to: at("2026-12-01T00:00:00Z"),
    };
    let found = told_in(
        "deployment_frequency",
        &[row(1, "web", "b1", "2026-11-02T10:00:00Z")],
        window,
    );
    assert_eq!(found.estimate.map(|it| (it.value, it.low)), Some((0, 0)));
}

#[test]
fn a_failure_is_over_with_its_last_incident_else_with_its_return_else_with_the_next_deployment() {
    let good = row(9, "web", "b9", "2026-11-02T12:00:00Z");
    let minutes = |rows: &[ChangeOutcome], facts: &Facts| {
        let filter = RowFilter::default();
        let question = Question {
            definition: definition::find("recovery_time").unwrap(),
            window: november(),
            filter: &filter,
            by: None,
        };
        evaluate(&question, rows, facts)
            .iter()
            .map(|it| it.minutes)
            .collect::<Vec<_>>()
    };
    let plain = failed(row(1, "web", "b1", "2026-11-02T10:00:00Z"), &[]);
    assert_eq!(
        minutes(&[plain.clone(), good.clone()], &facts()),
        [Some(130)],
        "the next that did not fail"
    );
    assert_eq!(minutes(&[plain], &facts()), [None], "none yet");
    let hurt = failed(row(1, "web", "b1", "2026-11-02T10:00:00Z"), &["INC-1", "INC-2"]);
    let mut known = facts();
    known.resolved.insert("INC-1".to_owned(), at("2026-11-02T10:20:00Z"));
    assert_eq!(
        minutes(&[hurt.clone(), good.clone()], &known),
        [None],
        "an incident lasts"
    );
    known.resolved.insert("INC-2".to_owned(), at("2026-11-02T10:50:00Z"));
    assert_eq!(minutes(&[hurt, good], &known), [Some(60)]);
    let mut back = failed(row(1, "web", "b1", "2026-11-02T10:00:00Z"), &[]);
    (back.targets[0].outcome, back.targets[0].was_rolled_back) = (Some(Outcome::RolledBack), true);
    assert_eq!(minutes(&[back], &facts()), [Some(10)], "the end of its rollback");
}

#[test]
fn a_row_says_how_long_each_rule_waited_and_its_parts_add_up() {
    let mut world = World::new().until_closed();
    let approvals = world.file.approvals.clone();
    let change = world.change().clone();
    let clock = change.clocks.first().expect("a rule asked").clone();
    let met = clock.met_at.expect("it was met");
    let row = ChangeOutcome::of(&change, &approvals, &[], &[]);
    assert_eq!((row.key.as_str(), row.succeeded), ("CHG-1", Some(true)));
    assert_eq!(row.targets[0].failed, Some(false));
    assert_eq!(row.targets[0].build.as_deref(), Some("git:aae5e5e"));
    assert!(row.approved_at.is_some() && row.ended_at.is_some());
    let span = row.approvals.iter().find(|it| it.rule == clock.rule).expect("its span");
    assert_eq!(span.seconds(), met.as_second() - clock.asked_at.as_second());
    assert!(!span.group.is_empty(), "whom the rule asked");
    // A pause of the whole time leaves nothing to the other two.
    let held = [
        ("change.held".to_owned(), clock.asked_at),
        ("change.resumed".to_owned(), met),
    ];
    let paused = ChangeOutcome::of(&change, &approvals, &[], &held);
    let span = paused
        .approvals
        .iter()
        .find(|it| it.rule == clock.rule)
        .expect("its span");
    assert_eq!((span.queue_seconds, span.touch_seconds), (0, 0));
    assert_eq!(span.paused_seconds, met.as_second() - clock.asked_at.as_second());
    world.file.change.content.kind = Kind::Emergency;
    world.file.change.content.incident = Some("INC-1".to_owned());
    let by_rule = ChangeOutcome::of(world.change(), &[], &[], &[]);
    assert_eq!(by_rule.cause, Some(EmergencyCause::Incident));
    assert!(by_rule.is_rework && !by_rule.is_cause_confirmed);
    world.file.change.labels = vec!["cause:capacity".to_owned()];
    let stated = ChangeOutcome::of(world.change(), &[], &[], &[]);
    assert_eq!(
        (stated.cause, stated.cause_by_rule, stated.is_cause_confirmed),
        (Some(EmergencyCause::Capacity), Some(EmergencyCause::Incident), false),
        "a label states another cause and confirms nothing"
    );
    let told = serde_json::to_string(&stated).unwrap();
    assert!(!told.contains(&change.content.title), "no free text");
}

#[test]
fn when_an_approval_was_taken_up_is_known_once_the_work_is_done_as_well() {
    let mut world = World::new().until_authorizing();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    world.wait(8);
    world.act("olga", decide::acknowledge).unwrap();
    world.wait(25);
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    let parts = |world: &World| -> Vec<(String, i64, i64)> {
        let row = ChangeOutcome::of(world.change(), &world.file.approvals, &[], &[]);
        let spans = row.approvals.into_iter();
        spans.map(|it| (it.rule, it.queue_seconds, it.touch_seconds)).collect()
    };
    let before = parts(&world);
    assert!(
        before
            .iter()
            .any(|(_, queue, touch)| (*queue, *touch) == (8 * 60, 25 * 60)),
        "{before:?}"
    );
    world.wait_until(at("2026-11-20T11:10:00Z"));
    world.start("ida").unwrap();
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    assert!(world.change().requests.is_empty());
    assert_eq!(parts(&world), before);
}

#[test]
fn a_link_that_is_made_after_the_work_explains_nothing() {
    let world = World::new().until_closed();
    let change = world.change();
    let (began, closed) = (change.actual_start.unwrap(), change.closed_at.unwrap());
    let link = |kind: &str, made: Timestamp| {
        let link = json!({
            "id": "l1", "version": 1, "change": change.id, "kind": kind, "to_change": "c-9", "to": "CHG-9", "by": "rita",
            "at": made,
        });
        let link = serde_json::from_value(link).unwrap();
        ChangeOutcome::of(change, &[], &[link], &[])
    };
    let minute = SignedDuration::from_mins(1);
    let followed = Followed {
        change: "c-9".to_owned(),
        linked_at: began - minute,
    };
    assert_eq!(link("follows_up", began - minute).follows, [followed]);
    assert!(link("follows_up", began + minute).follows.is_empty());
    assert!(link("fixes", closed).is_rework);
    assert!(!link("fixes", closed + minute).is_rework);
}

#[test]
fn below_its_minimum_a_figure_has_no_value_at_all() {
    // Seven failures that were repaired: eight are needed.
    let hurt = |day: i64| {
        let mut back = row(day, "web", &format!("b{day}"), &format!("2026-11-{day:02}T10:00:00Z"));
        let target = &mut back.targets[0];
        (target.failed, target.outcome, target.was_rolled_back) = (Some(true), Some(Outcome::RolledBack), true);
        back
    };
    let few: Vec<ChangeOutcome> = (1..=7).map(hurt).collect();
    let found = told("recovery_time", &few);
    assert_eq!((found.of, found.estimate, found.mean, found.p90), (7, None, None, None));
    assert_eq!(found.level, None);
    let enough: Vec<ChangeOutcome> = (1..=8).map(hurt).collect();
    assert!(told("recovery_time", &enough).mean.is_some());
    // The minimum of a volume is one of weeks.
    let weeks = |count: i64| Window {
        from: at("2026-11-01T00:00:00Z") - SignedDuration::from_hours(count * 7 * 24),
        to: at("2026-11-01T00:00:00Z"),
    };
    assert_eq!(told_in("emergency_volume", &[], weeks(25)).estimate, None);
    assert!(told_in("emergency_volume", &[], weeks(26)).estimate.is_some());
}

#[test]
fn the_weeks_before_the_first_change_are_none_of_a_volume() {
    let year = Window {
        from: at("2026-01-05T00:00:00Z"),
        to: at("2026-11-02T00:00:00Z"),
    };
    assert_eq!(year.since(at("2025-12-01T00:00:00Z")), year);
    let young = year.since(at("2026-10-14T09:00:00Z"));
    assert_eq!(young.from, at("2026-10-12T00:00:00Z"), "the Monday of its week");
    assert_eq!((young.weeks(), young.to), (3, year.to));
    assert_eq!(year.since(at("2027-01-01T00:00:00Z")).weeks(), 0);
}

/// Reviews with a cause of the emergency; returns the text of the refusal, or nothing.
fn confirm(world: &mut World, who: &str, cause: &str) -> String {
    let words = json!({
        "objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "Looked at.",
        "emergency_cause": cause,
    });
    let words = words.as_object().unwrap().clone();
    let done = world.act(who, |case| model::change::after::review(case, &words, &[]));
    done.err().map(|refusal| format!("{refusal:?}")).unwrap_or_default()
}

#[test]
fn a_review_confirms_or_changes_the_cause_of_an_emergency_and_both_are_counted() {
    let mut world = World::new().until_closed();
    assert!(confirm(&mut world, "mia", "capacity").contains("no_emergency"));
    world.file.change.content.kind = Kind::Emergency;
    world.file.change.content.incident = Some("INC-1".to_owned());
    world.file.change.labels = vec!["cause:threat".to_owned()];
    // The requester does not give the reason for the emergency, and nobody confirms that nothing is known.
    assert!(confirm(&mut world, "rita", "incident").contains("own_emergency"));
    // Nor by a token that they made for a reviewer.
    let lent = Actor {
        person: "mia".into(),
        is_system: false,
        by_token: true,
        lent: Some(Lent {
            maker: "rita".into(),
            roles: None,
            services: None,
        }),
        ..Actor::system()
    };
    let words = json!({
        "objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "Looked at.",
        "emergency_cause": "capacity",
    });
    let words = words.as_object().unwrap().clone();
    let refused = world.act_as(lent, |case| model::change::after::review(case, &words, &[]));
    assert!(format!("{:?}", refused.unwrap_err()).contains("own_emergency"));
    assert!(confirm(&mut world, "mia", "unknown").contains("not_allowed"));
    assert!(confirm(&mut world, "mia", "boredom").contains("emergency_cause"));
    let row = |world: &World| ChangeOutcome::of(world.change(), &[], &[], &[]);
    assert!(!row(&world).is_cause_confirmed, "nothing of that was kept");
    assert_eq!(confirm(&mut world, "mia", "capacity"), "");
    let changed = row(&world);
    assert_eq!(
        (changed.cause, changed.cause_by_rule, changed.is_cause_confirmed),
        (Some(EmergencyCause::Capacity), Some(EmergencyCause::Incident), true),
        "the review goes before the label, and the rule is kept"
    );
    assert_eq!(confirm(&mut world, "mia", "incident"), "");
    let confirmed = row(&world);
    assert_eq!(
        (confirmed.cause, confirmed.is_cause_confirmed),
        (Some(EmergencyCause::Incident), true)
    );
    let mut rows = [changed, confirmed, row_of_label()];
    for (row, number) in rows.iter_mut().zip(1..) {
        row.number = number;
        row.created_at = at("2026-11-10T08:00:00Z");
    }
    let found = causes(&counted("emergency_volume", &rows, november(), None));
    let told = |cause: EmergencyCause| {
        let it = found.get(&cause).copied().unwrap_or_default();
        (it.counted, it.by_rule, it.confirmed, it.changed)
    };
    assert_eq!(told(EmergencyCause::Incident), (1, 2, 1, 0));
    assert_eq!(told(EmergencyCause::Capacity), (1, 0, 1, 1));
    assert_eq!(told(EmergencyCause::Threat), (1, 1, 0, 0));
}

/// An emergency whose cause nobody has confirmed.
fn row_of_label() -> ChangeOutcome {
    ChangeOutcome {
        kind: Kind::Emergency,
        cause: Some(EmergencyCause::Threat),
        cause_by_rule: Some(EmergencyCause::Threat),
        ..row(3, "web", "b3", "2026-11-10T09:00:00Z")
    }
}

#[test]
fn a_figure_shows_what_it_depends_on_and_the_defined_line_is_the_figure_itself() {
    let mut rows: Vec<ChangeOutcome> = (1..=28)
        .map(|day| row(day, "web", &format!("b{day}"), &format!("2026-11-{day:02}T10:00:00Z")))
        .collect();
    // One incident of severity 3, and a return to an earlier build five days after the deployment that it takes back.
    rows[4] = failed(rows[4].clone(), &["INC-3"]);
    (rows[4].fails_by_incidents, rows[4].targets[0].fails_by_incidents) = (true, true);
    for other in &mut rows[15..19] {
        other.targets[0].service = "pay".into();
    }
    rows[19].targets[0].build = Some("b10".to_owned());
    let mut known = facts();
    known.severities.insert("INC-3".to_owned(), 3);
    let filter = RowFilter::default();
    let definition = definition::find("change_failure_rate").unwrap();
    let window = november();
    let question = Question {
        definition,
        window,
        filter: &filter,
        by: None,
    };
    let found = variants(&question, (rows.as_slice(), &known), None);
    let hits = |varied: Varied| {
        let it = found.iter().find(|it| it.varied == varied).unwrap();
        (it.figure.hits, it.is_defined)
    };
    let whole = evaluate(&question, &rows, &known);
    let whole = figure(definition, &whole.iter().collect::<Vec<_>>(), window);
    assert_eq!(hits(Varied::WindowDays(30)), (whole.hits, true));
    assert_eq!(hits(Varied::ReturnDays(7)), (whole.hits, true));
    assert_eq!(hits(Varied::UpToSeverity(3)).0, whole.hits);
    assert_eq!(
        hits(Varied::UpToSeverity(2)).0 + 1,
        whole.hits,
        "an incident of severity 3 counts no more"
    );
    assert_eq!(
        hits(Varied::ReturnDays(3)).0 + 1,
        whole.hits,
        "the return comes too late"
    );
    assert_eq!(hits(Varied::ReturnDays(14)).0, whole.hits);
    // An incident whose severity nobody knows counts under every line.
    let unknown = variants(&question, (rows.as_slice(), &facts()), None);
    assert!(
        unknown
            .iter()
            .filter(|it| matches!(it.varied, Varied::UpToSeverity(_)))
            .all(|it| it.figure.hits == whole.hits)
    );
    // Times to approve have no failures: only the window is varied.
    let times = Question {
        definition: definition::find("time_to_approve").unwrap(),
        ..question
    };
    assert_eq!(variants(&times, (rows.as_slice(), &known), None).len(), 3);
}

#[test]
fn a_volume_is_varied_from_the_first_change_on_as_the_figure_itself_is() {
    let rows: Vec<ChangeOutcome> = (1..=28)
        .map(|day| ChangeOutcome {
            kind: Kind::Emergency,
            ..row(day, "web", &format!("b{day}"), &format!("2026-11-{day:02}T10:00:00Z"))
        })
        .collect();
    let filter = RowFilter::default();
    let definition = definition::find("emergency_volume").unwrap();
    let first = at("2026-11-01T09:00:00Z");
    let window = Window {
        from: at("2026-06-01T00:00:00Z"),
        to: at("2026-11-30T00:00:00Z"),
    };
    let question = Question {
        definition,
        window,
        filter: &filter,
        by: None,
    };
    let since = Question {
        window: window.since(first),
        ..question.clone()
    };
    let whole = evaluate(&since, &rows, &facts());
    let whole = figure(definition, &whole.iter().collect::<Vec<_>>(), since.window);
    assert!(!whole.is_enough(), "five weeks are too few for a volume");
    let found = variants(&question, (rows.as_slice(), &facts()), Some(first));
    let defined = found.iter().find(|it| it.is_defined).unwrap();
    assert_eq!(defined.figure, whole);
    assert!(found.iter().all(|it| !it.figure.is_enough()), "{found:?}");
    let without = variants(&question, (rows.as_slice(), &facts()), None);
    assert!(
        without.iter().any(|it| it.figure.is_enough()),
        "empty weeks would make a value: {without:?}"
    );
}

#[test]
fn figures_of_one_category_are_those_of_its_changes_alone() {
    let mut rows: Vec<ChangeOutcome> = (1..=4)
        .map(|day| row(day, "web", &format!("b{day}"), &format!("2026-11-{day:02}T10:00:00Z")))
        .collect();
    rows[1].category = Category::Database;
    let by = counted("deployment_frequency", &rows, november(), Some(Dimension::Category));
    let groups: Vec<&str> = by.iter().flat_map(|it| it.groups.iter().map(String::as_str)).collect();
    assert_eq!(groups, ["application", "database", "application", "application"]);
    let filter = RowFilter {
        category: Some(Category::Database),
        ..RowFilter::default()
    };
    let question = Question {
        definition: definition::find("deployment_frequency").unwrap(),
        window: november(),
        filter: &filter,
        by: None,
    };
    let found = evaluate(&question, &rows, &facts());
    let keys: Vec<&str> = found.iter().map(|it| it.row.key.as_str()).collect();
    assert_eq!(keys, ["CHG-2"]);
}

#[test]
fn times_by_approver_are_those_of_whoever_met_the_rule() {
    let world = World::new().until_closed();
    let row = ChangeOutcome::of(world.change(), &world.file.approvals, &[], &[]);
    let spans: Vec<_> = row.approvals.iter().filter(|it| it.stage == "authorization").collect();
    assert!(!spans.is_empty());
    for span in &spans {
        let met = world
            .file
            .approvals
            .iter()
            .find(|it| Some(&it.person) == span.approver.as_ref());
        assert!(met.is_some_and(|it| it.counted_for.iter().any(|counted| counted.rule == span.rule)));
    }
    let person = spans[0].approver.clone();
    let mine = spans.iter().filter(|it| it.approver == person).count();
    let filter = RowFilter {
        approver: person,
        ..RowFilter::default()
    };
    let question = Question {
        definition: definition::find("time_to_approve").unwrap(),
        window: november(),
        filter: &filter,
        by: Some(Dimension::Approver),
    };
    let rows = [row];
    let counted = evaluate(&question, &rows, &facts());
    assert_eq!(counted.len(), mine, "the assessment is nobody's approval");
    assert!(counted.iter().all(|it| it.groups.len() == 1));
}
