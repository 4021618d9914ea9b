//! Random people do random things, and nothing unlawful ever comes of it.

use model::approval::decide;
use model::approval::obligation::{Due, Duty};
use model::change::related_records::Coverage;
use model::change::{after, around, record, requirement, timers, work, write};
use model::core::enums::{ApprovalState, GateDecision, Kind, Outcome, Purpose, State};
use model::core::ids;
use model::directory::{leaver, snapshot};
use model::emergency::break_glass;
use model::gate::permit;
use model::schedule::plan;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::oracle::Clerk;
use crate::people::PEOPLE;
use crate::world::{World, body, facts, signing, standard_facts};

/// How many histories are tried: `ASSENT_TEST_SIZE` times sixteen, some seconds each.
fn cases() -> u32 {
    let size: u32 = std::env::var("ASSENT_TEST_SIZE")
        .ok()
        .and_then(|size| size.parse().ok())
        .unwrap_or(1);
    size.saturating_mul(16)
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Onward,
    Title(u8),
    Artifact(u8),
    Risk(u8),
    Times(u8),
    Label(u8),
    Urgent,
    Submit,
    Assess,
    Say(u8),
    Withdraw,
    Return,
    Hold,
    Resume,
    Cancel,
    Evidence(bool, u8),
    Peer(bool),
    Start,
    Collect,
    Ahead,
    Complete(u8),
    Validate(bool),
    Review,
    Close,
    Glass,
    Cosign,
    ValidateGlass,
    Extend,
    Grant(bool),
    Wait(u8),
    Leave(bool),
    CompleteOne(bool, u8),
    Freeze(u8),
    Thaw,
    Confirm(bool),
    Finding,
}

/// The subject of a history.
#[derive(Clone, Copy, Debug)]
struct Shape {
    high: bool,
    /// Two services go out together, each with a build of its own.
    two: bool,
    told: Intake,
}

/// How the change comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intake {
    Ahead,
    FromTemplate,
    Afterwards,
}

fn shape() -> impl Strategy<Value = Shape> {
    let told = prop_oneof![4 => Just(Intake::Ahead), 1 => Just(Intake::FromTemplate), 1 => Just(Intake::Afterwards)];
    (any::<bool>(), any::<bool>(), told).prop_map(|(high, two, told)| Shape { high, two, told })
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        30 => Just(Deed::Onward),
        4 => (0u8..4).prop_map(Deed::Wait),
        1 => (0u8..3).prop_map(Deed::Title),
        1 => (0u8..3).prop_map(Deed::Artifact),
        1 => (0u8..2).prop_map(Deed::Risk),
        1 => (0u8..3).prop_map(Deed::Times),
        1 => (0u8..3).prop_map(Deed::Label),
        1 => Just(Deed::Urgent),
        1 => Just(Deed::Submit),
        1 => Just(Deed::Assess),
        4 => (0u8..5).prop_map(Deed::Say),
        1 => Just(Deed::Withdraw),
        1 => Just(Deed::Return),
        1 => Just(Deed::Hold),
        2 => Just(Deed::Resume),
        1 => Just(Deed::Cancel),
        2 => (any::<bool>(), 0u8..4).prop_map(|(passed, name)| Deed::Evidence(passed, name)),
        2 => any::<bool>().prop_map(Deed::Peer),
        3 => Just(Deed::Start),
        3 => Just(Deed::Collect),
        2 => Just(Deed::Ahead),
        2 => (0u8..4).prop_map(Deed::Complete),
        2 => any::<bool>().prop_map(Deed::Validate),
        2 => Just(Deed::Review),
        3 => Just(Deed::Close),
        1 => Just(Deed::Glass),
        2 => Just(Deed::Cosign),
        1 => Just(Deed::ValidateGlass),
        1 => Just(Deed::Extend),
        1 => any::<bool>().prop_map(Deed::Grant),
        1 => any::<bool>().prop_map(Deed::Leave),
        2 => (any::<bool>(), 0u8..4).prop_map(|(first, how)| Deed::CompleteOne(first, how)),
        1 => (0u8..4).prop_map(Deed::Freeze),
        1 => Just(Deed::Thaw),
        1 => any::<bool>().prop_map(Deed::Confirm),
        1 => Just(Deed::Finding),
    ]
}

/// Builds of the shop, and behind them the build of the service beside it.
const ARTIFACTS: [&str; 4] = ["git:aae5e5e", "git:bbe5e5e", "git:cce5e5e", BESIDE];
const BESIDE: &str = "git:dde5e5e";
const OUTCOMES: [&str; 4] = ["succeeded", "failed", "rolled_back", "succeeded_with_issues"];

/// The next lawful step, by the person to whom it belongs, so that histories get somewhere.
fn onward(world: &World, round: usize) -> (&'static str, Deed) {
    match world.state() {
        _ if world.change().is_on_hold() => ("rita", Deed::Resume),
        State::Draft => ("rita", Deed::Submit),
        State::Assessing => ("rita", Deed::Assess),
        State::Authorizing | State::Approved => match round % 6 {
            0 => ("olga", Deed::Say(0)),
            1 => ("sam", Deed::Say(0)),
            2 => ("sue", Deed::Peer(true)),
            3 => ("max", Deed::Say(0)),
            4 => (["rita", "mia"][round / 6 % 2], Deed::Times(2)),
            _ => ("mia", Deed::Say(0)),
        },
        State::Scheduled => match round % 5 {
            0 => ("pip", Deed::Evidence(true, artifact_number(world))),
            4 => ("pip", Deed::Evidence(true, 3)),
            1 => ("rita", Deed::Wait(3)),
            2 => ("ida", Deed::Collect),
            _ => ("ida", Deed::Start),
        },
        State::Implementing => match round % 3 {
            0 => ("ida", Deed::Collect),
            1 => ("rita", Deed::Wait(0)),
            _ => ("ida", Deed::Complete(0)),
        },
        State::Reviewing => match round % 8 {
            7 => ("sue", Deed::Peer(true)),
            5 if world.change().unauthorized => ("mia", Deed::Finding),
            5 => ("olga", Deed::Confirm(true)),
            6 => ("pip", Deed::Evidence(true, 3)),
            0 => ("tom", Deed::Validate(true)),
            1 => ("pip", Deed::Evidence(true, artifact_number(world))),
            2 => ("max", Deed::ValidateGlass),
            3 => ("olga", Deed::Review),
            _ => ("olga", Deed::Close),
        },
        State::Rejected => ("rita", Deed::Title(2)),
        State::Closed | State::Cancelled => ("rita", Deed::Label(0)),
    }
}

fn artifact_number(world: &World) -> u8 {
    let own = world
        .change()
        .content
        .targets
        .first()
        .and_then(|target| target.artifact.as_deref());
    ARTIFACTS.iter().position(|name| Some(*name) == own).unwrap_or(0) as u8
}

fn times(world: &World, choice: u8) -> Value {
    let (from, minutes) = [(30, 120), (-30, 90), (0, 240)][usize::from(choice) % 3];
    let start = world.now + jiff::SignedDuration::from_mins(from);
    let end = start + jiff::SignedDuration::from_mins(minutes);
    json!({"planned_start": start.to_string(), "planned_end": end.to_string()})
}

fn done<T>(_: T) {}

/// The targets with another build of the shop; the service beside it stays.
fn with_build(world: &World, artifact: &str) -> Value {
    let mut targets = vec![target("shop", artifact)];
    if world.change().content.targets.len() > 1 {
        targets.push(target("pay", BESIDE));
    }
    json!({"targets": targets})
}

fn target(service: &str, artifact: &str) -> Value {
    json!({"service": service, "environment": "production", "artifact": artifact, "rollback_to": "git:00e5e5e"})
}

/// The service whose build it is.
fn service_of(artifact: &str) -> &'static str {
    if artifact == BESIDE { "pay" } else { "shop" }
}

/// Does a deed; returns whether it was allowed.
fn try_it(world: &mut World, who: &str, deed: Deed) -> bool {
    let edit = |world: &mut World, patch: Value| world.edit(who, patch).is_ok();
    match deed {
        Deed::Onward => false,
        Deed::Title(n) => edit(world, json!({"title": format!("Ship {n}")})),
        Deed::Artifact(n) => {
            let patch = with_build(world, ARTIFACTS[usize::from(n)]);
            edit(world, patch)
        }
        Deed::Risk(n) => {
            let level = ["low", "high"][usize::from(n)];
            edit(world, json!({"impact": {"availability": level}, "complexity": level}))
        }
        Deed::Times(n) => {
            let words = body(times(world, n));
            if world.state() == State::Draft {
                return edit(world, Value::Object(words));
            }
            world.act(who, |case| plan::schedule(case, &words)).is_ok()
        }
        Deed::Label(n) => edit(world, json!({"labels": [n.to_string()]})),
        Deed::Urgent => edit(world, json!({"kind": "emergency", "incident": "INC-1"})),
        Deed::Submit => world.submit(who).is_ok(),
        Deed::Assess => world.assess(who, json!({})).is_ok(),
        Deed::Say(n) => {
            let said = ["approve", "approve", "approve_with_conditions", "abstain", "reject"][usize::from(n)];
            let mut words = body(json!({"decision": said, "comment": "So be it"}));
            if n == 2 {
                words.insert(
                    "conditions".into(),
                    json!([{"text": "Watch it", "due": "close", "checker": "tom"}]),
                );
            }
            world.decide(who, Value::Object(words)).is_ok()
        }
        Deed::Withdraw => {
            let own = world
                .file
                .standing()
                .find(|row| row.person.as_str() == who)
                .map(|row| row.id.clone());
            own.is_some_and(|id| world.act(who, |case| decide::withdraw(case, &id)).is_ok())
        }
        deed => try_step(world, who, deed),
    }
}

/// A functional test with its result; the aspects that rules require besides from medium risk up pass.
fn bring_evidence(world: &mut World, who: &str, passed: bool, artifact: &str) -> bool {
    let result = if passed { "passed" } else { "failed" };
    let is_brought = world.evidence(who, result, Some(artifact)).is_ok();
    for aspect in ["compatibility", "security"] {
        if is_brought {
            world.evidence_of(who, (aspect, "passed"), Some(artifact)).unwrap();
        }
    }
    is_brought
}

fn try_step(world: &mut World, who: &str, deed: Deed) -> bool {
    match deed {
        Deed::Return => world
            .act(who, |case| decide::return_change(case, &body(json!({"question": "?"}))))
            .is_ok(),
        Deed::Hold => world.hold(who, json!({"reason": "Wait"})).is_ok(),
        Deed::Resume => world.act(who, plan::resume).is_ok(),
        Deed::Cancel => world
            .act(who, |case| plan::cancel(case, &body(json!({"reason": "No"}))))
            .is_ok(),
        Deed::Evidence(passed, n) => bring_evidence(world, who, passed, ARTIFACTS[usize::from(n)]),
        Deed::Peer(agrees) => world
            .peer_review(who, if agrees { "agree" } else { "disagree" })
            .is_ok(),
        Deed::Start => world.start(who).is_ok(),
        Deed::Collect => {
            let own = ARTIFACTS[usize::from(artifact_number(world))];
            // The one beside it is requested as often as it is there.
            let is_beside = world.change().content.targets.len() > 1 && world.collect_for(who, "pay", BESIDE).is_ok();
            world.collect(who, own).is_ok() || is_beside
        }
        Deed::Ahead => {
            let own = ARTIFACTS[usize::from(artifact_number(world))];
            let words = body(json!({"service": "shop", "environment": "production", "artifact": own}));
            world
                .act(who, |case| permit::issue_ahead(case, &words, &signing()))
                .map(done)
                .is_ok()
        }
        deed => try_late(world, who, deed),
    }
}

fn try_late(world: &mut World, who: &str, deed: Deed) -> bool {
    match deed {
        Deed::Complete(n) => world
            .complete(who, json!({"outcome": OUTCOMES[usize::from(n)], "reason": "Seen"}))
            .is_ok(),
        Deed::Validate(works) => world.validate(who, if works { "works" } else { "does_not" }).is_ok(),
        Deed::Review => world.review(who).is_ok(),
        Deed::Close => world.close(who).is_ok(),
        Deed::Glass => world.break_glass(who, 60).is_ok(),
        Deed::Cosign => world.cosign(who).is_ok(),
        Deed::ValidateGlass => {
            let words = body(json!({"text": "Looked at it"}));
            world.act(who, |case| break_glass::validate(case, &words)).is_ok()
        }
        Deed::Extend => {
            let until = world.now + jiff::SignedDuration::from_mins(300);
            let words = body(json!({"until": until.to_string(), "reason": "Slow"}));
            world.act(who, |case| work::ask_extension(case, &words)).is_ok()
        }
        Deed::Grant(grant) => world
            .act(who, |case| work::decide_extension(case, &body(json!({"grant": grant}))))
            .is_ok(),
        Deed::Wait(n) => {
            world.wait([7, 30, 61, 35][usize::from(n)]);
            true
        }
        Deed::Leave(compromised) => {
            let person = ids::PersonId::from(who);
            let left = world.act("system", |case| {
                leaver::leave(case, &person, compromised);
                Ok(())
            });
            left.is_ok()
        }
        deed => try_around(world, who, deed),
    }
}

/// The additions of several targets, freezes and work reported afterwards.
fn try_around(world: &mut World, who: &str, deed: Deed) -> bool {
    match deed {
        Deed::CompleteOne(first, n) => {
            let targets = &world.change().content.targets;
            let Some(target) = (if first { targets.first() } else { targets.last() }) else {
                return false;
            };
            let words = json!({"outcome": OUTCOMES[usize::from(n)], "reason": "Seen", "target": target.id});
            world.complete(who, words).is_ok()
        }
        Deed::Freeze(n) => {
            let start = world.now + jiff::SignedDuration::from_mins(if n < 2 { 0 } else { 40 });
            let end = start + jiff::SignedDuration::from_mins(45);
            world.freeze(&start.to_string(), &end.to_string(), n % 2 == 1);
            true
        }
        Deed::Thaw => {
            let end = |freezes: &mut snapshot::Directory| {
                let mut all: Vec<_> = freezes.freezes.iter().cloned().collect();
                all.iter_mut().for_each(|freeze| freeze.ended = true);
                freezes.freezes = all.into();
            };
            world.estate(end);
            world.settle();
            true
        }
        Deed::Confirm(agreed) => {
            let words = body(json!({"confirmed": agreed}));
            world
                .act(who, |case| after::confirm_retrospective(case, &words))
                .is_ok()
        }
        Deed::Finding => {
            let words = body(json!({"text": "Nobody was asked"}));
            world.act(who, |case| after::state_finding(case, &words)).is_ok()
        }
        other => unreachable!("{other:?} is tried elsewhere"),
    }
}

/// Writes a deed that was done into the clerk's book.
fn note(clerk: &mut Clerk, who: &str, deed: Deed, before: &World, after: &World) {
    clerk.note_edit(who, before.change(), after.change());
    let state = |world: &World| world.state();
    match deed {
        Deed::Times(_) => clerk.note_times(who),
        Deed::Say(n) => clerk.note_word(who, n <= 2),
        Deed::Withdraw => {
            if let Some(word) = clerk.words.get_mut(who) {
                word.withdrawn = true;
            }
        }
        Deed::Return => clerk.note_all_void(),
        Deed::Peer(agrees) => {
            let epoch = if agrees { clerk.what_epoch } else { u32::MAX };
            clerk.peers.insert(who.to_owned(), epoch);
        }
        Deed::Evidence(true, n) => {
            clerk.tested.insert(ARTIFACTS[usize::from(n)].to_owned());
        }
        Deed::Evidence(false, n) => {
            clerk.tested.remove(ARTIFACTS[usize::from(n)]);
        }
        Deed::Glass => {
            clerk.glass = after
                .change()
                .break_glass
                .as_ref()
                .map(|glass| (glass.needs_cosignature, false))
        }
        Deed::Cosign => clerk.glass = Some((true, true)),
        Deed::Leave(true) => clerk.note_compromised(who, state(before) == State::Implementing),
        _ => {}
    }
    if state(before) == State::Rejected && state(after) == State::Draft {
        clerk.note_all_void();
    }
    let missed = |world: &World| {
        world
            .events
            .iter()
            .filter(|event| event.kind == "change.window_missed")
            .count()
    };
    if missed(before) != missed(after) {
        clerk.when_epoch += 1;
    }
}

/// The invariants after every act of everybody.
fn inspect(world: &World, clerk: &Clerk, before: &World) -> Result<(), TestCaseError> {
    let change = world.change();
    let (what, when) = (clerk.what_is_met(change), clerk.when_is_met(change));
    if matches!(world.state(), State::Approved | State::Scheduled) {
        prop_assert!(what, "approved without all words: {clerk:?}");
    }
    if world.state() == State::Scheduled {
        prop_assert!(when, "scheduled without the word on when: {clerk:?}");
        prop_assert!(change.planned_end.is_some_and(|end| end > world.now));
        prop_assert!(!is_frozen_over(world), "scheduled into a freeze");
    }
    if world.state() == State::Implementing {
        prop_assert!(!change.is_on_hold(), "nobody can lift a hold from work that began");
    }
    if world.state() == State::Implementing && before.state() != State::Implementing {
        let lawful = what && when && clerk.evidence_is_there(change) && !before.change().is_on_hold();
        prop_assert!(lawful || clerk.glass_is_lawful(), "began unlawfully: {clerk:?}");
    }
    let vain = crate::waiting::named_in_vain(world);
    prop_assert!(vain.is_empty(), "somebody is waited for who may not: {vain:?}");
    let unsaid = crate::waiting::unsaid(world, 1);
    prop_assert!(unsaid.is_empty(), "nobody is named, and nothing says so: {unsaid:?}");
    gate_is_lawful(world, clerk)?;
    words_are_counted_once(world)?;
    closed_is_complete(world)?;
    permits_die(world, before)
}

/// Whether a freeze lies over the rest of the planned window.
fn is_frozen_over(world: &World) -> bool {
    let change = world.change();
    let (Some(start), Some(end)) = (change.planned_start, change.planned_end) else {
        return false;
    };
    let mut freezes = world.directory.freezes.iter();
    freezes.any(|freeze| !freeze.ended && freeze.starts_at < end && freeze.ends_at > start.max(world.now))
}

/// Whether a freeze is on now, of any kind or of those that halt work under way.
fn is_frozen_now(world: &World, halting: bool) -> bool {
    let mut freezes = world.directory.freezes.iter();
    freezes.any(|freeze| {
        let is_on = freeze.starts_at <= world.now && world.now < freeze.ends_at;
        !freeze.ended && is_on && (freeze.halt || !halting)
    })
}

fn gate_is_lawful(world: &World, clerk: &Clerk) -> Result<(), TestCaseError> {
    let change = world.change();
    let begun = change.state == State::Implementing;
    let ready = clerk.what_is_met(change) && clerk.when_is_met(change) && clerk.evidence_is_there(change);
    let glass = change.break_glass.as_ref().filter(|_| clerk.glass_is_lawful());
    let open_glass = begun && glass.is_some_and(|glass| world.now < glass.until);
    let in_window = change.planned_start.is_some_and(|start| start <= world.now)
        && change
            .extended_until
            .or(change.planned_end)
            .is_some_and(|end| world.now < end);
    for artifact in ARTIFACTS {
        let answer = world.gate_for(service_of(artifact), artifact);
        if answer.decision == GateDecision::Go && answer.purpose == Purpose::Deploy {
            let lawful = in_window
                && !change.is_on_hold()
                && glass.is_none()
                && match change.state {
                    State::Scheduled => ready && !is_frozen_now(world, false),
                    State::Implementing => !change.overrun && !clerk.distrusted && !is_frozen_now(world, true),
                    _ => false,
                };
            prop_assert!(
                lawful || open_glass,
                "the gate is open for {artifact} while {}",
                change.state
            );
        }
    }
    for permit in world
        .live_permits()
        .into_iter()
        .filter(|permit| permit.purpose == Purpose::Deploy)
    {
        // Break-glass replaces every approval, so an approval that turned out to be another person's ends none of its permits
        // for good.
        let lawful = matches!(change.state, State::Scheduled) && ready
            || begun && !clerk.distrusted
            || permit.break_glass && open_glass;
        prop_assert!(
            lawful && !change.is_on_hold() && change.retrospective.is_none(),
            "a permit lives while {}: {permit:?}",
            change.state
        );
        prop_assert_eq!(&permit.content_digest, &change.digests.content);
        prop_assert!(permit.not_before < permit.expires_at);
        let is_halted = begun && glass.is_none() && is_frozen_now(world, true);
        prop_assert!(!is_halted, "a permit lives in a halting freeze: {permit:?}");
    }
    Ok(())
}

fn words_are_counted_once(world: &World) -> Result<(), TestCaseError> {
    let mut people: Vec<_> = world.file.standing().map(|row| &row.person).collect();
    people.sort();
    let all = people.len();
    people.dedup();
    prop_assert_eq!(people.len(), all, "somebody has two standing words");
    for row in world
        .file
        .approvals
        .iter()
        .filter(|row| row.state == ApprovalState::Standing)
    {
        prop_assert!(row.what == Coverage::Standing || row.when == Coverage::Standing);
    }
    Ok(())
}

fn closed_is_complete(world: &World) -> Result<(), TestCaseError> {
    let change = world.change();
    if change.state != State::Closed {
        return Ok(());
    }
    prop_assert!(change.target_records.iter().all(|record| record.outcome.is_some()));
    prop_assert_eq!(change.target_records.len(), change.content.targets.len());
    prop_assert!(world.live_permits().is_empty());
    let went_well = |record: &record::TargetRecord| record.outcome == Some(Outcome::Succeeded);
    let is_clean = change.target_records.iter().all(went_well) && change.break_glass.is_none();
    prop_assert!(change.closed_by.is_some() || is_clean, "it closed by itself");
    if change.content.kind == Kind::Standard && is_clean {
        // A standard change from the template that went well needs nobody's approval.
        return Ok(());
    }
    if let Some(told) = &change.retrospective {
        let confirmed = told.confirmation.as_ref().is_some_and(|word| word.confirmed);
        prop_assert!(
            confirmed || change.finding.is_some(),
            "nobody allowed it, and nobody found why"
        );
    }
    let validator = &change.validations.last().unwrap().by;
    prop_assert!(!change.implemented_by.contains(validator));
    prop_assert!(change.content.kind == Kind::Standard || !change.reviews.is_empty());
    if let Some(glass) = change.break_glass.as_ref().filter(|glass| glass.is_lawful()) {
        prop_assert!(glass.validated.as_ref().is_some_and(|word| word.by != glass.by));
    }
    prop_assert!(world.file.conditions.iter().all(|row| row.met.is_some() || row.lapsed));
    Ok(())
}

fn permits_die(world: &World, before: &World) -> Result<(), TestCaseError> {
    let times = |world: &World| (world.change().planned_start, world.change().planned_end);
    let held = world.change().is_on_hold();
    let stopped = matches!(
        world.state(),
        State::Draft | State::Assessing | State::Authorizing | State::Approved | State::Rejected | State::Cancelled
    );
    if held || stopped {
        prop_assert!(world.live_permits().is_empty(), "permits live while {}", world.state());
    }
    if times(world) != times(before) {
        let old: Vec<_> = before
            .live_permits()
            .into_iter()
            .map(|permit| permit.id.clone())
            .collect();
        prop_assert!(world.live_permits().iter().all(|permit| !old.contains(&permit.id)));
    }
    Ok(())
}

/// A timer that runs again at the same instant changes nothing, and the next instant lies ahead.
fn timers_rest(world: &World) -> Result<(), TestCaseError> {
    let mut once = world.clone();
    once.run_timers();
    let mut twice = once.clone();
    twice
        .act("system", |case| {
            timers::run(case);
            Ok(())
        })
        .unwrap();
    let (left, right) = (
        serde_json::to_value(once.change()).unwrap(),
        serde_json::to_value(twice.change()).unwrap(),
    );
    let plain = |mut value: Value| {
        for counted in ["version", "updated_at"] {
            value.as_object_mut().unwrap().remove(counted);
        }
        value
    };
    prop_assert_eq!(plain(left), plain(right));
    prop_assert_eq!(once.events.len(), twice.events.len());
    prop_assert_eq!(once.letters.len(), twice.letters.len());
    let next = twice.look(timers::next_due);
    prop_assert!(next.is_none_or(|at| at > twice.now), "due again at {next:?}");
    Ok(())
}

/// The change at the beginning of a history.
fn begin(shape: Shape) -> World {
    let ahead = (
        Due::Start,
        Duty::Permit {
            minutes: Some(60),
            ahead: true,
            max_list_age_seconds: None,
        },
    );
    let mut words = match shape.told {
        Intake::FromTemplate => standard_facts(),
        _ => facts(),
    };
    if shape.high {
        words.insert("impact".into(), json!({"availability": "high"}));
        words.insert("complexity".into(), json!("high"));
    }
    // The template is for one service alone.
    if shape.two && shape.told != Intake::FromTemplate {
        words.insert(
            "targets".into(),
            json!([target("shop", ARTIFACTS[0]), target("pay", BESIDE)]),
        );
    }
    if shape.told == Intake::Afterwards {
        let told = json!({"actual_start": "2026-11-20T07:00:00Z", "actual_end": "2026-11-20T08:00:00Z",
            "reason": "The shop was down", "verbal_approver": "olga"});
        words.insert("retrospective".into(), told);
    }
    World::with(words, vec![ahead])
}

fn run_history(deeds: Vec<(usize, Deed)>, shape: Shape) -> Result<(u32, State), TestCaseError> {
    let mut world = begin(shape);
    let mut clerk = Clerk::default();
    clerk.authors.insert("rita".into());
    clerk.planners.insert("rita".into());
    let mut count = 0;
    for (round, (person, wish)) in deeds.into_iter().enumerate() {
        let (who, deed) = match wish {
            Deed::Onward => onward(&world, round),
            other => (PEOPLE[person % PEOPLE.len()].0, other),
        };
        let before = world.clone();
        if try_it(&mut world, who, deed) {
            note(&mut clerk, who, deed, &before, &world);
            count += 1;
        }
        inspect(&world, &clerk, &before)?;
        timers_rest(&world)?;
    }
    Ok((count, world.state()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_unlawful_ever_comes_of_it(
        deeds in proptest::collection::vec((0usize..12, deed()), 1..70), shape in shape(),
    ) {
        run_history(deeds, shape)?;
    }

    #[test]
    fn merging_an_empty_patch_or_its_own_result_changes_nothing(title in "[a-z]{1,8}", minutes in 0i64..500) {
        let mut world = World::new();
        let patch = json!({"title": title, "rollback_minutes": minutes, "disruption": {"kind": "outage"}});
        world.edit("rita", patch.clone()).unwrap();
        let once = world.change().content.clone();
        world.edit("rita", patch).unwrap();
        prop_assert_eq!(&world.change().content, &once);
        world.act("rita", |case| write::edit(case, &body(json!({})))).unwrap();
        prop_assert_eq!(&world.change().content, &once);
    }
}

/// The histories above mean little if none gets far: this one does, by the same steps.
#[test]
fn the_steps_onward_lead_to_the_end() {
    for told in [Intake::Ahead, Intake::FromTemplate, Intake::Afterwards] {
        for (high, two) in [(false, false), (true, false), (false, true), (true, true)] {
            let shape = Shape { high, two, told };
            let deeds = (0..90).map(|_| (0, Deed::Onward)).collect();
            let (count, state) = run_history(deeds, shape).unwrap();
            assert_eq!(state, State::Closed, "{shape:?}");
            let fewest = if told == Intake::Ahead { 12 } else { 4 };
            assert!(count > fewest, "{shape:?}: {count}");
        }
    }
}

/// A peer who later approves: a person counts as peer or as approver, never as both.
#[test]
fn nobody_counts_as_peer_and_as_approver() {
    let mut words = facts();
    words.insert("impact".into(), json!({"availability": "high"}));
    words.insert("complexity".into(), json!("high"));
    let mut world = World::with(words, Vec::new()).until_authorizing();
    let agree = body(json!({"verdict": "agree", "content_digest": world.change().digests.content}));
    world.act("sam", |case| around::peer_review(case, &agree)).unwrap();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    assert_eq!(world.state(), State::Authorizing);
    let rows = requirement::before_approved(&world.file, &world.directory, world.now);
    let row = rows.iter().find(|row| row.code == "peer_review_missing").unwrap();
    assert!(
        row.text
            .contains("The review by sam no longer counts, because they approve the change."),
        "{}",
        row.text
    );
    world.act("sue", |case| around::peer_review(case, &agree)).unwrap();
    assert_eq!(world.state(), State::Scheduled);
}
