//! Root causes and forecasts: a cause of a kind raises pending changes of that kind and no others, and no recorded figure moves.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::Timestamp;
use model::change::record::{Change, PostImplementationReview};
use model::change::success::succeeded;
use model::core::enums::{CauseFeature, Outcome, State};
use model::core::ids::RecordId;
use model::risk::cause::{Cause, shipped};
use model::risk::cause_move::{CauseMove, Named, current, due, raised};
use model::risk::failed_reviews::with_changes;
use model::risk::forecast::features::{FEATURES, FEATURES_VERSION};
use model::risk::forecast::fixed::ONE;
use model::risk::forecast::kept_forecast::Forecast;
use proptest::prelude::*;

use crate::world::World;

static ANY: LazyLock<Change> = LazyLock::new(|| World::new().change().clone());

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

/// A pending change with a recorded forecast.
fn pending(inputs: Vec<i64>, ppm: Option<i64>) -> Change {
    let mut change = ANY.clone();
    change.state = State::Scheduled;
    change.forecast = Some(Forecast {
        model: "sha256:m".to_owned(),
        model_key: "failure-2026-Q4".to_owned(),
        features_version: FEATURES_VERSION,
        what: "sha256:w".to_owned(),
        at: at(-100),
        service: "pay".into(),
        environment: "production".into(),
        has_team: false,
        inputs,
        probability_ppm: ppm,
        low_ppm: 1,
        high_ppm: ONE - 1,
        parts: Vec::new(),
        groups: Vec::new(),
        missing: None,
    });
    change
}

fn cause(features: &[CauseFeature]) -> Cause {
    Cause {
        id: RecordId::from("k"),
        version: 1,
        key: "k".to_owned(),
        name: "K".to_owned(),
        description: None,
        features: features.iter().copied().collect(),
        is_retired: false,
        active: true,
    }
}

fn named(incident: &str, features: &[CauseFeature], second: i64) -> Named {
    Named {
        incident_key: incident.to_owned(),
        cause: cause(features),
        at: at(second),
        same: BTreeSet::new(),
    }
}

/// A change that failed, whose review named the cause and addressed these incidents.
fn failed(key: &str, incidents: &[&str], second: i64) -> Change {
    let mut change = ANY.clone();
    change.key = key.to_owned();
    change.way_back_taken = true;
    // Each target of it has ended.
    change.target_records.clear();
    change.state = State::Closed;
    change.reviews = vec![PostImplementationReview {
        objectives_met: Some(false),
        assessment_adequate: Some(true),
        steps_adequate: Some(true),
        summary: "It was taken back.".to_owned(),
        cause: Some("k".to_owned()),
        cause_text: None,
        emergency_cause: None,
        improvements: Vec::new(),
        improvements_owner: None,
        improvements_due_at: None,
        incidents: incidents.iter().map(|it| (*it).to_owned()).collect(),
        dependencies_reviewed: false,
        addendum: false,
        by: "olga".into(),
        at: at(second),
    }];
    change.outcome = Some(Outcome::RolledBack);
    change
}

/// Inputs of a change that has this feature and no other.
fn with(feature: Option<CauseFeature>) -> Vec<i64> {
    let wanted = feature.map(|feature| match feature {
        CauseFeature::SeveralTargets => ("targets", 1_585),
        CauseFeature::SeveralServices => ("services", 1_585),
        CauseFeature::HighComplexity => ("complexity", 3_000),
        CauseFeature::HighImpact => ("impact", 3_000),
        CauseFeature::Sensitive => ("touches", 1_000),
        CauseFeature::Schema => ("schema", 1_000),
        CauseFeature::Emergency => ("emergency", 1_000),
        CauseFeature::Standard => ("standard", 1_000),
        CauseFeature::Expedited => ("expedited", 1_000),
        CauseFeature::NoRollbackPlan => ("no_rollback_plan", 1_000),
        CauseFeature::Disruption => ("disruption", 1_000),
    });
    let input = |name: &str| match wanted {
        Some((of, value)) if of == name => value,
        // One target of one service, of low complexity and impact: nearly every change has these.
        _ if ["targets", "services", "complexity", "impact"].contains(&name) => 1_000,
        _ => 0,
    };
    FEATURES.iter().map(|feature| input(feature.name)).collect()
}

fn feature() -> impl Strategy<Value = CauseFeature> {
    prop::sample::select(CauseFeature::ALL.to_vec())
}

proptest! {
    #[test]
    fn a_cause_of_a_kind_raises_changes_of_that_kind_and_no_others(
        kind in feature(), has in prop::option::of(feature()), ppm in 1_i64..ONE - 1,
    ) {
        let change = pending(with(has), Some(ppm));
        let recorded = change.forecast.clone();
        let moves = due(&change, &[], &[named("INC-1", &[kind], 10)], at(0), at(20));
        if has == Some(kind) {
            prop_assert_eq!(moves.len(), 1);
            prop_assert_eq!(moves[0].from_ppm, ppm);
            prop_assert!(moves[0].to_ppm > ppm || ppm > ONE - 200, "{:?}", moves);
            prop_assert!(moves[0].to_ppm < ONE);
        } else {
            prop_assert_eq!(moves, Vec::<CauseMove>::new());
        }
        prop_assert_eq!(change.forecast, recorded, "the recorded score never changes");
    }

    #[test]
    fn each_incident_counts_once_however_often_it_is_looked_at(
        incidents in prop::collection::vec(1_u8..6, 0..12), ppm in 1_i64..ONE / 2,
    ) {
        let change = pending(with(Some(CauseFeature::Schema)), Some(ppm));
        let all: Vec<Named> = incidents
            .iter()
            .zip(1..)
            .map(|(number, second)| named(&format!("INC-{number}"), &[CauseFeature::Schema], second))
            .collect();
        let mut known: Vec<CauseMove> = Vec::new();
        for count in 0..=all.len() {
            known.extend(due(&change, &known, &all[..count], at(0), at(100)));
            prop_assert_eq!(due(&change, &known, &all[..count], at(0), at(101)), Vec::<CauseMove>::new());
        }
        let distinct: std::collections::BTreeSet<u8> = incidents.iter().copied().collect();
        prop_assert_eq!(known.len(), distinct.len());
        let mut wanted = ppm;
        for row in &known {
            prop_assert_eq!(row.from_ppm, wanted);
            wanted = raised(wanted);
            prop_assert_eq!(row.to_ppm, wanted);
        }
    }
}

#[test]
fn the_review_of_a_failed_change_moves_too_and_one_failure_counts_once_in_either_order() {
    let schema = [CauseFeature::Schema];
    let pending = pending(with(Some(CauseFeature::Schema)), Some(31_000));
    let causes = [cause(&schema)];
    let alone = with_changes(Vec::new(), &[failed("CHG-7", &[], 10)], &causes);
    let moves = due(&pending, &[], &alone, at(0), at(20));
    assert_eq!(moves.len(), 1);
    assert_eq!(moves[0].incident_key, "CHG-7");
    for second in [5, 15] {
        let incident = named("INC-1", &schema, second);
        let all = with_changes(vec![incident], &[failed("CHG-7", &["INC-1"], 10)], &causes);
        assert_eq!(all.len(), 2);
        assert_eq!(due(&pending, &[], &all, at(0), at(20)).len(), 1, "{second}");
        assert_eq!(
            due(&pending, &moves, &all, at(0), at(20)),
            [],
            "it was counted as the change"
        );
    }
    let other = with_changes(
        vec![named("INC-2", &schema, 12)],
        &[failed("CHG-7", &["INC-1"], 10)],
        &causes,
    );
    assert_eq!(due(&pending, &[], &other, at(0), at(20)).len(), 2, "two failures");
}

#[test]
fn a_change_that_did_not_fail_moves_nothing_whatever_its_review_names() {
    let mut change = failed("CHG-7", &[], 10);
    assert_eq!(succeeded(&change), Some(false));
    change.way_back_taken = false;
    change.outcome = None;
    change.target_records.clear();
    assert_ne!(succeeded(&change), Some(false));
    assert_eq!(
        with_changes(Vec::new(), &[change], &[cause(&[CauseFeature::Schema])]),
        []
    );
}

#[test]
fn what_the_model_knows_and_what_has_no_figure_or_has_begun_does_not_move() {
    let schema = [CauseFeature::Schema];
    let change = pending(with(Some(CauseFeature::Schema)), Some(31_000));
    let late = [named("INC-1", &schema, 10)];
    assert_eq!(due(&change, &[], &late, at(0), at(20)).len(), 1);
    assert_eq!(
        due(&change, &[], &late, at(10), at(20)),
        [],
        "the model learned from it"
    );
    let abstains = pending(with(Some(CauseFeature::Schema)), None);
    assert_eq!(due(&abstains, &[], &late, at(0), at(20)), []);
    let mut begun = change.clone();
    begun.state = State::Implementing;
    assert_eq!(due(&begun, &[], &late, at(0), at(20)), []);
    let mut other = change.clone();
    other.forecast.as_mut().unwrap().features_version += 1;
    assert_eq!(
        due(&other, &[], &late, at(0), at(20)),
        [],
        "its inputs mean something else"
    );
}

#[test]
fn a_move_is_told_with_its_reason_and_ends_with_the_content_that_it_was_about() {
    let mut change = pending(with(Some(CauseFeature::Schema)), Some(31_000));
    let moves = due(
        &change,
        &[],
        &[named("INC-101", &[CauseFeature::Schema], 10)],
        at(0),
        at(20),
    );
    assert_eq!(
        moves[0].told(),
        "moved from 3.1 % to 4.1 % because it changes a schema: INC-101 had the root cause k"
    );
    assert_eq!(current(&change, &moves).len(), 1);
    change.forecast.as_mut().unwrap().what = "sha256:other".to_owned();
    assert_eq!(current(&change, &moves).len(), 0);
    let again = due(
        &change,
        &moves,
        &[named("INC-101", &[CauseFeature::Schema], 10)],
        at(0),
        at(30),
    );
    assert_eq!((again.len(), again[0].from_ppm), (1, 31_000));
}

#[test]
fn every_feature_has_a_shipped_cause_and_each_has_words() {
    let all: std::collections::BTreeSet<CauseFeature> = shipped().flat_map(|cause| cause.features).collect();
    assert_eq!(all.len(), CauseFeature::ALL.len());
    for cause in shipped() {
        assert!(
            !cause.name.is_empty() && cause.description.is_some_and(|it| it.ends_with('.')),
            "{}",
            cause.key
        );
    }
}
