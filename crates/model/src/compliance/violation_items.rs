//! Violations as action items: one for each rule and change, owned by an owner of its services who had no part in it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::compliance::change_trail::ChangeFacts;
use crate::compliance::violation::{RULES, Rule, UNAUTHORIZED_WORK};
use crate::core::enums::{AboutKind, ActionKind, Closing, Severity};
use crate::core::ids::{PersonId, ServiceKey};
use crate::notify::action_item::{About, Due, NewItem, Owner};
use crate::schedule::calendar::Span;

/// Work that began longer ago is in control reports alone: the usual span of a report.
pub const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The rules whose violation passes once the missing act is done. All others report a past event, which a person has to
/// explain.
const PASSING: [&str; 4] = [
    "bypass_without_review",
    "failure_without_review",
    "self_validated",
    "unexplained_work",
];

/// The items of the violations of a change as of a moment. Empty where its work has not begun, or began too long ago; with only
/// a reported deployment without a lawful start, the items of that deployment.
#[must_use]
pub fn items(facts: &ChangeFacts, now: Timestamp) -> Vec<NewItem> {
    if !is_looked_at(facts, now) {
        return Vec::new();
    }
    let found = RULES
        .iter()
        .filter(|rule| rule.id == UNAUTHORIZED_WORK || has_begun(facts, now))
        .filter_map(|rule| Some(item(rule, facts, (rule.find)(facts, now)?)));
    found.collect()
}

/// Whether the violations of a change are followed: its work began or a deployment without a lawful start was reported, and not
/// too long ago.
#[must_use]
pub fn is_looked_at(facts: &ChangeFacts, now: Timestamp) -> bool {
    let is_near = |at: Timestamp| at >= least(now) && at <= now;
    let mut strays = facts.strays.iter();
    has_begun(facts, now) || strays.any(|it| is_near(it.at) || is_near(it.told_at))
}

fn has_begun(facts: &ChangeFacts, now: Timestamp) -> bool {
    facts.started().is_some_and(|at| at >= least(now) && at <= now)
}

fn least(now: Timestamp) -> Timestamp {
    now.saturating_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN)
}

fn item(rule: &Rule, facts: &ChangeFacts, text: String) -> NewItem {
    let closing = if PASSING.contains(&rule.id) {
        Closing::ConditionOrDismissal
    } else {
        Closing::Uninvolved
    };
    let mut services: BTreeSet<ServiceKey> = facts.targets.iter().map(|it| it.service.as_str().into()).collect();
    if rule.id == UNAUTHORIZED_WORK {
        services.extend(facts.strays.iter().map(|it| ServiceKey::from(it.service.as_str())));
    }
    NewItem {
        part: rule.id.to_owned(),
        text: Some(text),
        services,
        severity: Some(rule.severity),
        owner: Owner::ServiceOwner,
        due: Due::Within(time_for(rule.severity)),
        closing,
        involved: involved(facts),
        // A round may find many at once; the escalation notifies their owners one by one.
        tells: false,
        ..NewItem::new(
            ActionKind::ResolveViolation,
            About::new(AboutKind::Change, facts.key.as_str()),
            format!("{}: {}", facts.key, rule.title),
        )
    }
}

/// The time to resolve a violation.
fn time_for(severity: Severity) -> Span {
    match severity {
        Severity::High => Span::WorkDays(2),
        Severity::Medium => Span::WorkDays(5),
        Severity::Low => Span::WorkDays(10),
    }
}

/// Everybody with a part in the change: they may not dismiss a finding about it.
fn involved(facts: &ChangeFacts) -> BTreeSet<PersonId> {
    let mut people: BTreeSet<&str> = BTreeSet::from([facts.requester.as_str()]);
    people.extend(facts.authors.iter().map(String::as_str));
    people.extend(facts.implemented_by.iter().map(String::as_str));
    people.extend(facts.approvals.iter().map(|it| it.person.as_str()));
    people.extend(facts.approvals.iter().filter_map(|it| it.handed_by.as_deref()));
    people.extend(facts.validations.iter().map(|it| it.by.as_str()));
    people.extend(facts.break_glass.as_ref().map(|it| it.by.as_str()));
    people.extend(facts.closed_by.as_deref());
    people.into_iter().map(PersonId::from).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::{Value, json};

    use super::*;

    fn facts(members: Value) -> ChangeFacts {
        let mut all = json!({
            "key": "CHG-7", "number": 7, "state": "reviewing", "kind": "normal", "requester": "p1", "authors": ["p1"],
            "targets": [{"service": "till", "environment": "production"}], "risk": {"level": "low"},
            "actual_start": "2026-11-20T08:00:00Z", "implemented_by": ["p3"],
        });
        all.as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn each_violation_is_one_item_that_nobody_with_a_part_in_it_dismisses() {
        let facts = facts(json!({"in_freeze": true, "unauthorized": true}));
        let found = items(&facts, at("2026-11-21T08:00:00Z"));
        let parts: Vec<(&str, Closing)> = found.iter().map(|it| (it.part.as_str(), it.closing)).collect();
        assert_eq!(
            parts,
            [
                ("unauthorized_work", Closing::Uninvolved),
                ("unexplained_work", Closing::ConditionOrDismissal),
                ("in_freeze", Closing::Uninvolved),
            ]
        );
        for item in &found {
            assert_eq!(
                item.natural_key(),
                format!("resolve_violation/change/CHG-7/{}", item.part)
            );
            assert!(
                ["p1", "p3"]
                    .iter()
                    .all(|person| item.involved.contains(&PersonId::from(*person)))
            );
        }
        assert_eq!(found[0].severity, Some(Severity::High));
    }

    #[test]
    fn a_deployment_without_a_lawful_start_is_an_item_of_a_draft_as_well() {
        let told = crate::compliance::change_trail::Stray {
            service: "shop".to_owned(),
            environment: "production".to_owned(),
            at: at("2026-01-20T08:00:00Z"),
            told_at: at("2026-11-20T08:00:00Z"),
        };
        let mut facts = facts(json!({"state": "draft", "actual_start": null, "in_freeze": true}));
        assert!(items(&facts, at("2026-11-20T09:00:00Z")).is_empty());
        facts.strays.push(told);
        let found = items(&facts, at("2026-11-20T09:00:00Z"));
        let parts: Vec<&str> = found.iter().map(|it| it.part.as_str()).collect();
        assert_eq!(parts, ["unauthorized_work"], "dated back, and told now");
        assert!(found[0].services.contains(&ServiceKey::from("shop")));
        assert!(items(&facts, at("2027-02-19T08:00:00Z")).is_empty());
    }

    #[test]
    fn work_that_has_not_begun_or_began_long_ago_has_no_items() {
        let facts = facts(json!({"in_freeze": true}));
        assert_eq!(items(&facts, at("2026-11-20T08:00:00Z")).len(), 1, "the freeze");
        assert!(items(&facts, at("2026-11-20T07:59:59Z")).is_empty());
        assert!(items(&facts, at("2027-02-18T08:00:01Z")).is_empty());
    }

    #[test]
    fn the_rules_that_pass_are_rules() {
        for id in PASSING {
            assert!(crate::compliance::violation::rule(id).is_some(), "{id}");
        }
    }
}
