//! An emergency earns its name: by an incident that is there, of late and concerned, or by a threat; and it is soon.

use jiff::{SignedDuration, Timestamp};
use model::change::record::Change;
use model::core::enums::{DependencyKind, Kind, LinkKind, NodeKind, State};
use model::directory::snapshot::{Dependency, Directory};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::people::{dawn, directory, incident};
use crate::world::{World, at, body, code, facts_but, fields};

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// `pay` needs `shop`, and nothing needs `pay`.
fn estate() -> Directory {
    let mut estate = directory();
    estate.incidents = Default::default();
    estate.dependencies = vec![Dependency {
        id: "d1".into(),
        version: 1,
        from: "pay".into(),
        to: "shop".into(),
        kind: DependencyKind::DependsOn,
        from_kind: NodeKind::Service,
        to_kind: NodeKind::Service,
        environments: Default::default(),
        ended: false,
    }]
    .into();
    estate
}

fn with_incident(services: &[&str], resolved_at: Option<Timestamp>, reference: Option<&str>) -> Directory {
    let mut estate = estate();
    let mut known = incident("INC-40");
    known.services = services.iter().map(|key| (*key).into()).collect();
    known.started_at = dawn() - hours(200);
    known.resolved_at = resolved_at;
    known.external_ref = reference.map(str::to_owned);
    estate.incidents.insert("INC-40".into(), known);
    estate
}

fn urgent(incident: &str) -> Value {
    json!({"kind": "emergency", "incident": incident})
}

/// The rule's meaning, apart from the product's own code.
fn is_ground(named: &str, services: &[&str], resolved_hours_ago: Option<i64>, target: &str) -> bool {
    let is_known = matches!(named, "INC-40" | "inc-40" | "pagerduty:p1");
    let is_late = resolved_hours_ago.is_some_and(|ago| ago > 24);
    let reach: &[&str] = if target == "shop" { &["shop", "pay"] } else { &["pay"] };
    is_known && !is_late && services.iter().any(|service| reach.contains(service))
}

proptest! {
    /// Written, edited, made one later: every emergency has a ground, and a change with a ground is accepted.
    #[test]
    fn no_way_in_takes_an_emergency_without_a_ground(
        named in prop::sample::select(vec!["INC-40", "inc-40", "pagerduty:p1", "p1", "banana", "INC-99999"]),
        services in prop::sample::select(vec![vec![], vec!["shop"], vec!["pay"], vec!["shop", "pay"]]),
        resolved in prop::option::of(0..72_i64), target in prop::sample::select(vec!["shop", "pay"]),
        ahead in prop::option::of(1..120_i64), way in 0..3_u8,
    ) {
        let ended = resolved.map(|ago| dawn() - hours(ago));
        let estate = with_incident(&services, ended, Some("pagerduty:p1"));
        let mut words = facts_but(json!({"targets": null, "services": [target], "environment": "production", "artifact": "git:aae5e5e"}));
        if let Some(ahead) = ahead {
            words.insert("planned_start".into(), (dawn() + hours(ahead)).to_string().into());
            words.insert("planned_end".into(), (dawn() + hours(ahead + 2)).to_string().into());
        }
        let is_right = is_ground(named, &services, resolved, target) && ahead.is_none_or(|ahead| ahead <= 48);
        let made = match way {
            0 => {
                model::change::read_content::merge(&mut words, &body(urgent(named)));
                World::create("rita", words, Vec::new(), estate)
            }
            1 => {
                let mut world = World::create("rita", words, Vec::new(), estate).unwrap();
                world.edit("rita", urgent(named)).map(|()| world)
            }
            _ => {
                // Named while it was a normal change, where nothing hangs on it, and made urgent afterwards.
                words.insert("incident".into(), named.into());
                World::create("rita", words, Vec::new(), estate).and_then(|mut world| {
                    world.edit("rita", json!({"kind": "emergency"})).map(|()| world)
                })
            }
        };
        match made {
            Ok(world) => {
                prop_assert!(is_right, "taken: {:?}", world.change().content);
                prop_assert_eq!(links(&world), ["INC-40"]);
            }
            Err(refused) => prop_assert!(!is_right, "refused: {:?}", refused),
        }
    }
}

fn links(world: &World) -> Vec<String> {
    let standing = world.file.links.iter().filter(|link| link.removed_at.is_none());
    standing.map(|link| link.to.clone()).collect()
}

#[test]
fn each_wrong_ground_is_named_by_its_field() {
    let refused = |words: Value, estate: Directory| fields(World::create("rita", facts_but(words), Vec::new(), estate));
    let open = || with_incident(&["shop"], None, None);
    let row = |field: &str, code: &str| [(field.to_owned(), code.to_owned())];
    assert_eq!(refused(urgent("banana"), open()), row("incident", "unknown"));
    assert_eq!(refused(urgent("INC-99999"), open()), row("incident", "unknown"));
    let elsewhere = with_incident(&["pay"], None, None);
    let away = json!({"kind": "emergency", "incident": "INC-40", "targets": null, "services": ["shop"], "environment": "production"});
    assert!(
        World::create("rita", facts_but(away.clone()), Vec::new(), elsewhere).is_ok(),
        "pay needs the shop"
    );
    let mut unneeded = with_incident(&["pay"], None, None);
    unneeded.dependencies = Vec::new().into();
    assert_eq!(refused(away, unneeded), row("incident", "not_concerned"));
    let mut both = with_incident(&["shop"], None, None);
    both.dependencies = Vec::new().into();
    let along = json!({"kind": "emergency", "incident": "INC-40", "targets": null, "services": ["shop", "pay"], "environment": "production"});
    assert_eq!(
        refused(along, both),
        row("incident", "not_concerned"),
        "a target that is concerned brings no other in"
    );
    let old = with_incident(&["shop"], Some(dawn() - hours(25)), None);
    assert_eq!(refused(urgent("INC-40"), old), row("incident", "too_old"));
    let far = json!({
        "kind": "emergency", "incident": "INC-40", "planned_start": (dawn() + hours(24 * 90)).to_string(),
        "planned_end": (dawn() + hours(24 * 90 + 2)).to_string(),
    });
    assert_eq!(refused(far, open()), row("planned_start", "too_far_ahead"));
}

#[test]
fn of_several_incidents_under_one_reference_one_that_concerns_the_place_counts() {
    let several = |services: [&str; 2]| {
        let mut estate = with_incident(&services[..1], None, Some("pagerduty:p1"));
        estate.dependencies = Vec::new().into();
        // The latest one is elsewhere.
        let mut later = incident("INC-41");
        later.services = [services[1].into()].into();
        later.resolved_at = None;
        later.external_ref = Some("pagerduty:p1".to_owned());
        later.started_at = dawn();
        estate.incidents.insert("INC-41".into(), later);
        estate
    };
    let here = json!({
        "kind": "emergency", "incident": "pagerduty:p1", "targets": null, "services": ["shop"], "environment": "production",
    });
    for services in [["shop", "pay"], ["pay", "shop"]] {
        let world = World::create("rita", facts_but(here.clone()), Vec::new(), several(services)).unwrap();
        let expected = if services[0] == "shop" { "INC-40" } else { "INC-41" };
        assert_eq!(links(&world), [expected]);
    }
    let mut elsewhere = several(["pay", "pay"]);
    elsewhere.dependencies = Vec::new().into();
    let refused = World::create("rita", facts_but(here), Vec::new(), elsewhere);
    assert_eq!(fields(refused), [("incident".to_owned(), "not_concerned".to_owned())]);
}

#[test]
fn later_times_obey_the_same() {
    let mut world = World::create(
        "rita",
        facts_but(urgent("INC-40")),
        Vec::new(),
        with_incident(&["shop"], None, None),
    )
    .unwrap();
    world.submit("rita").unwrap();
    let far = |world: &World| {
        let start = world.now + hours(49);
        json!({"planned_start": start.to_string(), "planned_end": (start + hours(1)).to_string()})
    };
    let words = far(&world);
    assert_eq!(fields(world.edit("rita", words.clone()))[0].1, "too_far_ahead");
    let refused = world.act("rita", |case| model::schedule::plan::schedule(case, &body(words)));
    assert_eq!(fields(refused)[0].1, "too_far_ahead");
}

#[test]
fn what_becomes_of_the_incident_becomes_of_the_emergency() {
    let mut world = World::create(
        "rita",
        facts_but(urgent("INC-40")),
        Vec::new(),
        with_incident(&["shop"], None, None),
    )
    .unwrap();
    world.submit("rita").unwrap();
    world.assess("rita", json!({})).unwrap();
    for who in ["olga", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Scheduled);
    let mut elsewhere = world.clone();
    elsewhere.estate(|estate| {
        estate.incidents.get_mut("INC-40").unwrap().services = [].into();
    });
    elsewhere.settle();
    assert_eq!(elsewhere.state(), State::Authorizing);
    assert!(elsewhere.unmet().contains(&"no_emergency".to_owned()));
    world.estate(|estate| {
        estate.incidents.get_mut("INC-40").unwrap().resolved_at = Some(dawn() - hours(23));
    });
    world.settle();
    assert_eq!(world.state(), State::Scheduled, "within its day");
    world.wait_until(at("11:01"));
    assert_eq!(world.state(), State::Authorizing, "its day is over, and its timer came");
    assert_eq!(code(world.start("ida")), "not_in_state");
}

#[test]
fn the_incident_is_linked_while_it_is_named() {
    let mut estate = with_incident(&["shop"], None, None);
    let mut other = incident("INC-41");
    other.services = ["shop".into()].into();
    estate.incidents.insert("INC-41".into(), other);
    let mut world = World::create("rita", facts_but(urgent("inc-40")), Vec::new(), estate).unwrap();
    assert_eq!(links(&world), ["INC-40"]);
    assert_eq!(world.file.links[0].kind, LinkKind::Fixes);
    let link = world.file.links[0].id.clone();
    let refused = world.act("tom", |case| model::change::around::unlink(case, &link));
    assert_eq!(code(refused), "incident_named");
    world.edit("rita", json!({"incident": "INC-41"})).unwrap();
    assert_eq!(links(&world), ["INC-41"]);
    world.edit("rita", json!({"kind": "normal", "incident": null})).unwrap();
    assert_eq!(links(&world), [""; 0]);
    let kinds: Vec<&str> = world
        .events
        .iter()
        .map(|event| event.kind)
        .filter(|kind| kind.contains("link"))
        .collect();
    assert_eq!(
        kinds,
        ["change.linked", "change.unlinked", "change.linked", "change.unlinked"]
    );
}

#[test]
fn work_told_afterwards_is_judged_by_when_it_was_done() {
    let told = |resolved: i64| {
        let estate = with_incident(&["shop"], Some(dawn() - hours(resolved)), None);
        let words = json!({"kind": "emergency", "incident": "INC-40", "retrospective": {
            "actual_start": (dawn() - hours(60)).to_string(), "actual_end": (dawn() - hours(59)).to_string(),
            "reason": "The shop was down", "verbal_approver": "olga",
        }});
        World::create("rita", facts_but(words), Vec::new(), estate)
    };
    assert!(told(70).is_ok(), "ten hours before the work");
    assert_eq!(fields(told(100))[0].1, "too_old");
}

#[test]
fn an_incident_that_began_after_the_work_is_no_ground_for_it() {
    let told = |began_minutes_before: i64| {
        let mut estate = with_incident(&["shop"], None, None);
        let mut known = estate.incidents.get("INC-40").unwrap().clone();
        known.started_at = dawn() - SignedDuration::from_mins(began_minutes_before);
        estate.incidents.insert("INC-40".into(), known);
        let words = json!({"kind": "emergency", "incident": "INC-40", "retrospective": {
            "actual_start": (dawn() - hours(30)).to_string(), "actual_end": (dawn() - hours(29)).to_string(),
            "reason": "The shop was down", "verbal_approver": "olga",
        }});
        World::create("rita", facts_but(words), Vec::new(), estate)
    };
    assert!(told(31 * 60).is_ok());
    assert!(told(30 * 60 - 4).is_ok(), "clocks differ by some minutes");
    assert_eq!(fields(told(30 * 60 - 6)), [("incident".into(), "began_later".into())]);
    assert_eq!(fields(told(0)), [("incident".into(), "began_later".into())]);
}

#[test]
fn a_rule_sets_shorter_times() {
    use model::approval::obligation::{Due, Duty};
    let rule = Duty::Emergency {
        resolved_within_minutes: Some(120),
        start_within_minutes: Some(60),
    };
    let make = |resolved: i64, ahead: i64| {
        let estate = with_incident(&["shop"], Some(dawn() - hours(resolved)), None);
        let words = json!({
            "kind": "emergency", "incident": "INC-40", "planned_start": (dawn() + SignedDuration::from_mins(ahead)).to_string(),
        });
        World::create("rita", facts_but(words), vec![(Due::Start, rule.clone())], estate)
    };
    assert!(make(1, 60).is_ok());
    assert_eq!(fields(make(3, 60))[0].1, "too_old");
    assert_eq!(fields(make(1, 61))[0].1, "too_far_ahead");
}

#[test]
fn a_threat_needs_no_incident() {
    let words = json!({"kind": "emergency", "threat": "It is exploited elsewhere."});
    let world = World::create("rita", facts_but(words), Vec::new(), estate()).unwrap();
    let kind = |change: &Change| change.content.kind;
    assert_eq!(kind(world.change()), Kind::Emergency);
    // Every other named ground must be valid, too.
    let both = json!({"kind": "emergency", "threat": "It is exploited elsewhere.", "incident": "banana"});
    assert_eq!(
        fields(World::create("rita", facts_but(both), Vec::new(), estate()))[0].1,
        "unknown"
    );
}

/// A later correction of an old incident's end makes no emergency of it.
#[test]
fn an_end_that_was_recorded_is_not_moved_by_hand() {
    let day = |days: i64| crate::people::dawn() - jiff::SignedDuration::from_hours(24 * days);
    let incident = crate::people::incident("INC-1");
    let resolved = |at| model::directory::snapshot::Incident {
        resolved_at: Some(at),
        ..incident.clone()
    };
    let old = resolved(day(9)).with_recorded_end(Some(&incident), day(8));
    assert_eq!(old.end_recorded_at, Some(day(8)));
    let moved = resolved(day(0)).with_recorded_end(Some(&old), day(0));
    assert_eq!(moved.ended_at(), Some(day(8)));
    // Opened again long after, it keeps the end that was recorded, and the next one too.
    let opened = incident.clone().with_recorded_end(Some(&moved), day(0));
    assert_eq!(opened.ended_at(), Some(day(8)));
    assert_eq!(
        resolved(day(0)).with_recorded_end(Some(&opened), day(0)).ended_at(),
        Some(day(8))
    );
    // One that was resolved too early is open again.
    let soon = incident.clone().with_recorded_end(Some(&old), day(8));
    assert_eq!(soon.ended_at(), None);
    let mut estate = crate::people::directory();
    estate.incidents.insert("INC-1".into(), moved);
    let facts = facts_but(json!({"kind": "emergency", "incident": "INC-1"}));
    let wrong = crate::world::fields(World::create("rita", facts, Vec::new(), estate).map(drop));
    assert_eq!(wrong, [("incident".to_owned(), "too_old".to_owned())]);
}
