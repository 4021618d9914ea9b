//! Action items: the notified people and times, and that each item always has an owner.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::core::enums::{AboutKind, ActionKind, ActionState, Closing, Role, Severity};
use model::core::ids::PersonId;
use model::directory::snapshot::Directory;
use model::notify::action_item::{ActionItem, Due, Owner};
use model::notify::item_clock::{
    acknowledges, due_at, due_step, is_ownerless, is_responsible, next_at, notified, owners, resolve,
};
use model::schedule::calendar::Span;

use crate::calendars::{at, weekdays};
use crate::clocks::{away, lent};
use crate::people::directory;

/// Friday morning.
const ASKED: &str = "2026-11-20T08:00:00Z";
/// When olga is owner of all services.
const NOON: &str = "2026-11-20T12:00:00Z";

pub(crate) fn item(kind: ActionKind, owner: Option<&str>, due: &str) -> ActionItem {
    ActionItem {
        id: "i1".into(),
        version: 1,
        key: "ACT-101".into(),
        natural_key: format!("{kind}/change/CHG-1/"),
        kind,
        about_kind: AboutKind::Change,
        about: "CHG-1".into(),
        services: BTreeSet::from(["shop".into()]),
        title: "Look at it".into(),
        text: None,
        severity: None,
        owner: owner.map(PersonId::from),
        group: None,
        escalate_to: None,
        state: ActionState::Open,
        closing: Closing::Condition,
        opened_by: "rita".into(),
        opened_at: at(ASKED),
        asked_at: at(ASKED),
        due_at: at(due),
        acknowledged_by: None,
        acknowledged_at: None,
        settled_by: None,
        settled_at: None,
        reason: None,
        links: Vec::new(),
        involved: BTreeSet::new(),
        steps: 0,
    }
}

/// The tenant of the tests with a calendar of weekdays in Oslo.
fn with_weekdays() -> Directory {
    let mut found = directory();
    let usual = weekdays("Europe/Oslo", "08:00", "16:00");
    found.calendars.insert("default".into(), usual);
    for person in found.people.values_mut() {
        person.calendar = None;
    }
    found
}

fn people(names: &[&str]) -> BTreeSet<PersonId> {
    names.iter().map(|name| PersonId::from(*name)).collect()
}

/// Runs the item's timer until an instant; each step with its time.
fn run_until(directory: &Directory, item: &mut ActionItem, until: Timestamp) -> Vec<(i64, Timestamp)> {
    let mut done = Vec::new();
    let mut now = item.asked_at;
    for _ in 0..1_000 {
        let Some(next) = next_at(directory, item, now).filter(|next| *next <= until) else {
            return done;
        };
        now = next.max(now);
        let step = due_step(directory, item, now).unwrap();
        assert!(step > item.steps, "a step is done once");
        item.steps = step;
        done.push((step, now));
    }
    panic!("the steps never come to rest: {done:?}");
}

#[test]
fn thirty_days_without_a_validation_are_escalated_one_by_one() {
    let directory = with_weekdays();
    let mut glass = item(ActionKind::ValidateBreakGlass, Some("olga"), "2026-11-21T08:00:00Z");
    let due = glass.due_at;
    let done = run_until(&directory, &mut glass, due + SignedDuration::from_hours(30 * 24 - 1));
    let late: Vec<Timestamp> = done.iter().filter(|(step, _)| *step >= 2).map(|(_, at)| *at).collect();
    let days: Vec<Timestamp> = (0..30).map(|day| due + SignedDuration::from_hours(24 * day)).collect();
    assert_eq!(late, days, "its clock runs at night and on Sundays");
    assert!(!notified(&directory, &glass, 2, due).contains(&"sue".into()));
    assert!(
        notified(&directory, &glass, 3, due).is_superset(&people(&["olga", "mia", "max", "sue"])),
        "the second day goes higher"
    );
}

#[test]
fn a_server_that_stood_still_does_the_present_step_once_and_goes_on_daily() {
    let directory = directory();
    let mut glass = item(ActionKind::ValidateBreakGlass, Some("olga"), "2026-11-21T08:00:00Z");
    let due = glass.due_at;
    run_until(&directory, &mut glass, due + SignedDuration::from_hours(2 * 24));
    assert_eq!(glass.steps, 4);
    // Nothing runs for nine days and a half, and then all that is due at once.
    let now = due + SignedDuration::from_hours(11 * 24 + 12);
    glass.steps = due_step(&directory, &glass, now).unwrap();
    assert_eq!(glass.steps, 13);
    assert_eq!(
        due_step(&directory, &glass, now),
        None,
        "a timer that runs twice does nothing"
    );
    let next = next_at(&directory, &glass, now).unwrap();
    assert_eq!(next, due + SignedDuration::from_hours(12 * 24));
}

#[test]
fn other_items_rest_at_weekends_and_are_repeated_each_week() {
    let directory = with_weekdays();
    // Friday 09:00 in Oslo to Tuesday 09:00: 16 hours of work, half of them over on Monday at 09:00.
    let mut other = item(ActionKind::Other, Some("olga"), "2026-11-24T08:00:00Z");
    let done = run_until(&directory, &mut other, at("2026-12-10T00:00:00Z"));
    let wanted = [
        (1, "2026-11-23T08:00:00Z"),
        (2, "2026-11-24T08:00:00Z"),
        (3, "2026-11-25T08:00:00Z"),
        (4, "2026-12-02T08:00:00Z"),
        (5, "2026-12-09T08:00:00Z"),
    ];
    assert_eq!(done, wanted.map(|(step, time)| (step, at(time))));
    let mut grave = ActionItem {
        severity: Some(Severity::High),
        ..item(ActionKind::ResolveViolation, Some("olga"), "2026-11-24T08:00:00Z")
    };
    let done = run_until(&directory, &mut grave, at("2026-11-30T23:00:00Z"));
    assert_eq!(done.last(), Some(&(6, at("2026-11-30T08:00:00Z"))), "each working day");
}

#[test]
fn the_owner_is_reminded_when_back_and_not_once_they_acknowledged() {
    let mut directory = with_weekdays();
    let other = item(ActionKind::Other, Some("olga"), "2026-11-26T08:00:00Z");
    let now = at(ASKED);
    assert_eq!(next_at(&directory, &other, now), Some(at("2026-11-24T08:00:00Z")));
    let seen = ActionItem {
        state: ActionState::Acknowledged,
        acknowledged_at: Some(now),
        ..other.clone()
    };
    assert_eq!(next_at(&directory, &seen, now), Some(other.due_at));
    directory.absences.push(away("olga", "2026-11-25T07:00:00Z"));
    assert_eq!(next_at(&directory, &other, now), Some(at("2026-11-25T07:00:00Z")));
    directory.absences.push(away("olga", "2026-12-24T07:00:00Z"));
    assert_eq!(
        next_at(&directory, &other, now),
        Some(other.due_at),
        "never after the due time"
    );
    let settled = ActionItem {
        state: ActionState::Done,
        ..other
    };
    assert_eq!(next_at(&directory, &settled, now), None);
    assert_eq!(due_step(&directory, &settled, at("2027-01-01T00:00:00Z")), None);
}

#[test]
fn a_time_is_counted_by_the_calendar_of_the_owner() {
    let directory = with_weekdays();
    let due = due_at(&directory, (None, None), Due::Within(Span::WorkDays(1)), at(ASKED));
    assert_eq!(due, at("2026-11-23T08:00:00Z"));
}

#[test]
fn an_item_falls_from_its_owner_to_the_service_owner_to_the_change_managers_and_never_to_nobody() {
    let mut directory = directory();
    let now = at(NOON);
    let of_rita = item(ActionKind::Other, Some("rita"), "2026-11-24T08:00:00Z");
    assert_eq!(owners(&directory, &of_rita, now), [PersonId::from("rita")]);
    directory.people.get_mut(&"rita".into()).unwrap().active = false;
    assert!(is_ownerless(&directory, &of_rita));
    assert_eq!(owners(&directory, &of_rita, now), [PersonId::from("olga")]);
    let (services, nobody) = (of_rita.services.clone(), BTreeSet::new());
    let next = resolve(&directory, &Owner::Person("rita".into()), (&services, &nobody), now);
    assert_eq!(next, (Some("olga".into()), None));
    // A person involved in the item's subject does not get it.
    let next = resolve(&directory, &Owner::ServiceOwner, (&services, &people(&["olga"])), now);
    assert_eq!(next, (None, None));
    directory.people.get_mut(&"olga".into()).unwrap().active = false;
    let managers: BTreeSet<PersonId> = owners(&directory, &of_rita, now).into_iter().collect();
    assert_eq!(managers, people(&["max", "mia"]));
}

/// People leave in any order: as long as anybody is left who is responsible for the tenant, each item has an owner.
#[test]
fn no_leaving_leaves_an_item_to_nobody() {
    let now = at(NOON);
    let logins: Vec<PersonId> = directory().people.keys().cloned().collect();
    for seed in 0..200_usize {
        let mut left = directory();
        let items = [
            item(ActionKind::Other, Some("rita"), "2026-11-24T08:00:00Z"),
            item(ActionKind::ResolveViolation, None, "2026-11-24T08:00:00Z"),
            ActionItem {
                group: Some("security".into()),
                ..item(ActionKind::Acknowledge, None, "2026-11-24T08:00:00Z")
            },
        ];
        for round in 0..logins.len() {
            let person = &logins[(seed * 7 + round * (seed % 5 + 1)) % logins.len()];
            left.people.get_mut(person).unwrap().active = false;
            let answers = |role| !left.with_role(role).is_empty();
            if !answers(Role::ChangeManager) && !answers(Role::Admin) {
                break;
            }
            for item in &items {
                let able = owners(&left, item, now);
                assert!(!able.is_empty(), "{seed}: nobody owns {}", item.natural_key);
                assert!(
                    able.iter()
                        .all(|it| left.is_active(it) && is_responsible(&left, item, it, now))
                );
                assert!(!notified(&left, item, 3, now).is_empty());
            }
        }
    }
}

#[test]
fn somebody_scoped_to_services_hears_of_the_items_alone_that_they_own() {
    let mut directory = directory();
    let now = at(NOON);
    directory.people.get_mut(&"sam".into()).unwrap().services = ["pay".into()].into();
    let of_group = ActionItem {
        group: Some("security".into()),
        ..item(ActionKind::Other, None, "2026-11-24T08:00:00Z")
    };
    assert_eq!(notified(&directory, &of_group, 1, now), people(&["sue"]));
    let own = item(ActionKind::Other, Some("sam"), "2026-11-24T08:00:00Z");
    assert_eq!(notified(&directory, &own, 1, now), people(&["sam"]));
}

#[test]
fn the_announcement_of_a_change_is_acknowledged_by_its_owner_and_their_delegates_alone() {
    let mut directory = directory();
    directory.delegations.push(lent("olga", "rita", false));
    let late = at("2026-11-25T08:00:00Z");
    let other = item(ActionKind::Acknowledge, Some("olga"), "2026-11-24T08:00:00Z");
    let asked = ActionItem {
        natural_key: "acknowledge/change/CHG-1/communication/olga".into(),
        ..other.clone()
    };
    assert_eq!(
        (asked.announced_to(), other.announced_to()),
        (Some("olga".into()), None)
    );
    let may = |item: &ActionItem, person: &str| acknowledges(&directory, item, &person.into(), late);
    for (person, is_asked) in [
        ("olga", true),
        ("rita", true),
        ("mia", false),
        ("max", false),
        ("sue", false),
    ] {
        assert_eq!(may(&asked, person), is_asked, "{person}");
    }
    assert!(may(&other, "mia"), "change managers answer for other items");
}
