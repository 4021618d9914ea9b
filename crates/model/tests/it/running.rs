//! The recorded running version follows the outcomes of targets.

use std::collections::BTreeSet;

use model::change::change_file::{Actor, Lent};
use model::change::record::{Change, Target};
use model::change::work;
use model::core::enums::{Outcome, Role, State};
use model::core::ids::{ChangeId, RecordId};
use model::gate::running::{Running, running_outcome, turn};
use serde_json::json;

use crate::world::{World, at, body};

/// A change under way and its target, as another change of the same place would have it.
fn sample(id: &str, artifact: &str, rollback_to: Option<&str>, items: &[&str]) -> (Change, Target) {
    let mut change = World::new().until_implementing().file.change.clone();
    change.id = ChangeId::from(id);
    change.key = id.to_uppercase();
    let target = &mut change.content.targets[0];
    target.artifact = Some(artifact.to_owned());
    target.rollback_to = rollback_to.map(str::to_owned);
    target.config_items = items.iter().map(|item| (*item).to_owned()).collect();
    let target = target.clone();
    change.target_records[0].is_observed = true;
    (change, target)
}

/// Applies an outcome to the running versions, as the act does: rows by id, new ones behind.
fn after(rows: &mut Vec<Running>, (change, target): &(Change, Target), outcome: Outcome) {
    let id = RecordId::from(format!("r-{}-{}", change.id, rows.len()).as_str());
    for row in turn(change, target, outcome, rows, at("11:00"), || id.clone()) {
        match rows.iter_mut().find(|known| known.id == row.id) {
            Some(known) => *known = row,
            None => rows.push(row),
        }
    }
}

fn running(rows: &[Running]) -> Vec<&str> {
    let mut on: Vec<&str> = rows
        .iter()
        .filter(|row| row.is_on())
        .map(|row| row.artifact.as_str())
        .collect();
    on.sort_unstable();
    on
}

#[test]
fn a_success_replaces_what_ran_and_a_rollback_brings_it_back() {
    let mut rows = Vec::new();
    after(&mut rows, &sample("c1", "a1", None, &[]), Outcome::Succeeded);
    let second = sample("c2", "a2", None, &[]);
    after(&mut rows, &second, Outcome::Succeeded);
    assert_eq!(running(&rows), ["a2"]);
    after(&mut rows, &second, Outcome::Failed);
    assert_eq!(
        running(&rows),
        ["a1"],
        "a revised outcome takes back what the first one did"
    );
    after(&mut rows, &sample("c3", "a3", Some("a0"), &[]), Outcome::RolledBack);
    assert_eq!(running(&rows), ["a0", "a1"]);
}

#[test]
fn a_typed_outcome_makes_nothing_run_and_only_ends_what_it_brought() {
    let typed = |(mut change, target): (Change, Target)| {
        change.target_records[0].is_observed = false;
        (change, target)
    };
    let mut rows = Vec::new();
    after(&mut rows, &sample("c1", "a1", None, &[]), Outcome::Succeeded);
    let second = sample("c2", "a2", Some("a0"), &[]);
    for outcome in [
        Outcome::Succeeded,
        Outcome::SucceededWithIssues,
        Outcome::PartiallyImplemented,
        Outcome::RolledBack,
        Outcome::RollbackFailed,
        Outcome::Failed,
        Outcome::NotImplemented,
    ] {
        after(&mut rows, &typed(second.clone()), outcome);
        assert_eq!(running(&rows), ["a1"], "{outcome}");
    }
    after(&mut rows, &second, Outcome::Succeeded);
    assert_eq!(running(&rows), ["a2"]);
    after(&mut rows, &typed(second), Outcome::RolledBack);
    assert_eq!(
        running(&rows),
        Vec::<&str>::new(),
        "what ran before is not brought back by a word"
    );
}

#[test]
fn a_token_that_is_narrowed_to_other_roles_observes_nothing() {
    for (roles, is_observed) in [
        (None, true),
        (Some(BTreeSet::from([Role::Implementer, Role::Pipeline])), true),
        (Some(BTreeSet::from([Role::Implementer])), false),
    ] {
        let mut world = World::new().until_implementing();
        world.estate(|estate| {
            let ida = estate.people.get_mut(&"ida".into()).unwrap();
            ida.roles.insert(Role::Pipeline);
        });
        let token = Actor {
            person: "ida".into(),
            is_system: false,
            by_token: true,
            lent: Some(Lent {
                maker: "ida".into(),
                roles: roles.clone(),
                services: None,
            }),
            ..Actor::system()
        };
        let words = body(json!({"outcome": "succeeded"}));
        world.act_as(token, |case| work::complete(case, &words, &[])).unwrap();
        assert_eq!(world.change().target_records[0].is_observed, is_observed, "{roles:?}");
    }
}

#[test]
fn a_rollback_brings_only_what_it_may_lead_back_to() {
    let mut rows = Vec::new();
    let mut unproven = sample("c3", "a3", Some("a0"), &[]);
    unproven.0.target_records[0].rollback_unproven = true;
    after(&mut rows, &unproven, Outcome::RolledBack);
    assert!(rows.is_empty(), "{rows:?}");
}

#[test]
fn a_named_way_back_or_other_items_leave_the_rest_alone() {
    let mut rows = Vec::new();
    after(&mut rows, &sample("c1", "api1", None, &["api"]), Outcome::Succeeded);
    after(
        &mut rows,
        &sample("c2", "web1", None, &["web"]),
        Outcome::SucceededWithIssues,
    );
    assert_eq!(running(&rows), ["api1", "web1"]);
    after(&mut rows, &sample("c3", "web2", None, &["web"]), Outcome::Succeeded);
    assert_eq!(running(&rows), ["api1", "web2"]);
    after(&mut rows, &sample("c4", "api2", Some("api1"), &[]), Outcome::Succeeded);
    assert_eq!(running(&rows), ["api2", "web2"]);
    after(
        &mut rows,
        &sample("c5", "api3", None, &["api"]),
        Outcome::PartiallyImplemented,
    );
    assert_eq!(
        running(&rows),
        ["api2", "api3", "web2"],
        "half a deployment replaces nothing"
    );
}

#[test]
fn what_never_came_out_is_not_recorded() {
    let mut rows = Vec::new();
    for outcome in [Outcome::Failed, Outcome::NotImplemented] {
        after(&mut rows, &sample("c1", "a1", None, &[]), outcome);
    }
    assert!(rows.is_empty(), "{rows:?}");
}

#[test]
fn work_that_nobody_approved_counts_once_its_change_is_closed() {
    let mut world = World::new().until_implementing();
    let targets = world.change().content.targets.clone();
    world
        .complete("ida", serde_json::json!({"outcome": "succeeded"}))
        .unwrap();
    let mut change = world.change().clone();
    assert_eq!(running_outcome(&change, &targets[0]), Some(Outcome::Succeeded));
    change.unauthorized = true;
    assert_eq!(running_outcome(&change, &targets[0]), None);
    change.state = State::Closed;
    assert_eq!(running_outcome(&change, &targets[0]), Some(Outcome::Succeeded));
}
