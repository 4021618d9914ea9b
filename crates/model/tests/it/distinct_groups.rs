//! Rules of distinct groups: each person who counts does so for another group.

use std::collections::{BTreeMap, BTreeSet};

use model::approval::absence::Delegation;
use model::approval::authority::approving_rights;
use model::approval::decide;
use model::approval::obligation::{ApprovalRule, Asked, Due, Duty};
use model::change::change_file::{Actor, Lent};
use model::change::waiting_on;
use model::core::enums::{Covers, Role, State};
use model::core::ids::{GroupKey, PersonId};
use model::core::unmet::Unmet;
use model::directory::snapshot::Group;
use model::schedule::calendar;
use proptest::prelude::*;
use serde_json::json;

use crate::people::{directory, rule};
use crate::world::{World, at, body, code, facts};

/// The rule of the tests, as the world numbers it.
const RULE: &str = "own.0";

fn distinct(groups: &[&str], count: u32) -> ApprovalRule {
    let groups = groups.iter().map(|key| GroupKey::from(*key)).collect();
    ApprovalRule {
        count,
        ..rule(Asked::Groups(groups), Covers::What)
    }
}

fn group(key: &str, members: &[&str]) -> Group {
    Group {
        id: format!("g/{key}").as_str().into(),
        version: 7,
        key: key.into(),
        name: key.into(),
        members: members.iter().map(|login| (*login).into()).collect(),
        kind: Default::default(),
        calendar: None,
        external_id: None,
        removed: false,
    }
}

/// A change that a rule of these groups applies to, and that all other rules have approved.
fn asked(asks: ApprovalRule, groups: &[(&str, &[&str])]) -> World {
    let mut estate = directory();
    for (key, members) in groups {
        estate.groups.insert((*key).into(), group(key, members));
    }
    let extra = vec![(Due::Start, Duty::Approval(asks))];
    let mut world = World::create("rita", facts(), extra, estate)
        .unwrap()
        .until_authorizing();
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    for who in ["olga", "sam", "mia"] {
        world.approve(who).unwrap();
    }
    world
}

fn two(groups: &[(&str, &[&str])]) -> World {
    asked(distinct(&["a", "b"], 2), groups)
}

fn row(world: &World, wanted: &str) -> Option<Unmet> {
    let rows = waiting_on::ahead(&world.file, &world.directory, world.now);
    let mut rows = rows.into_iter().map(|row| row.unmet);
    rows.find(|row| row.code == wanted && (row.text.contains("house asks") || row.text.contains(RULE)))
}

/// The people who still help, and their messages.
fn waits(world: &World) -> (Vec<String>, String) {
    let row = row(world, "approval_missing").unwrap();
    (row.waiting_on, row.satisfy)
}

#[test]
fn two_people_of_one_group_count_once() {
    let mut world = two(&[("a", &["vera", "tom"]), ("b", &["cora"])]);
    let (who, help) = waits(&world);
    assert_eq!(who, ["tom", "vera", "cora"]);
    assert_eq!(
        help,
        "2 of the groups a, b must approve, each by a different person (rule `own.0`)."
    );
    for who in ["vera", "tom"] {
        world.approve(who).unwrap();
        assert_eq!(world.state(), State::Authorizing);
        let expected = (
            vec!["cora".to_owned()],
            "the group b must approve (rule `own.0`).".to_owned(),
        );
        assert_eq!(waits(&world), expected, "after {who}");
    }
    let missing = row(&world, "approval_missing").unwrap();
    assert!(
        missing.text.contains("1 of 2 approvals on what is done"),
        "{}",
        missing.text
    );
    assert_eq!(code(world.approve("ida")), "not_asked");
    world.approve("cora").unwrap();
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn a_person_of_both_groups_counts_once_and_makes_room() {
    let mut world = two(&[("a", &["vera", "tom"]), ("b", &["vera", "cora"])]);
    let id = world.approve("vera").unwrap();
    assert_eq!(world.state(), State::Authorizing);
    let said = world.file.approvals.iter().find(|row| row.id == id).unwrap();
    let grounds: Vec<&str> = said
        .counted_for
        .iter()
        .map(|row| row.basis.membership.as_ref().unwrap().id.as_str())
        .collect();
    assert_eq!(grounds, ["a", "b"], "both grounds are kept");
    let (who, help) = waits(&world);
    assert_eq!(who, ["tom", "cora"]);
    assert_eq!(help, "one of the groups a, b must approve (rule `own.0`).");
    let mut other = world.clone();
    for (world, who) in [(&mut world, "tom"), (&mut other, "cora")] {
        world.approve(who).unwrap();
        assert_eq!(world.state(), State::Scheduled, "with {who}");
    }
}

#[test]
fn an_edit_empties_the_group_that_it_voids() {
    let mut world = two(&[("a", &["vera", "tom"]), ("b", &["cora"])]);
    world.approve("vera").unwrap();
    world.approve("cora").unwrap();
    world.edit("rita", json!({"title": "Ship 2.5"})).unwrap();
    for who in ["olga", "sam", "mia", "cora"] {
        world.approve(who).unwrap();
    }
    assert_eq!(
        waits(&world).0,
        ["tom", "vera"],
        "the void word counts no more, and its group is open again"
    );
    let mut back = world.clone();
    back.approve("tom").unwrap();
    assert_eq!(back.state(), State::Scheduled);
    // A withdrawn approval opens its group as well.
    let id = back
        .file
        .standing()
        .find(|row| row.person == "cora".into())
        .unwrap()
        .id
        .clone();
    back.act("cora", |case| decide::withdraw(case, &id)).unwrap();
    assert_eq!(
        (back.state(), waits(&back).0),
        (State::Authorizing, vec!["cora".to_owned()])
    );
}

#[test]
fn the_group_that_has_nobody_is_named_and_escalated() {
    let mut world = two(&[("a", &["vera", "tom"]), ("b", &["rita"])]);
    let found = row(&world, "cannot_be_met").unwrap();
    assert!(
        found.text.contains("requires a decision of the group b for shop"),
        "{}",
        found.text
    );
    assert!(world.events.iter().any(|event| event.kind == "approval.nobody_can"));
    // Two groups of one person are one person: all of them together have too few.
    world.estate(|estate| {
        estate.groups.insert("a".into(), group("a", &["vera"]));
        estate.groups.insert("b".into(), group("b", &["vera"]));
    });
    world.settle();
    let found = row(&world, "cannot_be_met").unwrap();
    assert!(
        found.text.contains("requires a decision of the groups a, b for shop"),
        "{}",
        found.text
    );
    world.estate(|estate| {
        estate.groups.insert("b".into(), group("b", &["cora"]));
    });
    world.settle();
    assert_eq!(waits(&world).0, ["vera", "cora"]);
}

#[test]
fn nobody_is_reminded_whose_group_is_full() {
    let asks = ApprovalRule {
        ack_sla: Some(calendar::Span::Minutes(10)),
        decide_sla: Some(calendar::Span::Minutes(40)),
        ..distinct(&["a", "b"], 2)
    };
    let mut world = asked(asks, &[("a", &["vera", "tom"]), ("b", &["cora", "max"])]);
    let asks = |world: &World| {
        let rows = world.change().requests.iter().filter(|row| row.rule == RULE);
        rows.map(|row| (row.person.0.clone(), row.why.clone()))
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(asks(&world)["max"], "asked as the group b: member of the group b");
    world.approve("vera").unwrap();
    assert_eq!(asks(&world).len(), 4, "who could still reject stays asked");
    world.wait_until(at("10:35"));
    let reminded: BTreeSet<&str> = world
        .events
        .iter()
        .filter(|event| ["approval.unacknowledged", "approval.reminded"].contains(&event.kind))
        .filter(|event| event.data.get("rule").is_some_and(|rule| rule == RULE))
        .filter_map(|event| event.data.get("person")?.as_str())
        .collect();
    assert_eq!(reminded, BTreeSet::from(["cora", "max"]));
    let steps: Vec<&str> = world
        .events
        .iter()
        .filter(|event| event.kind == "approval.escalated")
        .filter_map(|event| event.data.get("step")?.as_str())
        .collect();
    assert_eq!(steps, ["deputies"], "vera has it in hand for her group alone");
}

#[test]
fn who_speaks_for_another_stands_for_each_group_of_theirs_and_counts_once() {
    let mut world = two(&[("a", &["vera", "max"]), ("b", &["vera"])]);
    let lends = |parts: &[&str]| Delegation {
        id: "d1".into(),
        version: 1,
        delegator: "vera".into(),
        delegate: "tom".into(),
        parts: parts.iter().map(|part| (*part).to_owned()).collect(),
        services: BTreeSet::new(),
        starts_at: at("09:00"),
        ends_at: at("18:00"),
        deputy: false,
        reason: None,
        corrected_at: None,
    };
    let mut narrow = world.clone();
    world.estate(|estate| estate.delegations = vec![lends(&[])].into());
    world.settle();
    world.approve("tom").unwrap();
    assert_eq!(waits(&world).0, ["max"], "the right of vera has spoken");
    world.approve("vera").unwrap();
    assert_eq!(
        world.state(),
        State::Authorizing,
        "one right counts once, whoever uses it"
    );
    world.approve("max").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    // A delegation for one group counts for that group alone.
    narrow.estate(|estate| estate.delegations = vec![lends(&["group:a"])].into());
    narrow.settle();
    narrow.approve("tom").unwrap();
    let (who, help) = waits(&narrow);
    assert_eq!(help, "the group b must approve (rule `own.0`).");
    assert_eq!(
        who,
        ["max", "vera"],
        "her own word moves her to b, and makes room for max"
    );
    narrow.approve("max").unwrap();
    assert_eq!(narrow.state(), State::Authorizing);
    narrow.approve("vera").unwrap();
    assert_eq!(narrow.state(), State::Scheduled);
}

#[test]
fn a_token_that_is_narrowed_speaks_for_the_groups_of_its_roles_alone() {
    let mut world = asked(
        distinct(&["security", "b"], 2),
        &[("security", &["sue", "vera"]), ("b", &["sue"])],
    );
    let actor = Actor {
        person: "sue".into(),
        by_token: true,
        stepped_up_at: None,
        factor: None,
        is_system: false,
        method: "token".to_owned(),
        lent: Some(Lent {
            maker: "sue".into(),
            roles: Some(BTreeSet::from([Role::Security])),
            services: None,
        }),
        via: None,
    };
    let words = body(json!({"decision": "approve", "content_digest": world.change().digests.content}));
    world.act_as(actor, |case| decide::approve(case, &words)).unwrap();
    let (who, help) = waits(&world);
    assert_eq!(help, "the group b must approve (rule `own.0`).");
    assert_eq!(who, ["vera", "sue"], "she may speak for herself as well");
    world.approve("vera").unwrap();
    assert_eq!(world.state(), State::Authorizing, "both speak for security");
    world.approve("sue").unwrap();
    assert_eq!(world.state(), State::Scheduled, "her own word, for b");
}

#[test]
fn what_was_stored_under_a_rule_of_one_group_counts_for_that_group() {
    // The rule of one group becomes one of distinct groups while its approvals are valid.
    let mut world = asked(
        ApprovalRule {
            count: 2,
            ..rule(Asked::Group("a".into()), Covers::What)
        },
        &[("a", &["vera", "tom"]), ("b", &["cora"])],
    );
    world.approve("vera").unwrap();
    let stored = serde_json::to_string(&world.file.approvals).unwrap();
    world.file.approvals = serde_json::from_str(&stored).unwrap();
    world.extra = vec![(Due::Start, Duty::Approval(distinct(&["a", "b"], 2)))];
    world.settle();
    assert_eq!(waits(&world).0, ["cora"]);
    world.approve("cora").unwrap();
    assert_eq!(world.state(), State::Scheduled);
    let words = |asked: &Asked| serde_json::to_value(asked).unwrap();
    assert_eq!(words(&Asked::Group("a".into())), json!({"group": "a"}));
    assert_eq!(
        words(&Asked::Groups(vec!["a".into(), "b".into()])),
        json!({"groups": ["a", "b"]})
    );
}

/// Those who may be of a group.
const VOTERS: [&str; 7] = ["olga", "sue", "max", "ida", "tom", "vera", "cora"];
const GROUPS: [&str; 4] = ["a", "b", "c", "d"];

/// The most people who can be counted, by trying everything: each is counted for one free group of theirs, or not at all.
fn tried(people: &[&BTreeSet<&str>], taken: &mut BTreeSet<String>) -> usize {
    let Some((first, rest)) = people.split_first() else {
        return 0;
    };
    let mut most = tried(rest, taken);
    for group in first.iter() {
        if taken.insert((*group).to_owned()) {
            most = most.max(1 + tried(rest, taken));
            taken.remove(*group);
        }
    }
    most
}

fn most(people: &BTreeMap<&str, BTreeSet<&str>>, who: impl IntoIterator<Item = impl AsRef<str>>) -> usize {
    let empty = BTreeSet::new();
    let groups: Vec<&BTreeSet<&str>> = who
        .into_iter()
        .map(|person| people.get(person.as_ref()).unwrap_or(&empty))
        .collect();
    tried(&groups, &mut BTreeSet::new())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn as_many_are_counted_as_can_be_placed_in_distinct_groups(
        members in prop::collection::vec(prop::collection::btree_set(0..VOTERS.len(), 0..5), 2..=GROUPS.len()),
        count in 2_u32..=4,
        order in Just((0..VOTERS.len()).collect::<Vec<_>>()).prop_shuffle(),
        said in 0..=VOTERS.len(),
    ) {
        let keys = &GROUPS[..members.len()];
        let count = count.min(u32::try_from(keys.len()).unwrap());
        let rows: Vec<Vec<&str>> = members.iter().map(|row| row.iter().map(|it| VOTERS[*it]).collect()).collect();
        let groups: Vec<(&str, &[&str])> = keys.iter().copied().zip(rows.iter().map(Vec::as_slice)).collect();
        let mut of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (key, row) in &groups {
            for person in row.iter() {
                of.entry(*person).or_default().insert(*key);
            }
        }
        let mut world = asked(distinct(keys, count), &groups);
        let mut spoken: BTreeSet<String> = BTreeSet::new();
        // Olga has approved for the service already, and by the same decision for her groups.
        spoken.insert("olga".to_owned());
        for person in order.iter().take(said).map(|place| VOTERS[*place]) {
            let may = of.contains_key(person) || ["olga", "max"].contains(&person);
            prop_assert_eq!(world.approve(person).is_ok(), may);
            if may {
                spoken.insert(person.to_owned());
            }
        }
        let Duty::Approval(asks) = &world.extra[0].1 else { unreachable!() };
        let target = world.change().content.targets[0].id.clone();
        let yes = approving_rights(&world.file, (RULE, asks), &target, world.now, true);
        let expected = most(&of, &spoken);
        prop_assert_eq!(yes.count(), expected);
        prop_assert_eq!(yes.meets(asks), expected >= count as usize);
        prop_assert_eq!(world.state() == State::Scheduled, expected >= count as usize, "{:?}", world.unmet());
        if yes.meets(asks) {
            let counted: BTreeSet<&PersonId> = yes.apart.as_ref().unwrap().people().collect();
            prop_assert!(counted.len() >= count as usize, "distinct people: {:?}", counted);
            prop_assert!(counted.iter().all(|person| spoken.contains(person.as_str())));
            return Ok(());
        }
        let help = |person: &&str| {
            let with = spoken.iter().map(String::as_str).chain([*person]);
            !spoken.contains(*person) && most(&of, with) > expected
        };
        let helping: BTreeSet<String> = VOTERS.into_iter().filter(help).map(str::to_owned).collect();
        let all = most(&of, VOTERS);
        match row(&world, "approval_missing") {
            Some(found) => {
                prop_assert!(all >= count as usize, "nobody can meet it: {:?}", found);
                prop_assert_eq!(found.waiting_on.iter().cloned().collect::<BTreeSet<_>>(), helping);
            }
            None => {
                prop_assert!(row(&world, "cannot_be_met").is_some(), "{:?}", world.unmet());
                prop_assert!(all < count as usize, "{} of {} could", all, count);
            }
        }
    }
}
