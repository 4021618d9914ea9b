//! Every act in every state, through the real verbs: the results equal the table.

use model::approval::decide;
use model::approval::obligation::{Asked, Due, Duty};
use model::change::around::{self, LinkEnd};
use model::change::change_file::Case;
use model::change::lifecycle::{is_legal, leads};
use model::change::record::Retrospective;
use model::change::related_records::{ChecklistItem, Condition};
use model::change::{after, tasks, work, write};
use model::core::act::Act;
use model::core::enums::{self, ConditionDue, Covers, State};
use model::core::ids;
use model::core::refusal::Refusal;
use model::emergency::{break_glass, budget};
use model::gate::permit;
use model::schedule::plan;
use serde_json::{Value, json};

use crate::people::{requirements, rule};
use crate::world::{World, at, body, signing};

/// A change with one of each record around it, so that every act finds its object.
fn furnished(mut world: World, act: Act) -> World {
    let full = World::new().until_scheduled();
    // Records that would move the state by themselves are there only where the act is about them.
    if matches!(act, Act::Withdraw) {
        world.file.approvals.clone_from(&full.file.approvals);
    }
    if matches!(act, Act::RevokePermit) {
        let mut started = full.clone();
        started.wait_until(at("11:10"));
        started.collect("ida", "git:aae5e5e").unwrap();
        world.file.permits = started.file.permits;
        world.file.permits[0].expires_at = at("23:00");
    } else {
        world.file.permits.clear();
    }
    let mut failed = full.file.evidence[0].clone();
    failed.id = "failed".into();
    failed.result = enums::EvidenceResult::Failed;
    world.file.evidence.push(failed);
    let change = world.change().id.clone();
    let item = ChecklistItem {
        id: "item".into(),
        version: 1,
        change: change.clone(),
        rule: "r".into(),
        title: "Backup seen".into(),
        done: None,
        kind: None,
        agreed: Vec::new(),
        agreed_what: None,
    };
    world.file.checklist.push(item);
    world.file.conditions.push(Condition {
        id: "condition".into(),
        version: 1,
        change,
        approval: "approval".into(),
        text: "Only at night".into(),
        due: ConditionDue::Close,
        checker: "mia".into(),
        met: None,
        lapsed: false,
    });
    let mut donor = World::new();
    let add = body(json!({"kind": "verify", "title": "Look at it", "mandatory": false}));
    donor.act("rita", |case| tasks::add(case, &add)).unwrap();
    donor.file.tasks[0].id = "task".into();
    world.file.tasks = donor.file.tasks;
    if matches!(act, Act::CosignBreakGlass) {
        let mut dual = rule(Asked::Owner, Covers::What);
        dual.dual_control = true;
        world.extra.push((Due::Start, Duty::Approval(dual)));
        world.file.requirements = requirements(&world.file, &world.extra, None, (world.directory.as_ref(), world.now));
    }
    if !matches!(act, Act::ConfirmRetrospective) || world.change().retrospective.is_some() {
        return world;
    }
    world.file.change.retrospective = Some(Retrospective {
        reason: "It burned".into(),
        verbal_approver: "olga".into(),
        confirm_by: at("23:00"),
        confirmation: None,
    });
    world
}

fn attempt(world: &mut World, act: Act) -> Result<(), Refusal> {
    let digest = world.change().digests.content.clone();
    let own = world.file.approvals.iter().find(|row| row.person.as_str() == "olga");
    let approval = own.map_or_else(|| "none".into(), |row| row.id.clone());
    let permit_id = world
        .file
        .permits
        .first()
        .map_or_else(|| "none".into(), |row| row.id.clone());
    let (who, words) = script(act, &digest);
    let words = body(words);
    let find = |key: &str| {
        Some(LinkEnd {
            id: "c2".into(),
            key: key.to_owned(),
            way_back: Vec::new(),
        })
    };
    let done = |_: ids::RecordId| ();
    world.act(who, |case: &mut Case<'_>| match act {
        Act::Create => Ok(()),
        Act::Edit | Act::Label => write::edit(case, &words),
        Act::Submit => write::submit(case),
        Act::Assess => write::assess(case, &words),
        Act::Acknowledge => decide::acknowledge(case),
        Act::Approve => decide::approve(case, &words).map(|_| ()),
        Act::Withdraw => decide::withdraw(case, &approval),
        Act::Return => decide::return_change(case, &words),
        Act::Overrule => decide::overrule(case, &words),
        Act::Schedule => plan::schedule(case, &words),
        Act::Hold => plan::hold(case, &words),
        Act::Resume => plan::resume(case),
        Act::Start => work::start(case),
        Act::Record => work::record(case, &words, &[]).map(done),
        Act::AskExtension => work::ask_extension(case, &words),
        Act::DecideExtension => work::decide_extension(case, &words),
        Act::Complete => work::complete(case, &words, &[]),
        Act::Validate => after::validate(case, &words),
        Act::Review => after::review(case, &words, &[]),
        Act::Close => after::close(case),
        Act::Cancel => plan::cancel(case, &words),
        Act::BreakGlass => break_glass::break_glass(case, &words, &budget::Used::new()),
        Act::CosignBreakGlass => break_glass::cosign(case, &words),
        Act::ValidateBreakGlass => break_glass::validate(case, &words),
        Act::ConfirmRetrospective => after::confirm_retrospective(case, &words),
        Act::StateFinding => after::state_finding(case, &words),
        Act::PeerReview => around::peer_review(case, &words).map(done),
        Act::AddEvidence => around::add_evidence(case, &words, crate::world::file()).map(done),
        Act::AcceptEvidence => around::accept_evidence(case, &"failed".into(), &words),
        Act::TickChecklist => around::tick(case, &"item".into(), &words),
        Act::MeetCondition => around::meet_condition(case, &"condition".into(), &words),
        Act::AddTask => tasks::add(case, &words).map(done),
        Act::UpdateTask => tasks::update(case, &"task".into(), &words),
        Act::Comment => around::comment(case, &words).map(done),
        Act::Watch => around::watch(case, true),
        Act::Link => around::link(case, &words, &find).map(done),
        Act::IssuePermit => permit::issue_ahead(case, &words, &signing()).map(|_| ()),
        Act::RevokePermit => permit::revoke(case, &permit_id, &words),
    })
}

/// The person of an act, and the input: always a person with the right, so that only the state can refuse.
fn script(act: Act, digest: &str) -> (&'static str, Value) {
    let reason = json!({"reason": "It is time"});
    match act {
        Act::Edit => ("rita", json!({"title": "Ship 2.5"})),
        Act::Label => ("rita", json!({"labels": ["q4"]})),
        Act::Approve => ("olga", json!({"decision": "approve", "content_digest": digest})),
        Act::Acknowledge | Act::Withdraw | Act::Close | Act::CosignBreakGlass => ("olga", json!({})),
        Act::Return => ("mia", json!({"question": "Why now?"})),
        Act::Overrule => ("mia", reason),
        Act::Schedule => (
            "rita",
            json!({"planned_start": "2026-11-20T14:00:00Z", "planned_end": "2026-11-20T15:00:00Z"}),
        ),
        Act::Start => ("ida", json!({})),
        Act::Record => ("ida", json!({"text": "Rolled out"})),
        Act::AskExtension => ("ida", json!({"until": "2026-11-20T14:00:00Z", "reason": "Slow"})),
        Act::DecideExtension => ("olga", json!({"grant": true})),
        Act::Complete => ("ida", json!({"outcome": "succeeded", "reason": "Seen again"})),
        Act::Validate => ("tom", json!({"result": "works"})),
        Act::Review => (
            "olga",
            json!({"objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "Fine"}),
        ),
        Act::BreakGlass => ("cora", json!({"reason": "Down", "until": "2026-11-20T13:59:00Z"})),
        Act::ValidateBreakGlass | Act::StateFinding => ("mia", json!({"text": "Looked at it"})),
        Act::ConfirmRetrospective => ("olga", json!({"confirmed": true})),
        Act::PeerReview => ("sue", json!({"verdict": "agree", "content_digest": digest})),
        Act::AddEvidence => ("pip", json!({"kind": "note", "text": "Green", "result": "passed"})),
        Act::AcceptEvidence => ("olga", reason),
        Act::MeetCondition => ("mia", json!({})),
        Act::AddTask => ("rita", json!({"kind": "prepare", "title": "Tell them"})),
        Act::UpdateTask => ("rita", json!({"state": "done"})),
        Act::Comment => ("vera", json!({"text": "Good luck"})),
        Act::Link => ("vera", json!({"kind": "follows_up", "to": "CHG-2"})),
        Act::IssuePermit => (
            "ida",
            json!({"service": "shop", "environment": "production", "artifact": "git:aae5e5e"}),
        ),
        Act::RevokePermit => ("mia", reason),
        Act::Hold | Act::Cancel => ("rita", reason),
        _ => ("rita", json!({})),
    }
}

/// The result of every act in every state that a kind of change can be in; a dash marks a state that it never is in.
fn answers(in_state: impl Fn(State) -> Option<World>, check: impl Fn(Act, State, &Result<(), Refusal>)) -> String {
    let mut text = String::new();
    for act in Act::ALL.iter().copied().filter(|act| *act != Act::Create) {
        text.push_str(&format!("{:22}", act.as_str()));
        for state in State::ALL.iter().copied() {
            let cell = in_state(state).map_or_else(
                || "-".to_owned(),
                |world| {
                    let mut world = furnished(world, act);
                    let answer = attempt(&mut world, act);
                    check(act, state, &answer);
                    match &answer {
                        Ok(()) => format!("→ {}", world.state()),
                        Err(refusal) if refusal.code() == "not_in_state" => "·".to_owned(),
                        Err(refusal) => refusal.code().to_owned(),
                    }
                },
            );
            text.push_str(&format!(" {cell:22}"));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[test]
fn every_act_in_every_state_gives_the_tables_answer() {
    insta::assert_snapshot!("answers", answers(|state| Some(World::in_state(state)), check));
}

#[test]
fn every_act_in_every_state_of_a_standard_change_gives_the_tables_answer() {
    insta::assert_snapshot!("answers_standard", answers(World::standard_in, check_of_kind));
}

#[test]
fn every_act_in_every_state_of_an_emergency_gives_the_tables_answer() {
    let in_state = |state| Some(World::emergency_in(state));
    insta::assert_snapshot!("answers_emergency", answers(in_state, check_of_kind));
}

#[test]
fn every_act_in_every_state_of_work_told_afterwards_gives_the_tables_answer() {
    insta::assert_snapshot!("answers_retrospective", answers(World::retrospective_in, check_of_kind));
}

/// The table is of all kinds: an act outside of a state never happens in it, and one inside is refused for another reason
/// alone, such as that no rule of this kind requires an approval. Input that is wrong in itself would test nothing.
fn check_of_kind(act: Act, state: State, answer: &Result<(), Refusal>) {
    let refused = matches!(answer, Err(refusal) if refusal.code() == "not_in_state");
    assert!(
        !matches!(answer, Err(Refusal::NotFound { .. } | Refusal::Invalid(_))),
        "{act:?} in {state}: the script itself is wrong: {answer:?}"
    );
    match is_legal(act, state) {
        true => assert!(!refused, "{act:?} in {state}: {answer:?}"),
        false => assert!(answer.is_err(), "{act:?} in {state} was done"),
    }
}

fn check(act: Act, state: State, answer: &Result<(), Refusal>) {
    if let Err(Refusal::NotAllowed { .. } | Refusal::NotFound { .. } | Refusal::Invalid(_)) = answer {
        panic!("{act:?} in {state}: the script itself is wrong: {answer:?}");
    }
    let refused = matches!(answer, Err(refusal) if refusal.code() == "not_in_state");
    assert_eq!(refused, !is_legal(act, state), "{act:?} in {state}: {answer:?}");
    if let (true, Err(Refusal::NotNow { unmet, .. })) = (refused, answer) {
        assert_eq!(unmet.len(), 1, "{act:?} in {state}");
        let advice = &unmet[0].satisfy;
        match leads(act, state) {
            // The act that leads on by itself, or its blocker: the world's approved change lies under a freeze.
            Some(_) if state == State::Approved && advice.contains("freeze") => {}
            Some(lead) => assert!(advice.contains(lead), "{act:?} in {state}: {unmet:?}"),
            None if act == Act::Overrule => assert!(advice.starts_with("Only a rejected change")),
            None => assert!(advice.starts_with("No action leads"), "{act:?} in {state}: {unmet:?}"),
        }
    }
}
