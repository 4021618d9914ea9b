//! Conflicts of plans and free times, over estates at random: a planted conflict is found with its way, a clean plan has none,
//! and no offered time collides.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::core::enums::{ConflictDecision, ConflictKind, ConflictState, SlotTerm};
use model::core::ids::{ChangeId, EnvironmentKey, PersonId, ServiceKey};
use model::core::unmet::unmet;
use model::directory::impersonation::CredentialGrant;
use model::directory::snapshot::{Dependency, Directory, Freeze};
use model::directory::vendor::Vendor;
use model::schedule::conflict_record::{Conflict, ConflictInput};
use model::schedule::conflict_rules::known_conflicts;
use model::schedule::conflicts::{Found, Met, Planned, Scope, find, find_first, pairs};
use model::schedule::offer::{Judging, Slot, all, offer};
use model::schedule::outside_calendar::{OutsideCalendar, OutsideEvent, kept};
use model::schedule::planning_terms::PlanningTerms;
use model::schedule::traffic::Traffic;
use model::schedule::vendor_notice::VendorNotice;
use model::schedule::ways::Ways;
use proptest::prelude::*;
use serde_json::json;

use crate::people::{dawn, directory};
use crate::world::World;

/// How many services an estate has.
const SERVICES: usize = 12;

fn hour(hours: i64) -> Timestamp {
    dawn() + SignedDuration::from_hours(hours)
}

fn service(number: usize) -> ServiceKey {
    ServiceKey(format!("s{number}"))
}

fn plan(key: &str, services: &[ServiceKey], place: &str, (from, to): (i64, i64)) -> Planned {
    let places = services.iter().map(|it| (it.clone(), EnvironmentKey::from(place)));
    Planned {
        id: ChangeId::from(key),
        key: key.to_owned(),
        starts_at: hour(from),
        ends_at: hour(to),
        places: places.collect(),
        items: BTreeSet::new(),
        people: BTreeSet::new(),
        maintenance: None,
        is_undo: false,
    }
}

fn arrow(from: &str, to: &str, kind: &str, to_kind: &str) -> Dependency {
    serde_json::from_value(json!({
        "id": format!("{from}-{to}"), "version": 1, "from": from, "to": to, "kind": kind, "to_kind": to_kind,
    }))
    .unwrap()
}

fn estate(arrows: Vec<Dependency>) -> Directory {
    Directory {
        dependencies: arrows.into(),
        ..Directory::default()
    }
}

fn kinds(found: &[Found]) -> BTreeSet<ConflictKind> {
    found.iter().flat_map(Found::kinds).collect()
}

/// One conflict of each kind between `a` and another plan at the same time, in an estate with ways of their own.
fn planted(kind: ConflictKind) -> (Directory, PlanningTerms, Planned, Planned) {
    let directory = estate(vec![
        arrow("a", "m", "depends_on", "service"),
        arrow("m", "z", "depends_on", "service"),
        arrow("a", "db", "stores_in", "config_item"),
        arrow("q", "r", "depends_on", "service"),
        arrow("r", "db", "stores_in", "config_item"),
    ]);
    let mine = plan("CHG-1", &["a".into()], "production", (10, 12));
    let other = |service: &str| plan("CHG-2", &[service.into()], "production", (11, 13));
    let usual = PlanningTerms::default();
    match kind {
        ConflictKind::SameItem => (directory, usual, mine, other("a")),
        ConflictKind::Dependency => (directory, usual, mine, other("z")),
        ConflictKind::SharedData => (directory, usual, mine, other("q")),
        ConflictKind::People => {
            let people = BTreeSet::from([PersonId::from("ida")]);
            let mine = Planned {
                people: people.clone(),
                ..mine
            };
            (directory, usual, mine, Planned { people, ..other("x") })
        }
        ConflictKind::Environment => {
            let terms = PlanningTerms {
                exclusive_environments: BTreeSet::from(["production".into()]),
                ..usual
            };
            (directory, terms, mine, other("x"))
        }
        ConflictKind::Maintenance => {
            let scope = Scope {
                services: BTreeSet::from(["z".into()]),
                environments: BTreeSet::new(),
            };
            let event = Planned {
                id: ChangeId::default(),
                places: Vec::new(),
                maintenance: Some(scope),
                ..other("x")
            };
            (directory, usual, mine, event)
        }
    }
}

#[test]
fn each_kind_of_conflict_is_found_with_its_way_from_both_sides() {
    let ways: BTreeMap<ConflictKind, &[&str]> = BTreeMap::from([
        (ConflictKind::SameItem, &["a"][..]),
        (ConflictKind::Dependency, &["a", "m", "z"]),
        (ConflictKind::SharedData, &["a", "db", "r", "q"]),
        (ConflictKind::People, &["ida"]),
        (ConflictKind::Environment, &["production"]),
        (ConflictKind::Maintenance, &["a", "m", "z"]),
    ]);
    for kind in ConflictKind::ALL {
        let (directory, terms, mine, other) = planted(*kind);
        let found = find(&directory, &terms, &mine, std::slice::from_ref(&other));
        assert_eq!(kinds(&found), BTreeSet::from([*kind]), "{kind}");
        assert_eq!(found[0].met[0].path, ways[kind], "{kind}");
        assert_eq!((found[0].from, found[0].to), (hour(11), hour(12)), "{kind}");
        assert!(!found[0].sentence().is_empty());
        let back = find(&directory, &terms, &other, std::slice::from_ref(&mine));
        assert_eq!(kinds(&back), BTreeSet::from([*kind]), "{kind} from the other side");
    }
}

#[test]
fn a_config_item_that_another_change_needs_is_a_conflict_with_its_way() {
    let directory = estate(vec![
        arrow("label-print", "edge-zone-file", "depends_on", "config_item"),
        arrow("web", "label-print", "depends_on", "service"),
    ]);
    let usual = PlanningTerms::default();
    let touches = |item: &str, place: &str| Planned {
        items: BTreeSet::from([(item.to_owned(), EnvironmentKey::from(place))]),
        ..plan("CHG-1", &["edge-dns".into()], place, (10, 12))
    };
    let web = plan("CHG-2", &["web".into()], "production", (11, 13));
    let mine = touches("edge-zone-file", "production");
    for (one, other) in [(&mine, &web), (&web, &mine)] {
        let found = find(&directory, &usual, one, std::slice::from_ref(other));
        assert_eq!(kinds(&found), BTreeSet::from([ConflictKind::Dependency]));
        assert_eq!(found[0].met[0].path, ["web", "label-print", "edge-zone-file"]);
        let mut ways = Ways::of(&directory, usual.steps());
        assert_eq!(pairs(&mut ways, &usual, &[one.clone(), other.clone()]).len(), 1);
    }
    for apart in [
        touches("edge-zone-file", "staging"),
        touches("other-file", "production"),
    ] {
        let found = find(&directory, &usual, &apart, std::slice::from_ref(&web));
        assert!(found.is_empty(), "{found:?}");
    }
    let works = Planned {
        id: ChangeId::default(),
        places: Vec::new(),
        maintenance: Some(Scope {
            services: BTreeSet::from(["web".into()]),
            environments: BTreeSet::new(),
        }),
        ..web
    };
    let found = find(&directory, &usual, &mine, &[works]);
    assert_eq!(kinds(&found), BTreeSet::from([ConflictKind::Maintenance]));
}

#[test]
fn what_only_touches_in_time_or_in_name_is_no_conflict() {
    for kind in ConflictKind::ALL {
        let (directory, terms, mine, other) = planted(*kind);
        let later = other.at(hour(12), hour(14));
        assert!(
            find(&directory, &terms, &mine, std::slice::from_ref(&later)).is_empty(),
            "{kind}: one ends as the other begins"
        );
        let wider = PlanningTerms {
            gap_minutes: 1,
            ..terms.clone()
        };
        assert_eq!(find(&directory, &wider, &mine, &[later]).len(), 1, "{kind}: too close");
        if let ConflictKind::SameItem | ConflictKind::Dependency | ConflictKind::SharedData = kind {
            let elsewhere = Planned {
                places: other
                    .places
                    .iter()
                    .map(|(it, _)| (it.clone(), "staging".into()))
                    .collect(),
                ..other.clone()
            };
            assert!(
                find(&directory, &terms, &mine, &[elsewhere]).is_empty(),
                "{kind}: another environment"
            );
        }
        if *kind != ConflictKind::Maintenance {
            let itself = Planned {
                id: mine.id.clone(),
                ..other
            };
            assert!(
                find(&directory, &terms, &mine, &[itself]).is_empty(),
                "{kind}: a change and itself"
            );
        }
    }
    let (directory, terms, mine, other) = planted(ConflictKind::Dependency);
    let near = PlanningTerms {
        dependency_steps: 1,
        ..terms
    };
    assert!(
        find(&directory, &near, &mine, &[other]).is_empty(),
        "two steps are further than one"
    );
}

prop_compose! {
    fn arrows()(ends in prop::collection::vec((0..SERVICES, 0..SERVICES), 0..20)) -> Vec<Dependency> {
        let ends: BTreeSet<(usize, usize)> = ends.into_iter().filter(|(from, to)| from != to).collect();
        let arrow = |(from, to): (usize, usize)| arrow(&service(from).0, &service(to).0, "depends_on", "service");
        ends.into_iter().map(arrow).collect()
    }
}

prop_compose! {
    /// The same with config items between the services: an item beside each service, which needs some and is needed by some.
    fn arrows_with_items()(
        rows in arrows(), ends in prop::collection::vec((0..SERVICES, 0..SERVICES, any::<bool>()), 0..20),
    ) -> Vec<Dependency> {
        let ends: BTreeSet<(usize, usize, bool)> = ends.into_iter().collect();
        let arrow = |(from, to, leaves): (usize, usize, bool)| {
            let (one, other, key) = if leaves { ("config_item", "service", "i") } else { ("service", "config_item", "s") };
            let from = match leaves { true => format!("i{from}"), false => service(from).0 };
            let to = match leaves { true => service(to).0, false => format!("i{to}") };
            serde_json::from_value(json!({
                "id": format!("{key}{from}-{to}"), "version": 1, "from": from, "to": to, "kind": "depends_on",
                "from_kind": one, "to_kind": other,
            })).unwrap()
        };
        rows.into_iter().chain(ends.into_iter().map(arrow)).collect()
    }
}

prop_compose! {
    fn plans()(
        rows in prop::collection::vec((0..SERVICES, 0..3_usize, 0..400_i64, 1..30_i64, prop::option::of(0..4_usize)), 0..25),
    ) -> Vec<Planned> {
        let row = |(number, (first, place, from, hours, person)): (usize, (usize, usize, i64, i64, Option<usize>))| {
            let place = ["production", "staging", "test"][place];
            let people = person.map(|it| PersonId(format!("p{it}"))).into_iter().collect();
            let items = (number % 2 == 0).then(|| (format!("i{}", (first + number) % SERVICES), EnvironmentKey::from(place)));
            Planned {
                people,
                items: items.into_iter().collect(),
                ..plan(&format!("CHG-{}", number + 2), &[service(first)], place, (from, from + hours))
            }
        };
        rows.into_iter().enumerate().map(row).collect()
    }
}

/// The result of a slow walk over the arrows for two services or items: whether one is the other or needs it, within four
/// steps.
fn needs(directory: &Directory, from: &str, to: &str) -> bool {
    let mut near = BTreeSet::from([from.to_owned()]);
    for _ in 0..4 {
        let next = directory
            .dependencies
            .iter()
            .filter(|row| near.contains(row.from.as_str()));
        let next: Vec<String> = next.map(|row| row.to.as_str().to_owned()).collect();
        near.extend(next);
    }
    near.contains(to)
}

/// Services begin with another letter than items here, so that a key shows which it is.
fn things(plan: &Planned) -> Vec<(&str, &EnvironmentKey)> {
    let services = plan.places.iter().map(|(service, place)| (service.as_str(), place));
    let items = plan.items.iter().map(|(item, place)| (item.as_str(), place));
    services.chain(items).collect()
}

fn conflict(directory: &Directory, one: &Planned, other: &Planned) -> bool {
    let overlap = one.starts_at < other.ends_at && other.starts_at < one.ends_at;
    let there = things(other);
    let near = things(one).into_iter().any(|(first, place)| {
        let mut there = there.iter().filter(|(_, second)| *second == place);
        there.any(|(second, _)| needs(directory, first, second) || needs(directory, second, first))
    });
    overlap && (near || !one.people.is_disjoint(&other.people))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn conflicts_are_those_of_a_slow_walk_from_one_change_and_over_all(arrows in arrows_with_items(), plans in plans()) {
        let directory = estate(arrows);
        let terms = PlanningTerms::default();
        let mut ways = Ways::of(&directory, terms.steps());
        let found: BTreeSet<(usize, usize)> = pairs(&mut ways, &terms, &plans)
            .into_iter()
            .map(|(one, other)| (one.min(other), one.max(other)))
            .collect();
        for (place, mine) in plans.iter().enumerate() {
            let all = find(&directory, &terms, mine, &plans);
            let first = find_first((&directory, &terms), mine, &plans, 2);
            prop_assert_eq!(&all[..all.len().min(2)], first.as_slice(), "{}", &mine.key);
            let with: BTreeSet<String> = all.into_iter().map(|it| it.with).collect();
            for (other_place, other) in plans.iter().enumerate().filter(|(other, _)| *other != place) {
                let expected = conflict(&directory, mine, other);
                prop_assert_eq!(with.contains(&other.key), expected, "{} and {}", &mine.key, &other.key);
                let pair = (place.min(other_place), place.max(other_place));
                prop_assert_eq!(found.contains(&pair), expected, "{} and {}", &mine.key, &other.key);
            }
        }
    }

    #[test]
    fn no_time_that_is_offered_collides_or_is_frozen(
        arrows in arrows(), plans in plans(), first in 0..SERVICES, hours in 1..12_i64, gap in 0..120_i64,
        frozen in (0..300_i64, 1..100_i64), event in (0..300_i64, 1..50_i64, 0..SERVICES),
    ) {
        let freeze: Freeze = serde_json::from_value(json!({
            "id": "f", "version": 1, "title": "F", "starts_at": hour(frozen.0), "ends_at": hour(frozen.0 + frozen.1),
        })).unwrap();
        let directory = Directory { freezes: vec![freeze].into(), ..estate(arrows) };
        let terms = PlanningTerms { gap_minutes: gap, ..PlanningTerms::default() };
        let maintenance = Planned {
            id: ChangeId::default(),
            places: Vec::new(),
            maintenance: Some(Scope { services: BTreeSet::from([service(event.2)]), environments: BTreeSet::new() }),
            ..plan("works", &[], "production", (event.0, event.0 + event.1))
        };
        let others: Vec<Planned> = plans.into_iter().chain([maintenance]).collect();
        let mine = Planned {
            people: BTreeSet::from([PersonId::from("p1")]),
            ..plan("CHG-1", &[service(first)], "production", (0, hours))
        };
        let slots = all(&judging(&directory, &terms, &mine, &others));
        for slot in &slots {
            let there = mine.at(slot.starts_at, slot.ends_at);
            prop_assert_eq!(find(&directory, &terms, &there, &others), Vec::new(), "{}", slot.starts_at);
            prop_assert!(!directory.freezes.iter().any(|it| it.overlaps(slot.starts_at, slot.ends_at)));
            prop_assert!(slot.starts_at >= dawn() && (0..=100).contains(&slot.score));
        }
    }
}

fn judging<'a>(
    directory: &'a Directory,
    terms: &'a PlanningTerms,
    mine: &'a Planned,
    others: &'a [Planned],
) -> Judging<'a> {
    static UTC: TimeZone = TimeZone::UTC;
    Judging {
        directory,
        terms,
        mine,
        earliest: dawn(),
        others,
        zone: &UTC,
    }
}

fn traffic(profile: &str) -> Traffic {
    Traffic {
        id: "t".into(),
        version: 1,
        service: "api".into(),
        zone: "UTC".to_owned(),
        profile: profile.to_owned(),
        source: None,
        active: true,
    }
}

#[test]
fn other_users_by_hour_give_another_order_and_a_weight_of_nothing_takes_it_back() {
    let mine = plan("CHG-1", &["api".into()], "production", (0, 1));
    let table = |quiet: i64| -> String {
        let line = |hour: i64| format!("{hour},{}\n", if hour == quiet { 1 } else { 1_000 });
        (0..24).map(line).collect()
    };
    let best = |quiet: i64, terms: &PlanningTerms| -> Slot {
        let mut directory = Directory::default();
        directory.traffic.insert("api".into(), traffic(&table(quiet)));
        offer(&judging(&directory, terms, &mine, &[]), 1).remove(0)
    };
    let usual = PlanningTerms::default();
    let at = |slot: &Slot| slot.starts_at.to_zoned(TimeZone::UTC).hour();
    assert_eq!(at(&best(3, &usual)), 3);
    assert_eq!(at(&best(14, &usual)), 14, "other users, another order");
    let said = best(3, &usual)
        .reasons
        .into_iter()
        .find(|it| it.term == SlotTerm::Users);
    assert_eq!(
        said.unwrap().text,
        "api has 1 users an hour then, 0 % of its busiest hour."
    );
    let blind = PlanningTerms {
        weight_users: 0,
        ..usual
    };
    assert_eq!(at(&best(3, &blind)), 10, "the first hour, as nobody asks for users");
}

#[test]
fn absences_and_windows_say_where_they_stand() {
    let mine = Planned {
        people: BTreeSet::from([PersonId::from("ida")]),
        ..plan("CHG-1", &["api".into()], "production", (0, 1))
    };
    let window = json!({"id": "w", "version": 1, "title": "Nights", "starts_at": hour(30), "ends_at": hour(34)});
    let absence = json!({"id": "a", "version": 1, "person": "ida", "starts_at": hour(0), "ends_at": hour(32)});
    let directory = Directory {
        windows: vec![serde_json::from_value(window).unwrap()].into(),
        absences: vec![serde_json::from_value(absence).unwrap()].into(),
        ..Directory::default()
    };
    let terms = PlanningTerms::default();
    let best = offer(&judging(&directory, &terms, &mine, &[]), 3);
    assert_eq!(best[0].starts_at, hour(32), "in the window, and nobody is away");
    assert_eq!(best[0].in_window, Some(true));
    let text: Vec<&str> = best[0].reasons.iter().map(|it| it.text.as_str()).collect();
    assert!(text.contains(&"The slot lies in the window “Nights”."), "{text:?}");
    assert!(text.contains(&"Nobody is away then."), "{text:?}");
}

#[test]
fn events_of_imported_calendars_are_maintenance_while_they_last() {
    let event = |from: i64, to: i64| OutsideEvent {
        starts_at: hour(from),
        ends_at: hour(to),
        title: "Racks".to_owned(),
    };
    let calendar = OutsideCalendar {
        id: "c".into(),
        version: 1,
        name: "C".to_owned(),
        url: None,
        is_caldav: false,
        every_minutes: None,
        has_credential: false,
        services: BTreeSet::from(["api".into()]),
        environments: BTreeSet::new(),
        vendor: None,
        imported: Some(kept(&[event(1, 2), event(10, 12)])),
        imported_at: None,
        entity_tag: None,
        read_problem: None,
        active: true,
    };
    let directory = Directory {
        outside_calendars: vec![calendar].into(),
        ..Directory::default()
    };
    assert_eq!(directory.maintenance(hour(2), hour(10)), Vec::new(), "ends touch");
    let near = directory.maintenance(hour(1), hour(11));
    assert_eq!(near.len(), 2);
    let mine = plan("CHG-1", &["api".into()], "production", (11, 13));
    let found = find(&directory, &PlanningTerms::default(), &mine, &near);
    assert_eq!(found[0].sentence(), "api in production is under maintenance");
    assert_eq!((found[0].with.as_str(), &found[0].change), ("Racks", &None));
}

#[test]
fn what_a_vendor_announces_is_maintenance_with_its_impact_in_the_conflicts_of_a_plan() {
    let notice = json!({
        "id": "n", "version": 1, "natural_key": "cartwell/CW-1", "vendor": "cartwell", "reference": "CW-1", "title": "Racks",
        "services": ["api"], "starts_at": hour(10).to_string(), "ends_at": hour(12).to_string(), "impact": "outage",
        "state": "announced", "told_at": hour(0).to_string(),
    });
    let vendor =
        json!({"id": "v", "version": 1, "key": "cartwell", "name": "Cartwell", "services": ["api"], "active": true});
    let notice: VendorNotice = serde_json::from_value(notice).unwrap();
    let vendor: Vendor = serde_json::from_value(vendor).unwrap();
    let directory = Directory {
        vendors: vec![vendor].into(),
        vendor_notices: vec![notice].into(),
        ..Directory::default()
    };
    assert_eq!(directory.maintenance(hour(1), hour(10)), Vec::new(), "ends touch");
    let near = directory.maintenance(hour(11), hour(13));
    let find_for = |service: &str| {
        let mine = plan("CHG-1", &[service.into()], "production", (11, 13));
        find(&directory, &PlanningTerms::default(), &mine, &near)
    };
    let found = find_for("api");
    assert_eq!(found[0].with, "Cartwell: Racks (impact: outage)");
    assert_eq!(found[0].change, None, "it is no change of ours");
    assert!(find_for("web").is_empty());
    assert_eq!(
        directory.operators(&"api".into()).as_deref(),
        Some("Cartwell (cartwell)")
    );
    assert_eq!(directory.operators(&"web".into()), None);
}

#[test]
fn a_decision_binds_changes_that_part_and_meet_again_and_both_stay_covers_one_place() {
    let one = World::new().change().clone();
    let mut other = one.clone();
    (other.id, other.key, other.number) = (ChangeId::from("c2"), "CHG-2".into(), 2);
    let met = |service: &str| Found {
        with: "CHG-2".into(),
        change: Some(ChangeId::from("c2")),
        is_undo: false,
        from: hour(10),
        to: hour(12),
        met: vec![Met {
            kind: ConflictKind::SameItem,
            path: vec![service.to_owned()],
            environment: Some("production".to_owned()),
            shared: None,
        }],
    };
    let (terms, pair, now) = (PlanningTerms::default(), (&one, &other), hour(1));
    let open = Conflict {
        holds: true,
        ..Conflict::new("k1".into(), pair, &met("shop"), &terms, now)
    };
    for decision in [ConflictDecision::OneMoves, ConflictDecision::BothStay] {
        let said = ConflictInput {
            decision: Some(decision),
            ..ConflictInput::default()
        };
        let gone = open
            .clone()
            .decided(&said, "mia".into(), now)
            .followed(pair, None, &terms, now);
        assert_eq!(gone.state, ConflictState::Gone);
        let back = gone.clone().followed(pair, Some(&met("shop")), &terms, now);
        assert_eq!((back.state, back.holds), (ConflictState::Decided, true));
        let elsewhere = back.followed(pair, Some(&met("cellar")), &terms, now);
        let is_open = decision == ConflictDecision::BothStay;
        assert_eq!(elsewhere.state == ConflictState::Open, is_open, "{decision:?}");
    }
}

#[test]
fn a_manager_who_counts_as_one_with_somebody_of_either_change_is_no_arbiter() {
    let one = World::new().change().clone();
    let mut other = one.clone();
    (other.id, other.key, other.number) = (ChangeId::from("c2"), "CHG-2".into(), 2);
    let met = Found {
        with: "CHG-2".into(),
        change: Some(ChangeId::from("c2")),
        is_undo: false,
        from: hour(10),
        to: hour(12),
        met: Vec::new(),
    };
    let kept = Conflict::new("k1".into(), (&one, &other), &met, &PlanningTerms::default(), hour(1));
    let mut directory = directory();
    let of = |directory: &Directory| kept.arbiters(directory, [&one, &other], hour(1));
    let [mia, max] = [PersonId::from("mia"), PersonId::from("max")];
    assert_eq!(
        BTreeSet::from_iter(of(&directory)),
        BTreeSet::from([max.clone(), mia.clone()])
    );
    directory.people.get_mut(&max).unwrap().made_by = Some(CredentialGrant {
        by: one.requester.clone(),
        at: hour(0),
    });
    assert_eq!(of(&directory), [mia], "his account is the requester's of today");
}

#[test]
fn a_gate_tells_conflicts_that_are_no_reason_and_each_reason_once() {
    let one = World::new().change().clone();
    let mut other = one.clone();
    (other.id, other.key, other.number) = (ChangeId::from("c2"), "CHG-2".into(), 2);
    let met = Found {
        with: "CHG-2".into(),
        change: Some(ChangeId::from("c2")),
        is_undo: false,
        from: hour(10),
        to: hour(12),
        met: vec![Met {
            kind: ConflictKind::SameItem,
            path: vec!["shop".to_owned()],
            environment: Some("production".to_owned()),
            shared: None,
        }],
    };
    let kept = Conflict::new("k1".into(), (&one, &other), &met, &PlanningTerms::default(), hour(1));
    let directory = Directory {
        conflicts: vec![kept.clone()].into(),
        ..Directory::default()
    };
    let told = known_conflicts(one.id.as_str(), &[], &directory);
    assert_eq!(told.len(), 1);
    assert!(
        told[0].text.starts_with("The change conflicts with CHG-2: "),
        "{}",
        told[0].text
    );
    let theirs = known_conflicts(&other.key, &[], &directory);
    assert!(
        theirs[0].text.contains(&format!("with {}:", one.key)),
        "{}",
        theirs[0].text
    );
    assert!(known_conflicts("c3", &[], &directory).is_empty());
    let reason = |text: &str| [unmet("conflict_open", text, "", Vec::new())];
    let named = reason("The change conflicts with CHG-2: both touch shop.");
    assert!(
        known_conflicts(one.id.as_str(), &named, &directory).is_empty(),
        "it is a reason"
    );
    let longer = reason("The change conflicts with CHG-22: both touch shop.");
    assert_eq!(
        known_conflicts(one.id.as_str(), &longer, &directory).len(),
        1,
        "that is another change"
    );
    let gone = kept.followed((&one, &other), None, &PlanningTerms::default(), hour(2));
    let directory = Directory {
        conflicts: vec![gone].into(),
        ..Directory::default()
    };
    assert!(known_conflicts(one.id.as_str(), &[], &directory).is_empty());
}
