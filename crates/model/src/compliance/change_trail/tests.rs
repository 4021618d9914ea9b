#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use serde_json::json;

use super::*;

/// The facts of a change whose members are these beside the usual ones.
fn succeeded(members: Value) -> Option<bool> {
    let mut set = json!({
        "key": "CHG-1", "number": 1, "state": "reviewing", "kind": "normal", "requester": "p1", "risk": {"level": "low"},
        "outcome": "succeeded", "target_records": [{"target": "1", "outcome": "succeeded"}],
    });
    set.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    let leaf = json!({
        "kind": "change.validated", "occurred_at": "2026-11-20T08:00:00Z", "subject": {"table": "change", "id": "c1"},
        "records": [{"table": "change", "id": "c1", "version": 1, "set": set}],
    });
    let mut trail = ChangeTrail::default();
    trail.take(0, Leaf::read(leaf.to_string().as_bytes()).unwrap());
    trail.facts().0.first().unwrap().succeeded()
}

#[test]
fn the_log_counts_a_change_as_failed_whose_last_validation_failed() {
    let validated = |results: &[&str]| {
        let one = |result: &&str| json!({"by": "p2", "at": "2026-11-20T08:00:00Z", "result": result});
        json!({"validations": results.iter().map(one).collect::<Vec<_>>()})
    };
    assert_eq!(succeeded(json!({})), Some(true));
    assert_eq!(succeeded(validated(&["works", "does_not"])), Some(false));
    assert_eq!(succeeded(validated(&["does_not", "works"])), Some(true));
}

#[test]
fn the_log_counts_a_rollback_that_a_later_outcome_replaced_and_waits_for_open_targets() {
    let earlier = json!([{"outcome": "rolled_back", "reason": {"c": "x"}, "by": "p2", "at": "2026-11-20T08:00:00Z"}]);
    let replaced = json!({"target_records": [{"target": "1", "outcome": "succeeded", "earlier": earlier}]});
    assert_eq!(succeeded(replaced), Some(false));
    assert_eq!(succeeded(json!({"target_records": [{"target": "1"}]})), None);
}

#[test]
fn a_deployment_is_the_way_back_only_where_it_leads_to_the_build_before() {
    let targets = [
        json!({"service": "till", "environment": "production", "artifact": "sha256:aa11", "rollback_to": "sha256:bb22"}),
    ];
    let of = |members: Value| {
        let mut told = json!({"service": "till", "environment": "production", "commit": "c0ffee1"});
        told.as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        purpose(told.as_object().unwrap(), &targets)
    };
    assert_eq!(of(json!({})), Purpose::Deploy);
    assert_eq!(of(json!({"artifact": "sha256:bb22"})), Purpose::Rollback);
    assert_eq!(of(json!({"is_early": true})), Purpose::Rollback);
    assert_eq!(
        of(json!({"artifact": "sha256:aa11", "is_early": true})),
        Purpose::Deploy
    );
    assert_eq!(
        of(json!({"service": "edge", "artifact": "sha256:bb22"})),
        Purpose::Deploy
    );
}

#[test]
fn every_family_of_administration_is_a_family_of_events_and_counts() {
    let known = crate::nouns::event_kinds();
    let mut trail = ChangeTrail::default();
    for family in ADMINISTRATION {
        let beginning = format!("{family}.");
        let kind = known
            .iter()
            .find(|kind| kind.starts_with(&beginning) && is_administration(kind));
        let kind = kind.unwrap_or_else(|| panic!("`{family}` has no event"));
        let leaf = json!({
            "kind": kind, "occurred_at": "2026-11-20T08:00:00Z", "subject": {"table": "tenant_info", "id": "t"},
        });
        trail.take(0, Leaf::read(leaf.to_string().as_bytes()).unwrap());
    }
    let counted = trail.administration(Timestamp::UNIX_EPOCH, Timestamp::MAX);
    assert_eq!(counted.len(), ADMINISTRATION.len());
    assert!(counted.contains_key("policies") && counted.contains_key("identity_provider"));
}
