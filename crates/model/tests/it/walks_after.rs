//! After the work: outcomes, validation, retrospective work, break-glass, and the time after them.

use model::approval::obligation::{Asked, Due, Duty};
use model::change::change_file::{self, Actor};
use model::change::work::whole_outcome;
use model::change::{after, read_content, waiting_on};
use model::core::enums::{self, Covers, GateDecision, Outcome, Purpose, State};
use model::core::refusal::{self, Refusal};
use model::directory::{leaver, snapshot};
use model::emergency::{break_glass, budget};
use model::gate::permit;
use model::identity::factor::Factor;
use model::schedule::plan;
use serde_json::{Value, json};

use crate::order::with_factor;
use crate::people::{directory, rule};
use crate::world::{World, at, body, code, facts, facts_but, fields, missing, signing};

#[test]
fn outcomes_add_up() {
    use Outcome::{Failed, NotImplemented, PartiallyImplemented, RolledBack, Succeeded, SucceededWithIssues};
    let cases: [(&[Outcome], Option<Outcome>); 9] = [
        (&[], None),
        (&[Succeeded], Some(Succeeded)),
        (&[NotImplemented, NotImplemented], Some(NotImplemented)),
        (&[Succeeded, SucceededWithIssues], Some(PartiallyImplemented)),
        (&[Failed, Succeeded], Some(PartiallyImplemented)),
        (&[RolledBack, Failed, NotImplemented], Some(Failed)),
        (&[NotImplemented, RolledBack], Some(RolledBack)),
        (
            &[PartiallyImplemented, PartiallyImplemented],
            Some(PartiallyImplemented),
        ),
        (&[PartiallyImplemented, Failed], Some(PartiallyImplemented)),
    ];
    for (outcomes, whole) in cases {
        assert_eq!(whole_outcome(outcomes), whole, "{outcomes:?}");
    }
}

#[test]
fn another_outcome_needs_a_reason_and_stands_beside_the_first() {
    let mut world = World::new().until_reviewing();
    let end = world.change().actual_end;
    assert_eq!(code(world.complete("ida", json!({"outcome": "failed"}))), "target_done");
    world.wait(60);
    world
        .complete("ida", json!({"outcome": "rolled_back", "reason": "It broke overnight"}))
        .unwrap();
    let record = &world.change().target_records[0];
    assert_eq!(record.outcome, Some(Outcome::RolledBack));
    assert_eq!(record.earlier[0].outcome, Outcome::Succeeded);
    assert_eq!(
        (world.change().outcome, world.change().actual_end),
        (Some(Outcome::RolledBack), end)
    );
    assert_eq!(code(world.validate("ida", "works")), "not_allowed");
}

#[test]
fn what_does_not_work_has_not_succeeded() {
    let mut world = World::new().until_reviewing();
    world.validate("tom", "does_not").unwrap();
    assert_eq!(world.change().outcome, Some(Outcome::SucceededWithIssues));
    world.review("olga").unwrap();
    assert_eq!(missing(world.close("olga")), ["validation_missing"]);
    let again = json!({"outcome": "succeeded", "reason": "It does"});
    assert_eq!(code(world.complete("ida", again)), "does_not_work");
    world.wait(5);
    world
        .complete("ida", json!({"outcome": "failed", "reason": "Indeed"}))
        .unwrap();
    assert_eq!(
        missing(world.close("olga")),
        ["validation_missing", "review_missing"],
        "these words were about the state before"
    );
    world.wait(5);
    world.validate("tom", "does_not").unwrap();
    world.review("olga").unwrap();
    world.close("olga").unwrap();
}

#[test]
fn times_of_the_work_are_checked() {
    let mut world = World::new().until_implementing();
    let wrong =
        json!({"outcome": "succeeded", "actual_start": "2026-11-20T11:30:00Z", "actual_end": "2026-11-20T11:20:00Z"});
    let found = fields(world.complete("ida", wrong));
    assert_eq!(found.iter().filter(|(field, _)| field == "actual_end").count(), 2);
    assert!(found.contains(&("actual_start".into(), "in_the_future".into())));
    assert_eq!(
        fields(world.complete("ida", json!({"outcome": "succeeded", "target": "9"}))),
        [("target".into(), "unknown".into())]
    );
}

#[test]
fn all_that_is_wrong_with_work_told_afterwards_is_told_at_once() {
    let told = |words: Value| {
        let read = read_content::read(&body(words), &directory(), &"p-rita".into(), None);
        let mut found: Vec<String> = fields(read.map(drop))
            .into_iter()
            .map(|(field, code)| format!("{field} {code}"))
            .collect();
        found.sort();
        found
    };
    let nothing = json!({"title": "Night work", "services": ["shop"], "environment": "production", "retrospective": {
        "actual_start": "2026-11-20T08:00:00Z", "actual_end": "2026-11-20T07:00:00Z",
    }});
    assert_eq!(
        told(nothing),
        [
            "description missing",
            "justification missing",
            "retrospective.actual_end out_of_order",
            "retrospective.reason missing",
            "retrospective.verbal_approver missing",
        ]
    );
    let amiss = json!({"description": "d", "justification": "j", "retrospective": {
        "actual_start": "yesterday", "reason": "Night.", "verbal_approver": "nobody",
    }});
    assert_eq!(
        told(amiss),
        [
            "retrospective.actual_end missing",
            "retrospective.actual_start not_a_time",
            "retrospective.verbal_approver unknown",
            "targets missing",
            "title missing",
        ]
    );
}

#[test]
fn a_level_that_is_none_here_is_told_with_those_that_are() {
    let told = |words: Value| match read_content::read(&body(words), &directory(), &"p-rita".into(), None) {
        Err(Refusal::Invalid(errors)) => errors[0].text.clone(),
        other => panic!("{other:?}"),
    };
    for word in ["huge", "none"] {
        assert_eq!(
            told(json!({"title": "A", "complexity": word})),
            format!("`complexity`: `{word}` is none of: low, medium, high.")
        );
    }
    assert_eq!(
        told(json!({"title": "A", "impact": {"data": "huge"}})),
        "`impact.data`: `huge` is none of: none, low, medium, high."
    );
}

/// Ends the work with a stated start; returns the log's name for it, if it was too early.
fn end_with(world: &mut World, start: &str) -> Option<Value> {
    let words = json!({"outcome": "succeeded", "actual_start": at(start).to_string()});
    world.complete("ida", words).unwrap();
    let early = world.events.iter().find(|event| event.kind == "change.began_early")?;
    Some(Value::Object(early.data.clone()))
}

#[test]
fn work_that_began_before_it_was_lawful_is_told_by_name() {
    let mut world = World::new().until_implementing();
    let told = end_with(&mut world, "10:30").unwrap();
    assert_eq!(told["earliest"], "2026-11-20T11:00:00Z", "the window opened then");
    assert_eq!(world.change().actual_start, Some(at("10:30")), "what is true is kept");
    assert!(!world.change().unauthorized);
}

#[test]
fn work_may_have_begun_while_the_change_stood_ready_before_its_start_was_taken() {
    let mut world = World::new().until_implementing();
    assert_eq!(end_with(&mut world, "11:02"), None);
    // The window was open, and yet the last approval came later.
    let mut world = World::new().until_authorizing();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    world.wait_until(at("11:30"));
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    world.wait_until(at("11:40"));
    world.start("ida").unwrap();
    let told = end_with(&mut world, "11:10").unwrap();
    assert_eq!(told["earliest"], "2026-11-20T11:30:00Z");
    // A freeze lay over the beginning of the window.
    let mut world = World::new();
    world.freeze("10:00", "11:20", false);
    let mut world = world.until_authorizing();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    world.wait_until(at("11:40"));
    world.settle();
    world.start("ida").unwrap();
    let told = end_with(&mut world, "11:05").unwrap();
    assert_eq!(told["earliest"], "2026-11-20T11:20:00Z");
}

#[test]
fn the_only_implementer_neither_reviews_nor_closes() {
    let mut words = facts_but(json!({"implementers": ["olga"]}));
    words.insert("tester".into(), "tom".into());
    let mut world = World::with(words, Vec::new()).until_scheduled();
    world.wait_until(at("11:10"));
    world.start("olga").unwrap();
    world.complete("olga", json!({"outcome": "succeeded"})).unwrap();
    assert_eq!(code(world.review("olga")), "only_implementer");
    assert_eq!(code(world.close("olga")), "only_implementer");
    world.validate("tom", "works").unwrap();
    world.review("mia").unwrap();
    world.close("mia").unwrap();
}

#[test]
fn a_rule_may_name_another_validator() {
    let names = Duty::Validation {
        distinct_from: Vec::new(),
        from: Some(Asked::Group("security".into())),
    };
    let mut world = World::with(facts(), vec![(Due::Close, names)]).until_reviewing();
    assert_eq!(code(world.validate("vera", "works")), "not_allowed");
    world.validate("sue", "works").unwrap();
}

#[test]
fn reminders_come_once() {
    let mut world = World::new().until_reviewing();
    world.wait(10 * 24 * 60);
    let reminded = world
        .events
        .iter()
        .filter(|event| event.kind == "change.reminded")
        .count();
    assert_eq!(reminded, 2, "one for the validation, one for the review");
}

pub fn told_afterwards(who: &str, approver: &str) -> Result<World, refusal::Refusal> {
    let words = facts_but(json!({"retrospective": {
        "actual_start": "2026-11-20T07:00:00Z", "actual_end": "2026-11-20T08:00:00Z",
        "reason": "The shop was down", "verbal_approver": approver,
    }}));
    World::create(who, words, Vec::new(), directory())
}

pub fn answer(world: &mut World, who: &str, confirmed: bool) -> Result<(), refusal::Refusal> {
    world.act(who, |case| {
        after::confirm_retrospective(case, &body(json!({"confirmed": confirmed})))
    })
}

#[test]
fn work_told_afterwards_is_confirmed_by_who_allowed_it() {
    let mut world = told_afterwards("rita", "olga").unwrap();
    assert_eq!(world.state(), State::Reviewing);
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    assert_eq!(world.gate("git:00e5e5e").decision, GateDecision::Stop, "never a permit");
    assert!(missing(world.close("olga")).contains(&"confirmation_missing".to_owned()));
    assert_eq!(code(answer(&mut world, "mia", true)), "not_the_named_approver");
    let by_requesters_hand = world.act("olga", |case| {
        case.actor.lent = Some(change_file::Lent {
            maker: "rita".into(),
            roles: None,
            services: None,
        });
        after::confirm_retrospective(case, &body(json!({"confirmed": true})))
    });
    assert_eq!(code(by_requesters_hand), "one_hand");
    answer(&mut world, "olga", true).unwrap();
    assert_eq!(code(answer(&mut world, "olga", false)), "answered");
    world.wait(2 * 24 * 60);
    assert!(!world.change().unauthorized);
    world.validate("tom", "works").unwrap();
    world.review("mia").unwrap();
    world.close("mia").unwrap();
}

fn standard_told_afterwards(estate: snapshot::Directory) -> Result<World, refusal::Refusal> {
    let mut words = facts_but(json!({
        "kind": "standard", "template": "patch", "plan": null, "rollback_plan": null,
        "retrospective": {
            "actual_start": "2026-11-20T07:00:00Z", "actual_end": "2026-11-20T08:00:00Z",
            "reason": "The shop was down", "verbal_approver": "olga",
        },
    }));
    words.remove("category");
    World::create("rita", words, Vec::new(), estate)
}

#[test]
fn a_template_closes_nothing_by_itself_that_is_told_afterwards() {
    let mut world = standard_told_afterwards(directory()).unwrap();
    answer(&mut world, "olga", true).unwrap();
    world.wait(3 * 24 * 60);
    assert_eq!(world.state(), State::Reviewing, "nobody looked at it yet");
    let mut rows = missing(world.close("mia"));
    rows.sort();
    assert_eq!(rows, ["review_missing", "validation_missing"]);
    world.validate("tom", "works").unwrap();
    world.review("mia").unwrap();
    world.close("mia").unwrap();
    let mut estate = directory();
    estate.templates.get_mut("patch").unwrap().state = enums::TemplateState::Suspended;
    let refused = standard_told_afterwards(estate).err().unwrap();
    assert_eq!(
        fields(Err::<(), _>(refused)),
        [("template".into(), "template_not_valid".into())]
    );
}

#[test]
fn denied_or_unanswered_work_needs_a_finding() {
    let mut denied = told_afterwards("rita", "olga").unwrap();
    answer(&mut denied, "olga", false).unwrap();
    let mut silent = told_afterwards("rita", "olga").unwrap();
    silent.wait(24 * 60 - 1);
    assert!(!silent.change().unauthorized);
    silent.wait(1);
    for mut world in [denied, silent] {
        assert!(world.change().unauthorized);
        world.validate("tom", "works").unwrap();
        world.review("olga").unwrap();
        assert_eq!(missing(world.close("olga")), ["finding_missing"]);
        let words = body(json!({"text": "Nobody was asked"}));
        assert_eq!(
            code(world.act("olga", |case| after::state_finding(case, &words))),
            "not_allowed"
        );
        world.act("mia", |case| after::state_finding(case, &words)).unwrap();
        world.close("olga").unwrap();
    }
}

#[test]
fn nobody_allows_their_own_work_afterwards() {
    let refused = told_afterwards("rita", "rita");
    assert_eq!(
        fields(refused),
        [("retrospective.verbal_approver".into(), "not_allowed".into())]
    );
    let words = facts_but(json!({"title": null, "retrospective": {
        "actual_start": "2026-11-20T09:00:00Z", "actual_end": "2026-11-20T12:00:00Z", "reason": "x", "verbal_approver": "olga",
    }}));
    let found = fields(World::create("rita", words, Vec::new(), directory()));
    assert_eq!(
        found,
        [
            ("title".into(), "missing".into()),
            ("retrospective.actual_end".into(), "out_of_order".into())
        ]
    );
    let mut world = World::new();
    assert_eq!(
        fields(world.edit("rita", json!({"retrospective": null}))),
        [("retrospective".into(), "not_allowed".into())]
    );
}

#[test]
fn breaking_the_glass_stands_in_for_everything_and_ends() {
    let mut world = World::new();
    world.freeze("09:00", "23:00", true);
    assert_eq!(code(world.break_glass("vera", 60)), "not_allowed");
    assert_eq!(
        fields(world.break_glass("cora", 241)),
        [("until".into(), "too_long".into())]
    );
    world.by_token = true;
    assert_eq!(code(world.break_glass("cora", 60)), "step_up_required");
    world.by_token = false;
    world.break_glass("cora", 60).unwrap();
    assert_eq!(world.state(), State::Implementing);
    let permit = world.collect("ida", "git:aae5e5e").unwrap();
    assert!(permit.break_glass);
    world.edit("rita", json!({"title": "x"})).unwrap_err();
    world.wait_until(at("11:00"));
    assert!(world.change().break_glass.as_ref().unwrap().ended);
    assert!(world.live_permits().is_empty());
    world.wait_until(at("11:05"));
    let answer = world.gate("git:aae5e5e");
    assert_eq!(
        answer.decision,
        GateDecision::Stop,
        "its window is open now, but nobody approved it"
    );
    assert_eq!(world.gate("git:00e5e5e").purpose, Purpose::Rollback);
    assert_eq!(world.gate("git:00e5e5e").decision, GateDecision::Go);
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    world.validate("tom", "works").unwrap();
    world.review("olga").unwrap();
    assert_eq!(
        missing(world.close("olga")),
        ["evidence_missing", "evidence_missing", "break_glass_validation_missing"]
    );
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    let words = body(json!({"text": "It was right"}));
    assert_eq!(
        code(world.act("cora", |case| break_glass::validate(case, &words))),
        "own_request"
    );
    world.act("mia", |case| break_glass::validate(case, &words)).unwrap();
    world.close("olga").unwrap();
}

#[test]
fn the_glass_is_not_broken_on_hold_nor_without_a_way_back_nor_by_an_administrator() {
    let mut world = World::with(
        facts_but(json!({"rollback_plan": null, "implementers": ["ada"]})),
        Vec::new(),
    );
    assert_eq!(code(world.break_glass("ada", 30)), "not_allowed");
    assert_eq!(missing(world.break_glass("cora", 30)), ["rollback_plan_missing"]);
    world
        .edit("rita", json!({"no_rollback_reason": "None needed"}))
        .unwrap();
    world.hold("rita", json!({"reason": "Wait"})).unwrap();
    assert_eq!(code(world.break_glass("cora", 30)), "on_hold");
    let stale = Actor {
        person: "cora".into(),
        by_token: false,
        stepped_up_at: Some(at("09:54")),
        factor: None,
        is_system: false,
        method: "password".to_owned(),
        lent: None,
        via: None,
    };
    let words = body(json!({"reason": "x", "until": "2026-11-20T11:00:00Z"}));
    let answer = world.act_as(stale, |case| {
        break_glass::break_glass(case, &words, &budget::Used::new())
    });
    assert_eq!(code(answer), "step_up_required", "six minutes old");
}

fn high() -> Value {
    json!({"impact": {"availability": "high"}, "complexity": "high"})
}

/// Peers read no emergency before, so calling a change of high risk one voids nobody's approval under break-glass.
#[test]
fn an_emergency_of_high_risk_wants_a_second_hand_on_the_glass() {
    let urgent = json!({"kind": "emergency", "incident": "INC-1"});
    let grave = json!({"impact": {"availability": "high"}, "complexity": "high"});
    let mut words = facts_but(grave);
    let mut turned = World::with(words.clone(), Vec::new());
    turned.edit("rita", urgent.clone()).unwrap();
    read_content::merge(&mut words, urgent.as_object().unwrap());
    for mut world in [World::with(words, Vec::new()), turned] {
        assert_eq!(world.change().risk.level, enums::Level::High);
        world.break_glass("cora", 60).unwrap();
        assert_eq!(world.state(), State::Draft, "it keeps its state");
        assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
        let refused = world.cosign("sam").unwrap_err();
        assert!(
            refused.text().contains("whom an approval rule could ask"),
            "{}",
            refused.text()
        );
        assert_eq!(code(world.cosign("cora")), "own_request");
        world.cosign("olga").unwrap();
        assert_eq!(world.state(), State::Implementing);
        assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
    }
    // Of low risk it opens at once, as before.
    let mut low = World::with(facts_but(urgent), Vec::new());
    low.break_glass("cora", 60).unwrap();
    assert_eq!(low.state(), State::Implementing);
}

#[test]
fn a_decision_by_a_compromised_account_says_whose_account_it_is() {
    let mut world = World::new();
    world.submit("rita").unwrap();
    world.assess("rita", json!({"dependencies_reviewed": true})).unwrap();
    world.approve("olga").unwrap();
    world.approve("sam").unwrap();
    let by_another = world.file.approvals.iter_mut().find(|it| it.person.as_str() == "olga");
    by_another.unwrap().handed_by = Some("sam".into());
    world
        .act_as(Actor::system(), |case| {
            leaver::leave(case, &"sam".into(), true);
            Ok(())
        })
        .unwrap();
    let name = world.directory.name(&"sam".into());
    let said = |who: &str| {
        let mut rows = world.file.approvals.iter();
        rows.find(|it| it.person.as_str() == who)
            .unwrap()
            .ended
            .clone()
            .unwrap()
    };
    assert_eq!(said("sam"), "the account that gave it is compromised");
    assert_eq!(
        said("olga"),
        format!("the account of {name}, by which it was given, is compromised")
    );
}

#[test]
fn dual_control_wants_a_second_hand_on_the_glass() {
    let mut world = World::with(facts_but(high()), Vec::new());
    world.break_glass("cora", 60).unwrap();
    assert_eq!(world.state(), State::Draft, "it keeps its state");
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Stop);
    assert_eq!(missing(world.break_glass("mia", 60)), ["already_open"]);
    for (who, answer) in [("cora", "own_request"), ("rita", "not_asked"), ("olga", "not_asked")] {
        assert_eq!(code(world.cosign(who)), answer, "{who}");
    }
    // The opener showed a fresh factor; the co-signer may also be a token's bearer.
    world.by_token = true;
    world.cosign("sue").unwrap();
    world.by_token = false;
    assert_eq!(world.state(), State::Implementing);
    assert!(
        !world.change().implemented_by.contains(&"sue".into()),
        "a signature is no work"
    );
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
    let mut dual = rule(Asked::Owner, Covers::What);
    dual.dual_control = true;
    let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(dual))]);
    world.break_glass("cora", 60).unwrap();
    assert_eq!(code(world.cosign("sue")), "not_asked");
    world.cosign("olga").unwrap();
    assert_eq!(world.state(), State::Implementing);
}

#[test]
fn a_lawful_word_outlives_its_author_unless_the_rule_counts_nobody_who_left() {
    for while_active in [false, true] {
        let mut strict = rule(Asked::Owner, Covers::What);
        strict.while_active = while_active;
        let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(strict))]);
        world.submit("rita").unwrap();
        world.assess("rita", json!({"dependencies_reviewed": true})).unwrap();
        world.approve("olga").unwrap();
        let left = |case: &mut change_file::Case<'_>| {
            leaver::leave(case, &"olga".into(), false);
            Ok(())
        };
        world.act("system", left).unwrap();
        let approval = world.file.approvals.last().unwrap();
        let (state, why) = match while_active {
            true => (enums::ApprovalState::Voided, Some("its author is no longer active")),
            false => (enums::ApprovalState::Standing, None),
        };
        assert_eq!((approval.state, approval.ended.as_deref()), (state, why));
    }
}

#[test]
fn a_second_hand_shows_a_fresh_factor_where_dual_control_wants_one_with_each_word() {
    let mut keys = rule(Asked::Owner, Covers::What);
    (keys.dual_control, keys.step_up) = (true, true);
    let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(keys))]);
    world.break_glass("cora", 60).unwrap();
    world.by_token = true;
    assert_eq!(code(world.cosign("olga")), "step_up_required");
    world.by_token = false;
    let stale = change_file::Actor {
        person: "olga".into(),
        by_token: false,
        stepped_up_at: None,
        factor: None,
        is_system: false,
        method: "password".to_owned(),
        lent: None,
        via: None,
    };
    let signed = world.act_as(stale, |case| break_glass::cosign(case, &model::core::body::Body::new()));
    assert_eq!(code(signed), "step_up_required");
    assert_eq!(world.state(), State::Draft);
    world.cosign("olga").unwrap();
    assert_eq!(world.state(), State::Implementing);
}

#[test]
fn a_password_gets_around_no_rule_that_wants_a_second_factor_by_breaking_the_glass() {
    let opens = |world: &mut World, who: &str, factor: Factor| {
        let actor = with_factor(world, who, factor);
        let words = body(json!({"reason": "It cannot wait", "until": "2026-11-20T11:00:00Z"}));
        let used = budget::Used::new();
        code(world.act_as(actor, |case| break_glass::break_glass(case, &words, &used)))
    };
    let signs = |world: &mut World, who: &str, factor: Factor| {
        let actor = with_factor(world, who, factor);
        code(world.act_as(actor, |case| break_glass::cosign(case, &model::core::body::Body::new())))
    };
    let (password, passkey) = (Factor::new("password", false), Factor::new("passkey", true));
    for dual in [true, false] {
        let mut keys = rule(Asked::Owner, Covers::What);
        (keys.dual_control, keys.step_up, keys.second_factor) = (dual, true, true);
        let mut world = World::with(facts(), vec![(Due::Start, Duty::Approval(keys))]);
        assert_eq!(
            opens(&mut world, "cora", password.clone()),
            "step_up_required",
            "{dual}"
        );
        assert_eq!(opens(&mut world, "cora", passkey.clone()), "done", "{dual}");
        let opener = world.change().break_glass.as_ref().unwrap().factor.clone();
        assert_eq!(opener, Some(passkey.clone()));
        if dual {
            assert_eq!(signs(&mut world, "olga", password.clone()), "step_up_required");
            assert_eq!(signs(&mut world, "olga", passkey.clone()), "done");
        }
        assert_eq!(world.state(), State::Implementing);
    }
    // Where nobody could judge the rules, break-glass stays open to a person with a fresh factor and to a second person.
    let mut world = World::with(facts_but(high()), Vec::new());
    world.stop = Some("the policies could not be judged".to_owned());
    assert_eq!(opens(&mut world, "cora", password), "done");
}

#[test]
fn a_glass_that_waits_for_a_second_hand_says_whose() {
    let mut world = World::with(facts_but(high()), Vec::new());
    world.break_glass("cora", 60).unwrap();
    let rows = waiting_on::ahead(&world.file, &world.directory, world.now);
    let first = waiting_on::first_awaited(&rows).unwrap();
    assert_eq!(first.unmet.code, "cosignature_missing");
    assert!(first.unmet.waiting_on.contains(&"sue".to_owned()), "{first:?}");
    assert!(!first.unmet.waiting_on.contains(&"cora".to_owned()), "{first:?}");
    let gate = world.gate("git:aae5e5e");
    assert_eq!(
        gate.reasons.first(),
        Some(&first.unmet),
        "whoever stands before the gate reads it first, too"
    );
    let refused = world.cosign("olga").unwrap_err().text();
    let name = world.directory.name(&"sue".into());
    assert!(refused.contains(&name), "{refused}");
    let letter = world.letters.iter().find(|letter| letter.to == "sue".into()).unwrap();
    assert!(
        letter
            .news
            .ends_with("The gate stays closed until a second person signs.")
    );
    assert!(letter.next.contains("co-sign the break-glass"), "{}", letter.next);
    world.cosign("sue").unwrap();
    let rows = waiting_on::ahead(&world.file, &world.directory, world.now);
    assert!(rows.iter().all(|row| row.unmet.code != "cosignature_missing"));
    assert_eq!(world.gate("git:aae5e5e").decision, GateDecision::Go);
}

#[test]
fn a_glass_that_nobody_signed_opens_nothing_and_may_be_broken_again() {
    let mut world = World::with(facts_but(high()), Vec::new());
    world.break_glass("cora", 30).unwrap();
    world.wait(30);
    assert!(world.change().break_glass.as_ref().unwrap().ended);
    assert_eq!(code(world.cosign("sue")), "nothing_to_sign");
    world.break_glass("cora", 30).unwrap();
    world.hold("rita", json!({"reason": "Wait"})).unwrap();
    world.wait(45);
    world.act("rita", plan::resume).unwrap();
    world.break_glass("cora", 30).unwrap();
    world.cosign("sue").unwrap();
    assert_eq!(world.state(), State::Implementing);
}

#[test]
fn between_two_signatures_a_hold_and_what_was_taken_out_stop_the_glass() {
    let mut world = World::with(facts_but(high()), Vec::new());
    world.break_glass("cora", 60).unwrap();
    world.hold("rita", json!({"reason": "Wait"})).unwrap();
    assert_eq!(code(world.cosign("sue")), "on_hold");
    world.act("rita", plan::resume).unwrap();
    let emptied = json!({"targets": [], "rollback_plan": []});
    world.edit("rita", emptied).unwrap();
    assert_eq!(missing(world.cosign("sue")), ["field_missing", "rollback_plan_missing"]);
    assert_eq!(world.state(), State::Draft);
}

#[test]
fn a_permit_ahead_ends_with_the_time_box_of_a_broken_glass() {
    let ahead = Duty::Permit {
        minutes: Some(240),
        ahead: true,
        max_list_age_seconds: None,
    };
    let mut world = World::with(facts(), vec![(Due::Start, ahead)]);
    world.break_glass("cora", 60).unwrap();
    let of = |artifact: &str, commit: &str| {
        body(json!({"service": "shop", "environment": "production", "artifact": artifact, "commit": commit}))
    };
    let asked = of("git:aae5e5e", "ABCDEF0");
    let issued = world.act("ida", |case| permit::issue_ahead(case, &asked, &signing()));
    let issued = issued.unwrap();
    let good = (issued.not_before, issued.expires_at);
    assert_eq!(
        good,
        (at("10:00"), at("11:00")),
        "now, and not with the window from 11:00 to 13:00"
    );
    let wrong = of("git:bbe5e5e", "abcdef0");
    let found = fields(world.act("ida", |case| permit::issue_ahead(case, &wrong, &signing())));
    assert_eq!(found, [("service".into(), "unknown".into())], "it says both");
}

#[test]
fn targets_told_one_by_one_make_one_span_of_work() {
    let targets = json!({"targets": [
        {"service": "shop", "environment": "production", "artifact": "git:aae5e5e"},
        {"service": "pay", "environment": "production", "artifact": "git:bbe5e5e"},
    ]});
    let mut world = World::with(facts_but(targets), Vec::new()).until_authorizing();
    for artifact in ["git:aae5e5e", "git:bbe5e5e"] {
        world.evidence("pip", "passed", Some(artifact)).unwrap();
    }
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    world.wait_until(at("12:00"));
    world.start("ida").unwrap();
    for (target, start, end) in [("1", "11:05", "11:15"), ("2", "11:30", "11:40")] {
        let time = |clock: &str| at(clock).to_string();
        let ended = json!({
            "target": target, "outcome": "succeeded", "actual_start": time(start), "actual_end": time(end),
        });
        world.complete("ida", ended).unwrap();
    }
    let change = world.change();
    assert_eq!(change.actual_start, Some(at("11:05")), "with the first");
    assert_eq!(change.actual_end, Some(at("11:40")), "with the last");
}

#[test]
fn an_unsigned_glass_asks_for_no_validation() {
    let mut world = World::with(facts_but(high()), Vec::new());
    world.break_glass("cora", 30).unwrap();
    world.submit("rita").unwrap();
    world.assess("rita", json!({})).unwrap();
    world.peer_review("sue", "agree").unwrap();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    world.wait_until(at("11:10"));
    world.start("ida").unwrap();
    world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
    world.validate("tom", "works").unwrap();
    world.review("olga").unwrap();
    world.close("olga").unwrap();
}

#[test]
fn unjudged_rules_stop_everything() {
    let mut world = World::new().until_scheduled();
    world.stop = Some("pack.rule has an error".into());
    world.settle();
    assert_eq!(world.state(), State::Authorizing);
    assert!(world.unmet().contains(&"rules_not_judged".to_owned()));
    world.break_glass("cora", 30).unwrap();
    assert_eq!(
        world.state(),
        State::Authorizing,
        "nobody knows whether two hands are asked"
    );
    let mut late = World::new().until_reviewing();
    late.validate("tom", "works").unwrap();
    late.review("olga").unwrap();
    late.stop = Some("pack.rule has an error".into());
    late.settle();
    assert_eq!(missing(late.close("olga")), ["rules_not_judged"]);
}

#[test]
fn a_review_older_than_the_latest_outcome_is_due_again() {
    let mut world = World::new().until_reviewing();
    world.validate("tom", "works").unwrap();
    world.review("mia").unwrap();
    world
        .complete("ida", json!({"outcome": "failed", "reason": "Seen late"}))
        .unwrap();
    world.validate("tom", "works").unwrap();
    assert!(missing(world.close("mia")).contains(&"review_missing".to_owned()));
    world.review("mia").unwrap();
    world.close("mia").unwrap();
}
