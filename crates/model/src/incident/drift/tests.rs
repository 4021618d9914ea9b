#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::baseline::{self, DriftBaseline, DriftBaselineInput};
use super::finding::DriftFinding;
use super::matching::{Place, Seen, Span, Step, step};
use super::rule::{DriftRule, first};
use super::{Difference, DriftReport, MOST, WHOLE, fits};
use crate::core::enums::{DriftEnding, DriftOutcome, DriftState};
use crate::core::parse::Reading;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
}

fn difference(address: &str, attribute: &str) -> Difference {
    Difference {
        address: address.to_owned(),
        attribute: attribute.to_owned(),
        found: None,
        digest: None,
        at: None,
        doer: None,
    }
}

fn place() -> Place {
    Place {
        service: "pay".into(),
        environment: "production".into(),
        config_item: None,
        rule: "r".into(),
    }
}

fn expected(pattern: &str, attribute: &str) -> DriftBaseline {
    serde_json::from_value(json!({
        "id": "b", "version": 1, "pattern": pattern, "attribute": attribute, "connection": "c", "service": "pay",
        "environment": "production", "reason": "scaled", "ends_at": at(60), "by": "p-1", "approved": true,
        "approved_by": "p-2", "approved_at": at(0), "active": true,
    }))
    .unwrap()
}

fn finding(state: DriftState) -> DriftFinding {
    serde_json::from_value(json!({
        "id": "f", "version": 1, "source": "s", "connection": "c", "natural_key": "k", "address": "a", "attribute": "b",
        "state": state, "is_there": true, "since": at(0), "appeared_at": at(1), "first_seen": at(1), "last_seen": at(1), "count": 1,
    }))
    .unwrap()
}

fn seen() -> Seen {
    Seen {
        is_expected: false,
        is_explained: false,
        is_same: true,
        holds: true,
        is_event: false,
    }
}

#[test]
fn a_star_stands_for_any_run_of_characters_and_for_nothing_else() {
    for (pattern, text, wanted) in [
        ("*", "", true),
        ("", "", true),
        ("", "a", false),
        ("a*c", "abbc", true),
        ("a*c", "abbd", false),
        ("*.web[0]", "module.x.web[0]", true),
        ("*.web[0]", "module.x.web0", false),
        ("a*b*c", "aXbYbZc", true),
        ("aws.*", "aws", false),
        ("a?c", "abc", false),
    ] {
        assert_eq!(fits(pattern, text), wanted, "{pattern} {text}");
    }
}

#[test]
fn the_first_rule_by_its_place_counts() {
    let rule = |id: &str, pattern: &str, place: i64, active: bool| -> DriftRule {
        let value = json!({"id": id, "version": 1, "pattern": pattern, "connection": "c", "service": "pay",
            "environment": "production", "place": place, "active": active});
        serde_json::from_value(value).unwrap()
    };
    let rules = [
        rule("1", "*", 900, true),
        rule("2", "db.*", 100, true),
        rule("3", "db.*", 50, false),
        rule("4", "db.*", 100, true),
    ];
    let chosen = |address: &str| first(&rules, address).map(|it| it.id.0.clone());
    assert_eq!(chosen("db.main").as_deref(), Some("2"));
    assert_eq!(chosen("web").as_deref(), Some("1"));
    assert_eq!(first(&rules[1..], "web"), None);
}

#[test]
fn a_report_with_too_much_becomes_one_difference_and_proves_nothing_gone() {
    let report = DriftReport {
        scope: String::new(),
        taken_at: at(0),
        is_complete: true,
        is_log: false,
        clean: vec!["x".to_owned()],
        count: 100_000,
        differences: (0..100_000)
            .map(|number| difference(&format!("a{number}"), "b"))
            .collect(),
    };
    let cut = report.bounded(|| "sha256:0".to_owned());
    assert!(cut.is_too_long() && !cut.is_complete && cut.clean.is_empty());
    assert_eq!((cut.count, cut.differences.len()), (100_000, 1));
    assert_eq!(cut.differences[0].address, WHOLE.0);
    let most = DriftReport {
        count: MOST as u64,
        differences: (0..MOST).map(|number| difference(&format!("a{number}"), "b")).collect(),
        ..cut
    };
    assert_eq!(most.clone().bounded(String::new), most);
}

#[test]
fn a_report_is_matched_from_the_last_look_on_and_not_for_ever() {
    let day = SignedDuration::from_hours(24);
    assert_eq!(
        Span::of_report(Some(at(10)), at(20)),
        Span {
            since: at(10),
            until: at(20)
        }
    );
    assert_eq!(Span::of_report(None, at(20)).since, at(20) - day);
    assert_eq!(Span::of_report(Some(at(20) - day * 30), at(20)).since, at(20) - day * 7);
    // A clock that was turned back makes no span that ends before it begins.
    assert_eq!(
        Span::of_report(Some(at(30)), at(20)),
        Span {
            since: at(20),
            until: at(20)
        }
    );
}

#[test]
fn what_was_decided_holds_while_the_difference_and_its_change_are_the_same() {
    let decided = finding(DriftState::Decided);
    assert_eq!(step(Some(&decided), seen()), Step::Again);
    assert_eq!(
        step(
            Some(&decided),
            Seen {
                is_same: false,
                ..seen()
            }
        ),
        Step::Opened
    );
    assert_eq!(step(Some(&decided), Seen { holds: false, ..seen() }), Step::Opened);
}

#[test]
fn what_was_closed_and_is_there_again_without_an_explanation_opens_again() {
    for ending in [DriftEnding::Gone, DriftEnding::Explained, DriftEnding::Expected] {
        let closed = DriftFinding {
            ending: Some(ending),
            ..finding(DriftState::Closed)
        };
        assert_eq!(step(Some(&closed), seen()), Step::Opened, "{ending}");
    }
}

#[test]
fn later_lawful_work_hides_no_earlier_event_unless_it_took_it_back() {
    let lawful = Seen {
        is_explained: true,
        is_same: false,
        is_event: true,
        ..seen()
    };
    assert_eq!(step(Some(&finding(DriftState::Open)), lawful), Step::Again);
    let reverting = DriftFinding {
        outcome: Some(DriftOutcome::Revert),
        ..finding(DriftState::Decided)
    };
    assert_eq!(step(Some(&reverting), lawful), Step::Closed(DriftEnding::Explained));
}

#[test]
fn a_baseline_that_waits_ended_or_is_of_another_place_silences_nothing() {
    let place = place();
    let good = expected("prod/*", "spec.replicas");
    let asked = ("prod/a", "spec.replicas");
    assert!(good.silences(Some(&place), asked, at(0)));
    assert!(
        !good.silences(None, asked, at(0)),
        "an address that no rule maps has no baseline"
    );
    assert!(!good.silences(Some(&place), asked, at(60)), "it ended");
    for (name, worse) in [
        (
            "waits",
            DriftBaseline {
                approved: false,
                ..good.clone()
            },
        ),
        (
            "signed by nobody",
            DriftBaseline {
                approved_by: None,
                ..good.clone()
            },
        ),
        (
            "ended",
            DriftBaseline {
                active: false,
                ..good.clone()
            },
        ),
        (
            "another service",
            DriftBaseline {
                service: "shop".into(),
                ..good.clone()
            },
        ),
        (
            "another environment",
            DriftBaseline {
                environment: "lab".into(),
                ..good.clone()
            },
        ),
    ] {
        assert!(!worse.silences(Some(&place), asked, at(0)), "{name}");
    }
}

fn errors(body: &Value, now: Timestamp) -> Vec<String> {
    let empty = Map::new();
    let mut reading = Reading::new(body.as_object().unwrap_or(&empty), "");
    let input: DriftBaselineInput = crate::core::card::read(&mut reading);
    baseline::check(&mut reading, &input, now);
    reading
        .errors
        .iter()
        .map(|it| format!("{} {}", it.field, it.code))
        .collect()
}

#[test]
fn a_proposal_that_silences_too_much_or_approves_itself_is_refused() {
    let with = |more: Value| {
        let mut body = json!({"pattern": "prod/a", "attribute": "spec.replicas", "connection": "c", "service": "pay",
            "environment": "production", "reason": "scaled", "ends_at": at(60)});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    assert!(errors(&with(json!({})), at(0)).is_empty());
    for (more, wanted) in [
        (json!({"pattern": "**"}), "pattern too_wide"),
        (json!({"attribute": "*"}), "attribute too_wide"),
        (json!({"attribute": "spec.*"}), "attribute too_wide"),
        (json!({"approved": true}), "approved not_allowed"),
        (json!({"ends_at": at(-1)}), "ends_at in_the_past"),
        (json!({"ends_at": at(60 * 24 * 200)}), "ends_at too_late"),
    ] {
        assert_eq!(errors(&with(more), at(0)), [wanted]);
    }
}

proptest! {
    /// Seeded events: whatever no baseline names and no change explains is a finding, whatever was known of it before.
    #[test]
    fn every_unexplained_difference_is_open_or_decided_afterwards(
        state in 0..4_usize, ending in 0..3_usize, is_same: bool, holds: bool, is_event: bool
    ) {
        let endings = [DriftEnding::Gone, DriftEnding::Explained, DriftEnding::Expected];
        let known = [None, Some(DriftState::Open), Some(DriftState::Decided), Some(DriftState::Closed)][state].map(|state| DriftFinding {
            ending: (state == DriftState::Closed).then_some(endings[ending]),
            ..finding(state)
        });
        let step = step(known.as_ref(), Seen { is_expected: false, is_explained: false, is_same, holds, is_event });
        let is_open = known.as_ref().is_some_and(DriftFinding::is_open);
        prop_assert!(step == Step::Opened || (step == Step::Again && is_open), "{step:?}");
    }

    /// A baseline silences its own attribute on the addresses that its pattern fits, and nothing else of them.
    #[test]
    fn a_baseline_silences_one_attribute_alone(address in "[a-c]{1,4}/[a-c]{1,4}", pattern in "[a-c]{1,4}/[a-c*]{1,4}", own in "[x-z]{1,3}(\\.[x-z]{1,2})?", other in "[x-z]{1,3}(\\.[x-z]{1,2})?") {
        let (place, row) = (place(), expected(&pattern, &own));
        prop_assert_eq!(row.silences(Some(&place), (&address, &own), at(0)), fits(&pattern, &address));
        if own != other {
            prop_assert!(!row.silences(Some(&place), (&address, &other), at(0)));
        }
    }

    #[test]
    fn a_pattern_without_stars_fits_itself_alone(text in "[a-d./]{0,8}", other in "[a-d./]{0,8}") {
        prop_assert!(fits(&text, &text));
        prop_assert_eq!(fits(&text, &other), text == other);
        let (around, whole) = (format!("*{text}*"), format!("{other}{text}{other}"));
        prop_assert!(fits(&around, &whole));
    }
}
