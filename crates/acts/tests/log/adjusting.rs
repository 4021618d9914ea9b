//! Quarterly adjustments: made once for each quarter, requested from the change managers, adopted by two people.

use std::collections::BTreeSet;

use acts::Context;
use acts::core::noun;
use acts::notify::action_items::find;
use acts::policy::activate_configuration::{activate_configuration, withdraw_configuration};
use acts::policy::propose_configuration::propose_risk_table;
use acts::risk::adjust_rules::{decide_adjustment, find_due, keep_adjustment};
use model::change::record::{Change, Impact};
use model::change::related_records::Approval;
use model::core::enums::{AboutKind, ActionKind, ActionState, AdjustmentState, Category, ConfigurationState, Level};
use model::core::refusal::Refusal;
use model::notify::action_item::{About, ActionItem};
use model::policy::decision_facts::DecisionFacts;
use model::policy::facts::ForecastFacts;
use model::risk::risk_adjustment::RiskAdjustment;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::configuring::{attempt, refusal};
use crate::reviewing::{go_to, work};
use crate::world::{World, body};

/// One of many closed changes: 25 of the network, of which 8 failed, and all others of applications. All were rated low.
fn like(first: &Change, number: i64) -> Change {
    let is_network = number <= 25;
    let mut change = Change {
        id: format!("h{number:03}").as_str().into(),
        version: 0,
        key: format!("CHG-{}", 5_000 + number),
        number: 5_000 + number,
        way_back_taken: number <= 8,
        ..first.clone()
    };
    change.content.category = if is_network {
        Category::Network
    } else {
        Category::Application
    };
    change.content.touches = BTreeSet::new();
    change.content.impact = Impact {
        data: Level::None,
        availability: Level::Low,
        compliance: Level::None,
    };
    change.content.complexity = Some(if is_network { Level::Medium } else { Level::Low });
    change.risk.level = Level::Low;
    change
}

/// The same with stored facts behind its approval: those of applications with an even number have a forecast of 6 %, all others of 1 %,
/// and 12 of the former failed.
pub(crate) fn with_facts(cx: &mut Context<'_, '_>, first: &Change, number: i64) -> acts::Result<()> {
    let is_doubtful = number > 25 && number % 2 == 0;
    let change = Change {
        way_back_taken: is_doubtful && number < 50,
        ..like(first, number)
    };
    let of_first = Filter::new()
        .equals("change_id", first.id.as_str())
        .order_by("id")
        .limit(20);
    let approvals = record::bodies::<Approval>(cx.tx, &of_first)?;
    let last = approvals
        .iter()
        .filter(|row| row.is_yes())
        .max_by_key(|row| row.at)
        .unwrap();
    let facts = record::bodies::<DecisionFacts>(cx.tx, &of_first)?;
    let facts = facts.into_iter().find(|row| row.digest == last.facts_digest).unwrap();
    let (id, ppm) = (change.id.clone(), if is_doubtful { 60_000 } else { 10_000 });
    let mut told = facts.told.clone();
    told.forecast = Some(ForecastFacts {
        model: "m".to_owned(),
        features_version: 1,
        probability_ppm: Some(ppm),
        low_ppm: ppm,
        high_ppm: ppm,
        moved_ppm: None,
    });
    let approval = Approval {
        id: format!("a{number:03}").as_str().into(),
        version: 0,
        change: id.clone(),
        ..last.clone()
    };
    let facts = DecisionFacts {
        id: format!("f{number:03}").as_str().into(),
        version: 0,
        change: id,
        told,
        ..facts
    };
    cx.put_estate("change.closed", change, json!({}))?;
    cx.put_estate("change.approved", approval, json!({}))?;
    cx.put_estate("change.approved", facts, json!({})).map(drop)
}

#[test]
fn a_value_of_a_parameter_is_proposed_with_its_back_test_and_adopted_by_two_people() {
    let world = crate::configuring::world();
    let key = world.closed("Give every shipment a customs reference");
    world.system(move |cx| {
        let first = cx.change(&key)?;
        (1..=105).try_for_each(|number| with_facts(cx, &first, number))
    });
    go_to(&world, "2027-01-02T08:00:00Z");
    let drawn = due(&world).unwrap();
    let comparison = drawn.comparison().unwrap();
    let asked_more: Vec<&str> = comparison.parameters.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(
        asked_more,
        [
            "canary_from_probability",
            "peer_review_from_probability",
            "thorough_evidence_from_probability"
        ],
        "whatever asks more from a forecast on"
    );
    let it = &comparison.parameters[1];
    assert_eq!(
        (
            it.name.as_str(),
            it.before.as_str(),
            it.after.as_str(),
            it.of,
            it.failed
        ),
        ("peer_review_from_probability", "10%", "5%", 40, 12)
    );
    assert!(it.back_test.reproduced > 0, "{:#?}", it.back_test);
    assert_eq!(
        (it.back_test.asked, it.back_test.failures_met),
        (40, 12),
        "{:#?}",
        it.back_test
    );
    assert!(keep(&world, drawn));

    let value = |world: &World| {
        let policies = world.look(|cx| cx.policies()).unwrap();
        let found = policies
            .parameters()
            .iter()
            .find(|it| it.name == "peer_review_from_probability");
        found.unwrap().value.clone()
    };
    let adopted = decide(
        &world,
        "mona",
        json!({"adopted": true, "reason": "Twelve of 40 failed"}),
    )
    .unwrap();
    assert_eq!(value(&world), "10%", "adopting alone moves nothing");
    let id = adopted.policies.unwrap();
    let own = id.clone();
    let refused = attempt(&world, "mona", move |cx| {
        activate_configuration(cx, &own, &body(json!({})))
    });
    assert_eq!(refusal(refused).code(), "second_person_needed");
    world.by("ada", move |cx| activate_configuration(cx, &id, &body(json!({}))));
    assert_eq!(value(&world), "5%");
    assert_eq!(replayed(&world), Vec::<String>::new());
}

/// A fourth quarter of 2026 with 106 closed changes.
pub(crate) fn planted() -> World {
    let world = crate::configuring::world();
    let key = world.closed("Give every shipment a customs reference");
    world.system(move |cx| {
        let first = cx.change(&key)?;
        for number in 1..=105 {
            cx.put_estate("change.closed", like(&first, number), json!({}))?;
        }
        Ok(())
    });
    world
}

pub(crate) fn due(world: &World) -> Option<RiskAdjustment> {
    world.look(find_due).unwrap()
}

pub(crate) fn keep(world: &World, drawn: RiskAdjustment) -> bool {
    world.system(move |cx| keep_adjustment(cx, &drawn))
}

/// The adjustment of the planted quarter, as the job writes it.
fn adjusted() -> World {
    let world = planted();
    go_to(&world, "2027-01-02T08:00:00Z");
    let drawn = due(&world).unwrap();
    assert!(keep(&world, drawn));
    world
}

fn item(world: &World, quarter: &str) -> Option<ActionItem> {
    let about = About::new(AboutKind::Other, format!("risk-adjustment {quarter}"));
    world.look(move |cx| find(cx, ActionKind::Improve, &about, "")).unwrap()
}

pub(crate) fn decide(world: &World, login: &'static str, said: Value) -> std::result::Result<RiskAdjustment, Refusal> {
    let said = body(said);
    match attempt(world, login, move |cx| decide_adjustment(cx, "2026-Q4", &said)) {
        Ok(decided) => Ok(decided),
        refused => Err(refusal(refused)),
    }
}

/// Replay's findings on adjustments and their effects. The made-up history passed the counter of keys by.
fn replayed(world: &World) -> Vec<String> {
    world.sequence();
    let found = world.replay().findings.into_iter();
    found
        .filter(|it| ["risk_adjustment", "action_item", "configuration", "tenant"].contains(&it.table.as_str()))
        .map(|it| format!("{} {}", it.table, it.field.unwrap_or_default()))
        .collect()
}

#[test]
fn each_quarter_is_compared_once_and_the_change_managers_have_thirty_days() {
    let world = planted();
    assert!(
        due(&world).is_none(),
        "nothing was closed in the quarter that ended last"
    );
    go_to(&world, "2027-01-02T08:00:00Z");
    let (drawn, stale) = (due(&world).unwrap(), due(&world).unwrap());
    assert_eq!((drawn.quarter.as_str(), drawn.compared), ("2026-Q4", 106));
    assert!(
        drawn.findings.contains(&"under_ruled: category network".to_owned()),
        "{:?}",
        drawn.findings
    );
    assert!(keep(&world, drawn));
    assert!(!keep(&world, stale), "another server wrote it meanwhile");
    assert!(due(&world).is_none(), "a restart finds it");
    let asked = item(&world, "2026-Q4").unwrap();
    assert_eq!(
        (asked.state, asked.due_at.to_string().as_str()),
        (ActionState::Open, "2027-02-01T08:00:00Z")
    );

    // The next quarter has one change alone, which proves nothing.
    go_to(&world, "2027-02-10T08:00:00Z");
    work(&world);
    assert!(
        item(&world, "2026-Q4").unwrap().steps > 0,
        "nobody decided for thirty days"
    );
    world.system(|cx| {
        let late = like(&cx.change("CHG-5001")?, 900);
        let late = Change {
            closed_at: Some(cx.now),
            updated_at: cx.now,
            ..late
        };
        cx.put_estate("change.closed", late, json!({})).map(drop)
    });
    assert!(due(&world).is_none(), "its quarter has not ended");
    go_to(&world, "2027-04-02T08:00:00Z");
    let next = due(&world).unwrap();
    assert_eq!(
        (next.quarter.as_str(), next.compared, next.state),
        ("2027-Q1", 1, AdjustmentState::NothingFound)
    );
    assert!(keep(&world, next));
    assert_eq!(item(&world, "2027-Q1"), None, "nobody is asked about nothing");
    let listed = world.by("olga", noun::list::<RiskAdjustment>);
    let quarters: Vec<&str> = listed.iter().map(|it| it.quarter.as_str()).collect();
    assert_eq!(quarters, ["2026-Q4", "2027-Q1"]);
    assert_eq!(replayed(&world), Vec::<String>::new());
}

#[test]
fn adopting_proposes_the_table_and_another_person_puts_it_in_force() {
    let world = adjusted();
    let yes = || json!({"adopted": true, "reason": "Eight of 25 changes of the network failed"});
    assert!(decide(&world, "olga", yes()).is_err(), "an owner sets no policies");
    let unreasoned = decide(&world, "mona", json!({"adopted": true}));
    let Err(Refusal::Invalid(errors)) = unreasoned else {
        panic!("{unreasoned:?}")
    };
    assert_eq!(
        (errors[0].field.as_str(), errors[0].code.as_str()),
        ("reason", "missing")
    );
    let adopted = decide(&world, "mona", yes()).unwrap();
    assert_eq!(adopted.state, AdjustmentState::Adopted);
    assert!(
        item(&world, "2026-Q4").unwrap().state.is_open(),
        "adopting puts nothing in force, so it waits on"
    );
    let id = adopted.configuration.unwrap();
    let level = |world: &World| {
        let found = world.look(|cx| {
            Ok(cx
                .directory()?
                .tenant
                .as_ref()
                .map(|it| (it.risk_table.clone(), it.risk_terms.clone())))
        });
        let (table, terms) = found.unwrap().unwrap();
        let least = terms.complexity_of(&BTreeSet::new(), Category::Network);
        table.level(Level::Low, least.max(Some(Level::Medium)))
    };
    assert_eq!(level(&world), Level::Low, "adopting alone moves nothing");
    let own = id.clone();
    let refused = attempt(&world, "mona", move |cx| {
        activate_configuration(cx, &own, &body(json!({})))
    });
    assert_eq!(refusal(refused).code(), "second_person_needed");
    let active = world.by("ada", move |cx| activate_configuration(cx, &id, &body(json!({}))));
    assert_eq!(active.state, ConfigurationState::Active);
    assert_eq!(level(&world), Level::Medium);
    assert_eq!(item(&world, "2026-Q4").unwrap().state, ActionState::Done);
    assert_eq!(decide(&world, "ada", yes()).unwrap_err().code(), "not_in_state");
    assert_eq!(replayed(&world), Vec::<String>::new());
}

#[test]
fn a_table_that_moved_since_the_comparison_is_not_put_back() {
    let world = adjusted();
    let row = json!({"low": "medium", "medium": "medium", "high": "high"});
    let all = json!({"none": row, "low": row, "medium": row, "high": row});
    let wanted = body(json!({"table": all, "reason": "Stricter"}));
    let made = world.by("ada", move |cx| propose_risk_table(cx, &wanted));
    let id = made.id.0.clone();
    world.by("adam", move |cx| activate_configuration(cx, &id, &body(json!({}))));
    let moved = decide(&world, "mona", json!({"adopted": true, "reason": "Yes"}));
    assert_eq!(moved.unwrap_err().code(), "risk_table_moved");
    let unknown = json!({"adopted": true, "reason": "Yes", "configuration": "nothing"});
    assert!(matches!(decide(&world, "mona", unknown), Err(Refusal::NotFound { .. })));
    let contrary = json!({"adopted": false, "reason": "No", "configuration": made.id});
    assert!(matches!(decide(&world, "mona", contrary), Err(Refusal::Invalid(_))));
    let named = json!({"adopted": true, "reason": "It is stricter already", "configuration": made.id});
    let adopted = decide(&world, "mona", named).unwrap();
    assert_eq!(adopted.configuration.as_deref(), Some(made.id.as_str()));
    let settled = item(&world, "2026-Q4").unwrap();
    assert_eq!(settled.state, ActionState::Done, "what it names is in force already");
}

#[test]
fn an_adopted_adjustment_escalates_until_its_configuration_is_in_force() {
    let world = adjusted();
    let yes = || json!({"adopted": true, "reason": "Eight of 25 changes of the network failed"});
    let due_at = item(&world, "2026-Q4").unwrap().due_at;
    let id = decide(&world, "mona", yes()).unwrap().configuration.unwrap();
    assert_eq!(item(&world, "2026-Q4").unwrap().due_at, due_at, "adopting wins no time");
    go_to(&world, "2027-02-10T08:00:00Z");
    work(&world);
    let late = item(&world, "2026-Q4").unwrap();
    assert!(late.state.is_open() && late.steps > 0, "{late:?}");
    assert_eq!(decide(&world, "ada", yes()).unwrap_err().code(), "not_in_state");

    // A proposal that is withdrawn is no way out either: it waits, and is decided anew.
    let withdrawn = id.clone();
    world.by("mona", move |cx| withdraw_configuration(cx, &withdrawn));
    assert!(item(&world, "2026-Q4").unwrap().state.is_open());
    let again = decide(&world, "mona", yes()).unwrap().configuration.unwrap();
    assert_ne!(again, id);
    assert!(item(&world, "2026-Q4").unwrap().state.is_open());
    world.by("ada", move |cx| activate_configuration(cx, &again, &body(json!({}))));
    assert_eq!(item(&world, "2026-Q4").unwrap().state, ActionState::Done);
    assert_eq!(replayed(&world), Vec::<String>::new());
}

#[test]
fn while_one_of_two_configurations_waits_the_adjustment_is_not_declined() {
    let world = adjusted();
    let adopted = decide(&world, "mona", json!({"adopted": true, "reason": "Eight of 25 failed"})).unwrap();
    let row = json!({"low": "medium", "medium": "medium", "high": "high"});
    let wanted = body(json!({"table": {"none": row, "low": row, "medium": row, "high": row}, "reason": "Stricter"}));
    let second = world.by("ada", move |cx| propose_risk_table(cx, &wanted)).id.0;
    let both = RiskAdjustment {
        policies: Some(second.clone()),
        ..adopted.clone()
    };
    world.system(move |cx| {
        cx.put_estate("risk_adjustment.adopted", both.clone(), json!({}))
            .map(drop)
    });
    let first = adopted.configuration.unwrap();
    world.by("mona", move |cx| withdraw_configuration(cx, &first));
    let no = || json!({"adopted": false, "reason": "One exercise"});
    assert_eq!(decide(&world, "mona", no()).unwrap_err().code(), "not_in_state");
    assert!(item(&world, "2026-Q4").unwrap().state.is_open());
    world.by("ada", move |cx| withdraw_configuration(cx, &second));
    assert_eq!(decide(&world, "mona", no()).unwrap().state, AdjustmentState::Declined);
    assert_eq!(item(&world, "2026-Q4").unwrap().state, ActionState::Done);
}

#[test]
fn declining_needs_a_reason_and_changes_nothing() {
    let world = adjusted();
    let declined = decide(&world, "mona", json!({"adopted": false, "reason": "One exercise"})).unwrap();
    assert_eq!(
        (declined.state, declined.configuration),
        (AdjustmentState::Declined, None)
    );
    assert_eq!(item(&world, "2026-Q4").unwrap().state, ActionState::Done);
}

#[test]
fn a_person_compares_a_quarter_that_has_ended_and_that_nobody_compared() {
    let world = crate::configuring::world();
    let compare = |quarter: &str| {
        let wanted = body(json!({"quarter": quarter}));
        attempt(&world, "mona", move |cx| noun::add::<RiskAdjustment>(cx, &wanted))
    };
    for (quarter, code) in [("2026-4", "not_a_quarter"), ("2026-Q4", "not_over")] {
        let Refusal::Invalid(errors) = refusal(compare(quarter)) else {
            panic!("{quarter}")
        };
        assert_eq!(errors[0].code, code, "{quarter}");
    }
    let made = compare("2019-Q4").unwrap();
    assert_eq!((made.state, made.compared), (AdjustmentState::NothingFound, 0));
    assert_eq!(refusal(compare("2019-Q4")).code(), "compared");
    assert_eq!(item(&world, "2019-Q4"), None);
}
