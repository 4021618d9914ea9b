//! The people a change waits for: nobody is named whom the act itself would refuse.

use model::approval::approvals;
use model::change::change_file::{Case, RejectedElsewhere};
use model::change::waiting_on::{Step, ahead};
use model::change::{after, around, tasks, work, write};
use model::core::enums::{self, OwnershipRole};
use model::core::ids;
use model::core::refusal::Refusal;
use model::core::unmet::Unmet;
use model::emergency::break_glass;
use serde_json::{Value, json};

use crate::people::directory;
use crate::world::{Body, World, at, body, facts_but, file};

/// The rows that name a person whom the row's own act would refuse as not allowed.
pub fn named_in_vain(world: &World) -> Vec<String> {
    let rows = ahead(&world.file, &world.directory, world.now);
    let rows = rows.into_iter().map(|row| row.unmet);
    rows.flat_map(|row| in_vain(world, &row)).collect()
}

/// The rows that name nobody without a note that nobody can, or without the remedy; also after each of the named left.
pub fn unsaid(world: &World, depth: usize) -> Vec<String> {
    let rows: Vec<Unmet> = ahead(&world.file, &world.directory, world.now)
        .into_iter()
        .map(|row| row.unmet)
        .collect();
    let is_unsaid = |row: &&Unmet| row.satisfy.is_empty() || (row.waiting_on.is_empty() && !row.cannot_be_met);
    let mut found: Vec<String> = rows.iter().filter(is_unsaid).map(|row| row.code.clone()).collect();
    if depth == 0 {
        return found;
    }
    let mut named: Vec<&String> = rows.iter().flat_map(|row| &row.waiting_on).collect();
    named.sort();
    named.dedup();
    for who in named {
        let mut without = world.clone();
        without.estate(|estate| {
            let id = estate.by_login(who).map(|person| person.id.clone());
            if let Some(person) = id.and_then(|id| estate.people.get_mut(&id)) {
                person.active = false;
            }
        });
        found.extend(
            named_in_vain(&without)
                .into_iter()
                .map(|it| format!("{it} once {who} has left")),
        );
        found.extend(
            unsaid(&without, depth - 1)
                .into_iter()
                .map(|it| format!("{it} once {who} has left")),
        );
    }
    found
}

fn in_vain(world: &World, row: &Unmet) -> Vec<String> {
    let refused = |who: &&String| {
        matches!(
            satisfy(&mut world.clone(), who, &row.code),
            Err(Refusal::NotAllowed { .. })
        )
    };
    let people = row.waiting_on.iter().filter(refused);
    people.map(|who| format!("{} waits for {who}", row.code)).collect()
}

/// Tries the act that satisfies a row of this code. Wrong input is reported after the missing right.
fn satisfy(world: &mut World, who: &str, code: &str) -> Result<(), Refusal> {
    let done = |_: ids::RecordId| ();
    let none = Body::new();
    let text = body(json!({"text": "Looked at it"}));
    let conditions: Vec<_> = world
        .file
        .conditions
        .iter()
        .filter(|it| it.met.is_none() && !it.lapsed)
        .cloned()
        .collect();
    match code {
        "field_missing" | "plan_missing" | "rollback_plan_missing" | "template_not_valid" => {
            world.edit(who, json!({"title": "Ship it"}))
        }
        "not_submitted" => world.submit(who),
        "not_assessed" => world.assess(who, json!({"dependencies_reviewed": true})),
        "not_planned" | "window_over" | "lead_time" => world.schedule(who, "20:00", "21:00"),
        "approval_missing" => world.approve(who).map(done),
        "peer_review_missing" => world.peer_review(who, "agree").map(done),
        "evidence_missing" => world.act(who, |case| around::add_evidence(case, &none, file()).map(done)),
        "outcome_missing" => world.complete(who, json!({"outcome": "succeeded", "reason": "Seen"})),
        "validation_missing" => world.validate(who, "works"),
        "review_missing" => world.review(who),
        "break_glass_validation_missing" => world.act(who, |case| break_glass::validate(case, &text)),
        "cosignature_missing" => world.cosign(who),
        "confirmation_missing" => world.act(who, |case| after::confirm_retrospective(case, &none)),
        "finding_missing" => world.act(who, |case| after::state_finding(case, &text)),
        // Of several, each has its own people.
        "condition_open" => conditions
            .iter()
            .map(|it| {
                world
                    .clone()
                    .act(who, |case| around::meet_condition(case, &it.id, &none))
            })
            .find(|answer| !matches!(answer, Err(Refusal::NotAllowed { .. })))
            .unwrap_or_else(|| Err(Refusal::not_allowed("not_the_checker", "None is theirs."))),
        _ => Ok(()),
    }
}

fn waiting_on(world: &World, code: &str) -> Vec<String> {
    let rows = ahead(&world.file, &world.directory, world.now);
    let row = rows.into_iter().find(|row| row.unmet.code == code);
    row.map(|row| row.unmet.waiting_on).unwrap_or_default()
}

/// The change as somebody else's facts make it, in review.
fn reviewing_by(implementer: &str) -> World {
    let words = facts_but(json!({"implementers": [implementer], "tester": null}));
    let mut world = World::with(words, Vec::new()).until_scheduled();
    world.wait_until(at("11:10"));
    world.start(implementer).unwrap();
    world
}

#[test]
fn a_review_waits_for_owners_and_managers_and_not_for_the_only_implementer() {
    let mut world = reviewing_by("olga");
    world.file.change.content.owner = "olga".into();
    assert_eq!(waiting_on(&world, "review_missing"), ["max", "mia"]);
    assert_eq!(named_in_vain(&world), [""; 0]);
    world.complete("olga", json!({"outcome": "succeeded"})).unwrap();
    assert_eq!(waiting_on(&world, "review_missing"), ["max", "mia"]);
    assert_eq!(waiting_on(&world, "validation_missing"), [""; 0], "the owner did it");
    let row = cannot_be_met(&world).unwrap();
    assert_eq!(
        (row.text.as_str(), row.satisfy.as_str(), row.waiting_on.join(" ")),
        (
            "No independent validator is left: everyone who may validate the change took part in the work.",
            "Add an owner of the service who took no part in the work.",
            "ada".to_owned()
        )
    );
    assert_eq!(named_in_vain(&world), [""; 0]);
    let other = World::new().until_reviewing();
    assert_eq!(waiting_on(&other, "review_missing"), ["rita", "olga", "max", "mia"]);
    assert_eq!(named_in_vain(&other), [""; 0]);
}

fn cannot_be_met(world: &World) -> Option<Unmet> {
    let rows = ahead(&world.file, &world.directory, world.now).into_iter();
    rows.map(|row| row.unmet).find(|row| row.code == "cannot_be_met")
}

#[test]
fn a_change_whose_only_tester_will_do_the_work_says_so_while_a_tester_can_still_be_named() {
    let words = facts_but(json!({"owner": "olga", "implementers": ["olga"], "tester": null}));
    let mut world = World::with(words, Vec::new());
    let row = cannot_be_met(&world).unwrap();
    assert_eq!(
        (row.satisfy.as_str(), row.waiting_on.join(" ")),
        (
            "Name a `tester` who has no other part in the change, or add another owner of the service.",
            "rita olga ada".to_owned()
        )
    );
    world.edit("rita", json!({"tester": "tom"})).unwrap();
    assert_eq!(cannot_be_met(&world), None);
    let mut world = world.until_scheduled();
    world.wait_until(at("11:10"));
    world.start("olga").unwrap();
    world.complete("olga", json!({"outcome": "succeeded"})).unwrap();
    world.validate("tom", "works").unwrap();
}

#[test]
fn a_draft_waits_first_for_who_submits_and_assesses_it() {
    let first = |world: &World| {
        let rows = ahead(&world.file, &world.directory, world.now);
        (
            rows[0].step,
            rows[0].unmet.code.clone(),
            rows[0].unmet.waiting_on.clone(),
        )
    };
    let mut world = World::new();
    assert_eq!(
        first(&world),
        (Step::Assessment, "not_submitted".to_owned(), vec!["rita".to_owned()])
    );
    assert_eq!(waiting_on(&world, "not_assessed"), ["rita"]);
    world.submit("rita").unwrap();
    assert_eq!(waiting_on(&world, "not_submitted"), [""; 0]);
    assert_eq!(waiting_on(&world, "not_assessed"), ["rita"]);
    world.assess("rita", json!({"dependencies_reviewed": true})).unwrap();
    assert_eq!(waiting_on(&world, "not_assessed"), [""; 0]);
    assert_eq!(waiting_on(&World::standard(), "not_submitted"), ["rita"]);
    assert_eq!(
        waiting_on(&World::standard(), "not_assessed"),
        [""; 0],
        "its template is assessed"
    );
}

#[test]
fn times_that_have_passed_and_a_template_that_holds_no_more_stand_before_a_submission() {
    let mut world = World::standard();
    world.wait_until(at("23:00"));
    world.estate(|estate| {
        for template in estate.templates.values_mut() {
            template.state = enums::TemplateState::Retired;
        }
    });
    let rows = ahead(&world.file, &world.directory, world.now).into_iter();
    let rows: Vec<_> = rows
        .filter(|row| row.step == Step::Submission)
        .map(|row| row.unmet)
        .collect();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.code.as_str(), row.waiting_on.join(" ")))
        .collect();
    let by = |code, people: &str| (code, people.to_owned());
    assert_eq!(told, [by("window_over", "rita"), by("template_not_valid", "rita")]);
    let Err(Refusal::NotNow { unmet, .. }) = world.submit("rita") else {
        panic!("it was taken")
    };
    assert_eq!(unmet, rows, "the refusal says the same");
}

#[test]
fn a_broken_glass_waits_for_everybody_who_validates_but_who_broke_it() {
    let mut world = World::new();
    world.break_glass("mia", 60).unwrap();
    let waits = waiting_on(&world, "break_glass_validation_missing");
    assert_eq!(waits, ["rita", "olga", "sam", "max"]);
    assert_eq!(named_in_vain(&world), [""; 0]);
    world
        .file
        .change
        .break_glass
        .as_mut()
        .unwrap()
        .counted
        .as_mut()
        .unwrap()
        .number = 9;
    assert_eq!(waiting_on(&world, "break_glass_validation_missing"), ["max"]);
    assert_eq!(named_in_vain(&world), [""; 0]);
}

#[test]
fn an_outcome_is_told_by_whoever_may_complete() {
    let world = World::new();
    assert_eq!(waiting_on(&world, "outcome_missing"), ["ida"]);
    let by_right = World::with(facts_but(json!({"implementers": null})), Vec::new());
    assert_eq!(waiting_on(&by_right, "outcome_missing"), ["ida"], "by role");
    let mut held = by_right.clone();
    held.estate(|estate| {
        let mut row = estate.ownerships.iter().next().unwrap().clone();
        (row.id, row.role, row.person) = ("o2".into(), OwnershipRole::Implementer, Some("vera".into()));
        let mut rows: Vec<_> = estate.ownerships.iter().cloned().collect();
        rows.push(row);
        estate.ownerships = rows.into();
    });
    assert_eq!(waiting_on(&held, "outcome_missing"), ["vera"], "by the matrix");
    for world in [world, by_right, held] {
        assert_eq!(named_in_vain(&world), [""; 0]);
    }
}

#[test]
fn a_finding_and_an_exception_wait_for_managers_without_a_stake() {
    let mut words = facts_but(json!({"retrospective": {
        "actual_start": "2026-11-20T07:00:00Z", "actual_end": "2026-11-20T08:00:00Z",
        "reason": "The shop was down", "verbal_approver": "olga",
    }}));
    words.remove("implementers");
    let mut told = World::create("mia", words, Vec::new(), directory()).unwrap();
    let no = body(json!({"confirmed": false}));
    told.act("olga", |case| after::confirm_retrospective(case, &no))
        .unwrap();
    assert_eq!(waiting_on(&told, "finding_missing"), ["max"]);
    assert_eq!(named_in_vain(&told), [""; 0]);
    let mut frozen = World::create("mia", facts_but(json!({})), Vec::new(), directory()).unwrap();
    frozen.freeze("11:30", "12:00", false);
    assert_eq!(
        waiting_on(&frozen, "freeze"),
        ["mia", "max"],
        "who plans it, and who excepts it"
    );
}

#[test]
fn who_has_left_is_not_waited_for() {
    let mut world = World::new().until_reviewing();
    world.estate(|estate| {
        for who in ["tom", "rita"] {
            estate.people.get_mut(&who.into()).unwrap().active = false;
        }
    });
    assert_eq!(waiting_on(&world, "validation_missing"), ["olga"]);
    assert_eq!(waiting_on(&world, "review_missing"), ["olga", "max", "mia"]);
    let task = body(json!({"kind": "prepare", "title": "Tell them", "mandatory": true, "assignee": "vera"}));
    let mut planned = World::new();
    planned.act("rita", |case| tasks::add(case, &task)).unwrap();
    assert_eq!(waiting_on(&planned, "task_open"), ["vera"]);
    planned.estate(|estate| estate.people.get_mut(&"vera".into()).unwrap().active = false);
    assert_eq!(waiting_on(&planned, "task_open"), ["rita"]);
}

#[test]
fn what_only_others_may_lift_waits_for_those_who_may() {
    // The requester of the rejected change may not overrule its rejection, but revise or cancel it.
    let mut world = World::new().until_scheduled();
    world.file.rejected_elsewhere = Some(RejectedElsewhere {
        key: "CHG-7".into(),
        requester: "mia".into(),
        of_interest_to: vec!["mia".into()],
    });
    assert_eq!(waiting_on(&world, "rejected_elsewhere"), ["mia", "max"]);
    // Work that is reported afterwards waits for nobody once its approver has left.
    let retro = facts_but(json!({"retrospective": {
        "actual_start": "2026-11-20T07:00:00Z", "actual_end": "2026-11-20T08:00:00Z",
        "reason": "The shop was down", "verbal_approver": "olga",
    }}));
    let mut told = World::create("mia", retro, Vec::new(), directory()).unwrap();
    assert_eq!(waiting_on(&told, "confirmation_missing"), ["olga"]);
    told.estate(|estate| estate.people.get_mut(&"olga".into()).unwrap().active = false);
    assert_eq!(waiting_on(&told, "confirmation_missing"), [""; 0]);
    // Commits that nobody reported wait for the change's author, once its owner has left.
    let mut pushed = World::new().until_authorizing();
    pushed.file.committers.not_told.insert("1f2e3d".to_owned());
    pushed.file.committers.too_far.insert("1f2e3d".to_owned());
    let waits = |world: &World| {
        let rows = approvals::committers_unmet(&world.file, &world.directory, "house.apart");
        rows.into_iter().map(|row| row.waiting_on).collect::<Vec<_>>()
    };
    pushed.file.change.content.owner = "olga".into();
    assert_eq!(waits(&pushed), [["olga"], ["olga"]]);
    pushed.estate(|estate| estate.people.get_mut(&"olga".into()).unwrap().active = false);
    assert_eq!(waits(&pushed), [["rita"], ["rita"]]);
}

#[test]
fn missing_evidence_says_that_a_failure_can_be_accepted_and_names_nobody_who_has_left() {
    let satisfy = |world: &World| {
        let rows = ahead(&world.file, &world.directory, world.now);
        let row = rows.into_iter().find(|row| row.unmet.code == "evidence_missing");
        row.unwrap().unmet.satisfy
    };
    let mut world = World::new().until_authorizing();
    assert!(!satisfy(&world).contains("accept"), "there is no failure yet");
    world.evidence("pip", "failed", Some("git:aae5e5e")).unwrap();
    assert!(satisfy(&world).contains("/acceptance"), "{}", satisfy(&world));
    assert!(waiting_on(&world, "evidence_missing").contains(&"tom".to_owned()));
    world.estate(|estate| estate.people.get_mut(&"tom".into()).unwrap().active = false);
    assert_eq!(waiting_on(&world, "evidence_missing"), ["rita"]);
}

#[test]
fn nobody_is_named_in_vain_whoever_does_the_work() {
    let makers = ["rita", "mia", "olga", "ida"];
    let doers: [Value; 4] = [json!(null), json!(["olga"]), json!(["ida", "mia"]), json!(["mia"])];
    for maker in makers {
        for implementers in &doers {
            for kind in ["normal", "emergency"] {
                let words = facts_but(json!({
                    "kind": kind, "incident": "INC-1", "implementers": implementers, "tester": null,
                }));
                let mut world = World::create(maker, words, Vec::new(), directory()).unwrap();
                for deed in DEEDS {
                    let _refused_for_some = crate::people::PEOPLE
                        .iter()
                        .any(|(who, _)| deed(&mut world, who).is_ok());
                    let mut vain = named_in_vain(&world);
                    vain.extend(unsaid(&world, 2));
                    assert!(
                        vain.is_empty(),
                        "{maker} {implementers} {kind} in {}: {vain:?}",
                        world.state()
                    );
                }
                assert!(
                    world.change().actual_start.is_some(),
                    "{maker} {implementers} {kind}: {:?}",
                    world.unmet()
                );
            }
        }
    }
}

type Deed = fn(&mut World, &str) -> Result<(), Refusal>;

/// From draft to review by the first person with the right, through break-glass.
const DEEDS: [Deed; 7] = [
    |world, who| world.submit(who),
    |world, who| world.assess(who, json!({})),
    |world, who| world.break_glass(who, 60),
    |world, who| {
        let words = body(json!({"text": "Half of it is out"}));
        world
            .act(who, |case: &mut Case<'_>| work::record(case, &words, &[]))
            .map(|_| ())
    },
    |world, who| world.complete(who, json!({"outcome": "succeeded"})),
    |world, who| world.validate(who, "works"),
    |world, who| {
        world.act(who, |case: &mut Case<'_>| {
            write::edit(case, &body(json!({"labels": ["late"]})))
        })
    },
];

#[test]
fn administrators_hear_of_a_change_that_nobody_is_left_to_validate() {
    let words = facts_but(json!({"owner": "olga", "implementers": ["olga"], "tester": null}));
    let mut world = World::with(words, Vec::new()).until_scheduled();
    world.wait_until(at("11:10"));
    world.start("olga").unwrap();
    world.complete("olga", json!({"outcome": "succeeded"})).unwrap();
    world.letters.clear();
    world.wait(4 * 24 * 60);
    let told = |who: &str| {
        let letters = world.letters.iter().filter(|it| it.to.as_str() == who);
        letters
            .filter(|it| it.news.contains("no independent validator is left"))
            .count()
    };
    assert_eq!((told("ada"), told("olga")), (1, 0));
}
