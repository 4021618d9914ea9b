//! Finds the rules of a set that nobody in this organisation can meet: they ask more people than there are, or people with a job
//! function or a training that nobody has. Such a set would stop every change that the rule is about, so it does not go in
//! force. Whether people enough are left for one service and one author is told by [`crate::find_unstaffed`].

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::apart::Apart;
use model::directory::Directory;
use model::ids::{GroupKey, PersonId};
use model::obligation::{ApprovalRule, Asked, Duty, Obligation};
use model::training::is_fit;
use model::words::Role;
use policy::{Finding, PolicySet};

use crate::find_unstaffed::fitness;

/// The group that stands in where nobody has the role of a change manager.
const CHANGE_MANAGERS: &str = "change-managers";

/// Every rule of a set that nobody can meet, by file and line. One that is in force as it stands is left alone: to refuse the set
/// would keep it in force.
pub(crate) fn find_unmeetable(
    set: &PolicySet,
    in_force: &PolicySet,
    (directory, now): (&Directory, Timestamp),
) -> Vec<Finding> {
    let stands = |it: &&Obligation| in_force.obligations().any(|known| known == *it);
    let mut found: Vec<Finding> = set
        .obligations()
        .filter(|it| !stands(it))
        .filter_map(|obligation| finding(set, obligation, directory, now))
        .collect();
    found.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    found
}

fn finding(set: &PolicySet, obligation: &Obligation, directory: &Directory, now: Timestamp) -> Option<Finding> {
    let (whom, there, needed) = shortage(&obligation.duty, directory, now)?;
    let source = set.source(&obligation.id)?;
    let people = match there {
        0 => "there is nobody".to_owned(),
        1 => "there is one person".to_owned(),
        many => format!("there are {many} people"),
    };
    let example = match there {
        0 => "name others, such as `@from(\"owner\")`, or first give people what it asks".to_owned(),
        many => format!("ask fewer, such as `@count(\"{many}\")`, or first add people"),
    };
    Some(Finding {
        file: source.file.clone(),
        line: source.line,
        code: "nobody_can",
        text: format!(
            "Nobody can meet `{}`: it asks {needed} {whom}, and {people}.",
            source.id
        ),
        help: Some(example),
    })
}

/// Whom a duty asks, how many of them there are, and how many it needs, where these are too few.
fn shortage(duty: &Duty, directory: &Directory, now: Timestamp) -> Option<(String, usize, usize)> {
    let (whom, there, needed) = match duty {
        Duty::Approval(rule) => {
            let needed = rule.count.max(rule.quorum.unwrap_or_default()) as usize;
            (of_rule(rule), how_many(rule, directory, now), needed)
        }
        Duty::PeerReview {
            count,
            from: Some(group),
        } => (of_group(group), directory.members(group).len(), *count as usize),
        Duty::PeerReview { count, from: None } => {
            let there = directory.people.values().filter(|person| person.active).count();
            ("of all people".to_owned(), there, *count as usize)
        }
        Duty::OutsideLook { from, .. } => (of_group(from), directory.members(from).len(), 1),
        _ => return None,
    };
    (there < needed).then_some((whom, there, needed))
}

fn of_group(group: &GroupKey) -> String {
    format!("of the group {group}")
}

fn of_rule(rule: &ApprovalRule) -> String {
    let from = match &rule.from {
        Asked::Group(group) => of_group(group),
        Asked::Groups(groups) => {
            let keys: Vec<&str> = groups.iter().map(GroupKey::as_str).collect();
            format!("of the groups {}, each of another one", keys.join(" and "))
        }
        Asked::ChangeManager => "of the change managers".to_owned(),
        Asked::Tester => "of the tester, who is one".to_owned(),
        _ => "of all people".to_owned(),
    };
    from + &fitness(rule)
}

/// How many people a rule could count at once: of its groups, or of everybody where the target says who.
fn how_many(rule: &ApprovalRule, directory: &Directory, now: Timestamp) -> usize {
    let is_there = |person: &PersonId| directory.people.get(person).is_some_and(|found| found.active);
    let fit = |people: Vec<PersonId>| -> BTreeSet<PersonId> {
        let fit = |person: &PersonId| is_there(person) && is_fit(directory, rule, person, now);
        people.into_iter().filter(fit).collect()
    };
    match &rule.from {
        Asked::Group(group) => fit(directory.members(group)).len(),
        Asked::Groups(groups) => {
            let members: Vec<_> = groups
                .iter()
                .map(|group| (group, fit(directory.members(group))))
                .collect();
            let rows = members
                .iter()
                .flat_map(|(group, people)| people.iter().map(|person| (person, group.as_str())));
            Apart::of(rows).count()
        }
        Asked::ChangeManager => {
            let by_role = directory.with_role(Role::ChangeManager);
            let asked = match by_role.is_empty() {
                true => directory.members(&GroupKey::from(CHANGE_MANAGERS)),
                false => by_role,
            };
            fit(asked).len()
        }
        Asked::Tester => fit(directory.people.keys().cloned().collect()).len().min(1),
        _ => fit(directory.people.keys().cloned().collect()).len(),
    }
}
