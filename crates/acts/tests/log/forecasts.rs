//! Models of failure: fitted when due, written once, replayed; a forecast that a change keeps is computed again from its model,
//! and no later model changes it.

use acts::risk::fit_model::{Material, find_models, gather_material, keep_model};
use acts::risk::show_forecast::{Shown, show_forecast};
use model::change::record::Change;
use model::core::enums::State;
use model::policy::decision_facts::DecisionFacts;
use model::risk::forecast::model_record::FailureModel;
use model::risk::forecast::pinned::is_repeated;
use serde_json::json;
use store::record::{self, Filter};

use crate::reviewing::go_to;
use crate::world::{TENANT, World, body};

/// So many closed changes are made like the one that went all the way.
const CLOSED: i64 = 300;
/// Of so many of them one failed.
const ONE_IN: i64 = 16;

/// A history in which some changes were rolled back.
pub(crate) fn with_history() -> World {
    let world = World::new();
    let key = world.closed("Give every shipment a customs reference");
    world.system(move |cx| {
        let first = cx.change(&key)?;
        for number in 1..=CLOSED {
            let change = Change {
                id: format!("h{number:03}").as_str().into(),
                version: 0,
                key: format!("CHG-{}", 5_000 + number),
                number: 5_000 + number,
                way_back_taken: number % ONE_IN == 0,
                ..first.clone()
            };
            cx.put_estate("change.closed", change, json!({}))?;
        }
        Ok(())
    });
    world
}

pub(crate) fn material(world: &World) -> Option<Material> {
    gather_material(&world.executor, TENANT).unwrap()
}

pub(crate) fn keep(world: &World, material: Material) -> bool {
    let model = material.fit();
    let material = std::sync::Arc::new(material);
    world.system(move |cx| keep_model(cx, &model, &material))
}

fn models(world: &World) -> Vec<FailureModel> {
    world.look(find_models).unwrap()
}

fn change(world: &World, key: &str) -> Change {
    let key = key.to_owned();
    world.look(move |cx| cx.change(&key)).unwrap()
}

fn shown(world: &World, login: &'static str, key: &str) -> Shown {
    let key = key.to_owned();
    world.by(login, move |cx| show_forecast(cx, &key))
}

/// Replay's findings, but for the counter of keys, which the made-up history passed by.
fn findings(world: &World) -> Vec<String> {
    let found = world.replay().findings.into_iter().filter(|it| it.table != "counter");
    found
        .map(|it| format!("{} {}", it.table, it.field.unwrap_or_default()))
        .collect()
}

#[test]
fn a_small_install_has_no_model_and_says_what_is_missing() {
    let world = World::new();
    world.closed("Give every shipment a customs reference");
    assert!(material(&world).is_none());
    let key = world.draft("Another");
    assert_eq!(shown(&world, "rita", &key), Shown::Absent { closed: 1, needed: 20 });
    assert_eq!(change(&world, &key).forecast, None);
}

#[test]
fn a_model_is_fitted_when_due_and_a_recorded_forecast_outlives_the_next_one() {
    let world = with_history();
    let first = material(&world).unwrap();
    let stale = material(&world).unwrap();
    assert!(keep(&world, first));
    assert!(!keep(&world, stale), "another server fitted one meanwhile");
    assert!(material(&world).is_none(), "the quarter has its model");
    let model = models(&world).remove(0);
    assert_eq!(
        (model.key.as_str(), model.outcomes, model.failures),
        ("failure-2026-Q4", CLOSED + 1, CLOSED / ONE_IN)
    );

    let key = world.draft_at(
        "Widen the column",
        "git:bbbbe5e",
        ["2026-11-25T10:00:00Z", "2026-11-25T12:00:00Z"],
    );
    world.approved(key.clone());
    let pinned = change(&world, &key).forecast.unwrap();
    assert_eq!(pinned.model, model.digest);
    let ppm = pinned.probability_ppm.expect("the history is long enough");
    assert!((20_000..100_000).contains(&ppm), "{ppm}");
    assert_eq!(pinned.parts.iter().map(|part| part.ppm).sum::<i64>(), ppm);
    let facts = world
        .look(|cx| Ok(record::bodies::<DecisionFacts>(cx.tx, &Filter::new().order_by("id"))?))
        .unwrap();
    let told: Vec<_> = facts.iter().filter_map(|row| row.told.forecast.as_ref()).collect();
    assert!(
        !told.is_empty()
            && told
                .iter()
                .all(|it| it.model == model.digest && it.probability_ppm == Some(ppm))
    );

    go_to(&world, "2027-01-02T08:00:00Z");
    world.system(move |cx| {
        let change = cx.change("CHG-5001")?;
        let late = Change {
            id: "h900".into(),
            version: 0,
            key: "CHG-5900".to_owned(),
            number: 5_900,
            way_back_taken: true,
            ..change
        };
        cx.put_estate("change.closed", late, json!({})).map(drop)
    });
    let next = material(&world).unwrap();
    assert!(keep(&world, next));
    assert_eq!(
        models(&world).iter().map(|it| it.key.as_str()).collect::<Vec<_>>(),
        ["failure-2027-Q1", "failure-2026-Q4"]
    );
    assert_eq!(change(&world, &key).forecast, Some(pinned.clone()));
    let first = models(&world).pop().unwrap();
    assert!(
        is_repeated(&change(&world, &key), &pinned, &first),
        "its own model still says the same"
    );
    assert_eq!(findings(&world), Vec::<String>::new());
    // A figure that its model does not give is found, however it came into the record.
    let k = key.clone();
    world.system(move |cx| {
        let mut forged = cx.change(&k)?;
        forged.forecast.as_mut().unwrap().low_ppm -= 1;
        cx.put_estate("change.edited", forged, json!({})).map(drop)
    });
    assert_eq!(findings(&world), ["change /forecast"]);
}

/// Puts closed changes of a service under further numbers, from a change that went all the way.
fn put_closed(world: &World, first: &Change, service: &'static str, numbers: std::ops::Range<i64>) {
    let first = first.clone();
    world.system(move |cx| {
        for number in numbers.clone() {
            let mut change = Change {
                id: format!("h{number}").as_str().into(),
                version: 0,
                key: format!("CHG-{number}"),
                number,
                ..first.clone()
            };
            change.content.targets[0].service = service.into();
            cx.put_estate("change.closed", change, json!({}))?;
        }
        Ok(())
    });
}

#[test]
fn the_second_change_of_a_service_is_no_first_one_though_the_model_does_not_know_it_yet() {
    let world = World::new();
    let key = world.closed("Give every shipment a customs reference");
    let first = change(&world, &key);
    // The model learns of another service alone.
    let mut of_another = first.clone();
    of_another.content.targets[0].service = "till".into();
    world.system(move |cx| cx.put_estate("change.closed", of_another.clone(), json!({})).map(drop));
    put_closed(&world, &first, "till", 5_001..5_031);
    assert!(keep(&world, material(&world).unwrap()));
    let times = ["2026-11-25T10:00:00Z", "2026-11-25T12:00:00Z"];
    let new = |title: &str| -> Vec<String> {
        let services = change(&world, &world.draft_at(title, "git:bbbbe5e", times)).new_services;
        services.into_iter().map(|service| service.0).collect()
    };
    assert_eq!(new("The first"), ["pay"]);
    put_closed(&world, &first, "pay", 5_900..5_901);
    assert!(new("The second").is_empty());
}

#[test]
fn an_edit_before_the_work_is_judged_by_the_model_in_force() {
    let world = with_history();
    assert!(keep(&world, material(&world).unwrap()));
    let key = world.draft_at(
        "Widen the column",
        "git:bbbbe5e",
        ["2026-11-25T10:00:00Z", "2026-11-25T12:00:00Z"],
    );
    world.approved(key.clone());
    let before = change(&world, &key).forecast.unwrap();
    go_to(&world, "2026-11-22T08:00:00Z");
    let k = key.clone();
    world.by("rita", move |cx| {
        acts::change::edit_change::edit_change(cx, &k, &body(json!({"complexity": "high"}))).map(drop)
    });
    let after = change(&world, &key);
    assert_ne!(after.state, State::Closed);
    let after = after.forecast.unwrap();
    assert_ne!((&after.what, &after.inputs), (&before.what, &before.inputs));
    assert!(after.at > before.at);
}
