//! Risk cannot be talked down: on each axis the higher of stated and derived counts until an approver accepts the lower one.

mod adjustments;
mod causes;
mod complexity;
mod forecast;
mod hands;
mod matrix;

use std::collections::BTreeSet;

use model::approval::decide;
use model::change::affected::{begins_at, causes};
use model::change::record::Impact;
use model::core::enums::{Criticality, Kind, Level, NodeKind, RatedFact, State, Touch};
use model::directory::records::{ConfigItem, Dependency, Service};
use model::directory::snapshot::Directory;
use model::risk::effective::effective;
use model::risk::terms::HELD;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::people::directory;
use crate::world::{World, code, facts_but, fields};

const LEVELS: [Level; 4] = [Level::None, Level::Low, Level::Medium, Level::High];

fn shop(estate: &mut Directory) -> &mut Service {
    estate.services.get_mut(&"shop".into()).unwrap()
}

fn needs(from: &str, to: &str) -> Dependency {
    Dependency {
        id: format!("{from}-{to}").as_str().into(),
        version: 1,
        from: from.into(),
        to: to.into(),
        kind: Default::default(),
        from_kind: NodeKind::Service,
        to_kind: NodeKind::Service,
        environments: Default::default(),
        ended: false,
    }
}

fn counted(world: &World) -> (Impact, Option<Level>, BTreeSet<Touch>) {
    let found = effective(&world.file, &world.directory, world.now);
    (found.impact, found.complexity, found.touches)
}

fn lowered(world: &World) -> Vec<(RatedFact, bool)> {
    let rows = world.change().risk.lowered.iter();
    rows.map(|row| (row.fact, row.accepted_by.is_some())).collect()
}

/// A shop that is critical, in scope and full of secrets, and a change of it that admits to nothing.
fn grave_estate() -> Directory {
    let mut estate = directory();
    let shop = shop(&mut estate);
    shop.criticality = Criticality::Critical;
    shop.regimes = ["sox".to_owned()].into();
    shop.data_class = Some("restricted".to_owned());
    shop.holds = [Touch::Schema, Touch::CryptoKeys].into();
    estate
}

fn harmless() -> Value {
    json!({"impact": {"data": "none", "availability": "none", "compliance": "none"}, "complexity": "low"})
}

fn talked_down() -> World {
    World::create("rita", facts_but(harmless()), Vec::new(), grave_estate()).unwrap()
}

fn accept(world: &mut World, who: &str, names: &[&str]) -> Result<(), model::core::refusal::Refusal> {
    let lowering = json!({"fields": names, "reason": "It was rehearsed twice."});
    world
        .decide(who, json!({"decision": "approve", "lowering": lowering}))
        .map(drop)
}

#[test]
fn stating_less_than_the_estate_says_lowers_nothing() {
    let world = talked_down();
    let high = Impact {
        data: Level::High,
        availability: Level::High,
        compliance: Level::Medium,
    };
    assert_eq!(
        counted(&world),
        (high, Some(Level::Medium), [Touch::Schema, Touch::CryptoKeys].into())
    );
    assert_eq!(world.change().risk.level, Level::High);
    let stated = [
        RatedFact::Touches,
        RatedFact::Complexity,
        RatedFact::Data,
        RatedFact::Availability,
        RatedFact::Compliance,
    ];
    assert_eq!(lowered(&world), stated.map(|fact| (fact, false)));
}

#[test]
fn an_edit_while_approvals_are_asked_lowers_nothing_either() {
    let mut world = World::create(
        "rita",
        facts_but(json!({"impact": null, "complexity": "medium"})),
        Vec::new(),
        grave_estate(),
    )
    .unwrap()
    .until_authorizing();
    assert_eq!(world.change().risk.level, Level::High);
    world.edit("rita", harmless()).unwrap();
    assert_eq!(world.change().risk.level, Level::High);
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Authorizing, "no peer has read it");
    assert!(world.unmet().contains(&"peer_review_missing".to_owned()));
}

#[test]
fn an_approver_of_what_accepts_the_lower_values_with_a_reason() {
    let mut world = talked_down().until_authorizing();
    let all = [
        "touches",
        "complexity",
        "impact.data",
        "impact.availability",
        "impact.compliance",
    ];
    let without_reason = json!({"decision": "approve", "lowering": {"fields": all}});
    assert_eq!(
        fields(world.decide("olga", without_reason)),
        [("lowering.reason".to_owned(), "missing".to_owned())]
    );
    assert_eq!(
        code(accept(&mut world, "rita", &all)),
        "not_asked",
        "it is her own change"
    );
    accept(&mut world, "olga", &["impact.data"]).unwrap();
    assert_eq!(counted(&world).0.data, Level::None);
    assert_eq!(world.change().risk.level, Level::High, "availability was not accepted");
    accept(&mut world, "sam", &all).unwrap();
    assert_eq!(world.change().risk.level, Level::Low);
    assert!(counted(&world).2.is_empty(), "what it touches was accepted by name");
    let own = world.file.approvals.last().unwrap().id.clone();
    world.act("sam", |case| decide::withdraw(case, &own)).unwrap();
    assert_eq!(world.change().risk.level, Level::High, "the word was taken back");
}

#[test]
fn what_was_accepted_ends_with_the_content_and_with_the_estate_that_it_was_about() {
    let all = [
        "touches",
        "complexity",
        "impact.data",
        "impact.availability",
        "impact.compliance",
    ];
    let mut world = talked_down().until_authorizing();
    accept(&mut world, "sam", &all).unwrap();
    world
        .edit("rita", json!({"description": "Quite another thing"}))
        .unwrap();
    assert_eq!(world.change().risk.level, Level::High, "the content is another");
    accept(&mut world, "sam", &all).unwrap();
    assert_eq!(world.change().risk.level, Level::Low);
    world.estate(|estate| {
        shop(estate).holds.insert(Touch::PrivilegedAccess);
    });
    world.settle();
    assert!(
        counted(&world).2.contains(&Touch::PrivilegedAccess),
        "nobody accepted that"
    );
}

#[test]
fn what_is_not_lowered_cannot_be_accepted() {
    let mut world = World::new().until_authorizing();
    assert_eq!(
        fields(accept(&mut world, "olga", &["impact.data"])),
        [("lowering.fields".to_owned(), "not_lowered".to_owned())]
    );
}

#[test]
fn a_plain_yes_accepts_nothing() {
    let mut world = talked_down().until_authorizing();
    for who in ["olga", "sam", "mia"] {
        world
            .decide(who, json!({"decision": "approve", "comment": "Fine by me"}))
            .unwrap();
    }
    assert_eq!(
        (world.change().risk.level, world.state()),
        (Level::High, State::Authorizing)
    );
}

#[test]
fn what_needs_a_service_counts_by_how_many_how_critical_and_how_far() {
    let mut estate = directory();
    estate.services.get_mut(&"pay".into()).unwrap().regimes = ["sox".to_owned()].into();
    estate.dependencies = vec![needs("pay", "shop")].into();
    let unstated = || facts_but(json!({"impact": null}));
    let of = |estate: Directory| counted(&World::create("rita", unstated(), Vec::new(), estate).unwrap()).0;
    let near = of(estate.clone());
    assert_eq!((near.availability, near.compliance), (Level::High, Level::Medium));
    let mut far = estate.clone();
    far.services.insert(
        "hub".into(),
        Service {
            key: "hub".into(),
            ..shop(&mut far.clone()).clone()
        },
    );
    far.dependencies = vec![needs("pay", "hub"), needs("hub", "shop")].into();
    let one_less = of(far);
    assert_eq!(
        (one_less.availability, one_less.compliance),
        (Level::Medium, Level::Low)
    );
    for (count, level) in [
        (19, Level::Low),
        (20, Level::Medium),
        (99, Level::Medium),
        (9_999, Level::High),
    ] {
        let mut many = directory();
        many.dependencies = (0..count)
            .map(|n| needs(&format!("s{n}"), "shop"))
            .collect::<Vec<_>>()
            .into();
        assert_eq!(of(many).availability, level, "{count}");
    }
    let staging = facts_but(json!({"impact": null, "targets": [{"service": "shop", "environment": "staging"}]}));
    let staged = World::create("rita", staging, Vec::new(), estate).unwrap();
    assert_eq!(
        counted(&staged).0.availability,
        Level::Low,
        "nobody but the builders is hurt"
    );
}

#[test]
fn what_is_reached_is_looked_at_before_approvals_are_asked() {
    let mut estate = directory();
    estate.dependencies = vec![needs("pay", "shop")].into();
    let mut world = World::create("rita", facts_but(json!({})), Vec::new(), estate).unwrap();
    world.submit("rita").unwrap();
    assert_eq!(
        crate::world::missing(world.assess("rita", json!({}))),
        ["dependencies_not_reviewed".to_owned()]
    );
    let leaves_out =
        |item: &str| json!({"dependencies_reviewed": true, "excluded": [{"item": item, "reason": "It only reads."}]});
    assert_eq!(
        fields(world.assess("rita", leaves_out("nothing"))),
        [("excluded[0].item".to_owned(), "not_reached".to_owned())]
    );
    assert_eq!(
        fields(world.assess("rita", leaves_out("shop"))),
        [("excluded[0].item".to_owned(), "not_reached".to_owned())],
        "the target itself is changed, not reached"
    );
    world.assess("rita", leaves_out("service:pay")).unwrap();
    assert_eq!(world.state(), State::Authorizing);
    assert_eq!(
        counted(&world).0.availability,
        Level::High,
        "leaving it out lowers nothing"
    );
}

#[test]
fn work_that_names_no_item_may_touch_each_of_its_service() {
    let mut estate = directory();
    for (key, holds) in [("vault", vec![Touch::CryptoKeys]), ("logo", Vec::new())] {
        let item = ConfigItem {
            id: key.into(),
            version: 1,
            key: key.to_owned(),
            name: key.to_owned(),
            service: "shop".into(),
            kind: None,
            holds: holds.into_iter().collect(),
            addresses: Default::default(),
        };
        estate.config_items.insert(key.to_owned(), item);
    }
    let touches = |items: &[&str], build: bool| {
        let mut target = json!({"service": "shop", "environment": "production", "config_items": items});
        if build {
            target["artifact"] = json!("git:aae5e5e");
        }
        let facts = facts_but(json!({"targets": [target]}));
        let world = World::create("rita", facts, Vec::new(), estate.clone()).unwrap();
        counted(&world).2.contains(&Touch::CryptoKeys)
    };
    assert!(touches(&[], false) && touches(&["vault"], false) && touches(&["logo"], true));
    assert!(touches(&["unheard-of"], false), "what nobody knows is no narrower");
    assert!(!touches(&["logo"], false));
}

#[test]
fn whatever_reaches_a_thing_is_its_cause() {
    let mut estate = directory();
    estate.dependencies = vec![needs("pay", "shop")].into();
    let world = World::create("rita", facts_but(json!({})), Vec::new(), estate.clone()).unwrap();
    let targets = &world.change().content.targets;
    let of_pay = causes(&estate, NodeKind::Service, "pay");
    assert!(begins_at(&of_pay, targets), "the shop reaches pay");
    let elsewhere = causes(&estate, NodeKind::Service, "elsewhere");
    assert!(!begins_at(&elsewhere, targets));
}

fn level() -> impl Strategy<Value = Level> {
    prop::sample::select(LEVELS.to_vec())
}

/// An estate's facts about its shop.
#[derive(Debug, Clone)]
struct Facts {
    criticality: Criticality,
    is_regulated: bool,
    data_class: Option<&'static str>,
    holds: Vec<Touch>,
    is_needed: bool,
}

fn estate_facts() -> impl Strategy<Value = Facts> {
    let classes = vec![
        None,
        Some("public"),
        Some("internal"),
        Some("confidential"),
        Some("restricted"),
    ];
    (
        prop::sample::select(Criticality::ALL.to_vec()),
        any::<bool>(),
        prop::sample::select(classes),
        prop::sample::subsequence(HELD.to_vec(), 0..=4),
        any::<bool>(),
    )
        .prop_map(|(criticality, is_regulated, data_class, holds, is_needed)| Facts {
            criticality,
            is_regulated,
            data_class,
            holds,
            is_needed,
        })
}

impl Facts {
    fn put(&self, estate: &mut Directory) {
        let shop = shop(estate);
        shop.criticality = self.criticality;
        shop.regimes = self.is_regulated.then(|| "sox".to_owned()).into_iter().collect();
        shop.data_class = self.data_class.map(str::to_owned);
        shop.holds = self.holds.iter().copied().collect();
        let arrows = self.is_needed.then(|| needs("pay", "shop"));
        estate.dependencies = arrows.into_iter().collect::<Vec<_>>().into();
    }

    /// The estate's facts about data, availability and compliance, by a table of its own. `pay` is of high criticality.
    fn says(&self) -> [Level; 3] {
        let data = match self.data_class {
            Some("restricted") => Level::High,
            Some("confidential") => Level::Medium,
            Some("internal") => Level::Low,
            _ => Level::None,
        };
        let availability = match self.criticality {
            _ if self.is_needed => Level::High,
            Criticality::Low => Level::Low,
            Criticality::Medium => Level::Medium,
            _ => Level::High,
        };
        [
            data,
            availability,
            if self.is_regulated { Level::Medium } else { Level::None },
        ]
    }
}

fn words(stated: &[Option<Level>; 3], complexity: Level, touches: &[Touch], kind: Kind) -> Value {
    let axes = ["data", "availability", "compliance"].into_iter().zip(stated);
    let impact: serde_json::Map<String, Value> = axes.map(|(axis, level)| (axis.to_owned(), json!(level))).collect();
    json!({"kind": kind, "impact": impact, "complexity": complexity, "touches": touches, "threat": null})
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// For every stated value, at creation or by an edit, each axis counts as the higher of stated and derived.
    #[test]
    fn the_higher_of_stated_and_derived_counts(
        facts in estate_facts(),
        first in prop::array::uniform3(prop::option::of(level())),
        stated in prop::array::uniform3(prop::option::of(level())),
        complexity in prop::sample::select(vec![Level::Low, Level::Medium, Level::High]),
        touches in prop::sample::subsequence(HELD.to_vec(), 0..=4),
    ) {
        let mut estate = directory();
        facts.put(&mut estate);
        let words_of = |stated| words(stated, complexity, &touches, Kind::Normal);
        let mut world = World::create("rita", facts_but(words_of(&first)), Vec::new(), estate).unwrap();
        world.edit("rita", words_of(&stated)).unwrap();
        let (impact, counted_complexity, counted_touches) = counted(&world);
        let says = facts.says();
        // A merge patch of null clears, so that an axis without a value is derived.
        for (axis, counts) in [impact.data, impact.availability, impact.compliance].into_iter().enumerate() {
            prop_assert_eq!(counts, stated[axis].map_or(says[axis], |stated| stated.max(says[axis])));
        }
        let all: BTreeSet<Touch> = touches.iter().chain(&facts.holds).copied().collect();
        let is_hard = all.contains(&Touch::Schema) || all.contains(&Touch::CryptoKeys);
        prop_assert_eq!(counted_complexity, Some(if is_hard { complexity.max(Level::Medium) } else { complexity }));
        prop_assert_eq!(counted_touches, all);
    }

    /// A change is judged like the same change made now, whatever the estate was when it was written, submitted and approved.
    #[test]
    fn a_change_in_flight_is_judged_like_the_same_change_made_now(
        history in prop::collection::vec((estate_facts(), 0..4_usize), 1..6),
        stated in prop::array::uniform3(prop::option::of(level())),
        complexity in prop::sample::select(vec![Level::Low, Level::Medium, Level::High]),
    ) {
        let body = || facts_but(words(&stated, complexity, &[], Kind::Normal));
        let mut world = World::create("rita", body(), Vec::new(), directory()).unwrap();
        for (facts, deed) in &history {
            world.estate(|estate| facts.put(estate));
            world.settle();
            // A refused act changes nothing.
            let _ = match deed {
                0 => world.submit("rita"),
                1 => world.assess("rita", json!({"dependencies_reviewed": true})),
                2 => world.approve("olga").map(drop),
                _ => world.edit("rita", json!({"team": "web"})),
            };
        }
        let fresh = World::create("rita", body(), Vec::new(), (*world.directory).clone()).unwrap();
        prop_assert_eq!(counted(&world), counted(&fresh));
        prop_assert_eq!(&world.change().risk, &fresh.change().risk);
        let asked = |world: &World| {
            let rows = world.file.requirements.obligations.iter();
            rows.map(|row| row.obligation.id.clone()).collect::<Vec<_>>()
        };
        prop_assert_eq!(asked(&world), asked(&fresh));
    }
}
