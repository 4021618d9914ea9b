//! The forecast of failure: contributions add up exactly, a larger value of an input that may only raise it never lowers it,
//! environments are kept apart, nothing from the future counts, and without enough history there is no figure.

use std::sync::LazyLock;

use jiff::Timestamp;
use model::change::record::Change;
use model::core::enums::{State, Touch};
use model::core::ids::ServiceKey;
use model::directory::snapshot::Directory;
use model::risk::forecast::base::{Counts, Place};
use model::risk::forecast::environment::{EnvironmentModel, LEAST_KNOWN, Missing, WIDEST};
use model::risk::forecast::fit::{fit, fit_alone};
use model::risk::forecast::fixed::ONE;
use model::risk::forecast::inputs::{FEATURES, inputs};
use model::risk::forecast::known_outcome::{self, ByEnvironment};
use model::risk::forecast::model_record::{FailureModel, is_due, quarter};
use model::risk::forecast::outcome::{DAY, Outcome};
use model::risk::forecast::pinned::{forecast, is_repeated, kept};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::World;

const SERVICES: [&str; 3] = ["pay", "shop", "web"];
const TEAMS: [&str; 3] = ["", "Docks", "Yard"];

fn place(service: usize, team: usize) -> Place {
    Place {
        kind: "application".to_owned(),
        service: SERVICES[service % 3].to_owned(),
        team: TEAMS[team % 3].to_owned(),
    }
}

/// A history of so many changes, one each twelve hours. Failures follow from their inputs and from a number.
fn history(count: i64, seed: i64) -> Vec<Outcome> {
    let outcome = |number: i64| {
        let at = number * DAY / 2;
        let mixed = (number * 7_919 + seed * 104_729).rem_euclid(1_009);
        let mut inputs = vec![0; FEATURES.len()];
        for (place, input) in inputs.iter_mut().enumerate() {
            *input = (mixed * (i64::try_from(place).unwrap() + 3)).rem_euclid(4) * 1000;
        }
        let weight = 60 + inputs[2] / 20 + if mixed % 3 == 0 { 120 } else { 0 };
        Outcome {
            at,
            known_at: at + DAY,
            place: place(usize::try_from(mixed).unwrap(), usize::try_from(mixed / 3).unwrap()),
            inputs,
            failed: (mixed * 31 + seed).rem_euclid(1_000) < weight,
        }
    };
    (0..count).map(outcome).collect()
}

static LONG: LazyLock<EnvironmentModel> = LazyLock::new(|| {
    let model = fit_alone(&history(2_000, 1), &FEATURES, 2_000 * DAY);
    assert!(model.regression.is_some(), "the history is long enough for features");
    model
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn contributions_add_up_exactly_and_the_figure_is_inside_of_its_interval(
        values in prop::collection::vec(-5_000_i64..20_000, FEATURES.len()), service in 0..3_usize, team in 0..3_usize,
        count in 0_i64..400, seed in 0_i64..50,
    ) {
        for model in [LONG.clone(), fit_alone(&history(count, seed), &FEATURES, count * DAY)] {
            let score = model.score(&place(service, team), &values);
            prop_assert_eq!(score.parts.iter().map(|part| part.1).sum::<i64>(), score.ppm);
            prop_assert!(0 < score.ppm && score.ppm < ONE);
            prop_assert!(score.low_ppm <= score.ppm && score.ppm <= score.high_ppm, "{:?}", score);
        }
    }

    #[test]
    fn more_of_what_may_only_rise_never_lowers_the_score(
        values in prop::collection::vec(0_i64..10_000, FEATURES.len()), at in 0..FEATURES.len(), more in 1_i64..10_000,
        service in 0..3_usize,
    ) {
        let model = &*LONG;
        let before = model.score(&place(service, 1), &values).ppm;
        let mut raised = values;
        raised[at] += more;
        if FEATURES[at].rising {
            prop_assert!(model.score(&place(service, 1), &raised).ppm >= before);
        }
    }

    #[test]
    fn another_failure_of_a_group_never_lowers_its_score(failures in 0_i64..30, outcomes in 30_i64..200, seed in 0_i64..20) {
        let with = |failures: i64| {
            let mut rows = history(outcomes, seed);
            for (row, number) in rows.iter_mut().zip(0_i64..) {
                row.failed = number < failures;
                row.place = place(0, 1);
            }
            fit_alone(&rows, &FEATURES[..0], outcomes * DAY).score(&place(0, 1), &[]).ppm
        };
        prop_assert!(with(failures + 1) >= with(failures));
    }

    #[test]
    fn below_the_evidence_bound_there_is_no_figure(count in 0_i64..LEAST_KNOWN, seed in 0_i64..50) {
        let model = fit_alone(&history(count, seed), &FEATURES, 1_000 * DAY);
        let score = model.score(&place(0, 0), &vec![0; FEATURES.len()]);
        prop_assert_eq!(score.missing, Some(Missing::TooFewOutcomes { known: count, needed: LEAST_KNOWN }));
    }
}

#[test]
fn a_wide_interval_gives_no_figure_and_says_how_many_outcomes_would_narrow_it() {
    let mut rows = history(40, 3);
    for (row, number) in rows.iter_mut().zip(0..) {
        row.failed = number % 4 == 0;
    }
    let score = |count: i64| {
        let more = (0..count).map(|number| Outcome {
            failed: number % 4 == 0,
            ..rows[0].clone()
        });
        let all: Vec<Outcome> = rows.iter().cloned().chain(more).collect();
        fit_alone(&all, &FEATURES[..0], 41 * DAY).score(&rows[0].place, &[])
    };
    let few = score(0);
    let Some(Missing::TooWide { more }) = few.missing else {
        panic!("{few:?}")
    };
    assert!(few.high_ppm - few.low_ppm > WIDEST && more > 20, "{few:?}");
    assert_eq!(score(3 * more).missing, None, "{more}");
}

#[test]
fn a_history_without_failures_is_never_a_score_of_zero() {
    let mut rows = history(400, 5);
    rows.iter_mut().for_each(|row| row.failed = false);
    let score = fit(&rows, &FEATURES, 400 * DAY).score(&place(1, 1), &vec![0; FEATURES.len()]);
    assert!(
        score.missing.is_none() && score.ppm > 0 && score.high_ppm > score.ppm,
        "{score:?}"
    );
}

#[test]
fn a_service_without_outcomes_starts_from_its_environment_and_is_less_certain() {
    let model = fit_alone(&history(400, 7), &FEATURES[..0], 400 * DAY);
    let (known, renamed) = (
        model.score(&place(0, 0), &[]),
        model.score(
            &Place {
                service: "pay-2".to_owned(),
                ..place(0, 0)
            },
            &[],
        ),
    );
    let width = |score: &model::risk::forecast::environment::Score| score.high_ppm - score.low_ppm;
    assert_eq!(
        renamed
            .groups
            .iter()
            .find(|it| it.0.as_str() == "service")
            .unwrap()
            .1
            .outcomes,
        0
    );
    assert!(width(&renamed) > width(&known), "{known:?} {renamed:?}");
}

#[test]
fn what_was_not_known_yet_counts_nowhere() {
    let now = 500 * DAY;
    let mut rows = history(900, 11);
    let model = fit(&rows, &FEATURES, now);
    for row in rows.iter_mut().filter(|row| row.known_at > now) {
        row.failed = !row.failed;
        row.inputs[0] += 100_000;
    }
    assert_eq!(fit(&rows, &FEATURES, now), model);
    rows.retain(|row| row.known_at <= now);
    assert_eq!(fit(&rows, &FEATURES, now), model);
    // The test can fail: one outcome that was known and ended otherwise makes another model.
    rows[3].failed = !rows[3].failed;
    assert_ne!(fit(&rows, &FEATURES, now), model);
}

#[test]
fn fitting_twice_gives_the_same_model_and_it_comes_back_from_its_record() {
    let rows = history(1_500, 13);
    let model = fit(&rows, &FEATURES, 751 * DAY);
    let mut mixed = rows.clone();
    mixed.reverse();
    assert_eq!(
        fit(&mixed, &FEATURES, 751 * DAY),
        model,
        "the order of rows is none of its matter"
    );
    let text = serde_json::to_string(&model).unwrap();
    assert!(!text.contains('.'), "whole numbers alone: {text}");
    assert_eq!(serde_json::from_str::<EnvironmentModel>(&text).unwrap(), model);
    assert!(
        model
            .calibration
            .is_some_and(|it| it.bins.iter().map(|bin| bin.changes).sum::<i64>() > 100)
    );
    let counts: Counts = serde_json::from_value(serde_json::to_value(&model.counts).unwrap()).unwrap();
    assert_eq!(counts, model.counts);
}

#[test]
fn failures_in_staging_leave_production_unmoved() {
    let production = history(600, 17);
    let model = |staging: Vec<Outcome>| {
        let all = ByEnvironment::from([
            ("production".to_owned(), production.clone()),
            ("staging".to_owned(), staging),
        ]);
        FailureModel::fitted(&all, 600, at(600), None)
    };
    let mut failing = history(600, 19);
    failing.iter_mut().for_each(|row| row.failed = true);
    let (calm, failing) = (model(history(600, 19)), model(failing));
    assert_eq!(calm.of("production"), failing.of("production"));
    assert_ne!(calm.of("staging"), failing.of("staging"));
    assert_ne!(calm.digest, failing.digest);
}

fn at(days: i64) -> Timestamp {
    Timestamp::from_second(days * DAY).unwrap()
}

#[test]
fn a_model_is_due_each_quarter_and_while_the_history_doubles() {
    let day = |text: &str| text.parse::<Timestamp>().unwrap();
    let model = |changes: i64, at: &str| FailureModel::fitted(&ByEnvironment::new(), changes, day(at), None);
    let first = model(30, "2026-11-20T10:00:00Z");
    assert_eq!(
        (quarter(first.fitted_at).as_str(), first.key.as_str()),
        ("2026-Q4", "failure-2026-Q4")
    );
    let next = FailureModel::fitted(&ByEnvironment::new(), 60, day("2026-12-01T00:00:00Z"), Some(&first));
    let third = FailureModel::fitted(&ByEnvironment::new(), 120, day("2026-12-02T00:00:00Z"), Some(&next));
    assert_eq!(
        (next.key.as_str(), third.key.as_str()),
        ("failure-2026-Q4.2", "failure-2026-Q4.3")
    );
    for (in_force, closed, now, wanted) in [
        (None, 19, "2026-11-20T10:00:00Z", false),
        (None, 20, "2026-11-20T10:00:00Z", true),
        (Some(&first), 59, "2026-12-31T23:59:59Z", false),
        (Some(&first), 60, "2026-11-21T10:00:00Z", true),
        (Some(&first), 31, "2027-01-01T00:00:00Z", true),
        (Some(&first), 31, "2026-09-30T00:00:00Z", false),
    ] {
        assert_eq!(is_due(in_force, closed, day(now)), wanted, "{closed} {now}");
    }
}

/// A model of many outcomes of the world's service.
fn of_the_world(world: &World, seed: i64) -> FailureModel {
    let target = &world.change().content.targets[0];
    let mut rows = history(1_500, seed);
    for row in &mut rows {
        row.place.service = target.service.0.clone();
    }
    let all = ByEnvironment::from([(target.environment.0.clone(), rows)]);
    FailureModel::fitted(&all, 1_500, at(751), None)
}

fn later(world: &World, seed: i64) -> FailureModel {
    FailureModel {
        fitted_at: at(800),
        ..of_the_world(world, seed)
    }
}

#[test]
fn a_change_keeps_the_forecast_of_its_assessment_whatever_model_comes() {
    let mut world = World::new();
    world.submit("rita").unwrap();
    let first = of_the_world(&world, 23);
    world.estate(|estate| estate.put_model(first.clone()));
    assert_eq!(world.change().forecast, None, "nothing was in force");
    world.assess("rita", json!({})).unwrap();
    let pinned = world.change().forecast.clone().unwrap();
    assert_eq!(
        (pinned.model.as_str(), pinned.what.as_str()),
        (first.digest.as_str(), world.change().digests.what.as_str())
    );
    assert!(is_repeated(world.change(), &pinned, &first));
    let mut forged = pinned.clone();
    forged.high_ppm += 1;
    assert!(!is_repeated(world.change(), &forged, &first));
    let second = later(&world, 29);
    assert_ne!(second.digest, first.digest);
    world.estate(|estate| estate.put_model(second.clone()));
    let now = kept(world.change(), &world.directory, world.now).unwrap();
    assert_eq!(now, pinned, "another model changes no recorded forecast");
    let mut edited = world.change().clone();
    edited.digests.what = "sha256:other".to_owned();
    assert_eq!(
        kept(&edited, &world.directory, world.now).unwrap().model,
        second.digest,
        "an edit is judged anew"
    );
    edited.state = State::Implementing;
    assert_eq!(
        kept(&edited, &world.directory, world.now),
        Some(pinned),
        "work under way is not"
    );
}

#[test]
fn a_forecast_without_its_teams_has_the_same_sum() {
    let world = World::new();
    let mut change = world.change().clone();
    change.content.team = Some("Docks".to_owned());
    let mut directory = (*world.directory).clone();
    let service = change.content.targets[0].service.clone();
    directory.services.get_mut(&service).unwrap().team = Some("Docks".to_owned());
    let found = forecast(&change, &directory, &of_the_world(&world, 31), world.now).unwrap();
    let narrow = found.without_teams();
    let sum =
        |forecast: &model::risk::forecast::pinned::Forecast| forecast.parts.iter().map(|part| part.ppm).sum::<i64>();
    assert_eq!(found.groups.len(), 5);
    assert_eq!(narrow.groups.len(), 3);
    assert_eq!((sum(&narrow), Some(sum(&narrow))), (sum(&found), found.probability_ppm));
    assert!(
        narrow
            .parts
            .iter()
            .all(|part| part.source != "team" && part.source != "pair")
    );
}

/// Gives all services to one team, or to none.
fn run_by(directory: &mut Directory, team: Option<&str>) {
    let keys: Vec<ServiceKey> = directory.services.values().map(|it| it.key.clone()).collect();
    for key in keys {
        directory.services.get_mut(&key).unwrap().team = team.map(str::to_owned);
    }
}

#[test]
fn a_renamed_service_and_a_dissolved_team_are_told_and_do_not_begin_anew_in_silence() {
    let world = World::new();
    let model = of_the_world(&world, 31);
    let mut change = world.change().clone();
    change.content.team = Some("Docks".to_owned());
    let mut directory = (*world.directory).clone();
    let service = change.content.targets[0].service.clone();
    directory.services.get_mut(&service).unwrap().team = Some("Docks".to_owned());
    let told = |change: &Change, directory: &Directory| {
        let found = forecast(change, directory, &model, world.now).unwrap();
        found.begins_anew(change.content.team.as_ref()).join(" ")
    };
    assert_eq!(told(&change, &directory), "", "both have a history");

    let mut renamed = directory.services.get(&service).unwrap().clone();
    renamed.key = "shop-next".into();
    directory.services.insert(renamed.key.clone(), renamed);
    let mut moved = change.clone();
    moved.content.targets[0].service = "shop-next".into();
    let text = told(&moved, &directory);
    assert!(text.starts_with("The model has no outcome of shop-next"), "{text}");

    run_by(&mut directory, None);
    assert_eq!(
        told(&change, &directory),
        "No service is run by Docks, so no team history is used."
    );
    run_by(&mut directory, Some("Quays"));
    change.content.team = Some("Quays".to_owned());
    let found = forecast(&change, &directory, &model, world.now).unwrap();
    let text = found.begins_anew(change.content.team.as_ref()).join(" ");
    assert!(text.starts_with("The model has no outcome of its team"), "{text}");
    let narrow = found.without_teams().begins_anew(change.content.team.as_ref());
    assert!(
        narrow.is_empty(),
        "whoever is in no team of it learns nothing of it: {narrow:?}"
    );
}

#[test]
fn nothing_that_happens_afterwards_is_an_input() {
    let world = World::new();
    let before = world.change().clone();
    let mut after = serde_json::to_value(&before).unwrap();
    for (field, value) in aftermath() {
        after[field] = value;
    }
    let after: Change = serde_json::from_value(after).unwrap();
    assert_ne!(after, before);
    assert_eq!(inputs(&after, &world.directory), inputs(&before, &world.directory));
    // A feature that were planted from there would be found.
    let planted = |change: &Change| {
        [
            inputs(change, &world.directory),
            vec![i64::try_from(change.caused_incidents.len()).unwrap()],
        ]
        .concat()
    };
    assert_ne!(planted(&after), planted(&before));
}

#[test]
fn what_the_estate_says_of_a_service_is_an_input_where_the_change_states_less() {
    let mut world = World::new();
    let at = |name: &str| FEATURES.iter().position(|it| it.name == name).unwrap();
    let before = inputs(world.change(), &world.directory);
    assert_eq!(before[at("schema")], 0, "nothing is stated");
    world.estate(|estate| {
        let service = estate.services.get_mut(&"shop".into()).unwrap();
        service.holds.insert(Touch::Schema);
    });
    let after = inputs(world.change(), &world.directory);
    assert_eq!(after[at("schema")], 1000);
    assert_eq!(after[at("touches")], before[at("touches")] + 1000);
}

/// The content of a change once its work has ended.
fn aftermath() -> Vec<(&'static str, Value)> {
    let at = "2027-01-05T10:00:00Z";
    vec![
        ("state", json!("closed")),
        ("outcome", json!("succeeded_with_issues")),
        ("actual_start", json!(at)),
        ("actual_end", json!(at)),
        ("closed_at", json!(at)),
        ("overrun", json!(true)),
        ("way_back_taken", json!(true)),
        (
            "caused_incidents",
            json!([{"incident": "INC-1", "by": "p-1", "at": "2027-02-01T00:00:00Z"}]),
        ),
        ("validations", json!([{"result": "works", "by": "p-1", "at": at}])),
        (
            "target_records",
            json!([{"target": "1", "outcome": "succeeded_with_issues", "actual_end": at}]),
        ),
    ]
}

#[test]
fn an_outcome_counts_from_the_moment_in_which_it_was_known_and_by_the_one_definition_of_success() {
    let world = World::new();
    let closed = |more: &[(&'static str, Value)]| {
        let mut value = serde_json::to_value(world.change()).unwrap();
        for (field, told) in aftermath().into_iter().chain(more.iter().cloned()) {
            value[field] = told;
        }
        let change: Change = serde_json::from_value(value).unwrap();
        let mut found = ByEnvironment::new();
        known_outcome::add(&mut found, &change, &world.directory);
        found
            .into_values()
            .flatten()
            .map(|it| (it.failed, Timestamp::from_second(it.known_at).unwrap().to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        closed(&[]),
        [(true, "2027-02-01T00:00:00Z".to_owned())],
        "an incident shows it after the closing"
    );
    let good = [
        ("caused_incidents", json!([])),
        ("way_back_taken", json!(false)),
        ("target_records", json!([{"target": "1", "outcome": "succeeded"}])),
    ];
    assert_eq!(closed(&good), [(false, "2027-01-05T10:00:00Z".to_owned())]);
    assert!(closed(&[("closed_at", Value::Null)]).is_empty());
    let untouched = [
        ("outcome", json!("not_implemented")),
        ("target_records", json!([{"target": "1", "outcome": "not_implemented"}])),
    ];
    assert!(closed(&untouched).is_empty());
}

#[test]
fn what_a_target_came_to_counts_where_it_is_and_nowhere_else() {
    let world = World::new();
    let told = |outcomes: [&str; 3]| {
        let mut value = serde_json::to_value(world.change()).unwrap();
        for (field, told) in aftermath() {
            value[field] = told;
        }
        let places = [("shop", "staging"), ("shop", "production"), ("pay", "production")];
        let mut targets = Vec::new();
        let mut records = Vec::new();
        for (number, ((service, environment), outcome)) in places.into_iter().zip(outcomes).enumerate() {
            let id = format!("t{number}");
            let mut target = value["targets"][0].clone();
            target["id"] = json!(id);
            target["service"] = json!(service);
            target["environment"] = json!(environment);
            targets.push(target);
            records.push(json!({"target": id, "outcome": outcome}));
        }
        value["targets"] = json!(targets);
        value["target_records"] = json!(records);
        value["caused_incidents"] = json!([]);
        value["way_back_taken"] = json!(outcomes.contains(&"rolled_back"));
        let change: Change = serde_json::from_value(value).unwrap();
        let mut found = ByEnvironment::new();
        known_outcome::add(&mut found, &change, &world.directory);
        let rows = found.into_iter().flat_map(|(environment, rows)| {
            rows.into_iter()
                .map(move |row| format!("{} {environment}: {}", row.place.service, row.failed))
        });
        rows.collect::<Vec<_>>()
    };
    assert_eq!(
        told(["rolled_back", "succeeded", "succeeded_with_issues"]),
        ["shop production: false", "pay production: false", "shop staging: true"],
        "what was rolled back in staging leaves production unmoved"
    );
    assert_eq!(
        told(["succeeded", "not_implemented", "failed"]),
        ["pay production: true", "shop staging: false"],
        "where nothing was done there is no outcome"
    );
}
