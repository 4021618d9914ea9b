//! The access matrix of the base pack, reviewed by eye: the rights of each role alone, and those that each part adds.

use std::fmt::Write;

use crate::support::{actor, base_set, change, target};
use model::core::act::{Act, actions};
use model::core::enums::Role;
use model::policy::facts::Part;
use policy::{PolicySet, on_policy_thread};

const PARTS: [Part; 12] = [
    Part::Requester,
    Part::Owner,
    Part::Author,
    Part::Implementer,
    Part::Implemented,
    Part::Tester,
    Part::Asked,
    Part::Approver,
    Part::Peer,
    Part::VerbalApprover,
    Part::Checker,
    Part::Holder,
];

/// One table: a row for each action, a column for each actor.
fn table(set: &PolicySet, columns: &[(String, Vec<Role>, Vec<Part>)], rows: &[&str]) -> String {
    let mut text = format!("{:<22}", "");
    for (name, _, _) in columns {
        write!(text, " {name:>15}").unwrap();
    }
    let targets = [target("1", "web", &[])];
    for action in rows {
        write!(text, "\n{action:<22}").unwrap();
        for (_, roles, parts) in columns {
            let verdict = set.may(&actor(roles, parts), action, Some((&change(), &targets)));
            write!(text, " {:>15}", if verdict.allowed { "yes" } else { "." }).unwrap();
        }
    }
    text
}

#[test]
fn by_role_alone() {
    let columns: Vec<_> = Role::ALL
        .iter()
        .map(|role| (role.as_str().to_owned(), vec![*role], vec![]))
        .collect();
    let rows: Vec<&str> = Act::ALL
        .iter()
        .map(|act| act.as_str())
        .chain(actions::ALL.iter().copied())
        .collect();
    insta::assert_snapshot!(on_policy_thread(|| table(&base_set(), &columns, &rows)));
}

/// The person has the role `executive`, which alone may only read and comment.
#[test]
fn by_part() {
    let name = |part: &Part| serde_json::to_value(part).unwrap().as_str().unwrap().to_owned();
    let columns: Vec<_> = PARTS
        .iter()
        .map(|part| (name(part), vec![Role::Executive], vec![*part]))
        .collect();
    let rows: Vec<&str> = Act::ALL.iter().map(|act| act.as_str()).collect();
    insta::assert_snapshot!(on_policy_thread(|| table(&base_set(), &columns, &rows)));
}

#[test]
fn whoever_has_neither_role_nor_part_may_nothing() {
    let set = base_set();
    let targets = [target("1", "web", &[])];
    for action in Act::ALL
        .iter()
        .map(|act| act.as_str())
        .chain(actions::ALL.iter().copied())
    {
        assert!(
            !set.may(&actor(&[], &[]), action, Some((&change(), &targets))).allowed,
            "{action}"
        );
    }
}
