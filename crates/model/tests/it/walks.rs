//! Whole walks through the lifecycle, from the draft to the closing.

use model::approval::{decide, obligation};
use model::change::change_file::RejectedElsewhere;
use model::change::related_records::Coverage;
use model::change::template::bounds::TemplateBounds;
use model::change::{around, timers, waiting_on};
use model::core::enums::{self, GateDecision, Kind, Level, Outcome, State, TemplateState};
use model::core::ids::PersonId;
use model::emergency::break_glass;
use model::gate::permit;
use model::schedule::plan;
use serde_json::json;

use crate::world::{World, at, body, code, facts_but, fields, missing, signing, standard_facts};

#[test]
fn a_normal_change_walks_through_its_steps() {
    let mut world = World::new();
    assert_eq!((world.state(), world.change().risk.level), (State::Draft, Level::Low));
    world.submit("rita").unwrap();
    assert_eq!(world.state(), State::Assessing);
    world
        .assess(
            "rita",
            json!({"security": {"Secrets touched?": "No"}, "dependencies_reviewed": true}),
        )
        .unwrap();
    assert_eq!(world.state(), State::Authorizing);
    assert_eq!(world.change().content.security.as_deref(), Some("Secrets touched?: No"));
    world.approve("olga").unwrap();
    world.approve("sam").unwrap();
    assert_eq!(world.state(), State::Authorizing);
    world.approve("mia").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    assert_eq!(world.unmet()[..2], ["evidence_missing", "outcome_missing"]);
    world.wait_until(at("11:10"));
    assert_eq!(missing(world.start("ida")), ["evidence_missing"]);
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
    let permit = world.collect("ida", "git:aae5e5e").unwrap();
    assert_eq!(world.state(), State::Implementing);
    assert_eq!(permit.expires_at, at("11:25"));
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    assert_eq!(
        (world.state(), world.change().outcome),
        (State::Reviewing, Some(Outcome::Succeeded))
    );
    assert!(world.live_permits().is_empty());
    let mut rows = missing(world.close("olga"));
    rows.sort();
    assert_eq!(rows, ["review_missing", "validation_missing"]);
    world.validate("tom", "works").unwrap();
    world.review("olga").unwrap();
    world.close("olga").unwrap();
    assert_eq!(world.state(), State::Closed);
    assert_eq!(world.change().closed_by, Some(PersonId::from("olga")));
    world.review("olga").unwrap();
    assert!(world.change().reviews.last().unwrap().addendum);
}

#[test]
fn a_standard_change_walks_by_itself_and_closes_by_itself() {
    let mut world = World::standard();
    assert_eq!(world.change().content.plan[0].title, "Patch");
    world.submit("rita").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    let codes = |world: &World| {
        let rows = waiting_on::ahead(&world.file, &world.directory, world.now).into_iter();
        rows.map(|row| row.unmet.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&world), ["outcome_missing"], "a clean one owes no other word");
    world.wait_until(at("11:10"));
    world.start("ida").unwrap();
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    let closes = timers::closes_at(&world.file, &world.directory, world.now);
    assert_eq!(closes, Some(at("11:40")), "the page tells when");
    world.wait(29);
    assert_eq!(world.state(), State::Reviewing);
    world.wait(1);
    assert_eq!(world.state(), State::Closed);
    assert_eq!(world.change().closed_by, None);
}

#[test]
fn a_standard_change_that_failed_waits_for_people() {
    let mut world = World::standard();
    world.submit("rita").unwrap();
    world.wait_until(at("11:10"));
    world.start("ida").unwrap();
    world.complete("ida", json!({"outcome": "failed"})).unwrap();
    assert_eq!(timers::closes_at(&world.file, &world.directory, world.now), None);
    world.wait(24 * 60);
    assert_eq!(world.state(), State::Reviewing);
    let mut rows = missing(world.close("olga"));
    rows.sort();
    assert_eq!(rows, ["review_missing", "validation_missing"]);
    world.validate("tom", "does_not").unwrap();
    world.review("olga").unwrap();
    world.close("olga").unwrap();
}

#[test]
fn a_standard_change_whose_glass_was_broken_is_closed_by_a_person() {
    let mut world = World::standard();
    world.break_glass("cora", 60).unwrap();
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    world.validate("tom", "works").unwrap();
    world.review("olga").unwrap();
    let words = body(json!({"text": "It had to be done."}));
    world.act("mia", |case| break_glass::validate(case, &words)).unwrap();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    assert_eq!(timers::closes_at(&world.file, &world.directory, world.now), None);
    world.wait(24 * 60);
    assert_eq!(world.state(), State::Reviewing);
    world.close("olga").unwrap();
}

#[test]
fn an_edited_locked_field_makes_it_normal() {
    let mut world = World::standard();
    world.submit("rita").unwrap();
    world.edit("rita", json!({"title": "Patch the shop tonight"})).unwrap();
    assert_eq!(world.state(), State::Scheduled, "the title is free");
    world
        .edit("rita", json!({"plan": [{"title": "Something else"}]}))
        .unwrap();
    assert_eq!(world.state(), State::Assessing);
    assert_eq!(world.change().turned_normal, ["plan"]);
    assert!(world.change().content.template.is_none());
    world.assess("rita", json!({})).unwrap();
    assert_eq!(world.state(), State::Authorizing);
}

#[test]
fn who_makes_a_standard_change_a_normal_one_has_it_assessed() {
    let mut world = World::standard();
    world.submit("rita").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    world.edit("rita", json!({"kind": "normal"})).unwrap();
    assert_eq!(world.state(), State::Assessing);
    assert_eq!(world.change().turned_normal, ["kind"]);
    assert!(world.change().content.template.is_none());
    // As an emergency it goes an emergency's way.
    let mut urgent = World::standard();
    urgent.submit("rita").unwrap();
    urgent
        .edit("rita", json!({"kind": "emergency", "incident": "INC-1"}))
        .unwrap();
    assert_eq!(urgent.change().content.kind, Kind::Emergency);
    assert!(urgent.change().turned_normal.is_empty());
}

#[test]
fn a_template_that_no_longer_holds_stops_what_has_not_begun() {
    let mut world = World::standard();
    world.submit("rita").unwrap();
    let mut suspended = world.clone();
    suspended.estate(|estate| estate.templates.get_mut("patch").unwrap().state = TemplateState::Suspended);
    suspended.settle();
    assert_eq!(suspended.state(), State::Authorizing);
    assert!(suspended.unmet().contains(&"template_not_valid".to_owned()));
    let mut newer = world.clone();
    newer.estate(|estate| estate.templates.get_mut("patch").unwrap().template_version = 4);
    newer.settle();
    assert_eq!(newer.state(), State::Authorizing);
    // “Use the present template” is the text of the refusal.
    newer.estate(|estate| {
        let template = estate.templates.get_mut("patch").unwrap();
        template
            .locked
            .insert("plan".into(), json!([{"title": "Patch slowly"}]));
    });
    newer.edit("rita", json!({"template": "patch"})).unwrap();
    let content = &newer.change().content;
    assert_eq!(content.plan[0].title, "Patch slowly");
    assert_eq!(content.template.as_ref().map(|pinned| pinned.template_version), Some(4));
    assert_eq!(newer.state(), State::Scheduled, "{:?}", newer.change().turned_normal);
    world.estate(|estate| estate.templates.get_mut("patch").unwrap().review_by = at("12:00"));
    world.settle();
    assert_eq!(world.state(), State::Scheduled);
    let answer = world.gate("git:aae5e5e");
    assert_eq!(answer.next_transition_at, Some(at("11:00")));
    world.wait_until(at("12:00"));
    assert_eq!(world.state(), State::Authorizing, "its review date has come");
    let mut elsewhere = standard_facts();
    elsewhere["targets"][0]["service"] = "pay".into();
    // However far its changes may go, they go to its own services.
    let mut estate = crate::people::directory();
    estate.templates.get_mut("patch").unwrap().bounds = TemplateBounds::widest();
    let mut other = World::create("rita", elsewhere, Vec::new(), estate).unwrap();
    assert_eq!(missing(other.submit("rita")), ["template_not_valid"]);
}

fn emergency() -> World {
    let words = body(json!({
        "kind": "emergency", "title": "Stop the leak", "description": "Close it.", "justification": "It leaks.",
        "services": ["shop"], "environment": "production", "artifact": "git:aae5e5e", "incident": "INC-1",
        "implementers": ["ida"], "tester": "tom",
    }));
    World::with(words, Vec::new())
}

#[test]
fn an_emergency_asks_little_before_and_all_the_rest_before_closing() {
    let mut world = emergency();
    assert_eq!(world.change().content.impact.highest(), Level::High);
    world.now = at("10:07");
    world.submit("rita").unwrap();
    assert_eq!(world.change().planned_start, Some(at("10:07")));
    assert_eq!(world.change().planned_end, Some(at("14:07")));
    let rows = missing(world.assess("rita", json!({})));
    assert_eq!(rows, ["plan_missing", "rollback_plan_missing"]);
    world
        .edit(
            "rita",
            json!({"plan": [{"title": "Close it"}], "no_rollback_reason": "Nothing to go back to"}),
        )
        .unwrap();
    world.assess("rita", json!({})).unwrap();
    world.approve("olga").unwrap();
    world.approve("mia").unwrap();
    assert_eq!(world.state(), State::Scheduled, "{:?}", world.unmet());
    world.collect("ida", "git:aae5e5e").unwrap();
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    let mut rows = missing(world.close("olga"));
    rows.sort();
    assert_eq!(rows, ["evidence_missing", "review_missing", "validation_missing"]);
    assert_eq!(code(world.validate("olga", "works")), "not_independent", "she approved");
    let mut untested = world.clone();
    untested.file.change.content.tester = None;
    let ahead = waiting_on::ahead(&untested.file, &untested.directory, untested.now);
    let row = ahead.iter().find(|row| row.unmet.code == "validation_missing").unwrap();
    assert_eq!(row.unmet.waiting_on, ["rita"], "it waits for nobody who cannot");
    assert_eq!(code(world.validate("ida", "works")), "not_allowed");
    world.validate("tom", "works").unwrap();
    world.review("olga").unwrap();
    assert_eq!(missing(world.close("olga")), ["evidence_missing"]);
    world.evidence("tom", "passed", Some("git:aae5e5e")).unwrap();
    world.close("olga").unwrap();
}

#[test]
fn an_emergency_without_its_cause_is_not_submitted() {
    let mut world = emergency();
    world.edit("rita", json!({"incident": null})).unwrap();
    assert_eq!(missing(world.submit("rita")), ["field_missing"]);
    world.edit("rita", json!({"threat": "CVE-2026-1"})).unwrap();
    world.submit("rita").unwrap();
}

#[test]
fn a_return_asks_a_question_and_begins_anew() {
    let mut world = World::new().until_scheduled();
    world.peer_review("sue", "agree").unwrap();
    assert_eq!(
        code(world.act("vera", |case| decide::return_change(
            case,
            &body(json!({"question": "?"}))
        ))),
        "not_allowed"
    );
    world
        .act("olga", |case| {
            decide::return_change(case, &body(json!({"question": "Is it tested?"})))
        })
        .unwrap();
    assert_eq!(world.state(), State::Draft);
    assert_eq!(world.change().returned.as_ref().unwrap().reason, "Is it tested?");
    assert!(world.file.standing().next().is_none());
    assert!(world.file.agreeing_peers().next().is_none());
    assert!(world.change().requests.is_empty());
    let mut world = world.until_authorizing();
    assert!(world.change().returned.is_none());
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn a_rejection_ends_it_until_it_is_revised() {
    let mut world = World::new().until_authorizing();
    world.peer_review("sue", "agree").unwrap();
    world.approve("olga").unwrap();
    world
        .decide("sam", json!({"decision": "reject", "comment": "Unsafe"}))
        .unwrap();
    assert_eq!(world.state(), State::Rejected);
    assert_eq!(world.change().rejection.as_ref().unwrap().by, PersonId::from("sam"));
    let reason = body(json!({"reason": "It is safe"}));
    assert_eq!(
        code(world.act("olga", |case| decide::overrule(case, &reason))),
        "not_allowed"
    );
    world.act("mia", |case| decide::overrule(case, &reason)).unwrap();
    assert!(world.change().rejection.as_ref().unwrap().overruled.is_some());
    let key = world.change().key.clone();
    world.edit("rita", json!({"labels": ["later"]})).unwrap();
    assert_eq!(world.state(), State::Rejected, "labels are no revision");
    world
        .edit("rita", json!({"planned_end": "2026-11-20T13:30:00Z"}))
        .unwrap();
    assert_eq!((world.state(), &world.change().key), (State::Draft, &key));
    assert!(world.change().rejection.is_none());
    assert!(world.file.standing().next().is_none());
    assert!(
        world.file.agreeing_peers().next().is_none(),
        "peer reviews are void like approvals"
    );
    let mut own = World::create("mia", crate::world::facts(), Vec::new(), crate::people::directory()).unwrap();
    own.submit("mia").unwrap();
    own.assess("mia", json!({})).unwrap();
    own.decide("max", json!({"decision": "reject", "comment": "No"}))
        .unwrap();
    assert_eq!(
        code(own.act("mia", |case| decide::overrule(case, &reason))),
        "not_allowed"
    );
}

#[test]
fn a_rejected_change_can_be_cancelled() {
    let mut world = World::in_state(State::Rejected);
    world
        .act("rita", |case| plan::cancel(case, &body(json!({"reason": "Given up"}))))
        .unwrap();
    assert_eq!(world.state(), State::Cancelled);
    assert_eq!(code(world.edit("rita", json!({"title": "x"}))), "not_in_state");
}

#[test]
fn a_rejection_elsewhere_holds_the_start() {
    let mut world = World::new().until_scheduled();
    world.file.rejected_elsewhere = Some(RejectedElsewhere {
        key: "CHG-7".into(),
        requester: "mia".into(),
        of_interest_to: vec!["mia".into()],
    });
    world.wait_until(at("11:10"));
    assert_eq!(missing(world.start("ida")), ["rejected_elsewhere"]);
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    world.file.rejected_elsewhere = None;
    world.start("ida").unwrap();
}

#[test]
fn a_second_decision_replaces_the_first_which_stays_in_the_history() {
    let mut world = World::new().until_scheduled();
    world.decide("mia", json!({"decision": "abstain"})).unwrap();
    assert_eq!(world.state(), State::Authorizing);
    assert_eq!(world.file.approvals.len(), 4);
    assert_eq!(
        world.file.standing().filter(|row| row.person.as_str() == "mia").count(),
        1
    );
    world.approve("mia").unwrap();
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn a_decision_is_withdrawn_until_a_permit_is_issued() {
    let mut world = World::new().until_scheduled();
    let own = world.file.approvals[0].id.clone();
    assert_eq!(code(world.act("sam", |case| decide::withdraw(case, &own))), "not_yours");
    assert_eq!(
        code(world.act("olga", |case| decide::withdraw(case, &"nothing".into()))),
        "not_found"
    );
    world.act("olga", |case| decide::withdraw(case, &own)).unwrap();
    assert_eq!(world.state(), State::Authorizing);
    assert_eq!(
        code(world.act("olga", |case| decide::withdraw(case, &own))),
        "not_standing"
    );
    world.approve("olga").unwrap();
    let granted = (
        obligation::Due::Start,
        obligation::Duty::Permit {
            minutes: None,
            ahead: true,
            max_list_age_seconds: None,
        },
    );
    world.extra.push(granted);
    world.settle();
    let asked = body(json!({"service": "shop", "environment": "production", "artifact": "git:aae5e5e"}));
    world
        .act("ida", |case| permit::issue_ahead(case, &asked, &signing()))
        .unwrap();
    let last = world.file.approvals.last().unwrap().id.clone();
    assert_eq!(
        code(world.act("olga", |case| decide::withdraw(case, &last))),
        "permit_issued"
    );
    world.now = at("10:30");
    world
        .act("olga", |case| {
            decide::return_change(case, &body(json!({"question": "?"})))
        })
        .unwrap();
    assert!(world.live_permits().is_empty());
    let mut world = world.until_authorizing();
    world.approve("olga").unwrap();
    let last = world.file.approvals.last().unwrap().id.clone();
    world.act("olga", |case| decide::withdraw(case, &last)).unwrap();
}

#[test]
fn two_targets_and_one_rolled_back() {
    let targets = json!({"targets": [
        {"service": "shop", "environment": "production", "artifact": "git:aae5e5e", "rollback_to": "git:00e5e5e"},
        {"service": "pay", "environment": "production", "artifact": "git:bbe5e5e", "rollback_to": "git:11e5e5e"},
    ]});
    let mut world = World::with(facts_but(targets), Vec::new()).until_authorizing();
    for artifact in ["git:aae5e5e", "git:bbe5e5e"] {
        world.evidence("pip", "passed", Some(artifact)).unwrap();
    }
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    world.wait_until(at("11:10"));
    assert_eq!(
        world.gate("git:00e5e5e").decision,
        GateDecision::Stop,
        "no way back before the start"
    );
    world.collect("ida", "git:aae5e5e").unwrap();
    assert_eq!(world.gate_for("pay", "git:bbe5e5e").decision, GateDecision::Go);
    world
        .complete("ida", json!({"target": "1", "outcome": "rolled_back"}))
        .unwrap();
    assert_eq!(world.state(), State::Implementing);
    let codes: Vec<_> = world
        .gate("git:aae5e5e")
        .reasons
        .into_iter()
        .map(|row| row.code)
        .collect();
    assert_eq!(codes, ["target_done"]);
    assert!(world.live_permits().is_empty());
    world.freeze("11:00", "18:00", true);
    assert!(world.change().in_freeze);
    assert_eq!(
        world.gate_for("pay", "git:bbe5e5e").decision,
        GateDecision::Stop,
        "the freeze halts"
    );
    for (service, artifact) in [("shop", "git:00e5e5e"), ("pay", "git:11e5e5e")] {
        assert_eq!(
            world.gate_for(service, artifact).decision,
            GateDecision::Go,
            "the way back is open"
        );
    }
    let back = world.collect("ida", "git:00e5e5e").unwrap();
    assert_eq!(back.purpose, enums::Purpose::Rollback);
    world.wait_until(at("15:00"));
    assert_eq!(
        world.gate("git:00e5e5e").decision,
        GateDecision::Go,
        "after the window too"
    );
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    assert_eq!(world.change().outcome, Some(Outcome::PartiallyImplemented));
    assert_eq!(world.gate("git:00e5e5e").decision, GateDecision::Go, "until closing");
    let back = world.collect("ida", "git:00e5e5e").unwrap();
    world.validate("tom", "works").unwrap();
    world.review("olga").unwrap();
    world.close("olga").unwrap();
    let permit = world.file.permits.iter().find(|row| row.id == back.id).unwrap();
    assert_eq!(permit.state, enums::PermitState::Revoked, "closing revokes the rest");
    assert_eq!(world.gate("git:00e5e5e").decision, GateDecision::Stop);
}

#[test]
fn the_new_artifact_is_never_its_own_way_back() {
    let digest = format!("sha256:{}", "a".repeat(64));
    for same in [digest.clone(), digest.to_uppercase()] {
        let targets = json!({"targets": [
            {"service": "shop", "environment": "production", "artifact": digest, "rollback_to": same},
        ]});
        assert_eq!(
            fields(World::new().edit("rita", targets)),
            [("targets[0].rollback_to".to_owned(), "not_allowed".to_owned())],
            "{same}"
        );
    }
    // A change that was written before this was refused opens nothing either.
    let mut world = World::new().until_scheduled();
    world.file.change.content.targets[0].rollback_to = Some("git:aae5e5e".to_owned());
    world.wait_until(at("11:10"));
    world.collect("ida", "git:aae5e5e").unwrap();
    world.complete("ida", json!({"outcome": "failed"})).unwrap();
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop, "it failed");
}

#[test]
fn a_raised_risk_asks_a_peer_after_all() {
    let mut world = World::new().until_scheduled();
    world
        .edit(
            "rita",
            json!({"impact": {"availability": "high"}, "complexity": "high"}),
        )
        .unwrap();
    assert_eq!(
        (world.state(), world.change().risk.level),
        (State::Authorizing, Level::High)
    );
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Authorizing);
    assert_eq!(code(world.peer_review("sam", "agree")), "is_approver");
    assert_eq!(code(world.peer_review("vera", "agree")), "not_asked");
    world.peer_review("sue", "disagree").unwrap();
    assert_eq!(world.state(), State::Authorizing);
    world.peer_review("sue", "agree").unwrap();
    assert_eq!(world.state(), State::Scheduled);
}

/// A risk that rises while the work goes on brings the same duties as one from before.
#[test]
fn a_risk_that_rises_after_the_start_asks_a_peer_before_it_closes() {
    let mut world = World::with(facts_but(json!({"complexity": "medium"})), Vec::new()).until_implementing();
    assert_ne!(world.change().risk.level, Level::High);
    world.estate(|estate| {
        estate.services.get_mut(&"shop".into()).unwrap().criticality = enums::Criticality::Critical;
    });
    world.settle();
    assert_eq!(
        (world.state(), world.change().risk.level),
        (State::Implementing, Level::High)
    );
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    world.validate("tom", "works").unwrap();
    world.review("olga").unwrap();
    assert!(world.close("olga").is_err());
    assert!(world.unmet().contains(&"peer_review_missing".to_owned()));
    world.peer_review("sue", "agree").unwrap();
    world.close("olga").unwrap();
}

#[test]
fn a_peer_who_read_it_before_and_then_did_the_work_has_read_it() {
    let high = json!({"impact": {"availability": "high"}, "complexity": "high", "implementers": ["sue"]});
    let mut world = World::with(facts_but(high), Vec::new()).until_authorizing();
    world.peer_review("sue", "agree").unwrap();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    world.wait_until(at("11:10"));
    world.start("sue").unwrap();
    world.complete("sue", json!({"outcome": "succeeded"})).unwrap();
    world.validate("tom", "works").unwrap();
    world.review("olga").unwrap();
    world.close("olga").unwrap();
}

#[test]
fn a_lower_risk_counts_only_once_a_manager_has_approved_it() {
    let high = json!({"impact": {"availability": "high"}, "complexity": "high"});
    let mut world = World::with(facts_but(high), Vec::new());
    world.submit("rita").unwrap();
    world
        .assess(
            "rita",
            json!({"risk_override": {"level": "low", "reason": "Tried often"}}),
        )
        .unwrap();
    assert_eq!(world.change().risk.level, Level::High);
    assert!(world.unmet().contains(&"peer_review_missing".to_owned()));
    world.approve("olga").unwrap();
    world.approve("sam").unwrap();
    assert_eq!(
        world.change().risk.level,
        Level::High,
        "an owner's word does not lower it"
    );
    world.approve("mia").unwrap();
    assert_eq!(
        (world.change().risk.level, world.state()),
        (Level::Low, State::Scheduled)
    );
    let own = world.file.approvals.last().unwrap().id.clone();
    world.act("mia", |case| decide::withdraw(case, &own)).unwrap();
    assert_eq!(
        (world.change().risk.level, world.state()),
        (Level::High, State::Authorizing)
    );
    world.approve("mia").unwrap();
    world
        .edit("rita", json!({"description": "Quite another thing"}))
        .unwrap();
    assert_eq!(
        world.change().risk.level,
        Level::High,
        "the word on the lower level is void"
    );
    assert_eq!(world.state(), State::Authorizing);
}

#[test]
fn a_raised_level_counts_at_once() {
    let mut world = World::new();
    world.submit("rita").unwrap();
    world
        .assess(
            "rita",
            json!({"risk_override": {"level": "high", "reason": "New vendor"}}),
        )
        .unwrap();
    assert_eq!(world.change().risk.level, Level::High);
    assert!(world.unmet().contains(&"peer_review_missing".to_owned()));
}

#[test]
fn nobody_decides_on_what_they_wrote() {
    let mut world = World::new().until_authorizing();
    world.approve("olga").unwrap();
    world.edit("olga", json!({"title": "Ship 2.4 now"})).unwrap();
    assert_eq!(code(world.approve("olga")), "not_asked");
    assert!(
        world.unmet().contains(&"cannot_be_met".to_owned()),
        "{:?}",
        world.unmet()
    );
    assert_eq!(
        code(world.act("olga", |case| around::peer_review(case, &body(json!({}))))),
        "own_work"
    );
    world.edit("mia", json!({"title": "Ship 2.4 today"})).unwrap();
    assert_eq!(code(world.approve("mia")), "not_asked");
    world.approve("max").unwrap();
    let max = world.file.approvals.last().unwrap();
    assert_eq!((max.what, max.when), (Coverage::Standing, Coverage::Standing));
}

#[test]
fn what_needs_no_word_is_approved_at_once() {
    let mut world = World::standard();
    world.freeze("11:00", "12:00", false);
    world.submit("rita").unwrap();
    assert_eq!(world.state(), State::Approved, "a freeze forbids its time");
    assert_eq!(
        fields(world.schedule("rita", "09:00", "09:30")),
        [("planned_end".into(), "in_the_past".into())]
    );
    world.schedule("rita", "09:00", "10:30").unwrap();
    assert_eq!(world.state(), State::Scheduled, "the start may lie in the past");
}
