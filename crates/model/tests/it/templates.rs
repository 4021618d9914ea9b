//! A standard change stays inside of the bounds that its template's approvers saw, however it came to be one.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::change::record::{Change, Impact};
use model::change::success::succeeded;
use model::change::template::bounds::{DisruptionBound, TemplateBounds};
use model::core::enums::{Criticality, Disruption, Kind, Level, Outcome, State, TemplateState, Touch};
use model::core::ids::RecordId;
use model::core::refusal::Refusal;
use model::directory::snapshot::StandardTemplate;
use model::risk::assessment::RiskTable;
use model::risk::cause_move::CauseMove;
use model::risk::forecast::features::FEATURES_VERSION;
use model::risk::forecast::kept_forecast::Forecast;
use model::risk::forecast::model_record::FailureModel;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::people::{dawn, directory, template};
use crate::world::{World, body, facts_but, standard_facts};

const LEVELS: [Level; 4] = [Level::None, Level::Low, Level::Medium, Level::High];
const RATED: [Level; 3] = [Level::Low, Level::Medium, Level::High];

fn bounds() -> impl Strategy<Value = TemplateBounds> {
    let level = || prop::sample::select(LEVELS.to_vec());
    let rated = || prop::sample::select(RATED.to_vec());
    let disruption = prop::option::of((
        prop::sample::select(Disruption::ALL.to_vec()),
        prop::option::of(0..60_i64),
    ));
    let touches = prop::collection::btree_set(prop::sample::select(Touch::ALL.to_vec()), 0..3);
    (rated(), rated(), [level(), level(), level()], touches, disruption).prop_map(
        |(highest_risk, complexity, [data, availability, compliance], touches, disruption)| TemplateBounds {
            highest_risk,
            complexity,
            impact: Impact {
                data,
                availability,
                compliance,
            },
            touches,
            disruption: disruption.map(|(kind, minutes)| DisruptionBound { kind, minutes }),
            highest_probability: None,
        },
    )
}

fn said() -> impl Strategy<Value = Value> {
    let level = || prop::sample::select(LEVELS.to_vec());
    let complexity = prop::sample::select(RATED.to_vec());
    let touches = prop::collection::vec(prop::sample::select(Touch::ALL.to_vec()), 0..2);
    let disruption = prop::option::of((
        prop::sample::select(Disruption::ALL.to_vec()),
        prop::option::of(0..60_i64),
    ));
    ([level(), level(), level()], complexity, touches, disruption).prop_map(
        |([data, availability, compliance], complexity, touches, disruption)| {
            let disruption = disruption.map(|(kind, minutes)| json!({"kind": kind, "minutes": minutes}));
            json!({
                "impact": {"data": data, "availability": availability, "compliance": compliance},
                "complexity": complexity, "touches": touches, "disruption": disruption,
            })
        },
    )
}

/// Whether a change stays within the bounds, apart from the product's own comparison.
fn is_inside(change: &Change, bounds: &TemplateBounds) -> bool {
    let content = &change.content;
    let most = [bounds.impact.data, bounds.impact.availability, bounds.impact.compliance];
    // The shop is of low criticality, and neither schema nor keys are easy work.
    let said = [
        content.impact.data,
        content.impact.availability.max(Level::Low),
        content.impact.compliance,
    ];
    let is_hard = content.touches.contains(&Touch::Schema) || content.touches.contains(&Touch::CryptoKeys);
    let least = if is_hard { Level::Medium } else { Level::Low };
    let quiet = match (&content.disruption, &bounds.disruption) {
        (None, _) => true,
        (Some(plan), _) if plan.kind == Disruption::None => true,
        (Some(_), None) => false,
        (Some(plan), Some(most)) => {
            let place = |kind| Disruption::ALL.iter().position(|it| *it == kind);
            let fits = most
                .minutes
                .is_none_or(|most| plan.minutes.is_some_and(|it| it <= most));
            place(plan.kind) <= place(most.kind) && fits
        }
    };
    std::iter::zip(said, most).all(|(said, most)| said <= most)
        && content
            .complexity
            .is_none_or(|level| level.max(least) <= bounds.complexity)
        && content.touches.iter().all(|touch| bounds.touches.contains(touch))
        && change.risk.level <= bounds.highest_risk
        && quiet
}

#[test]
fn a_standard_change_that_fails_more_likely_than_its_template_allows_becomes_a_normal_one() {
    let mut estate = directory();
    estate.templates.get_mut("patch").unwrap().bounds.highest_probability = Some(50_000);
    let mut world = World::create("rita", standard_facts(), Vec::new(), estate).unwrap();
    let forecast = |ppm: Option<i64>| Forecast {
        model: "sha256:m".to_owned(),
        model_key: "failure-2026-Q4".to_owned(),
        features_version: FEATURES_VERSION,
        what: "sha256:w".to_owned(),
        at: dawn(),
        service: "shop".into(),
        environment: "production".into(),
        has_team: false,
        inputs: Vec::new(),
        probability_ppm: ppm,
        low_ppm: 10_000,
        high_ppm: 90_000,
        parts: Vec::new(),
        groups: Vec::new(),
        missing: None,
    };
    world.settle();
    assert_eq!(world.change().content.kind, Kind::Standard, "no model, no bound");
    world.file.change.forecast = Some(forecast(Some(50_000)));
    world.settle();
    assert_eq!(world.change().content.kind, Kind::Standard);
    let bounds = world.directory.templates.get("patch").unwrap().bounds.clone();
    let exceeded = |ppm: Option<i64>| {
        let mut change = world.file.change.clone();
        change.forecast = Some(forecast(ppm));
        bounds.exceeded(&change)
    };
    assert_eq!(exceeded(Some(50_000)), [""; 0]);
    assert_eq!(exceeded(Some(50_001)), ["forecast"]);
    assert_eq!(exceeded(None), ["forecast"], "what abstains counts as its upper end");

    world.file.cause_moves = vec![CauseMove {
        id: RecordId::from("m1"),
        version: 1,
        change: "c1".to_owned(),
        change_key: "CHG-1".to_owned(),
        incident_key: "INC-1".to_owned(),
        cause: "capacity".to_owned(),
        features: BTreeSet::new(),
        model: "sha256:m".to_owned(),
        what: "sha256:w".to_owned(),
        from_ppm: 50_000,
        to_ppm: 59_406,
        at: dawn(),
    }];
    world.settle();
    assert_eq!(world.change().content.kind, Kind::Normal, "a reviewed failure moved it");
    assert_eq!(world.change().turned_normal, ["forecast"]);
}

/// The forecast of the content after an edit counts, and not that of the content before it.
#[test]
fn a_change_becomes_standard_by_the_forecast_of_what_it_says_then() {
    let mut estate = directory();
    estate.failure_model = Some(Arc::new(FailureModel::fitted(&Default::default(), 0, dawn(), None)));
    let bounds = &mut estate.templates.get_mut("patch").unwrap().bounds;
    bounds.highest_probability = Some(999_999);
    // The model knows no outcome of the shop, which makes its first change harder.
    bounds.complexity = Level::High;
    bounds.highest_risk = Level::High;
    let mut world = World::create("rita", facts_but(json!({})), Vec::new(), estate).unwrap();
    world.file.change.forecast.as_mut().unwrap().probability_ppm = Some(1_000_000);
    let mut words = world.directory.templates.get("patch").unwrap().locked.clone();
    words.insert("kind".to_owned(), json!("standard"));
    words.insert("template".to_owned(), json!("patch"));
    world.edit("rita", Value::Object(words)).unwrap();
    assert_eq!(world.change().content.kind, Kind::Standard);
}

proptest! {
    /// Created, edited, made standard later, or moved by facts: a change is standard exactly when it is inside of the bounds.
    #[test]
    fn a_standard_change_never_exceeds_its_bounds(bounds in bounds(), said in said(), way in 0..3_u8, table in any::<bool>()) {
        let mut estate = directory();
        estate.templates.get_mut("patch").unwrap().bounds = bounds.clone();
        let mut words = standard_facts();
        let mut world = match way {
            0 => {
                model::change::read_content::merge(&mut words, &body(said));
                World::create("rita", words, Vec::new(), estate).unwrap()
            }
            1 => {
                let mut world = World::create("rita", words, Vec::new(), estate).unwrap();
                world.edit("rita", said).unwrap();
                world
            }
            _ => {
                let mut world = World::create("rita", facts_but(said), Vec::new(), estate).unwrap().until_authorizing();
                let answer = world.edit("rita", json!({"kind": "standard", "template": "patch"}));
                let is_standard = world.change().content.kind == Kind::Standard;
                prop_assert_eq!(answer.is_ok(), is_standard, "refused, never half done: {:?}", answer);
                world
            }
        };
        if table {
            // A low value is high now: the facts moved under the change.
            world.estate(|estate| estate.tenant.as_mut().unwrap().risk_table = RiskTable([[Level::High; 3]; 4]));
            world.settle();
        }
        let is_standard = world.change().content.kind == Kind::Standard;
        if is_standard {
            prop_assert!(is_inside(world.change(), &bounds), "{:?} is outside of {:?}", world.change().content, bounds);
        } else if way == 0 && !table {
            prop_assert!(!is_inside(world.change(), &bounds), "{:?} is inside of {:?}", world.change().content, bounds);
        }
    }
}

#[test]
fn a_change_that_goes_beyond_a_template_cannot_become_standard() {
    let high = json!({"impact": {"data": "high"}, "complexity": "high"});
    let mut world = World::with(facts_but(high), Vec::new()).until_authorizing();
    let before = world.file.clone();
    let refused = world.edit("rita", json!({"kind": "standard", "template": "patch"}));
    let Err(Refusal::Invalid(errors)) = &refused else {
        panic!("{refused:?}")
    };
    let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["impact", "complexity", "risk"]);
    assert_eq!(world.file.change, before.change);
}

#[test]
fn a_service_that_becomes_grave_takes_its_standard_changes_out_of_the_template() {
    let mut world = World::standard();
    world.submit("rita").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    world.estate(|estate| {
        estate.services.get_mut(&"shop".into()).unwrap().criticality = Criticality::Critical;
        estate.tenant.as_mut().unwrap().risk_table = RiskTable([[Level::Medium; 3]; 4]);
    });
    world.settle();
    assert_eq!(
        (world.change().content.kind, world.state()),
        (Kind::Normal, State::Assessing)
    );
    assert_eq!(world.change().turned_normal, ["impact", "risk"]);
    let told = world
        .letters
        .iter()
        .filter(|letter| letter.topic == "turned_normal")
        .count();
    assert_eq!(told, 1, "its owner is told");
}

fn after(template: &StandardTemplate, change: &Change) -> Option<StandardTemplate> {
    template.after(change, succeeded(change), dawn())
}

#[test]
fn three_failures_suspend_a_template_and_each_change_counts_once() {
    let ended = |number: u32, outcome: Outcome| {
        let mut change = World::standard().change().clone();
        change.id = format!("c{number}").as_str().into();
        change.key = format!("CHG-{number}");
        change.outcome = Some(outcome);
        for record in &mut change.target_records {
            record.outcome = Some(outcome);
        }
        change
    };
    let first = template();
    for outcome in [Outcome::Succeeded, Outcome::NotImplemented] {
        assert!(after(&first, &ended(1, outcome)).is_none());
    }
    let one = after(&first, &ended(1, Outcome::Failed)).unwrap();
    assert!(after(&one, &ended(1, Outcome::RolledBack)).is_none(), "known already");
    let two = after(&one, &ended(2, Outcome::RolledBack)).unwrap();
    assert_eq!((two.state, two.failures.len()), (TemplateState::Approved, 2));
    let taken_back = after(&two, &ended(2, Outcome::Succeeded)).unwrap();
    assert_eq!(taken_back.failures.len(), 1);
    let three = after(&two, &ended(3, Outcome::PartiallyImplemented)).unwrap();
    assert_eq!(three.state, TemplateState::Suspended);
    assert_eq!(
        three.ended_reason.as_deref(),
        Some("3 of its changes failed: CHG-1, CHG-2, CHG-3.")
    );
    let mut other = ended(4, Outcome::Failed);
    other.content.template.as_mut().unwrap().template_version = 2;
    assert!(after(&first, &other).is_none(), "another version's failure");
}

/// Converted, a change is judged whole: its targets too, and whether the template is in force.
#[test]
fn nothing_becomes_standard_outside_of_what_its_template_permits() {
    let convert = |world: &mut World| {
        let locked = world.directory.templates.get("patch").unwrap().locked.clone();
        let mut patch = serde_json::Map::from_iter(locked);
        patch.insert("kind".into(), "standard".into());
        patch.insert("template".into(), "patch".into());
        world.edit("rita", serde_json::Value::Object(patch))
    };
    let mut world = World::new();
    world.estate(|estate| {
        let mut template = estate.templates.get("patch").unwrap().clone();
        template.services = ["pay".into()].into();
        estate.templates.insert("patch".into(), template);
    });
    let wrong: Vec<String> = crate::world::fields(convert(&mut world))
        .into_iter()
        .map(|(_, code)| code)
        .collect();
    assert_eq!(wrong, ["outside_template"]);
    assert_eq!(world.change().content.kind, model::core::enums::Kind::Normal);
}
