//! Communications: which stages are due when, for which changes, and their recipients.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use model::core::enums::{Audience, CommunicationStage, LetterLanguage, Level, Outcome, State};
use model::core::ids::RecordId;
use model::notify::business_unit::BusinessUnit;
use model::notify::communication::{
    announces_start_late, due, late_since, natural_key, recipients, remind_at, without_opted_out,
};
use model::notify::communication_plan::CommunicationPlan;

use crate::world::{World, facts};

pub(crate) fn plan() -> CommunicationPlan {
    CommunicationPlan {
        id: RecordId::from("p"),
        version: 1,
        key: "all".to_owned(),
        name: "All".to_owned(),
        kinds: BTreeSet::new(),
        risks: BTreeSet::new(),
        only_disruptive: false,
        audiences: Audience::ALL.iter().copied().collect(),
        duty_groups: BTreeSet::from(["nobody".into()]),
        stages: CommunicationStage::ALL.iter().copied().collect(),
        reminder_minutes: Some(30),
        acknowledge: false,
        subject_en: "s".to_owned(),
        text_en: "t".to_owned(),
        subject_de: None,
        text_de: None,
        active: true,
    }
}

fn stages(world: &World, plan: &CommunicationPlan) -> Vec<CommunicationStage> {
    let found = due(plan, &world.file.change, world.now);
    found.into_iter().map(|(stage, _)| stage).collect()
}

#[test]
fn a_scheduled_change_is_announced_reminded_and_then_told_no_more_before_it_starts() {
    let mut world = World::with(facts(), Vec::new()).until_scheduled();
    let start = world.file.change.planned_start.unwrap();
    world.now = start - SignedDuration::from_mins(31);
    assert_eq!(stages(&world, &plan()), [CommunicationStage::Announced]);
    let reminder = start - SignedDuration::from_mins(30);
    assert_eq!(remind_at(&plan(), &world.file.change), Some(reminder));
    world.now = reminder;
    let both = [CommunicationStage::Announced, CommunicationStage::Reminder];
    assert_eq!(stages(&world, &plan()), both);
    world.now = start;
    assert!(
        stages(&world, &plan()).is_empty(),
        "the time that was announced is over"
    );
}

#[test]
fn the_end_is_told_as_it_was() {
    let mut world = World::with(facts(), Vec::new()).until_scheduled();
    world.file.change.state = State::Reviewing;
    for (outcome, stage) in [
        (Outcome::Succeeded, CommunicationStage::Finished),
        (Outcome::SucceededWithIssues, CommunicationStage::Finished),
        (Outcome::RolledBack, CommunicationStage::RolledBack),
        (Outcome::RollbackFailed, CommunicationStage::Failed),
        (Outcome::NotImplemented, CommunicationStage::Failed),
    ] {
        world.file.change.outcome = Some(outcome);
        assert_eq!(stages(&world, &plan()), [stage], "{outcome}");
    }
}

#[test]
fn a_plan_is_about_the_changes_that_it_names() {
    let world = World::with(facts(), Vec::new()).until_scheduled();
    let others = Level::ALL
        .iter()
        .copied()
        .filter(|it| *it != world.file.change.risk.level);
    let of_others = CommunicationPlan {
        risks: others.collect(),
        ..plan()
    };
    assert!(plan().covers(&world.file.change));
    assert!(!of_others.covers(&world.file.change));
    let ended = CommunicationPlan {
        active: false,
        ..plan()
    };
    assert!(!ended.covers(&world.file.change));
}

#[test]
fn a_person_in_two_audiences_is_told_once_and_an_address_in_two_units_too() {
    let world = World::with(facts(), Vec::new()).until_scheduled();
    let owner = world.file.change.content.owner.clone();
    let service = world.file.change.content.targets[0].service.clone();
    let unit = |key: &str, address: &str| BusinessUnit {
        id: RecordId::from(key),
        version: 1,
        key: key.to_owned(),
        name: key.to_owned(),
        services: BTreeSet::from([service.clone()]),
        contacts: BTreeSet::from([owner.clone()]),
        mail_addresses: BTreeSet::from([address.to_owned()]),
        language: LetterLanguage::De,
        active: true,
    };
    let units = [unit("a", "desk@x.example"), unit("b", "Desk@x.example")];
    let found = recipients(&world.directory, (&plan(), &units), &world.file.change, world.now);
    assert_eq!(found.iter().filter(|it| it.person.as_ref() == Some(&owner)).count(), 1);
    assert_eq!(found.iter().filter(|it| it.mail_address.is_some()).count(), 1);
    let elsewhere = BusinessUnit {
        services: BTreeSet::from(["nowhere".into()]),
        ..unit("c", "c@x.example")
    };
    let found = recipients(&world.directory, (&plan(), &[elsewhere]), &world.file.change, world.now);
    assert!(found.iter().all(|it| it.mail_address.is_none()));
}

#[test]
fn an_address_that_opted_out_is_told_through_no_unit_and_people_are_told_all_the_same() {
    let world = World::with(facts(), Vec::new()).until_scheduled();
    let owner = world.file.change.content.owner.clone();
    let unit = BusinessUnit {
        id: RecordId::from("a"),
        version: 1,
        key: "a".to_owned(),
        name: "a".to_owned(),
        services: BTreeSet::from([world.file.change.content.targets[0].service.clone()]),
        contacts: BTreeSet::from([owner.clone()]),
        mail_addresses: BTreeSet::from(["Ops@x.example".to_owned(), "desk@x.example".to_owned()]),
        language: LetterLanguage::De,
        active: true,
    };
    let found = recipients(&world.directory, (&plan(), &[unit]), &world.file.change, world.now);
    let left = without_opted_out(found.clone(), &BTreeSet::from(["ops@x.example".to_owned()]));
    let addresses: Vec<&str> = left.iter().filter_map(|it| it.mail_address.as_deref()).collect();
    assert_eq!(addresses, ["desk@x.example"]);
    assert_eq!(left.len() + 1, found.len());
    assert!(left.iter().any(|it| it.person.as_ref() == Some(&owner)));
}

#[test]
fn another_start_is_another_announcement_and_anybody_else_another_letter() {
    let start = |text: &str| Some(text.parse().unwrap());
    let key = |start, who| natural_key("CHG-1", CommunicationStage::Announced, start, who);
    let first = key(start("2026-11-20T10:00:00Z"), "p-1");
    assert_eq!(first, key(start("2026-11-20T10:00:00Z"), "p-1"));
    assert_ne!(first, key(start("2026-11-20T11:00:00Z"), "p-1"));
    assert_ne!(first, key(start("2026-11-20T10:00:00Z"), "p-2"));
    let begun = natural_key("CHG-1", CommunicationStage::Started, None, "p-1");
    assert_ne!(begun, natural_key("CHG-1", CommunicationStage::Finished, None, "p-1"));
}

#[test]
fn a_start_is_late_a_quarter_of_an_hour_on_or_once_the_work_has_ended() {
    let mut world = World::with(facts(), Vec::new()).until_scheduled();
    let start = world.file.change.planned_start.unwrap();
    let change = &mut world.file.change;
    let minutes = SignedDuration::from_mins;
    assert!(!announces_start_late(&plan(), change), "it has not begun");
    assert_eq!(late_since(change, CommunicationStage::Started, start), None);
    change.state = State::Implementing;
    change.actual_start = Some(start);
    assert!(!announces_start_late(&plan(), change), "it is told as usual");
    assert_eq!(
        late_since(change, CommunicationStage::Started, start + minutes(15)),
        None
    );
    assert_eq!(
        late_since(change, CommunicationStage::Started, start + minutes(16)),
        Some(start)
    );
    change.state = State::Reviewing;
    change.actual_end = Some(start + minutes(5));
    assert!(announces_start_late(&plan(), change));
    let now = start + minutes(6);
    assert_eq!(late_since(change, CommunicationStage::Started, now), Some(start));
    assert_eq!(late_since(change, CommunicationStage::Finished, now), None);
    let silent = CommunicationPlan {
        stages: BTreeSet::from([CommunicationStage::Finished]),
        ..plan()
    };
    assert!(!announces_start_late(&silent, change), "the plan never tells a start");
}
