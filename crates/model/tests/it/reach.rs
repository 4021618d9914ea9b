//! The reach of a change: the walk of the graph against one of a test's own, and the assessment that is due again when it
//! grows.

use std::collections::{BTreeMap, BTreeSet};

use model::change::affected::{affected, path};
use model::change::after;
use model::change::record::Target;
use model::core::enums::{DependencyKind, Kind, NodeKind, State};
use model::core::ids::EnvironmentKey;
use model::directory::graph::{Graph, Terms, Towards, closure};
use model::directory::records::Dependency;
use model::directory::snapshot::Directory;
use model::emergency::break_glass;
use model::risk::reach::Reached;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::people::directory;
use crate::world::{World, body, facts_but, missing};

/// How many things the random graphs have.
const THINGS: usize = 12;

fn arrow(from: usize, kind: DependencyKind, to: usize, environments: &[&str], ended: bool) -> Dependency {
    Dependency {
        id: format!("{from}-{to}").as_str().into(),
        version: 1,
        from: format!("s{from:02}").as_str().into(),
        to: format!("s{to:02}").as_str().into(),
        kind,
        from_kind: NodeKind::Service,
        to_kind: NodeKind::Service,
        environments: environments.iter().map(|key| (*key).into()).collect(),
        ended,
    }
}

fn target(service: &str) -> Target {
    Target {
        id: "1".into(),
        service: service.into(),
        environment: "production".into(),
        config_items: Vec::new(),
        artifact: None,
        commit: None,
        rollback_to: None,
        members: None,
    }
}

fn arrows() -> impl Strategy<Value = Vec<Dependency>> {
    let environments = prop::sample::select(vec![&[][..], &["production"][..], &["staging"][..]]);
    let kinds = prop::sample::select(DependencyKind::ALL.to_vec());
    let one = (0..THINGS, kinds, 0..THINGS, environments, prop::bool::weighted(0.1));
    prop::collection::vec(one, 0..40).prop_map(|rows| {
        let mut known = BTreeSet::new();
        rows.into_iter()
            .filter(|(from, _, to, _, _)| from != to && known.insert((*from, *to)))
            .map(|(from, kind, to, environments, ended)| arrow(from, kind, to, environments, ended))
            .collect()
    })
}

/// The distances from a thing, by looking at all arrows again until nothing changes.
fn by_relaxation(rows: &[Dependency], start: &str, towards: Towards) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::from([(start.to_owned(), 0)]);
    loop {
        let before = found.clone();
        for row in rows {
            let holds = row.environments.is_empty() || row.environments.contains(&EnvironmentKey::from("production"));
            if row.ended || !holds {
                continue;
            }
            let (cause, feels) = match row.kind {
                DependencyKind::PartOf => (&row.from, &row.to),
                _ => (&row.to, &row.from),
            };
            let (near, far) = match towards {
                Towards::Dependants => (cause, feels),
                Towards::Causes => (feels, cause),
            };
            let Some(distance) = found.get(near.as_str()).copied() else {
                continue;
            };
            let known = found.entry(far.0.clone()).or_insert(usize::MAX);
            *known = (*known).min(distance + 1);
        }
        if found == before {
            return found;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Each thing is found once, at its shortest distance, by a way of arrows that are there; and nothing else is found.
    #[test]
    fn a_walk_finds_what_looking_at_every_arrow_finds(rows in arrows(), start in 0..THINGS) {
        let start = format!("s{start:02}");
        let estate = Directory { dependencies: rows.clone().into(), ..Directory::default() };
        let found = affected(&estate, &[target(&start)]);
        let told: BTreeMap<String, usize> = found.iter().map(|one| (one.key.clone(), one.distance)).collect();
        prop_assert_eq!(told.len(), found.len());
        prop_assert_eq!(&told, &by_relaxation(&rows, &start, Towards::Dependants));
        for place in 0..found.len() {
            let way = path(&found, place);
            prop_assert_eq!(way.len(), found[place].distance + 1);
            prop_assert_eq!((way[0], way[way.len() - 1]), (start.as_str(), found[place].key.as_str()));
            for pair in way.windows(2) {
                let joins = |row: &Dependency| {
                    let ends = match row.kind {
                        DependencyKind::PartOf => (row.from.as_str(), row.to.as_str()),
                        _ => (row.to.as_str(), row.from.as_str()),
                    };
                    !row.ended && ends == (pair[0], pair[1])
                };
                prop_assert!(rows.iter().any(joins), "{} → {}", pair[0], pair[1]);
            }
        }
    }

    /// A thing is a dependant of its cause, and the other way round; a bound cuts the parts behind it and reports that.
    #[test]
    fn both_ways_agree_and_a_cut_is_told(rows in arrows(), start in 0..THINGS, depth in 0..4_usize, most in 1..6_usize) {
        let start = format!("s{start:02}");
        let graph: Graph = rows.clone().into();
        let production = BTreeSet::from(["production".into()]);
        let causes = by_relaxation(&rows, &start, Towards::Causes);
        for cause in causes.keys() {
            prop_assert!(by_relaxation(&rows, cause, Towards::Dependants).contains_key(&start));
        }
        let terms = |depth, most| Terms { depth, most, environments: Some(&production), ..Terms::new(Towards::Causes) };
        let node = [(NodeKind::Service, start.as_str())];
        let shallow = closure(&graph, &node, &terms(depth, usize::MAX));
        let near: BTreeSet<&str> = causes.iter().filter(|(_, far)| **far <= depth).map(|(key, _)| key.as_str()).collect();
        prop_assert_eq!(shallow.found.iter().map(|one| one.node.1).collect::<BTreeSet<_>>(), near.clone());
        prop_assert_eq!(shallow.is_cut, near.len() < causes.len());
        let few = closure(&graph, &node, &terms(usize::MAX, most));
        prop_assert_eq!(few.found.len(), most.min(causes.len()));
        prop_assert_eq!(few.is_cut, most < causes.len());
    }
}

/// A chain of hubs with a hundred thousand things: each arrow is looked at once, so that it takes no time worth mentioning.
#[test]
fn a_hundred_thousand_things_behind_hubs_are_found_once() {
    let mut rows = Vec::new();
    for hub in 0..100 {
        let name = |thing: usize| format!("h{hub}-{thing}");
        let link = |from: String, to: String| Dependency {
            id: format!("{from}/{to}").as_str().into(),
            from: from.as_str().into(),
            to: to.as_str().into(),
            ..arrow(0, DependencyKind::DependsOn, 1, &[], false)
        };
        rows.extend((1..1_000).map(|thing| link(name(thing), name(0))));
        // Every dependant of the hub is one of the next hub: a thousand ways to it, of which one counts.
        rows.extend((1..1_000).map(|thing| link(format!("h{}-0", hub + 1), name(thing))));
    }
    let estate = Directory {
        dependencies: rows.into(),
        ..Directory::default()
    };
    let found = affected(&estate, &[target("h0-0")]);
    assert_eq!(found.len(), 100_001);
    assert_eq!(found.last().map(|one| one.distance), Some(200));
}

fn needs(from: &str, to: &str) -> Dependency {
    Dependency {
        id: format!("{from}-{to}").as_str().into(),
        from: from.into(),
        to: to.into(),
        ..arrow(0, DependencyKind::DependsOn, 1, &[], false)
    }
}

/// A change of the shop that pay needs, approved and scheduled.
fn scheduled() -> World {
    let mut estate = directory();
    estate.dependencies = vec![needs("pay", "shop")].into();
    let mut world = World::create("rita", facts_but(json!({})), Vec::new(), estate).unwrap();
    world.submit("rita").unwrap();
    let left_out = json!({"dependencies_reviewed": true, "excluded": [{"item": "pay", "reason": "It only reads."}]});
    world.assess("rita", left_out).unwrap();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    world
}

#[test]
fn what_the_assessment_looked_at_is_kept_with_who_left_what_out() {
    let world = scheduled();
    let kept = world.change().reach.clone().unwrap();
    assert_eq!((kept.count, kept.things), (1, vec!["service:pay".to_owned()]));
    assert_eq!(kept.excluded_by[0].by.as_str(), "rita");
    assert_eq!(kept.grown_at, None);
}

#[test]
fn a_graph_that_reaches_more_makes_the_assessment_due_again_and_names_who_has_it() {
    let mut world = scheduled();
    let before = world.state();
    assert!(before > State::Assessing, "{before}");
    world.estate(|estate| estate.dependencies = vec![needs("pay", "shop"), needs("till", "pay")].into());
    world.settle();
    assert_eq!(world.state(), State::Assessing);
    assert!(world.events.iter().any(|event| event.kind == "change.reach_grown"));
    let rows = model::change::waiting_on::ahead(&world.file, &world.directory, world.now);
    let row = rows.iter().find(|row| row.unmet.code == "reach_grown").unwrap();
    assert!(row.unmet.waiting_on.contains(&"rita".to_owned()), "{row:?}");
    // An edit without the new things is no look at them, and neither is an edit of something else.
    world.edit("rita", json!({"team": "web"})).unwrap();
    assert!(missing(world.assess("rita", json!({}))).contains(&"reach_grown".to_owned()));
    world.assess("rita", json!({"dependencies_reviewed": true})).unwrap();
    assert_eq!(world.change().reach.as_ref().map(|it| it.count), Some(2));
    assert!(world.change().reach.as_ref().unwrap().grown_at.is_none());
}

#[test]
fn a_graph_that_reaches_less_or_the_same_asks_nobody_again() {
    let mut world = scheduled();
    let before = world.state();
    world.estate(|estate| estate.dependencies = vec![needs("pay", "shop"), needs("shop", "pay")].into());
    world.settle();
    assert_eq!(world.state(), before, "what the shop needs is no reach of it");
    let mut of_staging = needs("lab", "shop");
    of_staging.environments = BTreeSet::from(["staging".into()]);
    world.estate(|estate| estate.dependencies = vec![needs("pay", "shop"), of_staging].into());
    world.settle();
    assert_eq!(world.state(), before, "the arrow holds elsewhere");
    world.estate(|estate| estate.dependencies = Vec::new().into());
    world.settle();
    assert_eq!(world.state(), before);
}

/// A place in production.
fn place(service: &str) -> Value {
    json!({"service": service, "environment": "production", "artifact": "git:aae5e5e"})
}

/// The things that a change reaches now.
fn reached(world: &World) -> BTreeSet<String> {
    let found = Reached::of(&world.directory, &world.change().content.targets);
    found.things().into_iter().collect()
}

/// A change of the shop that a bank needs, as it was assessed; the till needs pay.
fn assessed(facts: Value, words: Value) -> World {
    let mut estate = directory();
    estate.dependencies = vec![needs("bank", "shop"), needs("till", "pay")].into();
    let mut world = World::create("rita", facts_but(facts), Vec::new(), estate).unwrap();
    world.submit("rita").unwrap();
    world.assess("rita", words).unwrap();
    assert_eq!(world.state(), State::Authorizing);
    world
}

fn looked_at() -> World {
    let left_out = json!({"dependencies_reviewed": true, "excluded": [{"item": "bank", "reason": "It only reads."}]});
    assessed(json!({}), left_out)
}

#[test]
fn a_look_counts_for_no_target_that_comes_after_it() {
    let mut world = looked_at();
    let looked_at = world.change().reach.clone().unwrap();
    world.edit("rita", json!({"targets": [place("pay")]})).unwrap();
    let change = world.change();
    assert_eq!(change.state, State::Assessing);
    assert!(!change.content.dependencies_reviewed && change.content.excluded.is_empty());
    let kept = change.reach.as_ref().unwrap();
    assert_eq!(
        (&kept.digest, kept.at),
        (&looked_at.digest, looked_at.at),
        "nobody has looked at the other set"
    );
    assert!(kept.excluded_by.is_empty() && kept.grown_at.is_some());
    assert_eq!(missing(world.assess("rita", json!({}))), ["reach_grown"]);
    world.assess("rita", json!({"dependencies_reviewed": true})).unwrap();
    assert_eq!(world.change().reach.as_ref().unwrap().things, ["service:till"]);
    // A smaller reach needs no look, and the omitted parts of it go.
    let mut world = looked_at_both();
    world.edit("rita", json!({"targets": [place("pay")]})).unwrap();
    let change = world.change();
    assert_eq!(change.state, State::Authorizing);
    let left_out: Vec<&str> = change.content.excluded.iter().map(|row| row.item.as_str()).collect();
    assert_eq!((left_out, change.content.dependencies_reviewed), (vec!["till"], true));
    assert_eq!(change.reach.as_ref().unwrap().excluded_by.len(), 1);
}

fn looked_at_both() -> World {
    let row = |item: &str| json!({"item": item, "reason": "It only reads."});
    let words = json!({"dependencies_reviewed": true, "excluded": [row("bank"), row("till")]});
    assessed(json!({"targets": [place("shop"), place("pay")]}), words)
}

#[test]
fn a_change_that_came_back_is_looked_at_again_before_approvals_are_asked() {
    let mut world = looked_at();
    world
        .decide("sam", json!({"decision": "reject", "comment": "The wrong one."}))
        .unwrap();
    world.edit("rita", json!({"targets": [place("pay")]})).unwrap();
    assert_eq!(world.state(), State::Draft);
    world.submit("rita").unwrap();
    assert_eq!(missing(world.assess("rita", json!({}))), ["reach_grown"]);
    // The graph may grow while no approvals are requested, too.
    let mut world = looked_at();
    world
        .decide("sam", json!({"decision": "reject", "comment": "The wrong one."}))
        .unwrap();
    world.edit("rita", json!({"team": "web"})).unwrap();
    world.estate(|estate| estate.dependencies = vec![needs("bank", "shop"), needs("desk", "bank")].into());
    world.settle();
    world.submit("rita").unwrap();
    assert_eq!(missing(world.assess("rita", json!({}))), ["reach_grown"]);
}

#[test]
fn an_emergency_that_becomes_normal_is_looked_at_first() {
    let mut world = assessed(json!({"kind": "emergency", "incident": "INC-1"}), json!({}));
    world.edit("rita", json!({"kind": "normal", "incident": null})).unwrap();
    assert_eq!(world.state(), State::Assessing);
    assert_eq!(missing(world.assess("rita", json!({}))), ["dependencies_not_reviewed"]);
    world.assess("rita", json!({"dependencies_reviewed": true})).unwrap();
    assert_eq!(world.state(), State::Authorizing);
}

/// Break-glass and an emergency wait for no look, and owe it afterwards.
#[test]
fn work_that_could_not_wait_is_looked_at_before_it_closes() {
    let mut estate = directory();
    estate.dependencies = vec![needs("bank", "shop")].into();
    let mut world = World::create("rita", facts_but(json!({})), Vec::new(), estate).unwrap();
    world.break_glass("cora", 60).unwrap();
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    world.validate("tom", "works").unwrap();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    let text = body(json!({"text": "It had to be."}));
    world.act("olga", |case| break_glass::validate(case, &text)).unwrap();
    world.review("mia").unwrap();
    assert_eq!(missing(world.close("mia")), ["reach_not_reviewed"]);
    let looked = body(json!({
        "objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "The bank took no harm.",
        "dependencies_reviewed": true,
    }));
    world.act("mia", |case| after::review(case, &looked, &[])).unwrap();
    world.close("mia").unwrap();
    // A look during the assessment is enough, and a normal change without break-glass had to have one.
    let owes = |words: Value, looked: Value| {
        assessed(words, looked)
            .unmet()
            .contains(&"reach_not_reviewed".to_owned())
    };
    let emergency = || json!({"kind": "emergency", "incident": "INC-1"});
    assert!(owes(emergency(), json!({})));
    assert!(!owes(emergency(), json!({"dependencies_reviewed": true})));
    assert!(!owes(json!({}), json!({"dependencies_reviewed": true})));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// After edits in any order, approvals of a normal change are requested only about things that somebody looked at.
    #[test]
    fn approvals_are_asked_only_about_what_was_looked_at(deeds in prop::collection::vec(0..13_usize, 1..14)) {
        let pool = [needs("bank", "shop"), needs("till", "pay"), needs("desk", "bank"), needs("shelf", "shop")];
        let mut holds = [true, true, false, false];
        let mut world = looked_at();
        let mut seen = reached(&world);
        for deed in deeds {
            // A refused act changes nothing.
            let _ = match deed {
                0 => world.submit("rita"),
                1 => world.assess("rita", json!({})),
                2 => {
                    let answer = world.assess("rita", json!({"dependencies_reviewed": true}));
                    if answer.is_ok() {
                        seen = reached(&world);
                    }
                    answer
                }
                3 => world.edit("rita", json!({"targets": [place("shop")]})),
                4 => world.edit("rita", json!({"targets": [place("pay")]})),
                5 => world.edit("rita", json!({"targets": [place("shop"), place("pay")]})),
                6 => world.edit("rita", json!({"kind": "emergency", "incident": "INC-1"})),
                7 => world.edit("rita", json!({"kind": "normal", "incident": null})),
                8 => world.decide("sam", json!({"decision": "reject", "comment": "No."})).map(drop),
                arrow => {
                    holds[arrow - 9] = !holds[arrow - 9];
                    let rows: Vec<Dependency> =
                        pool.iter().zip(holds).filter(|(_, holds)| *holds).map(|(row, _)| row.clone()).collect();
                    world.estate(|estate| estate.dependencies = rows.into());
                    world.settle();
                    Ok(())
                }
            };
            let is_asked = matches!(world.state(), State::Authorizing | State::Approved | State::Scheduled);
            if is_asked && world.change().content.kind == Kind::Normal {
                prop_assert!(reached(&world).is_subset(&seen), "{:?} of {:?}", reached(&world), seen);
            }
        }
    }
}
