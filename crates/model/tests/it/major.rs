//! Major incidents: the work that they stop, where, the exceptions that a commander signs, and their end.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use model::change::requirement::before_scheduled;
use model::change::settle::{recompute, settle};
use model::change::work;
use model::core::enums::{DependencyKind, GateDecision, IncidentState, Level, NodeKind, Role, State};
use model::core::ids::{RecordId, ServiceKey};
use model::core::refusal::Refusal;
use model::directory::impersonation::CredentialGrant;
use model::directory::snapshot::{Dependency, Directory, Freeze, FreezeException, Incident};
use model::incident::course::{Signature, StoodDown};
use model::incident::lifecycle::{self, Happens, TABLE, Then};
use model::incident::{major, signature};
use proptest::prelude::*;
use serde_json::json;

use crate::people::{directory, incident};
use crate::world::{World, at, body, code, facts_but};

/// A major incident of the shop, since 11:00.
fn major_incident(estate: &Directory) -> Incident {
    let bare = Incident {
        severity: 1,
        services: ["shop".into()].into(),
        ..incident("INC-1")
    };
    major::judged(bare, estate, None, at("11:00"))
}

fn freeze_of(incident: &Incident, before: Option<&Freeze>, now: Timestamp) -> Option<Freeze> {
    major::freeze(incident, before, RecordId("mf".to_owned()), now)
}

/// A scheduled change of high risk at 11:10, with the freeze of the incident over it.
fn stopped() -> World {
    let mut world = World::new().until_scheduled();
    world.wait_until(at("11:10"));
    world.file.change.risk.level = Level::High;
    let incident = major_incident(&world.directory);
    put(&mut world, &incident);
    world
}

/// Puts an incident into the estate, with the freeze that follows from it.
fn put(world: &mut World, incident: &Incident) {
    let now = world.now;
    let before = world
        .directory
        .freezes
        .iter()
        .find(|row| row.course.major_incident.is_some())
        .cloned();
    let wanted = freeze_of(incident, before.as_ref(), now);
    world.estate(|estate| {
        estate.incidents.insert(incident.key.clone(), incident.clone());
        let mut rest: Vec<Freeze> = estate.freezes.to_vec();
        rest.retain(|row| row.course.major_incident.is_none());
        rest.extend(wanted.clone());
        estate.freezes = rest.into();
    });
}

fn actor(who: &str, now: Timestamp) -> Actor {
    Actor {
        person: who.into(),
        by_token: false,
        stepped_up_at: Some(now),
        factor: None,
        is_system: false,
        method: "password".to_owned(),
        lent: None,
        via: None,
    }
}

fn commanded(mut incident: Incident, who: &str) -> Incident {
    incident.course.commander = Some(who.into());
    incident
}

#[test]
fn what_an_incident_stops_is_sent_to_its_commander_and_to_no_exception_of_a_freeze() {
    let mut world = stopped();
    let told = world.act("ida", |case| {
        case.file.change.risk.level = Level::High;
        work::complete(case, &body(json!({"outcome": "succeeded"})), &[])
    });
    let Err(Refusal::NotNow { unmet, .. }) = told else {
        panic!("{told:?}");
    };
    assert!(unmet[0].satisfy.contains("/incidents/INC-1/command"), "{unmet:#?}");
    assert!(!unmet[0].satisfy.contains("/freezes/"), "{unmet:#?}");
}

#[test]
fn a_major_incident_stops_high_risk_alone_and_names_itself_its_commander_and_the_way() {
    let mut world = stopped();
    let answer = world.gate("git:aae5e5e");
    assert_eq!(answer.decision, GateDecision::Stop);
    let row = &answer.reasons[0];
    assert_eq!(row.code, "freeze");
    for part in ["INC-1", "It is down", "The incident has no commander yet"] {
        assert!(row.text.contains(part), "{part}: {}", row.text);
    }
    assert!(row.satisfy.contains("/incidents/INC-1/command"), "{}", row.satisfy);
    assert!(row.waiting_on.contains(&"cora".to_owned()), "{:?}", row.waiting_on);
    let incident = commanded(major_incident(&world.directory), "cora");
    put(&mut world, &incident);
    let row = world.gate("git:aae5e5e").reasons.remove(0);
    assert!(row.text.contains("is its commander"), "{}", row.text);
    assert!(row.satisfy.contains("/incidents/INC-1/signatures"), "{}", row.satisfy);
    assert_eq!(row.waiting_on, ["cora"]);
    let planned = before_scheduled(&world.file, &world.directory, world.now);
    assert!(
        planned
            .iter()
            .any(|row| row.code == "freeze" && row.text.contains("INC-1")),
        "{planned:?}"
    );
    world.file.change.risk.level = Level::Medium;
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
}

#[test]
fn a_change_three_hops_from_the_hurt_service_is_refused() {
    let mut world = World::new().until_scheduled();
    world.wait_until(at("11:10"));
    world.estate(|estate| {
        let last = Dependency {
            id: "1-shop".into(),
            to: "shop".into(),
            ..arrow(1, 0, false)
        };
        estate.dependencies = vec![arrow(3, 2, false), arrow(2, 1, false), last].into();
    });
    world.file.change.risk.level = Level::Medium;
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
    world.file.change.risk.level = Level::High;
    let incident = Incident {
        services: ["s3".into()].into(),
        ..major_incident(&world.directory)
    };
    put(&mut world, &incident);
    let answer = world.gate("git:aae5e5e");
    assert_eq!(
        (answer.decision, answer.reasons[0].code.as_str()),
        (GateDecision::Stop, "freeze")
    );
    let planned = before_scheduled(&world.file, &world.directory, world.now);
    assert!(planned.iter().any(|row| row.code == "freeze"), "{planned:?}");
}

#[test]
fn a_change_that_is_relabelled_during_a_major_incident_counts_with_the_level_before() {
    let mut world = stopped();
    // The facts of the change make less of it than it was taken for, as an edit or an assessment would.
    world
        .act("system", |case| {
            recompute(case);
            Ok(())
        })
        .unwrap();
    assert!(world.change().risk.level < Level::High, "{:?}", world.change().risk);
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    let freeze = world.directory.freezes.get(0).unwrap().clone();
    assert!(signature::is_stopped(&freeze, world.change(), &world.directory) && !freeze.thaws(world.change()));
    // A value lowered before the incident began counts unchanged.
    world.file.change.past_levels[0].until = freeze.starts_at;
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
}

#[test]
fn work_in_flight_goes_on_unless_the_commander_halts_it() {
    let mut world = World::new().until_implementing();
    world.file.change.risk.level = Level::High;
    let mut incident = commanded(major_incident(&world.directory), "cora");
    put(&mut world, &incident);
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
    incident.course.halted = true;
    put(&mut world, &incident);
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
}

#[test]
fn a_signature_lets_its_change_through_until_it_ends_and_no_other_content() {
    let mut world = stopped();
    let until = at("11:30");
    let digest = world.change().digests.what.clone();
    let mut incident = commanded(major_incident(&world.directory), "cora");
    incident.course.signatures.push(Signature {
        change: "c1".into(),
        change_key: "CHG-1".to_owned(),
        what_digest: digest.clone(),
        reason: "It restores the shop".to_owned(),
        until,
        fixes: false,
        by: "cora".into(),
        at: world.now,
        factor: None,
        withdrawn_at: None,
        review: None,
    });
    put(&mut world, &incident);
    assert_eq!(
        world.gate("git:aae5e5e").decision,
        GateDecision::Stop,
        "a record alone opens nothing"
    );
    let exception = |what: &str| FreezeException {
        change: "c1".into(),
        change_key: "CHG-1".to_owned(),
        reason: "It restores the shop".to_owned(),
        by: "cora".into(),
        at: at("11:10"),
        what_digest: what.to_owned(),
        until: Some(until),
        time: None,
    };
    world.estate(|estate| estate.freezes[0].exceptions.push(exception("other")));
    assert_eq!(
        world.gate("git:aae5e5e").decision,
        GateDecision::Stop,
        "another content is not let through"
    );
    world.estate(|estate| estate.freezes[0].exceptions.push(exception(&digest)));
    let answer = world.gate("git:aae5e5e");
    assert_eq!(answer.decision, GateDecision::Go);
    assert_eq!(
        answer.next_transition_at,
        Some(until),
        "a waiting gate looks again at its end"
    );
    world.now = until;
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    // A consequence of the incident keeps an exception only while its signature is in force.
    let kept = |now: Timestamp| {
        freeze_of(&incident, world.directory.freezes.get(0), now)
            .unwrap()
            .exceptions
            .len()
    };
    assert_eq!((kept(at("11:20")), kept(until)), (2, 0));
}

#[test]
fn only_the_commander_in_person_signs_and_never_for_their_own_change() {
    let world = stopped();
    let estate = &world.directory;
    let incident = commanded(major_incident(estate), "cora");
    let freeze = world.directory.freezes.get(0);
    let sign = |incident: &Incident, who: &Actor, is_own: bool| {
        let asked = signature::SignatureRequest {
            incident,
            freeze,
            change: world.change(),
            is_own,
        };
        code(signature::check(&asked, estate, who, world.now))
    };
    let cora = actor("cora", world.now);
    assert_eq!(sign(&incident, &cora, true), "own_request");
    assert_eq!(sign(&incident, &actor("mia", world.now), false), "not_commander");
    let stale = Actor {
        stepped_up_at: None,
        ..cora.clone()
    };
    assert_eq!(sign(&incident, &stale, false), "step_up_required");
    let token = Actor {
        by_token: true,
        ..cora.clone()
    };
    assert_eq!(sign(&incident, &token, false), "step_up_required");
    let nobody = major_incident(estate);
    assert_eq!(sign(&nobody, &cora, false), "not_commander", "command is taken first");
    let mut over = incident.clone();
    over.resolved_at = Some(world.now);
    let over = major::judged(over, estate, None, world.now);
    assert_eq!(sign(&over, &cora, false), "not_major");
    let asked = signature::SignatureRequest {
        incident: &incident,
        freeze,
        change: world.change(),
        is_own: false,
    };
    signature::check(&asked, estate, &cora, world.now).unwrap();
}

#[test]
fn a_commander_who_is_deactivated_commands_nothing() {
    let mut world = stopped();
    let incident = commanded(major_incident(&world.directory), "cora");
    put(&mut world, &incident);
    world.estate(|estate| {
        let mut cora = estate.people.get(&"cora".into()).unwrap().clone();
        cora.active = false;
        estate.put_person(cora);
    });
    let estate = &world.directory;
    assert_eq!(major::commander(&incident, estate), None);
    let row = world.gate("git:aae5e5e").reasons.remove(0);
    assert!(row.waiting_on.contains(&"mia".to_owned()) && !row.waiting_on.contains(&"cora".to_owned()));
    major::check_command(&incident, estate, (&"mia".into(), &"mia".into())).unwrap();
    let refused = major::check_in_command(&incident, estate, &"mia".into());
    assert_eq!(code(refused), "not_commander", "command is taken first");
}

#[test]
fn command_goes_to_those_with_the_right_and_is_taken_from_nobody() {
    let estate = directory();
    let incident = major_incident(&estate);
    let refused = major::check_command(&incident, &estate, (&"cora".into(), &"rita".into()));
    assert_eq!(code(refused), "invalid");
    major::check_command(&incident, &estate, (&"cora".into(), &"cora".into())).unwrap();
    let commanded = commanded(incident, "cora");
    let taken = major::check_command(&commanded, &estate, (&"mia".into(), &"mia".into()));
    assert_eq!(
        code(taken),
        "not_commander",
        "nobody makes themselves commander over another"
    );
    major::check_command(&commanded, &estate, (&"mia".into(), &"max".into())).unwrap();
    major::check_command(&commanded, &estate, (&"cora".into(), &"mia".into())).unwrap();
}

#[test]
fn an_incident_that_is_opened_only_to_block_blocks_once() {
    let mut estate = directory();
    let rita = "rita".into();
    let bare = |key: &str| Incident {
        severity: 1,
        services: ["shop".into()].into(),
        ..incident(key)
    };
    let mut first = major::judged(bare("INC-1"), &estate, Some(&rita), at("11:00"));
    assert!(first.is_major() && first.course.raised_by == Some(rita.clone()));
    first.course.major_since = None;
    first.course.stood_down = Some(StoodDown {
        reason: "Nothing is broken".to_owned(),
        by: "cora".into(),
        at: at("11:05"),
    });
    estate.incidents.insert("INC-1".to_owned(), first.clone());
    assert!(
        !major::judged(first, &estate, Some(&rita), at("11:06")).is_major(),
        "it does not come back by itself"
    );
    assert!(!major::judged(bare("INC-2"), &estate, Some(&rita), at("11:10")).is_major());
    assert!(major::judged(bare("INC-2"), &estate, Some(&"olga".into()), at("11:10")).is_major());
    // Somebody else's edit of hers declares nothing in their name.
    let withheld = major::judged(bare("INC-2"), &estate, Some(&rita), at("11:10"));
    let edited = major::judged(withheld.clone(), &estate, Some(&"olga".into()), at("11:11"));
    assert!(!edited.is_major() && edited.course.raised_by.is_none());
    assert_eq!(edited.course.withheld_at, Some(at("11:10")));
    assert!(major::judged(withheld, &estate, None, at("11:11")).is_major());
    // An account that she made within the day counts as her.
    let mut hers = estate.clone();
    hers.people.get_mut(&"olga".into()).unwrap().made_by = Some(CredentialGrant {
        by: rita.clone(),
        at: at("09:00"),
    });
    assert!(!major::judged(bare("INC-2"), &hers, Some(&"olga".into()), at("11:10")).is_major());
    hers.people.get_mut(&"olga".into()).unwrap().made_by = Some(CredentialGrant {
        by: rita.clone(),
        at: at("11:00") - SignedDuration::from_hours(48),
    });
    assert!(major::judged(bare("INC-2"), &hers, Some(&"olga".into()), at("11:10")).is_major());
    assert!(
        major::judged(bare("INC-2"), &estate, None, at("11:10")).is_major(),
        "a source is believed"
    );
    let later = at("11:05") + major::SPENT;
    assert!(major::judged(bare("INC-2"), &estate, Some(&rita), later).is_major());
}

#[test]
fn without_services_or_below_the_bound_nothing_is_frozen() {
    let mut estate = directory();
    let bare = |severity: i64, services: BTreeSet<ServiceKey>| Incident {
        severity,
        services,
        ..incident("INC-1")
    };
    let shop = || BTreeSet::from(["shop".into()]);
    let is_major = |estate: &Directory, it: Incident| major::judged(it, estate, None, at("11:00")).is_major();
    assert!(!is_major(&estate, bare(1, BTreeSet::new())));
    assert!(!is_major(&estate, bare(2, shop())));
    let mut tenant = estate.tenant.clone().unwrap();
    tenant.major_severity = 2;
    estate.tenant = Some(tenant.clone());
    assert!(is_major(&estate, bare(2, shop())));
    tenant.major_severity = 0;
    estate.tenant = Some(tenant);
    assert!(!is_major(&estate, bare(1, shop())));
}

#[test]
fn the_glass_is_not_broken_past_a_major_incident() {
    let mut world = World::new().until_authorizing();
    world.file.change.risk.level = Level::High;
    let incident = major_incident(&world.directory);
    world.now = at("11:10");
    put(&mut world, &incident);
    let by_glass = world.break_glass("cora", 30);
    assert_eq!(code(by_glass), "major_incident");
}

fn exception_until(world: &World, until: Timestamp) -> FreezeException {
    FreezeException {
        change: "c1".into(),
        change_key: "CHG-1".to_owned(),
        reason: "It restores the shop".to_owned(),
        by: "cora".into(),
        at: world.now,
        what_digest: world.change().digests.what.clone(),
        until: Some(until),
        time: None,
    }
}

#[test]
fn a_second_signature_under_a_glass_begins_nothing_past_a_major_incident() {
    let grave = json!({
        "kind": "emergency", "incident": "INC-1", "impact": {"availability": "high"}, "complexity": "high",
    });
    let mut world = World::with(facts_but(grave), Vec::new());
    world.wait_until(at("11:10"));
    world.break_glass("cora", 60).unwrap();
    let before = world.state();
    let incident = major_incident(&world.directory);
    put(&mut world, &incident);
    assert_eq!(code(world.cosign("olga")), "major_incident");
    assert_eq!(world.state(), before);
    let signed = exception_until(&world, at("11:40"));
    world.estate(|estate| estate.freezes[0].exceptions.push(signed));
    world.cosign("olga").unwrap();
    assert_eq!(world.state(), State::Implementing);
}

/// Halts all work around the incident, as its commander does.
fn halt(world: &mut World) {
    let mut incident = commanded(major_incident(&world.directory), "cora");
    put(world, &incident);
    incident.course.halted = true;
    put(world, &incident);
    world
        .act("system", |case| {
            settle(case);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_halt_stops_work_of_every_risk_but_what_the_commander_signed() {
    let mut world = World::new().until_implementing();
    assert!(world.change().risk.level < Level::High);
    let incident = commanded(major_incident(&world.directory), "cora");
    put(&mut world, &incident);
    world.collect("ida", "git:aae5e5e").unwrap();
    halt(&mut world);
    let answer = world.gate("git:aae5e5e");
    assert_eq!(
        (answer.decision, answer.reasons[0].code.as_str()),
        (GateDecision::Stop, "freeze")
    );
    assert!(
        answer.reasons[0].text.contains("INC-1") && answer.reasons[0].text.contains("halts all work"),
        "{}",
        answer.reasons[0].text
    );
    assert!(world.change().in_freeze && world.live_permits().is_empty());
    let asked = signature::SignatureRequest {
        incident: &incident,
        freeze: world.directory.freezes.get(0),
        change: world.change(),
        is_own: false,
    };
    signature::check(&asked, &world.directory, &actor("cora", world.now), world.now).unwrap();
    let signed = exception_until(&world, at("11:40"));
    world.estate(|estate| estate.freezes[0].exceptions.push(signed));
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
    world.now = at("11:40");
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
}

#[test]
fn a_halt_stops_work_under_a_broken_glass() {
    let urgent = json!({"kind": "emergency", "incident": "INC-1"});
    let mut world = World::with(facts_but(urgent), Vec::new());
    world.wait_until(at("11:10"));
    world.break_glass("cora", 60).unwrap();
    let incident = major_incident(&world.directory);
    put(&mut world, &incident);
    world.file.change.risk.level = Level::High;
    assert_eq!(
        world.gate("git:aae5e5e").decision,
        GateDecision::Go,
        "work that began before goes on"
    );
    halt(&mut world);
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
}

#[test]
fn nothing_begins_during_a_halt_and_what_is_planned_stays_planned() {
    let mut world = World::new().until_scheduled();
    world.wait_until(at("11:10"));
    halt(&mut world);
    assert_eq!(world.state(), State::Scheduled);
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    assert!(world.start("ida").is_err());
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn the_table_of_states_is_whole_and_what_is_closed_stays_closed() {
    use IncidentState::{Closed, Mitigated, Open, Resolved};
    assert_eq!(TABLE.len(), 11);
    for (happens, _) in TABLE {
        let then = lifecycle::then(Closed, happens);
        assert!(!matches!(then, Then::Becomes(_)), "{happens:?}");
        for state in [Open, Mitigated, Resolved] {
            let is_forward = match lifecycle::then(state, happens) {
                Then::Becomes(next) => next != state,
                _ => true,
            };
            assert!(is_forward, "{happens:?} in {state}");
        }
    }
    assert_eq!(lifecycle::then(Open, Happens::Closed), Then::Refused);
    assert_eq!(lifecycle::then(Mitigated, Happens::EndedUnderCommand), Then::Stays);
}

/// The possible events of a major incident.
#[derive(Debug, Clone)]
enum Turn {
    Severity(i64),
    Mitigated(bool),
    Titled,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        (1_i64..=4).prop_map(Turn::Severity),
        any::<bool>().prop_map(Turn::Mitigated),
        Just(Turn::Titled)
    ];
    prop::collection::vec(turn, 0..20)
}

fn arrow(from: usize, to: usize, part: bool) -> Dependency {
    Dependency {
        id: format!("{from}-{to}").as_str().into(),
        version: 1,
        from: format!("s{from}").as_str().into(),
        to: format!("s{to}").as_str().into(),
        kind: if part {
            DependencyKind::PartOf
        } else {
            DependencyKind::DependsOn
        },
        from_kind: NodeKind::Service,
        to_kind: NodeKind::Service,
        environments: BTreeSet::new(),
        ended: false,
    }
}

/// The services that are reached from one by (cause, effect) pairs, step by step.
fn reached(from: usize, pairs: &[(usize, usize)]) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([from]);
    loop {
        let more: Vec<usize> = pairs
            .iter()
            .filter(|(a, b)| found.contains(a) && !found.contains(b))
            .map(|it| it.1)
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

proptest! {
    #[test]
    fn no_severity_and_no_flapping_ends_a_major_incident(turns in turns()) {
        let estate = directory();
        let mut it = major_incident(&estate);
        let since = it.course.major_since;
        let mut freeze = freeze_of(&it, None, at("11:00"));
        for (place, turn) in turns.iter().enumerate() {
            match turn {
                Turn::Severity(severity) => it.severity = *severity,
                Turn::Mitigated(is) => it.course.mitigated_at = is.then(|| at("11:20")),
                Turn::Titled => it.title = format!("It is down {place}"),
            }
            let now = at("11:00") + SignedDuration::from_mins(i64::try_from(place).unwrap());
            it = major::judged(it, &estate, None, now);
            prop_assert_eq!(it.course.major_since, since);
            let next = freeze_of(&it, freeze.as_ref(), now);
            prop_assert_eq!(next.as_ref().map(|row| &row.id), freeze.as_ref().map(|row| &row.id));
            freeze = next;
        }
        it.resolved_at = Some(at("12:00"));
        let over = major::judged(it, &estate, None, at("12:00"));
        prop_assert!(!over.is_major() && freeze_of(&over, freeze.as_ref(), at("12:00")).is_none());
    }

    #[test]
    fn the_closure_is_what_the_services_need_and_what_needs_them(
        arrows in prop::collection::vec((0_usize..8, 0_usize..8, any::<bool>()), 0..16),
    ) {
        let mut estate = directory();
        let arrows: BTreeSet<(usize, usize, bool)> = arrows.into_iter().filter(|(from, to, _)| from != to).collect();
        let rows: Vec<Dependency> = arrows.iter().map(|(from, to, part)| arrow(*from, *to, *part)).collect();
        estate.dependencies = rows.into();
        let mut it = major_incident(&estate);
        it.services = ["s0".into()].into();
        let freeze = freeze_of(&it, None, at("11:00")).unwrap();
        let effects: Vec<(usize, usize)> =
            arrows.iter().map(|(from, to, part)| if *part { (*from, *to) } else { (*to, *from) }).collect();
        let causes: Vec<(usize, usize)> = effects.iter().map(|(a, b)| (*b, *a)).collect();
        let expected: BTreeSet<usize> = reached(0, &effects).union(&reached(0, &causes)).copied().collect();
        for place in 0..8 {
            let key = format!("s{place}");
            let is_frozen = estate.is_frozen_by(&freeze, &key.as_str().into(), &"production".into());
            prop_assert_eq!(is_frozen, expected.contains(&place), "{}", key);
            let is_listed = estate.is_about(&freeze, Some(&key.as_str().into()), Some(&"production".into()));
            prop_assert_eq!(is_listed, is_frozen, "lists and the calendar show what is frozen: {}", key);
        }
    }

    #[test]
    fn an_exception_holds_exactly_until_its_end(minutes in 0_i64..120, asked in 0_i64..120) {
        let world = stopped();
        let mut freeze = world.directory.freezes.get(0).unwrap().clone();
        let end = at("11:10") + SignedDuration::from_mins(minutes);
        freeze.exceptions.push(FreezeException {
            change: "c1".into(),
            change_key: "CHG-1".to_owned(),
            reason: "r".to_owned(),
            by: "cora".into(),
            at: at("11:10"),
            what_digest: world.change().digests.what.clone(),
            until: Some(end),
            time: None,
        });
        let now = at("11:10") + SignedDuration::from_mins(asked);
        prop_assert_eq!(freeze.excepts_at(world.change(), now), asked < minutes);
    }
}

#[test]
fn the_people_who_may_command_are_commanders_and_change_managers() {
    let estate = directory();
    let found = major::commanders(&estate);
    assert_eq!(found.first(), Some(&"cora".into()));
    for (who, roles) in crate::people::PEOPLE {
        let may = roles.contains(&Role::Commander) || roles.contains(&Role::ChangeManager);
        assert_eq!(found.contains(&(*who).into()), may, "{who}");
    }
}
