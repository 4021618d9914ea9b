//! The gate between forward and rollback deployments, queried without the direction; and checks that wait for a change that is
//! made.

use acts::change::{create_change, verbs};
use acts::core::gate_question;
use acts::gate::answer;
use jiff::SignedDuration;
use model::change::related_records::GateCheck;
use model::core::enums::{GateDecision, Purpose};
use serde_json::json;
use store::record;

use crate::{World, artifact, began, body, old, status};

impl World {
    fn asks(&self, artifact: &str, purpose: Option<Purpose>) -> gate_question::Question {
        gate_question::Question {
            service: "pay".to_owned(),
            environment: "production".to_owned(),
            artifact: Some(artifact.to_owned()),
            commit: None,
            change: None,
            purpose,
            member: None,
        }
    }

    /// The decision, the purpose that was found, and the first reason.
    fn answered(&self, artifact: &str, purpose: Option<Purpose>) -> (GateDecision, Purpose, String) {
        let question = self.asks(artifact, purpose);
        let answer = self.system(move |cx| answer::ask(cx, &question));
        let code = answer.reasons.first().map(|row| row.code.clone()).unwrap_or_default();
        (answer.decision, answer.purpose, code)
    }

    fn under_way(&self, number: u64, back: &str) {
        self.set_clock(began() - SignedDuration::from_mins(30));
        self.planned_with_way_back(artifact(number, 0), back.to_owned());
        self.set_clock(began() + SignedDuration::from_mins(5));
        self.take(status(&format!("run-{number}"), &artifact(number, 0), "in_progress", 2));
    }
}

#[test]
fn two_changes_that_lead_back_to_one_artifact_are_said_to_be_two() {
    let world = World::new();
    let back = old(9, 0);
    world.under_way(1, &back);
    assert_eq!(
        world.answered(&back, None),
        (GateDecision::Go, Purpose::Rollback, String::new())
    );
    world.under_way(2, &back);
    for purpose in [None, Some(Purpose::Rollback)] {
        let (decision, _, code) = world.answered(&back, purpose);
        assert_eq!(
            (decision, code.as_str()),
            (GateDecision::Stop, "change_ambiguous"),
            "{purpose:?}"
        );
    }
}

#[test]
fn what_may_go_forward_goes_forward_and_else_an_open_way_back_is_gone() {
    let world = World::new();
    let back = old(9, 0);
    world.under_way(1, &back);
    // A change that has not come so far hides no rollback.
    let key = world.by("rita", {
        let back = back.clone();
        move |cx| {
            let request = json!({
                "kind": "standard", "template": "deploy-pay", "title": "Deploy the old one again",
                "targets": [{"service": "pay", "environment": "production", "artifact": back}],
                "planned_start": "2026-11-20T09:00:00Z", "planned_end": "2026-11-20T14:00:00Z",
            });
            create_change::create_change(cx, &body(request), &[])
        }
    });
    assert_eq!(world.answered(&back, None).1, Purpose::Rollback);
    assert_eq!(world.answered(&back, Some(Purpose::Deploy)).0, GateDecision::Stop);
    world.by("rita", move |cx| verbs::submit_change(cx, &key));
    assert_eq!(
        world.answered(&back, None),
        (GateDecision::Go, Purpose::Deploy, String::new())
    );
    assert_eq!(world.answered(&back, Some(Purpose::Rollback)).1, Purpose::Rollback);
}

#[test]
fn a_check_that_waits_for_a_change_learns_that_it_was_made() {
    let world = World::new();
    let question = world.asks(&artifact(1, 0), None);
    let wait = Some(began() + SignedDuration::from_mins(60));
    let check = world.system(move |cx| Ok(answer::check(cx, &question, wait)?.check));
    let reason = |check: &GateCheck| check.reasons.first().map(|row| row.code.clone()).unwrap_or_default();
    assert_eq!(reason(&check), "change_missing");
    world.by("rita", |cx| {
        let request = json!({
            "kind": "standard", "template": "deploy-pay", "title": "Deploy pay",
            "targets": [{"service": "pay", "environment": "production", "artifact": artifact(1, 0)}],
            "planned_start": "2026-11-20T09:00:00Z", "planned_end": "2026-11-20T14:00:00Z",
        });
        create_change::create_change(cx, &body(request), &[])
    });
    let id = check.id.clone();
    let later = world.system(move |cx| Ok(record::load::<GateCheck>(cx.tx, id.as_str())?.unwrap().record));
    assert_ne!(
        reason(&later),
        "change_missing",
        "the draft is there: {:?}",
        later.reasons
    );
}
