//! One interest, one build, one person: a delegate is as many people as one, a conflict of interest bars from every rule, and a
//! delegator counts with the delegate.

use std::collections::BTreeSet;

use model::cab::meeting::{DeclaredConflict, Meeting};
use model::change::waiting_on::ahead;
use model::core::enums::State;
use model::core::refusal::Refusal;

use crate::clocks::lent;
use crate::waiting::{named_in_vain, unsaid};
use crate::world::{World, at, code};

/// A change that waits for olga as owner, sam as security and max or mia, each of whom lent their right to some.
fn lending(pairs: &[(&str, &str)]) -> World {
    let mut world = World::new();
    let rows: Vec<_> = pairs.iter().map(|(from, to)| lent(from, to, false)).collect();
    world.estate(|estate| estate.delegations = rows.into());
    world.until_authorizing()
}

fn speakers(world: &World) -> usize {
    let yes = world.file.standing().filter(|approval| approval.is_yes());
    yes.map(|approval| &approval.person).collect::<BTreeSet<_>>().len()
}

fn named(world: &World, code: &str) -> Vec<String> {
    let rows = ahead(&world.file, &world.directory, world.now).into_iter();
    rows.filter(|row| row.unmet.code == code)
        .flat_map(|row| row.unmet.waiting_on)
        .collect()
}

#[test]
fn one_delegate_of_several_is_one_person_over_all_rules() {
    let mut world = lending(&[("olga", "vera"), ("sam", "vera"), ("mia", "vera")]);
    world.approve("vera").unwrap();
    assert_eq!(world.state(), State::Authorizing, "one person said yes");
    let waits = named(&world, "approval_missing");
    assert!(
        !waits.contains(&"vera".to_owned()),
        "a second word of hers would not help: {waits:?}"
    );
    assert_eq!(named_in_vain(&world), [""; 0]);
    world.approve("sam").unwrap();
    assert_eq!(world.state(), State::Authorizing);
    world.approve("max").unwrap();
    assert!(world.state() > State::Authorizing, "{:?}", world.unmet());
}

/// For every delegation, and every order of decisions: three rules of three people's rights are met by three people.
#[test]
fn three_rights_are_never_met_by_fewer_than_three_people() {
    let people = ["vera", "cora", "olga", "sam", "max"];
    let mut approved = 0;
    for lends in 0..64_u32 {
        let pairs: Vec<(&str, &str)> = ["olga", "sam", "mia"]
            .iter()
            .enumerate()
            .flat_map(|(place, from)| [(place * 2, *from, "vera"), (place * 2 + 1, *from, "cora")])
            .filter(|(bit, _, _)| lends & (1 << bit) != 0)
            .map(|(_, from, to)| (from, to))
            .collect();
        for turn in 0..people.len() {
            for step in [1, 2, 3, 4] {
                let mut world = lending(&pairs);
                for place in 0..people.len() {
                    let who = people[(turn + place * step) % people.len()];
                    let _not_asked = world.approve(who);
                    let open = world.state() > State::Authorizing;
                    approved += usize::from(open);
                    assert!(
                        !open || speakers(&world) >= 3,
                        "{pairs:?} {turn} {step}: {} spoke",
                        speakers(&world)
                    );
                    let unsaid = unsaid(&world, 0);
                    assert!(unsaid.is_empty(), "{pairs:?} {turn} {step}: {unsaid:?}");
                }
                assert!(
                    world.state() > State::Authorizing,
                    "{pairs:?} {turn} {step}: {:?}",
                    world.unmet()
                );
            }
        }
    }
    assert!(approved > 0);
}

/// Somebody declares a conflict of interest at a meeting.
pub fn declare(world: &mut World, who: &str, group: &str) {
    let id = world.change().id.clone();
    let meeting = Meeting {
        id: format!("m-{who}").as_str().into(),
        version: 1,
        group: group.into(),
        title: "Tuesday".into(),
        starts_at: at("10:00"),
        ended_at: None,
        by: "mia".into(),
        at: at("10:00"),
        attendees: Vec::new(),
        conflicts: vec![DeclaredConflict {
            person: who.into(),
            change: id,
            change_key: "CHG-1".into(),
            reason: "Owns the vendor".into(),
            at: at("10:00"),
        }],
        listed: None,
    };
    world.estate(|estate| estate.meetings.push(meeting));
    world.file.meetings = world.directory.meetings_about(&world.file);
    world.settle();
}

#[test]
fn a_declared_conflict_bars_from_every_rule_also_when_it_is_declared_later() {
    for who in ["olga", "sam", "max"] {
        let mut before = World::new().until_authorizing();
        declare(&mut before, who, "a-board");
        assert_eq!(code(before.approve(who)), "not_asked", "{who}");
        assert!(!named(&before, "approval_missing").contains(&who.to_owned()));
        let mut after = World::new().until_authorizing();
        for other in ["olga", "sam", "max"] {
            after.approve(other).unwrap();
        }
        assert!(after.state() > State::Authorizing);
        declare(&mut after, who, "a-board");
        assert_eq!(after.state(), State::Authorizing, "{who} said so afterwards");
    }
    let mut reviewed = World::new().until_reviewing();
    declare(&mut reviewed, "tom", "a-board");
    assert_eq!(code(reviewed.validate("tom", "works")), "not_independent");
    assert!(!named(&reviewed, "validation_missing").contains(&"tom".to_owned()));
}

#[test]
fn a_delegator_counts_with_the_delegate_for_validation() {
    let mut world = World::new().until_reviewing();
    let pair = lent("tom", "ida", false);
    world.estate(|estate| estate.delegations = vec![pair].into());
    assert!(world.change().implemented_by.contains(&"ida".into()));
    let Err(Refusal::NotAllowed { code, .. }) = world.validate("tom", "works") else {
        panic!("whose delegate did the work validates it")
    };
    assert_eq!(code, "not_independent");
    assert!(!named(&world, "validation_missing").contains(&"tom".to_owned()));
    world.estate(|estate| estate.delegations = Vec::new().into());
    world.validate("tom", "works").unwrap();
}
