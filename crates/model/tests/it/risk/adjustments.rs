//! The comparison of a quarter finds the planted rules and nothing else, and its back-test puts repeated findings first.

use std::collections::{BTreeMap, BTreeSet};

use model::core::enums::{Category, FindingKind, Kind, Level, RiskRating, Touch};
use model::policy::facts::ForecastFacts;
use model::policy::threshold::{Measure, Threshold};
use model::risk::adjustment::{Comparison, RiskRules, compare};
use model::risk::assessment::RiskTable;
use model::risk::closed_change::{ClosedChange, RuleEffort};
use model::risk::parameter_proposal::propose;
use model::risk::rule_removal::RemovalTest;
use model::risk::terms::RiskTerms;

fn in_force() -> RiskRules {
    RiskRules {
        table: RiskTable::default(),
        terms: RiskTerms::default(),
    }
}

/// A change of an application that succeeded, in a cell of the table in force.
fn change(number: usize, impact: Level, complexity: Level) -> ClosedChange {
    ClosedChange {
        key: format!("CHG-{number}"),
        kind: Kind::Normal,
        category: Category::Application,
        touches: BTreeSet::new(),
        risk: in_force().table.level(impact, Some(complexity)),
        impact,
        complexity,
        rules: BTreeMap::new(),
        has_failed: Some(false),
        is_late: false,
        told: None,
        ratings: Vec::new(),
    }
}

fn asks(change: &mut ClosedChange, rule: &str, has_found: bool, minutes: i64) {
    change.rules.insert(rule.to_owned(), RuleEffort { has_found, minutes });
}

/// 80 low and 10 medium changes of applications, one of which failed, and 25 low ones of the network, of which 8 failed. The
/// owner's rule finds something now and then; one rule applied 40 times and never did.
fn quarter() -> Vec<ClosedChange> {
    let mut changes: Vec<ClosedChange> = (0..80).map(|it| change(it, Level::Low, Level::Low)).collect();
    changes.extend((80..90).map(|it| change(it, Level::Medium, Level::Medium)));
    changes.extend((90..115).map(|it| ClosedChange {
        category: Category::Network,
        has_failed: Some(it < 98),
        ..change(it, Level::Low, Level::Medium)
    }));
    changes[7].has_failed = Some(true);
    for (number, change) in changes.iter_mut().enumerate() {
        let minutes = if change.risk == Level::Medium { 120 } else { 10 };
        asks(change, "base.require.owner", number % 10 == 0, minutes);
        if number < 40 {
            asks(change, "shop.require.board", false, 5);
        }
    }
    changes
}

fn found(comparison: &Comparison) -> Vec<(FindingKind, &str, i64, i64)> {
    let findings = comparison.findings.iter();
    findings
        .map(|it| (it.kind, it.subject.as_str(), it.of, it.hits))
        .collect()
}

#[test]
fn one_useless_rule_and_one_under_ruled_category_are_found_and_nothing_else() {
    let compared = compare(&quarter(), in_force(), 0);
    assert_eq!(
        found(&compared),
        [
            (FindingKind::UselessRule, "shop.require.board", 40, 0),
            (FindingKind::UnderRuled, "category network", 25, 8),
        ]
    );
    assert_eq!(compared.findings[0].minutes, 200, "40 times five minutes");
    let (rate, rest) = (compared.findings[1].rate.unwrap(), compared.findings[1].rest.unwrap());
    assert_eq!(rate.ppm, 320_000, "8 of 25");
    assert!(rate.low_ppm > rest.high_ppm, "{rate:?} {rest:?}");
    assert_eq!(compared.findings[1].changes.len(), 8, "the failed ones");
    assert_eq!(
        compare(&quarter(), in_force(), 0),
        compared,
        "the same facts give the same"
    );
}

#[test]
fn no_rule_of_the_base_set_is_called_useless() {
    let mut changes = quarter();
    for change in &mut changes {
        asks(change, "base.require.owner", false, 10);
        asks(change, "base.require.security", false, 10);
    }
    let compared = compare(&changes, in_force(), 0);
    let useless: Vec<&str> = compared
        .findings
        .iter()
        .filter(|it| it.kind == FindingKind::UselessRule)
        .map(|it| it.subject.as_str())
        .collect();
    assert_eq!(useless, ["shop.require.board"], "what every change must have stays");
}

#[test]
fn what_a_rule_asked_of_a_change_counts_in_the_quarter_of_that_change_alone() {
    let mut changes = quarter();
    // Eleven of the forty are known from an earlier quarter: 29 are left, and those get no proposal.
    for change in changes.iter_mut().take(11) {
        change.is_late = true;
        change.has_failed = None;
    }
    let compared = compare(&changes, in_force(), 0);
    let kinds: Vec<FindingKind> = compared.findings.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [FindingKind::UnderRuled]);
}

#[test]
fn going_without_a_rule_saves_what_it_took_longer_than_all_others() {
    let changes = quarter();
    let mut test = RemovalTest::default();
    // The owner's rule takes ten minutes, the board's five: without the board's nothing is sooner, without the owner's five minutes are.
    test.count(&changes[0], "shop.require.board", true);
    assert_eq!((test.asked_less, test.minutes_saved), (1, 0));
    test.count(&changes[0], "base.require.owner", true);
    assert_eq!((test.asked_less, test.minutes_saved), (2, 5));
    test.count(&changes[50], "shop.require.board", false);
    assert_eq!((test.reproduced, test.asked_less, test.failed), (3, 2, 0));
}

#[test]
fn the_proposal_raises_the_category_of_the_failures_and_the_back_test_says_what_that_moves() {
    let compared = compare(&quarter(), in_force(), 0);
    let proposal = compared.proposal.as_ref().unwrap();
    let before = RiskTable::default();
    assert_eq!(before.level(Level::Low, Some(Level::Medium)), Level::Low);
    assert_eq!(proposal.table, before, "work of other categories stays");
    let raised = RiskTerms {
        categories: [(Category::Network, Level::High)].into(),
        ..RiskTerms::default()
    };
    assert_eq!(proposal.terms, raised);
    let test = &compared.back_test;
    assert_eq!(
        (test.changes, test.reproduced),
        (115, 115),
        "what happened comes out again"
    );
    assert_eq!((test.rerouted, test.failures_met), (25, 8));
    assert_eq!(test.minutes_added, 25 * (120 - 10));
    assert_eq!(test.without_minutes, 0);
    assert!(
        test.rows
            .iter()
            .all(|row| (row.from, row.to) == (Level::Low, Level::Medium))
    );
}

#[test]
fn failures_of_a_kind_raise_the_cell_in_which_they_lie() {
    let mut changes: Vec<ClosedChange> = (0..80).map(|it| change(it, Level::Low, Level::Low)).collect();
    changes.extend((80..105).map(|it| ClosedChange {
        kind: Kind::Standard,
        has_failed: Some(it < 88),
        ..change(it, Level::Low, Level::Medium)
    }));
    let compared = compare(&changes, in_force(), 0);
    assert_eq!(found(&compared), [(FindingKind::UnderRuled, "kind standard", 25, 8)]);
    let proposal = compared.proposal.unwrap();
    assert_eq!(proposal.table.level(Level::Low, Some(Level::Medium)), Level::Medium);
    assert_eq!(
        proposal.table.level(Level::Low, Some(Level::Low)),
        Level::Low,
        "others stay"
    );
    assert_eq!(proposal.terms, RiskTerms::default());
    assert_eq!((compared.back_test.rerouted, compared.back_test.failures_met), (25, 8));
}

#[test]
fn a_change_whose_risk_the_table_does_not_give_again_is_not_compared() {
    let mut changes = quarter();
    // Stated higher by its assessment.
    changes[100].risk = Level::High;
    let test = compare(&changes, in_force(), 0).back_test;
    assert_eq!((test.changes, test.reproduced, test.rerouted), (115, 114, 24));
}

#[test]
fn a_touch_raises_the_complexity_of_its_own_changes_alone() {
    let mut changes: Vec<ClosedChange> = (0..80).map(|it| change(it, Level::High, Level::Low)).collect();
    changes.extend((80..105).map(|it| ClosedChange {
        touches: [Touch::Network].into(),
        has_failed: Some(it < 88),
        ..change(it, Level::High, Level::Low)
    }));
    let compared = compare(&changes, in_force(), 0);
    assert_eq!(found(&compared), [(FindingKind::UnderRuled, "touches network", 25, 8)]);
    let proposal = compared.proposal.unwrap();
    assert_eq!(proposal.table, RiskTable::default());
    assert_eq!(proposal.terms.complexity.get(&Touch::Network), Some(&Level::Medium));
    let test = compared.back_test;
    assert_eq!((test.rerouted, test.failures_met), (25, 8));
    assert_eq!(
        (test.minutes_added, test.without_minutes),
        (0, 25),
        "no change of the quarter had a high risk, so no time is made up"
    );
}

#[test]
fn reviews_that_call_a_cell_too_low_raise_it_and_what_they_call_too_high_is_left_to_people() {
    let mut changes: Vec<ClosedChange> = (0..3).map(|it| change(it, Level::Medium, Level::Low)).collect();
    changes.extend((3..6).map(|it| change(it, Level::High, Level::Medium)));
    for (place, change) in changes.iter_mut().enumerate() {
        change.ratings.push(if place < 3 {
            RiskRating::TooLow
        } else {
            RiskRating::TooHigh
        });
    }
    let compared = compare(&changes, in_force(), 0);
    assert_eq!(
        found(&compared),
        [
            (FindingKind::RatedTooLow, "impact medium, complexity low", 3, 3),
            (FindingKind::RatedTooHigh, "impact high, complexity medium", 3, 3),
        ]
    );
    let table = compared.proposal.unwrap().table;
    assert_eq!(table.level(Level::Medium, Some(Level::Low)), Level::Medium);
    assert_eq!(table.level(Level::High, Some(Level::Medium)), Level::High);
    changes[0].ratings = vec![RiskRating::Right];
    changes[1].ratings = vec![RiskRating::Right];
    let compared = compare(&changes, in_force(), 0);
    assert_eq!(found(&compared).len(), 1, "one of three is no majority");
    assert_eq!(compared.proposal, None);
}

#[test]
fn too_few_changes_find_nothing() {
    let mut changes = quarter();
    changes.truncate(109);
    changes.drain(..11);
    let compared = compare(&changes, in_force(), 0);
    assert!(found(&compared).is_empty(), "19 of the network, 29 asked: {compared:?}");
    let empty = compare(&[], in_force(), 0);
    assert_eq!((empty.changes, empty.findings.len(), empty.proposal), (0, 0, None));
}

#[test]
fn a_proposed_table_never_gives_less_for_more() {
    let mut changes = quarter();
    for change in &mut changes {
        change.ratings = vec![RiskRating::TooLow];
    }
    let RiskTable(cells) = compare(&changes, in_force(), 0).proposal.unwrap().table;
    for row in 0..4 {
        for column in 0..3 {
            assert!(column == 0 || cells[row][column - 1] <= cells[row][column], "{cells:?}");
            assert!(row == 0 || cells[row - 1][column] <= cells[row][column], "{cells:?}");
        }
    }
}

/// A change with a forecast, which failed or did not.
fn forecast(number: usize, ppm: Option<i64>, has_failed: bool) -> ClosedChange {
    let mut file = crate::world::World::new().file.clone();
    file.change.forecast = None;
    let directory = crate::world::World::new().directory.clone();
    let mut told = model::policy::permission::change_facts(&file, &directory, "acme");
    told.forecast = ppm.map(|ppm| ForecastFacts {
        model: "m".to_owned(),
        features_version: 1,
        probability_ppm: Some(ppm),
        low_ppm: ppm,
        high_ppm: ppm,
        moved_ppm: None,
    });
    ClosedChange {
        has_failed: Some(has_failed),
        told: Some((told, Vec::new())),
        ..change(number, Level::Low, Level::Low)
    }
}

fn threshold(floor: i64) -> Threshold {
    Threshold {
        parameter: "peer_review_from_probability".to_owned(),
        measure: Measure::Probability,
        from: 100_000,
        floor,
        rules: vec!["base.require.peer_review_when_likely_to_fail".to_owned()],
    }
}

#[test]
fn a_parameter_is_proposed_where_changes_below_it_failed_more_often_and_within_its_bounds() {
    // 40 at 6 %, of which 12 failed; 60 at 1 %, none of which did; 30 above the value in force, all failed.
    let mut changes: Vec<ClosedChange> = (0..40).map(|it| forecast(it, Some(60_000), it < 12)).collect();
    changes.extend((40..100).map(|it| forecast(it, Some(10_000), false)));
    changes.extend((100..130).map(|it| forecast(it, Some(150_000), true)));
    changes.extend((130..160).map(|it| forecast(it, None, true)));
    let found = propose(&changes, &[threshold(5_000)]);
    assert_eq!(found.len(), 1, "{found:#?}");
    let it = &found[0];
    assert_eq!(
        (it.before.as_str(), it.after.as_str(), it.of, it.failed),
        ("10%", "5%", 40, 12)
    );
    assert_eq!(
        propose(&changes, &[threshold(5_000)]),
        found,
        "the same changes give the same values"
    );
    assert_eq!(
        propose(&changes, &[threshold(60_001)]),
        [],
        "no value lies within its bounds"
    );
    let calm: Vec<ClosedChange> = (0..100).map(|it| forecast(it, Some(60_000), false)).collect();
    assert_eq!(propose(&calm, &[threshold(5_000)]), []);
    let bare: Vec<ClosedChange> = changes
        .into_iter()
        .map(|it| ClosedChange { told: None, ..it })
        .collect();
    assert_eq!(
        propose(&bare, &[threshold(5_000)]),
        [],
        "without stored facts nothing is compared"
    );
}
