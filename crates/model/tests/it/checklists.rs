//! Typed items of checklists: manual, evidence and probe, with their owners and waivers; nothing passes in silence.

use jiff::{SignedDuration, Timestamp};
use model::approval::obligation::{Asked, Due, Duty, ItemCheck, Party};
use model::change::around;
use model::change::around::checklist::{ProbeResult, check_probe_request, take_probe_result, tick, waive};
use model::change::duties::items::item_status;
use model::core::enums::{Aspect, ItemKind, Role, State};
use model::core::ids::RecordId;
use model::core::refusal::Refusal;
use serde_json::json;

use crate::world::{World, at, body, code, facts, fields, missing};

const DAY: i64 = 24 * 60;

fn item(check: ItemCheck) -> (Due, Duty) {
    let duty = Duty::Item {
        title: "A backup was restored".to_owned(),
        check,
        owner: Asked::Group("security".into()),
    };
    (Due::Start, duty)
}

fn manual() -> (Due, Duty) {
    item(ItemCheck::Manual {
        distinct_from: vec![Party::Author],
    })
}

fn backup() -> (Due, Duty) {
    item(ItemCheck::Evidence {
        aspect: Aspect::Backup,
        environment: None,
        max_age_minutes: Some(DAY),
        distinct_from: Vec::new(),
        probe: None,
    })
}

/// The same, where somebody else than an author vouches for it.
fn backup_of_another() -> (Due, Duty) {
    item(ItemCheck::Evidence {
        aspect: Aspect::Backup,
        environment: None,
        max_age_minutes: Some(DAY),
        distinct_from: vec![Party::Author],
        probe: None,
    })
}

/// The same, where the result of a probe does as well: the item that is shipped.
fn backup_or_probe() -> (Due, Duty) {
    item(ItemCheck::Evidence {
        aspect: Aspect::Backup,
        environment: None,
        max_age_minutes: Some(DAY),
        distinct_from: vec![Party::Author],
        probe: Some("restored-backup".to_owned()),
    })
}

fn probe() -> (Due, Duty) {
    item(ItemCheck::Probe {
        probe: "restored-backup".to_owned(),
        max_age_minutes: DAY,
    })
}

/// A change under one item, in its window.
fn in_window(rule: (Due, Duty)) -> World {
    let mut world = World::with(facts(), vec![rule]).until_scheduled();
    world.wait_until(at("11:10"));
    world
}

fn line(world: &World) -> RecordId {
    world.file.checklist[0].id.clone()
}

fn state(world: &World) -> &'static str {
    let line = &world.file.checklist[0];
    item_status(&world.file, &world.directory, line, world.now)
        .unwrap()
        .state
}

fn ticks(world: &mut World, who: &str) -> Result<(), Refusal> {
    let id = line(world);
    world.act(who, |case| tick(case, &id, &body(json!({}))))
}

fn waives(world: &mut World, who: &str) -> Result<(), Refusal> {
    let id = line(world);
    world.act(who, |case| {
        waive(case, &id, &body(json!({"reason": "The data is a copy."})))
    })
}

fn brings(world: &mut World, words: serde_json::Value) -> Result<RecordId, Refusal> {
    brings_as(world, "sue", words)
}

fn brings_as(world: &mut World, who: &str, words: serde_json::Value) -> Result<RecordId, Refusal> {
    world.act(who, |case| {
        around::add_evidence(case, &body(words), crate::world::file())
    })
}

fn answers(world: &mut World, found: Result<Timestamp, String>) {
    let answer = ProbeResult {
        probe: "restored-backup".to_owned(),
        place: "shop/production".to_owned(),
        found,
        body: "{}".to_owned(),
        digest: "sha256:aa".to_owned(),
        size: 2,
        media_type: "application/json".to_owned(),
    };
    world
        .act("system", |case| {
            take_probe_result(case, answer);
            Ok(())
        })
        .unwrap();
}

#[test]
fn an_author_does_not_tick_what_the_rule_gives_to_another() {
    let mut world = in_window(manual());
    assert_eq!(world.file.checklist[0].kind, Some(ItemKind::Manual));
    assert_eq!(missing(world.start("ida")), ["checklist_open"]);
    assert_eq!(code(ticks(&mut world, "rita")), "own_work");
    for other in ["tom", "ida"] {
        let refused = ticks(&mut world, other);
        let text = refused.as_ref().map_err(Refusal::text).err().unwrap_or_default();
        assert!(text.contains("sue"), "the owner is named: {text}");
        assert_eq!(code(refused), "not_its_owner");
    }
    ticks(&mut world, "sue").unwrap();
    assert_eq!(state(&world), "met");
    world.start("ida").unwrap();
}

#[test]
fn an_edit_of_the_content_takes_the_tick_of_a_typed_item_with_it() {
    let mut world = in_window(manual());
    ticks(&mut world, "sue").unwrap();
    world.edit("rita", json!({"description": "Another basket."})).unwrap();
    assert_eq!(state(&world), "open");
}

#[test]
fn whoever_has_an_item_is_named_and_may_tick_it() {
    let mut world = in_window(manual());
    let rows = model::change::waiting_on::ahead(&world.file, &world.directory, world.now);
    let row = rows.iter().find(|row| row.unmet.code == "checklist_open").unwrap();
    assert!(row.unmet.waiting_on.contains(&"sue".to_owned()), "{row:?}");
    assert!(!row.unmet.waiting_on.contains(&"rita".to_owned()), "{row:?}");
    // A machine does not tick it, not even in its owner's name.
    world.by_token = true;
    let is_machine = |world: &mut World, is: bool| {
        world.estate(|estate| {
            let roles = &mut estate.people.get_mut(&"sue".into()).unwrap().roles;
            match is {
                true => roles.insert(Role::Pipeline),
                false => roles.remove(&Role::Pipeline),
            };
        });
    };
    is_machine(&mut world, true);
    assert_eq!(code(ticks(&mut world, "sue")), "not_a_person");
    is_machine(&mut world, false);
    world.by_token = false;
    ticks(&mut world, "sue").unwrap();
}

#[test]
fn evidence_grows_too_old_and_bringing_it_again_makes_it_no_younger() {
    let mut world = in_window(backup());
    assert_eq!(missing(world.start("ida")), ["evidence_missing"]);
    let words = |measured: Option<&str>, text: &str| {
        let mut words = json!({
            "kind": "note", "aspect": "backup", "result": "passed", "text": text, "artifact": "git:aae5e5e",
        });
        if let Some(at) = measured {
            words["measured_at"] = json!(at);
        }
        words
    };
    brings(&mut world, words(Some("2026-11-19T10:10:00Z"), "Restored it")).unwrap();
    assert_eq!(state(&world), "open", "25 hours are too old");
    assert_eq!(missing(world.start("ida")), ["evidence_missing"]);
    let ahead = brings(&mut world, words(Some("2026-11-20T11:11:00Z"), "Tomorrow"));
    assert_eq!(fields(ahead), [("measured_at".to_owned(), "in_the_future".to_owned())]);
    brings(&mut world, words(Some("2026-11-19T12:10:00Z"), "Restored the next")).unwrap();
    assert_eq!(state(&world), "met", "23 hours let it pass");
    world.start("ida").unwrap();
}

#[test]
fn an_author_vouches_for_no_backup_neither_under_their_own_name_nor_under_another() {
    let mut world = in_window(backup_of_another());
    let note = |text: &str| {
        json!({"kind": "note", "aspect": "backup", "result": "passed", "text": text,
        "artifact": "git:aae5e5e"})
    };
    let by = |world: &mut World, who: &str, text: &str| {
        world.act(who, |case| {
            around::add_evidence(case, &body(note(text)), crate::world::file())
        })
    };
    by(&mut world, "rita", "I restored it myself").unwrap();
    assert_eq!(state(&world), "open");
    let refused = world.start("ida");
    let row = match &refused {
        Err(Refusal::NotNow { unmet, .. }) => unmet.iter().find(|row| row.code == "evidence_missing").cloned(),
        _ => None,
    };
    let row = row.unwrap_or_else(|| panic!("{refused:?}"));
    assert!(row.text.contains("by one of its owners or a pipeline"), "{row:?}");
    assert!(!row.waiting_on.contains(&"rita".to_owned()), "{row:?}");

    by(&mut world, "sue", "Restored and read").unwrap();
    assert_eq!(state(&world), "met");
    // Sue turns out to be an account of the author: two accounts of one person are one.
    world.file.hands.join(&"sue".into(), &"rita".into());
    assert_eq!(state(&world), "open");
}

#[test]
fn whoever_has_an_item_brings_its_evidence_or_a_pipeline_and_nobody_else() {
    let note = |text: &str| {
        json!({"kind": "note", "aspect": "backup", "result": "passed", "text": text,
        "artifact": "git:aae5e5e"})
    };
    for rule in [backup(), backup_of_another()] {
        let mut world = in_window(rule);
        brings_as(&mut world, "tom", note("Somebody typed it")).unwrap();
        assert_eq!(state(&world), "open", "a tester has not got it");
        let mut by_owner = world.clone();
        brings(&mut by_owner, note("Restored and read")).unwrap();
        assert_eq!(state(&by_owner), "met");
        brings_as(&mut world, "pip", note("Restored by night")).unwrap();
        assert_eq!(state(&world), "met", "a machine saw it");
    }
    // Where nobody of the group is here, a person who did not write the change vouches for it.
    let mut world = in_window(backup_of_another());
    world.estate(|estate| {
        estate.groups.get_mut(&"security".into()).unwrap().members.clear();
    });
    brings_as(&mut world, "tom", note("Restored and read")).unwrap();
    assert_eq!(state(&world), "met");
}

#[test]
fn a_probe_that_reports_25_hours_refuses_and_one_that_reports_23_lets_it_pass() {
    let mut world = in_window(probe());
    assert_eq!(
        missing(world.start("ida")),
        ["probe_missing"],
        "it has not answered yet"
    );
    let hours = |world: &World, hours: i64| world.now - SignedDuration::from_hours(hours);
    let old = hours(&world, 25);
    answers(&mut world, Ok(old));
    assert_eq!(missing(world.start("ida")), ["probe_missing"]);
    world.wait(1);
    let young = hours(&world, 23);
    answers(&mut world, Ok(young));
    assert_eq!(state(&world), "met");
    world.wait(1);
    answers(&mut world, Err("There was no answer: timeout.".to_owned()));
    assert_eq!(missing(world.start("ida")), ["probe_missing"], "the last answer counts");
    let rows = model::change::waiting_on::ahead(&world.file, &world.directory, world.now);
    let row = rows.iter().find(|row| row.unmet.code == "probe_missing").unwrap();
    assert!(row.unmet.text.contains("timeout"), "{row:?}");
    world.wait(1);
    let young = hours(&world, 23);
    answers(&mut world, Ok(young));
    world.start("ida").unwrap();
}

#[test]
fn evidence_with_a_probe_is_met_by_either_and_the_answer_grows_too_old() {
    let mut world = in_window(backup_or_probe());
    assert_eq!(missing(world.start("ida")), ["evidence_missing"]);
    let id = line(&world);
    world
        .act("rita", |case| check_probe_request(case, &id).map(drop))
        .unwrap();
    let old = world.now - SignedDuration::from_hours(25);
    answers(&mut world, Ok(old));
    let refused = world.start("ida");
    let text = match &refused {
        Err(Refusal::NotNow { unmet, .. }) => unmet.iter().map(|row| row.text.clone()).collect::<String>(),
        other => panic!("{other:?}"),
    };
    assert!(text.contains("25 hours"), "{text}");
    assert_eq!(missing(refused), ["evidence_missing"]);
    let note = json!({"kind": "note", "aspect": "backup", "result": "passed", "text": "Restored it", "artifact": "git:aae5e5e"});
    let mut by_hand = world.clone();
    brings(&mut by_hand, note).unwrap();
    assert_eq!(state(&by_hand), "met", "its owner knows of another backup");
    world.wait(1);
    let young = world.now - SignedDuration::from_hours(23);
    answers(&mut world, Ok(young));
    assert_eq!(state(&world), "met");
    world.clone().start("ida").unwrap();
    world.wait(61);
    assert_eq!(state(&world), "open", "24 hours have passed");
}

#[test]
fn what_was_young_enough_grows_too_old_by_the_clock() {
    let mut world = World::with(facts(), vec![probe()]).until_scheduled();
    let almost = world.now - SignedDuration::from_mins(DAY - 5);
    answers(&mut world, Ok(almost));
    assert_eq!(state(&world), "met");
    world.wait(6);
    assert_eq!(state(&world), "open");
}

#[test]
fn nobody_ticks_a_fact_and_nobody_types_the_answer_of_a_probe() {
    for rule in [probe(), backup()] {
        let mut world = in_window(rule);
        assert_eq!(code(ticks(&mut world, "tom")), "not_manual");
    }
    let mut world = in_window(probe());
    let words = json!({
        "kind": "probe", "name": "restored-backup", "measured_at": "2026-11-20T11:00:00Z", "artifact": "git:aae5e5e",
    });
    assert_eq!(
        fields(brings(&mut world, words)),
        [("kind".to_owned(), "not_allowed".to_owned())]
    );
    // A note about the same does not replace the probe either.
    let note = json!({"kind": "note", "name": "restored-backup", "aspect": "other", "result": "passed", "text": "It is fine."});
    brings(&mut world, note).unwrap();
    assert_eq!(missing(world.start("ida")), ["probe_missing"]);
}

#[test]
fn a_pipeline_pushes_the_answer_of_a_probe() {
    let mut world = in_window(probe());
    world.by_token = true;
    let words = body(json!({"kind": "probe", "name": "restored-backup", "measured_at": "2026-11-20T11:00:00Z"}));
    world
        .act("pip", |case| around::add_evidence(case, &words, crate::world::file()))
        .unwrap();
    world.by_token = false;
    assert_eq!(state(&world), "met");
    world.start("ida").unwrap();
}

#[test]
fn a_waiver_needs_an_owner_and_security_for_the_content_as_it_is() {
    let mut world = in_window(probe());
    assert!(waives(&mut world, "rita").is_err(), "its author");
    waives(&mut world, "olga").unwrap();
    assert_eq!(missing(world.start("ida")), ["probe_missing"], "an owner alone");
    waives(&mut world, "sam").unwrap();
    assert_eq!(state(&world), "waived");
    world.clone().start("ida").unwrap();
    world.edit("rita", json!({"description": "Another basket."})).unwrap();
    assert_eq!(state(&world), "open", "they agreed to another content");
}

#[test]
fn only_a_probe_is_asked() {
    let mut world = in_window(manual());
    let id = line(&world);
    assert_eq!(
        code(world.act("rita", |case| check_probe_request(case, &id).map(drop))),
        "no_probe"
    );
    let mut world = in_window(probe());
    let id = line(&world);
    world
        .act("rita", |case| check_probe_request(case, &id).map(drop))
        .unwrap();
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn security_questions_are_answered_before_approvals_are_asked() {
    let rule = (Due::Approval, Duty::SecurityAnswers {});
    let mut words = facts();
    words.insert("category".into(), "network".into());
    let mut world = World::with(words, vec![rule]);
    world.submit("rita").unwrap();
    assert_eq!(missing(world.assess("rita", json!({}))), ["security_questions_open"]);
    let yes = json!({"security_answers": [{"question": "open_ports", "yes": true}]});
    assert_eq!(
        fields(world.assess("rita", yes)),
        [("security_answers[0].text".to_owned(), "missing".to_owned())]
    );
    let both = json!({"security_answers": [
        {"question": "open_ports", "yes": true, "text": "443"}, {"question": "data_flows", "yes": false},
    ]});
    world.assess("rita", both).unwrap();
    assert_eq!(world.state(), State::Authorizing);
}
