//! Duty rotas: turns in a zone across changes of the clocks, overrides, gaps, and the recipients of messages.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::approval::absence::Absence;
use model::cab::duty_rota::DutyRota;
use model::cab::meeting::OnCall;
use model::core::enums::{ActionKind, Audience};
use model::core::ids::{GroupKey, PersonId};
use model::directory::snapshot::Directory;

use crate::people::directory;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn group() -> GroupKey {
    "security".into()
}

fn rota(days: i64) -> DutyRota {
    DutyRota {
        id: "r1".into(),
        version: 1,
        group: group(),
        people: vec!["sam".into(), "sue".into()],
        starts_at: at("2026-10-19T06:00:00Z"),
        time_zone: "Europe/Oslo".to_owned(),
        turn_days: days,
        active: true,
    }
}

fn with_rota() -> Directory {
    let mut found = directory();
    found.duty_rotas.push(rota(7));
    found
}

fn logins(people: &[PersonId]) -> Vec<&str> {
    people.iter().map(PersonId::as_str).collect()
}

#[test]
fn a_handover_keeps_its_time_of_the_day_when_the_clocks_change() {
    // Until 25 October 08:00 in Oslo is 06:00 UTC, and 07:00 UTC afterwards.
    let rota = rota(7);
    assert_eq!(
        rota.turn_at(at("2026-10-19T05:59:59Z")),
        None,
        "nobody before the first turn"
    );
    let sam: PersonId = "sam".into();
    let sue: PersonId = "sue".into();
    let handover = at("2026-10-26T07:00:00Z");
    assert_eq!(rota.turn_at(at("2026-10-26T06:30:00Z")), Some((&sam, handover)));
    assert_eq!(rota.turn_at(handover), Some((&sue, at("2026-11-02T07:00:00Z"))));
}

#[test]
fn turns_follow_each_other_without_a_gap_or_an_overlap_for_years() {
    for days in [1, 2, 7, 28] {
        let rota = rota(days);
        let (mut now, mut last) = (rota.starts_at, None);
        for number in 0..800 {
            let (person, end) = rota.turn_at(now).unwrap();
            assert_ne!(Some(person), last.as_ref(), "turn {number} of {days} days");
            let inside = end - SignedDuration::from_secs(1);
            assert_eq!(
                rota.turn_at(inside),
                Some((person, end)),
                "turn {number} of {days} days"
            );
            (now, last) = (end, Some(person.clone()));
        }
    }
}

#[test]
fn a_time_on_call_goes_before_the_rota_and_an_absence_is_a_gap() {
    let mut directory = with_rota();
    let (from, until) = (at("2026-11-02T07:00:00Z"), at("2026-11-09T07:00:00Z"));
    assert_eq!(logins(&directory.on_duty(&group(), from)), ["sam"]);
    let away = serde_json::json!({"id": "a1", "version": 1, "person": "sam", "starts_at": "2026-11-04T00:00:00Z",
        "ends_at": "2026-11-06T00:00:00Z"});
    directory
        .absences
        .push(serde_json::from_value::<Absence>(away).unwrap());
    directory.on_call.push(OnCall {
        id: "d1".into(),
        version: 1,
        group: group(),
        person: "sue".into(),
        starts_at: at("2026-11-05T00:00:00Z"),
        ends_at: at("2026-11-07T00:00:00Z"),
        corrected_at: None,
        imported: false,
    });
    let spans = directory.duty_spans(&group(), from, until);
    let told: Vec<(String, Vec<&str>)> = spans
        .iter()
        .map(|span| (span.starts_at.to_string(), logins(&span.people)))
        .collect();
    let wanted = [
        ("2026-11-02T07:00:00Z", vec!["sam"]),
        ("2026-11-04T00:00:00Z", vec![]),
        ("2026-11-05T00:00:00Z", vec!["sue"]),
        ("2026-11-07T00:00:00Z", vec!["sam"]),
    ];
    assert_eq!(told, wanted.map(|(start, people)| (start.to_owned(), people)));
    let gap = at("2026-11-04T12:00:00Z");
    assert_eq!(
        logins(&directory.reached_on_duty(&group(), gap)),
        ["sam", "sue"],
        "a gap reaches all members"
    );
    assert_eq!(directory.duty_gaps(&group(), from).len(), 1);
}

#[test]
fn absences_of_people_without_a_turn_do_not_count() {
    let mut directory = with_rota();
    let from = at("2026-11-02T07:00:00Z");
    let until = from + SignedDuration::from_hours(48);
    for minutes in 1..=2_100 {
        let ends_at = from + SignedDuration::from_mins(minutes);
        let away = serde_json::json!({"id": format!("a{minutes}"), "version": 1, "person": "ann",
            "starts_at": from.to_string(), "ends_at": ends_at.to_string()});
        directory
            .absences
            .push(serde_json::from_value::<Absence>(away).unwrap());
    }
    let spans = directory.duty_spans(&group(), from, until);
    assert_eq!(spans.len(), 1);
    assert_eq!(
        spans[0].ends_at, until,
        "the whole time is looked through, however many others are away"
    );
}

#[test]
fn whoever_left_the_group_is_on_duty_no_more() {
    let mut directory = with_rota();
    let now = at("2026-11-02T07:00:00Z");
    let mut security = directory.groups.get(&group()).unwrap().clone();
    security.members = BTreeSet::from(["sue".into()]);
    directory.groups.insert(group(), security);
    assert!(directory.on_duty(&group(), now).is_empty());
    assert_eq!(logins(&directory.reached_on_duty(&group(), now)), ["sue"]);
}

#[test]
fn an_item_that_names_a_group_reaches_who_is_on_duty_when_it_is_due() {
    use model::notify::item_clock::{is_responsible, notified};
    let directory = with_rota();
    let mut item = crate::action_items::item(ActionKind::Other, Some("olga"), "2026-11-24T08:00:00Z");
    item.escalate_to = Some(group());
    let (sam, sue): (PersonId, PersonId) = ("sam".into(), "sue".into());
    let due = at("2026-11-24T08:00:00Z");
    assert!(
        !notified(&directory, &item, 1, due).contains(&sue),
        "not before it is due"
    );
    let told = notified(&directory, &item, 2, due);
    assert!(
        told.contains(&sue) && !told.contains(&sam),
        "the turn of 23 November is hers: {told:?}"
    );
    assert!(is_responsible(&directory, &item, &sue, due) && !is_responsible(&directory, &item, &sam, due));
    let later = at("2026-12-01T08:00:00Z");
    assert!(
        notified(&directory, &item, 3, later).contains(&sam),
        "after the handover"
    );
}

#[test]
fn a_plan_tells_those_on_duty_of_its_groups_once() {
    use model::notify::communication::with_duty;
    let directory = with_rota();
    let world = crate::world::World::with(crate::world::facts(), Vec::new()).until_scheduled();
    let mut plan = crate::communications::plan();
    plan.duty_groups = BTreeSet::from([group()]);
    let now = at("2026-11-02T07:00:00Z");
    let told = with_duty(Vec::new(), &directory, (&plan, &world.file.change), now);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].person, Some("sam".into()));
    let again = with_duty(told.clone(), &directory, (&plan, &world.file.change), now);
    assert_eq!(again, told, "nobody is told twice");
    plan.audiences.remove(&Audience::OnDuty);
    assert!(with_duty(Vec::new(), &directory, (&plan, &world.file.change), now).is_empty());
}

#[test]
fn a_free_time_is_covered_over_a_handover_and_not_in_a_gap() {
    use jiff::tz::TimeZone;
    use model::core::enums::SlotTerm;
    use model::core::ids::{ChangeId, EnvironmentKey, ServiceKey};
    use model::schedule::conflicts::Planned;
    use model::schedule::offer::Judging;
    use model::schedule::planning_terms::PlanningTerms;
    let mut directory = with_rota();
    let pay = ServiceKey::from("pay");
    directory.services.get_mut(&pay).unwrap().team = Some("security".to_owned());
    let away = serde_json::json!({"id": "a1", "version": 1, "person": "sue", "starts_at": "2026-10-28T00:00:00Z",
        "ends_at": "2026-10-29T00:00:00Z"});
    directory
        .absences
        .push(serde_json::from_value::<Absence>(away).unwrap());
    // The handover from sam to sue is at 07:00.
    let mine = Planned {
        id: ChangeId::from("CHG-1"),
        key: "CHG-1".to_owned(),
        starts_at: at("2026-10-26T06:00:00Z"),
        ends_at: at("2026-10-26T08:00:00Z"),
        places: vec![(pay, EnvironmentKey::from("production"))],
        items: BTreeSet::new(),
        people: BTreeSet::new(),
        maintenance: None,
        is_undo: false,
    };
    let reason = |directory: &Directory, start: &str| {
        let judging = Judging {
            directory,
            terms: &PlanningTerms::default(),
            mine: &mine,
            earliest: mine.starts_at,
            others: &[],
            zone: &TimeZone::UTC,
        };
        let slot = judging.ranked(std::iter::once(at(start))).remove(0);
        let found = slot.reasons.into_iter().find(|it| it.term == SlotTerm::OnCall);
        found.map(|it| (it.against, it.text))
    };
    let (against, text) = reason(&directory, "2026-10-26T06:00:00Z").unwrap();
    assert_eq!(against, 0, "{text}");
    assert!(text.contains("is on call for security then"), "{text}");
    let (against, text) = reason(&directory, "2026-10-27T23:00:00Z").unwrap();
    assert_eq!(against, 100, "sue is away from midnight on: {text}");
    directory.duty_rotas = Vec::new().into();
    assert_eq!(reason(&directory, "2026-10-26T06:00:00Z"), None, "no team has a duty");
}
